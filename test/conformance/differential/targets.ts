/** The servers that programs run on. */
import { startZooid, ZooidEnsemble } from "../../support/zooid.ts";
import { startZookeeper } from "../../support/zookeeper-server.ts";
import type { Address } from "./run.ts";

/** `zookeeper` is compared with itself, which shows that programs say the same each time. */
export const TARGETS = ["zookeeper", "zooid-lone", "leader", "follower"] as const;
export type TargetName = (typeof TARGETS)[number];

export type Target = Address & { readonly name: TargetName };
export type Servers = {
  readonly reference: Address;
  readonly targets: readonly Target[];
  readonly stop: () => Promise<void>;
};

/** Session timeouts are between 2 and 20 of it: short enough to expire, and long enough for a busy machine. */
const TICK_TIME_MS = 1000;
/** Longer than all programs: when a container ends is a matter of chance, and each program has to see the same. */
const CONTAINER_CHECK_MS = 86_400_000;
const HOST = "127.0.0.1";

export async function startServers(names: readonly TargetName[]): Promise<Servers> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.map((each) => each()));
  };
  const started = async <Server extends { readonly stop: () => Promise<void> }>(
    starting: Promise<Server>,
  ): Promise<Server> => {
    const server = await starting;
    stops.push(() => server.stop());
    return server;
  };
  const isWanted = (...of: readonly TargetName[]): boolean =>
    of.some((name) => names.includes(name));
  const options = {
    tickTimeMs: TICK_TIME_MS,
    lines: [`znode.container.checkIntervalMs=${CONTAINER_CHECK_MS}`],
  };
  try {
    const [reference, lone, ensemble] = await Promise.all([
      started(startZookeeper({ tickTimeMs: TICK_TIME_MS, containerCheckMs: CONTAINER_CHECK_MS })),
      isWanted("zooid-lone") ? started(startZooid(options)) : undefined,
      isWanted("leader", "follower") ? started(ZooidEnsemble.start(options)) : undefined,
    ]);
    const ports: Record<TargetName, number | undefined> = {
      zookeeper: reference.port,
      "zooid-lone": lone?.port,
      leader: ensemble?.node(ensemble.firstLeader).port,
      follower: ensemble?.nodes.find(({ id }) => id !== ensemble.firstLeader)?.port,
    };
    const targets = names.flatMap((name) => {
      const port = ports[name];
      return port === undefined ? [] : [{ name, host: HOST, port }];
    });
    return { reference: { host: HOST, port: reference.port }, targets, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
