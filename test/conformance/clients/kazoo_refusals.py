"""What a client of kazoo's sees of what is refused rather than ignored. Prints one line for each."""
import logging
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.security import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE, make_digest_acl

logging.disable(logging.CRITICAL)


def say(name, ask):
    try:
        print(name, ask())
    except KazooException as error:
        print(name, type(error).__name__)


client = KazooClient(hosts=sys.argv[1])
client.start()
secret = [make_digest_acl("user", "password", all=True)]
say("digest", lambda: client.create("/a", b"", acl=secret))
say("read only", lambda: client.create("/a", b"", acl=READ_ACL_UNSAFE))
say("open", lambda: client.create("/a", b"", acl=OPEN_ACL_UNSAFE))
say("set", lambda: client.set_acls("/a", secret))
say("quota", lambda: client.set("/zookeeper/quota", b"x"))
transaction = client.transaction()
transaction.create("/b")
transaction.create("/c", acl=secret)
print("transaction", *[type(result).__name__ for result in transaction.commit()])
say("auth", lambda: client.add_auth("digest", "user:password"))
