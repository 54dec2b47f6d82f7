/** Slow requests: what gateways and the server tell the admin actor of them, and the answer to `slow`. */
import type { ServerId } from "../../../protocol/ids.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { GatewayName } from "../../gateway/messages.ts";

/** A read or write whose answer took long. */
export type SlowRequest = {
  /** No two slow requests of the gateway have the same. */
  readonly number: number;
  /** In hexadecimal. */
  readonly session: string;
  /** The client's address and port; null where NATS carries it. */
  readonly address: string | null;
  readonly isWrite: boolean;
  /** What was asked for, as in `setData`. */
  readonly operation: string;
  /** How many operations or reads it had, of a multi. */
  readonly operations: number;
  /** That of the first operation, of a multi; cut if it is long. Null: it is about none. */
  readonly path: string | null;
  /** The memory that the request took while it waited, about its size, and that of what a read was answered. */
  readonly bytes: number;
  readonly answerBytes: number;
  /** The write's, or that of the tree that was read. Null: it has none, since it was refused. */
  readonly zxid: Zxid | null;
  /** How long, from when the gateway took it in until its answer left, as far as the gateway knows. */
  readonly tookMs: number;
  /** Both by the clock of the gateway's thread. */
  readonly startedMs: number;
  readonly answeredMs: number;
};

/** From a gateway, at the end of a turn of the loop in which it has answered some. */
export type SlowRequests = {
  readonly kind: "slowRequests";
  readonly from: GatewayName;
  readonly requests: readonly SlowRequest[];
};

/** The moments by which the stages of a write are known, in the order in which they come. */
const STAMPS = [
  /** The gateway took the request in. */
  "started",
  /** The batch of its lane was made. */
  "made",
  /** The leader published it; at another node, that came there. */
  "published",
  /** The node's own disk had it. */
  "logged",
  /** The node knew that a quorum had it, and gave it to its trees. */
  "committed",
  /** The tree of the lane began to apply it, and ended. */
  "applying",
  "applied",
  /** The turn of the loop that answered it ended. */
  "replied",
] as const;
export type Stamp = (typeof STAMPS)[number];

/** When what happened, in milliseconds by the clock of the process, which all its threads share. */
export type Stamps = Readonly<Partial<Record<Stamp, number>>>;

/** From the server, where it measures: what a thread knows of slow requests that a gateway has told of. */
export type SlowStages = {
  readonly kind: "slowStages";
  readonly from: GatewayName;
  readonly stages: readonly {
    readonly number: number;
    readonly stamps: Stamps;
    /** Whether the node published the records itself. Undefined: the thread does not know. */
    readonly leads?: boolean;
  }[];
};

/** From the server, where it measures, at a leader: records that were published together, and took long. */
export type SlowRecord = {
  readonly kind: "slowRecord";
  readonly firstZxid: Zxid;
  readonly lastZxid: Zxid;
  /** From the first batch that was gathered until they were published. */
  readonly queueMs: number;
  /** From there until the leader's own disk had them, and until a quorum had. */
  readonly logMs: number;
  readonly quorumMs: number;
};

/** The stages of a slow request, by what was waited for. */
export const SLOW_STAGES = [
  "gateway",
  "leader",
  "queue",
  "log",
  "quorum",
  "deliver",
  "apply",
  "reply",
] as const;
export type SlowStage = (typeof SLOW_STAGES)[number];

/** From when to when after the request was taken in. Some go on beside each other. */
export type StageSpan = {
  readonly stage: SlowStage;
  readonly fromMs: number;
  readonly toMs: number;
};

/** A slow request as it is told. */
export type SlowFacts = Omit<SlowRequest, "number" | "zxid" | "startedMs" | "answeredMs"> & {
  /** When it was answered, in Unix milliseconds by the node's clock. */
  readonly atMs: number;
  /** In hexadecimal. */
  readonly zxid: string | null;
  /** Whether the node that served it led. Null: it has no write's stages. */
  readonly leads: boolean | null;
  /** Empty: they are not known. */
  readonly stages: readonly StageSpan[];
};

/** Zxids in hexadecimal. */
export type SlowRecordFacts = {
  readonly atMs: number;
  readonly firstZxid: string;
  readonly lastZxid: string;
  readonly queueMs: number;
  readonly logMs: number;
  readonly quorumMs: number;
};

export type SlowSummary = {
  /** The latest first; behind the last ones, the slowest of those before. */
  readonly requests: readonly SlowFacts[];
  /** What the node published as leader and took long, the latest first. */
  readonly records: readonly SlowRecordFacts[];
};

/** The answer to `slow`. */
export type SlowAnswer = SlowSummary & {
  readonly node: ServerId;
  /** After how many milliseconds a request is slow. 0: none is. */
  readonly thresholdMs: number;
  /** How many were, since the node started. */
  readonly counted: number;
};
