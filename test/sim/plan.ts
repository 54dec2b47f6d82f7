/** What a seed draws before its run begins: sizes, timeouts, workloads, and which faults come how often. Swarm testing. */
import type { FeedOptions } from "../../actors/feed/feed.ts";
import type { LogSyncSizes } from "../../actors/log-sync/state.ts";
import { REMOVAL_LIMITS, type RemovalLimits } from "../../actors/tree/removal-limits.ts";
import { GATEWAY_HELD_BYTES_MAX } from "../../protocol/limits.ts";
import {
  CHANGE_RING_BYTES_MAX,
  SNAPSHOT_CHUNK_BYTES_SOFT_MAX,
  STREAM_PENDING_BYTES_MAX,
} from "../../protocol/limits.ts";
import { PROOFS } from "./client/identities.ts";
import type { Workload } from "./client/workload.ts";
import {
  DIRECTED,
  type DirectedName,
  drawDirected,
  LARGE_WINDOW_BYTES,
  sizesOf,
} from "./directed.ts";
import { renewalsOf } from "./directed-sessions.ts";
import { type FaultKind, FAULTS } from "./faults/kinds.ts";
import { Random, type Range } from "./random.ts";
import { drawRemovals } from "./removals.ts";

export type Plan = {
  readonly seed: number;
  /** The plan is a directed one, with a purpose. */
  readonly directed: DirectedName | undefined;
  readonly nodes: number;
  readonly lanes: number;
  /** Each thread of a node is a system of its own, with messages between them on their way for so long. */
  readonly threads:
    | { readonly delayMs: Range; readonly laneFactors: readonly number[] }
    | undefined;
  /** The threads of a node are not apart, and its thread waits for its disk: it hears nothing meanwhile. */
  readonly waitsForDisk: boolean;
  readonly segmentBytes: number;
  readonly snapshotEveryBytes: number;
  readonly heartbeatIntervalMs: number;
  readonly peerTimeoutMs: number;
  readonly failoverGraceMs: number;
  readonly minSessionTimeoutMs: number;
  readonly network: {
    readonly lossRate: number;
    readonly duplicationRate: number;
    readonly delayMs: Range;
    readonly lateRate: number;
  };
  /** Some messages about where logs end, and some chunks of snapshots, come late or twice. */
  readonly stragglers: { readonly rate: number; readonly lateMs: Range };
  readonly clientDelayMs: Range;
  readonly diskMs: Range;
  /** The faults' phase. */
  readonly durationMs: number;
  /** Between two faults. */
  readonly faultIntervalMs: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** Largest deviation of a clock's rate from 1. */
  readonly driftMax: number;
  /** When each node is started. */
  readonly startMs: readonly number[];
  readonly clients: readonly Workload[];
  readonly requestsMax: number;
  /** Nodes have readers of changes in their own processes, which take this share of what they are given late. Undefined: none has. */
  readonly readers: { readonly lateShare: number } | undefined;
  /** The leader publishes changes, and remembers so much of what came before. Undefined: it does not. */
  readonly feed:
    | Required<Pick<FeedOptions, "repeatedMax" | "knownBytesMax" | "markMs">>
    | undefined;
  /** Messages between threads are copied, as between real ones; without it a receiver holds the sender's own objects. */
  readonly copies: boolean;
  readonly sizes: LogSyncSizes;
  readonly snapshotChunkBytes: number;
  readonly memory: {
    /** From where on writes that grow the tree are refused, the same on every node. */
    readonly treeBytes: number;
    /**
     * The bytes that a gateway holds for all its connections before they wait. A native client would be refused instead, for which
     * the simulated ones are not prepared.
     */
    readonly heldBytes: number;
  };
  /** The bytes of recent changes that a lane keeps. */
  readonly ringBytes: number;
  /** The bytes of changes that wait for a stream's credits before the stream pauses. */
  readonly streamPendingBytes: number;
  readonly reaper: {
    readonly checkIntervalMs: number;
    readonly perMinuteMax: number;
    readonly unusedMs: number;
  };
  /** What removeRecursives may look at and delete, the same on every node. */
  readonly removals: RemovalLimits;
  /** What is limited of all clients of a node: they are held back, and have to come through all the same. 0: nothing is. */
  readonly clientLimits: { readonly requests: number; readonly sessionTokens: number };
  /** A folder may replace another one of which nothing was received for this long. */
  readonly replaceAfterMs: number;
  readonly natives: {
    readonly clients: readonly Workload[];
    /** The fraction of their messages, and of messages to them, that is lost. */
    readonly lossRate: number;
    readonly streamsMax: number;
    /** Between two grants of credits. */
    readonly grantMs: number;
  };
  /** Users of the package's own client over ZooKeeper's protocol. */
  readonly zookeepers: {
    readonly clients: readonly Workload[];
    readonly streamsMax: number;
    readonly grantMs: number;
  };
};

/**
 * How the actors of a node are shared out. `together`: all are in one system, with a disk that works beside it, which no real node is:
 * what happens at all happens soonest there.
 */
export type SimPlacement = "oneThread" | "ownThreads" | "together";

export const SIM_PLACEMENTS: readonly SimPlacement[] = ["oneThread", "ownThreads", "together"];

export function placementOf({ threads, waitsForDisk }: Plan): SimPlacement {
  if (threads !== undefined) return "ownThreads";
  return waitsForDisk ? "oneThread" : "together";
}

/** The plan with its nodes' actors shared out so, whatever was drawn. */
function placedAs(plan: Plan, placement: SimPlacement): Plan {
  const { lanes } = plan;
  const laneFactors = plan.threads?.laneFactors ?? Array.from({ length: lanes }, () => 1);
  const delayMs = plan.threads?.delayMs ?? { min: 0.01, max: 0.05 };
  return {
    ...plan,
    threads: placement === "ownThreads" ? { delayMs, laneFactors } : undefined,
    waitsForDisk: placement === "oneThread",
  };
}

export function drawPlan(seed: number, { directed, placement }: PlanChoice = {}): Plan {
  const plan = drawWhole(seed, directed);
  return placement === undefined ? plan : placedAs(plan, placement);
}

function drawWhole(seed: number, directed: DirectedName | undefined): Plan {
  const random = new Random(seed).stream(DIRECTED_STREAM);
  const drawn = drawDirected(random);
  const name = directed ?? drawn;
  const plan = drawRandomPlan(seed);
  if (name === undefined) {
    return withZooKeepers(plan, new Random(seed).stream(ZOOKEEPERS_STREAM));
  }
  const changed = { ...plan, ...DIRECTED[name].change(plan, random), directed: name };
  return { ...changed, startMs: Array.from({ length: changed.nodes }, () => 0) };
}

/** What is not left to the seed. */
export type PlanChoice = {
  readonly directed?: DirectedName | undefined;
  readonly placement?: SimPlacement | undefined;
};

/** In one of this many seeds, nodes have readers in their own processes. */
const READERS_SEEDS = 4;
/** The data of one znode. */
const LARGE_DATA_BYTES = 1000;
const LARGE_DATA_CHUNK_BYTES = 5000;
const LARGE_DATA_WINDOW_BYTES = 400_000;

function drawRandomPlan(seed: number): Plan {
  const random = new Random(seed).stream(1);
  const nodes = Number(
    random.weighted({ "1": 7, "2": 5, "3": 55, "4": 5, "5": 20, "6": 3, "7": 5 }) ?? "3",
  );
  const calm = random.chance(0.3);
  const clients = 1 + random.below(6);
  const minSessionTimeoutMs = random.pick([1000, 2000, 4000]);
  const renewals = renewalsOf(minSessionTimeoutMs);
  // Native clients take the places of others: a seed is to stay as quick as it is.
  const { hogs, renews, ...others } = drawOthers(
    new Random(seed).stream(OTHERS_STREAM),
    minSessionTimeoutMs,
  );
  const identities = new Random(seed).stream(IDENTITY_STREAM);
  const quotas = new Random(seed).stream(QUOTAS_STREAM).chance(0.25);
  const several = random.chance(0.25);
  const apart = random.chance(0.35);
  const threads = apart ? { delayMs: { min: 0.01, max: random.pick([0.05, 1]) } } : undefined;
  const plan = {
    seed,
    directed: undefined,
    nodes,
    readers: seed % READERS_SEEDS === 0 ? { lateShare: 0.3 } : undefined,
    feed: drawFeed(new Random(seed).stream(FEED_STREAM)),
    ...drawLanes(new Random(seed).stream(LANES_STREAM), several, threads),
    waitsForDisk: new Random(seed).stream(DISK_STREAM).chance(0.6),
    segmentBytes: random.pick([4096, 16 * 1024, 64 * 1024]),
    snapshotEveryBytes: random.pick([6, 24, 100]) * 1024,
    heartbeatIntervalMs: random.pick([50, 100, 100, 200]),
    peerTimeoutMs: random.pick([500, 1000, 2000]),
    failoverGraceMs: random.pick([500, 2000]),
    minSessionTimeoutMs,
    network: {
      lossRate: calm || random.chance(0.5) ? 0 : random.random() * 0.2,
      duplicationRate: calm || random.chance(0.5) ? 0 : random.random() * 0.3,
      delayMs: { min: 0.05, max: random.pick([0.5, 3, 3, 60]) },
      lateRate: calm || random.chance(0.5) ? 0 : random.random() * 0.2,
    },
    clientDelayMs: { min: 0.05, max: random.pick([0.3, 3, 30]) },
    diskMs: { min: 0.02, max: random.pick([0.2, 1, 1, 10]) },
    durationMs: 4000 + random.random() * 8000,
    faultIntervalMs: random.pick([150, 300, 600, 1200]),
    faults: {
      ...drawFaults(random),
      ...drawIdentityFaults(identities, nodes),
      ...drawHandovers(new Random(seed).stream(HANDOVERS_STREAM), nodes),
    },
    driftMax: random.pick([0, 0, 0.001, 0.02]),
    startMs: Array.from({ length: nodes }, () => (random.chance(0.1) ? random.random() * 4000 : 0)),
    clients: Array.from({ length: clients }, () => drawWorkload(random, minSessionTimeoutMs))
      .slice(Math.min(clients - 1, others.natives.clients.length))
      .map((workload, index) => (hogs && index === 0 ? { ...workload, ...HOG } : workload))
      .map((workload) => (renews ? { ...workload, renewals } : workload))
      .map((workload, index) => {
        return withLifetimes(workload, new Random(seed).stream(LIFETIMES_STREAM + index));
      })
      .map((workload) => (quotas ? { ...workload, quotas: QUOTAS_SHARE } : workload))
      .map((workload) => ({ ...workload, mix: { ...workload.mix, wide: WIDE_WEIGHT } })),
    requestsMax: Math.round((600 + random.random() * 1200) / Math.sqrt(nodes)),
    replaceAfterMs: identities.pick([200, 1000, 3000]),
    ...others,
    zookeepers: { clients: [], streamsMax: 0, grantMs: 0 },
    ...drawSizes(new Random(seed).stream(SIZES_STREAM)),
    memory: drawMemory(new Random(seed).stream(MEMORY_STREAM)),
    reaper: drawReaper(new Random(seed).stream(REAPER_STREAM)),
    removals: REMOVAL_LIMITS,
    clientLimits: new Random(seed).stream(LIMITS_STREAM).chance(0.25) ? LIMITS : NO_LIMITS,
  };
  const shaped = withShapes(plan, new Random(seed).stream(SHAPES_STREAM));
  const lists = withGuarded(shaped, new Random(seed).stream(GUARDED_STREAM));
  const guarded = withKeeper(lists, new Random(seed).stream(KEEPER_STREAM));
  // Large values, one at a time on their way or in the smallest chunks, would be under way for longer than a seed has time to
  // converge.
  const isLarge = plan.clients.some(({ dataBytes }) => dataBytes > LARGE_DATA_BYTES);
  if (!isLarge) return guarded;
  const windowBytes = Math.max(plan.sizes.recent / 2, LARGE_DATA_WINDOW_BYTES);
  const snapshotChunkBytes = Math.max(plan.snapshotChunkBytes, LARGE_DATA_CHUNK_BYTES);
  return { ...guarded, snapshotChunkBytes, sizes: sizesOf(windowBytes) };
}

/**
 * In some seeds the package's own client takes the places of some that speak ZooKeeper's protocol by themselves. It has no watches but those
 * of its streams, asks for no multiReads and is not served by a node that only reads.
 */
function withZooKeepers(plan: Plan, random: Random): Plan {
  const count = Math.min(random.pick([1, 1, 2]), plan.clients.length - 1);
  if (count < 1 || !random.chance(0.4)) return plan;
  const clients = plan.clients.slice(-count).map(ofOwnClient);
  const zookeepers = {
    ...{ clients, streamsMax: random.whole(1, 4), grantMs: random.pick([10, 10, 100, 1000]) },
  };
  return { ...plan, clients: plan.clients.slice(0, -count), zookeepers };
}

/** What a user of the package's own client over ZooKeeper's protocol asks for, and how. */
export function ofOwnClient(workload: Workload): Workload {
  return {
    ...workload,
    mix: { ...workload.mix, watch: 0, multiRead: 0, shaped: 0 },
    ...{ renewals: [], patient: false, readOnly: false, flood: false, hog: false, quotas: 0 },
  };
}

/** In some seeds clients prove who they are, and ask for znodes with access control lists. */
function withGuarded(plan: Plan, random: Random): Plan {
  if (!random.chance(0.4)) return plan;
  const weight = random.pick([0.5, 2, 6]);
  const mixed = (workload: Workload): Workload => ({
    ...workload,
    mix: { ...workload.mix, guarded: weight },
  });
  const { natives } = plan;
  return {
    ...plan,
    clients: plan.clients.map((each) => ({ ...mixed(each), proofs: random.pick(PROOFS) })),
    natives: {
      ...natives,
      clients: natives.clients.map((each, index) => ({
        ...mixed(each),
        proofs: PROOFS[(index + 1) % PROOFS.length],
      })),
    },
  };
}

/** In some seeds clients ask for what only ClickHouse Keeper's do. */
function withKeeper(plan: Plan, random: Random): Plan {
  if (!random.chance(0.35)) return plan;
  const keeper = random.pick([0.5, 2, 4]);
  const removals = random.chance(0.7) ? drawRemovals(random) : plan.removals;
  const mixed = (workload: Workload): Workload =>
    workload.mix.setData > 0 ? { ...workload, mix: { ...workload.mix, keeper } } : workload;
  const natives = { ...plan.natives, clients: plan.natives.clients.map(mixed) };
  return { ...plan, removals, clients: plan.clients.map(mixed), natives };
}

/** In some seeds clients ask for what real clients ask for, and leave many znodes with a TTL. */
function withShapes(plan: Plan, random: Random): Plan {
  if (!random.chance(0.3)) return plan;
  const shaped = random.pick([0.5, 2, 6]);
  const clients = plan.clients.map((each) => ({ ...each, mix: { ...each.mix, shaped } }));
  const perMinuteMax = Math.max(plan.reaper.perMinuteMax, 6000);
  return { ...plan, clients, reaper: { ...plan.reaper, perMinuteMax } };
}

/** Rare: the plan `identities` is made of them. */
function drawIdentityFaults(random: Random, nodes: number): Plan["faults"] {
  if (nodes < 3 || !random.chance(0.1)) return {};
  return { oldCopy: 0.5, copyBeside: 0.5, secondEnsemble: 0.2 };
}

/** In some seeds leaders hand their office over, in few of them all the time. */
function drawHandovers(random: Random, nodes: number): Plan["faults"] {
  if (nodes < 2 || !random.chance(0.35)) return {};
  return { handOver: random.pick([0.5, 1, 1, 6]), wrongTakeOver: 0.2, orderlyStop: 0.5 };
}

/** Snapshots in one piece or in many, everything in memory or nearly nothing. */
function drawSizes(random: Random): Pick<Plan, "sizes" | "snapshotChunkBytes" | "stragglers"> {
  return {
    snapshotChunkBytes: random.pick([150, 600, 3000, SNAPSHOT_CHUNK_BYTES_SOFT_MAX]),
    sizes: sizesOf(random.pick([4000, 40_000, LARGE_WINDOW_BYTES])),
    stragglers: { rate: random.pick([0, 0, 0, 0.1]), lateMs: { min: 20, max: 2000 } },
  };
}

/** It must be done with all znodes that clients can have left within the time to converge. */
function drawReaper(random: Random): Plan["reaper"] {
  return {
    checkIntervalMs: random.pick([20, 20, 200, 1000]),
    perMinuteMax: random.pick([60, 600, 6000, 600_000]),
    unusedMs: random.pick([0, 0, 500]),
  };
}

function drawFeed(random: Random): Plan["feed"] {
  if (!random.chance(0.4)) return undefined;
  const knownBytesMax = random.pick([1000, 8000, 1e6]);
  return { repeatedMax: random.pick([1, 4, 1024]), knownBytesMax, markMs: random.pick([20, 500]) };
}

function drawMemory(random: Random): Plan["memory"] {
  const none = Array<number>(5).fill(Number.POSITIVE_INFINITY);
  return {
    treeBytes: random.pick([4_000, 7_000, 12_000, ...none]),
    heldBytes: random.pick([1_000, 20_000, GATEWAY_HELD_BYTES_MAX, GATEWAY_HELD_BYTES_MAX]),
  };
}

/** Lanes beside each other, some of them slower than others. */
function drawLanes(
  random: Random,
  several: boolean,
  threads: { readonly delayMs: Range } | undefined,
): Pick<Plan, "lanes" | "threads"> {
  const lanes = several ? random.pick([2, 2, 2, 3, 4]) : 1;
  if (threads === undefined) return { lanes, threads };
  const laneFactors = Array.from({ length: lanes }, () => random.pick([1, 1, 1, 20]));
  return { lanes, threads: { ...threads, laneFactors } };
}

/** Drawn from a stream of its own, so that it changes nothing else of the plan. */
const OTHERS_STREAM = 11;
const SIZES_STREAM = 12;
const DIRECTED_STREAM = 13;
const LANES_STREAM = 15;
const IDENTITY_STREAM = 16;
const MEMORY_STREAM = 17;
const DISK_STREAM = 18;
const REAPER_STREAM = 19;
/** And those that follow, one for each client. */
const LIFETIMES_STREAM = 100;
const QUOTAS_STREAM = 20;
const QUOTAS_SHARE = 0.08;
const WIDE_WEIGHT = 0.08;
const GUARDED_STREAM = 21;
const KEEPER_STREAM = 22;
const SHAPES_STREAM = 23;
const LIMITS_STREAM = 24;
const FEED_STREAM = 25;
const ZOOKEEPERS_STREAM = 26;
const HANDOVERS_STREAM = 27;
const LIMITS: Plan["clientLimits"] = { requests: 3, sessionTokens: 2 };
export const NO_LIMITS: Plan["clientLimits"] = { requests: 0, sessionTokens: 0 };
/** The load of a client that asks for too much: with this much data its replies exceed what a gateway writes ahead. */
const HOG = { hog: true, dataBytes: 20_000 } as const;

function drawOthers(
  random: Random,
  minSessionTimeoutMs: number,
): Pick<Plan, "ringBytes" | "copies" | "natives" | "streamPendingBytes"> & {
  readonly hogs: boolean;
  readonly renews: boolean;
} {
  const clients = random.chance(0.25) ? random.pick([1, 1, 2]) : 0;
  return {
    hogs: random.chance(0.04),
    copies: random.chance(0.3),
    ringBytes: random.pick([1500, 6000, 60_000, CHANGE_RING_BYTES_MAX]),
    natives: {
      clients: Array.from({ length: clients }, () => {
        const workload = drawWorkload(random, minSessionTimeoutMs);
        const { mix } = withLifetimes(workload, random.stream(LIFETIMES_STREAM));
        // Native clients know neither watches nor multiReads.
        return { ...workload, mix: { ...mix, wide: WIDE_WEIGHT, watch: 0, multiRead: 0 } };
      }),
      lossRate: random.pick([0, 0, 0.002, 0.02]),
      streamsMax: random.whole(1, 4),
      grantMs: random.pick([10, 10, 100, 1000]),
    },
    renews: random.chance(0.2),
    streamPendingBytes: random.pick([1000, 5000, STREAM_PENDING_BYTES_MAX]),
  };
}

/**
 * Whole groups are left out of a seed, and kinds of those that stay: what always comes together hides what comes alone. Some
 * seeds have very few kinds, so that what one of them sets off goes on undisturbed.
 */
function drawFaults(random: Random): Partial<Record<FaultKind, number>> {
  const weights: Partial<Record<FaultKind, number>> = {};
  if (random.chance(0.2)) {
    const kinds = Object.values(FAULTS).flat();
    for (let count = random.whole(1, 3); count > 0; count -= 1) weights[random.pick(kinds)] = 1;
    return weights;
  }
  for (const kinds of Object.values(FAULTS)) {
    if (!random.chance(0.65)) continue;
    for (const kind of kinds) if (random.chance(0.6)) weights[kind] = 0.2 + random.random();
  }
  return weights;
}

/** Most clients that write make znodes with a lifetime, too. Drawn apart, so that it changes nothing else. */
function withLifetimes(workload: Workload, random: Random): Workload {
  const { mix } = workload;
  const multiRead = random.chance(0.5) ? 0.3 * random.random() : 0;
  const lifetime = mix.setData > 0 && random.chance(0.6) ? 0.5 + random.random() : 0;
  return { ...workload, mix: { ...mix, lifetime, multiRead } };
}

function drawWorkload(random: Random, minSessionTimeoutMs: number): Workload {
  // A client that only reads does not wait behind a write that cannot be committed, so it is answered for as long as its node may
  // answer.
  const reads = random.chance(0.2);
  const weight = (): number => (!reads && random.chance(0.7) ? random.random() : 0);
  const wide = random.chance(0.05);
  return {
    mix: {
      setData: reads ? 0 : 0.3 + weight(),
      create: weight(),
      delete: weight() * 0.6,
      sequential: weight(),
      ephemeral: weight(),
      consume: weight(),
      multi: weight(),
      lifetime: 0,
      multiRead: 0,
      syncRead: weight() * 0.5,
      read: reads ? 1 : weight(),
      watch: weight(),
      close: random.chance(0.3) ? 0.02 : 0,
    },
    thinkMs: random.pick([3, 10, 30, 100]),
    outstandingMax: random.pick([1, 1, 4, 16]),
    timeoutMs: minSessionTimeoutMs * random.pick([1, 1, 2]),
    renewals: [],
    patient: false,
    keys: random.pick([2, 5, 20]),
    queues: 1 + random.below(2),
    dataBytes: wide ? 20_000 : 40,
    flood: random.chance(0.15),
    slowReader: random.chance(0.15),
    hog: false,
    readOnly: random.chance(0.3),
  };
}
