/** What the nodes remember of an election, put side by side: who saw it how, and which phase took how long. Times are of each node's own clock. */

/** What the API tells of the elections of a node. */
export type SeenElection = {
  readonly steps: readonly Step[];
  readonly omitted: number;
};

type Step = {
  readonly event: string;
  readonly atMs: number;
  readonly detail: Readonly<Record<string, unknown>>;
};

/** In their order. The first is before the node has looked for a leader, the others are of the election itself. */
export const PHASES = ["silence", "vote", "promise", "commit", "follow"] as const;
export type Phase = (typeof PHASES)[number];

/** From one time to another, in Unix milliseconds. */
export type Bar = { readonly phase: Phase; readonly fromMs: number; readonly toMs: number };

export type NodeView = {
  readonly node: number;
  readonly bars: readonly Bar[];
  /** Why it looked for a leader; undefined: it had started, or did not say. */
  readonly reason: string | undefined;
  /** It was without a leader from the first to the second. Undefined: it is still. */
  readonly fromMs: number;
  readonly toMs: number | undefined;
  readonly role: "leads" | "follows" | undefined;
};

export type Failover = {
  readonly kind: "start" | "election" | "handover";
  /** Undefined: it is under way. */
  readonly epoch: number | undefined;
  /** Undefined: it is under way, or no node that answers has said. */
  readonly leader: number | undefined;
  readonly fromMs: number;
  readonly toMs: number | undefined;
  readonly nodes: readonly NodeView[];
};

type Entry = NodeView & {
  readonly kind: Failover["kind"];
  readonly epoch: number | undefined;
  readonly leader: number | undefined;
};

/** What is further apart is another event: a node that comes back hours later follows the same epoch. Clocks of hosts differ, too. */
const APART_MS = 10_000;

/** The newest is the first. */
export function failoversOf(
  seen: readonly { readonly node: number; readonly elections: readonly SeenElection[] }[],
): readonly Failover[] {
  const entries = seen
    .flatMap(({ node, elections }) => elections.flatMap((each) => entryOf(node, each) ?? []))
    .sort((a, b) => a.fromMs - b.fromMs);
  const groups: Entry[][] = [];
  for (const entry of entries) {
    const group = groups.find((others) => belongs(entry, others));
    if (group === undefined) groups.push([entry]);
    else group.push(entry);
  }
  return groups.map(failoverOf).sort((a, b) => b.fromMs - a.fromMs);
}

function belongs(entry: Entry, group: readonly Entry[]): boolean {
  if (group.some(({ node }) => node === entry.node)) return false;
  const isSame = group.every(({ epoch }) => epoch === entry.epoch);
  const end = Math.max(...group.map(({ fromMs, toMs }) => toMs ?? fromMs));
  return isSame && entry.fromMs <= end + APART_MS;
}

function failoverOf(group: readonly Entry[]): Failover {
  const ends = group.map(({ toMs }) => toMs);
  const kinds = group.map(({ kind }) => kind);
  const [first] = group;
  return {
    kind: (["handover", "election"] as const).find((kind) => kinds.includes(kind)) ?? "start",
    epoch: first?.epoch,
    leader: group.find(({ leader }) => leader !== undefined)?.leader,
    fromMs: Math.min(...group.map(({ fromMs }) => fromMs)),
    toMs: ends.includes(undefined) ? undefined : Math.max(...ends.map((end) => end ?? 0)),
    nodes: group
      .map(({ kind: _kind, epoch: _epoch, leader: _leader, ...view }) => view)
      .sort((a, b) => a.node - b.node),
  };
}

function entryOf(node: number, { steps }: SeenElection): Entry | undefined {
  const [first] = steps;
  if (first === undefined) return undefined;
  const end = steps.findLast(({ event }) => event === "leading" || event === "following");
  const looking = steps.find(({ event }) => event === "looking");
  const isLeader = end?.event === "leading";
  const silentMs = numberOf(looking?.detail["silentMs"]);
  const fromMs =
    silentMs === undefined || looking === undefined ? first.atMs : looking.atMs - silentMs;
  const isHandover = steps.some(({ event }) => event === "handingOver" || event === "takingOver");
  return {
    ...{ node, fromMs: Math.min(fromMs, first.atMs), toMs: end?.atMs },
    bars: barsOf(steps, silentMs),
    reason: textOf(looking?.detail["reason"]),
    role: end === undefined ? undefined : isLeader ? "leads" : "follows",
    kind: isHandover ? "handover" : first.event === "started" ? "start" : "election",
    epoch: numberOf(end?.detail["epoch"]),
    leader: isLeader ? node : numberOf(end?.detail["leader"]),
  };
}

/** Which phase ends with which event. */
const ENDS: Readonly<Record<string, Phase>> = {
  elected: "vote",
  establishing: "promise",
  leading: "commit",
  following: "follow",
};

function barsOf(steps: readonly Step[], silentMs: number | undefined): readonly Bar[] {
  const bars: Bar[] = [];
  let sinceMs: number | undefined;
  for (const { event, atMs } of steps) {
    if (event === "looking" && silentMs !== undefined && bars.length === 0) {
      bars.push({ phase: "silence", fromMs: atMs - silentMs, toMs: atMs });
    }
    const phase = ENDS[event];
    if (phase !== undefined && sinceMs !== undefined) {
      bars.push({ phase, fromMs: sinceMs, toMs: atMs });
    }
    sinceMs = atMs;
  }
  return bars;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** How long a node was in a phase, all of them of one kind together. */
export function tookMs(view: NodeView, phase: Phase): number | undefined {
  const bars = view.bars.filter((bar) => bar.phase === phase);
  if (bars.length === 0) return undefined;
  return bars.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}
