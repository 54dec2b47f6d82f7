/** The tree actor of a lane: a full replica. Applies committed batches, answers reads, fires watches, feeds change streams. */
import type { SessionId, Submitter } from "../../protocol/ids.ts";
import type { ClientOperation } from "../../protocol/operations.ts";
import type { Change, Read, ReadResult, WatchEvent } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { ChunkStored, SnapshotChunk, SnapshotRefused } from "../log/messages.ts";
import type { Committed } from "../log-sync/messages.ts";

/** What gateways ask of the tree: what clients read, and whether a write of theirs would make the tree larger. */
export type TreeRead = Read | { readonly kind: "growth"; readonly operation: ClientOperation };
export type TreeReadResult = ReadResult | { readonly kind: "growth"; readonly grows: boolean };

/** Emitted under `memory` when it changes: whether this lane's memory can hold more. */
export type TreeMemory = {
  readonly kind: "treeMemory";
  /** Writes that grow the tree are to be refused. */
  readonly full: boolean;
  /** New sessions are to be refused. */
  readonly sessionsFull: boolean;
};

export type TreeMessage =
  | Committed
  /**
   * Answered with one `readDone` to the actor `from`: results of the first reads, at least of one, until they take
   * `answerBytesMax`. The others were not looked at, and are to be asked again. Watches belong to `from` and `client`.
   */
  | {
      readonly kind: "read";
      readonly from: GatewayName;
      readonly client: number;
      readonly reads: readonly TreeRead[];
      readonly answerBytesMax: number;
    }
  /**
   * Is this the session's password? Answered with `sessionChecked` to `from`, from what is replicated here: nothing is logged and
   * nothing happens to the session. A session that this replica is too far behind to know waits for it.
   */
  | {
      readonly kind: "checkSession";
      readonly from: GatewayName;
      readonly client: number;
      readonly session: SessionId;
      readonly password: Uint8Array;
    }
  /** The client is gone: its watches and change streams go. */
  | { readonly kind: "forget"; readonly from: GatewayName; readonly client: number }
  /**
   * Opens a change stream, answered with `changes` (at once those since `after` that the ring holds, then each batch as it
   * is applied) or with `compacted`. `stream` is the client's own number for it. It follows the znode at `path`, with
   * `recursive` also everything below. Without changes of its own it gets a progress mark now and then.
   */
  | {
      readonly kind: "openStream";
      readonly from: GatewayName;
      readonly client: number;
      readonly stream: number;
      readonly path: string;
      readonly recursive: boolean;
      /** Changes after this zxid; undefined: from now on. */
      readonly after: Zxid | undefined;
    }
  | {
      readonly kind: "closeStream";
      readonly from: GatewayName;
      readonly client: number;
      readonly stream: number;
    }
  /**
   * Cut a snapshot of the state as it is now. Its chunks go to the log one at a time: the next is made when the one before is stored.
   * Nothing while one is being cut.
   */
  | { readonly kind: "cutSnapshot" }
  | ChunkStored
  | SnapshotRefused
  /**
   * From log-sync: the snapshot of this zxid  takes the place of the whole state. Its chunks are asked for
   * one after the other; the end is answered with `treeLoaded` to log-sync.
   */
  | { readonly kind: "loadSnapshot"; readonly zxid: Zxid }
  | SnapshotChunk
  /** Answered by emitting `metrics`. */
  | { readonly kind: "reportMetrics" };

/** From the tree to gateways. Data in it is never written again, but may be a view into a larger buffer. */
export type TreeReply =
  | {
      readonly kind: "readDone";
      readonly client: number;
      /** Last applied when the reads were answered. */
      readonly zxid: Zxid;
      readonly results: readonly TreeReadResult[];
    }
  /**
   * `unknown`: it never was, or is over. `behind`: not known here yet, and too many others wait to know as much; another node
   * may know.
   */
  | {
      readonly kind: "sessionChecked";
      readonly client: number;
      readonly zxid: Zxid;
      readonly verdict: "right" | "wrong" | "unknown" | "behind";
    }
  /** Sent before any reply that shows the change. */
  | {
      readonly kind: "watchEvents";
      readonly client: number;
      readonly events: readonly WatchEvent[];
    }
  /** Changes in order, all of one zxid together; an empty list is a progress mark. Covers everything up to `through`. */
  | {
      readonly kind: "changes";
      readonly client: number;
      readonly stream: number;
      readonly changes: readonly Change[];
      readonly through: Zxid;
    }
  /** The ring no longer holds what the stream asked for; it holds everything after `oldest`. The stream is closed. */
  | {
      readonly kind: "compacted";
      readonly client: number;
      readonly stream: number;
      readonly oldest: Zxid;
    };

/**
 * To the gateways of the lane: a snapshot has taken the place of the state that their connections have seen. Watches, streams
 * and the results of writes under way are gone, so the connections must be closed.
 */
export type TreeReset = { readonly kind: "treeReset" };

/** To log-sync: the tree's state is the snapshot's. `seq` is the last batch of each submitter in it. */
export type TreeLoaded = {
  readonly kind: "treeLoaded";
  readonly lane: number;
  readonly zxid: Zxid;
  readonly submitters: readonly { readonly submitter: Submitter; readonly seq: number }[];
};

/** Emitted under `sessions` after each `committed` that changed sessions, and of all after a snapshot: what became of each. */
export type SessionChanges = {
  readonly kind: "sessionChanges";
  /** Created or attached again; the timeout starts anew. */
  readonly attached: readonly {
    readonly session: SessionId;
    readonly timeoutMs: number;
    readonly attachedAt: Zxid;
  }[];
  /** Closed or expired. */
  readonly closed: readonly SessionId[];
};

/** Emitted under `metrics` when asked for, and when a snapshot has been loaded. */
export type TreeMetrics = {
  readonly kind: "treeMetrics";
  /** Whose watches are counted; all else is the same on every lane at the same zxid. */
  readonly lane: number;
  readonly zxid: Zxid;
  readonly znodes: number;
  readonly watches: number;
  readonly ephemerals: number;
  /** Lengths of all paths and data, as ZooKeeper's approximate data size. */
  readonly dataBytes: number;
  readonly sessions: number;
  /** What the tree takes in memory, about, and from where on writes that grow it are refused. */
  readonly treeBytes: number;
  readonly treeBytesMax: number;
  /** Of it in the heap of a lane. */
  readonly treeHeapBytes: number;
  readonly treeHeapBytesMax: number;
};
