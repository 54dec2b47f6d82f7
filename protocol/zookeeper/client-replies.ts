/** Decodes the replies of ZooKeeper's protocol as its clients do: what `replies.ts` and `handshake.ts` encode. */
import type { Acl } from "../acl.ts";
import type { JuteReader } from "../jute.ts";
import type { WatchEventType } from "../reads.ts";
import type { Stat } from "../stat.ts";
import type { Zxid } from "../zxid.ts";
import { OpCode } from "./codes.ts";
import type { ClientInfo } from "./replies.ts";

export type SessionGrant = {
  /** 0: the session that was asked for is over. */
  readonly timeoutMs: number;
  readonly session: bigint;
  readonly password: Uint8Array;
  /** Servers before 3.4 do not say it. */
  readonly readOnly: boolean;
};

/** Reads the answer to the handshake. */
export function readConnectResponse(reader: JuteReader): SessionGrant {
  reader.int32();
  const timeoutMs = reader.int32();
  const session = reader.int64Exact();
  const password = new Uint8Array(reader.buffer() ?? []);
  return { timeoutMs, session, password, readOnly: reader.left > 0 && reader.bool() };
}

export type ReplyHeader = { readonly xid: number; readonly zxid: Zxid; readonly code: number };

export function readReplyHeader(reader: JuteReader): ReplyHeader {
  return { xid: reader.int32(), zxid: reader.int64() as Zxid, code: reader.int32() };
}

/** Reads what stands behind the header of an event. */
export function readWatchEvent(reader: JuteReader): {
  readonly type: WatchEventType;
  readonly path: string;
} {
  const type = reader.int32() as WatchEventType;
  reader.int32();
  return { type, path: reader.string() ?? "" };
}

/** Makes a number of the 64 bits of the session that owns an ephemeral znode. */
export type OwnerOf = (owner: bigint) => number;

export function readStat(reader: JuteReader, ownerOf: OwnerOf = Number): Stat {
  return {
    czxid: reader.int64() as Zxid,
    mzxid: reader.int64() as Zxid,
    ctime: reader.int64(),
    mtime: reader.int64(),
    version: reader.int32(),
    cversion: reader.int32(),
    aversion: reader.int32(),
    ephemeralOwner: ownerOf(reader.int64Exact()),
    dataLength: reader.int32(),
    numChildren: reader.int32(),
    pzxid: reader.int64() as Zxid,
  };
}

export function readNames(reader: JuteReader): string[] {
  const names: string[] = [];
  const count = reader.count(4) ?? 0;
  for (let index = 0; index < count; index += 1) names.push(reader.string() ?? "");
  return names;
}

export function readAclReply(reader: JuteReader): Acl[] {
  const acl: Acl[] = [];
  for (let left = reader.count(12) ?? 0; left > 0; left -= 1) {
    const permissions = reader.int32();
    const scheme = reader.string() ?? "";
    acl.push({ permissions, scheme, id: reader.string() ?? "" });
  }
  return acl;
}

/** Reads the answer to whoAmI. */
export function readClientInfos(reader: JuteReader): ClientInfo[] {
  const infos: ClientInfo[] = [];
  for (let left = reader.count(8) ?? 0; left > 0; left -= 1) {
    const scheme = reader.string() ?? "";
    infos.push({ scheme, user: reader.string() ?? "" });
  }
  return infos;
}

export type MultiEntry =
  | { readonly kind: "error"; readonly code: number }
  /** Whether there is a Stat is up to the server and the kind of znode. */
  | { readonly kind: "created"; readonly path: string; readonly stat?: Stat }
  | { readonly kind: "stat"; readonly stat: Stat }
  | { readonly kind: "done" };

/** Reads the results of a multi, each after a MultiHeader {type, done, err}, up to the header that is `done`. */
export function readMultiEntries(reader: JuteReader, ownerOf?: OwnerOf): MultiEntry[] {
  const entries: MultiEntry[] = [];
  for (;;) {
    const type = reader.int32();
    const done = reader.bool();
    reader.int32();
    if (done || reader.fault !== undefined) return entries;
    switch (type) {
      case OpCode.error:
        entries.push({ kind: "error", code: reader.int32() });
        break;
      case OpCode.create:
      case OpCode.createIfNotExists:
        entries.push({ kind: "created", path: reader.string() ?? "" });
        break;
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl: {
        const path = reader.string() ?? "";
        entries.push({ kind: "created", path, stat: readStat(reader, ownerOf) });
        break;
      }
      case OpCode.setData:
        entries.push({ kind: "stat", stat: readStat(reader, ownerOf) });
        break;
      default:
        entries.push({ kind: "done" });
    }
  }
}
