"""What the scripts beside this one share: programs, sinks, a newsletter to send, and figures."""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATH = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
TOOLS = ROOT / "target/bench-tools"

# Paragraphs for a mail of about so many KB.
PARAGRAPHS = {30: 13, 60: 52}
COLUMNS = "email first_name last_name company city since plan points topic editor code"


def arguments(description, **defaults):
    """The command line: numbers by name, and what all scripts have in common."""
    usage = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=description, formatter_class=usage)
    for name, default in defaults.items():
        kind = type(default[0]) if isinstance(default, list) else type(default)
        if default is False:
            parser.add_argument(f"--{name}", action="store_true")
        else:
            nargs = "+" if isinstance(default, list) else None
            parser.add_argument(f"--{name}", type=kind, nargs=nargs, default=default)
    parser.add_argument("--profile", default="release", help="of Cargo")
    parser.add_argument("--letterpress", help="another binary than that of this folder")
    return parser.parse_args()


class Programs:
    """The programs of this package, built."""

    def __init__(self, asked):
        build = ["cargo", "build", "--quiet", "--profile", asked.profile]
        command = [*build, "--bench", "sink", "--message-format=json"]
        made = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        artifacts = [json.loads(line) for line in made.stdout.splitlines()]
        self.sink = next(a["executable"] for a in artifacts if a.get("target", {}).get("name") == "sink")
        # Last, because the bench has built it, too, with what only tests need.
        subprocess.run([*build, "--bin", "letterpress"], cwd=ROOT, check=True)
        folder = "debug" if asked.profile == "dev" else asked.profile
        self.letterpress = Path(asked.letterpress or ROOT / "target" / folder / "letterpress").resolve()


class Sink:
    """Our sink (benches/sink), which counts and keeps nothing."""

    def __init__(self, programs, *options):
        self.process = subprocess.Popen(
            [programs.sink, "0", *map(str, options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def counts(self):
        """What it has counted since it was asked."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


class SmtpSink:
    """Postfix's smtp-sink."""

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.said = tempfile.TemporaryFile("w+")
        self.seen = 0
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        command = ["smtp-sink", *user, "-c", f"127.0.0.1:{self.port}", "200"]
        self.process = subprocess.Popen(command, stdout=self.said, env={"PATH": PATH})
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("smtp-sink does not answer")

    def counts(self):
        self.said.seek(0)
        before, self.seen = self.seen, int(re.findall(r"mesg=(\d+)", self.said.read())[-1])
        return {"mails": self.seen - before}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Run:
    """A command that has run: `wall` and `cpu` (user and system) in seconds, `memory` (peak) in bytes."""

    def __init__(self, command, folder=None, **variables):
        environment = {**os.environ, "PATH": PATH, **variables}
        with tempfile.NamedTemporaryFile("r") as memory, tempfile.TemporaryFile("w+") as out, \
                tempfile.TemporaryFile("w+") as err:
            # GNU time, because what Python would be told is its own memory if that is more.
            command = ["/usr/bin/time", "--quiet", "-f", "%M", "-o", memory.name, *map(str, command)]
            begun = time.monotonic()
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=err)
            _, status, usage = os.wait4(process.pid, 0)
            self.wall = time.monotonic() - begun
            self.cpu = usage.ru_utime + usage.ru_stime
            self.code = process.returncode = os.waitstatus_to_exitcode(status)
            self.memory = int(memory.read().split()[-1]) * 1024
            out.seek(0)
            err.seek(0)
            self.out, self.err = out.read(), err.read()

    def checked(self):
        if self.code != 0:
            sys.exit(f"{self.err}\na command ended with {self.code}")
        return self


class Newsletter:
    """A newsletter with a letter of 30 or 60 KB for each reader of its list, no two alike."""

    def __init__(self, programs, folder, kilobytes, settings="", books=None):
        self.letterpress, self.folder = programs.letterpress, Path(folder)
        self.books = Path(books) if books else self.folder / ".letterpress"
        Run([self.letterpress, "-q", "init", folder]).checked()
        letter = (ROOT / "bench/letter.md").read_text()
        paragraph = letter.rstrip().rsplit("\n\n", 1)[1]
        self.write("issues/letter.md", letter + f"\n{paragraph}\n" * PARAGRAPHS[kilobytes])
        self.write("subscribers/suppressions.csv", "email\n")
        if settings:
            self.write("newsletter.toml", (self.folder / "newsletter.toml").read_text() + settings)
        self.list(1)
        Run([self.letterpress, "-q", "build", "letter", "--as", "reader0@example.com"], self.folder).checked()
        self.mail = self.folder / "out/letter/message.eml"
        self.size = self.mail.stat().st_size

    def write(self, path, text):
        (self.folder / path).write_text(text)

    def list(self, readers):
        """Lets it have so many readers."""
        self.readers = readers
        rows = (
            f"reader{i}@example.com,Reader{i},Setter,Press {i % 97},Mainz,{1960 + i % 60},"
            f"{('free', 'patron')[i % 2]},{i % 1000},{('type', 'ink', 'paper')[i % 3]},Ines Halloran,{i:08x}"
            for i in range(readers))
        self.write("subscribers/list.csv", "\n".join([COLUMNS.replace(" ", ","), *rows, ""]))

    def send(self, url, connections, *options):
        """Sends the letter to the whole list, for the first time: a run that also knows the `seconds`
        from the first connection to the last outcome, and how many were `sent`."""
        shutil.rmtree(self.folder / ".letterpress/campaigns", ignore_errors=True)
        for path in [*self.books.glob("ledger.db*"), self.folder / "issues/letter.sent.toml"]:
            path.unlink(missing_ok=True)
        relay = {"URL": url, "RATE": "max", "CONNECTIONS": str(connections), "MESSAGES_PER_CONNECTION": "1000000"}
        variables = {f"LETTERPRESS_RELAY__{name}": value for name, value in relay.items()}
        variables["LETTERPRESS_LEDGER__URL"] = f"sqlite:{self.books / 'ledger.db'}"
        run = Run([self.letterpress, "send", "letter", "--yes", "--json", *options], self.folder, **variables)
        said = json.loads(run.out or "{}")
        run.seconds, run.sent = said.get("seconds"), said.get("sent")
        return run


def smtp_source(port, mails, connections, size):
    """The same by Postfix's smtp-source: one mail again and again over warm connections."""
    command = ["smtp-source", "-d", "-s", connections, "-m", mails, "-l", size,
               "-f", "press@example.com", "-t", "reader@example.com", f"127.0.0.1:{port}"]
    run = Run(command).checked()
    run.seconds, run.sent = run.wall, mails
    return run


def check(sink, run, mails):
    """As many mails arrived as were sent, and as should have been."""
    counted = sink.counts()
    if not mails == run.sent == counted["mails"]:
        sys.exit(f"{mails} mails were to be sent, {run.sent} were, and the sink counted {counted['mails']}")
    return counted


def fdatasync_ms(folder):
    """How long the disk takes to keep 4 KB, in milliseconds, 100 times."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(100):
            os.pwrite(file.fileno(), bytes(4096), 0)
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begun) * 1000)
    return times


def spread(values, digits=2):
    """The median, with the least and the most."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} – {high:.{digits}f})"


def row(widths, *cells):
    print("  ".join(str(cell).rjust(width) for cell, width in zip(cells, widths)), flush=True)
