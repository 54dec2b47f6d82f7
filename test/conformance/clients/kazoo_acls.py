"""What clients of kazoo's see of identities and access control lists. Prints one line for each step."""
import logging
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.security import (
    CREATOR_ALL_ACL,
    OPEN_ACL_UNSAFE,
    READ_ACL_UNSAFE,
    make_acl,
    make_digest_acl,
)

logging.disable(logging.CRITICAL)


def say(name, ask):
    try:
        print(name, ask())
    except KazooException as error:
        print(name, type(error).__name__)


def fresh(client):
    """The client, at a server that knows what others have written."""
    client.sync("/")
    return client


def shown(entries):
    return sorted("%s:%s:%d" % (each.id.scheme, each.id.id, each.perms) for each in entries)


owner = KazooClient(hosts=sys.argv[1], auth_data=[("digest", "owner:secret")])
owner.start()
other = KazooClient(hosts=sys.argv[1], default_acl=[make_acl("ip", "127.0.0.1", read=True)])
other.start()
secret = [make_digest_acl("owner", "secret", all=True)]

say("create", lambda: owner.create("/owned", b"data", acl=secret))
say("owner reads", lambda: fresh(owner).get("/owned")[0])
say("owner's list", lambda: shown(fresh(owner).get_acls("/owned")[0]))
say("other reads", lambda: fresh(other).get("/owned"))
say("other writes", lambda: other.set("/owned", b"x"))
say("other's list", lambda: fresh(other).get_acls("/owned"))
say("other creates", lambda: other.create("/owned/child"))
say("other exists", lambda: fresh(other).exists("/owned").version)
say("creator", lambda: owner.create("/creator", acl=CREATOR_ALL_ACL))
say("creator's list", lambda: shown(fresh(owner).get_acls("/creator")[0]))
say("no creator", lambda: other.create("/nobody", acl=CREATOR_ALL_ACL))
say("read only", lambda: owner.create("/read", b"r", acl=READ_ACL_UNSAFE))
say("other reads that", lambda: fresh(other).get("/read")[0])
say("other writes that", lambda: other.set("/read", b"x"))
say("default", lambda: other.create("/default"))
say("default's list", lambda: shown(fresh(other).get_acls("/default")[0]))
say("default is not written", lambda: other.set("/default", b"x"))
transaction = other.transaction()
transaction.create("/t", acl=OPEN_ACL_UNSAFE)
transaction.check("/owned", 0)
print("transaction", *[type(result).__name__ for result in transaction.commit()])

say("other proves it", lambda: other.add_auth("digest", "owner:secret"))
say("other reads now", lambda: fresh(other).get("/owned")[0])
say("wrong scheme", lambda: other.add_auth("nosuchscheme", "x"))
owner.stop()
owner.start()
say("owner again", lambda: fresh(owner).get("/owned")[0])
say("opened", lambda: owner.set_acls("/owned", OPEN_ACL_UNSAFE).aversion)
say("quorum of one", lambda: owner.delete("/owned"))
owner.stop()
