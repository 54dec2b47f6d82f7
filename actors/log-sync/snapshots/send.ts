/** How a leader gives its snapshot to a follower: it offers the snapshot, and sends the chunks that the follower asks for. */
import { assert } from "../../../protocol/assert.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import type { Epoch } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { AskChunk, SnapshotChunk } from "../../log/messages.ts";
import { type LogSyncTurn } from "../state.ts";
import { sendTo } from "../effects.ts";
import type { Leading } from "../roles.ts";

/** Offers the newest snapshot to a follower whose log ends before this leader's begins. There is one, since the log was purged. */
export function offerSnapshot(turn: LogSyncTurn, epoch: Epoch, to: ServerId): void {
  const { state } = turn;
  const {
    membership,
    snapshots: { newest: snapshot },
  } = state;
  const { settled: configuration } = membership;
  assert(configuration !== undefined, "a leader belongs to an ensemble");
  assert(snapshot !== undefined, "a log that does not begin at 0 has a snapshot before it");
  sendTo(turn, to, { kind: "snapshotOffer", epoch, snapshot, configuration });
}

/** Has the log read the chunk that a follower asks for. */
export function askForChunk(turn: LogSyncTurn, to: ServerId, ask: AskChunk): void {
  const { kind, zxid, index, position } = ask;
  turn.effects.push(tell("log", { kind, zxid, index, position, to }));
}

export function sendChunk(
  turn: LogSyncTurn,
  role: Leading,
  { to, ...chunk }: SnapshotChunk & { readonly to: ServerId },
): void {
  sendTo(turn, to, { ...chunk, epoch: role.epoch });
}
