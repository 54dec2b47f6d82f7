/** Reads chunks of a snapshot for the trees of this node, which load it, and for followers that need records from before the log. */
import type { ServerId } from "../../../protocol/ids.ts";
import { tell } from "../../inboxes.ts";
import { snapshotName } from "../format/files.ts";
import { LogStop, type Procedure } from "../format/procedure.ts";
import { readChunk } from "../format/snapshot-file.ts";
import type { SnapshotMessage } from "../messages.ts";
import { log, type LogState, report } from "../state.ts";

/**
 * For this many milliseconds after a peer has read a chunk of a snapshot, no purge removes the snapshot and the log after it. Under load
 * snapshots are cut faster than a slow link carries one, and a peer whose snapshot were removed on the way would begin again for ever.
 * The time is long enough for the peer to verify and install the snapshot and to ask for the records that follow.
 */
export const PINNED_MS = 30_000;

type Ask = Extract<SnapshotMessage, { kind: "askChunk" }>;

export function giveChunk(state: LogState, ask: Ask, nowMs: number): Procedure {
  return typeof ask.to === "number"
    ? giveToPeer(state, ask, ask.to, nowMs)
    : giveToTree(state, ask, ask.to);
}

/** Answers a peer. If it asks for a snapshot or a chunk that is not there, the answer has no bytes. */
function* giveToPeer(state: LogState, ask: Ask, to: ServerId, nowMs: number): Procedure {
  const { zxid, index, position } = ask;
  const snapshot = state.snapshots.find((candidate) => candidate.zxid === zxid);
  let bytes: Uint8Array = new Uint8Array(0);
  if (snapshot !== undefined) {
    snapshot.pinnedUntilMs = nowMs + PINNED_MS;
    const read = yield* readChunk(
      { file: snapshotName(zxid), zxid, index, position },
      state.settings.crc32,
    );
    if (read.kind === "chunk") bytes = read.bytes;
    else log(state, "damaged", { file: snapshotName(zxid), position, fault: read.fault });
  }
  report(state, { kind: "snapshotChunk", to, zxid, index, position, bytes });
}

/** Answers a tree. It loads only snapshots that were intact when the node started or were stored since, so damage stops the node. */
function* giveToTree(state: LogState, ask: Ask, to: `tree/${number}`): Procedure {
  const { zxid, index, position } = ask;
  // Another snapshot has replaced this one, and the tree will be told to load that.
  if (!state.snapshots.some((candidate) => candidate.zxid === zxid)) return;
  state.loads.set(to, zxid);
  const file = snapshotName(zxid);
  const read = yield* readChunk({ file, zxid, index, position }, state.settings.crc32);
  if (read.kind === "fault") {
    throw new LogStop(
      `${file} in the data folder is damaged at offset ${position} (${read.fault}), and was intact when the node started: start the node again, it then uses the snapshot before, or its peers repair it.`,
    );
  }
  if (read.header.last) state.loads.delete(to);
  const { bytes } = read;
  state.outbox.push(tell(to, { kind: "snapshotChunk", zxid, index, position, bytes }));
}
