#!/usr/bin/env python3
"""Power cuts (T3) and the order of sync and dot (T4).

    tests/proof/powercut.py target/release/letterpress --cuts 200

A power cut is acted out: the sender is killed, and everything that it had written to the ledger since
the last sync is taken back (`powercut.c` keeps what that needs). With one connection a sync has to lie
between any two final dots. Leaves with 1 when a promise is broken. Needs gcc.
"""

import argparse
import asyncio
import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from kill import exit_of
from newsletter import Newsletter, compare
from receiver import Receiver

HERE = Path(__file__).parent


def take_back(newsletter, undo):
    """Brings the ledger to what was on stable storage."""
    state = newsletter.folder / ".letterpress"
    for log in undo.iterdir():
        data, records, at = log.read_bytes(), [], 0
        while at + 24 <= len(data):
            offset, length, size = struct.unpack_from("QQQ", data, at)
            old = data[at + 24 : at + 24 + length]
            at += 24 + length
            if len(old) == length:
                records.append((offset, old, size))
        path = state / log.name
        with open(path, "r+b" if path.exists() else "w+b") as file:
            for offset, old, size in reversed(records):
                file.seek(offset)
                file.write(old)
                file.truncate(size)
        log.unlink()
    # What is in memory only is gone, too.
    (state / "ledger.db-shm").unlink(missing_ok=True)


def environment(library, undo, order=None):
    more = {"LD_PRELOAD": str(library), "POWERCUT_UNDO": str(undo)}
    if order:
        more["POWERCUT_ORDER"] = str(order)
    return more


async def cuts(options, library, connections, seed, cuts_left):
    dice = random.Random(seed)
    receiver = Receiver(seed, latency=0.02)
    server = await receiver.start()
    newsletter = await prepared(options, receiver, connections)
    undo = Path(tempfile.mkdtemp(prefix="undo-"))
    cut = 0
    while cut < cuts_left:
        process = newsletter.start("send", "proof", "--yes", env=environment(library, undo))
        if await exit_of(process, dice.uniform(0.02, 0.5)) is not None:
            break
        process.kill()
        await exit_of(process)
        take_back(newsletter, undo)
        cut += 1
    await exit_of(newsletter.start("send", "proof", "--yes"))
    server.close()
    books = newsletter.books("proof")
    return cut, books, receiver


async def prepared(options, receiver, connections):
    newsletter = Newsletter(options.binary, options.recipients)
    newsletter.issue("proof")
    newsletter.set("relay", "url", f"smtp+plain://127.0.0.1:{receiver.port}")
    newsletter.set("relay", "rate", "max")
    newsletter.set("relay", "connections", connections)
    # The tables exist before the first cut: a ledger that never was cannot be lost.
    await exit_of(newsletter.start("send", "proof", "--yes", "--limit", "1"))
    return newsletter


async def order(options, library):
    receiver = Receiver()
    server = await receiver.start()
    options.recipients = 300
    newsletter = await prepared(options, receiver, 1)
    folder = Path(tempfile.mkdtemp(prefix="order-"))
    log = folder / "order"
    (folder / "undo").mkdir()
    process = newsletter.start("send", "proof", "--yes", env=environment(library, folder / "undo", log))
    await exit_of(process)
    server.close()
    lines = log.read_text().split()
    first = lines.index("dot")
    wrong = sum(a == b == "dot" for a, b in zip(lines[first:], lines[first + 1 :]))
    wrong += "sync" not in lines[:first]
    return lines.count("dot"), lines.count("sync"), wrong


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--connections", default="1,8")
    parser.add_argument("--recipients", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    library = Path(tempfile.mkdtemp(prefix="shim-")) / "powercut.so"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, HERE / "powercut.c", "-ldl"], check=True)
    broken = False
    counts = [int(number) for number in options.connections.split(",")]
    print("| connections | power cuts | recipients | lost | doubled | wrong in the books | unknown | allowed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for connections in counts:
        left, total = options.cuts // len(counts), [0] * 6
        seed = options.seed
        while left > 0:
            seed += 1
            cut, books, receiver = await cuts(options, library, connections, seed, left)
            left -= cut
            row = [cut, len(books), *(len(part) for part in compare(books, receiver.copies))]
            total = [a + b for a, b in zip(total, row)]
            if cut == 0:
                break
        broken |= any(total[2:5]) or total[5] > total[0] * connections
        print(f"| {connections} | {' | '.join(map(str, total))} | {total[0] * connections} |", flush=True)
    dots, syncs, wrong = await order(options, library)
    # A log without the dots would prove nothing. One mail went before it began.
    wrong += dots != options.recipients - 1
    print(f"\nOrder, one connection: {dots} dots, {syncs} syncs, {wrong} dots without a sync before them.")
    sys.exit(1 if broken or wrong else 0)


if __name__ == "__main__":
    asyncio.run(main())
