/** Decodes the requests of ZooKeeper's protocol into the operations and reads that actors understand. */
import type { Acl } from "../acl.ts";
import { Code } from "../codes.ts";
import type { JuteReader } from "../jute.ts";
import type { ClientOperation, CreateMode, ZnodeOperation } from "../operations.ts";
import type { Read, StayingWatch, WatcherType } from "../reads.ts";
import type { Zxid } from "../zxid.ts";
import { OpCode } from "./codes.ts";

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
    }
  /**
   * zooid knows no scheme of authentication: it answers AuthFailed and ends the connection, as ZooKeeper does for an unknown
   * scheme.
   */
  | { readonly kind: "auth"; readonly xid: number; readonly scheme: string }
  /** The frame has no request header, so it cannot be answered. */
  | { readonly kind: "headless" };

const MODES: readonly CreateMode[] = [
  { ephemeral: false, sequential: false },
  { ephemeral: true, sequential: false },
  { ephemeral: false, sequential: true },
  { ephemeral: true, sequential: true },
];
/** CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, the largest flag that ZooKeeper knows. Those above 3 are not served. */
const CREATE_FLAGS_MAX = 6;
const STRING_BYTES_MIN = 4;
const ACL_BYTES_MIN = 12;

/** Reads the request of the frame that the reader was reset to. */
export function readRequest(reader: JuteReader): Request {
  const xid = reader.int32();
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
    default:
      return readWrite(reader, xid, opCode);
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

/** Reads `{type, scheme, auth}`. The secret is not used. */
function readAuth(reader: JuteReader, xid: number): Request {
  reader.int32();
  const scheme = reader.string() ?? "";
  return { kind: "auth", xid, scheme };
}

function readWrite(reader: JuteReader, xid: number, opCode: number): Request {
  if (opCode === OpCode.multi) return readMulti(reader, xid);
  const operation = readOperation(reader, opCode);
  if (reader.fault !== undefined) return { kind: "refused", xid, code: Code.marshallingError };
  if (typeof operation !== "number") return { kind: "write", xid, opCode, operation };
  const isUnknown = operation === Code.unimplemented && !isOfZooKeeper(opCode);
  return { kind: "refused", xid, code: operation, ...(isUnknown ? { ends: true } : {}) };
}

/** Op codes of ZooKeeper that zooid does not serve, from reconfig to whoAmI. */
const UNSERVED: ReadonlySet<number> = new Set([16, 20, 22, 102, 103, 104, 107]);

/** ZooKeeper ends a connection that uses any other op code. */
function isOfZooKeeper(opCode: number): boolean {
  return CREATES.has(opCode) || UNSERVED.has(opCode);
}

function readOperation(reader: JuteReader, opCode: number): ClientOperation | Code {
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
      return readZnodeOperation(reader, opCode, readPathOrNull);
  }
}

/** A path that is null is a fault where ZooKeeper's server fails over it. */
function readPath(reader: JuteReader): string {
  return reader.string() ?? failOver(reader);
}

function failOver(reader: JuteReader): "" {
  reader.fail("a path is null");
  return "";
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
    case OpCode.create:
    case OpCode.create2:
      return readCreate(reader);
    case OpCode.delete:
      return { kind: "delete", path: readPath(reader), version: reader.int32() };
    case OpCode.setData: {
      const path = readPathOf(reader);
      const data = reader.buffer();
      return { kind: "setData", path, data, version: reader.int32() };
    }
    case OpCode.check:
      return { kind: "check", path: readPathOf(reader), version: reader.int32() };
    default:
      return Code.unimplemented;
  }
}

function readCreate(reader: JuteReader): ZnodeOperation | Code {
  const path = readPath(reader);
  const data = reader.buffer();
  const acl = readAcl(reader);
  const flags = reader.int32();
  if (flags < 0 || flags > CREATE_FLAGS_MAX) return Code.badArguments;
  const mode = MODES[flags];
  if (mode === undefined) return Code.unimplemented; // Containers and nodes with a time to live are not served.
  return { kind: "create", path, data, acl, mode };
}

/** A member whose flags are bad fails with BadArguments in its turn, as this create does: it names no path. */
const REFUSED_MEMBER: ZnodeOperation = {
  kind: "create",
  path: "",
  data: null,
  acl: [],
  mode: { ephemeral: false, sequential: false },
};

/** The creates of ZooKeeper: create, create2, createContainer, createTTL. */
const CREATES: ReadonlySet<number> = new Set([OpCode.create, OpCode.create2, 19, 21]);

/** Reads the entries of a multi, each after a MultiHeader {type, done, err}, up to the header that is `done`. */
function readMulti(reader: JuteReader, xid: number): Request {
  const operations: ZnodeOperation[] = [];
  for (;;) {
    const opCode = reader.int32();
    const done = reader.bool();
    reader.int32();
    if (reader.fault !== undefined) return { kind: "refused", xid, code: Code.marshallingError };
    if (done) break;
    const operation = readZnodeOperation(reader, opCode, readPath);
    // As in ZooKeeper, a member that may not be in a multi is one that cannot be read.
    const isMember = operation !== Code.unimplemented || CREATES.has(opCode);
    if (reader.fault !== undefined || !isMember) {
      return { kind: "refused", xid, code: Code.marshallingError };
    }
    if (operation === Code.unimplemented) return { kind: "refused", xid, code: operation };
    operations.push(typeof operation === "number" ? REFUSED_MEMBER : operation);
  }
  return { kind: "write", xid, opCode: OpCode.multi, operation: { kind: "multi", operations } };
}

function readAcl(reader: JuteReader): Acl[] {
  const count = reader.count(ACL_BYTES_MIN) ?? 0;
  const acl: Acl[] = [];
  for (let index = 0; index < count && reader.fault === undefined; index += 1) {
    const permissions = reader.int32();
    const scheme = reader.string() ?? "";
    acl.push({ permissions, scheme, id: reader.string() ?? "" });
  }
  return acl;
}

/** A list that is null is a fault, as it is in ZooKeeper. */
function readStrings(reader: JuteReader): string[] {
  const count = reader.count(STRING_BYTES_MIN) ?? reader.fail("a list is null");
  const strings: string[] = [];
  for (let index = 0; index < count && reader.fault === undefined; index += 1) {
    strings.push(readPath(reader));
  }
  return strings;
}
