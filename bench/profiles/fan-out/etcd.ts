/** Subscribers that watch a prefix of etcd's keys. */
import { EtcdChannel } from "../../load/etcd/channel.ts";
import {
  prefixEnd,
  watchCreated,
  watchCreateRequest,
  watchEvents,
} from "../../load/etcd/messages.ts";
import type { Address } from "../../load/plan.ts";
import { type Audience, LIBRARY_CONNECTIONS_MAX, type Received } from "./audience.ts";

export async function etcdWatchers(
  addresses: readonly Address[],
  root: string,
  received: Received,
): Promise<Audience> {
  const subscribers = received.counts.length;
  const connections = Math.min(subscribers, LIBRARY_CONNECTIONS_MAX);
  const channels = Array.from({ length: connections }, (_, index) => {
    const address = addresses[index % addresses.length];
    if (address === undefined) throw new Error("subscribers need a server");
    return new EtcdChannel(address);
  });
  const prefix = `${root}/`;
  const watch = (subscriber: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const stream = channels[subscriber % connections]?.watch();
      stream?.on("data", (response: Buffer) => {
        if (watchCreated(response)) resolve();
        received.add(subscriber, watchEvents(response));
      });
      stream?.on("error", (error: Error) => {
        reject(error);
        if (!closed) received.fail(error);
      });
      stream?.write(watchCreateRequest(prefix, prefixEnd(prefix)));
    });
  let closed = false;
  return {
    open: async () => {
      await Promise.all(channels.map((channel) => channel.open()));
      await Promise.all([...received.counts.keys()].map(watch));
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      for (const channel of channels) channel.close();
    },
  };
}
