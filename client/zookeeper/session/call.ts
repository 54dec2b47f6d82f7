/** What one caller has asked for, and how far it has come. */
import type { MaybeApplied } from "../../../protocol/errors.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { NativeResult } from "../../../protocol/native-packing.ts";

export type Call = {
  readonly id: number;
  /** Undefined: it reads. */
  readonly operation: ClientOperation | undefined;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  /** Whether it would have been done if it ended now. */
  maybeApplied: MaybeApplied;
  /** What it is answered with if there is no time for more. */
  known: Done | undefined;
  settled: boolean;
};

export type Done = { readonly zxid: Zxid; readonly result: NativeResult };

/** What a request of a call is for. */
export type Stage =
  | { readonly kind: "first" }
  /** Some servers do not tell when a znode was created. */
  | { readonly kind: "times"; readonly zxid: Zxid; readonly result: NativeResult }
  /** The znode is there already, as the caller wanted it. */
  | { readonly kind: "existing" }
  | { readonly kind: "proof"; readonly doubt: Doubt };

/** A create whose connection was lost, which is looked for (`doubts.ts`). */
export type Doubt = {
  /** The whole path that was asked for. */
  readonly path: string;
  readonly sequential: boolean;
  /** The latest zxid that the session had seen when the connection was lost. */
  readonly after: Zxid;
  /** Why the connection was lost. */
  readonly reason: string;
  /** What is looked at; undefined: for all of the session's ephemerals that it could be. */
  readonly found: string | undefined;
};
