/** A snapshot is not wanted any more, or cannot be had for now. */
import { formatZxid } from "../../../protocol/zxid.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import { tell } from "../../inboxes.ts";
import { type LogSyncState, type LogSyncTurn } from "../state.ts";
import { log } from "../effects.ts";

/** After a failure. */
const FETCH_AGAIN_MS = 1000;

/** The log goes on from where the snapshot stands, or has been there. */
export function isPassed(
  { log: { index }, delivery: { committed } }: LogSyncState,
  { zxid }: SnapshotIdentity,
): boolean {
  return zxid <= committed || index.holds(zxid);
}

/** The log came as far by appends. */
export function dropPassedTransfer(turn: LogSyncTurn): void {
  const { state } = turn;
  const {
    snapshots: { transfer },
  } = state;
  if (transfer === undefined || transfer.step === "installing") return;
  if (isPassed(state, transfer.snapshot)) dropTransfer(turn, 0, "no longer behind");
}

export function dropTransfer(turn: LogSyncTurn, nowMs: number, reason: string): void {
  const { state } = turn;
  const zxid = formatZxid(state.snapshots.transfer?.snapshot.zxid ?? state.delivery.committed);
  log(turn, "snapshotTransferDropped", { zxid, reason });
  state.snapshots.transfer = undefined;
  state.snapshots.transferAfterMs = nowMs + FETCH_AGAIN_MS;
  turn.effects.push(tell("log", { kind: "dropTransfer" }));
}
