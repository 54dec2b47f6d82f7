/** The tree actor of a lane: a full replica. Applies committed batches, answers reads, fires watches, feeds change streams. */
import type { SessionId } from "../../protocol/ids.ts";
import type { Change, Read, ReadResult, WatchEvent } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Committed } from "../log-sync/messages.ts";

export type TreeMessage =
  | Committed
  /** Answered with `readDone` to the actor `from`. Watches belong to `from` and `client`. */
  | {
      readonly kind: "read";
      readonly from: string;
      readonly client: number;
      readonly reads: readonly Read[];
    }
  /** The client is gone: its watches and change streams go. */
  | { readonly kind: "forget"; readonly from: string; readonly client: number }
  /**
   * Opens a change stream, answered with `changes` (at once those since `after` that the ring holds, then each batch as it
   * is applied) or with `compacted`. `stream` is the client's own number for it. It follows the znode at `path`, with
   * `recursive` also everything below. Without changes of its own it gets a progress mark now and then.
   */
  | {
      readonly kind: "openStream";
      readonly from: string;
      readonly client: number;
      readonly stream: number;
      readonly path: string;
      readonly recursive: boolean;
      /** Changes after this zxid; undefined: from now on. */
      readonly after: Zxid | undefined;
    }
  | {
      readonly kind: "closeStream";
      readonly from: string;
      readonly client: number;
      readonly stream: number;
    }
  /** Answered by emitting `applied$`: its watches come and go without a commit. */
  | { readonly kind: "figures" }
  /** Answered with `digest` to `from`: a hash of the whole replicated state at `zxid`. Walks the tree. */
  | { readonly kind: "digest"; readonly from: string; readonly tag: number };

/** From the tree to gateways. Data in it is never written again, but may be a view into a larger buffer. */
export type TreeReply =
  | {
      readonly kind: "readDone";
      readonly client: number;
      /** Last applied when the reads were answered. */
      readonly zxid: Zxid;
      readonly results: readonly ReadResult[];
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

export type TreeDigest = {
  readonly kind: "digest";
  readonly tag: number;
  readonly zxid: Zxid;
  readonly digest: string;
};

/** Emitted on `sessions$` after each `committed` that changed sessions: what became of each. */
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

/** Emitted on `applied$` after each `committed`, and when asked: figures for admin. */
export type Applied = {
  readonly kind: "applied$";
  /** Whose watches are counted; all else is the same on every lane at the same zxid. */
  readonly lane: number;
  readonly zxid: Zxid;
  readonly znodes: number;
  readonly watches: number;
  readonly ephemerals: number;
  /** Lengths of all paths and data, as ZooKeeper's approximate data size. */
  readonly dataBytes: number;
};
