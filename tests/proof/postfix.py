#!/usr/bin/env python3
"""A real mail server and its log (T17).

    sudo tests/proof/postfix.py target/release/letterpress --kills 20

Postfix takes the mail on a loopback port and passes it on to its own `smtp-sink`. The sender is killed
again and again; then every `unknown` row is settled by Postfix's log alone (`resolve --maillog`), and
the books are compared with the Message-IDs in that log. Needs Postfix and root; touches no
configuration but its own, in a temporary folder.
"""

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from kill import exit_of
from newsletter import Newsletter


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def postfix(folder, port, sink):
    """A private instance that relays everything to the sink."""
    config, queue, data = folder / "etc", folder / "queue", folder / "data"
    for path in (config, queue, data):
        path.mkdir()
    folder.chmod(0o755)
    shutil.chown(data, "postfix")
    log = folder / "maillog"
    (config / "main.cf").write_text(
        f"""compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
myhostname = relay.test
mydestination =
inet_interfaces = 127.0.0.1
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{sink}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_rate_limit = 0
smtp_dns_support_level = disabled
alias_maps =
maillog_file = {log}
maillog_file_prefixes = {folder}
"""
    )
    (config / "master.cf").write_text(
        f"""127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""
    )
    subprocess.run(["postfix", "-c", config, "start"], check=True, capture_output=True)
    return config, log


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--recipients", type=int, default=2000)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    port, sink_port = free_port(), free_port()
    sink = subprocess.Popen(["smtp-sink", "-u", "postfix", f"127.0.0.1:{sink_port}", "1000"])
    config, log = postfix(folder, port, sink_port)
    try:
        newsletter = Newsletter(options.binary, options.recipients)
        newsletter.issue("proof")
        newsletter.set("relay", "url", f"smtp+plain://127.0.0.1:{port}")
        newsletter.set("relay", "rate", "max")
        newsletter.set("relay", "connections", options.connections)
        dice = random.Random(1)
        kills = 0
        while kills < options.kills:
            before = log.stat().st_size if log.exists() else 0
            process = newsletter.start("send", "proof", "--yes")
            # A kill before the first mail would prove nothing.
            while process.poll() is None and (not log.exists() or log.stat().st_size < before + 2000):
                await asyncio.sleep(0.002)
            if await exit_of(process, dice.uniform(0.0, 0.2)) is not None:
                break
            process.kill()
            await exit_of(process)
            kills += 1
        await exit_of(newsletter.start("send", "proof", "--yes"))
        before = Counter(newsletter.books("proof").values())
        # Who is not in the log was not taken only if the log goes on for a minute after the attempt.
        time.sleep(65)
        with smtplib.SMTP("127.0.0.1", port) as session:
            session.sendmail("other@example.com", ["other@example.com"], "Subject: later\r\n\r\nlater\r\n")
        time.sleep(2)  # The log is written by another process.
        settled = newsletter.run("resolve", "proof", "--maillog", str(log), "--resend", "absent", "--yes")
        print(settled.stdout, settled.stderr)
        await exit_of(newsletter.start("send", "proof", "--yes"))
        time.sleep(2)
        out = newsletter.run("status", "proof", "--recipients", "--json", check=True).stdout
        rows = [json.loads(line) for line in out.splitlines()]
        after = Counter(row["state"] for row in rows)
        taken = Counter(re.findall(r"message-id=<([^>]*)>", log.read_text()))
        lost = [row["email"] for row in rows if row["state"] == "sent" and not taken[row["message_id"]]]
        doubled = [key for key, count in taken.items() if count > 1]
        print(f"kills {kills}, recipients {len(rows)}, unknown before {before['unknown']}, after {after['unknown']},")
        print(f"taken by Postfix {taken.total()}, lost {len(lost)}, doubled {len(doubled)}, states {dict(after)}")
        sys.exit(1 if lost or doubled or after["unknown"] else 0)
    finally:
        subprocess.run(["postfix", "-c", config, "stop"], capture_output=True)
        sink.kill()


if __name__ == "__main__":
    asyncio.run(main())
