/** Gives chunks of a snapshot to the lanes of this node, which load it, and to peers that are too far behind for the log. */
import type { ServerId } from "../../../protocol/ids.ts";
import { tell } from "../../inboxes.ts";
import { snapshotName } from "../format/files.ts";
import { LogStop, type Procedure } from "../format/procedure.ts";
import { readChunk } from "../format/snapshot-file.ts";
import type { SnapshotMessage } from "../messages.ts";
import { type LogState, report } from "../state.ts";

/**
 * So long after a peer has read of a snapshot, it stays, and the log after it: under load, snapshots are cut faster than a slow
 * link carries one, and a peer that is given an end of its snapshot only to find it gone would begin anew for ever. Long enough
 * for the peer to verify and install what it has, and to ask for the records that follow.
 */
export const PINNED_MS = 30_000;

type Ask = Extract<SnapshotMessage, { kind: "askChunk" }>;

export function giveChunk(state: LogState, ask: Ask, nowMs: number): Procedure {
  return typeof ask.to === "number"
    ? giveToPeer(state, ask, ask.to, nowMs)
    : giveToTree(state, ask, ask.to);
}

/** A peer may ask for what is not there; it gets no bytes then. */
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
  }
  report(state, { kind: "snapshotChunk", to, zxid, index, position, bytes });
}

/** A tree loads a snapshot that was intact when the node started, or that this node has stored since. */
function* giveToTree(state: LogState, ask: Ask, to: `tree/${number}`): Procedure {
  const { zxid, index, position } = ask;
  // It was replaced by another one, which the tree is told to load.
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
