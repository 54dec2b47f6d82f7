/** Plans with a purpose, beside the random ones. Each leads to situations that random plans hardly ever reach. */
import { SNAPSHOT_CHUNK_BYTES_SOFT_MAX } from "../../protocol/limits.ts";
import { repeats } from "./directed-repeats.ts";
import { endings, handshakes, replacements, successions } from "./directed-sessions.ts";
import type { FaultKind } from "./faults/kinds.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";
import { removals } from "./removals.ts";
import { subscribers } from "./subscribers.ts";
import { zookeepers } from "./directed-zookeepers.ts";

export type DirectedPlan = {
  /** Part of all seeds. */
  readonly rate: number;
  /** What it has in place of what was drawn. */
  readonly change: (plan: Plan, random: Random) => Partial<Plan>;
};

export type DirectedName =
  | "hostile"
  | "snapshots"
  | "amnesia"
  | "truncations"
  | "successions"
  | "handshakes"
  | "replacements"
  | "identities"
  | "endings"
  | "removals"
  | "subscribers"
  | "repeats"
  | "zookeepers";

/** Their rates together are well below 1: the other seeds stay as random as they are. */
export const DIRECTED: Readonly<Record<DirectedName, DirectedPlan>> = {
  hostile: { rate: 0.07, change: hostile },
  snapshots: { rate: 0.05, change: snapshots },
  amnesia: { rate: 0.04, change: amnesia },
  truncations: { rate: 0.04, change: truncations },
  successions: { rate: 0.07, change: successions },
  handshakes: { rate: 0.04, change: handshakes },
  replacements: { rate: 0.02, change: replacements },
  identities: { rate: 0.1, change: identities },
  endings: { rate: 0.03, change: endings },
  removals: { rate: 0.04, change: removals },
  subscribers: { rate: 0.03, change: subscribers },
  repeats: { rate: 0.04, change: repeats },
  zookeepers: { rate: 0.04, change: zookeepers },
};

export function isDirected(name: string): name is DirectedName {
  return Object.hasOwn(DIRECTED, name);
}

/** The kind that a seed's number falls to. Undefined: none. */
export function drawDirected(random: Random): DirectedName | undefined {
  let left = random.random();
  for (const [name, { rate }] of Object.entries(DIRECTED)) {
    left -= rate;
    if (left < 0 && isDirected(name)) return name;
  }
  return undefined;
}

/**
 * No node fails for long and no disk has faults. But messages arrive late and in any order, above all those about where a log ends, and
 * logs are purged quickly: so what was right when it was sent is wrong when it is received.
 */
function hostile(plan: Plan, random: Random): Partial<Plan> {
  const kinds: readonly FaultKind[] = [
    "heal",
    "kill",
    "clog",
    "cutOneWay",
    "killLeader",
    "overtaking",
  ];
  return {
    nodes: random.pick([3, 3, 3, 5]),
    ...SMALL_LOG,
    snapshotChunkBytes: random.pick([600, SNAPSHOT_CHUNK_BYTES_SOFT_MAX]),
    network: {
      lossRate: random.pick([0, 0, 0.05]),
      duplicationRate: random.pick([0, 0.1, 0.3]),
      delayMs: { min: 0.05, max: random.pick([1, 3, 10]) },
      lateRate: 0.1 + random.random() * 0.3,
    },
    stragglers: {
      rate: random.pick([0.5, 0.8]),
      lateMs: { min: 50, max: random.pick([500, 3000]) },
    },
    diskMs: { min: 0.02, max: random.pick([0.2, 1]) },
    faultIntervalMs: random.pick([400, 800, 1500]),
    faults: { ...Object.fromEntries(kinds.map((kind) => [kind, 0.2 + random.random()])), heal: 2 },
    driftMax: 0,
    ...writing(plan, 4),
  };
}

/** Folders take the place of others whose processes live on, elections come often, and some are told to stand for no reason. */
function identities(plan: Plan, random: Random): Partial<Plan> {
  const kinds: readonly FaultKind[] = [
    "replaceLiving",
    "ghostsMeet",
    "wipe",
    "oldCopy",
    "oldCopy",
    "copyBeside",
    "copyBeside",
    "secondEnsemble",
    "wrongMembers",
    "wrongElection",
    "killLeader",
    "kill",
    "isolate",
    "cutOneWay",
    "heal",
  ];
  return {
    nodes: random.pick([3, 3, 5, 5]),
    replaceAfterMs: random.pick([100, 300]),
    network: { ...plan.network, lossRate: random.pick([0, 0.05]) },
    diskMs: { min: 0.02, max: random.pick([0.2, 10]) },
    faultIntervalMs: random.pick([100, 200, 400]),
    faults: { ...Object.fromEntries(kinds.map((kind) => [kind, 0.2 + random.random()])), heal: 1 },
    durationMs: Math.max(plan.durationMs, 8000),
    ...(random.chance(0.5) ? SMALL_LOG : {}),
    ...writing(plan, 2),
  };
}

/** Restarts around every snapshot, which is cut, loaded and transferred in many small pieces. */
function snapshots(plan: Plan, random: Random): Partial<Plan> {
  const kinds: readonly FaultKind[] = [
    "heal",
    "isolate",
    "cutOneWay",
    "crashAtSnapshot",
    "crashAtSnapshot",
    "kill",
    "powerFailure",
    "wrongElection",
  ];
  return {
    nodes: random.pick([3, 3, 5]),
    ...SMALL_LOG,
    snapshotChunkBytes: random.pick([100, 300, 1000]),
    stragglers: { rate: random.pick([0, 0.2]), lateMs: { min: 20, max: 1000 } },
    sizes: sizesOf(random.pick([4000, 40_000])),
    faultIntervalMs: random.pick([100, 200, 400]),
    faults: Object.fromEntries(kinds.map((kind) => [kind, 0.2 + random.random()])),
    ...writing(plan, 3),
  };
}

/** Disks are lost while what was acknowledged and promised with them is still on its way. */
function amnesia(plan: Plan, random: Random): Partial<Plan> {
  return {
    nodes: random.pick([3, 3, 5]),
    network: { ...plan.network, lossRate: 0, delayMs: { min: 0.05, max: random.pick([3, 20]) } },
    stragglers: {
      rate: random.pick([0.2, 0.5]),
      lateMs: { min: 50, max: random.pick([500, 2000]) },
    },
    diskMs: { min: 0.02, max: random.pick([1, 10]) },
    faultIntervalMs: random.pick([200, 400]),
    faults: {
      damage: 1.5,
      promiseForgotten: 1.5,
      loseLastWrite: 0.3,
      wrongElection: 1,
      heal: 1,
      cutOneWay: 0.5,
      slowLink: 0.5,
      killLeader: 0.5,
      wallJump: 0.3,
    },
    ...writing(plan, 3),
  };
}

/** Leaders write on alone, into many small segments, and have it cut off by the next one; nodes crash as they cut. */
function truncations(plan: Plan, random: Random): Partial<Plan> {
  return {
    nodes: random.pick([3, 3, 5]),
    segmentBytes: 4096,
    snapshotEveryBytes: 100 * 1024,
    sizes: sizesOf(LARGE_WINDOW_BYTES),
    network: { ...plan.network, delayMs: { min: 0.05, max: 3 } },
    faultIntervalMs: random.pick([200, 400]),
    faults: {
      isolateLeader: 2,
      muteLeader: 0.5,
      crashAtTruncation: 1,
      heal: 0.5,
    },
    // A record each has a segment of its own.
    ...writing(plan, 4, { dataBytes: 4500, outstandingMax: 4 }),
    requestsMax: 400,
    lanes: 2,
  };
}

/** At least so many clients, all of which write: what is rare comes with the length of the log. */
function writing(
  plan: Plan,
  count: number,
  { dataBytes = 200, outstandingMax = 4 } = {},
): Pick<Plan, "clients" | "requestsMax"> {
  const [first] = plan.clients;
  const clients = [...plan.clients];
  while (first !== undefined && clients.length < count) clients.push(first);
  return {
    requestsMax: Math.max(plan.requestsMax, 800),
    clients: clients.map((workload) => ({
      ...workload,
      mix: { ...workload.mix, setData: 1 + workload.mix.setData },
      thinkMs: 3,
      dataBytes,
      outstandingMax: Math.max(outstandingMax, workload.outstandingMax),
      hog: false,
    })),
  };
}

const SMALL_LOG = { segmentBytes: 4096, snapshotEveryBytes: 4096 } as const;

export const LARGE_WINDOW_BYTES: number = 48 * 1024 * 1024;

/** `windowBytes`: of records on their way, and in memory. */
export function sizesOf(windowBytes: number): Plan["sizes"] {
  return {
    recent: 2 * windowBytes,
    uncommitted: windowBytes,
    catchUp: Math.max(1, Math.floor(windowBytes / 4)),
  };
}
