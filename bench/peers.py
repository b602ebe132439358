#!/usr/bin/env python3
"""Other tools beside a whole send, in turn, into the same sink (benches/sink), mails of the same size.

    bench/peers.py

* lettre: `AsyncSmtpTransport` with its pool, one message that is made already (bench/peers/lettre);
* nodemailer: its pool, each mail made from the same page and text with another name in it;
* smtplib: Python's, a thread a connection, one message that is made already with another name in it;
* mailmerge: its command line, the page as a Jinja template; it has one connection, and the time is that
  of the whole command.

The time of letterpress is that of `send`, from the first connection to the last outcome, with its ledger
on disk. Prints medians over all rounds. Each has as many mails as it sends in a few seconds, and every
mail is counted at the sink. Needs Cargo, npm, Python's venv, GNU time (Debian: time) and the network, to
install the peers into target/bench-tools; then it takes about a minute.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from common import ROOT, TOOLS, Newsletter, Programs, Run, Sink, arguments, check, row, spread

NODEMAILER, MAILMERGE = "10.6.0", "2.3.0"
MAILS = {"letterpress": 8000, "smtplib": 2000, "nodemailer": 1000, "mailmerge": 500, "lettre": 400}


class Peers:
    """The peers, installed; each is a command that prints how many seconds it took."""

    def __init__(self):
        TOOLS.mkdir(parents=True, exist_ok=True)
        manifest, lettre = ROOT / "bench/peers/lettre/Cargo.toml", TOOLS / "lettre"
        self.install("cargo", "build", "--quiet", "--release", "--manifest-path", manifest, "--target-dir", lettre)
        self.pool = lettre / "release/lettre-pool"
        self.modules = TOOLS / "node_modules"
        if not (self.modules / "nodemailer").exists():
            self.install("npm", "i", "--silent", "--no-audit", "--no-fund", "--prefix", TOOLS, f"nodemailer@{NODEMAILER}")
        self.mailmerge_program = TOOLS / "python/bin/mailmerge"
        if not self.mailmerge_program.exists():
            self.install(sys.executable, "-m", "venv", TOOLS / "python")
            self.install(TOOLS / "python/bin/pip", "install", "--quiet", f"mailmerge=={MAILMERGE}")

    @staticmethod
    def install(*command):
        subprocess.run(list(map(str, command)), check=True)

    def send(self, peer, news, port, mails, connections):
        out = news.mail.parent
        scripts = ROOT / "bench/peers"
        numbers = [port, mails, connections]
        command, variables = {
            "lettre": ([self.pool, *numbers, news.mail], {}),
            "nodemailer": (["node", scripts / "nodemailer.cjs", *numbers, out / "index.html", out / "text.txt"],
                           {"NODE_PATH": str(self.modules)}),
            "smtplib": ([sys.executable, scripts / "smtplib_threads.py", *numbers, news.mail], {}),
            "mailmerge": ([self.mailmerge_program, "--no-dry-run", "--no-limit", "--config", "server.conf",
                           "--template", "template.txt", "--database", "database.csv"], {}),
        }[peer]
        if peer == "mailmerge":
            self.lay_out(out, port, mails)
        run = Run(command, out, **variables).checked()
        run.sent, run.seconds = mails, run.wall if peer == "mailmerge" else float(run.out)
        return run

    @staticmethod
    def lay_out(folder, port, mails):
        """The three files that mailmerge wants."""
        # It makes one part: the text goes below the page, for the same size.
        page, text = ((folder / name).read_text() for name in ("index.html", "text.txt"))
        page = f"{page}<pre>{text}</pre>".replace("Reader0", "{{ name }}")
        head = "TO: {{ email }}\nSUBJECT: A letter for {{ name }}\nFROM: press@example.com\nContent-Type: text/html\n\n"
        (folder / "template.txt").write_text(head + page)
        (folder / "server.conf").write_text(f"[smtp_server]\nhost = 127.0.0.1\nport = {port}\nratelimit = 0\n")
        rows = [f"reader{at}@example.com,Reader{at}\n" for at in range(mails)]
        (folder / "database.csv").write_text("".join(["email,name\n", *rows]))


def main():
    asked = arguments(__doc__, rounds=3, connections=8)
    programs, peers = Programs(asked), Peers()
    rates, sizes, cpus = ({name: [] for name in MAILS} for _ in range(3))
    with tempfile.TemporaryDirectory() as folder, Sink(programs) as sink:
        news = Newsletter(programs, Path(folder) / "news", 30)
        for _ in range(asked.rounds):
            for name, mails in MAILS.items():
                if name == "letterpress":
                    news.list(mails)
                    run = news.send(f"smtp+plain://127.0.0.1:{sink.port}", asked.connections).checked()
                else:
                    run = peers.send(name, news, sink.port, mails, asked.connections)
                counted = check(sink, run, mails)
                rates[name].append(mails / run.seconds)
                sizes[name] = counted["bytes"] // mails
                cpus[name].append(run.cpu / mails * 1e6)
    print(f"{asked.connections} connections (mailmerge has one), {asked.rounds} rounds")
    widths = [12, 12, 9, 24, 22]
    row(widths, "", "bytes a mail", "mails/s", "letterpress is faster by", "CPU µs, whole command")
    for name in MAILS:
        ratios = [ours / theirs for ours, theirs in zip(rates["letterpress"], rates[name])]
        row(widths, name, sizes[name], f"{statistics.median(rates[name]):.0f}", spread(ratios, 1),
            f"{statistics.median(cpus[name]):.0f}")


if __name__ == "__main__":
    main()
