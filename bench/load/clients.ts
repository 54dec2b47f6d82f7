/** Makes the client for a protocol. */
import type { LoadClient } from "./client.ts";
import { EtcdClient } from "./etcd/client.ts";
import { JetStreamClient } from "./jetstream/client.ts";
import { Layout } from "./layout.ts";
import type { LoadPlan } from "./plan.ts";
import type { Recorder } from "./recorder.ts";
import { ZooKeeperClient } from "./zookeeper/client.ts";
import { LoadConnection } from "./zookeeper/connection.ts";
import { WireError } from "./zookeeper/wire.ts";

export function clientOf(plan: LoadPlan, connection: number, recorder: Recorder): LoadClient {
  const address = plan.addresses[connection % plan.addresses.length];
  if (address === undefined) throw new WireError("a load needs at least one server");
  const layout = new Layout(plan.root, connection);
  switch (plan.protocol) {
    case "zookeeper":
      return new ZooKeeperClient(new LoadConnection(address, recorder, plan.outstanding), layout);
    case "etcd":
      return new EtcdClient(address, { layout, recorder, outstanding: plan.outstanding });
    case "jetstream":
      return new JetStreamClient(address, { layout, recorder, outstanding: plan.outstanding });
  }
}
