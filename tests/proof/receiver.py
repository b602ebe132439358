"""A relay that counts: how often it took responsibility for a mail to whom.

Knows nothing of letterpress and shares no code with it. It runs in a process of its own, which nobody
kills, and can misbehave with given odds: break off before or after it has taken a message, say 421 or
450, or close after so many messages without a word.
"""

import asyncio
import random
import re
from collections import Counter


class Receiver:
    def __init__(self, seed=0, faults=None, latency=0.0):
        self.copies = Counter()
        self.dots_without_reply = 0
        self.dealt = Counter()
        self.connections = 0
        self.dice = random.Random(seed)
        self.faults = faults or {}
        self.latency = latency
        self.port = None

    async def start(self):
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def strikes(self, fault):
        if self.dice.random() * 100 < self.faults.get(fault, 0):
            self.dealt[fault] += 1
            return True
        return False

    async def talk(self, reader, writer):
        self.connections += 1
        try:
            await self.session(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def session(self, reader, writer):
        async def say(text):
            writer.write(text.encode() + b"\r\n")
            await writer.drain()

        await say("220 receiver.test ESMTP")
        taken, recipient = 0, None
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                await say("250-receiver.test\r\n250-PIPELINING\r\n250 SIZE 10000000")
            elif verb == b"MAIL":
                if self.strikes("421"):
                    await say("421 4.3.2 going down")
                    return
                await say("250 2.1.0 ok")
            elif verb == b"RCPT":
                if self.strikes("450"):
                    recipient = None
                    await say("450 4.2.1 not now")
                    continue
                recipient = re.search(rb"<(.*?)>", line).group(1).decode()
                await say("250 2.1.5 ok")
            elif verb == b"DATA":
                if recipient is None:
                    await say("554 5.5.1 no valid recipients")
                    continue
                await say("354 go on")
                while (part := await reader.readline()) != b".\r\n":
                    if not part:
                        return
                if self.latency:
                    await asyncio.sleep(self.latency * (0.5 + self.dice.random()))
                if self.strikes("drop-before"):
                    self.dots_without_reply += 1
                    return
                self.copies[recipient] += 1
                if self.strikes("drop-after"):
                    self.dots_without_reply += 1
                    return
                await say("250 2.0.0 queued as %d" % self.copies.total())
                taken += 1
                if taken == self.faults.get("close", 0):
                    self.dealt["close"] += 1
                    return
            elif verb == b"RSET":
                await say("250 2.0.0 ok")
            elif verb == b"QUIT":
                await say("221 2.0.0 bye")
                return
            else:
                await say("500 5.5.1 what")
