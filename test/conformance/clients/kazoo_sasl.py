"""What clients of kazoo's that log in by SASL see, with the password of bob behind the servers. Prints one line for each step."""
import logging
import sys
import threading

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import KazooException
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.security import CREATOR_ALL_ACL, make_acl

logging.disable(logging.CRITICAL)


def client(username, password):
    options = {"mechanism": "DIGEST-MD5", "username": username, "password": password}
    return KazooClient(hosts=sys.argv[1], sasl_options=options)


def say(name, ask):
    try:
        print(name, ask())
    except (KazooException, KazooTimeoutError) as error:
        print(name, type(error).__name__)


def denied(username):
    """Whether the client is told that it has lost, once its password was looked at."""
    lost = threading.Event()
    other = client(username, "wrong")
    other.add_listener(lambda state: state == KazooState.LOST and lost.set())
    try:
        # `start` would fail instead if the client were told before `start` has looked whether it is connected.
        other.start_async()
        return lost.wait(30)
    finally:
        other.stop()


def shown(entries):
    return sorted("%s:%s:%d" % (each.id.scheme, each.id.id, each.perms) for each in entries)


bob = client("bob", sys.argv[2])
bob.start()
stranger = KazooClient(hosts=sys.argv[1])
stranger.start()
say("create", lambda: bob.create("/kazoo", b"data", acl=[make_acl("sasl", "bob", all=True)]))
say("creator", lambda: bob.create("/kazoo/mine", acl=CREATOR_ALL_ACL))
say("creator's list", lambda: shown(bob.get_acls("/kazoo/mine")[0]))
say("stranger reads", lambda: stranger.get("/kazoo"))
say("stranger's creator", lambda: stranger.create("/kazoo-other", acl=CREATOR_ALL_ACL))
say("for ann", lambda: bob.create("/kazoo/ann", acl=[make_acl("sasl", "ann", all=True)]))
say("bob reads that", lambda: bob.get("/kazoo/ann"))
say("wrong password", lambda: denied("bob"))
say("unknown user", lambda: denied("mallory"))
bob.stop()
bob.start()
say("bob again", lambda: bob.get("/kazoo")[0])
say("deleted", lambda: bob.delete("/kazoo/mine"))
bob.stop()
stranger.stop()
