/** The messages of the tree actor of a lane, which is a full replica of the state machine (`tree.ts`). */
import type {
  EphemeralsQuestion,
  SessionCountsQuestion,
  SessionEphemeralsQuestion,
  WatchCounts,
  WatchesQuestion,
  WatchFacts,
  WatchWord,
} from "../admin/messages.ts";
import type { Recursive } from "../../protocol/changes.ts";
import type { Who } from "../../protocol/identities.ts";
import type { SessionId, Submitter } from "../../protocol/ids.ts";
import type { ClientOperation } from "../../protocol/operations.ts";
import type { Change, Read, ReadResult, WatchEvent, ZnodeRead } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { ChunkStored, SnapshotChunk, SnapshotRefused } from "../log/messages.ts";
import type { Committed } from "../log-sync/messages.ts";

/** The actors that may have change streams and receive their changes. */
export type StreamOwner = GatewayName | "changes" | "feed/1";

/** What a gateway asks the tree: a read of a client, or whether a write of a client would make the tree larger. */
export type TreeRead = Read | { readonly kind: "growth"; readonly operation: ClientOperation };
export type TreeReadResult = ReadResult | { readonly kind: "growth"; readonly grows: boolean };

/** Reads of one connection that are answered as soon as the first `after` operations of a batch are applied. */
export type ReadsBehind = {
  readonly after: number;
  readonly from: GatewayName;
  readonly client: number;
  /** Default ANYONE, here and below. */
  readonly who?: Who;
  readonly reads: readonly ZnodeRead[];
};

/** Emitted under `memory` when it changes: whether the memory of this lane can hold a larger tree. */
export type TreeMemory = {
  readonly kind: "treeMemory";
  /** True: the gateways refuse writes that grow the tree. */
  readonly full: boolean;
  /** True: the gateways refuse new sessions. */
  readonly sessionsFull: boolean;
};

export type TreeMessage =
  | Committed
  /**
   * Reads of one connection, in order. The answer is one `readDone` to the actor `from`, with the results of as many reads, at least
   * one, as it takes to reach `answerBytesMax`. The tree does not look at the reads after those; the gateway has to send them again.
   * Watches belong to the connection that `from` and `client` name.
   */
  | {
      readonly kind: "read";
      readonly from: GatewayName;
      readonly client: number;
      readonly who?: Who;
      readonly reads: readonly TreeRead[];
      readonly answerBytesMax: number;
    }
  /**
   * From the submitter, before the batch can be in a record: the reads that stand behind its operations, in order. Each is answered by
   * a `readDone` with all results. If the batch is applied already, that happens at once.
   */
  | {
      readonly kind: "readsBehind";
      readonly incarnation: number;
      readonly seq: number;
      readonly behind: readonly ReadsBehind[];
    }
  /**
   * Asks whether this is the session's password. The answer is a `sessionChecked` to `from`. It comes from this replica: nothing is
   * logged and the session is not touched. If this replica is too far behind to know the session, the answer waits until it is not.
   */
  | {
      readonly kind: "checkSession";
      readonly from: GatewayName;
      readonly client: number;
      readonly session: SessionId;
      readonly password: Uint8Array;
    }
  /** The connection has ended, so its watches, its change streams and its reads behind writes are removed. */
  | { readonly kind: "forget"; readonly from: StreamOwner; readonly client: number }
  /**
   * Opens a change stream on the znode at `path`, and with `recursive` on everything below it, or on its children. `stream` is the
   * client's own number of the stream. The answers are `changes`: first those after `after` that the ring holds, then the changes of each record when it is
   * applied. If the ring does not reach back to `after`, the answer is `compacted`. A stream without changes gets a report of progress
   * at intervals. A change of a znode that the reader may not read is left out; `readsAll`: there is none. Defaults: ANYONE, who does not.
   * With `children` the end and the beginning of such a child are told without data, as long as the reader may list the children.
   */
  | {
      readonly kind: "openStream";
      readonly from: StreamOwner;
      readonly client: number;
      readonly stream: number;
      readonly path: string;
      readonly recursive: Recursive;
      readonly who?: Who;
      readonly readsAll?: boolean;
      /** The stream begins after this zxid. Undefined: it begins after what is applied now. */
      readonly after: Zxid | undefined;
      /** Without `after`: it begins so many changes before that, as far as the ring holds them. Default 0. */
      readonly back?: number;
    }
  | {
      readonly kind: "closeStream";
      readonly from: StreamOwner;
      readonly client: number;
      readonly stream: number;
    }
  /** The streams of the owner's that have not been told of what was applied last get a report of progress. */
  | { readonly kind: "reportProgress"; readonly from: StreamOwner }
  /**
   * From the log: cut a snapshot of the state as it is now. Its chunks go to the log one at a time: the next is made when the one
   * before is stored. The message is ignored while a snapshot is being cut.
   */
  | { readonly kind: "cutSnapshot" }
  | ChunkStored
  | SnapshotRefused
  /**
   * From log-sync: replace the whole state with the snapshot of this zxid. The tree asks the log for its chunks one after the other,
   * and sends `treeLoaded` to log-sync at the end.
   */
  | { readonly kind: "loadSnapshot"; readonly zxid: Zxid }
  | SnapshotChunk
  /** From a gateway, before it reports to the admin actor: the tree emits `metrics`. */
  | { readonly kind: "reportMetrics" }
  | EphemeralsQuestion
  | SessionCountsQuestion
  | SessionEphemeralsQuestion
  /**
   * From the leader's reaper: which znodes have a lifetime that is over. The tree goes on where it ended the last time, unless it is to
   * begin, and answers with a `due` of `pathsMax` paths at most. `unusedMs`: after how long a container that never had children is meant,
   * too; 0: never.
   */
  | {
      readonly kind: "listDue";
      readonly question: number;
      readonly begins: boolean;
      readonly pathsMax: number;
      readonly unusedMs: number;
    }
  /** From a reaper whose node does not lead: nobody goes on where the tree ended the last time. */
  | { readonly kind: "endReapWalk" }
  /** From a gateway, which is asked by the admin actor. The answer is a `watchList` to the gateway, which knows whose its clients are. */
  | (WatchesQuestion & { readonly from: `zookeeper/${number}` })
  /** From a gateway, which lists the sessions of its connections. The answer is a `clientWatches` to the gateway. */
  | {
      readonly kind: "countClientWatches";
      readonly from: `zookeeper/${number}`;
      readonly question: number;
      readonly bytesMax: number;
    }
  /** From a gateway: which of its watches hear of a znode, or are those of a connection. The answer is a `foundWatches` to the gateway. */
  | {
      readonly kind: "findWatches";
      readonly from: `zookeeper/${number}`;
      readonly question: number;
      readonly of: { readonly path: string } | { readonly client: number };
      readonly bytesMax: number;
    };

/** A watch: the path, and the gateway's number of the connection. */
export type WatchedPath = { readonly client: number; readonly path: string };

/** To a gateway that asked for its watches, with what it asked. `pairs` are as many as have a place, and `omitted` how many have none. */
export type WatchList = {
  readonly kind: "watchList";
  readonly question: number;
  readonly word: WatchWord;
  readonly bytesMax: number;
  readonly counts: WatchCounts;
  readonly pairs: readonly WatchedPath[];
  readonly omitted: number;
};

/** To the gateway that asked, with the number and the limit of its question. `found` are as many as have a place, and `omitted` how many have none. */
export type FoundWatches = {
  readonly kind: "foundWatches";
  readonly question: number;
  readonly bytesMax: number;
  readonly found: readonly (WatchedPath & Pick<WatchFacts, "watches">)[];
  readonly omitted: number;
};

/**
 * To the gateway that asked, with the number and the limit of its question: how many watches each of its connections has. Those without a watch
 * are left out.
 */
export type ClientWatches = {
  readonly kind: "clientWatches";
  readonly question: number;
  readonly bytesMax: number;
  readonly byClient: readonly (readonly [client: number, watches: number])[];
};

/** From the tree to gateways. The bytes in a reply are never overwritten, but they may be a view into a larger buffer. */
export type TreeReply =
  | {
      readonly kind: "readDone";
      readonly client: number;
      /** The last zxid that was applied when the reads were answered. It may be one in the middle of a record. */
      readonly zxid: Zxid;
      readonly results: readonly TreeReadResult[];
    }
  /**
   * The answer to `checkSession`. `unknown`: there has never been such a session, or it has ended. `behind`: this replica does not
   * know the session yet, and too many checks are waiting already; another node may know it.
   */
  | {
      readonly kind: "sessionChecked";
      readonly client: number;
      readonly zxid: Zxid;
      readonly verdict: "right" | "wrong" | "unknown" | "behind";
    }
  /** Sent before every reply that shows the change, as ZooKeeper promises. The gateways must keep this order. */
  | {
      readonly kind: "watchEvents";
      readonly client: number;
      readonly events: readonly WatchEvent[];
    }
  /**
   * Changes in order; those of one zxid are never divided between two messages. After this message the stream has had every change up
   * to `through`. An empty list only reports progress. Streams that follow the same znodes are told the same list, with the same
   * `through`, one after the other.
   */
  | {
      readonly kind: "changes";
      readonly client: number;
      readonly stream: number;
      readonly changes: readonly Change[];
      readonly through: Zxid;
    }
  /** The ring no longer holds the changes that the stream needs, but only those after `oldest`. The stream has been closed. */
  | {
      readonly kind: "compacted";
      readonly client: number;
      readonly stream: number;
      readonly oldest: Zxid;
    };

/**
 * To the gateways of the lane: a snapshot has replaced the state that their connections have seen. Watches, streams and the results
 * of writes under way are lost, so the gateways must close all connections. The message also goes
 * to the changes actor and to the feed, if they had streams here, which are lost as well.
 */
export type TreeReset = { readonly kind: "treeReset" };

/** To log-sync: the tree's state is now the snapshot's. `seq` is the number of each submitter's last batch in the snapshot. */
export type TreeLoaded = {
  readonly kind: "treeLoaded";
  readonly lane: number;
  readonly zxid: Zxid;
  readonly submitters: readonly { readonly submitter: Submitter; readonly seq: number }[];
};

/**
 * Emitted under `sessions` after each `committed` that changed sessions: what became of those. After a snapshot was loaded it names all
 * sessions, those of the former state included.
 */
export type SessionChanges = {
  readonly kind: "sessionChanges";
  /** Sessions that were created or attached again. Their timeouts begin again. */
  readonly attached: readonly {
    readonly session: SessionId;
    readonly timeoutMs: number;
    readonly attachedAt: Zxid;
  }[];
  /** Sessions that were closed or have expired. */
  readonly closed: readonly SessionId[];
};

/** Emitted under `metrics` when asked for with `reportMetrics`, and when a snapshot has been loaded. */
export type TreeMetrics = {
  readonly kind: "treeMetrics";
  /** The lane whose watches are counted. All other numbers are the same on every lane at the same zxid. */
  readonly lane: number;
  readonly zxid: Zxid;
  readonly znodes: number;
  readonly watches: number;
  readonly ephemerals: number;
  /** The lengths of all paths and values, which ZooKeeper calls the approximate data size. */
  readonly dataBytes: number;
  readonly sessions: number;
  /** How much memory the tree takes by estimate, and the size from which on writes that grow it are refused. */
  readonly treeBytes: number;
  readonly treeBytesMax: number;
  /** The part of that estimate which lies in the heap of a lane, and its limit. */
  readonly treeHeapBytes: number;
  readonly treeHeapBytesMax: number;
};
