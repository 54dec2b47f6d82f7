import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.x.discovery.ServiceCache;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceProvider;
import org.apache.curator.x.discovery.details.ServiceCacheListener;
import org.apache.curator.x.discovery.strategies.RoundRobinStrategy;

/** Curator's discovery of services: instances register themselves, others find them. */
final class CuratorDiscovery {
    private static final String NAME = "echo";

    private CuratorDiscovery() {}

    static void sections(CuratorFramework one, CuratorFramework two) {
        Steps.section("discovery of services", "containers", () -> discovery(one, two));
    }

    private static ServiceInstance<String> instance(int port, String payload) throws Exception {
        return ServiceInstance.<String>builder().name(NAME).id("id-" + port).address("127.0.0.1").port(port)
            .payload(payload).registrationTimeUTC(1).build();
    }

    private static ServiceDiscovery<String> begun(CuratorFramework client, ServiceInstance<String> mine) throws Exception {
        ServiceDiscovery<String> discovery = ServiceDiscoveryBuilder.builder(String.class).client(client)
            .basePath("/discovery").thisInstance(mine).build();
        discovery.start();
        return discovery;
    }

    private static List<String> shown(Iterable<ServiceInstance<String>> instances) {
        List<String> shown = new ArrayList<>();
        instances.forEach((each) -> shown.add(each.getId() + " " + each.getPort() + " " + each.getPayload()));
        return shown.stream().sorted().collect(Collectors.toList());
    }

    private static void discovery(CuratorFramework one, CuratorFramework two) throws Exception {
        ServiceDiscovery<String> first = begun(one, instance(1001, "a"));
        ServiceDiscovery<String> second = begun(two, instance(1002, "b"));
        AtomicInteger changes = new AtomicInteger();
        ServiceCache<String> cache = first.serviceCacheBuilder().name(NAME).build();
        cache.addListener(new ServiceCacheListener() {
            @Override
            public void cacheChanged() {
                changes.incrementAndGet();
            }

            @Override
            public void stateChanged(CuratorFramework client, ConnectionState state) {}
        });
        cache.start();
        Steps.until("both are known", () -> cache.getInstances().size() == 2);
        Steps.say(new TreeSet<>(first.queryForNames()), shown(cache.getInstances()));
        two.sync().forPath("/discovery");
        Steps.say(shown(second.queryForInstances(NAME)), second.queryForInstance(NAME, "id-none"));
        ServiceProvider<String> provider = first.serviceProviderBuilder().serviceName(NAME)
            .providerStrategy(new RoundRobinStrategy<>()).build();
        provider.start();
        Steps.until("both are provided", () -> provider.getAllInstances().size() == 2);
        Steps.say(shown(List.of(provider.getInstance(), provider.getInstance())));
        second.updateService(instance(1002, "new"));
        Steps.until("the update is known", () -> shown(cache.getInstances()).contains("id-1002 1002 new"));
        second.close();
        Steps.until("one is left", () -> cache.getInstances().size() == 1);
        Steps.say(shown(cache.getInstances()), changes.get() > 0);
        first.unregisterService(instance(1001, "a"));
        Steps.until("none is left", () -> cache.getInstances().isEmpty());
        provider.close();
        cache.close();
        first.close();
    }
}
