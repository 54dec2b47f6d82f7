/** What the model of the state machine keeps: the past of each znode, sessions, changes, and how it refuses. */
import type { Acl } from "../../../protocol/acl.ts";
import type { Code } from "../../../protocol/codes.ts";
import type { OperationResult } from "../../../protocol/operations.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { may, READ, type SimWho } from "../client/identities.ts";

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
  /** Where the connection comes from that has attached it. */
  address: string | undefined;
  readonly ephemerals: Set<string>;
  /** The number of its last numbered write. */
  lastNumber: number;
};

export class Refused extends Error {
  readonly code: Code;
  constructor(code: Code) {
    super(`refused: ${code}`);
    this.code = code;
  }
}

export function freshStat(zxid: Zxid, timeMs: number, owner: number, dataLength: number): Stat {
  return {
    ...{ czxid: zxid, mzxid: zxid, ctime: timeMs, mtime: timeMs },
    ...{ version: 0, cversion: 0, aversion: 0, ephemeralOwner: owner },
    ...{ dataLength, numChildren: 0, pzxid: zxid },
  };
}

export function sessionResult(session: ModelSession): OperationResult {
  const { id, timeoutMs, password, attachedAt } = session;
  return { kind: "session", session: id as never, timeoutMs, password, attachedAt };
}

export function error(code: Code): OperationResult {
  return { kind: "error", code };
}

/** The data as a text. Undefined: there was no znode. */
export function textOf(moment: Moment | undefined): string | undefined {
  if (moment?.stat === undefined) return undefined;
  return moment.data === null ? "" : new TextDecoder().decode(moment.data);
}

const refusals = new Map<Code, Refused>();

/** One error for each code: an error collects a stack when it is made, which would take longer than everything else here. */
export function refused(code: Code): Refused {
  const known = refusals.get(code) ?? new Refused(code);
  refusals.set(code, known);
  return known;
}

/** Whether at some time after the zxid there was a znode that the reader could not read. */
export function wasClosedAfter(moments: readonly Moment[], zxid: Zxid, reader: SimWho): boolean {
  for (let index = moments.length - 1; index >= 0; index -= 1) {
    const moment = moments[index];
    if (moment === undefined || moment.since < zxid) return false;
    if (moment.stat !== undefined && !may(moment.acl, READ, reader)) return true;
  }
  return false;
}

/** The names of the children as they were at the zxid. */
export function childrenThen(past: Past, zxid: Zxid): ReadonlySet<string> {
  const { children, childChanges } = past;
  let from = childChanges.length;
  while (from > 0 && (childChanges[from - 1]?.zxid ?? 0) > zxid) from -= 1;
  if (from === childChanges.length) return children;
  const then = new Set(children);
  for (const { name, added } of childChanges.slice(from).toReversed()) {
    if (added) then.delete(name);
    else then.add(name);
  }
  return then;
}
