/** Subscribers that speak ZooKeeper's protocol: each is a connection with one watch. */
import type { Address } from "../../load/plan.ts";
import { Recorder } from "../../load/recorder.ts";
import { LoadConnection } from "../../load/zookeeper/connection.ts";
import { addWatchFrame, CODE_OK, getDataFrame, WireError } from "../../load/zookeeper/wire.ts";
import { type Audience, NotOfferedError, type Received } from "./audience.ts";

const OPENING_MAX = 100;

type Watchers = {
  readonly addresses: readonly Address[];
  readonly received: Received;
  /** What each subscriber asks for first. */
  readonly first: Buffer;
  readonly onEvent: (connection: LoadConnection, subscriber: number) => void;
};

/**
 * Each subscriber watches one znode once, and reads it again with a new watch when it has been told. An event counts when the new watch
 * is there.
 */
export async function oneShotWatchers(
  addresses: readonly Address[],
  path: string,
  received: Received,
): Promise<Audience> {
  const first = getDataFrame(path, true);
  const rearm = async (connection: LoadConnection, subscriber: number): Promise<void> => {
    try {
      await connection.request(first);
      received.add(subscriber, 1);
    } catch (error) {
      received.fail(error instanceof Error ? error : new WireError(String(error)));
    }
  };
  const onEvent = (connection: LoadConnection, subscriber: number): void => {
    void rearm(connection, subscriber);
  };
  return await watchers({ addresses, received, first, onEvent });
}

export async function persistentWatchers(
  addresses: readonly Address[],
  root: string,
  received: Received,
): Promise<Audience> {
  return await watchers({
    ...{ addresses, received, first: addWatchFrame(root) },
    onEvent: (_connection, subscriber) => received.add(subscriber, 1),
  });
}

async function watchers({ addresses, received, first, onEvent }: Watchers): Promise<Audience> {
  const recorder = new Recorder();
  const connections = [...received.counts.keys()].map((subscriber) => {
    const address = addresses[subscriber % addresses.length];
    if (address === undefined) throw new WireError("subscribers need a server");
    return new LoadConnection(address, recorder, 1);
  });
  return {
    open: async () => {
      for (let from = 0; from < connections.length; from += OPENING_MAX) {
        const some = connections.slice(from, from + OPENING_MAX);
        await Promise.all(some.map((connection) => connection.open()));
      }
      for (const [subscriber, connection] of connections.entries()) {
        connection.onEvent = () => onEvent(connection, subscriber);
        connection.onLost = () =>
          received.fail(connection.lost ?? new WireError("a subscriber is lost"));
      }
      const codes = await Promise.all(connections.map((connection) => connection.request(first)));
      const refused = codes.find((code) => code !== CODE_OK);
      if (refused !== undefined) throw new NotOfferedError(`the watch is refused with ${refused}`);
    },
    [Symbol.asyncDispose]: async () => {
      for (const connection of connections) connection.close();
    },
  };
}
