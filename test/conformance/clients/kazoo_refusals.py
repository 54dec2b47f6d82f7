"""What a client of kazoo's sees of what is refused rather than ignored. Prints one line for each."""
import logging
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException

logging.disable(logging.CRITICAL)


def say(name, ask):
    try:
        print(name, ask())
    except KazooException as error:
        print(name, type(error).__name__)


client = KazooClient(hosts=sys.argv[1])
client.start()
say("members", lambda: client.set("/zookeeper/config", b"x"))
say("auth", lambda: client.add_auth("nosuchscheme", "x"))
