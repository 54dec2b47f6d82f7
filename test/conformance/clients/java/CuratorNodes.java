import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.atomic.PromotedToLock;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.nodes.PersistentTtlNode;
import org.apache.curator.framework.recipes.queue.DistributedDelayQueue;
import org.apache.curator.framework.recipes.queue.DistributedIdQueue;
import org.apache.curator.framework.recipes.queue.DistributedPriorityQueue;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.QueueBase;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedCountListener;
import org.apache.curator.framework.recipes.shared.SharedCountReader;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryForever;
import org.apache.zookeeper.CreateMode;

/** Curator's queues, counters and nodes that it keeps. */
final class CuratorNodes {
    private static CuratorFramework one;
    private static CuratorFramework two;

    private static final QueueSerializer<String> TEXT = new QueueSerializer<>() {
        @Override
        public byte[] serialize(String item) {
            return item.getBytes();
        }

        @Override
        public String deserialize(byte[] bytes) {
            return new String(bytes);
        }
    };

    /** A consumer that keeps what it is given. */
    private static final class Taken implements QueueConsumer<String> {
        private final BlockingQueue<String> items = new LinkedBlockingQueue<>();

        @Override
        public void consumeMessage(String message) {
            items.add(message);
        }

        @Override
        public void stateChanged(CuratorFramework client, ConnectionState state) {}

        String next() throws Exception {
            return items.poll(60, TimeUnit.SECONDS);
        }
    }

    private CuratorNodes() {}

    /** What is put is created in the background: a consumer that starts before may see only the first of it. */
    private static void flush(QueueBase<String> queue) throws Exception {
        if (!queue.flushPuts(60, TimeUnit.SECONDS)) {
            throw new IllegalStateException("a put did not end");
        }
    }

    static void sections(CuratorFramework first, CuratorFramework second) {
        one = first;
        two = second;
        Steps.section("queue", "containers", CuratorNodes::queue);
        Steps.section("queue with ids", "containers", CuratorNodes::idQueue);
        Steps.section("priority queue", "containers", CuratorNodes::priorityQueue);
        Steps.section("delay queue", "containers", CuratorNodes::delayQueue);
        Steps.section("simple queue", "containers", CuratorNodes::simpleQueue);
        Steps.section("atomic long", "containers", CuratorNodes::atomicLong);
        Steps.section("shared count", "containers", CuratorNodes::sharedCount);
        Steps.section("persistent node", "containers", CuratorNodes::persistentNode);
        Steps.section("persistent node with a time to live", "ttl", CuratorNodes::persistentTtlNode);
        Steps.section("group member", "containers", CuratorNodes::groupMember);
    }

    private static void queue() throws Exception {
        Taken taken = new Taken();
        try (DistributedQueue<String> from = QueueBuilder.builder(one, taken, TEXT, "/curator/queue").lockPath("/curator/queue-locks").buildQueue();
            DistributedQueue<String> into = QueueBuilder.builder(two, null, TEXT, "/curator/queue").buildQueue()) {
            into.start();
            for (int item = 0; item < 5; item++) {
                into.put("item " + item);
            }
            flush(into);
            from.start();
            Steps.say(taken.next(), taken.next(), taken.next(), taken.next(), taken.next());
        }
    }

    private static void idQueue() throws Exception {
        Taken taken = new Taken();
        try (DistributedIdQueue<String> from = QueueBuilder.builder(one, taken, TEXT, "/curator/ids").buildIdQueue();
            DistributedIdQueue<String> into = QueueBuilder.builder(two, null, TEXT, "/curator/ids").buildIdQueue()) {
            into.start();
            into.put("kept", "k");
            into.put("removed", "r");
            flush(into);
            Steps.say("removed", into.remove("r"));
            from.start();
            Steps.say(taken.next());
        }
    }

    private static void priorityQueue() throws Exception {
        Taken taken = new Taken();
        try (DistributedPriorityQueue<String> from = QueueBuilder.builder(one, taken, TEXT, "/curator/priorities").buildPriorityQueue(0);
            DistributedPriorityQueue<String> into = QueueBuilder.builder(two, null, TEXT, "/curator/priorities").buildPriorityQueue(0)) {
            into.start();
            into.put("later", 9);
            into.put("sooner", 1);
            flush(into);
            from.start();
            Steps.say(taken.next(), taken.next());
        }
    }

    private static void delayQueue() throws Exception {
        Taken taken = new Taken();
        try (DistributedDelayQueue<String> from = QueueBuilder.builder(one, taken, TEXT, "/curator/delays").buildDelayQueue();
            DistributedDelayQueue<String> into = QueueBuilder.builder(two, null, TEXT, "/curator/delays").buildDelayQueue()) {
            into.start();
            long nowMs = System.currentTimeMillis();
            into.put("second", nowMs + 200);
            into.put("first", nowMs + 100);
            flush(into);
            from.start();
            Steps.say(taken.next(), taken.next());
        }
    }

    private static void simpleQueue() throws Exception {
        SimpleDistributedQueue into = new SimpleDistributedQueue(one, "/curator/simple");
        SimpleDistributedQueue from = new SimpleDistributedQueue(two, "/curator/simple");
        Steps.say(into.offer("1".getBytes()), into.offer("2".getBytes()));
        Steps.say(new String(from.take()), new String(from.take()), from.poll() == null);
        Steps.refused(from::element);
    }

    private static void atomicLong() throws Exception {
        PromotedToLock lock = PromotedToLock.builder().lockPath("/curator/atomic-lock").build();
        DistributedAtomicLong mine = new DistributedAtomicLong(one, "/curator/atomic", new RetryForever(5), lock);
        DistributedAtomicLong other = new DistributedAtomicLong(two, "/curator/atomic", new RetryForever(5), lock);
        Steps.say("initialized", mine.initialize(5L), other.initialize(6L));
        Thread[] threads = new Thread[4];
        for (int index = 0; index < threads.length; index++) {
            DistributedAtomicLong counter = index % 2 == 0 ? mine : other;
            threads[index] = Steps.start("counter " + index, () -> {
                for (int round = 0; round < 5; round++) {
                    if (!counter.increment().succeeded()) {
                        Steps.say("not counted");
                    }
                }
            });
        }
        for (Thread thread : threads) {
            Steps.join(thread);
        }
        one.sync().forPath("/curator/atomic");
        Steps.until("counted", () -> mine.get().postValue() == 25L);
        Steps.say(mine.compareAndSet(3L, 4L).succeeded(), mine.compareAndSet(25L, 26L).succeeded(), mine.add(10L).postValue());
    }

    private static void sharedCount() throws Exception {
        SharedCount mine = new SharedCount(one, "/curator/shared", 7);
        SharedCount other = new SharedCount(two, "/curator/shared", 7);
        BlockingQueue<Integer> counts = new LinkedBlockingQueue<>();
        mine.addListener(new SharedCountListener() {
            @Override
            public void countHasChanged(SharedCountReader reader, int count) {
                counts.add(count);
            }

            @Override
            public void stateChanged(CuratorFramework client, ConnectionState state) {}
        });
        mine.start();
        other.start();
        other.setCount(8);
        Steps.say(counts.poll(60, TimeUnit.SECONDS), mine.getCount());
        Steps.say(mine.trySetCount(mine.getVersionedValue(), 9));
        Steps.until("heard of", () -> other.getCount() == 9);
        mine.close();
        other.close();
    }

    /** What somebody else deletes comes again. */
    private static void persistentNode() throws Exception {
        try (PersistentNode node = new PersistentNode(one, CreateMode.EPHEMERAL, false, "/curator/kept/node", "data".getBytes())) {
            node.start();
            Steps.say("created", node.waitForInitialCreate(60, TimeUnit.SECONDS), node.getActualPath());
            Steps.until("seen", () -> two.checkExists().forPath("/curator/kept/node") != null);
            long created = two.checkExists().forPath("/curator/kept/node").getCzxid();
            two.delete().forPath("/curator/kept/node");
            Steps.until("there again", () -> {
                var stat = two.checkExists().forPath("/curator/kept/node");
                return stat != null && stat.getCzxid() != created;
            });
            node.setData("new".getBytes());
            Steps.until("new data", () -> "new".equals(new String(two.getData().forPath("/curator/kept/node"))));
        }
        Steps.until("gone", () -> two.checkExists().forPath("/curator/kept/node") == null);
        Steps.say("closed");
    }

    /** The node is touched after half of its time. */
    private static void persistentTtlNode() throws Exception {
        try (PersistentTtlNode node = new PersistentTtlNode(one, "/curator/kept-ttl", 4_000, "data".getBytes())) {
            node.start();
            Steps.say("created", node.waitForInitialCreate(60, TimeUnit.SECONDS));
            Steps.until("touched", () -> two.checkExists().forPath("/curator/kept-ttl/touch") != null);
            Steps.say(new String(two.getData().forPath("/curator/kept-ttl")));
        }
    }

    private static void groupMember() throws Exception {
        GroupMember first = new GroupMember(one, "/curator/group", "first");
        GroupMember second = new GroupMember(two, "/curator/group", "second");
        first.start();
        second.start();
        Steps.until("both see both", () -> List.of(first, second).stream()
            .allMatch((member) -> member.getCurrentMembers().size() == 2));
        Steps.say(new TreeSet<>(first.getCurrentMembers().keySet()));
        second.close();
        Steps.until("left", () -> first.getCurrentMembers().size() == 1);
        Steps.say(first.getCurrentMembers().keySet());
        first.close();
    }
}
