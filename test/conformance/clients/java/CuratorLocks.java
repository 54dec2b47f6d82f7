import java.util.Collection;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessLock;
import org.apache.curator.framework.recipes.locks.InterProcessMultiLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreMutex;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;

/** Curator's locks, leaders and barriers. */
final class CuratorLocks {
    private static CuratorFramework one;
    private static CuratorFramework two;

    private CuratorLocks() {}

    static void sections(CuratorFramework first, CuratorFramework second) {
        one = first;
        two = second;
        Steps.section("mutex", "containers", CuratorLocks::mutex);
        Steps.section("read-write lock", "containers", CuratorLocks::readWriteLock);
        Steps.section("semaphore", "containers", CuratorLocks::semaphore);
        Steps.section("semaphore mutex", "containers", CuratorLocks::semaphoreMutex);
        Steps.section("multi-lock", "containers", CuratorLocks::multiLock);
        Steps.section("leader latch", "containers", CuratorLocks::leaderLatch);
        Steps.section("leader selector", "containers", CuratorLocks::leaderSelector);
        Steps.section("barrier", "containers", CuratorLocks::barrier);
        Steps.section("double barrier", "containers", CuratorLocks::doubleBarrier);
    }

    /** Many threads of two clients add to a plain number under the lock, which shows if ever two hold it. */
    private static void mutex() throws Exception {
        InterProcessMutex lock = new InterProcessMutex(one, "/curator/mutex");
        lock.acquire();
        lock.acquire();
        InterProcessMutex other = new InterProcessMutex(two, "/curator/mutex");
        Steps.say("reentrant", lock.isOwnedByCurrentThread(), "other", other.acquire(0, TimeUnit.MILLISECONDS));
        lock.release();
        lock.release();
        int[] sum = {0};
        Thread[] threads = new Thread[4];
        for (int index = 0; index < threads.length; index++) {
            InterProcessMutex mine = index % 2 == 0 ? lock : other;
            threads[index] = Steps.start("adder " + index, () -> {
                for (int round = 0; round < 5; round++) {
                    mine.acquire();
                    int before = sum[0];
                    Thread.yield();
                    sum[0] = before + 1;
                    mine.release();
                }
            });
        }
        for (Thread thread : threads) {
            Steps.join(thread);
        }
        Steps.say("sum", sum[0]);
        CountDownLatch asked = new CountDownLatch(1);
        lock.makeRevocable((each) -> asked.countDown());
        lock.acquire();
        org.apache.curator.framework.recipes.locks.Revoker.attemptRevoke(two, first(lock));
        Steps.say("revocation asked for", asked.await(60, TimeUnit.SECONDS));
        lock.release();
    }

    private static String first(InterProcessMutex lock) throws Exception {
        return lock.getParticipantNodes().iterator().next();
    }

    private static void readWriteLock() throws Exception {
        InterProcessReadWriteLock mine = new InterProcessReadWriteLock(one, "/curator/rw");
        InterProcessReadWriteLock other = new InterProcessReadWriteLock(two, "/curator/rw");
        mine.readLock().acquire();
        Steps.say("second reader", other.readLock().acquire(60, TimeUnit.SECONDS));
        CountDownLatch written = new CountDownLatch(1);
        Thread writer = Steps.start("writer", () -> {
            other.writeLock().acquire();
            Steps.say("writer");
            written.countDown();
            other.writeLock().release();
        });
        Steps.until("the writer waits", () -> other.writeLock().getParticipantNodes().size() == 1);
        Steps.say("written", written.getCount() == 0);
        mine.readLock().release();
        other.readLock().release();
        Steps.join(writer);
        mine.writeLock().acquire();
        Steps.say("downgraded", mine.readLock().acquire(60, TimeUnit.SECONDS));
        mine.writeLock().release();
        mine.readLock().release();
    }

    private static void semaphore() throws Exception {
        InterProcessSemaphoreV2 mine = new InterProcessSemaphoreV2(one, "/curator/semaphore", 3);
        InterProcessSemaphoreV2 other = new InterProcessSemaphoreV2(two, "/curator/semaphore", 3);
        Collection<Lease> leases = mine.acquire(2);
        Lease third = other.acquire();
        Steps.say("held", mine.getParticipantNodes().size());
        Thread waiter = Steps.start("waiter", () -> {
            Lease fourth = other.acquire();
            Steps.say("fourth");
            other.returnLease(fourth);
        });
        Steps.until("one waits", () -> one.getChildren().forPath("/curator/semaphore/leases").size() == 4);
        mine.returnAll(leases);
        Steps.join(waiter);
        other.returnLease(third);
    }

    private static void semaphoreMutex() throws Exception {
        InterProcessSemaphoreMutex mine = new InterProcessSemaphoreMutex(one, "/curator/semaphore-mutex");
        InterProcessSemaphoreMutex other = new InterProcessSemaphoreMutex(two, "/curator/semaphore-mutex");
        mine.acquire();
        Steps.say("other", other.acquire(100, TimeUnit.MILLISECONDS));
        mine.release();
        Steps.say("other", other.acquire(60, TimeUnit.SECONDS));
        other.release();
    }

    private static void multiLock() throws Exception {
        List<InterProcessLock> locks = List.of(
            new InterProcessMutex(one, "/curator/multi-1"),
            new InterProcessMutex(one, "/curator/multi-2"));
        InterProcessMultiLock all = new InterProcessMultiLock(locks);
        InterProcessMutex half = new InterProcessMutex(two, "/curator/multi-2");
        half.acquire();
        Steps.say("all", all.acquire(100, TimeUnit.MILLISECONDS), locks.get(0).isAcquiredInThisProcess());
        half.release();
        Steps.say("all", all.acquire(60, TimeUnit.SECONDS));
        Steps.say("half", half.acquire(100, TimeUnit.MILLISECONDS));
        all.release();
    }

    private static void leaderLatch() throws Exception {
        LeaderLatch first = new LeaderLatch(one, "/curator/latch", "first");
        LeaderLatch second = new LeaderLatch(two, "/curator/latch", "second");
        first.start();
        first.await();
        second.start();
        Steps.until("both take part", () -> first.getParticipants().size() == 2);
        Steps.say(first.hasLeadership(), second.hasLeadership(), second.getLeader().getId());
        first.close();
        second.await();
        Steps.say(second.hasLeadership(), second.getLeader().getId());
        second.close();
    }

    private static void leaderSelector() throws Exception {
        AtomicInteger leaders = new AtomicInteger();
        AtomicInteger terms = new AtomicInteger();
        LeaderSelectorListenerAdapter listener = new LeaderSelectorListenerAdapter() {
            @Override
            public void takeLeadership(CuratorFramework client) throws Exception {
                if (leaders.incrementAndGet() != 1) {
                    Steps.say("two lead");
                }
                terms.incrementAndGet();
                Thread.yield();
                leaders.decrementAndGet();
            }
        };
        LeaderSelector first = new LeaderSelector(one, "/curator/selector", listener);
        LeaderSelector second = new LeaderSelector(two, "/curator/selector", listener);
        first.autoRequeue();
        second.autoRequeue();
        first.start();
        second.start();
        Steps.until("led in turn", () -> terms.get() >= 6);
        first.close();
        second.close();
        Steps.say("led in turn");
    }

    private static void barrier() throws Exception {
        DistributedBarrier mine = new DistributedBarrier(one, "/curator/barrier");
        DistributedBarrier other = new DistributedBarrier(two, "/curator/barrier");
        mine.setBarrier();
        two.sync().forPath("/curator/barrier");
        Steps.say("open", other.waitOnBarrier(100, TimeUnit.MILLISECONDS));
        Thread waiter = Steps.start("waiter", () -> Steps.say("open", other.waitOnBarrier(60, TimeUnit.SECONDS)));
        mine.removeBarrier();
        Steps.join(waiter);
    }

    private static void doubleBarrier() throws Exception {
        AtomicInteger inside = new AtomicInteger();
        Thread[] threads = new Thread[4];
        for (int index = 0; index < threads.length; index++) {
            CuratorFramework client = index % 2 == 0 ? one : two;
            DistributedDoubleBarrier barrier = new DistributedDoubleBarrier(client, "/curator/double", threads.length);
            threads[index] = Steps.start("member " + index, () -> {
                barrier.enter();
                inside.incrementAndGet();
                Steps.until("all are inside", () -> inside.get() == threads.length);
                barrier.leave();
            });
        }
        for (Thread thread : threads) {
            Steps.join(thread);
        }
        Steps.say("inside", inside.get());
    }
}
