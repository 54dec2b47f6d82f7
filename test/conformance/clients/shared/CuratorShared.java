import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.retry.RetryForever;
import org.apache.curator.retry.RetryNTimes;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;

/** Curator's side of what it shares with the client of the test. Arguments: host:port, and how often it counts. */
final class CuratorShared {
    private CuratorShared() {}

    public static void main(String[] args) throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.newClient(args[0], 30_000, 60_000, new RetryForever(100));
        client.start();
        DistributedAtomicLong counter = new DistributedAtomicLong(client, "/shared/long", new RetryNTimes(100, 2));
        for (int left = Integer.parseInt(args[1]); left > 0;) {
            left -= counter.increment().succeeded() ? 1 : 0;
        }
        System.out.println("counted");
        GroupMember member = new GroupMember(client, "/shared/group", "curator", "of Curator".getBytes());
        member.start();
        while (member.getCurrentMembers().size() < 2) {
            Thread.sleep(5);
        }
        TreeMap<String, String> members = new TreeMap<>();
        member.getCurrentMembers().forEach((name, data) -> members.put(name, new String(data)));
        System.out.println("members " + members);
        ServiceInstance<String> mine = ServiceInstance.<String>builder().name("echo").id("curator").address("127.0.0.1")
            .port(1001).payload("of Curator").registrationTimeUTC(1).build();
        ServiceDiscovery<String> discovery = ServiceDiscoveryBuilder.builder(String.class).client(client)
            .basePath("/shared/discovery").thisInstance(mine).build();
        discovery.start();
        while (discovery.queryForInstances("echo").size() < 2) {
            Thread.sleep(5);
        }
        TreeSet<String> instances = new TreeSet<>();
        discovery.queryForInstances("echo").forEach((each) -> instances.add(
            each.getId() + " " + each.getAddress() + ":" + each.getPort() + " " + each.getPayload()
                + " " + each.getServiceType() + " " + each.isEnabled()));
        System.out.println("instances " + instances);
        new BufferedReader(new InputStreamReader(System.in)).readLine();
        discovery.close();
        member.close();
        client.close();
    }
}
