#!/usr/bin/env python3
"""Round trips a mail, over a link of 20 and of 40 ms.

    bench/round-trips.py

The sink (benches/sink) stands behind a link that holds every byte back by half a round trip time in
either direction. A sender that fills all its connections takes

    round trips a mail = seconds × connections / (mails × round trip time)

and opening the connections is in them. *turns* is how often the sink had answered all that it was asked,
a mail: the same, as the server sees it. Senders: letterpress, Postfix's smtp-source, and of bench/peers.py
lettre's pool and nodemailer's. Every mail is counted at the sink. Needs what bench/peers.py needs, and
Postfix (Debian: postfix); takes about three minutes.
"""

import tempfile
from pathlib import Path

from common import Newsletter, Programs, Sink, arguments, check, row, smtp_source
from peers import Peers

asked = arguments(__doc__, mails=100, connections=[8], delays=[20, 40], chunking=False)
programs, peers = Programs(asked), Peers()
widths = [11, 11, 12, 9, 18, 13]
print(f"{asked.mails} mails of 30 KB a connection")
row(widths, "round trip", "connections", "", "mails/s", "round trips a mail", "turns a mail")
for delay in asked.delays:
    for connections in asked.connections:
        options = ["--chunking"] * asked.chunking
        with tempfile.TemporaryDirectory() as folder, Sink(programs, "--delay-ms", delay, *options) as sink:
            mails = asked.mails * connections
            news = Newsletter(programs, Path(folder) / "news", 30)
            news.list(mails)
            senders = {
                "letterpress": lambda: news.send(f"smtp+plain://127.0.0.1:{sink.port}", connections).checked(),
                "smtp-source": lambda: smtp_source(sink.port, mails, connections, news.size),
                "nodemailer": lambda: peers.send("nodemailer", news, sink.port, mails, connections),
                "lettre": lambda: peers.send("lettre", news, sink.port, mails, connections),
            }
            for name, send in senders.items():
                run = send()
                counted = check(sink, run, mails)
                trips = run.seconds * connections / (mails * delay / 1000)
                row(widths, f"{delay} ms", connections, name, f"{mails / run.seconds:.0f}", f"{trips:.2f}",
                    f"{counted['turns'] / mails:.2f}")
