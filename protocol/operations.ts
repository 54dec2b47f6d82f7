/**
 * The operations that change replicated state, and their results. Operations travel in batches (`batch.ts`). They are evaluated when they
 * are applied, with the same result on every node, and each takes a zxid even if it is refused.
 */
import type { Acl } from "./acl.ts";
import type { Code } from "./codes.ts";
import type { Identity } from "./identities.ts";
import type { SessionId } from "./ids.ts";
import type { Lifetime } from "./lifetime.ts";
import type { RequestNumber } from "./request-number.ts";
import type { Stat } from "./stat.ts";
import type { Zxid } from "./zxid.ts";

/** ZooKeeper's CreateMode. */
export type CreateMode = {
  readonly ephemeral: boolean;
  /** The count of creates below the parent is appended to the name, as `%010d`. */
  readonly sequential: boolean;
  /** What ends the znode without a delete; it is not ephemeral then. Undefined: nothing does. */
  readonly lifetime?: Lifetime | undefined;
};

/** An operation that a multi may contain. */
export type ZnodeOperation =
  | {
      readonly kind: "create";
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly acl: readonly Acl[];
      readonly mode: CreateMode;
      /** ClickHouse Keeper's createIfNotExists: a znode that is there already is left as it is, and that is a success. */
      readonly unlessExists?: true;
      /** The client is told the Stat, as a member of a multi, too. It is not logged. */
      readonly tellsStat?: true;
    }
  /** `version` -1 matches any version, here and below. */
  | { readonly kind: "delete"; readonly path: string; readonly version: number }
  | {
      readonly kind: "setData";
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly version: number;
    }
  | { readonly kind: "check"; readonly path: string; readonly version: number }
  /** ClickHouse Keeper's, as the next three: no znode, or none of this version, is at the path. */
  | { readonly kind: "checkNotExists"; readonly path: string; readonly version: number }
  /** Each field of the znode's Stat is that of `stat`, where -1 matches any. */
  | {
      readonly kind: "checkStat";
      readonly path: string;
      readonly version: number;
      readonly stat: Stat;
    }
  /** A delete that is a success, too, where there is nothing that it may delete. */
  | { readonly kind: "tryRemove"; readonly path: string; readonly version: number }
  /** Deletes the znode and all that is below it, unless those are more than `znodesMax`. */
  | { readonly kind: "removeRecursive"; readonly path: string; readonly znodesMax: number }
  /** Only in a multi: an operation that cannot be done, whatever the tree holds. It is answered with this code in its turn. */
  | { readonly kind: "refusal"; readonly path: string; readonly code: Code };

export type ClientOperation =
  | ZnodeOperation
  | {
      readonly kind: "setAcl";
      readonly path: string;
      readonly acl: readonly Acl[];
      readonly version: number;
    }
  /** Either all of its operations are done, at one zxid, or none. */
  | { readonly kind: "multi"; readonly operations: readonly ZnodeOperation[] }
  /** Changes nothing. A read that follows its result is linearizable. */
  | { readonly kind: "sync"; readonly path: string }
  | { readonly kind: "closeSession" };

/**
 * One operation with its session. `attachedAt` is the zxid at which the submitting connection attached to the session: if
 * the session has been attached elsewhere since, the operation is refused with SessionMoved.
 */
export type Operation =
  | {
      readonly kind: "client";
      readonly session: SessionId;
      readonly attachedAt: Zxid;
      /** What the connection has proved, beside its address. Undefined: nothing. */
      readonly identities?: readonly Identity[];
      /** Undefined: the client numbers none. */
      readonly request?: RequestNumber;
      readonly operation: ClientOperation;
    }
  /**
   * The new session's id is this operation's own zxid. `password` has 16 bytes. `address` is that of the connection, as an identity:
   * the operations that come through this attachment have it until there is another.
   */
  | {
      readonly kind: "createSession";
      readonly timeoutMs: number;
      readonly password: Uint8Array;
      readonly address?: string;
    }
  /** Refused with SessionExpired if the session is unknown or the password is wrong. */
  | {
      readonly kind: "attachSession";
      readonly session: SessionId;
      readonly timeoutMs: number;
      readonly password: Uint8Array;
      readonly address?: string;
    }
  /** The leader decides this. It does nothing if the session was attached again after `attachedAt`. */
  | { readonly kind: "expireSession"; readonly session: SessionId; readonly attachedAt: Zxid }
  /**
   * The leader decides this. It deletes the znode if it has a lifetime that is over by the time of the record. `unusedMs`: how long a
   * container that never had children stays; 0: for ever.
   */
  | { readonly kind: "deleteContainer"; readonly path: string; readonly unusedMs: number };

export type OperationResult =
  | { readonly kind: "error"; readonly code: Code }
  /** The result of all deletes and checks, of sync, closeSession and expireSession. */
  | { readonly kind: "done" }
  /** The result of create: the path, with its sequence number if it has one. */
  | { readonly kind: "created"; readonly path: string; readonly stat: Stat }
  /** The result of setData and setAcl. */
  | { readonly kind: "stat"; readonly stat: Stat }
  /**
   * The result of multi. If it failed, every entry is an `error`: those before the failing one have the code ok, the failing one has its
   * own code, and later ones have runtimeInconsistency (ZooKeeper's DataTree.processTxn).
   */
  | {
      readonly kind: "multi";
      readonly failed: boolean;
      readonly results: readonly OperationResult[];
    }
  /** The result of createSession and attachSession. `attachedAt` is the zxid of this operation. */
  | {
      readonly kind: "session";
      readonly session: SessionId;
      readonly timeoutMs: number;
      readonly password: Uint8Array;
      readonly attachedAt: Zxid;
      /** What its client's numbered writes have come to so far. Undefined: there are none. */
      readonly requests?: RequestsSoFar;
    };

/** The largest number of a write that was done, and the results that the client may still wait for, by rising numbers. */
export type RequestsSoFar = { readonly last: number; readonly kept: readonly KeptResult[] };

export type KeptResult = {
  readonly number: number;
  readonly zxid: Zxid;
  readonly result: WriteResult;
};

/** The result of a client's write. */
export type WriteResult = Exclude<OperationResult, { readonly kind: "session" }>;
