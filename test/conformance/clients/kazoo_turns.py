"""Takes turns with clients that are not kazoo's, and counts under each right. Arguments: host:port,... and how many turns."""
import logging
import sys
import time

from kazoo.client import KazooClient
from kazoo.recipe.election import Election
from kazoo.recipe.lock import Lock

logging.disable(logging.CRITICAL)
TURNS = int(sys.argv[2])


class NamedAsCurator(Lock):
    _NODE_NAME = "-lock-"
    _EXCLUDE_NAMES = ["-lock-"]


def count(path):
    """Shows if ever two do it at a time: then one of their counts is lost."""
    before = int(client.get(path)[0])
    time.sleep(0.003)
    client.set(path, str(before + 1).encode())


client = KazooClient(hosts=sys.argv[1], timeout=30)
client.start(timeout=60)
for turn in range(TURNS):
    with NamedAsCurator(client, "/turns/lock"):
        count("/turns/locked")
    with client.Lock("/turns/kazoo-lock"):
        count("/turns/kazoo-locked")
    with client.WriteLock("/turns/kazoo-rw"):
        count("/turns/kazoo-written")
    own = client.Election("/turns/kazoo-election", "kazoo")
    own.run(count, "/turns/kazoo-led")
    shared = Election(client, "/turns/election", "kazoo")
    shared.lock = NamedAsCurator(client, "/turns/election", "kazoo")
    shared.run(count, "/turns/led")
client.stop()
print("done")
