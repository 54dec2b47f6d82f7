/** ZooKeeper's protocol as a simulated client speaks it: requests as frames, replies as data. */
import type { Acl } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import { type JuteReader, JuteWriter } from "../../../protocol/jute.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import type { Read, WatchLists } from "../../../protocol/reads.ts";
import type { Stat } from "../../../protocol/stat.ts";
import {
  type SessionGrant,
  type MultiEntry,
  readAclReply,
  readClientInfos,
  readConnectResponse,
  readMultiEntries,
  readNames,
  readStat,
  type ReplyHeader,
} from "../../../protocol/zookeeper/client-replies.ts";
import {
  type Handshake,
  opCodeOf,
  WATCH_MODES,
  WATCHER_TYPES,
  writeConnectRequest,
  writeHeader,
  writeOperation,
  writeSetWatches,
} from "../../../protocol/zookeeper/client-requests.ts";
import { OpCode, Xid } from "../../../protocol/zookeeper/codes.ts";
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

const writer = new JuteWriter();

export function connectFrame(
  of: Omit<Handshake, "session"> & { readonly session: number },
): Uint8Array {
  writeConnectRequest(writer, { ...of, session: BigInt(of.session) });
  return writer.take();
}

export function headerFrame(xid: number, opCode: number): Uint8Array {
  writeHeader(writer, xid, opCode);
  return writer.take();
}

export const SET_WATCHES_XID: number = Xid.setWatches;

export function setWatchesFrame(relativeZxid: number, lists: WatchLists): Uint8Array {
  writeSetWatches(writer, relativeZxid as Zxid, lists);
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
    writer.int32(
      asked.kind === "addWatch" ? WATCH_MODES[asked.mode] : WATCHER_TYPES[asked.watcher],
    );
  } else if (request.kind === "wide") {
    const { asked } = request;
    writer.int32(OpCode[asked.kind]);
    if (asked.kind !== "whoAmI") writer.string(asked.path);
  } else {
    writer.int32(request.withStat === true ? OpCode.create2 : opCodeOf(request.operation));
    writeOperation(writer, request.operation);
  }
  writer.endFrame(mark);
  return writer.take();
}

const READ_CODES: Readonly<Record<ReadKind, number>> = {
  exists: OpCode.exists,
  getData: OpCode.getData,
  getChildren: OpCode.getChildren2,
  getNames: OpCode.getChildren,
  getAcl: OpCode.getAcl,
};

export type ConnectReply = Omit<SessionGrant, "session"> & { readonly session: number };

/** The sessions of zooid are exact as numbers. */
export function readConnectReply(reader: JuteReader): ConnectReply {
  const grant = readConnectResponse(reader);
  return { ...grant, session: Number(grant.session) };
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
      const infos = readClientInfos(reader);
      return { kind: "infos", infos: infos.map(({ scheme, user }) => `${scheme}:${user}`) };
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
      const acl = readAclReply(reader);
      return { kind: "acl", acl, stat: readStat(reader) };
    }
  }
}

/** The Stats of members are not held to anything. */
function readEntries(reader: JuteReader): MultiEntry[] {
  return readMultiEntries(reader).map((entry) =>
    entry.kind === "created" ? { kind: "created", path: entry.path } : entry,
  );
}

export function isError(header: ReplyHeader): boolean {
  return header.code !== Code.ok;
}

export function closesSession(request: SimRequest): boolean {
  return request.kind === "write" && request.operation.kind === "closeSession";
}
