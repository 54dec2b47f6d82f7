/** Apache ZooKeeper and zooid side by side, for tests that compare them scenario by scenario. */
import anyTest, { type TestFn } from "ava";
import { play, type Address, type Scenario } from "./conformance.ts";
import { startZooid, ZooidEnsemble } from "./zooid.ts";
import { startZookeeper } from "./zookeeper-server.ts";

export type Server = Address & { readonly stop: () => Promise<void> };
export type Pair = { readonly zookeeper: Server; readonly zooid: Server };

/**
 * The server that is compared with Apache ZooKeeper: a zooid node of its own, or what `ZOOID_CONFORMANCE_TARGET=host:port`
 * names, a server with a tickTime of 500 ms that is already running.
 */
export async function startAlone(): Promise<Server> {
  const target = process.env["ZOOID_CONFORMANCE_TARGET"];
  if (target === undefined) return startZooid();
  const [host = "", port = ""] = target.split(":");
  return { host, port: Number(port), stop: () => Promise.resolve() };
}

/** A node alone with so many lanes: 0 is one thread for all. */
export function startWithLanes(lanes: number): () => Promise<Server> {
  return () => startZooid({ lines: [`zooid.lanes=${lanes}`] });
}

/** A follower of an ensemble of three: a write that it is asked for goes to another node over NATS. */
export async function startFollower(): Promise<Server> {
  const ensemble = await ZooidEnsemble.start({
    tickTimeMs: 500,
    flags: ["--container-check-interval-ms", "200"],
  });
  const follower = ensemble.nodes.find(({ id }) => id !== ensemble.firstLeader);
  if (follower === undefined) throw new Error("nobody follows");
  return { host: ensemble.host, port: follower.port, stop: () => ensemble.stop() };
}

/** Declares one test a scenario: both servers' transcripts of it must be equal, line by line. */
export function compare(
  candidate: () => Promise<Server>,
  ...groups: readonly Readonly<Record<string, Scenario>>[]
): void {
  compareWith({ candidate, reference: () => startZookeeper() }, ...groups);
}

type Sides = {
  readonly candidate: () => Promise<Server>;
  readonly reference: () => Promise<Server>;
};

/** As `compare`, with a ZooKeeper that is configured in another way. */
export function compareWith(
  { candidate, reference }: Sides,
  ...groups: readonly Readonly<Record<string, Scenario>>[]
): void {
  const test = anyTest as TestFn<Pair>;
  const pair = withPair(test, candidate, reference);
  for (const [title, scenario] of groups.flatMap((group) => Object.entries(group))) {
    test.serial(title, async (t) => {
      const { zookeeper, zooid } = pair();
      const [expected, actual] = await Promise.all([
        play(scenario, zookeeper),
        play(scenario, zooid),
      ]);
      t.true(expected.length > 1, "the scenario saw nothing");
      t.deepEqual(actual, expected);
    });
  }
}

/** Starts the two before the file's tests and stops them after. */
export function withPair(
  test: TestFn<Pair>,
  candidate: () => Promise<Server>,
  reference: () => Promise<Server> = () => startZookeeper(),
): () => Pair {
  let pair: Pair | undefined;
  const stops: (() => Promise<void>)[] = [];
  const kept = async <Started extends Server>(starting: Promise<Started>): Promise<Started> => {
    const server = await starting;
    stops.push(server.stop);
    return server;
  };
  test.before(async () => {
    const [zookeeper, zooid] = await Promise.all([kept(reference()), kept(candidate())]);
    pair = { zookeeper, zooid };
  });
  test.after.always(async () => {
    await Promise.all(stops.map((stop) => stop()));
  });
  return () => {
    if (pair === undefined) throw new Error("the servers have not started");
    return pair;
  };
}
