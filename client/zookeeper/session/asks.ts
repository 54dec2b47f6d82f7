/** What a session asks a server for, one frame each, and what the server answers. Paths are whole here: with the chroot. */
import type { Acl } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import type { Identity } from "../../../protocol/identities.ts";
import type { JuteReader, JuteWriter } from "../../../protocol/jute.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import type { StayingWatch } from "../../../protocol/reads.ts";
import type { Stat } from "../../../protocol/stat.ts";
import {
  type MultiEntry,
  type OwnerOf,
  readAclReply,
  readClientInfos,
  readMultiEntries,
  readNames,
  readStat,
  type ReplyHeader,
} from "../../../protocol/zookeeper/client-replies.ts";
import {
  opCodeOf,
  WATCH_MODES,
  WATCHER_TYPES,
  writeOperation,
} from "../../../protocol/zookeeper/client-requests.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";

export type Ask =
  /** `withStat`: a create is asked for as create2, which is answered with a Stat. */
  | { readonly kind: "write"; readonly operation: ClientOperation; readonly withStat: boolean }
  | {
      readonly kind: "exists" | "getData" | "getChildren";
      readonly path: string;
      readonly watch: boolean;
    }
  | { readonly kind: "getAcl"; readonly path: string }
  | { readonly kind: "whoAmI" }
  | { readonly kind: "addWatch"; readonly path: string; readonly mode: StayingWatch }
  | { readonly kind: "removeWatches"; readonly path: string }
  /** Those of the session whose paths begin like this. */
  | { readonly kind: "getEphemerals"; readonly prefix: string };

export type Reply =
  | { readonly kind: "error"; readonly code: Code }
  | { readonly kind: "done" }
  | { readonly kind: "created"; readonly path: string; readonly stat: Stat | undefined }
  | { readonly kind: "stat"; readonly stat: Stat }
  | { readonly kind: "data"; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly kind: "children"; readonly children: readonly string[]; readonly stat: Stat }
  | { readonly kind: "acl"; readonly acl: readonly Acl[]; readonly stat: Stat }
  | { readonly kind: "identities"; readonly identities: readonly Identity[] }
  | { readonly kind: "paths"; readonly paths: readonly string[] }
  | { readonly kind: "multi"; readonly entries: readonly MultiEntry[] };

/** What ZooKeeper 3.4 does not know. create2 was the first of them: a server that does not know it knows none of the others. */
export const NEWER_CODES: ReadonlySet<number> = new Set([
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTtl,
  OpCode.whoAmI,
  OpCode.addWatch,
  OpCode.removeWatches,
  OpCode.getEphemerals,
]);

export function isNewer(opCode: number): boolean {
  return NEWER_CODES.has(opCode);
}

export function codeOf(ask: Ask): number {
  switch (ask.kind) {
    case "write": {
      const code = opCodeOf(ask.operation);
      return ask.withStat && code === OpCode.create ? OpCode.create2 : code;
    }
    case "getChildren":
      return OpCode.getChildren2;
    default:
      return OpCode[ask.kind];
  }
}

/** Whether it changes something, so that it must not be sent twice. A sync changes nothing. */
export function changesSomething(ask: Ask): boolean {
  return ask.kind === "write" && ask.operation.kind !== "sync";
}

const XID_OFFSET = 4;
const OP_CODE_OFFSET = 8;

/** Writes the frame without its number, which `numbered` puts in. */
export function encodeAsk(writer: JuteWriter, ask: Ask): Uint8Array {
  const mark = writer.beginFrame();
  writer.int32(0).int32(codeOf(ask));
  switch (ask.kind) {
    case "write":
      writeOperation(writer, ask.operation);
      break;
    case "getAcl":
      writer.string(ask.path);
      break;
    case "whoAmI":
      break;
    case "addWatch":
      writer.string(ask.path).int32(WATCH_MODES[ask.mode]);
      break;
    case "removeWatches":
      writer.string(ask.path).int32(WATCHER_TYPES.any);
      break;
    case "getEphemerals":
      writer.string(ask.prefix);
      break;
    default:
      writer.string(ask.path).bool(ask.watch);
  }
  writer.endFrame(mark);
  return writer.take();
}

/** Puts the number into the frame, which is sent with another one when its connection is lost. */
export function numbered(frame: Uint8Array, xid: number): Uint8Array {
  new DataView(frame.buffer, frame.byteOffset).setInt32(XID_OFFSET, xid);
  return frame;
}

/** Puts another op code into the frame, whose request has the same fields. */
export function withOpCode(frame: Uint8Array, opCode: number): Uint8Array {
  new DataView(frame.buffer, frame.byteOffset).setInt32(OP_CODE_OFFSET, opCode);
  return frame;
}

/** Reads what stands behind the header. The reply to a multi has results even if it failed. */
export function readReply(
  reader: JuteReader,
  ask: Ask,
  { code }: ReplyHeader,
  ownerOf: OwnerOf,
): Reply {
  const isMulti = ask.kind === "write" && ask.operation.kind === "multi";
  if (code !== Code.ok && (!isMulti || reader.left === 0)) {
    return { kind: "error", code: code as Code };
  }
  switch (ask.kind) {
    case "write":
      return readWritten(reader, ask, ownerOf);
    case "exists":
      return { kind: "stat", stat: readStat(reader, ownerOf) };
    case "getData": {
      const data = copyOrNull(reader.buffer());
      return { kind: "data", data, stat: readStat(reader, ownerOf) };
    }
    case "getChildren": {
      const children = readNames(reader);
      return { kind: "children", children, stat: readStat(reader, ownerOf) };
    }
    case "getAcl": {
      const acl = readAclReply(reader);
      return { kind: "acl", acl, stat: readStat(reader, ownerOf) };
    }
    case "whoAmI": {
      const infos = readClientInfos(reader);
      const identities = infos.map(({ scheme, user }) => ({ scheme, id: user }));
      return { kind: "identities", identities };
    }
    case "getEphemerals":
      return { kind: "paths", paths: readNames(reader) };
    default:
      return { kind: "done" };
  }
}

function readWritten(
  reader: JuteReader,
  ask: Extract<Ask, { readonly kind: "write" }>,
  ownerOf: OwnerOf,
): Reply {
  switch (ask.operation.kind) {
    case "create": {
      const path = reader.string() ?? "";
      const hasStat = codeOf(ask) !== OpCode.create;
      return { kind: "created", path, stat: hasStat ? readStat(reader, ownerOf) : undefined };
    }
    case "setData":
    case "setAcl":
      return { kind: "stat", stat: readStat(reader, ownerOf) };
    case "multi":
      return { kind: "multi", entries: readMultiEntries(reader, ownerOf) };
    default:
      return { kind: "done" };
  }
}

/** The frame is a view into what the socket has read, which may be far larger and would stay in memory. */
function copyOrNull(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : new Uint8Array(bytes);
}
