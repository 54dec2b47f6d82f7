/** A leader's side of giving its snapshot to a follower: it offers it, and answers what the follower asks for. */
import { assert } from "../../../protocol/assert.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import type { Epoch } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { LogReport } from "../../log/messages.ts";
import type { LogSyncPeerMessage } from "../messages.ts";
import { type LogSyncTurn } from "../state.ts";
import { sendTo } from "../effects.ts";

type Ask = Extract<LogSyncPeerMessage, { kind: "snapshotAsk" }>;

/** The follower's log ends before this leader's begins, so there is a snapshot. */
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

export function givePart(turn: LogSyncTurn, to: ServerId, { zxid, position }: Ask): void {
  const { state } = turn;
  const bytesMax = state.sizes.snapshotPart;
  turn.effects.push(tell("log", { kind: "readSnapshot", tag: to, zxid, position, bytesMax }));
}

/** Bytes of this leader's snapshot for a follower. */
export function sendPart(
  turn: LogSyncTurn,
  report: Extract<LogReport, { kind: "snapshotBytes" }>,
): void {
  const { state } = turn;
  const { role } = state;
  if (role.kind !== "leading") return;
  const { tag, zxid, position, bytes } = report;
  const to = tag as ServerId;
  sendTo(turn, to, { kind: "snapshotPart", epoch: role.epoch, zxid, position, bytes });
}
