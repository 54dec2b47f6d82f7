/**
 * Reads a backup, frame after frame, and checks everything that can be checked without building the tree: checksums, the order of the
 * frames, that chunks and records follow each other without a gap, the counts, and the SHA-256 of the whole file.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { crc32 } from "node:zlib";
import { recordHeader, type RecordHeader, verifyRecord } from "../../../protocol/record.ts";
import { chunkHeader, verifyChunk } from "../../../protocol/snapshot.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { ByteSource } from "./byte-source.ts";
import {
  FRAME_HEADER_BYTES,
  frameKind,
  frameLength,
  HEADER_BYTES,
  headerProblem,
} from "./frames.ts";
import { type BackupEnd, decodeEnd, decodeManifest, type Manifest } from "./manifest.ts";

export type BackupPart =
  | { readonly kind: "manifest"; readonly manifest: Manifest }
  | { readonly kind: "chunk"; readonly bytes: Uint8Array }
  | { readonly kind: "record"; readonly bytes: Uint8Array; readonly header: RecordHeader }
  | { readonly kind: "end"; readonly end: BackupEnd };

/** The file is no whole backup. The message names the file, the offset in it, and what is wrong there. */
export class BackupDamaged extends Error {
  override readonly name = "BackupDamaged";
}

/** Reads the file, or standard input if its name is `-`. */
export function readBackup(path: string): AsyncGenerator<BackupPart> {
  const stream = path === "-" ? process.stdin : createReadStream(path, { highWaterMark: 2 ** 20 });
  return readParts(path === "-" ? "standard input" : path, stream);
}

/** The state of the reading. */
type Reading = {
  readonly name: string;
  manifest: Manifest | undefined;
  chunks: number;
  /** Whether the chunk that says that it is the last has come. */
  snapshotIsWhole: boolean;
  records: number;
  lastZxid: Zxid;
};

export async function* readParts(
  name: string,
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<BackupPart> {
  const source = new ByteSource(stream);
  const hash = createHash("sha256");
  const reading: Reading = {
    name,
    manifest: undefined,
    chunks: 0,
    snapshotIsWhole: false,
    records: 0,
    lastZxid: 0 as Zxid,
  };
  const header = await source.take(HEADER_BYTES);
  const problem = headerProblem(header);
  if (problem !== undefined) throw damaged(reading, 0, problem);
  hash.update(header);
  for (;;) {
    const offset = source.position;
    const frame = await takeFrame(reading, source);
    const part = partOf(reading, offset, frame);
    if (part.kind !== "end") {
      hash.update(frame);
      yield part;
      continue;
    }
    checkEnd(reading, offset, part.end, hash.digest("hex"));
    if (!(await source.isAtEnd())) throw damaged(reading, source.position, "bytes after the end");
    yield part;
    return;
  }
}

async function takeFrame(reading: Reading, source: ByteSource): Promise<Buffer> {
  const offset = source.position;
  const start = await source.peek(FRAME_HEADER_BYTES);
  if (start.length < FRAME_HEADER_BYTES) throw damaged(reading, offset, CUT_SHORT);
  const length = frameLength(start);
  if (length === undefined) throw damaged(reading, offset, "no frame has this length");
  const frame = await source.take(length);
  if (frame.length < length) throw damaged(reading, offset, CUT_SHORT);
  return frame;
}

const CUT_SHORT = "the file ends before the backup does: it was cut short";

function partOf(reading: Reading, offset: number, frame: Buffer): BackupPart {
  const kind = frameKind(frame);
  const bytes = frame.subarray(FRAME_HEADER_BYTES);
  if (kind === undefined) throw damaged(reading, offset, "the checksum is wrong");
  if ((kind === "manifest") !== (reading.manifest === undefined)) {
    throw damaged(reading, offset, "the manifest is not where it must be, at the beginning");
  }
  switch (kind) {
    case "manifest": {
      const manifest = decodeManifest(bytes);
      if (manifest === undefined) throw damaged(reading, offset, "the manifest is none");
      reading.manifest = manifest;
      reading.lastZxid = manifest.snapshotZxid;
      return { kind, manifest };
    }
    case "chunk":
      takeChunk(reading, offset, bytes);
      return { kind, bytes };
    case "record":
      return { kind, bytes, header: takeRecord(reading, offset, bytes) };
    case "end": {
      const end = decodeEnd(bytes);
      if (end === undefined) throw damaged(reading, offset, "the last frame is none");
      return { kind, end };
    }
  }
}

function takeChunk(reading: Reading, offset: number, bytes: Uint8Array): void {
  const verdict = verifyChunk(bytes, 0, crc32);
  if ("fault" in verdict || verdict.length !== bytes.length) {
    const fault = "fault" in verdict ? verdict.fault : "badLength";
    throw damaged(reading, offset, `it holds no chunk of a snapshot (${fault})`);
  }
  const { zxid, index, last } = chunkHeader(bytes);
  const isNext =
    zxid === reading.manifest?.snapshotZxid && index === reading.chunks && reading.records === 0;
  if (!isNext || reading.snapshotIsWhole) {
    throw damaged(reading, offset, "a chunk of another snapshot, or out of sequence");
  }
  reading.chunks += 1;
  reading.snapshotIsWhole = last;
}

function takeRecord(reading: Reading, offset: number, bytes: Uint8Array): RecordHeader {
  const verdict = verifyRecord(bytes, 0, crc32);
  if ("fault" in verdict || verdict.length !== bytes.length) {
    const fault = "fault" in verdict ? verdict.fault : "badLength";
    throw damaged(reading, offset, `it holds no record of a log (${fault})`);
  }
  checkSnapshot(reading, offset);
  const header = recordHeader(bytes);
  const { prevZxid, firstZxid, lastZxid } = header;
  if (prevZxid !== reading.lastZxid || firstZxid <= prevZxid || lastZxid < firstZxid) {
    const last = formatZxid(reading.lastZxid);
    const what = `a record that follows zxid ${formatZxid(prevZxid)}, and the one before it ends at ${last}`;
    throw damaged(reading, offset, what);
  }
  reading.records += 1;
  reading.lastZxid = lastZxid;
  return header;
}

function checkSnapshot(reading: Reading, offset: number): void {
  const isNeeded = (reading.manifest?.snapshotZxid ?? 0) > 0 || reading.chunks > 0;
  if (isNeeded && !reading.snapshotIsWhole) {
    throw damaged(reading, offset, "the snapshot before it is not whole");
  }
}

function checkEnd(reading: Reading, offset: number, end: BackupEnd, sha256: string): void {
  const { manifest, chunks, records, lastZxid } = reading;
  checkSnapshot(reading, offset);
  if (lastZxid !== manifest?.zxid) {
    const [ends, says] = [formatZxid(lastZxid), formatZxid(manifest?.zxid ?? lastZxid)];
    throw damaged(reading, offset, `the records end at zxid ${ends}, and must end at ${says}`);
  }
  if (end.chunks !== chunks || end.records !== records || end.bytes !== offset) {
    throw damaged(reading, offset, "there is more or less in the file than it says");
  }
  if (end.sha256 !== sha256) throw damaged(reading, offset, "the SHA-256 of the file is wrong");
}

function damaged({ name }: Reading, offset: number, what: string): BackupDamaged {
  return new BackupDamaged(`${name} is damaged at offset ${offset}: ${what}`);
}
