/** Which fault comes next: drawn from a seed, every kind once before any comes again. */
import type { Direction } from "./proxy.ts";
import type { Random } from "./random.ts";

export const FAULT_KINDS = [
  "kill",
  "kill-most",
  "kill-all",
  "left-behind",
  "pause",
  "restart",
  "nats-kill",
  "nats-restart",
  "nats-pause",
  "cut-link",
  "cut-silent",
  "cut-reset",
  "disk-full",
  "wrong-start",
  "twin",
  "copied-folder",
  "old-copy",
  "replaced",
  "stranger",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Faults of operators: processes that are started as they must not be, and folders that are not what they were. */
export const WRONG_START_KINDS = [
  "wrong-start",
  "twin",
  "copied-folder",
  "old-copy",
  "replaced",
  "stranger",
] as const;
export type WrongStartKind = (typeof WRONG_START_KINDS)[number];

/**
 * They come alone: what is to happen is known only while the other nodes are there and remember the victim. A folder whose number is not
 * heard for a while may be replaced, by a twin too.
 */
export function isWrongStart(kind: FaultKind): kind is WrongStartKind {
  return WRONG_START_KINDS.some((each) => each === kind);
}

/** What is wrong with a wrong start. */
export const MISTAKES = ["no members", "other members", "other ensemble", "other id"] as const;
export type Mistake = (typeof MISTAKES)[number];

export const FAULT_SUMMARIES: Readonly<Record<FaultKind, string>> = {
  kill: "kill -9 of a node, of the leader in every second case",
  "kill-most": "kill -9 of a bare majority of the nodes at once",
  "kill-all": "kill -9 of all nodes at once",
  "left-behind": "kill -9 of a node, down until the log of the others begins after its end",
  pause: "SIGSTOP of a node, later SIGCONT",
  restart: "a node is asked to stop, and started again",
  "nats-kill": "kill -9 of one nats-server, sometimes of both",
  "nats-restart": "a nats-server is asked to stop, and started again",
  "nats-pause": "SIGSTOP of a nats-server, later SIGCONT",
  "cut-link": "the link between a node's network namespace and NATS goes down",
  "cut-silent": "bytes between a node and NATS wait, both ways or one",
  "cut-reset": "a node's connections to NATS break, new ones too",
  "disk-full": "the disk of a node, sometimes of two, is filled",
  "wrong-start": "a node that is down is started with other settings than its folder's",
  twin: "a second process with a node's number and an empty folder, beside it",
  "copied-folder": "a copy of a node's folder is started beside the original",
  "old-copy": "an old copy of a node's folder is put back in place of the newer one",
  replaced: "an empty folder takes a node's number; later its old process comes back",
  stranger: "a second ensemble of the same name, with empty folders, on the same NATS",
};

/** "leader": whoever leads when the fault begins, if anyone does. */
export type Victim = "leader" | number;

export type Fault = {
  readonly kind: FaultKind;
  /** The nodes by index from 0, or the nats-servers 0 and 1. */
  readonly victims: readonly Victim[];
  readonly direction: Direction;
  readonly mistake: Mistake;
  /** How long it lasts. */
  readonly lastsMs: number;
  /** From its end to the beginning of the next. */
  readonly restMs: number;
  /** Begins while the one before it is still going on. */
  readonly overlaps: boolean;
};

export type FaultPlanOptions = {
  readonly random: Random;
  readonly kinds: readonly FaultKind[];
  readonly nodes: number;
  /** Indexes of nodes whose disk can be filled. */
  readonly smallDisks: readonly number[];
  /** Times are multiplied by it. */
  readonly pace: number;
};

const RANGES_MS: Readonly<Record<FaultKind, readonly [number, number]>> = {
  kill: [300, 4000],
  "kill-most": [200, 3000],
  "kill-all": [200, 1500],
  // At most: it is over when the others have purged what the node has.
  "left-behind": [60_000, 60_000],
  pause: [200, 9000],
  restart: [0, 1500],
  "nats-kill": [200, 5000],
  "nats-restart": [0, 2000],
  "nats-pause": [200, 9000],
  "cut-link": [300, 9000],
  "cut-silent": [300, 9000],
  "cut-reset": [300, 6000],
  // The room that a log has prepared lasts for half a minute under the soak's load.
  "disk-full": [3000, 45_000],
  "wrong-start": [0, 1000],
  twin: [1000, 8000],
  "copied-folder": [300, 3000],
  "old-copy": [500, 6000],
  replaced: [300, 3000],
  stranger: [1000, 8000],
};
const REST_MS: readonly [number, number] = [1500, 5000];

export function* faultPlan(options: FaultPlanOptions): Generator<Fault, never> {
  const { random, kinds } = options;
  for (;;) {
    for (const kind of random.shuffled(kinds)) yield drawn(kind, options);
  }
}

function drawn(kind: FaultKind, { random, nodes, smallDisks, pace }: FaultPlanOptions): Fault {
  const [minMs, maxMs] = RANGES_MS[kind];
  // Short faults are as likely as long ones: both sides of every timeout are tried.
  const lastsMs = pace * minMs * (Math.max(maxMs, 1) / Math.max(minMs, 1)) ** random.next();
  return {
    kind,
    victims: victims(kind, random, nodes, smallDisks),
    direction: random.pick(["both", "toNode", "fromNode"]),
    mistake: random.pick(MISTAKES),
    lastsMs: minMs === 0 ? pace * random.integer(0, maxMs) : Math.round(lastsMs),
    restMs: Math.round(pace * random.integer(...REST_MS)),
    overlaps: random.chance(0.3) && !isWrongStart(kind),
  };
}

function victims(
  kind: FaultKind,
  random: Random,
  nodes: number,
  smallDisks: readonly number[],
): readonly Victim[] {
  switch (kind) {
    case "kill-all":
      return Array.from({ length: nodes }, (_, index) => index);
    case "kill-most": {
      const all = Array.from({ length: nodes }, (_, index) => index);
      return random.shuffled(all).slice(0, Math.floor(nodes / 2) + 1);
    }
    case "left-behind":
      return [random.integer(0, nodes - 1)];
    case "stranger":
      return Array.from({ length: nodes }, (_, index) => index);
    case "nats-kill":
      return random.chance(0.2) ? [0, 1] : [random.integer(0, 1)];
    case "nats-restart":
    case "nats-pause":
      return [random.integer(0, 1)];
    case "disk-full":
      return random.shuffled(smallDisks).slice(0, random.chance(0.3) ? 2 : 1);
    default:
      return random.chance(0.5) ? ["leader"] : [random.integer(0, nodes - 1)];
  }
}
