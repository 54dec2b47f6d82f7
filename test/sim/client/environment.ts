/** What every simulated client of a run is handed, and what all of them count together. */
import type { Truth } from "../checks/truth.ts";
import type { Link, LinkHandler } from "../links.ts";
import type { NodeClock } from "../../../runtime/testing/node-clock.ts";
import type { ShapeCoverage } from "./shapes.ts";
import type { Trace } from "../trace.ts";

export type ClientCounts = {
  acknowledged: number;
  /** Writes that were refused because disks are full. */
  refused: number;
  /** Writes that were asked again on another connection, and had been done. */
  repeated: number;
  reads: number;
  events: number;
  sessions: number;
  /** Connections that were served without a leader. */
  readOnly: number;
  expired: number;
  /** Sessions that ended while a client relied on them that counts from when it received an answer, not from when it asked. */
  outlived: number;
  reconnects: number;
  /** Far more requests at once than a gateway takes. */
  hogs: number;
};

/** When the answer that was heard last was asked for, written by the server, and heard; in true time. */
export type LastAnswer = { askedMs: number; writtenMs: number; heardMs: number };

/** A client that relies on a session. */
export type Holder = {
  readonly name: string;
  readonly session: { readonly id: number; readonly timeoutMs: number } | undefined;
  /** Undefined: it is not connected. */
  readonly lastAnswer: LastAnswer | undefined;
  /** For how long the client says, by its own clock, that the session is certainly not ended. Undefined: it says nothing of that. */
  readonly validForMs?: number | undefined;
  readonly clock: { readonly rate: number };
};

export type ClientEnvironment = {
  /** The client's own: it may run fast or slow. */
  readonly clock: NodeClock;
  readonly trueMs: () => number;
  /** An answer was heard that says that the client's session lives. */
  readonly heard: (client: Holder) => void;
  readonly trace: Trace;
  readonly truth: Truth;
  readonly counts: ClientCounts;
  readonly shapes: ShapeCoverage;
  /** Requests that all clients together may still make; then they only trickle. */
  readonly budget: { left: number };
  /** Undefined: that node does not answer. */
  readonly dial: (of: {
    readonly node: number;
    readonly client: { readonly name: string };
    readonly handler: LinkHandler;
  }) => Link | undefined;
  readonly nodes: number;
  /** Runs what may find a violation. */
  readonly guard: (check: () => void) => void;
};
