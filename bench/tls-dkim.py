#!/usr/bin/env python3
"""What TLS and DKIM cost: the same send without them, with each, and with both, in turn.

    bench/tls-dkim.py

Into a sink of our own (benches/sink), which has a certificate of its own; mails of 30 KB. smtp-source and
smtp-sink know neither, so letterpress is compared with itself. Prints medians over all rounds: mails a
second, their ratio to the plain send of the same round, and microseconds of our CPU a mail (without what
comes before the delivery: a run that prepares the same list and sends one mail is subtracted). Every mail
is counted at the sink. Needs openssl, GNU time (Debian: time) and Cargo; takes about two minutes.
"""

import statistics
import subprocess
import tempfile
from pathlib import Path

from common import Newsletter, Programs, Sink, arguments, check, row, spread

# An Ed25519 signature comes beside the other, never alone.
RSA = ("", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
ED25519 = ("ed25519_", ["ed25519"])
KEYS = {"RSA-2048": [RSA], "RSA-2048 and Ed25519": [RSA, ED25519]}

asked = arguments(__doc__, mails=5000, rounds=3, connections=8, chunking=False)
programs = Programs(asked)


class Variant:
    """A newsletter that signs with a kind of key or not, and a sink with TLS or without."""

    def __init__(self, folder, tls, key):
        self.name = " + ".join(filter(None, [tls and "TLS", key and f"DKIM {key}"])) or "plain"
        authority = Path(folder) / f"{self.name}.pem"
        options = ["--tls", "--certificate", authority] if tls else []
        self.sink = Sink(programs, *options, *["--chunking"] * asked.chunking)
        settings = ""
        if key:
            settings = '\n[dkim]\ndomain = "news.example.com"\n'
        for prefix, kind in KEYS.get(key, []):
            file = Path(folder) / f"{self.name}.{prefix}key"
            subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", *kind, "-out", file], check=True)
            file.chmod(0o600)
            settings += f'{prefix}selector = "{prefix.strip("_") or "rsa"}"\n{prefix}key_file = "{file}"\n'
        self.news = Newsletter(programs, Path(folder) / self.name, 30, settings)
        if tls:
            toml = (self.news.folder / "newsletter.toml").read_text()
            self.news.write("newsletter.toml", toml.replace("[relay]\n", f'[relay]\nca_file = "{authority}"\n', 1))
        self.url = f"{'smtps' if tls else 'smtp+plain'}://localhost:{self.sink.port}"
        self.news.list(asked.mails)
        self.before = self.news.send(self.url, asked.connections, "--limit", "1")
        check(self.sink, self.before.checked(), 1)
        self.rates, self.cpus = [], []

    def send(self):
        run = self.news.send(self.url, asked.connections).checked()
        check(self.sink, run, asked.mails)
        self.rates.append(asked.mails / run.seconds)
        self.cpus.append((run.cpu - self.before.cpu) / (asked.mails - 1) * 1e6)


with tempfile.TemporaryDirectory() as folder:
    variants = [Variant(folder, tls, key) for key in [None, *KEYS] for tls in (False, True)]
    for at in range(asked.rounds):
        for variant in variants if at % 2 == 0 else reversed(variants):
            variant.send()
    print(f"{asked.mails} mails of {variants[0].news.size} bytes, {asked.connections} connections, {asked.rounds} rounds")
    widths = [32, 9, 28, 9]
    row(widths, "", "mails/s", "ratio to plain (least – most)", "CPU µs")
    for variant in variants:
        ratios = [rate / plain for rate, plain in zip(variant.rates, variants[0].rates)]
        row(widths, variant.name, f"{statistics.median(variant.rates):.0f}", spread(ratios),
            f"{statistics.median(variant.cpus):.1f}")
        variant.sink.__exit__()
