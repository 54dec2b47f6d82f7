"""What a Python program does with kazoo, printed step by step. Arguments: host:port,... and, for TLS, certificate, key and authority."""
import logging
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NodeExistsError, NoNodeError, NotEmptyError
from kazoo.recipe.watchers import ChildrenWatch, DataWatch

logging.basicConfig(level=logging.CRITICAL)
HOSTS = sys.argv[1].split(",")
TLS = {}
if len(sys.argv) > 2:
    TLS = dict(use_ssl=True, certfile=sys.argv[2], keyfile=sys.argv[3], ca=sys.argv[4])
WAIT_SECONDS = 60


def say(*words):
    print(*words, flush=True)


def wait(event):
    if not event.wait(WAIT_SECONDS):
        raise SystemExit("waited in vain")


def client(first):
    """Clients of different servers, if there are several: who reads what another wrote says sync before."""
    hosts = HOSTS[first % len(HOSTS):] + HOSTS[:first % len(HOSTS)]
    started = KazooClient(hosts=",".join(hosts), timeout=10, randomize_hosts=False, **TLS)
    started.start(timeout=WAIT_SECONDS)
    return started


def refused(error, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except error:
        say("refused with", error.__name__)
    else:
        raise SystemExit("not refused with " + error.__name__)


def znodes(one):
    say("server version", one.server_version())
    say("create", one.create("/kazoo", b"first"))
    data, stat = one.get("/kazoo")
    say("get", data, stat.version, stat.numChildren, stat.dataLength)
    say("set", one.set("/kazoo", b"second").version)
    say("get", one.get("/kazoo")[0])
    one.ensure_path("/kazoo/deep/er")
    one.create("/kazoo/plain")
    say("list", sorted(one.get_children("/kazoo")))
    children, stat = one.get_children("/kazoo", include_data=True)
    say("list", sorted(children), stat.cversion)
    say("exists", one.exists("/kazoo/deep").numChildren, one.exists("/kazoo/none"))
    refused(NodeExistsError, one.create, "/kazoo")
    refused(NoNodeError, one.get, "/kazoo/none")
    refused(NotEmptyError, one.delete, "/kazoo")
    refused(BadVersionError, one.set, "/kazoo", b"", version=7)
    one.delete("/kazoo/deep", recursive=True)
    acls, stat = one.get_acls("/kazoo")
    say("acl", [(acl.perms, acl.id.scheme, acl.id.id) for acl in acls], stat.aversion)
    say("sync", one.sync("/kazoo"))
    say("last", one.create("/kazoo/with-stat", b"x", include_data=True)[1].dataLength)


def sequences(one):
    names = [one.create("/kazoo/n-", sequence=True) for _ in range(3)]
    one.delete(names[1])
    names.append(one.create("/kazoo/n-", sequence=True, ephemeral=True))
    counts = [int(name[-10:]) for name in names]
    say("sequence", [count - counts[0] for count in counts])


def watches(one, two):
    seen = threading.Event()
    events = []

    def watcher(event):
        events.append((event.type, event.path))
        seen.set()

    for read, change in (
        (lambda: one.get("/kazoo/plain", watch=watcher), lambda: two.set("/kazoo/plain", b"new")),
        (
            lambda: one.get_children("/kazoo/plain", watch=watcher),
            lambda: two.create("/kazoo/plain/child"),
        ),
        (
            lambda: one.exists("/kazoo/plain/child", watch=watcher),
            lambda: two.delete("/kazoo/plain/child"),
        ),
        (lambda: one.exists("/kazoo/later", watch=watcher), lambda: two.create("/kazoo/later")),
    ):
        seen.clear()
        read()
        change()
        wait(seen)
        say("watch", events[-1])
    say("events", len(events))


def watch_recipes(one, two):
    values, lists = [], []
    last_value, last_list = threading.Event(), threading.Event()

    def on_data(data, _stat):
        values.append(data)
        if data == b"9":
            last_value.set()

    def on_children(children):
        lists.append(children)
        if "9" in children:
            last_list.set()

    two.create("/kazoo/watched", b"")
    one.sync("/kazoo")
    DataWatch(one, "/kazoo/watched", on_data)
    ChildrenWatch(one, "/kazoo/watched", on_children)
    for index in range(10):
        two.set("/kazoo/watched", str(index).encode())
        two.create("/kazoo/watched/%d" % index)
    wait(last_value)
    wait(last_list)
    numbers = [int(value) for value in values if value]
    say("data watch rises", numbers == sorted(set(numbers)), numbers[-1])
    say("children watch ends with", len(lists[-1]))


def ephemerals(one, two):
    two.create("/kazoo/alive", b"", ephemeral=True)
    gone = threading.Event()
    one.sync("/kazoo")
    stat = one.exists("/kazoo/alive", watch=lambda event: gone.set())
    say("ephemeral owned by its session", stat.ephemeralOwner == two.client_id[0])
    two.stop()
    two.close()
    wait(gone)
    say("ephemeral after its session", one.exists("/kazoo/alive"))


def transactions(one):
    good = one.transaction()
    good.create("/kazoo/t", b"1")
    good.set_data("/kazoo/t", b"2")
    good.check("/kazoo/t", 1)
    good.delete("/kazoo/t")
    say("transaction", [type(result).__name__ for result in good.commit()])
    bad = one.transaction()
    bad.create("/kazoo/u", b"1")
    bad.check("/kazoo", 99)
    bad.create("/kazoo/v", b"1")
    say("transaction", [type(result).__name__ for result in bad.commit()], one.exists("/kazoo/u"))


def lock(one, two):
    first, second = one.Lock("/kazoo/lock", "one"), two.Lock("/kazoo/lock", "two")
    say("lock", first.acquire(timeout=WAIT_SECONDS), second.acquire(blocking=False))
    got = threading.Event()

    def contend():
        with second:
            got.set()

    thread = threading.Thread(target=contend)
    contending = threading.Event()
    one.sync("/kazoo")
    one.ChildrenWatch("/kazoo/lock", lambda names: contending.set() if len(names) == 2 else None)
    thread.start()
    wait(contending)
    say("lock contenders", first.contenders(), got.is_set())
    first.release()
    wait(got)
    thread.join()
    say("lock passed on", first.acquire(timeout=WAIT_SECONDS))
    first.release()


def counter(one, two):
    counters = [one.Counter("/kazoo/count"), two.Counter("/kazoo/count")]

    def add(mine):
        for _ in range(25):
            mine += 1

    threads = [threading.Thread(target=add, args=(mine,)) for mine in counters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.sync("/kazoo")
    say("counter", counters[0].value)


def election(one, two):
    leads = {name: threading.Event() for name in ("one", "two")}
    resign = threading.Event()

    def lead_first():
        leads["one"].set()
        wait(resign)

    first = threading.Thread(
        target=one.Election("/kazoo/election", "one").run, args=(lead_first,)
    )
    first.start()
    wait(leads["one"])
    standing = two.Election("/kazoo/election", "two")
    second = threading.Thread(target=standing.run, args=(leads["two"].set,))
    contending = threading.Event()
    one.ChildrenWatch(
        "/kazoo/election", lambda names: contending.set() if len(names) == 2 else None
    )
    second.start()
    wait(contending)
    two.sync("/kazoo")
    say("election contenders", standing.contenders(), leads["two"].is_set())
    resign.set()
    wait(leads["two"])
    first.join()
    second.join()
    say("election passed on")


def main():
    one, two = client(0), client(1)
    znodes(one)
    sequences(one)
    watches(one, two)
    watch_recipes(one, two)
    ephemerals(one, two)
    transactions(one)
    two = client(2)
    lock(one, two)
    counter(one, two)
    election(one, two)
    two.stop()
    one.sync("/kazoo")
    one.delete("/kazoo", recursive=True)
    say("deleted", one.exists("/kazoo"))
    one.stop()


main()
