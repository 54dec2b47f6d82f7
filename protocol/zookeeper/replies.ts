/** Encodes the replies of ZooKeeper's protocol. An error is a header without a body; only a multi has errors in its body. */
import type { Acl } from "../acl.ts";
import { unreachable } from "../assert.ts";
import { Code } from "../codes.ts";
import type { JuteWriter } from "../jute.ts";
import type { ClientOperation, OperationResult, ZnodeOperation } from "../operations.ts";
import type { ReadResult, WatchEvent } from "../reads.ts";
import type { Stat } from "../stat.ts";
import { ZXID_NONE, type Zxid } from "../zxid.ts";
import { KEEPER_STATE_SYNC_CONNECTED, OpCode, Xid } from "./codes.ts";

export function writeHeaderReply(writer: JuteWriter, xid: number, zxid: Zxid, code: number): void {
  writer
    .int32(writer.wideXids ? 20 : 16)
    .xid(xid)
    .int64(zxid)
    .int32(code);
}

/** The server's part of a login by SASL. It has a token, or null, also beside an error, and belongs to no transaction. */
export function writeSaslReply(
  writer: JuteWriter,
  xid: number,
  code: Code,
  token: Uint8Array | null,
): void {
  const mark = writer.beginFrame();
  writer.xid(xid).int64(ZXID_NONE).int32(code).buffer(token);
  writer.endFrame(mark);
}

/** An identity as whoAmI shows it. */
export type ClientInfo = { readonly scheme: string; readonly user: string };

export function writeWhoAmIReply(
  writer: JuteWriter,
  xid: number,
  zxid: Zxid,
  infos: readonly ClientInfo[],
): void {
  const mark = writer.beginFrame();
  writer.xid(xid).int64(zxid).int32(Code.ok).int32(infos.length);
  for (const { scheme, user } of infos) writer.string(scheme).string(user);
  writer.endFrame(mark);
}

export function writeReadReply(
  writer: JuteWriter,
  xid: number,
  zxid: Zxid,
  opCode: number,
  result: ReadResult,
): void {
  if (result.kind === "error") {
    writeHeaderReply(writer, xid, zxid, result.code);
    return;
  }
  const mark = writer.beginFrame();
  writer.xid(xid).int64(zxid).int32(Code.ok);
  switch (result.kind) {
    case "stat":
      writeStat(writer, result.stat);
      break;
    case "data":
      writer.buffer(result.data);
      writeStat(writer, result.stat);
      break;
    case "children":
      writeNames(writer, result.children);
      if (opCode === OpCode.getChildren2) writeStat(writer, result.stat);
      break;
    case "listed":
      writeListed(writer, result);
      break;
    case "page":
    case "stats":
    case "changed":
      throw new Error(`ZooKeeper's clients ask for no ${result.kind}`);
    case "acl":
      writeAcl(writer, result.acl);
      writeStat(writer, result.stat);
      break;
    case "multiRead":
      writeReadEntries(writer, result.results);
      break;
    case "paths":
      writeNames(writer, result.paths);
      break;
    case "count":
      writer.int32(result.count);
      break;
    case "done":
      // An ErrorResponse without an error, where others have no body.
      if (opCode === OpCode.addWatch) writer.int32(Code.ok);
      break;
    default:
      unreachable(result);
  }
  writer.endFrame(mark);
}

export function writeWriteReply(
  writer: JuteWriter,
  xid: number,
  zxid: Zxid,
  opCode: number,
  operation: ClientOperation,
  result: OperationResult,
): void {
  if (result.kind === "error") {
    writeHeaderReply(writer, xid, zxid, result.code);
    return;
  }
  const mark = writer.beginFrame();
  writer.xid(xid).int64(zxid).int32(Code.ok);
  if (result.kind === "multi" && operation.kind === "multi") {
    result.results.forEach((entry, index) => {
      writeMultiEntry(writer, operation.operations[index], entry);
    });
    writeMultiHeader(writer, OpCode.error, true, -1);
  } else if (operation.kind === "sync") {
    writer.string(operation.path);
  } else {
    writeResultBody(writer, opCode, result);
  }
  writer.endFrame(mark);
}

/** Writes the reply to a multi that was refused before it was done: all of its entries are errors. */
export function writeRefusedMulti(
  writer: JuteWriter,
  reply: {
    readonly xid: number;
    readonly zxid: Zxid;
    readonly code: Code;
    readonly multi: { readonly count: number; readonly failedAt: number };
  },
): void {
  const { xid, zxid, code, multi } = reply;
  const mark = writer.beginFrame();
  writer.xid(xid).int64(zxid).int32(Code.ok);
  for (let index = 0; index < multi.count; index += 1) {
    const failed = index === multi.failedAt ? code : Code.runtimeInconsistency;
    const entry = index < multi.failedAt ? Code.ok : failed;
    writeMultiEntry(writer, undefined, { kind: "error", code: entry });
  }
  writeMultiHeader(writer, OpCode.error, true, -1);
  writer.endFrame(mark);
}

export function writeWatchEvent(writer: JuteWriter, event: WatchEvent): void {
  const mark = writer.beginFrame();
  writer.xid(Xid.watchEvent).int64(event.zxid).int32(Code.ok);
  writer.int32(event.type).int32(KEEPER_STATE_SYNC_CONNECTED).string(event.path);
  writer.endFrame(mark);
}

const ENTRY_OP_CODES = {
  create: OpCode.create,
  delete: OpCode.delete,
  setData: OpCode.setData,
  check: OpCode.check,
  refusal: OpCode.error,
  checkNotExists: OpCode.checkNotExists,
  checkStat: OpCode.checkStat,
  tryRemove: OpCode.tryRemove,
  removeRecursive: OpCode.removeRecursive,
} as const satisfies Record<ZnodeOperation["kind"], number>;

/**
 * A create2 within a multi is answered like create, without its Stat, and a create of a znode with a lifetime like create2, as ZooKeeper
 * 3.8 does. ClickHouse Keeper's clients are answered with the Stat.
 */
function entryOpCode(operation: ZnodeOperation): number {
  if (operation.kind !== "create") return ENTRY_OP_CODES[operation.kind];
  if (operation.unlessExists === true) return OpCode.createIfNotExists;
  const tellsStat = operation.tellsStat === true || operation.mode.lifetime !== undefined;
  return tellsStat ? OpCode.create2 : OpCode.create;
}

/** In a failed multi every entry is an error, with the code ok for those that would have succeeded. */
function writeMultiEntry(
  writer: JuteWriter,
  operation: ZnodeOperation | undefined,
  result: OperationResult,
): void {
  if (result.kind === "error" || operation === undefined) {
    const code = result.kind === "error" ? result.code : Code.systemError;
    writeMultiHeader(writer, OpCode.error, false, code);
    writer.int32(code);
    return;
  }
  const opCode = entryOpCode(operation);
  writeMultiHeader(writer, opCode, false, Code.ok);
  writeResultBody(writer, opCode, result);
}

/** The results of a multiRead. */
function writeReadEntries(writer: JuteWriter, results: readonly ReadResult[]): void {
  for (const result of results) {
    switch (result.kind) {
      case "data":
        writeMultiHeader(writer, OpCode.getData, false, Code.ok);
        writer.buffer(result.data);
        writeStat(writer, result.stat);
        break;
      case "children":
        writeMultiHeader(writer, OpCode.getChildren, false, Code.ok);
        writeNames(writer, result.children);
        break;
      case "stat":
        writeMultiHeader(writer, OpCode.exists, false, Code.ok);
        writeStat(writer, result.stat);
        break;
      case "listed": {
        const isPlain = result.having === undefined;
        const type = isPlain ? OpCode.getChildren2 : OpCode.filteredListWithStatsAndData;
        writeMultiHeader(writer, type, false, Code.ok);
        writeListed(writer, result);
        break;
      }
      default: {
        const code = result.kind === "error" ? result.code : Code.systemError;
        writeMultiHeader(writer, OpCode.error, false, code);
        writer.int32(code);
      }
    }
  }
  writeMultiHeader(writer, OpCode.error, true, -1);
}

function writeListed(
  writer: JuteWriter,
  { children, stat, having }: Extract<ReadResult, { readonly kind: "listed" }>,
): void {
  writeNames(writer, children);
  writeStat(writer, stat);
  if (having === undefined) return;
  writer.int32(having.stats.length);
  for (const each of having.stats) writeStat(writer, each);
  writer.int32(having.values.length);
  for (const each of having.values) writer.buffer(each);
}

function writeNames(writer: JuteWriter, names: readonly string[]): void {
  writer.int32(names.length);
  for (const name of names) writer.string(name);
}

function writeMultiHeader(writer: JuteWriter, type: number, done: boolean, code: number): void {
  writer.int32(type).bool(done).int32(code);
}

function writeResultBody(writer: JuteWriter, opCode: number, result: OperationResult): void {
  if (result.kind === "created") {
    writer.string(result.path);
    const hasStat = opCode !== OpCode.create && opCode !== OpCode.createIfNotExists;
    if (hasStat) writeStat(writer, result.stat);
  } else if (result.kind === "stat") {
    writeStat(writer, result.stat);
  }
}

export function writeAcl(writer: JuteWriter, acl: readonly Acl[]): void {
  writer.int32(acl.length);
  for (const entry of acl) writer.int32(entry.permissions).string(entry.scheme).string(entry.id);
}

export function writeStat(writer: JuteWriter, stat: Stat): void {
  writer.int64(stat.czxid).int64(stat.mzxid).int64(stat.ctime).int64(stat.mtime);
  writer.int32(stat.version).int32(stat.cversion).int32(stat.aversion);
  writer.int64(stat.ephemeralOwner).int32(stat.dataLength).int32(stat.numChildren);
  writer.int64(stat.pzxid);
}
