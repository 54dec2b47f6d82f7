/** How a transfer of a leader's snapshot is given up, because the snapshot is no longer needed or cannot be stored for now. */
import { formatZxid } from "../../../protocol/zxid.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import { tell } from "../../inboxes.ts";
import { type LogSyncState, type LogSyncTurn } from "../state.ts";
import { log } from "../effects.ts";

/** Milliseconds after a failure before another transfer begins. */
const FETCH_AGAIN_MS = 1000;

/** Whether this log contains or continues the snapshot, so that it has no need of it. */
export function isPassed(
  { log: { index }, delivery: { committed } }: LogSyncState,
  { zxid }: SnapshotIdentity,
): boolean {
  return zxid <= committed || index.holds(zxid);
}

/** Drops the transfer if the log has come as far as the snapshot by appends. */
export function dropPassedTransfer(turn: LogSyncTurn): void {
  const { state } = turn;
  const {
    snapshots: { transfer },
  } = state;
  if (transfer === undefined || transfer.step === "installing") return;
  if (isPassed(state, transfer.snapshot)) dropTransfer(turn, 0, "no longer behind");
}

/** Drops the transfer. No other one begins before `nowMs` and the time after a failure. */
export function dropTransfer(turn: LogSyncTurn, nowMs: number, reason: string): void {
  const { state } = turn;
  const zxid = formatZxid(state.snapshots.transfer?.snapshot.zxid ?? state.delivery.committed);
  log(turn, "snapshotTransferDropped", { zxid, reason });
  state.snapshots.transfer = undefined;
  state.snapshots.transferAfterMs = nowMs + FETCH_AGAIN_MS;
  turn.effects.push(tell("log", { kind: "dropTransfer" }));
}
