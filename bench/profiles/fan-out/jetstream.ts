/** Subscribers that watch keys of JetStream's bucket. Each is a consumer. */
import { Kvm, KvWatchInclude } from "@nats-io/kv";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { BUCKET, keyOf } from "../../load/jetstream/client.ts";
import type { Address } from "../../load/plan.ts";
import { type Audience, LIBRARY_CONNECTIONS_MAX, type Received } from "./audience.ts";

export async function jetStreamWatchers(
  addresses: readonly Address[],
  root: string,
  received: Received,
): Promise<Audience> {
  const subscribers = received.counts.length;
  const connections: NatsConnection[] = [];
  const watch = async (connection: NatsConnection, subscriber: number): Promise<void> => {
    const kv = await new Kvm(connection).open(BUCKET, { allow_direct: true });
    const key = `${keyOf(root)}.>`;
    const entries = await kv.watch({ key, include: KvWatchInclude.UpdatesOnly });
    void (async () => {
      for await (const _entry of entries) received.add(subscriber, 1);
    })();
  };
  return {
    open: async () => {
      const count = Math.min(subscribers, LIBRARY_CONNECTIONS_MAX);
      for (let each = 0; each < count; each += 1) {
        const { host, port } = addresses[each % addresses.length] ?? {};
        connections.push(await connect({ servers: `${host}:${port}` }));
      }
      for (let subscriber = 0; subscriber < subscribers; subscriber += 1) {
        const connection = connections[subscriber % count];
        if (connection !== undefined) await watch(connection, subscriber);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}
