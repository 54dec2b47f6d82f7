import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;

/** The same as kazoo_writer.py, by Curator: writes, keeps a log of what it was answered, and prints it. Arguments: host:port and what is its own. */
public final class CuratorMigrated {
    private CuratorMigrated() {}

    private static String list(List<String> texts) {
        List<String> quoted = new ArrayList<>();
        for (String text : texts) {
            quoted.add('"' + text + '"');
        }
        return "[" + String.join(",", quoted) + "]";
    }

    public static void main(String[] args) throws Exception {
        String name = args[1];
        CuratorFramework client = CuratorFrameworkFactory.builder()
            .connectString(args[0])
            .sessionTimeoutMs(10_000)
            .connectionTimeoutMs(10_000)
            .ensembleTracker(false)
            .retryPolicy(new RetryNTimes(3, 20))
            .build();
        AtomicBoolean lost = new AtomicBoolean();
        AtomicBoolean over = new AtomicBoolean();
        int[] sessions = {1};
        client.getConnectionStateListenable().addListener((from, state) -> {
            if (state == ConnectionState.LOST) {
                lost.set(true);
            } else if (state == ConnectionState.RECONNECTED && lost.compareAndSet(true, false)) {
                sessions[0]++;
                System.out.println("session " + sessions[0]);
            }
        });
        client.start();
        client.blockUntilConnected(60, TimeUnit.SECONDS);
        for (String kind : List.of("values", "items", "short", "live")) {
            client.createContainers("/load/" + kind);
        }
        String value = "/load/values/" + name;
        String items = "/load/items/" + name;
        String shorts = "/load/short/" + name;
        client.create().forPath(value, new byte[0]);
        client.create().forPath(items, new byte[0]);
        client.create().forPath(shorts, new byte[0]);
        PersistentNode live = new PersistentNode(client, CreateMode.EPHEMERAL, false, "/load/live/" + name, new byte[0]);
        live.start();
        InterProcessMutex lock = new InterProcessMutex(client, "/load/lock");
        System.out.println("session 1");
        Thread input = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    continue;
                }
            } catch (java.io.IOException error) {
                System.err.println(error);
            }
            over.set(true);
        });
        input.setDaemon(true);
        input.start();
        int asked = -1;
        int answered = -1;
        int made = 0;
        List<String> sequential = new ArrayList<>();
        List<String> failed = new ArrayList<>();
        while (!over.get()) {
            try {
                asked++;
                client.setData().forPath(value, Integer.toString(asked).getBytes());
                answered = asked;
                sequential.add(client.create()
                    .withMode(CreateMode.PERSISTENT_SEQUENTIAL)
                    .forPath(items + "/item-", Integer.toString(asked).getBytes()));
                if (sequential.size() == 10) {
                    System.out.println("written");
                }
                client.delete().forPath(client.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(shorts + "/s-"));
                made++;
                if (lock.acquire(5, TimeUnit.SECONDS)) {
                    lock.release();
                }
            } catch (Exception error) {
                failed.add(error.getClass().getSimpleName());
                Thread.sleep(10);
            }
            Thread.sleep(5);
        }
        String last = client.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath(shorts + "/s-");
        live.close();
        client.close();
        System.out.println("{\"value\":" + answered + ",\"asked\":" + asked + ",\"sequential\":" + list(sequential)
            + ",\"deleted\":[],\"short\":" + made + ",\"last\":\"" + last + "\",\"sessions\":" + sessions[0]
            + ",\"failed\":" + list(failed) + "}");
    }
}
