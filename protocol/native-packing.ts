/** Packs requests, results and changes of the native protocol as CBOR arrays, so that no field name travels. */
import type { Acl } from "./acl.ts";
import { CHANGED_PATHS_MAX, CHILD_STATS_MAX, PAGE_AFTER_MAX } from "./limits.ts";
import { Code } from "./codes.ts";
import { count, FieldError, integer, isInt32, list, text } from "./fields.ts";
import type { Identity } from "./identities.ts";
import type { Lifetime } from "./lifetime.ts";
import {
  copyOrNull,
  packAcl,
  packStat,
  packWrite,
  unpackStat,
  unpackWrite,
} from "./native-writes.ts";
import type { ClientOperation, OperationResult, ZnodeOperation } from "./operations.ts";
import type { Change, ChangedPaths, PageBefore, PageEnd, Read, ReadResult } from "./reads.ts";
import type { Stat } from "./stat.ts";
import type { Zxid } from "./zxid.ts";

type Packed = readonly unknown[];

/** What a native client may ask: one operation of the log, one read without a watch, or what the node takes it for. */
export type NativeRequest =
  | { readonly kind: "write"; readonly operation: NativeWrite }
  | { readonly kind: "read"; readonly read: NativeRead }
  | { readonly kind: "whoAmI" };

export type NativeWrite =
  | Extract<
      ClientOperation,
      {
        readonly kind:
          | "create"
          | "delete"
          | "setData"
          | "setAcl"
          | "removeRecursive"
          | "sync"
          | "closeSession";
      }
    >
  | { readonly kind: "multi"; readonly operations: readonly NativeMember[] };
/** An operation of a multi. */
export type NativeMember = Exclude<ZnodeOperation, { readonly kind: "refusal" }>;
export type NativeRead = Extract<
  Read,
  {
    readonly kind:
      | "exists"
      | "getData"
      | "getChildren"
      | "childrenPage"
      | "childStats"
      | "changedPaths"
      | "getAcl";
  }
>;

/** The result of an operation of a multi. */
export type MemberResult = Extract<
  OperationResult,
  { readonly kind: "error" | "done" | "created" | "stat" }
>;

export type NativeResult =
  | MemberResult
  /** The result of a multi. If it failed, every entry is an `error`, and the first that is not `ok` says why. */
  | {
      readonly kind: "multi";
      readonly failed: boolean;
      readonly results: readonly MemberResult[];
    }
  | { readonly kind: "data"; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly kind: "children"; readonly children: readonly string[]; readonly stat: Stat }
  | NativePage
  | Extract<ReadResult, { readonly kind: "stats" | "changed" }>
  | {
      readonly kind: "acl";
      readonly acl: readonly Acl[];
      readonly stat: Stat;
      readonly lifetime?: Lifetime;
    }
  /** The result of whoAmI: what the client has proved, by scheme and user. */
  | { readonly kind: "identities"; readonly identities: readonly Identity[] };

/** Some of a znode's children. */
export type NativePage = Extract<ReadResult, { readonly kind: "page" }>;

// The codes of reads, as those of writes, are ZooKeeper's op codes, or above all that anybody has. Never reuse one.
const EXISTS = 3;
const GET_DATA = 4;
const GET_ACL = 6;
const GET_CHILDREN = 12;
const WHO_AM_I = 107;
const CHILDREN_PAGE = 10_000;
const CHILD_STATS = 10_001;
const CHANGED_PATHS = 10_002;

// The kinds of results are on disks, too: snapshots hold the results that clients may still wait for. Never reuse one.
const RESULT_ERROR = 0;
const RESULT_DONE = 1;
const RESULT_CREATED = 2;
const RESULT_STAT = 3;
const RESULT_DATA = 4;
const RESULT_CHILDREN = 5;
const RESULT_PAGE = 6;
const RESULT_MULTI = 7;
const RESULT_ACL = 8;
const RESULT_IDENTITIES = 9;
const RESULT_STATS = 10;
const RESULT_CHANGED = 11;

const PAGE_ENDS: readonly PageEnd[] = ["more", "last", "lost"];

export const CHANGE_KINDS = ["created", "deleted", "data", "acl"] as const;

export function packRequest(request: NativeRequest): Packed {
  if (request.kind === "write") return packWrite(request.operation);
  if (request.kind === "whoAmI") return [WHO_AM_I];
  const { read } = request;
  const { path } = read;
  switch (read.kind) {
    case "childrenPage":
      return [CHILDREN_PAGE, path, read.childrenMax, ...packBefore(read.after)];
    case "childStats":
      return [CHILD_STATS, path, read.names];
    case "changedPaths":
      return [CHANGED_PATHS, path, read.below, read.pathsMax, ...afterOf(read)];
    case "exists":
      return [EXISTS, path];
    case "getData":
      return [GET_DATA, path];
    case "getAcl":
      return [GET_ACL, path];
    default:
      return [GET_CHILDREN, path];
  }
}

/** Returns the request whose code is at `at`, or the code to answer with if it is not valid. */
export function unpackRequest(fields: Packed, at: number): NativeRequest | Code {
  const code = fields[at];
  if (code === WHO_AM_I) return { kind: "whoAmI" };
  const operation = unpackWrite(fields, at);
  if (operation !== undefined) {
    return typeof operation === "number" ? operation : { kind: "write", operation };
  }
  const path = fields[at + 1];
  const isText = typeof path === "string";
  switch (code) {
    case EXISTS:
      return isText ? read({ kind: "exists", path, watch: false }) : Code.marshallingError;
    case GET_DATA:
      return isText ? read({ kind: "getData", path, watch: false }) : Code.marshallingError;
    case GET_CHILDREN:
      return isText ? read({ kind: "getChildren", path, watch: false }) : Code.marshallingError;
    case GET_ACL:
      return isText ? read({ kind: "getAcl", path }) : Code.marshallingError;
    case CHILDREN_PAGE:
      return isText ? unpackPage(path, fields.slice(at + 2)) : Code.marshallingError;
    case CHILD_STATS:
      return isText ? unpackChildStats(path, fields[at + 2]) : Code.marshallingError;
    case CHANGED_PATHS:
      return isText ? unpackChangedPaths(path, fields.slice(at + 2)) : Code.marshallingError;
    default:
      return Code.unimplemented;
  }
}

function read(asked: NativeRead): NativeRequest {
  return { kind: "read", read: asked };
}

function packBefore(after: PageBefore | undefined): Packed {
  return after === undefined ? [] : [after.zxid, after.order, after.names];
}

function unpackPage(path: string, [childrenMax, ...after]: Packed): NativeRequest | Code {
  if (!isInt32(childrenMax)) return Code.marshallingError;
  if (childrenMax < 1) return Code.badArguments;
  const before = after.length === 0 ? undefined : pageBefore(after);
  if (typeof before === "number") return before;
  return read({ kind: "childrenPage", path, childrenMax, after: before });
}

function unpackChildStats(path: string, names: unknown): NativeRequest | Code {
  if (!Array.isArray(names)) return Code.marshallingError;
  if (names.length > CHILD_STATS_MAX) return Code.badArguments;
  if (!names.every((name) => typeof name === "string")) return Code.marshallingError;
  return read({ kind: "childStats", path, names });
}

function afterOf({ after }: ChangedPaths): Packed {
  return after === undefined ? [] : [after];
}

function unpackChangedPaths(path: string, [below, pathsMax, after]: Packed): NativeRequest | Code {
  const isZxid = after === undefined || (Number.isSafeInteger(after) && Number(after) >= 0);
  if (typeof below !== "boolean" || !isInt32(pathsMax) || !isZxid) return Code.marshallingError;
  if (pathsMax < 0 || pathsMax > CHANGED_PATHS_MAX) return Code.badArguments;
  return read({ kind: "changedPaths", path, below, pathsMax, after: after as Zxid | undefined });
}

function pageBefore([zxid, order, names]: Packed): PageBefore | Code {
  const isRead = Number.isSafeInteger(zxid) && typeof order === "string" && Array.isArray(names);
  if (!isRead) return Code.marshallingError;
  if (names.length > PAGE_AFTER_MAX) return Code.badArguments;
  if (!names.every((name) => typeof name === "string")) return Code.marshallingError;
  return { zxid: zxid as Zxid, order, names };
}

export function packResult(result: NativeResult): Packed {
  switch (result.kind) {
    case "error":
      return [RESULT_ERROR, result.code];
    case "done":
      return [RESULT_DONE];
    case "created":
      return [RESULT_CREATED, packStat(result.stat), result.path];
    case "stat":
      return [RESULT_STAT, packStat(result.stat)];
    case "data":
      return [RESULT_DATA, packStat(result.stat), result.data];
    case "page":
      return [
        RESULT_PAGE,
        packStat(result.stat),
        result.children,
        PAGE_ENDS.indexOf(result.end),
        result.order,
      ];
    case "multi":
      return [RESULT_MULTI, result.failed, result.results.map(packResult)];
    case "acl":
      return [RESULT_ACL, packStat(result.stat), packAcl(result.acl), ...lifetimeOf(result)];
    case "stats":
      return [RESULT_STATS, result.stats.map((each) => each && packStat(each))];
    case "changed": {
      const { through, changes, paths, unlisted, end } = result;
      return [RESULT_CHANGED, through, changes, paths, unlisted, PAGE_ENDS.indexOf(end)];
    }
    case "identities":
      return [RESULT_IDENTITIES, result.identities.map(({ scheme, id }) => [scheme, id])];
    default:
      return [RESULT_CHILDREN, packStat(result.stat), result.children];
  }
}

/** Returns the result whose code is at `at`. Throws a `FieldError` on fields that are no result. */
export function unpackResult(fields: Packed, at: number): NativeResult {
  const kind = fields[at];
  if (kind === RESULT_ERROR) return { kind: "error", code: integer(fields[at + 1]) as Code };
  if (kind === RESULT_DONE) return { kind: "done" };
  if (kind === RESULT_MULTI) {
    const results = list(fields[at + 2]).map((each) => unpackMember(list(each)));
    return { kind: "multi", failed: fields[at + 1] === true, results };
  }
  if (kind === RESULT_IDENTITIES) {
    return { kind: "identities", identities: list(fields[at + 1]).map(unpackIdentity) };
  }
  if (kind === RESULT_STATS) {
    const stats = list(fields[at + 1]).map((each) => (each === null ? null : unpackStat(each)));
    return { kind: "stats", stats };
  }
  if (kind === RESULT_CHANGED) return unpackChanged(fields.slice(at + 1));
  const stat = unpackStat(fields[at + 1]);
  const value = fields[at + 2];
  switch (kind) {
    case RESULT_CREATED:
      return { kind: "created", path: text(value), stat };
    case RESULT_STAT:
      return { kind: "stat", stat };
    case RESULT_DATA:
      return { kind: "data", data: copyOrNull(value), stat };
    case RESULT_CHILDREN:
      return { kind: "children", children: list(value).map(text), stat };
    case RESULT_PAGE: {
      const end = endIn(fields[at + 3]);
      const order = text(fields[at + 4]);
      return { kind: "page", children: list(value).map(text), stat, order, end };
    }
    case RESULT_ACL:
      return {
        kind: "acl",
        acl: list(value).map(unpackEntry),
        stat,
        ...unpackLifetime(fields[at + 3]),
      };
    default:
      throw new FieldError("unknown result");
  }
}

function unpackChanged([through, changes, paths, unlisted, end]: Packed): NativeResult {
  return {
    kind: "changed",
    through: count(through) as Zxid,
    changes: count(changes),
    paths: list(paths).map(text),
    unlisted: count(unlisted),
    end: endIn(end),
  };
}

function endIn(field: unknown): PageEnd {
  const end = PAGE_ENDS[integer(field)];
  if (end === undefined) throw new FieldError("an answer with an unknown end");
  return end;
}

/** A znode without a lifetime has no field for it, as in answers of earlier versions. */
function lifetimeOf({ lifetime }: { readonly lifetime?: Lifetime }): Packed {
  return lifetime === undefined ? [] : [lifetime];
}

function unpackLifetime(field: unknown): { readonly lifetime?: Lifetime } {
  return field === undefined ? {} : { lifetime: count(field) as Lifetime };
}

function unpackMember(fields: Packed): MemberResult {
  const result = unpackResult(fields, 0);
  switch (result.kind) {
    case "error":
    case "done":
    case "created":
    case "stat":
      return result;
    default:
      throw new FieldError("no result of a multi's operation");
  }
}

function unpackIdentity(packed: unknown): Identity {
  const [scheme, id] = list(packed);
  return { scheme: text(scheme), id: text(id) };
}

function unpackEntry(packed: unknown): Acl {
  const [permissions, scheme, id] = list(packed);
  return { permissions: integer(permissions), scheme: text(scheme), id: text(id) };
}

export function packChange(change: Change): Packed {
  const { zxid, index, kind, path, stat, data } = change;
  const head = [zxid, index, CHANGE_KINDS.indexOf(kind), path, packStat(stat)];
  return data === undefined ? head : [...head, data];
}

/** Throws a `FieldError` on fields that are no change. */
export function unpackChange(packed: unknown): Change {
  const fields = list(packed);
  const kind = CHANGE_KINDS[fields[2] as number];
  if (kind === undefined) throw new FieldError("unknown kind of a change");
  const change: Change = {
    zxid: count(fields[0]) as Zxid,
    index: count(fields[1]),
    kind,
    path: text(fields[3]),
    stat: unpackStat(fields[4]),
  };
  return fields.length === 5 ? change : { ...change, data: copyOrNull(fields[5]) };
}
