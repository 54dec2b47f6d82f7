import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.ACLProvider;
import org.apache.curator.framework.api.transaction.CuratorOp;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryForever;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.data.ACL;

/** What a Java program does with Curator and its recipes. Arguments: host:port,..., the features of the servers, and which part. */
public final class CuratorClient {
    /** Long, so that a session outlives its server on a busy machine. */
    private static final int TIMEOUT_MS = 30_000;
    private static String hosts;
    private static CuratorFramework one;
    private static CuratorFramework two;

    private CuratorClient() {}

    private static CuratorFrameworkFactory.Builder builder() {
        return CuratorFrameworkFactory.builder()
            .connectString(hosts)
            .sessionTimeoutMs(TIMEOUT_MS)
            .connectionTimeoutMs(TIMEOUT_MS)
            .retryPolicy(new RetryForever(50));
    }

    private static CuratorFramework started(CuratorFramework client) throws Exception {
        client.start();
        if (!client.blockUntilConnected(60, TimeUnit.SECONDS)) {
            throw new AssertionError("not connected");
        }
        return client;
    }

    private static void basics() throws Exception {
        Steps.say(one.create().creatingParentsIfNeeded().forPath("/curator/deep/er", "1".getBytes()));
        Steps.say(one.setData().withVersion(0).forPath("/curator/deep/er", "2".getBytes()).getVersion());
        Steps.say(new String(one.getData().forPath("/curator/deep/er")));
        String guarded = one.create().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/curator/p-");
        Steps.say(guarded.replaceAll("_c_[-0-9a-f]+", "_c_UUID"));
        Steps.say(one.create().orSetData().forPath("/curator/deep/er", "3".getBytes()));
        Steps.say(one.create().idempotent().forPath("/curator/idempotent", "i".getBytes()));
        one.delete().guaranteed().forPath(guarded);
        Steps.say(one.checkExists().forPath(guarded), one.checkExists().forPath("/curator/deep").getNumChildren());
        BlockingQueue<String> answers = new LinkedBlockingQueue<>();
        one.create().inBackground((client, event) -> answers.add(event.getType() + " " + event.getResultCode() + " " + event.getPath()))
            .forPath("/curator/background");
        Steps.say(answers.poll(60, TimeUnit.SECONDS));
        CuratorFramework below = one.usingNamespace("curator");
        Steps.say(new TreeSet<>(below.getChildren().forPath("/")));
        one.delete().deletingChildrenIfNeeded().forPath("/curator/deep");
        Steps.refused(() -> one.getData().forPath("/curator/deep"));
    }

    private static void parentContainers() throws Exception {
        Steps.say(one.create().creatingParentContainersIfNeeded().forPath("/curator/boxes/b/in"));
        Steps.say(one.create().creatingParentContainersIfNeeded().withMode(CreateMode.CONTAINER).forPath("/curator/boxes/c"));
    }

    private static void timesToLive() throws Exception {
        Steps.say(one.create().withTtl(3_600_000).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath("/curator/ttl"));
    }

    private static void transactions() throws Exception {
        CuratorOp create = one.transactionOp().create().forPath("/curator/t", "1".getBytes());
        CuratorOp set = one.transactionOp().setData().forPath("/curator/t", "2".getBytes());
        CuratorOp check = one.transactionOp().check().withVersion(1).forPath("/curator/t");
        List<CuratorTransactionResult> done = one.transaction().forOperations(create, set, check);
        Steps.say(done.stream().map((each) -> each.getType() + " " + each.getForPath()).collect(Collectors.toList()));
        CuratorOp other = one.transactionOp().create().forPath("/curator/u");
        CuratorOp wrong = one.transactionOp().delete().withVersion(9).forPath("/curator/t");
        Steps.refused(() -> one.transaction().forOperations(other, wrong));
        Steps.say(one.checkExists().forPath("/curator/u"));
    }

    private static void removedWatches() throws Exception {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        Watcher watcher = (event) -> {
            if (event.getType() != EventType.None) {
                events.add(event.getType() + " " + event.getPath());
            }
        };
        one.checkExists().usingWatcher(watcher).forPath("/curator/watched");
        one.watchers().remove(watcher).forPath("/curator/watched");
        Steps.say(events.poll(60, TimeUnit.SECONDS));
        one.watchers().add().withMode(AddWatchMode.PERSISTENT_RECURSIVE).usingWatcher(watcher).forPath("/curator/watched");
        two.create().forPath("/curator/watched");
        two.create().forPath("/curator/watched/below");
        Steps.say(events.poll(60, TimeUnit.SECONDS), events.poll(60, TimeUnit.SECONDS));
        one.watchers().removeAll().forPath("/curator/watched");
        Steps.say(events.poll(60, TimeUnit.SECONDS));
        PersistentWatcher persistent = new PersistentWatcher(one, "/curator/watched", true);
        BlockingQueue<String> reset = new LinkedBlockingQueue<>();
        persistent.getResetListenable().addListener(() -> reset.add("set"));
        persistent.getListenable().addListener(watcher);
        persistent.start();
        Steps.say(reset.poll(60, TimeUnit.SECONDS));
        two.setData().forPath("/curator/watched/below", "x".getBytes());
        Steps.say(events.poll(60, TimeUnit.SECONDS));
        persistent.close();
    }

    private static void configuration() throws Exception {
        String config = new String(one.getConfig().forEnsemble());
        Steps.say(config.lines().map((line) -> line.replaceAll("=.*", "")).collect(Collectors.toList()));
        Steps.say("followed", one.getCurrentConfig() != null);
    }

    private static void identities() throws Exception {
        ACLProvider creator = new ACLProvider() {
            @Override
            public List<ACL> getDefaultAcl() {
                return ZooDefs.Ids.CREATOR_ALL_ACL;
            }

            @Override
            public List<ACL> getAclForPath(String path) {
                return ZooDefs.Ids.CREATOR_ALL_ACL;
            }
        };
        CuratorFramework owner = started(builder().authorization("digest", "user:secret".getBytes()).aclProvider(creator).build());
        Steps.say(owner.create().creatingParentsIfNeeded().forPath("/curator/own/below", "o".getBytes()));
        Steps.say(owner.getACL().forPath("/curator/own"));
        one.sync().forPath("/curator/own");
        Steps.until("there", () -> one.checkExists().forPath("/curator/own/below") != null);
        Steps.refused(() -> one.getData().forPath("/curator/own/below"));
        Steps.refused(() -> one.getChildren().forPath("/curator/own"));
        Steps.refused(() -> one.create().forPath("/curator/own/other"));
        Steps.refused(() -> one.delete().forPath("/curator/own/below"));
        Steps.say(new String(owner.getData().forPath("/curator/own/below")));
        owner.close();
    }

    /** The connection is lost and found again, the session and what it holds are kept. */
    private static void kill() throws Exception {
        CuratorFramework client = started(builder().build());
        List<ConnectionState> states = new ArrayList<>();
        client.getConnectionStateListenable().addListener((from, state) -> {
            synchronized (states) {
                // The listener may come before or after the first connection is told.
                if (state != ConnectionState.CONNECTED) {
                    states.add(state);
                }
            }
        });
        InterProcessMutex lock = new InterProcessMutex(client, "/curator/kept-lock");
        LeaderLatch latch = new LeaderLatch(client, "/curator/kept-latch");
        lock.acquire();
        latch.start();
        latch.await();
        long session = client.getZookeeperClient().getZooKeeper().getSessionId();
        Steps.kill(Steps.serverPort(client.getZookeeperClient().getZooKeeper()));
        Steps.until("reconnected", () -> {
            synchronized (states) {
                return states.contains(ConnectionState.RECONNECTED);
            }
        });
        synchronized (states) {
            Steps.say(states);
        }
        Steps.say("same session", session == client.getZookeeperClient().getZooKeeper().getSessionId());
        Steps.until("leads again", latch::hasLeadership);
        Steps.say("lock", lock.isOwnedByCurrentThread(), lock.getParticipantNodes().size());
        InterProcessMutex rival = new InterProcessMutex(two, "/curator/kept-lock");
        Thread contender = Steps.start("contender", () -> {
            rival.acquire();
            Steps.say("passed on");
            rival.release();
        });
        Steps.until("both contend", () -> lock.getParticipantNodes().size() == 2);
        lock.release();
        Steps.join(contender);
        latch.close();
        client.close();
    }

    private static void framework() {
        Steps.section("basics", CuratorClient::basics);
        Steps.section("parent containers", "containers", CuratorClient::parentContainers);
        Steps.section("times to live", "ttl", CuratorClient::timesToLive);
        Steps.section("transactions", CuratorClient::transactions);
        Steps.section("removed watches", CuratorClient::removedWatches);
        Steps.section("configuration", "config", CuratorClient::configuration);
        Steps.section("identities", "acl", CuratorClient::identities);
    }

    public static void main(String[] arguments) throws Exception {
        hosts = arguments[0];
        Steps.begin(arguments[1]);
        one = started(builder().build());
        two = started(builder().build());
        switch (arguments[2]) {
            case "framework" -> framework();
            case "locks" -> CuratorLocks.sections(one, two);
            case "caches" -> {
                CuratorCaches.sections(one, two);
                CuratorDiscovery.sections(one, two);
            }
            case "nodes" -> CuratorNodes.sections(one, two);
            default -> Steps.section("a server is killed", "containers", CuratorClient::kill);
        }
        Steps.end();
    }
}
