/** Slow requests, and where their time went. */

/** In the order in which a write goes through them, some of them beside each other. */
const STAGES = [
  "gateway",
  "leader",
  "queue",
  "log",
  "quorum",
  "deliver",
  "apply",
  "reply",
] as const;
export type Stage = (typeof STAGES)[number];

/** From when to when after the request was taken in, in milliseconds. */
export type Span = { readonly stage: Stage; readonly fromMs: number; readonly toMs: number };

export type SlowRequest = {
  readonly atMs: number;
  readonly session: string;
  readonly address: string | null;
  readonly isWrite: boolean;
  readonly operation: string;
  readonly operations: number;
  readonly path: string | null;
  readonly bytes: number;
  readonly answerBytes: number;
  readonly zxid: string | null;
  readonly tookMs: number;
  readonly leads: boolean | null;
  readonly stages: readonly Span[];
  /** What became of it at the leader, where another node served it. */
  readonly atLeader: {
    readonly node: number;
    readonly queueMs: number;
    readonly logMs: number;
    readonly quorumMs: number;
  } | null;
};

export const STAGE_NAMES: Readonly<Record<Stage, string>> = {
  gateway: "Gateway",
  leader: "To the leader and back",
  queue: "Gathered",
  log: "Own log",
  quorum: "Quorum",
  deliver: "To the tree",
  apply: "Applied",
  reply: "Reply",
};

/** Those that some of the requests have, in their order. */
export function stagesIn(requests: readonly Pick<SlowRequest, "stages">[]): readonly Stage[] {
  const seen = new Set(requests.flatMap(({ stages }) => stages.map(({ stage }) => stage)));
  return STAGES.filter((stage) => seen.has(stage));
}

export function tookIn({ stages }: Pick<SlowRequest, "stages">, stage: Stage): number | undefined {
  const span = stages.find((each) => each.stage === stage);
  return span === undefined ? undefined : span.toMs - span.fromMs;
}

type Bar = {
  readonly stage: Stage;
  /** In parts of the whole, from 0 to 1. */
  readonly from: number;
  readonly width: number;
  /** Stages that go on beside each other are drawn below each other. */
  readonly row: number;
};

/** The log of the node and the quorum are waited for at the same time. */
const SECOND_ROW: ReadonlySet<Stage> = new Set(["log"]);

/** `scaleMs`: what is as wide as the whole drawing. */
export function barsOf({ stages }: Pick<SlowRequest, "stages">, scaleMs: number): readonly Bar[] {
  const whole = Math.max(scaleMs, Number.MIN_VALUE);
  return stages.map(({ stage, fromMs, toMs }) => ({
    stage,
    from: Math.min(Math.max(fromMs / whole, 0), 1),
    width: Math.min(Math.max((toMs - fromMs) / whole, 0), 1),
    row: SECOND_ROW.has(stage) ? 1 : 0,
  }));
}

/** What a person would call it: where most of the time went. Undefined: nothing is known of it. */
export function longestOf({ stages }: Pick<SlowRequest, "stages">): Span | undefined {
  return stages.toSorted((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs))[0];
}

/** As `setData`, or `multi of 12`. */
export function operationInWords({
  operation,
  operations,
}: Pick<SlowRequest, "operation" | "operations">): string {
  return operations === 1 ? operation : `${operation} of ${operations.toLocaleString("en")}`;
}
