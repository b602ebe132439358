#!/usr/bin/env python3
"""Signed mail of every kind, over a private Postfix, for three verifiers: .ci/check-dkim.

    sudo tests/proof/signatures.py target/release/letterpress TOOLS

TOOLS holds `node_modules/mailauth`; dkimpy is importable, and Perl has Mail::DKIM. Mail::DKIM of today's
distributions does not read Ed25519, so it judges RSA alone.
"""

import base64
import json
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import dkim
from newsletter import Newsletter
from postfix import free_port, postfix

ISSUES = {
    "ascii": ("Plain news", "Hello {{ subscriber.first_name }}."),
    "emoji": ("Fresh 🎉 news für alle", "Grüße 🎉, {{ subscriber.first_name }}!"),
    "japanese": ("今週のニュース", "日本語の本文です。" * 60),
    "long": ("Long words", "x" * 1200 + "\n\n" + "word " * 400),
    "blanks": ("Blanks", "a  b\t c   \n\n\n\n    code  with   blanks\n\n.\n\n..dots\n\nFrom here \n"),
    "short": ("Short", "&nbsp;"),
    "picture": ("A picture", "![A dot](articles/dot.png)"),
}
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Receiver(socketserver.StreamRequestHandler):
    """The least of an SMTP server: keeps each message as it came."""

    def handle(self):
        say = lambda line: self.wfile.write(line.encode() + b"\r\n")
        say("220 sink.test")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                say("354 go on")
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line[1:] if line.startswith(b".") else line)
                self.server.mails.append(b"".join(lines))
            say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True).stdout


def by_dkimpy(mail, records):
    verdicts = []
    for index in range(len(re.findall(rb"(?mi)^dkim-signature:", mail.split(b"\r\n\r\n")[0]))):
        answer = lambda name, timeout=5: records[(name if isinstance(name, str) else name.decode()).rstrip(".")].encode()
        try:
            verdicts.append(dkim.DKIM(mail).verify(idx=index, dnsfunc=answer))
        except dkim.DKIMException:
            verdicts.append(False)
    return verdicts


def by_mailauth(path, tools, cache):
    command = ["node", tools / "node_modules/mailauth/bin/mailauth.js", "report", "--dns-cache", cache]
    command += ["-i", "127.0.0.1", "-e", "relay.test", "-f", "press@news.example.com", path]
    out = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return [result["status"]["result"] == "pass" for result in out["dkim"]["results"]]


PERL = r"""
use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::Resolver::Mock;
my ($zone, $file) = @ARGV;
my $dns = Net::DNS::Resolver::Mock->new; $dns->zonefile_read($zone); Mail::DKIM::DNS::resolver($dns);
my $dkim = Mail::DKIM::Verifier->new; open my $in, '<:raw', $file or die; local $/; $dkim->PRINT(<$in>); $dkim->CLOSE;
for my $s ($dkim->signatures) { print $s->algorithm, " ", $s->result, "\n" if $s->algorithm =~ /^rsa/ }
"""


def by_perl(path, zone):
    out = subprocess.run(["perl", "-e", PERL, zone, path], check=True, capture_output=True, text=True).stdout
    return [line.split()[1] == "pass" for line in out.splitlines()]


def main():
    binary, tools = sys.argv[1], Path(sys.argv[2]).resolve()
    folder = Path(tempfile.mkdtemp(prefix="dkim-"))
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Receiver)
    server.mails, server.daemon_threads = [], True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = free_port()
    config, _ = postfix(folder, port, server.server_address[1])
    try:
        newsletter = Newsletter(binary, 2)
        rows = "ada@example.com,Ada,patron\nchi@example.com,千尋,\n"
        (newsletter.folder / "subscribers/list.csv").write_text("email,first_name,plan\n" + rows)
        keys = newsletter.folder / "keys"
        keys.mkdir()
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", keys / "rsa.pem")
        openssl("genpkey", "-algorithm", "ED25519", "-out", keys / "ed25519.pem")
        public = lambda name: openssl("pkey", "-in", keys / name, "-pubout", "-outform", "DER")
        settings = (newsletter.folder / "newsletter.toml").read_text()
        domain = re.search(r'from = ".*@([^>"]*)', settings).group(1)
        text = lambda der: base64.b64encode(der).decode()
        records = {
            f"lp1._domainkey.{domain}": "v=DKIM1; k=rsa; p=" + text(public("rsa.pem")),
            f"lp1e._domainkey.{domain}": "v=DKIM1; k=ed25519; p=" + text(public("ed25519.pem")[-32:]),
        }
        cache, zone = folder / "dns.json", folder / "zone"
        cache.write_text(json.dumps({name: {"TXT": [[record]]} for name, record in records.items()}))
        pieces = lambda record: " ".join(f'"{record[at:at + 250]}"' for at in range(0, len(record), 250))
        zone.write_text("".join(f"{name}. 3600 IN TXT {pieces(record)}\n" for name, record in records.items()))

        for key, value in {
            "domain": domain, "selector": "lp1", "key_file": "keys/rsa.pem",
            "ed25519_selector": "lp1e", "ed25519_key_file": "keys/ed25519.pem",
        }.items():
            newsletter.set("dkim", key, value)
        newsletter.set("relay", "url", f"smtp+plain://127.0.0.1:{port}")
        newsletter.set("relay", "rate", "max")
        (newsletter.folder / "articles").mkdir(exist_ok=True)
        (newsletter.folder / "articles/dot.png").write_bytes(base64.b64decode(DOT))
        for slug, (subject, body) in ISSUES.items():
            (newsletter.folder / f"issues/{slug}.md").write_text(f'+++\nsubject = "{subject}"\n+++\n\n{body}\n')
        expected = 0
        for slug in ["welcome", *ISSUES]:
            sent = newsletter.run("send", slug, "--yes")
            if sent.returncode:
                sys.exit(f"{slug}: exit {sent.returncode}\n{sent.stdout}{sent.stderr}")
            expected += 2
        until = time.monotonic() + 60
        while len(server.mails) < expected and time.monotonic() < until:
            time.sleep(0.1)
        print(f"{len(server.mails)} of {expected} mails came through Postfix")

        failed = len(server.mails) != expected
        fields = set()
        for number, mail in enumerate(server.mails):
            path = folder / f"{number}.eml"
            path.write_bytes(mail)
            verdicts = by_dkimpy(mail, records), by_mailauth(path, tools, cache), by_perl(path, zone)
            names = re.search(rb"h=([^;]*);", mail).group(1)
            covered = {name.strip().lower() for name in names.split(b":")}
            fields.add(len(covered))
            good = verdicts == ([True, True], [True, True], [True])
            missing = {b"list-unsubscribe", b"list-unsubscribe-post", b"list-id"} - covered
            tampered = re.sub(rb"(?i)\r\nlist-unsubscribe:", b"\r\nList-Unsubscribe: <https://evil.example/>\r\nList-Unsubscribe:", mail, count=1)
            changed = re.sub(rb"(?i)(\r\nlist-unsubscribe:\s*<https://)", rb"\1x", mail, count=1)
            caught = True
            for forged in (tampered, changed):
                path.write_bytes(forged)
                caught &= forged != mail and not any(
                    by_dkimpy(forged, records) + by_mailauth(path, tools, cache) + by_perl(path, zone)
                )
            if not good or missing or not caught:
                failed = True
                print(f"mail {number}: dkimpy, mailauth, Mail::DKIM say {verdicts}; not covered {missing}; tampering caught {caught}")
        print(f"verified by dkimpy and mailauth (RSA, Ed25519) and by Mail::DKIM (RSA); h= names {sorted(fields)} fields")
        print("FAILED" if failed else "all signatures pass; every forged List-Unsubscribe fails")
        sys.exit(failed)
    finally:
        subprocess.run(["postfix", "-c", config, "stop"], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
