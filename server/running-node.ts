/** What a node of an ensemble in this process is to whoever has started it, and what a start is given. */
import type { Observable } from "rxjs";
import type { NatsConnections } from "../actors/admin/messages.ts";
import type { HandoverOutcome } from "../actors/log-sync/handover/messages.ts";
import type { ServerId } from "../protocol/ids.ts";
import type { Leadership } from "../protocol/replication.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { InspectionEvent, StepEvent } from "../runtime/inspection.ts";
import type { Transport } from "../runtime/transport.ts";
import type { LogControl } from "./admin/admin-server.ts";
import type { Changes, ChangesOptions } from "./change-streams.ts";
import type { InMemory } from "./threads/threads.ts";

/** Why a node has stopped. */
export type StopReason =
  /** Somebody has called `stop`, or aborted the signal of its start. */
  | { readonly kind: "asked" }
  /** An operator has asked for it, and `mayRestart` allows it: whoever runs the process is to start it again. */
  | { readonly kind: "restart" }
  /** The node has stopped itself: one that may be wrong must not vote. */
  | { readonly kind: "failed"; readonly reason: string };

/** A node of an ensemble in this process. Its streams begin with how things are, for each subscriber, and complete when it stops. */
export type RunningNode = {
  /** The TCP port that ZooKeeper's clients connect to. -1: there is only one for those that speak TLS. */
  readonly clientPort: number;
  /** The TCP port of those that speak TLS, if there is one. */
  readonly secureClientPort: number | undefined;
  /** Where the admin server answers, such as `http://127.0.0.1:8080`; undefined of a node that has none. */
  readonly adminUrl: string | undefined;
  /**
   * Resolves when the node serves clients for the first time: it leads, or follows a leader. Rejects with NodeStoppedError when it
   * stops before.
   */
  readonly ready: Promise<void>;
  /** Resolves, and never rejects, when the node has stopped, whether it was asked to or stopped itself. */
  readonly stopped: Promise<StopReason>;
  /** Who leads, as far as this node knows, in which epoch, and which writes the ensemble takes. */
  readonly leadership$: Observable<Leadership>;
  /**
   * The other nodes that this one is in contact with, ascending: of a leader those that it has heard within the peer timeout, of a
   * follower its leader, of a node that looks for a leader none.
   */
  readonly peers$: Observable<readonly ServerId[]>;
  /** Which connections to NATS the node has, and whether they are there. They are made again by themselves. */
  readonly nats$: Observable<NatsConnections>;
  /** What the node's actors say to operators, on all threads, from now on. What was said before is not repeated: see `onInspection`. */
  readonly inspection$: Observable<InspectionEvent>;
  /**
   * Each step of each actor, on all threads, while somebody subscribes. To look at a node closely: every step is timed then, which
   * costs a busy node some of its speed. Those of other threads come up to 50 ms later.
   */
  readonly steps$: Observable<StepEvent>;
  /**
   * Whether each thread of the node has answered within so many milliseconds. One that does not stands still: it waits for a disk that
   * hangs, or does not come to an end with something.
   */
  threadsAnswer(withinMs: number): Promise<boolean>;
  /**
   * Changes of the znode at a path, in order, each once, without a gap, from this node's own replica and without NATS. Throws
   * BadArgumentsError. What may be observed is the same as with `changes` of `zooid/client`.
   */
  changes(path: string, options?: ChangesOptions): Changes;
  /**
   * Hands leadership over to the follower with this number, or to the one that has the most. Writes wait meanwhile, for some milliseconds if
   * nothing is wrong and for a second at most, and none is lost. Resolves with how long it took, or why it did not come about, which is
   * also so when this node does not lead.
   */
  transferLeadership(to?: number): Promise<HandoverOutcome>;
  /**
   * Goes out of service before `stop`, so that clients see no error: leadership is handed over, native clients are told to leave,
   * ZooKeeper's connections are closed behind an answer. Resolves when all have left, after 6 s at the latest. It cannot be taken back.
   */
  retire(): Promise<void>;
  /** Closes clients and files. Resolves when everything is released. It may be called again. */
  stop(): Promise<void>;
};

export type LaunchOptions = {
  /** In place of NATS: nodes of one process share a network in memory. */
  readonly transport?: Transport | undefined;
  /** What the node has in memory. It then has to have no lanes of its own: `lanes` is 0. */
  readonly inMemory?: InMemory | undefined;
  /** Operations to skip from now on; each must have failed on this node. */
  readonly skip?: readonly Zxid[] | undefined;
  /** The process does nothing but to run this node, so its main thread may wait for the disk. Default false. */
  readonly ownsProcess?: boolean | undefined;
  /** The process is started again when it ends with a certain exit code, so operators may ask for that. Default false. */
  readonly mayRestart?: boolean | undefined;
  /** With which level the node's log is written; the admin server tells it and changes it. Default: it does neither. */
  readonly logControl?: LogControl | undefined;
  /** Hears what happens from the very start on. */
  readonly onInspection?: ((event: InspectionEvent) => void) | undefined;
  /** Gives a start up that takes too long, as when it waits for NATS: it then rejects. Once the node has started it stops the node. */
  readonly signal?: AbortSignal | undefined;
};
