/** Encodes the requests of ZooKeeper's protocol as its clients do: what `requests.ts` and `handshake.ts` decode. */
import type { JuteWriter } from "../jute.ts";
import { CONTAINER } from "../lifetime.ts";
import type { ClientOperation, CreateMode, ZnodeOperation } from "../operations.ts";
import type { StayingWatch, WatcherType, WatchLists } from "../reads.ts";
import type { Zxid } from "../zxid.ts";
import { OpCode, Xid } from "./codes.ts";
import { writeAcl, writeStat } from "./replies.ts";

export type Handshake = {
  readonly lastZxidSeen: number;
  readonly timeoutMs: number;
  /** 0 asks for a new session. All 64 bits are the server's. */
  readonly session: bigint;
  readonly password: Uint8Array;
  /** Default false. "absent": the handshake ends before it, as those of old clients. */
  readonly canBeReadOnly?: boolean | "absent";
};

export function writeConnectRequest(writer: JuteWriter, of: Handshake): void {
  const mark = writer.beginFrame();
  writer.int32(0).int64(of.lastZxidSeen).int32(of.timeoutMs).int64Exact(of.session);
  writer.buffer(of.password);
  if (of.canBeReadOnly !== "absent") writer.bool(of.canBeReadOnly ?? false);
  writer.endFrame(mark);
}

/** A request without fields: a ping, a whoAmI. */
export function writeHeader(writer: JuteWriter, xid: number, opCode: number): void {
  writer.int32(8).int32(xid).int32(opCode);
}

/** Writes `{type, scheme, auth}`, which proves an identity. */
export function writeAuth(writer: JuteWriter, scheme: string, proof: Uint8Array): void {
  const mark = writer.beginFrame();
  writer.int32(Xid.auth).int32(OpCode.auth).int32(0).string(scheme).buffer(proof);
  writer.endFrame(mark);
}

/** Watches that stay need the newer request, which older servers do not know. */
export function writeSetWatches(writer: JuteWriter, relativeZxid: Zxid, lists: WatchLists): void {
  const mark = writer.beginFrame();
  const { data, exist, child, persistent, persistentRecursive } = lists;
  const staying = [persistent, persistentRecursive];
  const hasStaying = staying.some(({ length }) => length > 0);
  writer.int32(Xid.setWatches).int32(hasStaying ? OpCode.setWatches2 : OpCode.setWatches);
  writer.int64(relativeZxid);
  for (const list of [data, exist, child, ...(hasStaying ? staying : [])]) {
    writer.int32(list.length);
    for (const path of list) writer.string(path);
  }
  writer.endFrame(mark);
}

/** By AddWatchMode's numbers. */
export const WATCH_MODES: Readonly<Record<StayingWatch, number>> = {
  persistent: 0,
  persistentRecursive: 1,
};

/** By WatcherType's numbers. */
export const WATCHER_TYPES: Readonly<Record<WatcherType, number>> = {
  child: 1,
  data: 2,
  any: 3,
  persistent: 4,
  persistentRecursive: 5,
};

/** A create with flags that there are not is refused in its turn. */
const REFUSED_CODE = OpCode.create;
const NO_FLAGS = 99;

export function opCodeOf(operation: ClientOperation): number {
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

/** Writes the fields of the operation, without its op code. */
export function writeOperation(writer: JuteWriter, operation: ClientOperation): void {
  switch (operation.kind) {
    case "multi":
      for (const each of operation.operations) {
        writer.int32(opCodeOf(each)).bool(false).int32(-1);
        writeZnodeOperation(writer, each);
      }
      writer.int32(-1).bool(true).int32(-1);
      return;
    case "setAcl":
      writer.string(operation.path);
      writeAcl(writer, operation.acl);
      writer.int32(operation.version);
      return;
    case "sync":
      writer.string(operation.path);
      return;
    case "closeSession":
      return;
    default:
      writeZnodeOperation(writer, operation);
  }
}

function writeZnodeOperation(writer: JuteWriter, operation: ZnodeOperation): void {
  writer.string(operation.path);
  switch (operation.kind) {
    case "create":
      writer.buffer(operation.data);
      writeAcl(writer, operation.acl);
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
      writeStat(writer, operation.stat);
      return;
    default:
      writer.int32(operation.version);
  }
}

function flagsOf({ ephemeral, sequential, lifetime }: CreateMode): number {
  if (lifetime === undefined) return (ephemeral ? 1 : 0) + (sequential ? 2 : 0);
  if (lifetime === CONTAINER) return 4;
  return sequential ? 6 : 5;
}
