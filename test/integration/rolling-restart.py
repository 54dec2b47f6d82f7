"""kazoo writes and reads until its standard input ends, then says what came of it. Argument: host:port,..."""
import json
import logging
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionLoss, KazooException

logging.basicConfig(level=logging.CRITICAL)
client = KazooClient(hosts=sys.argv[1], timeout=10)
client.start(timeout=60)
client.create("/kazoo", b"0")
print("started", flush=True)
over = threading.Event()


def wait():
    sys.stdin.read()
    over.set()


threading.Thread(target=wait, daemon=True).start()
counts = {"done": 0, "lost": 0, "other": []}
while not over.is_set():
    try:
        # A client between two connections waits for the next one; what was under way is lost.
        client.set("/kazoo", str(counts["done"]).encode())
        client.get("/kazoo")
        counts["done"] += 1
    except ConnectionLoss:
        counts["lost"] += 1
    except KazooException as error:
        counts["other"].append(repr(error))
    time.sleep(0.05)
client.stop()
print(json.dumps(counts), flush=True)
