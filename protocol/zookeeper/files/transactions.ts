/**
 * The transactions in Apache ZooKeeper's logs, `log.<zxid>`. Sources: its FileTxnLog, SerializeUtils and zookeeper.jute.
 *
 *   header       magic `ZKLG` 4 | version 4, which is 2 | database 8
 *   each         Adler-32 of the transaction 8 | length 4 | the transaction | 0x42
 *   transaction  session 8 | cxid 4 | zxid 8 | time 8 | type 4 | a record of that type | since 3.6 perhaps a digest
 *
 * Zeros follow the last transaction of a file, since its space is prepared ahead.
 */
import type { Acl } from "../../acl.ts";
import { JuteReader } from "../../jute.ts";
import { readAcl } from "./entries.ts";

export const LOG_MAGIC = 0x5a_4b_4c_47;
/** What stands behind each transaction that is whole. */
export const END_OF_TRANSACTION = 0x42;

export type Change =
  | {
      readonly kind: "create";
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly acl: readonly Acl[];
      readonly owner: "nobody" | "session" | "container" | { readonly ttlMs: number };
      /** How many children the parent has had, this one included; -1: one more than it had. */
      readonly parentCreates: number;
      /** Whether its type is `create`, which alone repairs the counts of a parent that has the child already. */
      readonly isPlain: boolean;
    }
  | { readonly kind: "delete"; readonly path: string }
  | {
      readonly kind: "setData";
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly version: number;
    }
  | {
      readonly kind: "setAcl";
      readonly path: string;
      readonly acl: readonly Acl[];
      readonly version: number;
    }
  | { readonly kind: "createSession"; readonly timeoutMs: number }
  /** The paths of its ephemerals, since 3.6. */
  | { readonly kind: "closeSession"; readonly paths: readonly string[] }
  /** All of them, or, if one is an error, none. */
  | { readonly kind: "multi"; readonly changes: readonly Change[] }
  /** It changes nothing: a check, or what was refused. */
  | { readonly kind: "nothing" };

export type Transaction = {
  readonly session: bigint;
  readonly zxid: number;
  readonly timeMs: number;
  readonly change: Change;
};

/** ZooKeeper's op codes that stand in logs. */
const TYPES = {
  create: 1,
  delete: 2,
  setData: 5,
  setAcl: 7,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  createContainer: 19,
  deleteContainer: 20,
  createTtl: 21,
  error: -1,
  createSession: -10,
  closeSession: -11,
} as const;

const PATH_BYTES_MIN = 4;
const PART_BYTES_MIN = 8;

/** Reads a transaction, or says what is wrong with its bytes. */
export function readTransaction(bytes: Buffer): Transaction | { readonly fault: string } {
  const reader = new JuteReader().reset(bytes);
  const session = reader.int64Exact();
  reader.int32();
  const zxid = reader.int64();
  const timeMs = reader.int64();
  const type = reader.int32();
  if (reader.fault !== undefined) return { fault: reader.fault };
  const start = bytes.length - reader.left;
  let change = readChange(reader, type);
  if (change !== undefined && reader.fault !== undefined && type === TYPES.create) {
    // Before 3.4 a create did not say how many children its parent had.
    change = readCreate(reader.reset(bytes, start), "unknown");
  }
  if (type === TYPES.closeSession && reader.fault !== undefined) {
    // What follows is no list of paths but a digest: such lists can be switched off.
    return { session, zxid, timeMs, change: { kind: "closeSession", paths: [] } };
  }
  if (change === undefined) return { fault: `a transaction of type ${type}, which is not known` };
  const { fault } = reader;
  if (fault !== undefined) return { fault: `a transaction of type ${type}: ${String(fault)}` };
  return { session, zxid, timeMs, change };
}

function readChange(reader: JuteReader, type: number): Change | undefined {
  switch (type) {
    case TYPES.create:
      return readCreate(reader, "plain");
    case TYPES.create2:
      return readCreate(reader, "other");
    case TYPES.createContainer:
      return readCreate(reader, "container");
    case TYPES.createTtl:
      return readCreate(reader, "ttl");
    case TYPES.delete:
    case TYPES.deleteContainer:
      return { kind: "delete", path: readPath(reader) };
    case TYPES.setData:
    case TYPES.reconfig: {
      const path = readPath(reader);
      const data = reader.buffer();
      return { kind: "setData", path, data, version: reader.int32() };
    }
    case TYPES.setAcl: {
      const path = readPath(reader);
      const acl = readAcl(reader);
      return { kind: "setAcl", path, acl, version: reader.int32() };
    }
    case TYPES.createSession:
      return { kind: "createSession", timeoutMs: reader.int32() };
    case TYPES.closeSession:
      return { kind: "closeSession", paths: reader.left === 0 ? [] : readPaths(reader) };
    case TYPES.multi:
      return readMulti(reader);
    case TYPES.check:
    case TYPES.error:
      return { kind: "nothing" };
    default:
      return undefined;
  }
}

function readCreate(
  reader: JuteReader,
  how: "plain" | "other" | "container" | "ttl" | "unknown",
): Change {
  const path = readPath(reader);
  const data = reader.buffer();
  const acl = readAcl(reader);
  const isEphemeral = how === "container" || how === "ttl" ? false : reader.bool();
  const parentCreates = how === "unknown" ? -1 : reader.int32();
  const isPlain = how === "plain" || how === "unknown";
  const made = { kind: "create", path, data, acl, parentCreates, isPlain } as const;
  if (how === "container") return { ...made, owner: "container" };
  if (how === "ttl") return { ...made, owner: { ttlMs: reader.int64() } };
  return { ...made, owner: isEphemeral ? "session" : "nobody" };
}

function readPaths(reader: JuteReader): readonly string[] {
  const paths: string[] = [];
  for (let left = reader.count(PATH_BYTES_MIN) ?? 0; left > 0; left -= 1) {
    paths.push(readPath(reader));
  }
  return paths;
}

/** Its parts are transactions without a header. Nothing of it was done if one of them is an error. */
function readMulti(reader: JuteReader): Change | undefined {
  const changes: Change[] = [];
  let isFailed = false;
  for (let left = reader.count(PART_BYTES_MIN) ?? 0; left > 0; left -= 1) {
    const type = reader.int32();
    const bytes = reader.buffer() ?? new Uint8Array(0);
    isFailed ||= type === TYPES.error;
    if (type === TYPES.error || reader.fault !== undefined) continue;
    const part = new JuteReader().reset(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    const change = type === TYPES.multi ? undefined : readChange(part, type);
    if (change === undefined) return undefined;
    if (part.fault !== undefined) reader.fail(part.fault);
    changes.push(change);
  }
  return isFailed ? { kind: "nothing" } : { kind: "multi", changes };
}

function readPath(reader: JuteReader): string {
  return reader.string() ?? "";
}
