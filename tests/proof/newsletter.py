"""A newsletter to send in a proof, and the letterpress binary as any user would run it."""

import json
import os
import subprocess
import tempfile
from pathlib import Path


class Newsletter:
    def __init__(self, binary, recipients, folder=None):
        self.binary = str(Path(binary).resolve())
        self.folder = Path(folder or tempfile.mkdtemp(prefix="proof-"))
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("LETTERPRESS_")
        }
        self.run("init", ".", check=True)
        with open(self.folder / "subscribers/list.csv", "w") as csv:
            csv.write("email,first_name\n")
            csv.writelines(f"reader-{n}@example.com,Reader {n}\n" for n in range(recipients))
        (self.folder / "subscribers/suppressions.csv").write_text("email,reason\n")

    def set(self, section, key, value):
        self.environment[f"LETTERPRESS_{section}__{key}".upper()] = str(value)

    def issue(self, slug):
        text = '+++\nsubject = "For {{ subscriber.first_name }}"\n+++\n\nHello {{ subscriber.first_name }}.\n'
        (self.folder / f"issues/{slug}.md").write_text(text)

    def start(self, *arguments, before=(), **more):
        return subprocess.Popen(
            [*before, self.binary, *arguments],
            cwd=self.folder,
            env={**self.environment, **more.pop("env", {})},
            stdout=subprocess.DEVNULL,
            stderr=more.pop("stderr", subprocess.DEVNULL),
            **more,
        )

    def run(self, *arguments, check=False, env=None):
        return subprocess.run(
            [self.binary, *arguments],
            cwd=self.folder,
            env={**self.environment, **(env or {})},
            capture_output=True,
            text=True,
            check=check,
        )

    def books(self, slug):
        """The state of each recipient."""
        out = self.run("status", slug, "--recipients", "--json", check=True).stdout
        rows = (json.loads(line) for line in out.splitlines())
        return {row["email"]: row["state"] for row in rows}


def compare(books, copies):
    """What the books say beside what the receiver has: (lost, doubled, lies, unknown)."""
    lost, doubled, lies, unknown = [], [], [], []
    for email, state in books.items():
        count = copies.get(email, 0)
        if count > 1:
            doubled.append(email)
        if state == "sent" and count == 0:
            lost.append(email)
        elif state in ("failed", "skipped", "expired", "pending", "deferred") and count:
            lies.append(email)
        elif state in ("unknown", "sending"):
            unknown.append(email)
    lies += [email for email in copies if email not in books]
    return lost, doubled, lies, unknown
