/** Reads the chunks of a snapshot's file and verifies them. Nothing is taken from a snapshot that is not intact. */
import type { Configuration } from "../../../protocol/configuration.ts";
import { SNAPSHOT_CHUNK_BYTES_MAX } from "../../../protocol/limits.ts";
import type { Crc32 } from "../../../protocol/record.ts";
import {
  CHUNK_HEADER_BYTES,
  type ChunkHeader,
  chunkHeader,
  verifyChunk,
} from "../../../protocol/snapshot.ts";
import { snapshotStart, type SnapshotStart } from "../../../protocol/snapshot-start.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import { type Procedure, readBytes } from "./procedure.ts";

/** Where in which file a chunk is expected, and which chunk it must be. */
export type ChunkPlace = {
  readonly file: string;
  readonly position: number;
  readonly zxid: Zxid;
  readonly index: number;
};

export type ReadChunk =
  | { readonly kind: "chunk"; readonly bytes: Uint8Array; readonly header: ChunkHeader }
  | { readonly kind: "fault"; readonly fault: string };

export function* readChunk(place: ChunkPlace, crc32: Crc32): Procedure<ReadChunk> {
  const { file, position } = place;
  const start = yield* readBytes(file, position, CHUNK_HEADER_BYTES);
  if (start.length < CHUNK_HEADER_BYTES) return { kind: "fault", fault: "incomplete" };
  const { length } = chunkHeader(start);
  if (length > SNAPSHOT_CHUNK_BYTES_MAX) return { kind: "fault", fault: "badLength" };
  const bytes = yield* readBytes(file, position, length);
  const fault = chunkFault(bytes, place, crc32);
  if (fault !== undefined) return { kind: "fault", fault };
  return { kind: "chunk", bytes, header: chunkHeader(bytes) };
}

/** What is wrong with the bytes of one chunk. Undefined: they are intact. */
export function chunkFault(
  bytes: Uint8Array,
  expected: { readonly zxid: Zxid; readonly index: number },
  crc32: Crc32,
): string | undefined {
  const checked = verifyChunk(bytes, 0, crc32);
  if ("fault" in checked) return checked.fault;
  if (checked.length !== bytes.length) return "badLength";
  const header = chunkHeader(bytes);
  return header.zxid === expected.zxid && header.index === expected.index
    ? undefined
    : "outOfPlace";
}

export type SnapshotVerdict =
  | ({ readonly kind: "valid"; readonly identity: SnapshotIdentity } & SnapshotStart)
  | { readonly kind: "damaged"; readonly position: number; readonly fault: string };

/**
 * Verifies a whole snapshot: every chunk is intact, they are in sequence, the last one says that it is the last, and nothing follows.
 * Calls `onChunk` for each intact chunk, in order.
 */
export function* verifySnapshot(
  file: { readonly name: string; readonly size: number; readonly zxid: Zxid },
  crc32: Crc32,
  onChunk?: (bytes: Uint8Array, header: ChunkHeader) => void,
): Procedure<SnapshotVerdict> {
  const { name, size, zxid } = file;
  let position = 0;
  let checksum = 0;
  let start: SnapshotStart = { timeMs: 0, configuration: undefined };
  for (let index = 0; ; index += 1) {
    const read = yield* readChunk({ file: name, position, zxid, index }, crc32);
    if (read.kind === "fault") return { kind: "damaged", position, fault: read.fault };
    onChunk?.(read.bytes, read.header);
    if (index === 0) start = snapshotStart(read.bytes);
    checksum = crc32(read.bytes, checksum);
    position += read.bytes.length;
    if (!read.header.last) continue;
    if (position !== size)
      return { kind: "damaged", position, fault: "bytes after the last chunk" };
    return { kind: "valid", identity: { zxid, bytes: size, checksum }, ...start };
  }
}

/** A text that says to which other ensemble a snapshot belongs. Undefined: it is of the folder's ensemble, or does not say. */
export function foreignOwner(
  own: Configuration | undefined,
  theirs: Configuration | undefined,
): string | undefined {
  if (own === undefined || theirs === undefined || own.ensembleId === theirs.ensembleId)
    return undefined;
  return `it is of the ensemble ${theirs.ensembleId}, and the folder of ${own.ensembleId}`;
}
