/** The servers that programs run on: one alone of each, and an ensemble of three of each. */
import { startZooid } from "../../support/zooid.ts";
import { ZooidProcesses } from "../../support/zooid-processes.ts";
import { ZookeeperEnsemble } from "../../support/zookeeper-ensemble.ts";
import { startZookeeper } from "../../support/zookeeper-server.ts";
import { fourLetters } from "../../support/four-letters.ts";
import { type Asked, Gate } from "./gate.ts";
import type { Place } from "./places.ts";
import type { Node } from "./run.ts";

export type Sides = { readonly theirs: readonly Node[]; readonly ours: readonly Node[] };
export type Servers = {
  readonly places: ReadonlyMap<Place, Sides>;
  readonly stop: () => Promise<void>;
};

/** Session timeouts are between 2 and 20 of it: short enough to expire, and long enough for a busy machine. */
const TICK_TIME_MS = 1000;
/** Longer than all programs: when a container ends is a matter of chance, and each program has to see the same. */
const CONTAINER_CHECK_MS = 86_400_000;
const HOST = "127.0.0.1";
const QUOTA = "enforceQuota=true";

type Started = {
  /** That of the leader comes first. */
  readonly ports: readonly number[];
  readonly stop: () => Promise<void>;
};

async function loneZookeeper(): Promise<Started> {
  const { port, stop } = await startZookeeper({
    ...{ tickTimeMs: TICK_TIME_MS, containerCheckMs: CONTAINER_CHECK_MS },
    lines: [QUOTA],
  });
  return { ports: [port], stop };
}

async function loneZooid(): Promise<Started> {
  const { port, stop } = await startZooid({
    tickTimeMs: TICK_TIME_MS,
    lines: [QUOTA, `znode.container.checkIntervalMs=${CONTAINER_CHECK_MS}`],
  });
  return { ports: [port], stop };
}

async function zookeeperEnsemble(): Promise<Started> {
  const ensemble = await ZookeeperEnsemble.start({
    ...{ tickTimeMs: TICK_TIME_MS, containerCheckMs: CONTAINER_CHECK_MS },
    lines: [QUOTA],
  });
  return led(ensemble.ports, () => ensemble.stop());
}

async function zooidEnsemble(): Promise<Started> {
  const nodes = await ZooidProcesses.start([
    ...["--tick-time-ms", String(TICK_TIME_MS), "--enforce-quota", "true"],
    ...["--max-client-connections", "0", "--four-letter-words", "*"],
    ...["--container-check-interval-ms", String(CONTAINER_CHECK_MS)],
  ]);
  const ports = nodes.ids.map((id) => nodes.portOf(id));
  return led(ports, () => nodes.stop());
}

async function led(ports: readonly number[], stop: () => Promise<void>): Promise<Started> {
  const answers = await Promise.all(ports.map((port) => fourLetters({ port }, "srvr")));
  const leader = ports.find((_, index) => answers[index]?.includes("Mode: leader") === true);
  if (leader === undefined) {
    await stop();
    throw new Error(`nobody leads\n${answers.join("\n")}`);
  }
  return { ports: [leader, ...ports.filter((port) => port !== leader)], stop };
}

const STARTS: Readonly<Record<Place, Readonly<Record<"theirs" | "ours", () => Promise<Started>>>>> =
  {
    lone: { theirs: loneZookeeper, ours: loneZooid },
    ensemble: { theirs: zookeeperEnsemble, ours: zooidEnsemble },
  };

/** `isItself`: ZooKeeper is compared with ZooKeeper, which shows that programs say the same each time. */
export async function startServers(places: readonly Place[], isItself = false): Promise<Servers> {
  const stops: (() => Promise<void>)[] = [];
  const gates: Gate[] = [];
  const stop = async (): Promise<void> => {
    for (const gate of gates) gate.close();
    await Promise.all(stops.map((each) => each()));
  };
  const nodesOf = async (starting: Promise<Started>): Promise<readonly Node[]> => {
    const { ports, stop: end } = await starting;
    stops.push(end);
    return ports.map((port, index) => {
      const address = { host: HOST, port };
      const asked: Asked = index === 0 && ports.length > 1 ? "write" : "sync";
      const gate = new Gate(address, asked);
      gates.push(gate);
      return { ...address, asked, gate };
    });
  };
  const starting = places.map((place) => {
    const { theirs, ours } = STARTS[place];
    return { place, theirs: nodesOf(theirs()), ours: nodesOf((isItself ? theirs : ours)()) };
  });
  try {
    // None is still about to start when another has failed.
    await Promise.allSettled(starting.flatMap(({ theirs, ours }) => [theirs, ours]));
    const sides = new Map<Place, Sides>();
    for (const { place, theirs, ours } of starting) {
      sides.set(place, { theirs: await theirs, ours: await ours });
    }
    return { places: sides, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
