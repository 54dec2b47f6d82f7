"""Kazoo's recipes between two clients, and a client whose server is killed. Prints in sections. Argument: host:port,..."""
import datetime
import logging
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.recipe.cache import TreeCache, TreeEvent
from kazoo.recipe.watchers import PatientChildrenWatch
from kazoo.security import CREATOR_ALL_ACL

logging.disable(logging.CRITICAL)
HOSTS = sys.argv[1].split(",")
WAIT_SECONDS = 120
TIMEOUT_SECONDS = 30


def say(*words):
    print(*words, flush=True)


def section(name):
    say("==", name)


def wait(event):
    if not event.wait(WAIT_SECONDS):
        raise SystemExit("waited in vain")


def until(condition):
    for _ in range(WAIT_SECONDS * 50):
        if condition():
            return
        time.sleep(0.02)
    raise SystemExit("waited in vain")


def client(first, **options):
    hosts = HOSTS[first % len(HOSTS):] + HOSTS[:first % len(HOSTS)]
    started = KazooClient(
        hosts=",".join(hosts), timeout=TIMEOUT_SECONDS, randomize_hosts=False, **options
    )
    started.start(timeout=WAIT_SECONDS)
    return started


def begun(call, *arguments, **named):
    """The call goes on in a thread of its own. Returns how its result is waited for."""
    results = []
    thread = threading.Thread(target=lambda: results.append(call(*arguments, **named)), daemon=True)
    thread.start()

    def result():
        thread.join(WAIT_SECONDS)
        return results[0] if results else "never returned"

    return result


def children(one, path):
    one.sync(path)
    return len(one.get_children(path)) if one.exists(path) else 0


def read_and_write_locks(one, two):
    readers = [each.ReadLock("/recipes/rw", "reader") for each in (one, two)]
    say("readers", [each.acquire(timeout=WAIT_SECONDS) for each in readers])
    writer = two.WriteLock("/recipes/rw", "writer")
    say("writer at once", writer.acquire(blocking=False))
    waiting = begun(writer.acquire, timeout=WAIT_SECONDS)
    until(lambda: children(one, "/recipes/rw") == 3)
    late = one.ReadLock("/recipes/rw", "late")
    say("late reader", late.acquire(blocking=False))
    for each in readers:
        each.release()
    say("writer", waiting())
    one.sync("/recipes/rw")
    say("contenders", writer.contenders())
    writer.release()
    say("late reader", late.acquire(timeout=WAIT_SECONDS))
    late.release()


def semaphores(one, two):
    first = one.Semaphore("/recipes/semaphore", "first", max_leases=2)
    second = two.Semaphore("/recipes/semaphore", "second", max_leases=2)
    third = one.Semaphore("/recipes/semaphore", "third", max_leases=2)
    say("leases", first.acquire(), second.acquire(), third.acquire(blocking=False))
    one.sync("/recipes")
    say("holders", sorted(first.lease_holders()))
    waiting = begun(third.acquire)
    first.release()
    say("third", waiting())
    second.release()
    third.release()
    wrong = two.Semaphore("/recipes/semaphore", "wrong", max_leases=3)
    try:
        wrong.acquire()
        say("wrong maximum taken")
    except ValueError:
        say("wrong maximum refused")


def parties(one, two):
    for name in ("Party", "ShallowParty"):
        path = "/recipes/" + name
        mine, other = getattr(one, name)(path, "one"), getattr(two, name)(path, "two")
        mine.join()
        other.join()
        one.sync(path)
        say(name, sorted(mine), len(mine))
        other.leave()
        one.sync(path)
        say(name, sorted(mine))
        mine.leave()


def queues(one, two):
    queue = one.Queue("/recipes/queue")
    queue.put(b"late", priority=200)
    queue.put(b"first")
    queue.put(b"second")
    two.sync("/recipes/queue")
    taken = two.Queue("/recipes/queue")
    say("queue", len(queue), [taken.get() for _ in range(4)])
    locking, other = one.LockingQueue("/recipes/locking"), two.LockingQueue("/recipes/locking")
    say("put", locking.put_all([b"a", b"b"]))
    say("get", other.get(timeout=WAIT_SECONDS), other.get(timeout=WAIT_SECONDS))
    say("held", other.holds_lock(), other.consume(), other.holds_lock())
    say("next", locking.get(timeout=WAIT_SECONDS), locking.release())
    say("again", other.get(timeout=WAIT_SECONDS), other.consume())
    waiting = begun(other.get, timeout=WAIT_SECONDS)
    locking.put(b"c")
    say("waited", waiting(), other.consume())


def barriers(one, two):
    barrier = one.Barrier("/recipes/barrier")
    barrier.create()
    two.sync("/recipes")
    waiting = begun(two.Barrier("/recipes/barrier").wait, WAIT_SECONDS)
    say("removed", barrier.remove(), waiting())
    doubles = [each.DoubleBarrier("/recipes/double", 2, name)
               for each, name in ((one, "one"), (two, "two"))]
    first = begun(doubles[0].enter)
    doubles[1].enter()
    first()
    say("entered", [each.participating for each in doubles])
    first = begun(doubles[0].leave)
    doubles[1].leave()
    first()
    say("left", [each.participating for each in doubles])


def watchers(one, two):
    one.ensure_path("/recipes/patient")
    patient = PatientChildrenWatch(one, "/recipes/patient", time_boundary=0.2).start()
    for name in "abc":
        two.create("/recipes/patient/" + name)
    names, asynchronous = patient.get(timeout=WAIT_SECONDS)
    say("patient", sorted(names))
    two.create("/recipes/patient/d")
    asynchronous.get(timeout=WAIT_SECONDS)
    values = []
    gone = threading.Event()

    @one.DataWatch("/recipes/watched")
    def on_data(data, stat, event):
        values.append((data, event and event.type))
        if len(values) == 4:
            gone.set()

    for step, change in enumerate((
        lambda: two.create("/recipes/watched", b"1"),
        lambda: two.set("/recipes/watched", b"2"),
        lambda: two.delete("/recipes/watched"),
    )):
        change()
        until(lambda: len(values) == step + 2)
    wait(gone)
    say("data", values)


def tree_cache(one, two):
    two.ensure_path("/recipes/cached/a/b")
    one.sync("/recipes")
    cache = TreeCache(one, "/recipes/cached")
    events = []
    cache.listen(events.append)
    cache.start()

    def has(kind, path):
        return any(
            event.event_type == kind and (path is None or event.event_data.path == path)
            for event in list(events)
        )

    until(lambda: has(TreeEvent.INITIALIZED, None))
    say("children", sorted(cache.get_children("/recipes/cached")))
    two.set("/recipes/cached/a/b", b"new")
    until(lambda: has(TreeEvent.NODE_UPDATED, "/recipes/cached/a/b"))
    say("data", cache.get_data("/recipes/cached/a/b").data)
    two.create("/recipes/cached/a/c", b"c")
    until(lambda: has(TreeEvent.NODE_ADDED, "/recipes/cached/a/c"))
    two.delete("/recipes/cached/a/b")
    until(lambda: has(TreeEvent.NODE_REMOVED, "/recipes/cached/a/b"))
    say("children", sorted(cache.get_children("/recipes/cached/a")))
    cache.close()


def leases(one, two):
    hour = datetime.timedelta(hours=1)
    say("lease", bool(one.NonBlockingLease("/recipes/lease", hour, "one")))
    two.sync("/recipes")
    say("other", bool(two.NonBlockingLease("/recipes/lease", hour, "two")))
    say("again", bool(one.NonBlockingLease("/recipes/lease", hour, "one")))
    many = [
        bool(each.MultiNonBlockingLease(2, "/recipes/leases", hour, name))
        for each, name in ((one, "one"), (one, "two"), (one, "three"), (one, "one"))
    ]
    say("leases", many)


def partitions(one, two):
    parts = [
        each.SetPartitioner("/recipes/parts", set(range(6)), identifier=name, time_boundary=0.2)
        for each, name in ((one, "one"), (two, "two"))
    ]

    def settled():
        for part in parts:
            if part.release:
                part.release_set()
        return all(part.acquired for part in parts) and len(list(parts[0])) == 3

    until(settled)
    say("parts", [sorted(part) for part in parts])
    parts[1].finish()
    until(lambda: parts[0].release)
    parts[0].release_set()
    until(lambda: parts[0].acquired)
    say("alone", sorted(parts[0]))
    parts[0].finish()


def kill():
    mine = client(1, auth_data=[("digest", "mine:secret")])
    states = []
    back = threading.Event()

    def on_state(state):
        states.append(str(state))
        if len(states) == 2:
            back.set()

    session = mine.client_id[0]
    mine.create("/recipes/alive", b"", ephemeral=True)
    mine.create("/recipes/own", b"secret", acl=CREATOR_ALL_ACL)
    lock = mine.Lock("/recipes/kept", "mine")
    say("lock", lock.acquire(timeout=WAIT_SECONDS))
    lost = threading.Event()
    mine.exists("/recipes/after", watch=lambda event: lost.set() if event.type == "NONE" else None)
    kept = threading.Event()
    mine.DataWatch("/recipes/alive", lambda data, stat: kept.set() if data == b"kept" else None)
    mine.add_listener(on_state)
    port = mine._connection._socket.getpeername()[1]
    say("kill", port)
    if sys.stdin.readline() != "killed\n":
        raise SystemExit("the server was not killed")
    wait(back)
    # Kazoo tells its watchers that the connection was lost, and forgets them.
    wait(lost)
    say("states", states, "same session", mine.client_id[0] == session)
    call = mine.retry
    say("elsewhere", mine._connection._socket.getpeername()[1] != port)
    say("mine", call(mine.exists, "/recipes/alive").ephemeralOwner == session)
    say("own", call(mine.get, "/recipes/own")[0])
    say("held", lock.is_acquired, call(lock.contenders))
    call(mine.set, "/recipes/alive", b"kept")
    wait(kept)
    lock.release()
    mine.stop()
    mine.close()


def main():
    one, two = client(0), client(2)
    one.ensure_path("/recipes")
    two.sync("/")
    for name, recipe in (
        ("read and write locks", read_and_write_locks),
        ("semaphores", semaphores),
        ("parties", parties),
        ("queues", queues),
        ("barriers", barriers),
        ("watchers", watchers),
        ("tree cache", tree_cache),
        ("leases", leases),
        ("partitions", partitions),
    ):
        section(name)
        try:
            recipe(one, two)
        except KazooException as error:
            say("failed with", type(error).__name__, error)
    one.stop()
    two.stop()
    section("a server is killed")
    kill()


main()
