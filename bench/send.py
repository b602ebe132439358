#!/usr/bin/env python3
"""A whole send beside Postfix's smtp-source, in turn, into the same sink.

    bench/send.py                           into Postfix's smtp-sink, the ledger on this disk
    bench/send.py --fast --memory           into a faster sink (benches/sink), the ledger in memory

smtp-source sends one prepared body again and again; `letterpress send` merges each mail, and keeps its
books. Prints for each size and number of connections the medians over all pairs (who begins alternates):

* mails a second of both, while delivering;
* their ratio, pair by pair, with the least and the most;
* microseconds of our CPU (user and system) a mail. What comes before the delivery is not in them: a run
  that prepares the same list and sends one mail (`--limit 1`) is subtracted;
* our peak memory;

and how long fdatasync takes on the ledger's disk, measured all the while. Every mail is counted at the
sink. Needs Postfix (Debian: postfix), GNU time (time) and Cargo; takes about three minutes on two cores.
"""

import statistics
import tempfile

from common import Newsletter, Programs, Sink, SmtpSink, arguments, check, fdatasync_ms, row, smtp_source, spread

asked = arguments(__doc__, mails=8000, pairs=5, connections=[1, 8, 32], sizes=[30, 60],
                  fast=False, memory=False, chunking=False)
programs = Programs(asked)
widths = [6, 11, 13, 9, 24, 10, 8]
syncs = []
print(f"{asked.mails} mails, {asked.pairs} pairs,", "our sink," if asked.fast else "smtp-sink,",
      "the ledger", "in memory" if asked.memory else "on disk")
row(widths, "bytes", "connections", "smtp-source/s", "send/s", "ratio (least – most)", "CPU µs", "MiB")
for size in asked.sizes:
    for connections in asked.connections:
        with tempfile.TemporaryDirectory() as folder, \
                tempfile.TemporaryDirectory(dir="/dev/shm" if asked.memory else None) as books, \
                (Sink(programs, *["--chunking"] * asked.chunking) if asked.fast else SmtpSink()) as sink:
            news = Newsletter(programs, f"{folder}/news", size, books=books)
            news.list(asked.mails // 3 if connections == 1 else asked.mails)

            def ours(*options):
                return news.send(f"smtp+plain://127.0.0.1:{sink.port}", connections, *options).checked()

            def theirs():
                return smtp_source(sink.port, news.readers, connections, news.size)

            before = ours("--limit", "1")
            check(sink, before, 1)
            pairs = []
            for at in range(asked.pairs):
                syncs += fdatasync_ms(books)
                pair = {}
                for sender in (ours, theirs) if at % 2 else (theirs, ours):
                    pair[sender] = sender()
                    check(sink, pair[sender], news.readers)
                pairs.append((pair[theirs], pair[ours]))
            rates = [[news.readers / run.seconds for run in pair] for pair in pairs]
            source, send = map(statistics.median, zip(*rates))
            cpu = statistics.median(run.cpu - before.cpu for _, run in pairs) / (news.readers - 1)
            row(widths, news.size, connections, f"{source:.0f}", f"{send:.0f}",
                spread([send / source for source, send in rates]), f"{cpu * 1e6:.1f}",
                f"{max(run.memory for _, run in pairs) / 2**20:.0f}")
print(f"fdatasync where the ledger is: {statistics.median(syncs):.2f} ms (median of {len(syncs)})")
