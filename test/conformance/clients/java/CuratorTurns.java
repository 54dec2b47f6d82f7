import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.retry.RetryForever;

/** Takes turns with clients that are not Curator's, and counts under each right. Arguments: host:port,... and how many turns. */
public final class CuratorTurns {
    private static CuratorFramework client;

    private CuratorTurns() {}

    /** Shows if ever two do it at a time: then one of their counts is lost. */
    private static void count(String path) throws Exception {
        int before = Integer.parseInt(new String(client.getData().forPath(path)));
        Thread.sleep(3);
        client.setData().forPath(path, Integer.toString(before + 1).getBytes());
    }

    public static void main(String[] args) throws Exception {
        int turns = Integer.parseInt(args[1]);
        client = CuratorFrameworkFactory.builder()
            .connectString(args[0])
            .sessionTimeoutMs(30_000)
            .connectionTimeoutMs(30_000)
            .retryPolicy(new RetryForever(50))
            .build();
        client.start();
        client.blockUntilConnected(60, TimeUnit.SECONDS);
        InterProcessMutex lock = new InterProcessMutex(client, "/turns/lock");
        InterProcessReadWriteLock both = new InterProcessReadWriteLock(client, "/turns/rw");
        InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(client, "/turns/semaphore", 1);
        for (int turn = 0; turn < turns; turn++) {
            lock.acquire();
            count("/turns/locked");
            lock.release();
            both.writeLock().acquire();
            count("/turns/written");
            both.writeLock().release();
            Lease lease = semaphore.acquire();
            count("/turns/leased");
            semaphore.returnLease(lease);
        }
        CountDownLatch left = new CountDownLatch(turns);
        LeaderSelector selector = new LeaderSelector(client, "/turns/election", new LeaderSelectorListenerAdapter() {
            @Override
            public void takeLeadership(CuratorFramework leading) throws Exception {
                if (left.getCount() > 0) {
                    count("/turns/led");
                    left.countDown();
                }
            }
        });
        selector.autoRequeue();
        selector.start();
        left.await(60, TimeUnit.SECONDS);
        selector.close();
        client.close();
        System.out.println("done");
    }
}
