/**
 * Everything that changes replicated state, and what comes of it. Operations travel in batches (`batch.ts`), are evaluated
 * when applied, on every node alike, and each takes a zxid, also when refused.
 */
import type { Acl } from "./acl.ts";
import type { Code } from "./codes.ts";
import type { SessionId } from "./ids.ts";
import type { Stat } from "./stat.ts";
import type { Zxid } from "./zxid.ts";

/** As ZooKeeper's CreateMode flags 0 to 3. */
export type CreateMode = {
  readonly ephemeral: boolean;
  /** The name gets `%010d` of the parent's count of creates appended. */
  readonly sequential: boolean;
};

/** What a multi may hold. */
export type ZnodeOperation =
  | {
      readonly kind: "create";
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly acl: readonly Acl[];
      readonly mode: CreateMode;
    }
  /** `version` -1 matches any; so below. */
  | { readonly kind: "delete"; readonly path: string; readonly version: number }
  | {
      readonly kind: "setData";
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly version: number;
    }
  | { readonly kind: "check"; readonly path: string; readonly version: number };

export type ClientOperation =
  | ZnodeOperation
  | {
      readonly kind: "setAcl";
      readonly path: string;
      readonly acl: readonly Acl[];
      readonly version: number;
    }
  /** All or nothing, at one zxid. */
  | { readonly kind: "multi"; readonly operations: readonly ZnodeOperation[] }
  /** Changes nothing; a read after its result is linearizable. */
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
      readonly operation: ClientOperation;
    }
  /** The new session's id is this operation's own zxid. `password` has 16 bytes. */
  | { readonly kind: "createSession"; readonly timeoutMs: number; readonly password: Uint8Array }
  /** Refused with SessionExpired if the session is unknown or the password wrong. */
  | {
      readonly kind: "attachSession";
      readonly session: SessionId;
      readonly timeoutMs: number;
      readonly password: Uint8Array;
    }
  /** The leader's decision. Does nothing if the session was attached again after `attachedAt`. */
  | { readonly kind: "expireSession"; readonly session: SessionId; readonly attachedAt: Zxid };

export type OperationResult =
  | { readonly kind: "error"; readonly code: Code }
  /** delete, check, sync, closeSession, expireSession. */
  | { readonly kind: "done" }
  /** create; the path with its sequence number. */
  | { readonly kind: "created"; readonly path: string; readonly stat: Stat }
  /** setData, setAcl. */
  | { readonly kind: "stat"; readonly stat: Stat }
  /**
   * multi. When it failed every entry is an `error`: those before the failing one with code ok, the failing one with its
   * own, later ones with runtimeInconsistency (ZooKeeper's DataTree.processTxn).
   */
  | {
      readonly kind: "multi";
      readonly failed: boolean;
      readonly results: readonly OperationResult[];
    }
  /** createSession, attachSession. `attachedAt` is this operation's zxid. */
  | {
      readonly kind: "session";
      readonly session: SessionId;
      readonly timeoutMs: number;
      readonly password: Uint8Array;
      readonly attachedAt: Zxid;
    };
