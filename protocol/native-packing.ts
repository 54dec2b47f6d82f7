/** Packs requests, results and changes of the native protocol as CBOR arrays, so that no field name travels. */
import { PAGE_AFTER_MAX, REQUEST_OVERHEAD_BYTES } from "./limits.ts";
import { OPEN_ACL } from "./acl.ts";
import { Code } from "./codes.ts";
import { bytesOrNull, count, FieldError, integer, isInt32, list, text } from "./fields.ts";
import { CONTAINER, ttlOf } from "./lifetime.ts";
import type { ClientOperation, CreateMode } from "./operations.ts";
import type { Change, PageBefore, PageEnd, Read, ReadResult } from "./reads.ts";
import type { Stat } from "./stat.ts";
import type { Zxid } from "./zxid.ts";

type Packed = readonly unknown[];

/** What a native client may ask: one operation of the log, or one read without a watch. */
export type NativeRequest =
  | { readonly kind: "write"; readonly operation: NativeWrite }
  | { readonly kind: "read"; readonly read: NativeRead };

export type NativeWrite = Extract<
  ClientOperation,
  { readonly kind: "create" | "delete" | "setData" | "sync" | "closeSession" }
>;
export type NativeRead = Extract<
  Read,
  { readonly kind: "exists" | "getData" | "getChildren" | "childrenPage" }
>;

export type NativeResult =
  | { readonly kind: "error"; readonly code: Code }
  | { readonly kind: "done" }
  | { readonly kind: "created"; readonly path: string; readonly stat: Stat }
  | { readonly kind: "stat"; readonly stat: Stat }
  | { readonly kind: "data"; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly kind: "children"; readonly children: readonly string[]; readonly stat: Stat }
  | NativePage;

/** Some of a znode's children. */
export type NativePage = Extract<ReadResult, { readonly kind: "page" }>;

// The codes of requests are ZooKeeper's op codes, or above all that anybody has. Never reuse one.
const CREATE = 1;
const DELETE = 2;
const EXISTS = 3;
const GET_DATA = 4;
const SET_DATA = 5;
const SYNC = 9;
const GET_CHILDREN = 12;
const CLOSE_SESSION = -11;
const CHILDREN_PAGE = 10_000;

const REQUEST_CODES: readonly number[] = [
  CREATE,
  DELETE,
  EXISTS,
  GET_DATA,
  SET_DATA,
  SYNC,
  GET_CHILDREN,
  CHILDREN_PAGE,
];
/** Bits of the flags of a create. TTL: its milliseconds follow. A container, or a znode with a TTL, is not ephemeral. */
const EPHEMERAL = 1;
const SEQUENTIAL = 2;
const CONTAINER_BIT = 4;
const TTL_BIT = 8;

const STAT_FIELDS = 11;
const RESULT_ERROR = 0;
const RESULT_DONE = 1;
const RESULT_CREATED = 2;
const RESULT_STAT = 3;
const RESULT_DATA = 4;
const RESULT_CHILDREN = 5;
const RESULT_PAGE = 6;

const PAGE_ENDS: readonly PageEnd[] = ["more", "last", "lost"];

export const CHANGE_KINDS = ["created", "deleted", "data", "acl"] as const;

export function packRequest(request: NativeRequest): Packed {
  if (request.kind === "read") {
    const { read } = request;
    const { kind, path } = read;
    if (kind === "childrenPage")
      return [CHILDREN_PAGE, path, read.childrenMax, ...packBefore(read.after)];
    if (kind === "exists") return [EXISTS, path];
    return [kind === "getData" ? GET_DATA : GET_CHILDREN, path];
  }
  const { operation } = request;
  switch (operation.kind) {
    case "create": {
      const { ephemeral, sequential, lifetime } = operation.mode;
      const flags = (ephemeral ? EPHEMERAL : 0) | (sequential ? SEQUENTIAL : 0);
      const fields = [CREATE, operation.path, operation.data];
      if (lifetime === undefined) return [...fields, flags];
      if (lifetime === CONTAINER) return [...fields, flags | CONTAINER_BIT];
      return [...fields, flags | TTL_BIT, lifetime];
    }
    case "delete":
      return [DELETE, operation.path, operation.version];
    case "setData":
      return [SET_DATA, operation.path, operation.data, operation.version];
    case "sync":
      return [SYNC, operation.path];
    default:
      return [CLOSE_SESSION];
  }
}

/** Returns the request whose code is at `at`, or the code to answer with if it is not valid. */
export function unpackRequest(fields: Packed, at: number): NativeRequest | Code {
  const code = fields[at];
  if (code === CLOSE_SESSION) return write({ kind: "closeSession" });
  const path = fields[at + 1];
  if (!isRequestCode(code)) return Code.unimplemented;
  if (typeof path !== "string") return Code.marshallingError;
  switch (code) {
    case EXISTS:
      return { kind: "read", read: { kind: "exists", path, watch: false } };
    case GET_DATA:
      return { kind: "read", read: { kind: "getData", path, watch: false } };
    case GET_CHILDREN:
      return { kind: "read", read: { kind: "getChildren", path, watch: false } };
    case CHILDREN_PAGE:
      return unpackPage(path, fields.slice(at + 2));
    case SYNC:
      return write({ kind: "sync", path });
    case DELETE: {
      const version = fields[at + 2];
      if (!isInt32(version)) return Code.marshallingError;
      return write({ kind: "delete", path, version });
    }
    default:
      return unpackDataWrite(code, path, fields.slice(at + 2));
  }
}

function packBefore(after: PageBefore | undefined): Packed {
  return after === undefined ? [] : [after.zxid, after.order, after.names];
}

function unpackPage(path: string, [childrenMax, ...after]: Packed): NativeRequest | Code {
  if (!isInt32(childrenMax)) return Code.marshallingError;
  if (childrenMax < 1) return Code.badArguments;
  const before = after.length === 0 ? undefined : pageBefore(after);
  if (typeof before === "number") return before;
  return { kind: "read", read: { kind: "childrenPage", path, childrenMax, after: before } };
}

function pageBefore([zxid, order, names]: Packed): PageBefore | Code {
  const isRead = Number.isSafeInteger(zxid) && typeof order === "string" && Array.isArray(names);
  if (!isRead) return Code.marshallingError;
  if (names.length > PAGE_AFTER_MAX) return Code.badArguments;
  if (!names.every((name) => typeof name === "string")) return Code.marshallingError;
  return { zxid: zxid as Zxid, order, names };
}

/** `last` is the flags of a create, or the version of a setData; `ttlMs` is of a create that has such a flag. */
function unpackDataWrite(
  code: number,
  path: string,
  [data, last, ttlMs]: readonly unknown[],
): NativeRequest | Code {
  if ((data !== null && !(data instanceof Uint8Array)) || !isInt32(last)) {
    return Code.marshallingError;
  }
  const copy = copyOrNull(data);
  if (code === SET_DATA) return write({ kind: "setData", path, data: copy, version: last });
  const mode = modeOf(last, ttlMs);
  if (mode === undefined) return Code.badArguments;
  return write({ kind: "create", path, data: copy, acl: OPEN_ACL, mode });
}

function modeOf(flags: number, ttlMs: unknown): CreateMode | undefined {
  const ephemeral = (flags & EPHEMERAL) !== 0;
  const sequential = (flags & SEQUENTIAL) !== 0;
  const rest = flags & ~(EPHEMERAL | SEQUENTIAL);
  if (rest === 0) return { ephemeral, sequential };
  if (ephemeral) return undefined;
  if (rest === CONTAINER_BIT) return { ephemeral, sequential, lifetime: CONTAINER };
  const lifetime = rest === TTL_BIT && typeof ttlMs === "number" ? ttlOf(ttlMs) : undefined;
  return lifetime === undefined ? undefined : { ephemeral, sequential, lifetime };
}

/** Returns about how many bytes a waiting request takes in memory. */
export function requestBytes(request: NativeRequest): number {
  const asked = request.kind === "read" ? request.read : request.operation;
  const path = "path" in asked ? asked.path.length : 0;
  const data = "data" in asked ? (asked.data?.length ?? 0) : 0;
  const names = "after" in asked ? (asked.after?.names ?? []) : [];
  return names.reduce((bytes, { length }) => bytes + length, REQUEST_OVERHEAD_BYTES + path + data);
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
    default:
      return [RESULT_CHILDREN, packStat(result.stat), result.children];
  }
}

/** Returns the result whose code is at `at`. Throws a `FieldError` on fields that are no result. */
export function unpackResult(fields: Packed, at: number): NativeResult {
  const kind = fields[at];
  if (kind === RESULT_ERROR) return { kind: "error", code: integer(fields[at + 1]) as Code };
  if (kind === RESULT_DONE) return { kind: "done" };
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
      const end = PAGE_ENDS[integer(fields[at + 3])];
      if (end === undefined) throw new FieldError("a page with an unknown end");
      const order = text(fields[at + 4]);
      return { kind: "page", children: list(value).map(text), stat, order, end };
    }
    default:
      throw new FieldError("unknown result");
  }
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

function packStat(stat: Stat): number[] {
  return [
    stat.czxid,
    stat.mzxid,
    stat.ctime,
    stat.mtime,
    stat.version,
    stat.cversion,
    stat.aversion,
    stat.ephemeralOwner,
    stat.dataLength,
    stat.numChildren,
    stat.pzxid,
  ];
}

function unpackStat(packed: unknown): Stat {
  const fields = list(packed);
  if (fields.length !== STAT_FIELDS || !fields.every(Number.isSafeInteger)) {
    throw new FieldError("no stat");
  }
  const at = (index: number): number => fields[index] as number;
  return {
    czxid: at(0) as Zxid,
    mzxid: at(1) as Zxid,
    ctime: at(2),
    mtime: at(3),
    version: at(4),
    cversion: at(5),
    aversion: at(6),
    ephemeralOwner: at(7),
    dataLength: at(8),
    numChildren: at(9),
    pzxid: at(10) as Zxid,
  };
}

function write(operation: Extract<NativeRequest, { kind: "write" }>["operation"]): NativeRequest {
  return { kind: "write", operation };
}

function isRequestCode(value: unknown): value is number {
  return REQUEST_CODES.includes(value as number);
}

/** Copies the bytes: the frame is a view into a buffer of the network, which may be far larger and would stay in memory. */
function copyOrNull(value: unknown): Uint8Array | null {
  const bytes = bytesOrNull(value);
  return bytes === null ? null : new Uint8Array(bytes);
}
