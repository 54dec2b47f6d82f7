/** Decodes the requests of ZooKeeper's protocol into the operations and reads that actors understand. */
import type { Acl } from "../acl.ts";
import { Code } from "../codes.ts";
import { SESSION_NONE } from "../ids.ts";
import type { JuteReader } from "../jute.ts";
import type { ClientOperation, ZnodeOperation } from "../operations.ts";
import type { Read, StayingWatch, WatcherType } from "../reads.ts";
import type { Zxid } from "../zxid.ts";
import { OpCode } from "./codes.ts";
import { readPath } from "./null-paths.ts";
import { isCreate, readCreate } from "./creates.ts";
import { readKeeperOperation, readListChildren, readListRecursive } from "./keeper-requests.ts";
import { readMultiRead } from "./multi-read.ts";

export type Request =
  | { readonly kind: "ping"; readonly xid: number }
  | {
      readonly kind: "read";
      readonly xid: number;
      readonly opCode: number;
      readonly read: Read;
    }
  | {
      readonly kind: "write";
      readonly xid: number;
      readonly opCode: number;
      readonly operation: ClientOperation;
    }
  /**
   * A request that is answered with this code at once. A multi is answered with a code for each of its `count` operations, one of
   * which failed.
   */
  | {
      readonly kind: "refused";
      readonly xid: number;
      readonly code: Code;
      readonly multi?: { readonly count: number; readonly failedAt: number };
      /** The connection is closed behind the answer: what the client means by further requests is not known either. */
      readonly ends?: true;
      /** Why. Default: it is no operation of ZooKeeper's. */
      readonly reason?: string;
    }
  /** The client proves an identity. `data` is a secret; it is a view of the frame, which nobody keeps. */
  | {
      readonly kind: "auth";
      readonly xid: number;
      readonly scheme: string;
      readonly data: Uint8Array | null;
    }
  /** The client's part of a login by SASL: a secret, and a view of the frame, as above. */
  | { readonly kind: "sasl"; readonly xid: number; readonly token: Uint8Array }
  | { readonly kind: "whoAmI"; readonly xid: number }
  /** The end of a session that only this connection knows: there is nothing to log. */
  | { readonly kind: "parting"; readonly xid: number }
  /** The frame has no request header, or is a proof of an identity that cannot be read: it is not answered. */
  | { readonly kind: "headless" };

const STRING_BYTES_MIN = 4;
const ACL_BYTES_MIN = 12;

export type RequestOptions = {
  /** Whether znodes with a time to live may be made (`zookeeper.extendedTypesEnabled`). */
  readonly extendedTypes: boolean;
  /** The client is one of ClickHouse Keeper's. Default: it is not known to be. */
  readonly keeper?: boolean;
  /** The numbers of requests have 64 bits. Default: 32. */
  readonly wideXids?: boolean;
};

const DEFAULTS: RequestOptions = { extendedTypes: true };

/** Reads the request of the frame that the reader was reset to. */
export function readRequest(reader: JuteReader, options: RequestOptions = DEFAULTS): Request {
  const xid = options.wideXids === true ? reader.int64() : reader.int32();
  const opCode = reader.int32();
  if (reader.fault !== undefined) return { kind: "headless" };
  switch (opCode) {
    case OpCode.ping:
      return { kind: "ping", xid };
    case OpCode.exists:
      return readOf(reader, xid, opCode, "exists");
    case OpCode.getData:
      return readOf(reader, xid, opCode, "getData");
    case OpCode.getChildren:
    case OpCode.getChildren2:
      return readOf(reader, xid, opCode, "getChildren");
    case OpCode.getAcl:
      return checkedRead(reader, xid, opCode, { kind: "getAcl", path: readPath(reader) });
    case OpCode.setWatches:
    case OpCode.setWatches2:
      return checkedRead(reader, xid, opCode, readSetWatches(reader, opCode));
    case OpCode.addWatch:
      return readAddWatch(reader, xid);
    case OpCode.checkWatches:
    case OpCode.removeWatches:
      return readWatcher(reader, xid, opCode);
    case OpCode.auth:
      return readAuth(reader, xid);
    case OpCode.sasl:
      return readSasl(reader, xid);
    case OpCode.multiRead:
      return checkedMultiRead(reader, xid, options);
    case OpCode.getEphemerals: {
      // The gateway knows whose they are.
      const read = { kind: "getEphemerals", prefix: reader.string() ?? "" } as const;
      return checkedRead(reader, xid, opCode, { ...read, session: SESSION_NONE });
    }
    case OpCode.getAllChildrenNumber: {
      const path = readPath(reader);
      return checkedRead(reader, xid, opCode, { kind: "getAllChildrenNumber", path });
    }
    case OpCode.reconfig:
      return readReconfig(reader, xid);
    case OpCode.whoAmI:
      return { kind: "whoAmI", xid };
    case OpCode.filteredList:
    case OpCode.filteredListWithStatsAndData:
      return checkedRead(reader, xid, opCode, readListChildren(reader, opCode));
    case OpCode.listRecursive:
      return checkedRead(reader, xid, opCode, readListRecursive(reader));
    default:
      return readWrite(reader, xid, opCode, options);
  }
}

function readOf(
  reader: JuteReader,
  xid: number,
  opCode: number,
  kind: "exists" | "getData" | "getChildren",
): Request {
  const path = readPath(reader);
  const watch = reader.bool();
  return checkedRead(reader, xid, opCode, { kind, path, watch });
}

function checkedRead(reader: JuteReader, xid: number, opCode: number, read: Read): Request {
  if (reader.fault !== undefined) return { kind: "refused", xid, code: Code.marshallingError };
  return { kind: "read", xid, opCode, read };
}

function readSetWatches(reader: JuteReader, opCode: number): Read {
  const relativeZxid = reader.int64();
  const hasStaying = opCode === OpCode.setWatches2;
  return {
    kind: "setWatches",
    relativeZxid: Math.min(Math.max(relativeZxid, -1), Number.MAX_SAFE_INTEGER) as Zxid,
    data: readStrings(reader),
    exist: readStrings(reader),
    child: readStrings(reader),
    persistent: hasStaying ? readStrings(reader) : [],
    persistentRecursive: hasStaying ? readStrings(reader) : [],
  };
}

const WATCH_MODES: readonly StayingWatch[] = ["persistent", "persistentRecursive"];

function readAddWatch(reader: JuteReader, xid: number): Request {
  const path = reader.string() ?? "";
  const mode = WATCH_MODES[reader.int32()];
  if (mode === undefined) return { kind: "refused", xid, code: Code.marshallingError };
  return checkedRead(reader, xid, OpCode.addWatch, { kind: "addWatch", path, mode });
}

/** By ZooKeeper's numbers, from 1 on. */
const WATCHER_TYPES: readonly WatcherType[] = [
  "child",
  "data",
  "any",
  "persistent",
  "persistentRecursive",
];

function readWatcher(reader: JuteReader, xid: number, opCode: number): Request {
  const path = reader.string() ?? "";
  const watcher = WATCHER_TYPES[reader.int32() - 1];
  if (watcher === undefined) return { kind: "refused", xid, code: Code.marshallingError };
  const kind = opCode === OpCode.checkWatches ? "checkWatches" : "removeWatches";
  return checkedRead(reader, xid, opCode, { kind, path, watcher });
}

/** Reads `{type, scheme, auth}`. */
function readAuth(reader: JuteReader, xid: number): Request {
  reader.int32();
  const scheme = reader.string() ?? "";
  const data = reader.buffer();
  if (reader.fault !== undefined) return { kind: "headless" };
  return { kind: "auth", xid, scheme, data };
}

/** ZooKeeper fails over a token that is null. */
function readSasl(reader: JuteReader, xid: number): Request {
  const token = reader.buffer();
  return token === null ? { kind: "headless" } : { kind: "sasl", xid, token };
}

function checkedMultiRead(reader: JuteReader, xid: number, options: RequestOptions): Request {
  const read = readMultiRead(reader, options.keeper === true);
  if (typeof read === "number") return { kind: "refused", xid, code: read };
  return checkedRead(reader, xid, OpCode.multiRead, read);
}

/** Reads `{joiningServers, leavingServers, newMembers, curConfigId}`. It is answered as by a ZooKeeper with `reconfigEnabled=false`. */
function readReconfig(reader: JuteReader, xid: number): Request {
  for (let list = 0; list < 3; list += 1) reader.string();
  reader.int64();
  const code = reader.fault === undefined ? Code.reconfigDisabled : Code.marshallingError;
  return { kind: "refused", xid, code };
}

function readWrite(
  reader: JuteReader,
  xid: number,
  opCode: number,
  options: RequestOptions,
): Request {
  if (opCode === OpCode.multi) return readMulti(reader, xid, options);
  const operation = readOperation(reader, opCode, options);
  if (reader.fault !== undefined) return { kind: "refused", xid, code: Code.marshallingError };
  if (typeof operation !== "number") return { kind: "write", xid, opCode, operation };
  const isUnknown = operation === Code.unimplemented && !isCreate(opCode);
  return { kind: "refused", xid, code: operation, ...(isUnknown ? { ends: true } : {}) };
}

function readOperation(
  reader: JuteReader,
  opCode: number,
  { extendedTypes }: RequestOptions,
): ClientOperation | Code {
  if (isCreate(opCode)) {
    const { create, refusal } = readCreate(reader, readAcl, {
      ...{ opCode, inMulti: false, extendedTypes },
    });
    return refusal ?? create;
  }
  switch (opCode) {
    case OpCode.setAcl: {
      const path = reader.string() ?? "";
      const acl = readAcl(reader);
      return { kind: "setAcl", path, acl, version: reader.int32() };
    }
    case OpCode.sync:
      return { kind: "sync", path: reader.string() ?? "" };
    case OpCode.closeSession:
      return { kind: "closeSession" };
    default:
      return (
        readKeeperOperation(reader, opCode, readAcl) ??
        readZnodeOperation(reader, opCode, readPathOrNull)
      );
  }
}

/** Where ZooKeeper takes a path that is null for a bad one, it becomes the empty one, which no znode has. */
function readPathOrNull(reader: JuteReader): string {
  return reader.string() ?? "";
}

/** `readPathOf`: how the path of an operation is read which alone may have none. */
function readZnodeOperation(
  reader: JuteReader,
  opCode: number,
  readPathOf: (reader: JuteReader) => string,
): ZnodeOperation | Code {
  switch (opCode) {
    case OpCode.delete:
      return { kind: "delete", path: readPath(reader), version: reader.int32() };
    case OpCode.setData: {
      const path = readPathOf(reader);
      const data = reader.buffer();
      return { kind: "setData", path, data, version: reader.int32() };
    }
    case OpCode.check:
      return { kind: "check", path: readPathOf(reader), version: reader.int32() };
    // No path of a client's frame can be one of the leader's.
    case OpCode.deleteContainer:
      return Code.badArguments;
    default:
      return Code.unimplemented;
  }
}

/** Reads the entries of a multi, each after a MultiHeader {type, done, err}, up to the header that is `done`. */
function readMulti(reader: JuteReader, xid: number, options: RequestOptions): Request {
  const operations: ZnodeOperation[] = [];
  for (;;) {
    const opCode = reader.int32();
    const done = reader.bool();
    reader.int32();
    if (reader.fault !== undefined) return { kind: "refused", xid, code: Code.marshallingError };
    if (done) break;
    const operation = readMember(reader, opCode, options);
    if (reader.fault !== undefined) return { kind: "refused", xid, code: Code.marshallingError };
    if (typeof operation === "number") return { kind: "refused", xid, code: operation };
    operations.push(operation);
  }
  return { kind: "write", xid, opCode: OpCode.multi, operation: { kind: "multi", operations } };
}

const MEMBER_CODES: ReadonlySet<number> = new Set([
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTtl,
  OpCode.delete,
  OpCode.setData,
  OpCode.check,
]);

/** Returns a member of a multi, or the code for the whole request. */
function readMember(
  reader: JuteReader,
  opCode: number,
  { extendedTypes, keeper = false }: RequestOptions,
): ZnodeOperation | Code {
  const ofKeeper = readKeeperOperation(reader, opCode, readAcl);
  if (typeof ofKeeper === "number") return { kind: "refusal", path: "", code: ofKeeper };
  if (ofKeeper !== undefined) return ofKeeper;
  if (!MEMBER_CODES.has(opCode)) return Code.marshallingError;
  if (!isCreate(opCode)) return readZnodeOperation(reader, opCode, readPath);
  const { create, refusal } = readCreate(reader, readAcl, {
    ...{ opCode, inMulti: true, extendedTypes },
  });
  if (refusal === undefined && keeper && opCode === OpCode.create2) {
    return { ...create, tellsStat: true };
  }
  if (refusal === undefined || refusal === Code.marshallingError) return refusal ?? create;
  return { kind: "refusal", path: create.path, code: refusal };
}

function readAcl(reader: JuteReader): Acl[] {
  const count = listLength(reader, ACL_BYTES_MIN) ?? 0;
  const acl: Acl[] = [];
  for (let index = 0; index < count && reader.fault === undefined; index += 1) {
    const permissions = reader.int32();
    const scheme = reader.string() ?? "";
    acl.push({ permissions, scheme, id: reader.string() ?? "" });
  }
  return acl;
}

/** How many elements follow; null if the list is null. ZooKeeper takes any other length below zero for that of an empty list. */
function listLength(reader: JuteReader, elementBytesMin: number): number | null {
  const length = reader.int32();
  if (length === -1) return null;
  if (length * elementBytesMin <= reader.left) return Math.max(0, length);
  return reader.fail("a count is negative or beyond the bytes");
}

/** A list that is null is a fault, as it is in ZooKeeper. */
function readStrings(reader: JuteReader): string[] {
  const count = listLength(reader, STRING_BYTES_MIN) ?? reader.fail("a list is null");
  const strings: string[] = [];
  for (let index = 0; index < count && reader.fault === undefined; index += 1) {
    strings.push(readPath(reader));
  }
  return strings;
}
