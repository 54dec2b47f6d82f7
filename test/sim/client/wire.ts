/** ZooKeeper's protocol as a simulated client speaks it: requests as frames, replies as data. */
import type { Acl } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import { CONTAINER } from "../../../protocol/lifetime.ts";
import { type JuteReader, JuteWriter } from "../../../protocol/jute.ts";
import type { ClientOperation, CreateMode, ZnodeOperation } from "../../../protocol/operations.ts";
import type {
  Read,
  StayingWatch,
  WatcherType,
  WatchEventType,
  WatchLists,
} from "../../../protocol/reads.ts";
import type { Stat } from "../../../protocol/stat.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

/** `getNames` is ZooKeeper's older getChildren, which is answered without a Stat. */
export type ReadKind = "exists" | "getData" | "getChildren" | "getNames" | "getAcl";

export type SimRequest =
  | {
      readonly kind: "write";
      readonly operation: ClientOperation;
      /** A create is asked for as create2, which is answered with a Stat, too. */
      readonly withStat?: boolean;
    }
  | {
      readonly kind: "read";
      readonly read: ReadKind;
      readonly path: string;
      readonly watch: boolean;
    }
  /** Several reads at once. */
  | { readonly kind: "multiRead"; readonly reads: readonly MemberRead[] }
  /** About watches alone. */
  | { readonly kind: "watcher"; readonly asked: WatcherRequest }
  /** About more than one znode, or none. */
  | { readonly kind: "wide"; readonly asked: WideRequest };

export type WideRequest =
  | { readonly kind: "getEphemerals" | "getAllChildrenNumber"; readonly path: string }
  | { readonly kind: "whoAmI" };

export type MemberRead = { readonly read: "getData" | "getChildren"; readonly path: string };

export type WatcherRequest = Extract<
  Read,
  { readonly kind: "addWatch" | "checkWatches" | "removeWatches" }
>;

export type ReplyHeader = { readonly xid: number; readonly zxid: Zxid; readonly code: number };

/** The body of a reply, by what was asked. */
export type ReplyBody =
  | { readonly kind: "nothing" }
  | { readonly kind: "path"; readonly path: string; readonly stat?: Stat }
  | { readonly kind: "stat"; readonly stat: Stat }
  | { readonly kind: "names"; readonly names: readonly string[] }
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "infos"; readonly infos: readonly string[] }
  | { readonly kind: "data"; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly kind: "children"; readonly children: readonly string[]; readonly stat: Stat }
  | { readonly kind: "multi"; readonly entries: readonly MultiEntry[] }
  | { readonly kind: "multiRead"; readonly bodies: readonly MemberBody[] }
  | { readonly kind: "acl"; readonly acl: readonly Acl[]; readonly stat: Stat };

/** The result of a member of a multiRead: children come without a Stat. */
export type MemberBody =
  | { readonly kind: "error"; readonly code: number }
  | { readonly kind: "data"; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly kind: "names"; readonly children: readonly string[] };

export type MultiEntry =
  | { readonly kind: "error"; readonly code: number }
  | { readonly kind: "created"; readonly path: string }
  | { readonly kind: "stat"; readonly stat: Stat }
  | { readonly kind: "done" };

const writer = new JuteWriter();

export function connectFrame(of: {
  readonly lastZxidSeen: number;
  readonly timeoutMs: number;
  readonly session: number;
  readonly password: Uint8Array;
  /** Default false. "absent": the handshake ends before it, as those of old clients. */
  readonly canBeReadOnly?: boolean | "absent";
}): Uint8Array {
  const mark = writer.beginFrame();
  writer.int32(0).int64(of.lastZxidSeen).int32(of.timeoutMs).int64(of.session);
  writer.buffer(of.password);
  if (of.canBeReadOnly !== "absent") writer.bool(of.canBeReadOnly ?? false);
  writer.endFrame(mark);
  return writer.take();
}

export function headerFrame(xid: number, opCode: number): Uint8Array {
  return writer.int32(8).int32(xid).int32(opCode).take();
}

export const SET_WATCHES_XID = -8;

export function setWatchesFrame(relativeZxid: number, lists: WatchLists): Uint8Array {
  const mark = writer.beginFrame();
  const { data, exist, child, persistent, persistentRecursive } = lists;
  const staying = [persistent, persistentRecursive];
  const hasStaying = staying.some(({ length }) => length > 0);
  writer.int32(SET_WATCHES_XID).int32(hasStaying ? OpCode.setWatches2 : OpCode.setWatches);
  writer.int64(relativeZxid);
  for (const list of [data, exist, child, ...(hasStaying ? staying : [])]) {
    writer.int32(list.length);
    for (const path of list) writer.string(path);
  }
  writer.endFrame(mark);
  return writer.take();
}

export function requestFrame(xid: number, request: SimRequest): Uint8Array {
  const mark = writer.beginFrame();
  writer.int32(xid);
  if (request.kind === "read") {
    writer.int32(READ_CODES[request.read]).string(request.path);
    if (request.read !== "getAcl") writer.bool(request.watch);
  } else if (request.kind === "multiRead") {
    writer.int32(OpCode.multiRead);
    for (const { read, path } of request.reads) {
      writer.int32(OpCode[read]).bool(false).int32(-1).string(path).bool(false);
    }
    writer.int32(-1).bool(true).int32(-1);
  } else if (request.kind === "watcher") {
    const { asked } = request;
    writer.int32(OpCode[asked.kind]).string(asked.path);
    writer.int32(asked.kind === "addWatch" ? MODES[asked.mode] : WATCHERS[asked.watcher]);
  } else if (request.kind === "wide") {
    const { asked } = request;
    writer.int32(OpCode[asked.kind]);
    if (asked.kind !== "whoAmI") writer.string(asked.path);
  } else {
    writer.int32(request.withStat === true ? OpCode.create2 : opCodeOf(request.operation));
    writeOperation(request.operation);
  }
  writer.endFrame(mark);
  return writer.take();
}

const MODES: Readonly<Record<StayingWatch, number>> = { persistent: 0, persistentRecursive: 1 };
/** ZooKeeper's WatcherType. */
const WATCHERS: Readonly<Record<WatcherType, number>> = {
  child: 1,
  data: 2,
  any: 3,
  persistent: 4,
  persistentRecursive: 5,
};

const READ_CODES: Readonly<Record<ReadKind, number>> = {
  exists: OpCode.exists,
  getData: OpCode.getData,
  getChildren: OpCode.getChildren2,
  getNames: OpCode.getChildren,
  getAcl: OpCode.getAcl,
};

function opCodeOf(operation: ClientOperation): number {
  switch (operation.kind) {
    case "setAcl":
      return OpCode.setAcl;
    case "refusal":
      return REFUSED_CODE;
    case "create": {
      const { lifetime } = operation.mode;
      if (operation.unlessExists === true) return OpCode.createIfNotExists;
      if (lifetime === undefined) return OpCode.create;
      return lifetime === CONTAINER ? OpCode.createContainer : OpCode.createTtl;
    }
    default:
      return OpCode[operation.kind];
  }
}

/** A create with flags that there are not is refused in its turn. */
const REFUSED_CODE = OpCode.create;
const NO_FLAGS = 99;

function flagsOf({ ephemeral, sequential, lifetime }: CreateMode): number {
  if (lifetime === undefined) return (ephemeral ? 1 : 0) + (sequential ? 2 : 0);
  if (lifetime === CONTAINER) return 4;
  return sequential ? 6 : 5;
}

function writeOperation(operation: ClientOperation): void {
  switch (operation.kind) {
    case "multi":
      for (const each of operation.operations) {
        writer.int32(opCodeOf(each)).bool(false).int32(-1);
        writeZnodeOperation(each);
      }
      writer.int32(-1).bool(true).int32(-1);
      return;
    case "setAcl":
      writer.string(operation.path);
      writeAcl(operation.acl);
      writer.int32(operation.version);
      return;
    case "sync":
      writer.string(operation.path);
      return;
    case "closeSession":
      return;
    default:
      writeZnodeOperation(operation);
  }
}

function writeZnodeOperation(operation: ZnodeOperation): void {
  writer.string(operation.path);
  switch (operation.kind) {
    case "create":
      writer.buffer(operation.data);
      writeAcl(operation.acl);
      writer.int32(flagsOf(operation.mode));
      if (opCodeOf(operation) === OpCode.createTtl) writer.int64(operation.mode.lifetime ?? 0);
      return;
    case "refusal":
      writer.buffer(null).int32(0).int32(NO_FLAGS);
      return;
    case "setData":
      writer.buffer(operation.data).int32(operation.version);
      return;
    case "removeRecursive":
      writer.int32(operation.znodesMax);
      return;
    case "checkStat":
      writer.int32(operation.version);
      writeStat(operation.stat);
      return;
    default:
      writer.int32(operation.version);
  }
}

function writeStat(stat: Stat): void {
  writer.int64(stat.czxid).int64(stat.mzxid).int64(stat.ctime).int64(stat.mtime);
  writer.int32(stat.version).int32(stat.cversion).int32(stat.aversion);
  writer.int64(stat.ephemeralOwner).int32(stat.dataLength).int32(stat.numChildren);
  writer.int64(stat.pzxid);
}

function writeAcl(acl: readonly Acl[]): void {
  writer.int32(acl.length);
  for (const { permissions, scheme, id } of acl)
    writer.int32(permissions).string(scheme).string(id);
}

export type ConnectReply = {
  readonly timeoutMs: number;
  readonly session: number;
  readonly password: Uint8Array;
  readonly readOnly: boolean;
};

export function readConnectReply(reader: JuteReader): ConnectReply {
  reader.int32();
  const timeoutMs = reader.int32();
  const session = reader.int64();
  const password = new Uint8Array(reader.buffer() ?? []);
  return { timeoutMs, session, password, readOnly: reader.left > 0 && reader.bool() };
}

export function readHeader(reader: JuteReader): ReplyHeader {
  return { xid: reader.int32(), zxid: reader.int64() as Zxid, code: reader.int32() };
}

export function readEvent(reader: JuteReader): {
  readonly type: WatchEventType;
  readonly path: string;
} {
  const type = reader.int32() as WatchEventType;
  reader.int32();
  return { type, path: reader.string() ?? "" };
}

/** Reads the body of a reply. The reply to a multi has one even if it failed. */
export function readReplyBody(
  reader: JuteReader,
  request: SimRequest,
  header: ReplyHeader,
): ReplyBody {
  const isMulti = request.kind === "write" && request.operation.kind === "multi";
  if (isError(header) && (!isMulti || reader.left === 0)) return { kind: "nothing" };
  return readBody(reader, request);
}

function readBody(reader: JuteReader, request: SimRequest): ReplyBody {
  if (request.kind === "read") return readReadBody(reader, request.read);
  if (request.kind === "watcher") {
    if (request.asked.kind === "addWatch") reader.int32();
    return { kind: "nothing" };
  }
  if (request.kind === "multiRead") return { kind: "multiRead", bodies: readMembers(reader) };
  if (request.kind === "wide") return readWideBody(reader, request.asked);
  switch (request.operation.kind) {
    case "create": {
      const path = reader.string() ?? "";
      const hasStat = request.withStat === true || request.operation.mode.lifetime !== undefined;
      return hasStat ? { kind: "path", path, stat: readStat(reader) } : { kind: "path", path };
    }
    case "sync":
      return { kind: "path", path: reader.string() ?? "" };
    case "setData":
    case "setAcl":
      return { kind: "stat", stat: readStat(reader) };
    case "multi":
      return { kind: "multi", entries: readEntries(reader) };
    default:
      return { kind: "nothing" };
  }
}

function readWideBody(reader: JuteReader, { kind }: WideRequest): ReplyBody {
  switch (kind) {
    case "getEphemerals":
      return { kind: "names", names: readNames(reader) };
    case "getAllChildrenNumber":
      return { kind: "count", count: reader.int32() };
    case "whoAmI": {
      const infos: string[] = [];
      for (let left = reader.count(8) ?? 0; left > 0; left -= 1) {
        infos.push(`${reader.string() ?? ""}:${reader.string() ?? ""}`);
      }
      return { kind: "infos", infos };
    }
  }
}

function readMembers(reader: JuteReader): MemberBody[] {
  const bodies: MemberBody[] = [];
  for (;;) {
    const type = reader.int32();
    const done = reader.bool();
    reader.int32();
    if (done || reader.fault !== undefined) return bodies;
    if (type === OpCode.error) bodies.push({ kind: "error", code: reader.int32() });
    else if (type === OpCode.getChildren)
      bodies.push({ kind: "names", children: readNames(reader) });
    else {
      const data = reader.buffer();
      bodies.push({ kind: "data", data, stat: readStat(reader) });
    }
  }
}

function readNames(reader: JuteReader): string[] {
  const names: string[] = [];
  const count = reader.count(4) ?? 0;
  for (let index = 0; index < count; index += 1) names.push(reader.string() ?? "");
  return names;
}

function readReadBody(reader: JuteReader, read: ReadKind): ReplyBody {
  switch (read) {
    case "exists":
      return { kind: "stat", stat: readStat(reader) };
    case "getData": {
      const data = reader.buffer();
      return { kind: "data", data, stat: readStat(reader) };
    }
    case "getChildren": {
      const children = readNames(reader);
      return { kind: "children", children, stat: readStat(reader) };
    }
    case "getNames":
      return { kind: "names", names: readNames(reader) };
    case "getAcl": {
      const acl: Acl[] = [];
      for (let left = reader.count(12) ?? 0; left > 0; left -= 1) {
        const permissions = reader.int32();
        const scheme = reader.string() ?? "";
        acl.push({ permissions, scheme, id: reader.string() ?? "" });
      }
      return { kind: "acl", acl, stat: readStat(reader) };
    }
  }
}

function readEntries(reader: JuteReader): MultiEntry[] {
  const entries: MultiEntry[] = [];
  for (;;) {
    const type = reader.int32();
    const done = reader.bool();
    reader.int32();
    if (done || reader.fault !== undefined) return entries;
    if (type === OpCode.error) entries.push({ kind: "error", code: reader.int32() });
    else if (type === OpCode.create || type === OpCode.createIfNotExists)
      entries.push({ kind: "created", path: reader.string() ?? "" });
    else if (type === OpCode.create2) {
      entries.push({ kind: "created", path: reader.string() ?? "" });
      readStat(reader);
    } else if (type === OpCode.setData) entries.push({ kind: "stat", stat: readStat(reader) });
    else entries.push({ kind: "done" });
  }
}

function readStat(reader: JuteReader): Stat {
  return {
    czxid: reader.int64() as Zxid,
    mzxid: reader.int64() as Zxid,
    ctime: reader.int64(),
    mtime: reader.int64(),
    version: reader.int32(),
    cversion: reader.int32(),
    aversion: reader.int32(),
    ephemeralOwner: reader.int64(),
    dataLength: reader.int32(),
    numChildren: reader.int32(),
    pzxid: reader.int64() as Zxid,
  };
}

export function isError(header: ReplyHeader): boolean {
  return header.code !== Code.ok;
}

export function closesSession(request: SimRequest): boolean {
  return request.kind === "write" && request.operation.kind === "closeSession";
}
