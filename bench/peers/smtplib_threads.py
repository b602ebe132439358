"""Sends one message to many, each with its own name in it, through Python's smtplib, a thread a connection.

    python3 smtplib_threads.py PORT MAILS CONNECTIONS MESSAGE

The message is a file and made already; only the name is put in. Prints the seconds it took.
"""

import smtplib
import sys
import threading
import time

port, mails, connections = map(int, sys.argv[1:4])
with open(sys.argv[4], "rb") as file:
    message = file.read()


def worker(first):
    with smtplib.SMTP("127.0.0.1", port, "news.example.com") as smtp:
        for at in range(first, mails, connections):
            name = b"Reader%d" % at
            smtp.sendmail("press@example.com", f"reader{at}@example.com", message.replace(b"Reader0", name))


begun = time.monotonic()
threads = [threading.Thread(target=worker, args=[first]) for first in range(connections)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(time.monotonic() - begun)
