/** The first and the last frame of a backup: what it is of, and what must be in it. Both are JSON; zxids are text, such as `0x100000000`. */
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { zxidOfText } from "../../../server/skipped-operations.ts";

/** From what a backup was made. */
export type BackupOrigin = "zooid" | "zookeeper";

export type Manifest = {
  /** The version of zooid that wrote it. */
  readonly zooid: string;
  readonly origin: BackupOrigin;
  readonly madeAt: Date;
  /** The ensemble's name, its id, and the node whose folder it was. Undefined: of an ensemble of Apache ZooKeeper, or of none yet. */
  readonly ensemble: string | undefined;
  readonly ensembleId: string | undefined;
  readonly node: number | undefined;
  /** The snapshot from which the backup begins. 0: there was none, and the records begin with the first one. */
  readonly snapshotZxid: Zxid;
  /** The backup holds everything up to this zxid and nothing after it. */
  readonly zxid: Zxid;
  /** Operations among the records that no node has applied (decision 12). */
  readonly skipped: readonly Zxid[];
};

/** The counts of what stands before the last frame. */
export type BackupEnd = {
  readonly chunks: number;
  readonly records: number;
  /** The bytes of the file before the last frame, and their SHA-256 in hexadecimal. */
  readonly bytes: number;
  readonly sha256: string;
};

export function encodeManifest(manifest: Manifest): Uint8Array {
  const { madeAt, snapshotZxid, zxid, skipped } = manifest;
  return encode({
    ...manifest,
    madeAt: madeAt.toISOString(),
    snapshotZxid: formatZxid(snapshotZxid),
    zxid: formatZxid(zxid),
    skipped: skipped.map(formatZxid),
  });
}

/** Undefined if the bytes are no manifest. */
export function decodeManifest(bytes: Uint8Array): Manifest | undefined {
  const { zooid, origin, madeAt, ensemble, ensembleId, node, ...zxids } = decode(bytes);
  if (typeof zooid !== "string" || (origin !== "zooid" && origin !== "zookeeper")) return undefined;
  const made = typeof madeAt === "string" ? new Date(madeAt) : new Date(Number.NaN);
  if (Number.isNaN(made.getTime())) return undefined;
  if (!isTextOrNone(ensemble) || !isTextOrNone(ensembleId)) return undefined;
  if (node !== undefined && typeof node !== "number") return undefined;
  const snapshotZxid = zxidOf(zxids["snapshotZxid"]);
  const zxid = zxidOf(zxids["zxid"]);
  const listed = Array.isArray(zxids["skipped"]) ? zxids["skipped"].map(zxidOf) : [undefined];
  const skipped = listed.filter((each) => each !== undefined);
  if (snapshotZxid === undefined || zxid === undefined || skipped.length < listed.length) {
    return undefined;
  }
  if (snapshotZxid > zxid) return undefined;
  const of = { zooid, origin, madeAt: made, ensemble, ensembleId, node } as const;
  return { ...of, snapshotZxid, zxid, skipped };
}

export function encodeEnd(end: BackupEnd): Uint8Array {
  return encode(end);
}

/** Undefined if the bytes are none. */
export function decodeEnd(bytes: Uint8Array): BackupEnd | undefined {
  const { chunks, records, bytes: length, sha256 } = decode(bytes);
  if (!isCount(chunks) || !isCount(records) || !isCount(length)) return undefined;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  return { chunks, records, bytes: length, sha256 };
}

function encode(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value), "utf8");
}

function decode(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function zxidOf(value: unknown): Zxid | undefined {
  if (value === "0x0") return 0 as Zxid;
  return typeof value === "string" ? zxidOfText(value) : undefined;
}

function isTextOrNone(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
