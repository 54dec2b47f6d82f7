/**
 * How a follower whose log ends before its leader's begins gets the leader's newest snapshot. It asks for each chunk. The stored chunks
 * stay when the leader changes, and the transfer is resumed if the next leader has the same snapshot. Raft's InstallSnapshot (Raft,
 * section 7), driven by the follower.
 *
 * An offer may come late, when the log has long caught up by appends. A log that holds the snapshot's zxid equals the leader's up to
 * there (I2), so it has no need of the snapshot, and what follows in the log may be acknowledged. Such a snapshot is neither fetched nor
 * installed, whether or not this node knows that its zxid is committed.
 */
import { assert } from "../../../protocol/assert.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { ChunkStored, LogReport, SnapshotChunk, SnapshotRefused } from "../../log/messages.ts";
import { dropTransfer, isPassed } from "./drop.ts";
import { sendBehind, sendAccepted } from "../acknowledge.ts";
import { loadLanes } from "./load.ts";
import { LogIndex } from "../log-index.ts";
import { forgetAsked, isDue, noteAsked, noteCame, startPace } from "./pace.ts";
import type { LogSyncPeerMessage } from "../messages.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import { cutAfter, isForeign, settle } from "../ensemble/membership.ts";
import { type LogSyncTurn } from "../state.ts";
import { contradicts, log, sendTo } from "../effects.ts";
import { type Following, startEstablishing } from "../roles.ts";

type Offer = Extract<LogSyncPeerMessage, { kind: "snapshotOffer" }>;
type Report<Kind> = Extract<LogReport, { kind: Kind }>;

/** A chunk may take so long on its way over a slow link. */
const STALLED_MS = 30_000;

export function receiveOffer(
  turn: LogSyncTurn,
  role: Following,
  { snapshot, configuration }: Offer,
): void {
  const { state, nowMs } = turn;
  const { transfer } = state.snapshots;
  // The configuration becomes durable before the snapshot is installed, since the log has no records any more afterwards.
  if (isForeign(state, configuration)) {
    contradicts(turn, role.leader, "its configuration is of another ensemble");
    return;
  }
  settle(turn, configuration);
  if (isPassed(state, snapshot) || nowMs < state.snapshots.transferAfterMs) return;
  if (transfer === undefined) {
    begin(turn, role, snapshot);
    return;
  }
  if (transfer.step !== "asking") return;
  const isComplete = transfer.position >= transfer.snapshot.bytes;
  if (transfer.source === role.leader) {
    // The transfer does not begin again because of a newer snapshot. If the leader no longer has this one, it says so.
    if (isComplete || isDue(transfer.pace, nowMs)) continueTransfer(turn);
  } else if (isSame(transfer.snapshot, snapshot)) {
    transfer.source = role.leader;
    forgetAsked(transfer.pace);
    continueTransfer(turn);
  } else if (isComplete) {
    continueTransfer(turn);
  } else {
    // Snapshots of different nodes have different chunks, even with the same zxid.
    begin(turn, role, snapshot);
  }
}

function begin(turn: LogSyncTurn, role: Following, snapshot: SnapshotIdentity): void {
  const { state, nowMs } = turn;
  log(turn, "snapshotTransferStarted", {
    zxid: formatZxid(snapshot.zxid),
    bytes: snapshot.bytes,
  });
  state.snapshots.transfer = {
    snapshot,
    source: role.leader,
    index: 0,
    position: 0,
    storing: 0,
    pace: startPace(),
    movedAtMs: nowMs,
    step: "asking",
  };
  continueTransfer(turn);
}

/** Asks for the next chunk. When all chunks are stored, it has the log replaced by the snapshot. */
function continueTransfer(turn: LogSyncTurn): void {
  const { state } = turn;
  const {
    role,
    snapshots: { transfer },
  } = state;
  if (transfer === undefined || transfer.step !== "asking") return;
  // A node that leads, or may lead soon, needs the log that it has.
  if (role.kind !== "following") return;
  const { snapshot, index, position } = transfer;
  if (isPassed(state, snapshot)) {
    dropTransfer(turn, 0, "no longer behind");
    return;
  }
  if (position >= snapshot.bytes) {
    // A truncation that is under way must be done first. The next offer comes back to this point.
    if (state.log.truncating || state.space.disk === "full") return;
    transfer.step = "installing";
    state.log.truncating = true;
    turn.effects.push(tell("log", { kind: "installSnapshot", snapshot }));
    return;
  }
  // Another leader has offered nothing yet. What it offers decides whether this transfer goes on.
  if (transfer.source !== role.leader) return;
  noteAsked(transfer.pace, turn.nowMs);
  const { zxid } = snapshot;
  sendTo(turn, role.leader, { kind: "askChunk", epoch: role.epoch, zxid, index, position });
}

export function receiveChunk(
  turn: LogSyncTurn,
  role: Following,
  { zxid, index, position, bytes }: SnapshotChunk,
): void {
  const { transfer } = turn.state.snapshots;
  if (transfer?.step !== "asking" || transfer.snapshot.zxid !== zxid) return;
  if (transfer.index !== index || transfer.position !== position) return;
  if (transfer.source !== role.leader) return;
  if (bytes.length === 0) {
    dropTransfer(turn, turn.nowMs, "the leader no longer has it");
    return;
  }
  transfer.step = "storing";
  noteCame(transfer.pace, turn.nowMs);
  transfer.movedAtMs = turn.nowMs;
  transfer.storing = bytes.length;
  const source = "leader";
  turn.effects.push(tell("log", { kind: "storeChunk", source, zxid, index, position, bytes }));
  if (!role.established) startEstablishing(turn);
}

export function chunkStored(turn: LogSyncTurn, { zxid, index }: ChunkStored): void {
  const { transfer } = turn.state.snapshots;
  if (transfer?.step !== "storing" || transfer.snapshot.zxid !== zxid) return;
  if (transfer.index !== index) return;
  transfer.step = "asking";
  transfer.index += 1;
  transfer.position += transfer.storing;
  continueTransfer(turn);
}

export function chunkRefused(turn: LogSyncTurn, { zxid, reason }: SnapshotRefused): void {
  const { transfer } = turn.state.snapshots;
  if (transfer?.snapshot.zxid === zxid) dropTransfer(turn, turn.nowMs, reason);
}

/** The snapshot has replaced the log, which begins after its zxid now. The trees of all lanes load it. */
export function installed(
  turn: LogSyncTurn,
  { snapshot, timeMs, truncations }: Report<"installed">,
): void {
  const { state } = turn;
  const { zxid } = snapshot;
  assert(!isPassed(state, snapshot), "I9: a log that continues a snapshot is not replaced by it");
  state.snapshots.transfer = undefined;
  state.log.truncating = false;
  state.log.truncations = truncations;
  cutAfter(turn, state.log.index.base);
  state.log.index = new LogIndex([], zxid);
  state.log.durable = zxid;
  state.log.lastTimeMs = Math.max(state.log.lastTimeMs, timeMs);
  log(turn, "snapshotInstalled", { zxid: formatZxid(zxid) });
  loadLanes(turn, snapshot);
  const { role } = state;
  if (role.kind !== "following") return;
  // What a snapshot contains is committed, so it is in the log of this leader and of every later one.
  if (role.matched < zxid) role.matched = zxid;
  sendAccepted(turn, role);
  sendBehind(turn, role, zxid);
}

/** Whether chunks of this leader's snapshot are on their way. Until all have come the log cannot hold the epoch's barrier. */
export function isReceiving({ state, nowMs }: LogSyncTurn, { leader }: Following): boolean {
  const { transfer } = state.snapshots;
  return transfer?.source === leader && nowMs - transfer.movedAtMs < STALLED_MS;
}

export function installRefused(turn: LogSyncTurn, { reason }: Report<"installRefused">): void {
  const { state } = turn;
  state.log.truncating = false;
  dropTransfer(turn, turn.nowMs, reason);
}

function isSame(one: SnapshotIdentity, other: SnapshotIdentity): boolean {
  return one.zxid === other.zxid && one.bytes === other.bytes && one.checksum === other.checksum;
}
