/** What the model of the state machine keeps: the past of each znode, sessions, changes, and how it refuses. */
import type { Acl } from "../../../protocol/acl.ts";
import type { Code } from "../../../protocol/codes.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

/** A znode from `since` on; `stat` undefined: it is not there. */
export type Moment = {
  readonly since: Zxid;
  readonly data: Uint8Array | null;
  readonly stat: Stat | undefined;
  /** Milliseconds of its TTL; 0: it is a container. Undefined: only clients delete it. */
  readonly lifetime: number | undefined;
  readonly acl: readonly Acl[];
};

export type Past = {
  readonly moments: Moment[];
  readonly children: Set<string>;
  /** Every change of the children, oldest first. */
  readonly childChanges: { readonly zxid: Zxid; readonly name: string; readonly added: boolean }[];
};

export type ModelChange = {
  readonly zxid: Zxid;
  readonly kind: "created" | "deleted" | "data" | "acl";
  readonly path: string;
  /** The znode's list then, and its parent's. Default: the open one. */
  readonly acl?: readonly Acl[];
  readonly parentAcl?: readonly Acl[];
};

export type ModelSession = {
  readonly id: number;
  readonly password: Uint8Array;
  attachedAt: Zxid;
  timeoutMs: number;
  /** That of the connection which has attached it. */
  address: string | undefined;
  readonly ephemerals: Set<string>;
};

export class Refused extends Error {
  readonly code: Code;
  constructor(code: Code) {
    super(`refused: ${code}`);
    this.code = code;
  }
}

const refusals = new Map<Code, Refused>();

/** One error for each code: an error collects a stack when it is made, which would take longer than everything else here. */
export function refused(code: Code): Refused {
  const known = refusals.get(code) ?? new Refused(code);
  refusals.set(code, known);
  return known;
}
