/** How the chunks of a snapshot are stored as they come, from the tree that cuts it or from the leader. */
import { assert } from "../../../protocol/assert.ts";
import { perform, performIfSpace, type Procedure, removeIfThere } from "../format/procedure.ts";
import { chunkFault } from "../format/snapshot-file.ts";
import type { SnapshotMessage } from "../messages.ts";
import { log, type LogState, report, type PartialSnapshot } from "../state.ts";
import { SNAPSHOT_NEW_FILE, snapshotName, TRANSFER_FILE } from "../format/files.ts";
import { chunkHeader } from "../../../protocol/snapshot.ts";
import { tell } from "../../inboxes.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { noteRefusal, noteSnapshot } from "./schedule.ts";
import { dropSpares } from "../segments/spares.ts";

type Store = Extract<SnapshotMessage, { kind: "storeChunk" }>;

export function storeChunk(state: LogState, chunk: Store): Procedure {
  return chunk.source === "tree" ? storeCut(state, chunk) : storeTransfer(state, chunk);
}

function* storeCut(state: LogState, chunk: Store): Procedure {
  const { zxid, index } = chunk;
  const newest = state.snapshots.at(-1);
  const passed = Math.max(newest?.zxid ?? 0, state.index.base);
  const isSuperseded = zxid <= passed || !state.index.holds(zxid);
  const isNext = index === 0 || (state.cut?.zxid === zxid && state.cut.nextIndex === index);
  if (isSuperseded || !isNext) {
    refuseCut(state, zxid, isSuperseded ? "superseded" : "not the next chunk");
    return;
  }
  const fault = chunkFault(chunk.bytes, chunk, state.settings.crc32);
  assert(fault === undefined, "the tree gives whole chunks");
  if (index === 0) state.cut = yield* beginFile(SNAPSHOT_NEW_FILE, zxid);
  const { cut } = state;
  assert(cut !== undefined, "a chunk belongs to a cut");
  if (!(yield* appendChunk(state, SNAPSHOT_NEW_FILE, cut, chunk.bytes))) {
    yield* removeIfThere(SNAPSHOT_NEW_FILE);
    state.cut = undefined;
    refuseCut(state, zxid, "the disk is full");
    return;
  }
  if (chunkHeader(chunk.bytes).last) yield* finishCut(state, cut);
  state.outbox.push(tell("tree/1", { kind: "chunkStored", zxid, index }));
}

function refuseCut(state: LogState, zxid: Zxid, reason: string): void {
  noteRefusal(state);
  log(state, "snapshotRefused", { zxid: formatZxid(zxid), reason });
  state.outbox.push(tell("tree/1", { kind: "snapshotRefused", zxid, reason }));
}

/** Gives the file the name of a snapshot, which only a complete snapshot has. */
function* finishCut(state: LogState, cut: PartialSnapshot): Procedure {
  const { zxid, bytes, checksum } = cut;
  yield* perform([
    { kind: "rename", file: SNAPSHOT_NEW_FILE, to: snapshotName(zxid) },
    { kind: "syncFolder" },
  ]);
  const identity = { zxid, bytes, checksum };
  state.snapshots.push({ zxid, identity, pinnedUntilMs: undefined });
  noteSnapshot(state, state.index.bytesFrom(state.index.countUpTo(zxid)));
  state.queue.addSnapshotWork({ kind: "purge" });
  report(state, { kind: "snapshotStored", snapshot: identity });
  log(state, "snapshotStored", { zxid: formatZxid(zxid), bytes });
}

/** Stores a chunk of the leader's snapshot. Each chunk is verified when it comes. */
function* storeTransfer(state: LogState, chunk: Store): Procedure {
  const { zxid, index, position, bytes } = chunk;
  if (index === 0) state.transfer = yield* beginFile(TRANSFER_FILE, zxid);
  const { transfer } = state;
  if (transfer?.zxid !== zxid || transfer.nextIndex !== index || transfer.bytes !== position) {
    report(state, { kind: "snapshotRefused", zxid, reason: "not the next chunk" });
    return;
  }
  const fault = chunkFault(bytes, chunk, state.settings.crc32);
  const isStored =
    fault === undefined && (yield* appendChunk(state, TRANSFER_FILE, transfer, bytes));
  if (!isStored) {
    yield* dropTransfer(state);
    report(state, { kind: "snapshotRefused", zxid, reason: fault ?? "the disk is full" });
    return;
  }
  report(state, { kind: "chunkStored", zxid, index });
}

/** Removes what is stored of the leader's snapshot. */
export function* dropTransfer(state: LogState): Procedure {
  state.transfer = undefined;
  yield* removeIfThere(TRANSFER_FILE);
}

function* beginFile(file: string, zxid: Zxid): Procedure<PartialSnapshot> {
  yield* removeIfThere(file);
  return { zxid, nextIndex: 0, bytes: 0, checksum: 0 };
}

/**
 * Appends a chunk durably. Returns false if there is no space: the spare segments are given up then, so that a later attempt may
 * succeed.
 */
function* appendChunk(
  state: LogState,
  file: string,
  partial: PartialSnapshot,
  bytes: Uint8Array,
): Procedure<boolean> {
  const isDone = yield* performIfSpace([
    { kind: "write", file, position: partial.bytes, buffers: [bytes] },
    { kind: "sync", file },
  ]);
  if (!isDone) {
    yield* dropSpares(state);
    return false;
  }
  partial.nextIndex += 1;
  partial.bytes += bytes.length;
  partial.checksum = state.settings.crc32(bytes, partial.checksum);
  return true;
}
