/** A run as plain data: what each node was, what was on its way between nodes, and what was noted, over virtual time. */

/** What messages between nodes are about. `nobody`: NATS says that nobody hears what was sent. */
export const MESSAGE_KINDS = [
  "replication",
  "election",
  "heartbeat",
  "write",
  "snapshot",
  "membership",
  "nobody",
] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** Who notes something: the faults that are injected, a node, a client, or a checker that has found a violation. */
export const EVENT_KINDS = ["fault", "node", "client", "violation"] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** `starting`: the process has not read its log yet. The others are the roles of `actors/log-sync/roles.ts`. */
export type NodeRole =
  | "down"
  | "starting"
  | "looking"
  | "candidate"
  | "awaiting"
  | "following"
  | "leading";

/** What a node is from this moment on, until the next. A zxid is written as `epoch.counter`. */
export type NodeMoment = {
  readonly atMs: number;
  readonly role: NodeRole;
  /** It follows or leads, and the barrier of the epoch is committed. */
  readonly established: boolean;
  /** Its folder counts for quorums. */
  readonly votes: boolean;
  /** Its process stands still. */
  readonly stopped: boolean;
  /** How often it has been started. */
  readonly starts: number;
  /** The epoch of its role, or without one the epoch that it has promised. */
  readonly epoch: number;
  /** The leader that it follows or awaits. */
  readonly leader: number | undefined;
  readonly logEnd: string;
  readonly durable: string;
  readonly committed: string;
  /** Connections of clients, on both protocols. */
  readonly clients: number;
  /** What is wrong with its disk, in words; empty: nothing. */
  readonly disk: string;
};

export type PathFault = {
  readonly from: number;
  readonly to: number;
  readonly state: "cut" | "clogged" | "slow";
};

/** The paths that are not open from this moment on. */
export type PathMoment = { readonly atMs: number; readonly faults: readonly PathFault[] };

/** The messages between nodes, by when they were sent: each array has an item for each message. */
export type RecordedMessages = {
  readonly sentMs: Float64Array;
  /** When it arrived, or was lost. */
  readonly endMs: Float64Array;
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  /** An index of `MESSAGE_KINDS`. */
  readonly kind: Uint8Array;
  /** 1: it never arrived. */
  readonly lost: Uint8Array;
  /** An index of `texts`. */
  readonly text: Uint32Array;
  readonly texts: readonly string[];
};

export type RecordedEvent = {
  readonly atMs: number;
  readonly kind: EventKind;
  /** Empty: nobody of the ensemble and its clients. */
  readonly who: string;
  readonly text: string;
};

export type Recording = {
  readonly seed: number;
  /** The sizes of the run. */
  readonly plan: string;
  readonly nodes: number;
  /** The end of the run. */
  readonly endMs: number;
  /** Undefined: the run did not come so far. */
  readonly faultsEndMs: number | undefined;
  /** By node, the first being that of node 1. None is empty. */
  readonly moments: readonly (readonly NodeMoment[])[];
  readonly paths: readonly PathMoment[];
  readonly messages: RecordedMessages;
  readonly events: readonly RecordedEvent[];
  /** What came after a limit was reached, and is not here. */
  readonly omitted: { readonly messages: number; readonly events: number };
};
