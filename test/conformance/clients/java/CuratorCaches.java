import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache;
import org.apache.curator.framework.recipes.cache.TreeCache;

/** Curator's caches: each has to end with what another client has written. */
final class CuratorCaches {
    private static CuratorFramework one;
    private static CuratorFramework two;

    private CuratorCaches() {}

    static void sections(CuratorFramework first, CuratorFramework second) {
        one = first;
        two = second;
        Steps.section("cache", CuratorCaches::cache);
        Steps.section("bridge cache", CuratorCaches::bridgeCache);
        Steps.section("node cache", "containers", CuratorCaches::nodeCache);
        Steps.section("path children cache", "containers", CuratorCaches::pathChildrenCache);
        Steps.section("tree cache", CuratorCaches::treeCache);
    }

    private static void plant(String path) throws Exception {
        two.create().creatingParentsIfNeeded().forPath(path, "0".getBytes());
        two.create().forPath(path + "/a", "a".getBytes());
        two.create().forPath(path + "/b", "b".getBytes());
        one.sync().forPath(path);
        Steps.until("there", () -> one.checkExists().forPath(path + "/b") != null);
    }

    private static void change(String path) throws Exception {
        two.create().forPath(path + "/c", "c".getBytes());
        for (int round = 1; round <= 5; round++) {
            two.setData().forPath(path + "/a", ("a" + round).getBytes());
        }
        two.delete().forPath(path + "/b");
        two.setData().forPath(path, "9".getBytes());
    }

    private static String text(ChildData data) {
        return data == null ? "none" : data.getPath() + "=" + new String(data.getData());
    }

    private static void cache() throws Exception {
        plant("/curator/cache");
        CountDownLatch initialized = new CountDownLatch(1);
        Set<String> kinds = new ConcurrentSkipListSet<>();
        CuratorCache cache = CuratorCache.build(one, "/curator/cache");
        cache.listenable().addListener(CuratorCacheListener.builder().forInitialized(initialized::countDown).build());
        cache.listenable().addListener((kind, before, after) -> kinds.add(kind.name()));
        cache.start();
        Steps.say("initialized", initialized.await(60, TimeUnit.SECONDS), cache.size());
        change("/curator/cache");
        Steps.until("the cache has the last change",
            () -> "/curator/cache=9".equals(text(cache.get("/curator/cache").orElse(null))));
        Steps.until("all changes", () -> cache.size() == 3
            && "/curator/cache/a=a5".equals(text(cache.get("/curator/cache/a").orElse(null))));
        Steps.say(new TreeSet<>(cache.stream().map(CuratorCaches::text).collect(Collectors.toList())), kinds);
        cache.close();
    }

    private static void bridgeCache() throws Exception {
        plant("/curator/bridge");
        try (var cache = CuratorCache.bridgeBuilder(one, "/curator/bridge").build()) {
            cache.start();
            Steps.until("all is in the cache", () -> cache.size() == 3);
            Steps.say(new TreeSet<>(cache.stream().map(CuratorCaches::text).collect(Collectors.toList())));
        }
    }

    private static void nodeCache() throws Exception {
        plant("/curator/node-cache");
        try (NodeCache cache = new NodeCache(one, "/curator/node-cache")) {
            cache.start(true);
            Steps.say(text(cache.getCurrentData()));
            change("/curator/node-cache");
            Steps.until("changed", () -> "/curator/node-cache=9".equals(text(cache.getCurrentData())));
            two.delete().deletingChildrenIfNeeded().forPath("/curator/node-cache");
            Steps.until("deleted", () -> cache.getCurrentData() == null);
            Steps.say(text(cache.getCurrentData()));
        }
    }

    private static void pathChildrenCache() throws Exception {
        plant("/curator/children");
        try (PathChildrenCache cache = new PathChildrenCache(one, "/curator/children", true)) {
            CountDownLatch removed = new CountDownLatch(1);
            cache.getListenable().addListener((client, event) -> {
                if (event.getType() == org.apache.curator.framework.recipes.cache.PathChildrenCacheEvent.Type.CHILD_REMOVED) {
                    removed.countDown();
                }
            });
            cache.start(PathChildrenCache.StartMode.BUILD_INITIAL_CACHE);
            Steps.say(cache.getCurrentData().stream().map(CuratorCaches::text).collect(Collectors.toList()));
            change("/curator/children");
            Steps.say("removed", removed.await(60, TimeUnit.SECONDS));
            Steps.until("all changes", () -> cache.getCurrentData().size() == 2
                && "/curator/children/a=a5".equals(text(cache.getCurrentData("/curator/children/a"))));
            Steps.say(cache.getCurrentData().stream().map(CuratorCaches::text).collect(Collectors.toList()));
        }
    }

    private static void treeCache() throws Exception {
        plant("/curator/tree");
        try (TreeCache cache = new TreeCache(one, "/curator/tree")) {
            CountDownLatch initialized = new CountDownLatch(1);
            cache.getListenable().addListener((client, event) -> {
                if (event.getType() == org.apache.curator.framework.recipes.cache.TreeCacheEvent.Type.INITIALIZED) {
                    initialized.countDown();
                }
            });
            cache.start();
            Steps.say("initialized", initialized.await(60, TimeUnit.SECONDS));
            Steps.say(new TreeSet<>(cache.getCurrentChildren("/curator/tree").keySet()));
            change("/curator/tree");
            Steps.until("all changes", () -> "/curator/tree=9".equals(text(cache.getCurrentData("/curator/tree")))
                && "/curator/tree/a=a5".equals(text(cache.getCurrentData("/curator/tree/a")))
                && cache.getCurrentChildren("/curator/tree").size() == 2);
            Steps.say(new TreeSet<>(cache.getCurrentChildren("/curator/tree").keySet()));
        }
    }
}
