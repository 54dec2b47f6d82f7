"""Two members of a cluster of PostgreSQL, as Patroni keeps them in ZooKeeper, by its own class for that. Prints in sections. Argument: host:port,..."""
import logging
import os
import sys
import threading
import time

from patroni.dcs.zookeeper import ZooKeeper

logging.disable(logging.CRITICAL)
HOSTS = sys.argv[1].split(",")
WAIT_SECONDS = 120


def say(*words):
    print(*words, flush=True)


def section(name):
    say("==", name)


def until(condition):
    for _ in range(WAIT_SECONDS * 50):
        if condition():
            return
        time.sleep(0.02)
    raise SystemExit("waited in vain")


def member(name):
    return ZooKeeper({
        "hosts": HOSTS, "scope": "cluster", "name": name, "ttl": 30, "loop_wait": 10, "retry_timeout": 60,
    })


def touched(dcs, state):
    """Patroni waits a second at most, and tries again in its next round."""
    until(lambda: dcs.touch_member({"state": state, "role": "master", "version": "3.0"}))
    return state


def seen(dcs):
    """The cluster as this member sees it now."""
    dcs._client.sync("/")
    dcs._fetch_cluster = True
    cluster = dcs.get_cluster()
    return (
        cluster.initialize,
        cluster.config and cluster.config.data,
        cluster.leader and cluster.leader.name,
        sorted((each.name, each.data.get("state")) for each in cluster.members),
        cluster.last_lsn,
        cluster.failover and (cluster.failover.leader, cluster.failover.candidate),
        cluster.sync and (cluster.sync.leader, cluster.sync.sync_standby),
        cluster.history and cluster.history.lines,
    )


def bootstrap(one, two):
    say("empty", seen(one))
    say("initialize", one.initialize(sysid="17"), two.initialize(sysid="18"))
    say("config", one.set_config_value('{"ttl":30}'))
    say("leader", one.attempt_to_acquire_leader(), two.attempt_to_acquire_leader())
    say("members", touched(one, "running"), touched(two, "starting"))
    say("seen", seen(two))
    say("update", one.update_leader(4711, {"slot": 5}))
    say("history", one.set_history_value('[[1,2,"no"]]'))
    say("sync", one.write_sync_state("one", ["two"]))
    say("failover", one.manual_failover("one", "two"))
    say("seen", seen(two))
    say("member", touched(two, "running"))
    say("seen", seen(one))


def succession(one, two):
    woken = []
    seen(two)
    thread = threading.Thread(target=lambda: woken.append(two.watch(None, WAIT_SECONDS)))
    thread.start()
    say("gone", one.delete_leader(4712))
    thread.join(WAIT_SECONDS)
    say("woken", woken)
    until(lambda: seen(two)[2] is None)
    say("leader", two.attempt_to_acquire_leader(), one.attempt_to_acquire_leader())
    say("member", touched(one, "running"))
    say("seen", seen(one))


def kill(one, two):
    session = two._client.client_id[0]
    port = two._client._connection._socket.getpeername()[1]
    say("kill", port)
    if sys.stdin.readline() != "killed\n":
        raise SystemExit("the server was not killed")
    until(lambda: two._client.connected and two._client._connection._socket.getpeername()[1] != port)
    say("same session", two._client.client_id[0] == session)
    say("leads on", two.update_leader(4713))
    until(lambda: one._client.connected)
    say("seen", seen(one), "at once", one.attempt_to_acquire_leader())


def main():
    one, two = member("one"), member("two")
    section("bootstrap")
    bootstrap(one, two)
    section("succession")
    succession(one, two)
    section("a server is killed")
    kill(one, two)
    section("removal")
    say(one.delete_cluster(), seen(one))


main()
sys.stdout.flush()
# Its threads would keep the process.
os._exit(0)
