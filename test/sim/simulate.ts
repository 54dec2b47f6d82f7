/** One seed: a phase with faults, then everything heals and the ensemble must converge. */
import type { LogState } from "../../actors/log/log.ts";
import type { ClientCounts } from "./client/environment.ts";
import { Cluster } from "./cluster.ts";
import { checkRoles } from "./checks/roles.ts";
import type { RemovalCounts } from "./checks/keeper.ts";
import { compareWhole, otherOrders } from "./checks/trees.ts";
import { must } from "./checks/violation.ts";
import { Coverage } from "./coverage.ts";
import { type FaultCounts, Nemesis } from "./faults/nemesis.ts";
import type { NetworkCounts } from "./network.ts";
import { drawPlan, placementOf, type Plan, type PlanChoice, type SimPlacement } from "./plan.ts";
import type { StreamCounts } from "./client/streams.ts";
import type { SubjectCounts } from "./subjects.ts";
import type { ZooKeeperClients } from "./zookeeper-clients.ts";
import { Random } from "./random.ts";
import { Trace } from "./trace.ts";

export type SimResult = {
  readonly seed: number;
  /** Equal for two runs of a seed: over every delivered message, disk operation and client's bytes, and their times. */
  readonly hash: string;
  readonly steps: number;
  readonly virtualMs: number;
  /** From the end of the faults until all has converged. */
  readonly convergedMs: number;
  readonly epochs: number;
  readonly starts: number;
  readonly clients: ClientCounts;
  readonly streams: StreamCounts;
  readonly subjects: SubjectCounts;
  /** What became of calls and streams of the package's own clients over ZooKeeper's protocol. */
  readonly zookeepers: ZooKeeperClients["counts"];
  readonly network: NetworkCounts;
  readonly placement: SimPlacement;
  readonly faults: FaultCounts;
  /** Situations reached. */
  readonly coverage: readonly string[];
  /** By number, the recorded shapes of real clients' requests that were drawn. */
  readonly shapes: readonly number[];
  readonly removals: RemovalCounts;
  /** At the end, znodes whose children have another order on some lane than on another. */
  readonly otherOrders: number;
};

export type SimOptions = PlanChoice & {
  /** Hears every event as it happens; without it only the last are kept, for a failure. */
  readonly onEvent?: (line: string) => void;
  /** Also messages between nodes and disk operations are events. */
  readonly verbose?: boolean;
  /** Called before anything has happened, so that somebody can look on, who must change nothing. */
  readonly onCluster?: (cluster: Cluster) => void;
};

/** What a run that fails throws: its cause is the violation. */
export class SimFailure extends Error {
  override readonly name = "SimFailure";
  readonly seed: number;
  readonly events: readonly string[];

  constructor(seed: number, cause: unknown, plan: Plan, events: readonly string[]) {
    const text = cause instanceof Error ? cause.message : String(cause);
    super([`seed ${seed}: ${text}`, `  ${planText(plan)}`, ...events].join("\n"), { cause });
    this.seed = seed;
    this.events = events;
  }
}

/**
 * After the faults have ended, with all nodes up: a leader, every client attached and answered, and equal trees within so
 * much virtual time. The longest session timeout, 8 s, is part of it: a client may first have to give a connection up.
 */
export const CONVERGENCE_MS = 30_000;
/** Requests of each client that must be answered after the faults. */
const ANSWERS_MIN = 3;
const EVENTS_SHOWN = 80;

export function simulate(seed: number, options: SimOptions = {}): SimResult {
  const plan = drawPlan(seed, options);
  const coverage = new Coverage();
  const cluster = new Cluster(
    plan,
    (clock) => new Trace(() => clock.nowMs(), options.verbose === true),
    coverage,
  );
  cluster.trace.listener = options.onEvent;
  options.onCluster?.(cluster);
  try {
    return run(cluster, coverage);
  } catch (error) {
    throw new SimFailure(seed, error, plan, cluster.trace.events.slice(-EVENTS_SHOWN));
  }
}

function run(cluster: Cluster, coverage: Coverage): SimResult {
  const { plan, clock, trace } = cluster;
  const nemesis = new Nemesis(cluster, new Random(plan.seed).stream(4));
  nemesis.begin();
  cluster.run(plan.durationMs);
  nemesis.end();
  const healedMs = clock.nowMs();
  converge(cluster, healedMs + CONVERGENCE_MS);
  compareWhole(cluster.nodes, plan.lanes, cluster.truth.model);
  return {
    seed: plan.seed,
    hash: trace.hash,
    steps: trace.steps,
    virtualMs: clock.nowMs(),
    convergedMs: clock.nowMs() - healedMs,
    epochs: Math.max(...cluster.nodes.map((node) => node.log.promisedEpoch)),
    starts: cluster.nodes.reduce((sum, node) => sum + node.starts, 0),
    clients: cluster.counts,
    streams: cluster.natives.counts,
    subjects: cluster.natives.subjects.counts,
    zookeepers: cluster.zookeepers.counts,
    network: cluster.network.counts,
    placement: placementOf(plan),
    faults: nemesis.counts,
    coverage: coverage.keys(),
    shapes: cluster.shapes.drawn,
    removals: cluster.truth.model.removals.counts,
    otherOrders: otherOrders(cluster.nodes, plan.lanes, cluster.truth.model),
  };
}

/** First every client is answered; then they ask for nothing more, and every lane of every node stands at the same zxid. */
function converge(cluster: Cluster, untilMs: number): void {
  const { nodes, users, readers, clock, plan, truth } = cluster;
  const living = cluster.everyone.filter((client) => !client.ended);
  for (const client of living) client.answered = 0;
  const until = (what: string, holds: () => boolean): void => {
    while (!holds()) {
      must(clock.nowMs() < untilMs, "liveness", () => {
        const stands = living.map((client) => `${client.name}: ${client.describe()}`);
        return `not within ${CONVERGENCE_MS} ms: ${what}; ${stands.join("; ")}`;
      });
      cluster.run(20);
    }
  };
  until("who was replaced has stopped", () => cluster.ghosts.replaced(nodes).length === 0);
  // The processes that are left belong to folders that count, and would keep others from taking their places.
  cluster.ghosts.endAll();
  until("every node leads or follows", () => nodes.every((node) => node.established));
  until("every node has its vote", () => nodes.every((node) => node.votes));
  until("no node refuses writes for which there is room", () => {
    const admission = nodes.some((node) => node.tree(1)?.memory.full === true) ? "noGrowth" : "all";
    return nodes.every((node) => node.gateway(1)?.admission === admission);
  });
  until("every client is answered", () => {
    return living.every((client) => client.connected && client.answered >= ANSWERS_MIN);
  });
  until("no session is left whose client is gone", () => {
    const held = new Set(living.map((client) => client.session?.id));
    return [...truth.model.sessions.keys()].every((id) => held.has(id));
  });
  until("no znode is left whose lifetime is over", () => truth.model.overdue.length === 0);
  for (const client of living) client.quiet = true;
  until("every client has all its answers", () => living.every((client) => client.pending === 0));
  until("every change stream has told everything", () => {
    return users.every((client) => client.complete) && readers?.complete !== false;
  });
  until("the feed has told everything", () => cluster.invariants.feed.isComplete(nodes));
  until("every log that calls for a snapshot has one", () => {
    return nodes.every((node) => {
      const { loggedBytes, cutting } = node.stateOf("log") as LogState;
      return loggedBytes < (cutting.atBytes ?? Infinity);
    });
  });
  until("every lane has applied everything", () =>
    nodes.every((node) => {
      for (let lane = 1; lane <= plan.lanes; lane += 1) {
        if (node.tree(lane)?.lastApplied !== truth.latest) return false;
      }
      return true;
    }),
  );
  checkRoles(nodes, plan.lanes);
}

/** The sizes of a run, for the report of a failure. */
export function planText(plan: Plan): string {
  const { nodes, lanes, clients, faults, directed } = plan;
  const split = `, ${placementOf(plan)}`;
  const [natives, zookeepers] = [plan.natives, plan.zookeepers].map((each) => each.clients.length);
  const kinds = Object.keys(faults).join(" ") || "none";
  const purpose = directed === undefined ? "" : `${directed}: `;
  return `${purpose}${nodes} nodes of ${lanes} lanes${split}, ${clients.length} clients, ${natives} native, ${zookeepers} over ZooKeeper's protocol; faults: ${kinds}`;
}
