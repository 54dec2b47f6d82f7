/**
 * Decodes the requests that ClickHouse Keeper has beyond ZooKeeper's. Sources: its ZooKeeperCommon and ZooKeeperConstants
 * (docs/operations/clickhouse.md names the version).
 */
import type { Acl } from "../acl.ts";
import type { Code } from "../codes.ts";
import type { JuteReader } from "../jute.ts";
import { REMOVE_RECURSIVE_MAX } from "../limits.ts";
import type { ZnodeOperation } from "../operations.ts";
import type { ListChildren, ListedOnly, Read } from "../reads.ts";
import type { Stat } from "../stat.ts";
import type { Zxid } from "../zxid.ts";
import { OpCode } from "./codes.ts";
import { readCreate } from "./creates.ts";
import { readPath } from "./null-paths.ts";

/** By Keeper's numbers of a list's type; it takes any other for the first. */
const LISTED: readonly ListedOnly[] = ["all", "persistent", "ephemeral"];

/** Reads `{path, watch, type}`, and of a list with Stats and data `{withStat, withData}` behind them. */
export function readListChildren(reader: JuteReader, opCode: number): ListChildren {
  const kind = "listChildren" as const;
  const path = readPath(reader);
  const watch = reader.bool();
  const only = LISTED[reader.byte()] ?? "all";
  if (opCode === OpCode.filteredList) return { kind, path, watch, only, having: undefined };
  return { kind, path, watch, only, having: { stats: reader.bool(), values: reader.bool() } };
}

/** Reads `{path, limit}`. */
export function readListRecursive(reader: JuteReader): Extract<Read, { kind: "listRecursive" }> {
  return { kind: "listRecursive", path: readPath(reader), znodesMax: reader.int32() >>> 0 };
}

/** Returns the operation; or a code, if it cannot be done; undefined if the op code is none of Keeper's own writes and checks. */
export function readKeeperOperation(
  reader: JuteReader,
  opCode: number,
  readAcl: (reader: JuteReader) => readonly Acl[],
): ZnodeOperation | Code | undefined {
  switch (opCode) {
    case OpCode.checkNotExists:
      return { kind: "checkNotExists", path: readPath(reader), version: reader.int32() };
    case OpCode.checkStat: {
      const path = readPath(reader);
      return { kind: "checkStat", path, version: reader.int32(), stat: readStat(reader) };
    }
    case OpCode.tryRemove:
      return { kind: "tryRemove", path: readPath(reader), version: reader.int32() };
    case OpCode.removeRecursive: {
      const path = readPath(reader);
      const znodesMax = Math.min(reader.int32() >>> 0, REMOVE_RECURSIVE_MAX);
      return { kind: "removeRecursive", path, znodesMax };
    }
    case OpCode.createIfNotExists: {
      const options = { opCode: OpCode.create, inMulti: false, extendedTypes: true };
      const { create, refusal } = readCreate(reader, readAcl, options);
      return refusal ?? { ...create, unlessExists: true };
    }
    default:
      return undefined;
  }
}

function readStat(reader: JuteReader): Stat {
  return {
    czxid: readSafe(reader) as Zxid,
    mzxid: readSafe(reader) as Zxid,
    ctime: readSafe(reader),
    mtime: readSafe(reader),
    version: reader.int32(),
    cversion: reader.int32(),
    aversion: reader.int32(),
    ephemeralOwner: readSafe(reader),
    dataLength: reader.int32(),
    numChildren: reader.int32(),
    pzxid: readSafe(reader) as Zxid,
  };
}

/** No zxid, time or session is beyond the safe integers, or below zero: such a number stands for one that there is not. */
const NEVER = -2;

function readSafe(reader: JuteReader): number {
  const value = reader.int64();
  return value === -1 || (value >= 0 && Number.isSafeInteger(value)) ? value : NEVER;
}
