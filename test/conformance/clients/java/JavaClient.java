import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

/** What a Java program does with ZooKeeper's own client. Arguments: host:port,..., and the features of the servers. */
public final class JavaClient {
    private static final int TIMEOUT_MS = 10_000;
    private static final int KILL_TIMEOUT_MS = 30_000;
    private static String hosts;
    private static ZooKeeper one;
    private static ZooKeeper two;

    /** A watcher that keeps what it is told, but for the states of the connection. */
    private static final class Told implements Watcher {
        private final BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();

        @Override
        public void process(WatchedEvent event) {
            if (event.getType() != EventType.None) {
                events.add(event);
            }
        }

        String next() throws Exception {
            WatchedEvent event = events.poll(60, TimeUnit.SECONDS);
            if (event == null) {
                throw new AssertionError("no event came");
            }
            return event.getType() + " " + event.getPath();
        }
    }

    /** A client whose session and states are seen. */
    private static final class States implements Watcher {
        private final List<KeeperState> states = new ArrayList<>();
        private final CountDownLatch connected = new CountDownLatch(1);

        @Override
        public synchronized void process(WatchedEvent event) {
            if (event.getType() != EventType.None) {
                return;
            }
            states.add(event.getState());
            if (event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
            }
        }

        synchronized List<KeeperState> seen() {
            return new ArrayList<>(states);
        }
    }

    private JavaClient() {}

    private static ZooKeeper connect(int timeoutMs, States states) throws Exception {
        ZooKeeper client = new ZooKeeper(hosts, timeoutMs, states);
        if (!states.connected.await(60, TimeUnit.SECONDS)) {
            throw new AssertionError("not connected");
        }
        return client;
    }

    private static byte[] bytes(String text) {
        return text.getBytes();
    }

    private static String create(ZooKeeper client, String path, CreateMode mode) throws Exception {
        return client.create(path, bytes("x"), Ids.OPEN_ACL_UNSAFE, mode);
    }

    private static void sync(ZooKeeper client, String path) throws Exception {
        CompletableFuture<Integer> done = new CompletableFuture<>();
        client.sync(path, (code, where, context) -> done.complete(code), null);
        if (done.get(60, TimeUnit.SECONDS) != 0) {
            throw new AssertionError("sync failed");
        }
    }

    private static String text(Stat stat) {
        return String.format("version=%d cversion=%d aversion=%d length=%d children=%d owned=%s",
            stat.getVersion(), stat.getCversion(), stat.getAversion(), stat.getDataLength(),
            stat.getNumChildren(), stat.getEphemeralOwner() != 0);
    }

    private static void znodes() throws Exception {
        Stat stat = new Stat();
        Steps.say(one.create("/java", bytes("first"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, stat), text(stat));
        Steps.say(new String(one.getData("/java", false, stat)), text(stat));
        Steps.say(text(one.setData("/java", bytes("second"), 0)));
        create(one, "/java/a", CreateMode.PERSISTENT);
        create(one, "/java/e", CreateMode.EPHEMERAL);
        Steps.say(create(one, "/java/s-", CreateMode.PERSISTENT_SEQUENTIAL));
        Steps.say(create(one, "/java/s-", CreateMode.EPHEMERAL_SEQUENTIAL));
        Steps.say(new TreeSet<>(one.getChildren("/java", false)));
        Steps.say(new TreeSet<>(one.getChildren("/java", false, stat)), text(stat));
        Steps.say(text(one.exists("/java/e", false)), one.exists("/java/none", false));
        one.create("/java/empty", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        Steps.say("null data", one.getData("/java/empty", false, null) == null);
        Steps.refused(() -> create(one, "/java", CreateMode.PERSISTENT));
        Steps.refused(() -> create(one, "/java/e/x", CreateMode.PERSISTENT));
        Steps.refused(() -> one.getData("/java/none", false, null));
        Steps.refused(() -> one.setData("/java", bytes(""), 9));
        Steps.refused(() -> {
            one.delete("/java", -1);
            return "deleted";
        });
        one.delete("/java/a", 0);
        Steps.say(one.exists("/java/a", false));
        List<ACL> acl = one.getACL("/java", stat);
        Steps.say(acl, text(one.setACL("/java", acl, 0)));
    }

    private static void watches() throws Exception {
        Told told = new Told();
        create(one, "/java/watched", CreateMode.PERSISTENT);
        sync(two, "/java");
        one.getData("/java/watched", told, null);
        two.setData("/java/watched", bytes("new"), -1);
        Steps.say(told.next());
        one.getChildren("/java/watched", told);
        create(two, "/java/watched/child", CreateMode.PERSISTENT);
        Steps.say(told.next());
        one.exists("/java/watched/child", told);
        two.delete("/java/watched/child", -1);
        Steps.say(told.next());
        one.exists("/java/watched/later", told);
        create(two, "/java/watched/later", CreateMode.PERSISTENT);
        Steps.say(told.next());
        Steps.say("left", told.events.size());
    }

    private static void stayingWatches() throws Exception {
        Told told = new Told();
        one.addWatch("/java/watched", told, AddWatchMode.PERSISTENT_RECURSIVE);
        for (int round = 0; round < 2; round++) {
            two.setData("/java/watched", bytes("r" + round), -1);
            create(two, "/java/watched/r" + round, CreateMode.PERSISTENT);
            two.delete("/java/watched/r" + round, -1);
            Steps.say(told.next(), told.next(), told.next());
        }
        one.removeWatches("/java/watched", told, WatcherType.Any, false);
        Steps.say(told.next());
        one.addWatch("/java/watched", told, AddWatchMode.PERSISTENT);
        two.setData("/java/watched", bytes("p"), -1);
        create(two, "/java/watched/p", CreateMode.PERSISTENT);
        Steps.say(told.next(), told.next());
        one.removeAllWatches("/java/watched", WatcherType.Any, false);
        Steps.say(told.next());
        one.getData("/java/watched", told, null);
        one.removeWatches("/java/watched", told, WatcherType.Data, false);
        Steps.say(told.next());
        Steps.refused(() -> {
            one.removeWatches("/java/watched", told, WatcherType.Data, false);
            return "removed";
        });
        Steps.say("left", told.events.size());
    }

    private static String kinds(List<OpResult> results) {
        return results.stream().map((result) -> result instanceof OpResult.ErrorResult
            ? "error " + ((OpResult.ErrorResult) result).getErr()
            : result.getClass().getSimpleName()).collect(Collectors.toList()).toString();
    }

    private static void multis() throws Exception {
        Steps.say(kinds(one.multi(List.of(
            Op.create("/java/m", bytes("1"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.setData("/java/m", bytes("2"), 0),
            Op.check("/java/m", 1),
            Op.create("/java/m/s-", bytes(""), Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL),
            Op.delete("/java/m/s-0000000000", -1)))));
        try {
            one.multi(List.of(
                Op.create("/java/n", bytes("1"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
                Op.check("/java/m", 99),
                Op.delete("/java/m", -1)));
            Steps.say("not refused");
        } catch (KeeperException error) {
            Steps.say(error.code(), kinds(error.getResults()), one.exists("/java/n", false));
        }
        Steps.say(one.transaction().check("/java/m", 1).delete("/java/m", -1).commit().size());
        Steps.say(one.exists("/java/m", false));
    }

    private static void manyReads() throws Exception {
        Stat stat = new Stat();
        List<OpResult> results = one.multi(List.of(
            Op.getData("/java"), Op.getChildren("/java/watched"), Op.getData("/java/none")));
        Steps.say(kinds(results), new String(((OpResult.GetDataResult) results.get(0)).getData()));
        Steps.say(one.getEphemerals("/java").stream().sorted().collect(Collectors.toList()));
        Steps.say(one.getEphemerals("/none"), one.getAllChildrenNumber("/java"));
        Steps.refused(() -> one.getAllChildrenNumber("/java/none"));
        Steps.say(one.getData("/java/watched", false, stat).length);
    }

    private static void containers() throws Exception {
        Stat stat = new Stat();
        Steps.say(one.create("/java/box", bytes("c"), Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER, stat), text(stat));
        create(one, "/java/box/in", CreateMode.PERSISTENT);
        Steps.say(text(one.exists("/java/box", false)));
        Steps.say(kinds(one.multi(List.of(
            Op.create("/java/box2", bytes(""), Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER),
            Op.create("/java/box2/in", bytes(""), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT)))));
    }

    private static void timesToLive() throws Exception {
        Stat stat = new Stat();
        String kept = one.create("/java/ttl", bytes("t"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, stat, 3_600_000);
        Steps.say(kept, text(stat));
        Steps.say(one.create("/java/ttl-", bytes("t"), Ids.OPEN_ACL_UNSAFE,
            CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, stat, 3_600_000), text(stat));
    }

    private static void configuration() throws Exception {
        Stat stat = new Stat();
        String config = new String(one.getConfig(false, stat));
        Steps.say(config.lines().map((line) -> line.replaceAll("=.*", "")).collect(Collectors.toList()));
        Steps.refused(() -> one.setData("/zookeeper/config", bytes("x"), -1));
    }

    private static void identities() throws Exception {
        ZooKeeper owner = connect(TIMEOUT_MS, new States());
        owner.addAuthInfo("digest", bytes("user:secret"));
        owner.create("/java/own", bytes("o"), Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        Steps.say(owner.whoAmI().stream().map((who) -> who.getAuthScheme() + " " + who.getUser()).sorted()
            .collect(Collectors.toList()));
        Steps.say(owner.getACL("/java/own", new Stat()));
        sync(one, "/java/own");
        Steps.refused(() -> one.getData("/java/own", false, null));
        Steps.refused(() -> one.setData("/java/own", bytes(""), -1));
        Steps.refused(() -> one.getACL("/java/own", new Stat()));
        Steps.refused(() -> one.setACL("/java/own", Ids.OPEN_ACL_UNSAFE, -1));
        owner.setACL("/java/own", Ids.READ_ACL_UNSAFE, -1);
        sync(one, "/java/own");
        Steps.say(new String(one.getData("/java/own", false, null)));
        Steps.refused(() -> one.setData("/java/own", bytes(""), -1));
        Steps.refused(() -> owner.create("/java/bad", bytes(""), List.of(new ACL(31, new Id("digest", "no hash"))),
            CreateMode.PERSISTENT));
        owner.close();
    }

    /** The session, its ephemeral and its watch outlive the server that the client is connected to. */
    private static void kill() throws Exception {
        States states = new States();
        ZooKeeper client = connect(KILL_TIMEOUT_MS, states);
        long session = client.getSessionId();
        create(client, "/java/alive", CreateMode.EPHEMERAL);
        Told told = new Told();
        client.exists("/java/after", told);
        client.addWatch("/java/alive", told, AddWatchMode.PERSISTENT);
        int port = Steps.serverPort(client);
        Steps.kill(port);
        Steps.until("connected to another server", () -> states.seen().size() >= 3);
        Steps.say(states.seen(), session == client.getSessionId(), port != Steps.serverPort(client));
        Steps.say("mine", client.exists("/java/alive", false).getEphemeralOwner() == session);
        create(client, "/java/after", CreateMode.PERSISTENT);
        Steps.say(told.next());
        client.setData("/java/alive", bytes("still"), -1);
        Steps.say(told.next());
        client.close();
        until("/java/alive", false);
        Steps.say("gone with its session");
    }

    /** Of the two clients that go on the one may have been connected to the server that was killed. */
    private static void until(String path, boolean isThere) throws Exception {
        Steps.until(path + " is there: " + isThere, () -> {
            try {
                return (two.exists(path, false) != null) == isThere;
            } catch (KeeperException.ConnectionLossException lost) {
                return false;
            }
        });
    }

    private static void endOfSession() throws Exception {
        ZooKeeper third = connect(TIMEOUT_MS, new States());
        create(third, "/java/third", CreateMode.EPHEMERAL);
        sync(one, "/java/third");
        Told told = new Told();
        one.exists("/java/third", told);
        third.close();
        Steps.say(told.next());
        Steps.refused(() -> third.exists("/", false));
        Map<String, Boolean> left = new java.util.TreeMap<>();
        left.put("/java/third", one.exists("/java/third", false) != null);
        Steps.say(left);
    }

    public static void main(String[] arguments) throws Exception {
        hosts = arguments[0];
        Steps.begin(arguments[1]);
        one = connect(TIMEOUT_MS, new States());
        two = connect(TIMEOUT_MS, new States());
        Steps.section("znodes", JavaClient::znodes);
        Steps.section("watches", JavaClient::watches);
        Steps.section("watches that stay", JavaClient::stayingWatches);
        Steps.section("multis", JavaClient::multis);
        Steps.section("many reads at once", "reads", JavaClient::manyReads);
        Steps.section("containers", "containers", JavaClient::containers);
        Steps.section("times to live", "ttl", JavaClient::timesToLive);
        Steps.section("configuration", "config", JavaClient::configuration);
        Steps.section("identities", "acl", JavaClient::identities);
        Steps.section("end of a session", JavaClient::endOfSession);
        Steps.section("a server is killed", JavaClient::kill);
        Steps.end();
    }
}
