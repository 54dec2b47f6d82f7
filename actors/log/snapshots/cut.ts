/**
 * Snapshots of this node: written as the tree cuts them, given to lanes and peers, and purged together with the segments
 * that they replace. Each procedure reads or writes one chunk at most, so that appends never wait for more than that.
 */
import { assert, unreachable } from "../../../protocol/assert.ts";
import type { DiskOperation } from "../../../runtime/disk.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import { noteRefusal, noteSnapshot } from "./schedule.ts";
import { SNAPSHOT_NEW_FILE, snapshotName } from "../format/files.ts";
import { dropParts, storePart } from "./install.ts";
import type { SnapshotMessage } from "../messages.ts";
import {
  LogStop,
  perform,
  performIfSpace,
  type Procedure,
  readBytes,
  removeIfThere,
} from "../format/procedure.ts";
import { chunkFault, readChunk } from "../format/snapshot-file.ts";
import { dropSpares, retireSegment } from "../segments/spares.ts";
import { type LogState, report, log, type SnapshotWork, type StoredSnapshot } from "../state.ts";

/** The newest two are kept: should one be damaged, the log still continues the other. */
const SNAPSHOTS_KEPT = 2;
/**
 * So long after a peer has read of a snapshot, it stays, and the log after it: under load, snapshots are cut faster than a slow
 * link carries one, and a peer that is given an end of its snapshot only to find it gone would begin anew for ever. Long enough
 * for the peer to verify and install what it has, and to ask for the records that follow.
 */
export const PINNED_MS = 30_000;

type Chunk = Extract<SnapshotMessage, { kind: "snapshotChunk" }>;
type ReadRequest = Extract<SnapshotMessage, { kind: "readSnapshot" }>;

export function nextSnapshotWork(state: LogState, work: SnapshotWork, nowMs: number): Procedure {
  switch (work.kind) {
    case "snapshotChunk":
      return storeChunk(state, work);
    case "loadNext":
      return loadNext(state, work.to);
    case "readSnapshot":
      return readSnapshot(state, work, nowMs);
    case "storePart":
      return storePart(state, work);
    case "dropParts":
      return dropParts(state);
    case "purge":
      return purgeOne(state, nowMs);
    default:
      return unreachable(work);
  }
}

function* storeChunk(state: LogState, chunk: Chunk): Procedure {
  const { zxid, index, bytes, last } = chunk;
  const newest = state.snapshots.at(-1);
  const passed = Math.max(newest?.zxid ?? 0, state.index.base);
  const superseded = zxid <= passed || !state.index.holds(zxid);
  const isNext = index === 0 || (state.cut?.zxid === zxid && state.cut.nextIndex === index);
  if (superseded || !isNext) {
    refuse(state, zxid, superseded ? "superseded" : "not the next chunk");
    return;
  }
  const fault = chunkFault(bytes, chunk, state.settings.crc32);
  assert(fault === undefined, "the tree gives whole chunks");
  if (index === 0) {
    yield* removeIfThere(SNAPSHOT_NEW_FILE);
    state.cut = { zxid, nextIndex: 0, bytes: 0, checksum: 0 };
  }
  const { cut } = state;
  assert(cut !== undefined, "a chunk belongs to a cut");
  const done = yield* performIfSpace([
    { kind: "write", file: SNAPSHOT_NEW_FILE, position: cut.bytes, buffers: [bytes] },
    { kind: "sync", file: SNAPSHOT_NEW_FILE },
  ]);
  if (!done) {
    yield* removeIfThere(SNAPSHOT_NEW_FILE);
    yield* dropSpares(state);
    state.cut = undefined;
    refuse(state, zxid, "the disk is full");
    return;
  }
  cut.nextIndex += 1;
  cut.bytes += bytes.length;
  cut.checksum = state.settings.crc32(bytes, cut.checksum);
  if (last) yield* finishCut(state);
  state.outbox.push(tell("tree/1", { kind: "chunkStored", zxid, index }));
}

function refuse(state: LogState, zxid: Zxid, reason: string): void {
  noteRefusal(state);
  log(state, "snapshotRefused", { zxid: formatZxid(zxid), reason });
  state.outbox.push(tell("tree/1", { kind: "snapshotRefused", zxid, reason }));
}

/** From the moment it has its name, a snapshot is whole. */
function* finishCut(state: LogState): Procedure {
  const { cut } = state;
  assert(cut !== undefined, "a cut is finished once");
  const { zxid, bytes, checksum } = cut;
  yield* perform([
    { kind: "rename", file: SNAPSHOT_NEW_FILE, to: snapshotName(zxid) },
    { kind: "syncFolder" },
  ]);
  const identity = { zxid, bytes, checksum };
  state.snapshots.push({ zxid, identity, pinnedUntilMs: undefined });
  noteSnapshot(state, state.index.bytesFrom(state.index.countUpTo(zxid)));
  state.snapshotWork.push({ kind: "purge" });
  report(state, { kind: "snapshotStored", snapshot: identity });
  log(state, "snapshotStored", { zxid: formatZxid(zxid), bytes });
}

/**
 * Removes one file, durably before the next one goes: the oldest first, so that what is left of the log has no gap whenever
 * it ends.
 */
function* purgeOne(state: LogState, nowMs: number): Procedure {
  const { snapshots, segments, index } = state;
  const old = snapshots
    .slice(0, -SNAPSHOTS_KEPT)
    .find((snapshot) => !isBeingRead(state, snapshot, nowMs));
  if (old !== undefined) {
    yield* remove(snapshotName(old.zxid));
    snapshots.splice(snapshots.indexOf(old), 1);
    state.snapshotWork.push({ kind: "purge" });
    return;
  }
  const damaged = state.voteLoss === undefined ? state.damagedFiles.pop() : undefined;
  if (damaged !== undefined) {
    yield* removeIfThere(damaged);
    state.snapshotWork.push({ kind: "purge" });
    return;
  }
  const [oldest] = snapshots;
  const [first, second] = segments;
  const isNeeded =
    oldest === undefined ||
    snapshots.length < SNAPSHOTS_KEPT ||
    second === undefined ||
    index.lastZxidOf(second.firstRecord - 1) > oldest.zxid;
  if (first === undefined || isNeeded) return;
  yield* retireSegment(state, first);
  segments.shift();
  index.purge(second.firstRecord);
  log(state, "segmentPurged", { file: first.name });
  report(state, { kind: "purged", baseZxid: index.base });
  state.snapshotWork.push({ kind: "purge" });
}

/** By a lane, or by a peer while there is room: a disk that is nearly full comes first. */
function isBeingRead(
  { loads, low }: LogState,
  { zxid, pinnedUntilMs }: StoredSnapshot,
  nowMs: number,
): boolean {
  for (const load of loads.values()) if (load.zxid === zxid) return true;
  return !low && pinnedUntilMs !== undefined && nowMs < pinnedUntilMs;
}

function* remove(file: string): Procedure {
  const operations: readonly DiskOperation[] = [{ kind: "remove", file }, { kind: "syncFolder" }];
  yield* perform(operations);
}

export function beginLoad(
  state: LogState,
  { zxid, to }: Extract<SnapshotMessage, { kind: "loadSnapshot" }>,
): void {
  state.loads.set(to, { zxid, position: 0, index: 0, awaiting: false, last: false });
  state.snapshotWork.push({ kind: "loadNext", to });
}

export function chunkLoaded(
  state: LogState,
  { lane, zxid, index }: Extract<SnapshotMessage, { kind: "chunkLoaded" }>,
): void {
  const to = `tree/${lane}` as const;
  const load = state.loads.get(to);
  // Of a load that another one has replaced.
  if (load?.zxid !== zxid || load.index !== index || !load.awaiting) return;
  if (load.last) {
    state.loads.delete(to);
    return;
  }
  load.index += 1;
  load.awaiting = false;
  state.snapshotWork.push({ kind: "loadNext", to });
}

function* loadNext(state: LogState, to: `tree/${number}`): Procedure {
  const load = state.loads.get(to);
  if (load === undefined || load.awaiting) return;
  const { zxid, index, position } = load;
  const file = snapshotName(zxid);
  const read = yield* readChunk({ file, position, zxid, index }, state.settings.crc32);
  if (read.kind === "fault") {
    throw new LogStop(
      `${file} in the data folder is damaged at offset ${position} (${read.fault}), and was intact when the node started: start the node again, it then uses the snapshot before, or its peers repair it.`,
    );
  }
  load.position += read.bytes.length;
  load.awaiting = true;
  load.last = read.header.last;
  const { bytes } = read;
  state.outbox.push(tell(to, { kind: "loadChunk", zxid, index, bytes, last: load.last }));
}

function* readSnapshot(state: LogState, request: ReadRequest, nowMs: number): Procedure {
  const { tag, zxid, position, bytesMax } = request;
  const snapshot = state.snapshots.find((candidate) => candidate.zxid === zxid);
  let bytes: Uint8Array = new Uint8Array(0);
  if (snapshot !== undefined) {
    snapshot.pinnedUntilMs = nowMs + PINNED_MS;
    bytes = yield* readBytes(snapshotName(zxid), position, bytesMax);
  }
  report(state, { kind: "snapshotBytes", tag, zxid, position, bytes });
}
