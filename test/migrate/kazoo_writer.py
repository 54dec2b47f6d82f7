"""
kazoo writes through whatever its address leads to until its standard input ends, keeps a log of what it was answered, and prints it. Arguments:
host:port, and the name of what is its own.
"""
import json
import logging
import sys
import threading
import time

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import KazooException, NodeExistsError
from kazoo.retry import KazooRetry

logging.basicConfig(level=logging.CRITICAL)
hosts, name = sys.argv[1:]
client = KazooClient(hosts=hosts, timeout=10, connection_retry=KazooRetry(max_tries=-1, delay=0.02, max_delay=0.1))
log = {"value": -1, "asked": -1, "sequential": [], "deleted": [], "short": 0, "sessions": 0, "failed": [], "pausedMs": 0}
over = threading.Event()
lost = threading.Event()


def state(now):
    if now == KazooState.LOST:
        lost.set()


def wait():
    sys.stdin.read()
    over.set()


def own():
    """An ephemeral is made again by its client when its session is another one."""
    try:
        client.create("/load/live/" + name, b"", ephemeral=True, makepath=True)
    except NodeExistsError:
        pass
    log["sessions"] += 1
    print("session", log["sessions"], flush=True)


client.add_listener(state)
client.start(timeout=60)
client.ensure_path("/load/values/" + name)
client.ensure_path("/load/items/" + name)
client.ensure_path("/load/short/" + name)
own()
threading.Thread(target=wait, daemon=True).start()
answered = time.monotonic()
while not over.is_set():
    try:
        if lost.is_set():
            lost.clear()
            try:
                own()
            except KazooException:
                lost.set()
                raise
        log["asked"] += 1
        client.set("/load/values/" + name, str(log["asked"]).encode())
        log["value"] = log["asked"]
        made = client.create("/load/items/" + name + "/item-", str(log["asked"]).encode(), sequence=True)
        log["sequential"].append(made)
        if len(log["sequential"]) == 10:
            print("written", flush=True)
        if len(log["sequential"]) % 3 == 0:
            first = log["sequential"][-3]
            client.delete(first)
            log["deleted"].append(first)
        # It is gone again before anybody has looked at it.
        client.delete(client.create("/load/short/" + name + "/s-", b"", ephemeral=True, sequence=True))
        log["short"] += 1
        now = time.monotonic()
        log["pausedMs"] = max(log["pausedMs"], (now - answered) * 1000)
        answered = now
    except KazooException as error:
        log["failed"].append(type(error).__name__)
        time.sleep(0.01)
    time.sleep(0.005)
log["last"] = client.create("/load/short/" + name + "/s-", b"", sequence=True)
client.stop()
print(json.dumps(log), flush=True)
