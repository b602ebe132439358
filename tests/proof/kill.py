#!/usr/bin/env python3
"""`kill -9` at random moments, counted at the receiver (T1), and the same with faults (T2).

    tests/proof/kill.py target/release/letterpress --kills 1000 --connections 1,8,32 [--faults]

Each kill comes 5 to 350 ms after the sender was started. After each campaign the books are compared
with what the receiver has: nobody lost, nobody twice, and no more in doubt for each kill than there
were connections. Leaves with 1 when a promise is broken.
"""

import argparse
import asyncio
import random
import sys
import time

from newsletter import Newsletter, compare
from receiver import Receiver

# Percent of the mails; "close" is a number of mails. More lost replies would trip the breaker, which
# `rehearse` can do without.
FAULTS = {"drop-before": 0.3, "drop-after": 0.3, "450": 3, "close": 50}


async def exit_of(process, timeout=None):
    """Waits without keeping the receiver from its work."""
    begun = time.monotonic()
    while process.poll() is None:
        if timeout is not None and time.monotonic() - begun > timeout:
            return None
        await asyncio.sleep(0.002)
    return process.returncode


async def campaign(options, connections, seed, kills_left):
    dice = random.Random(seed)
    receiver = Receiver(seed, FAULTS if options.faults else None, options.latency / 1000)
    server = await receiver.start()
    newsletter = Newsletter(options.binary, options.recipients)
    newsletter.issue("proof")
    newsletter.set("relay", "url", f"smtp+plain://127.0.0.1:{receiver.port}")
    newsletter.set("relay", "rate", "max")
    newsletter.set("relay", "connections", connections)
    kills = 0
    while kills < kills_left:
        process = newsletter.start("send", "proof", "--yes")
        ended = await exit_of(process, dice.uniform(0.005, 0.35))
        if ended == 69:
            newsletter.run("resume", "proof")
            continue
        if ended is not None:
            break  # It was done before the kill.
        process.kill()
        await exit_of(process)
        kills += 1
    # The last run settles what can be settled now; who was deferred waits for another day.
    while await exit_of(newsletter.start("send", "proof", "--yes")) == 69:
        newsletter.run("resume", "proof")
    books = newsletter.books("proof")
    server.close()
    lost, doubled, lies, unknown = compare(books, receiver.copies)
    allowed = kills * connections + receiver.dots_without_reply
    return dict(
        kills=kills, recipients=len(books), lost=len(lost), doubled=len(doubled), lies=len(lies),
        unknown=len(unknown), allowed=allowed, taken=receiver.copies.total(),
        of_unknown_taken=sum(receiver.copies.get(email, 0) for email in unknown),
        dealt=dict(receiver.dealt),
        open=sum(state in ("pending", "sending") for state in books.values()),
    )


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--connections", default="1,8,32")
    parser.add_argument("--recipients", type=int, default=3000)
    parser.add_argument("--latency", type=float, default=30, help="milliseconds for each message")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    broken = False
    counts = [int(number) for number in options.connections.split(",")]
    print("| connections | campaigns | kills | recipients | lost | doubled | wrong in the books | unknown | of them taken | unknown allowed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for connections in counts:
        left = options.kills // len(counts)
        total = {}
        campaigns = 0
        while left > 0:
            campaigns += 1
            result = await campaign(options, connections, options.seed * 1000 + campaigns * 100 + connections, left)
            left -= result["kills"]
            result.pop("dealt")
            for key, value in result.items():
                total[key] = total.get(key, 0) + value
            if result["kills"] == 0:
                break
        broken |= bool(total["lost"] or total["doubled"] or total["lies"] or total["open"])
        broken |= total["unknown"] > total["allowed"]
        print(f"| {connections} | {campaigns} | {total['kills']} | {total['recipients']} | {total['lost']} | {total['doubled']} | {total['lies']} | {total['unknown']} | {total['of_unknown_taken']} | {total['allowed']} |", flush=True)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    asyncio.run(main())
