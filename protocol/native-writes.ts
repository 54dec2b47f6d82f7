/** Packs what native clients write, as the CBOR arrays of `native-packing.ts`. */
import { type Acl, isOpenEntry, OPEN_ACL } from "./acl.ts";
import { Code } from "./codes.ts";
import { bytesOrNull, FieldError, isInt32, list } from "./fields.ts";
import { CONTAINER, ttlOf } from "./lifetime.ts";
import { REMOVE_RECURSIVE_MAX } from "./limits.ts";
import type { NativeMember, NativeWrite } from "./native-packing.ts";
import type { CreateMode } from "./operations.ts";
import { STAT_FIELDS, type Stat } from "./stat.ts";
import type { Zxid } from "./zxid.ts";

type Packed = readonly unknown[];

// These codes are ZooKeeper's op codes, and ClickHouse Keeper's. Never reuse one.
const CREATE = 1;
const DELETE = 2;
const SET_DATA = 5;
const SET_ACL = 7;
const SYNC = 9;
const CHECK = 13;
const MULTI = 14;
const CHECK_NOT_EXISTS = 501;
const REMOVE_RECURSIVE = 503;
const CHECK_STAT = 504;
const TRY_REMOVE = 505;
const CLOSE_SESSION = -11;

/**
 * Bits of the flags of a create. TTL: its milliseconds follow. A container, or a znode with a TTL, is not ephemeral. Listed: the access
 * control list follows, behind the milliseconds if there are any; without it the list is the open one.
 */
const EPHEMERAL = 1;
const SEQUENTIAL = 2;
const CONTAINER_BIT = 4;
const TTL_BIT = 8;
const UNLESS_EXISTS = 16;
const LISTED = 32;

export function packWrite(operation: NativeWrite): Packed {
  switch (operation.kind) {
    case "multi":
      return [MULTI, operation.operations.map(packMember)];
    case "setAcl":
      return [SET_ACL, operation.path, packAcl(operation.acl), operation.version];
    case "sync":
      return [SYNC, operation.path];
    case "closeSession":
      return [CLOSE_SESSION];
    default:
      return packMember(operation);
  }
}

function packMember(operation: NativeMember): Packed {
  const { path } = operation;
  switch (operation.kind) {
    case "create":
      return packCreate(operation);
    case "delete":
      return [DELETE, path, operation.version];
    case "setData":
      return [SET_DATA, path, operation.data, operation.version];
    case "check":
      return [CHECK, path, operation.version];
    case "checkNotExists":
      return [CHECK_NOT_EXISTS, path, operation.version];
    case "checkStat":
      return [CHECK_STAT, path, operation.version, packStat(operation.stat)];
    case "tryRemove":
      return [TRY_REMOVE, path, operation.version];
    default:
      return [REMOVE_RECURSIVE, path, operation.znodesMax];
  }
}

function packCreate({
  path,
  data,
  acl,
  mode,
  unlessExists,
}: Extract<NativeMember, { readonly kind: "create" }>): Packed {
  const { ephemeral, sequential, lifetime } = mode;
  let flags = (ephemeral ? EPHEMERAL : 0) | (sequential ? SEQUENTIAL : 0);
  if (unlessExists === true) flags |= UNLESS_EXISTS;
  const behind: unknown[] = [];
  if (lifetime === CONTAINER) flags |= CONTAINER_BIT;
  else if (lifetime !== undefined) {
    flags |= TTL_BIT;
    behind.push(lifetime);
  }
  if (!isOpen(acl)) {
    flags |= LISTED;
    behind.push(packAcl(acl));
  }
  return [CREATE, path, data, flags, ...behind];
}

/** Returns the write whose code is at `at`, the code to answer with if it is not valid, or undefined if the code is no write's. */
export function unpackWrite(fields: Packed, at: number): NativeWrite | Code | undefined {
  const code = fields[at];
  switch (code) {
    case CLOSE_SESSION:
      return { kind: "closeSession" };
    case MULTI:
      return unpackMulti(fields[at + 1]);
    case SYNC: {
      const path = fields[at + 1];
      return typeof path === "string" ? { kind: "sync", path } : Code.marshallingError;
    }
    case SET_ACL: {
      const [path, listed, version] = fields.slice(at + 1);
      const acl = aclOf(listed);
      if (typeof path !== "string" || acl === undefined || !isInt32(version)) {
        return Code.marshallingError;
      }
      return { kind: "setAcl", path, acl, version };
    }
    case CREATE:
    case DELETE:
    case SET_DATA:
    case REMOVE_RECURSIVE: {
      const operation = unpackMember(fields, at);
      return operation as Exclude<NativeWrite, { readonly kind: "multi" }> | Code;
    }
    default:
      return undefined;
  }
}

function unpackMulti(packed: unknown): NativeWrite | Code {
  if (!Array.isArray(packed)) return Code.marshallingError;
  const operations: NativeMember[] = [];
  for (const each of packed as readonly unknown[]) {
    const operation = Array.isArray(each) ? unpackMember(each, 0) : Code.marshallingError;
    if (typeof operation === "number") return operation;
    operations.push(operation);
  }
  return { kind: "multi", operations };
}

function unpackMember(fields: Packed, at: number): NativeMember | Code {
  const code = fields[at];
  const path = fields[at + 1];
  const first = fields[at + 2];
  const second = fields[at + 3];
  if (typeof path !== "string") return Code.marshallingError;
  switch (code) {
    case CREATE:
      return unpackCreate(path, fields, at + 2);
    case SET_DATA:
      if (!isData(first) || !isInt32(second)) return Code.marshallingError;
      return { kind: "setData", path, data: copyOrNull(first), version: second };
    case REMOVE_RECURSIVE:
      if (!isInt32(first)) return Code.marshallingError;
      if (first < 0) return Code.badArguments;
      return { kind: "removeRecursive", path, znodesMax: Math.min(first, REMOVE_RECURSIVE_MAX) };
    case CHECK_STAT: {
      const stat = Array.isArray(second) ? statOf(second) : undefined;
      if (!isInt32(first) || stat === undefined) return Code.marshallingError;
      if (STAT_FIELDS.some((field) => stat[field] < -INT32_END)) return Code.badArguments;
      return { kind: "checkStat", path, version: first, stat };
    }
    default:
      return unpackVersioned(code, path, first);
  }
}

const INT32_END = 2 ** 31;

function unpackVersioned(code: unknown, path: string, version: unknown): NativeMember | Code {
  const kind = VERSIONED.get(code);
  if (kind === undefined) return Code.unimplemented;
  return isInt32(version) ? { kind, path, version } : Code.marshallingError;
}

const VERSIONED: ReadonlyMap<unknown, "delete" | "check" | "checkNotExists" | "tryRemove"> =
  new Map([
    [DELETE, "delete"],
    [CHECK, "check"],
    [CHECK_NOT_EXISTS, "checkNotExists"],
    [TRY_REMOVE, "tryRemove"],
  ] as const);

function unpackCreate(path: string, fields: Packed, at: number): NativeMember | Code {
  const data = fields[at];
  const flags = fields[at + 1];
  if (!isData(data) || !isInt32(flags)) return Code.marshallingError;
  const isTtl = (flags & TTL_BIT) !== 0;
  const mode = modeOf(flags & ~(UNLESS_EXISTS | LISTED), isTtl ? fields[at + 2] : undefined);
  if (mode === undefined) return Code.badArguments;
  const acl = (flags & LISTED) === 0 ? OPEN_ACL : aclOf(fields[at + (isTtl ? 3 : 2)]);
  if (acl === undefined) return Code.marshallingError;
  const create = { kind: "create", path, data: copyOrNull(data), acl, mode } as const;
  return (flags & UNLESS_EXISTS) === 0 ? create : { ...create, unlessExists: true };
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

function isOpen(acl: readonly Acl[]): boolean {
  const [entry] = acl;
  return acl.length === 1 && entry !== undefined && isOpenEntry(entry);
}

export function packAcl(acl: readonly Acl[]): Packed {
  return acl.map(({ permissions, scheme, id }) => [permissions, scheme, id]);
}

function aclOf(packed: unknown): readonly Acl[] | undefined {
  if (!Array.isArray(packed)) return undefined;
  const acl: Acl[] = [];
  for (const entry of packed as readonly unknown[]) {
    const [permissions, scheme, id] = Array.isArray(entry) ? (entry as Packed) : [];
    if (!isInt32(permissions) || typeof scheme !== "string" || typeof id !== "string") {
      return undefined;
    }
    acl.push({ permissions, scheme, id });
  }
  return acl.length === 1 && isOpen(acl) ? OPEN_ACL : acl;
}

export function packStat(stat: Stat): number[] {
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

/** Throws a `FieldError` on fields that are no Stat. */
export function unpackStat(packed: unknown): Stat {
  const stat = statOf(list(packed));
  if (stat === undefined) throw new FieldError("no stat");
  return stat;
}

function statOf(fields: Packed): Stat | undefined {
  if (fields.length !== STAT_FIELDS.length || !fields.every(Number.isSafeInteger)) return undefined;
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

function isData(value: unknown): value is Uint8Array | null {
  return value === null || value instanceof Uint8Array;
}

/** Copies the bytes: the frame is a view into a buffer of the network, which may be far larger and would stay in memory. */
export function copyOrNull(value: unknown): Uint8Array | null {
  const bytes = bytesOrNull(value);
  return bytes === null ? null : new Uint8Array(bytes);
}
