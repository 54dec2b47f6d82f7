/**
 * The log-sync actor is the consensus of the ensemble: it decides what is in the log and what is committed, and all of the safety is
 * here. It follows Raft's rules for terms and logs, with the zxid in the place of term and index. The invariants I1 to I9, which the
 * asserts name, are listed in docs/internals/replication.md.
 */
import type { Actor } from "../../runtime/actor.ts";
import { assert, unreachable } from "../../protocol/assert.ts";
import type { Configuration } from "../../protocol/configuration.ts";

import { EPOCH_NONE, formatZxid } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import type { LogReport } from "../log/messages.ts";
import { deliverRead } from "./delivery.ts";
import { greet, newFounding, twinHeard } from "./ensemble/founding.ts";
import { chunkRefused, chunkStored, installed, installRefused } from "./snapshots/receive.ts";
import { receiveFromPeer } from "./from-peers.ts";
import { handoverIsDue, handOver } from "./handover/give.ts";
import { loadLanes, treeLoaded } from "./snapshots/load.ts";
import { LogIndex } from "./log-index.ts";
import { isBound, standingChanged, stopReplaced } from "./ensemble/membership.ts";
import type { LogSyncMessage, LogSyncTimer } from "./messages.ts";
import { refusedByPeer, voteLost } from "./ensemble/refused.ts";
import { askToJoin } from "./ensemble/replacement.ts";
import { endAbstaining } from "./disk-space.ts";
import {
  emitDurable,
  initialState,
  type LogSyncEffect,
  type LogSyncOptions,
  type LogSyncState,
  type LogSyncTurn,
} from "./state.ts";
import { lookAgain } from "./roles.ts";
import { log } from "./effects.ts";
import { beginRepair, survey, voteRegained } from "./repair.ts";
import type { RoleMessage } from "./role-messages.ts";
import { lookingReceives } from "./looking.ts";
import { candidateReceives } from "./candidate.ts";
import { awaitingReceives } from "./awaiting.ts";
import { followingReceives } from "./follower.ts";
import { leadingReceives } from "./leader.ts";
import type { TimerMessage } from "../../runtime/effects.ts";
import { promiseIsDurable } from "./voter.ts";

export function logSyncActor(
  options: LogSyncOptions,
): Actor<LogSyncState, LogSyncMessage, LogSyncEffect> {
  return {
    name: "log-sync",
    supervision: "stopNode",
    // Peers and lanes limit how many messages they have under way, so more than this means that a sender is broken.
    mailbox: { capacity: 100_000, whenFull: "stopNode" },
    start: () => initialState(options),
    receive,
  };
}

function receive(turn: LogSyncTurn, message: LogSyncMessage): void {
  const { state } = turn;
  switch (message.kind) {
    case "received":
      receiveFromPeer(turn, message);
      return;
    case "elected":
      if (state.recovered) roleReceives(turn, message);
      return;
    case "submit":
    case "propose":
    case "leaderLost":
    case "endOfTurn":
      roleReceives(turn, message);
      return;
    case "timer":
      timer(turn, message);
      return;
    case "refusedByPeer":
      refusedByPeer(turn, message);
      return;
    case "handOver":
      handOver(turn, message);
      return;
    case "retire":
      state.retiring = true;
      return;
    case "twinHeard":
      twinHeard(turn, state.options.server);
      return;
    case "treeMemory":
      state.space.treeFull = message.full;
      roleReceives(turn, { kind: "memoryChanged" });
      return;
    case "treeLoaded":
      treeLoaded(turn, message);
      roleReceives(turn, { kind: "moreDelivered" });
      return;
    default:
      receiveFromLog(turn, message);
  }
}

function roleReceives(turn: LogSyncTurn, message: RoleMessage): void {
  const { role } = turn.state;
  switch (role.kind) {
    case "looking":
      lookingReceives(turn, message);
      return;
    case "candidate":
      candidateReceives(turn, role, message);
      return;
    case "awaiting":
      awaitingReceives(turn, role, message);
      return;
    case "following":
      followingReceives(turn, role, message);
      return;
    case "leading":
      leadingReceives(turn, role, message);
      return;
    default:
      unreachable(role);
  }
}

function timer(turn: LogSyncTurn, { timer: name }: TimerMessage<LogSyncTimer>): void {
  switch (name) {
    case "announce":
    case "mark":
    case "hold":
    case "ask":
    case "establish":
      roleReceives(turn, { kind: "timer", timer: name });
      return;
    case "survey":
      survey(turn);
      return;
    case "greet":
      greet(turn);
      return;
    case "join":
      askToJoin(turn);
      return;
    case "abstain":
      endAbstaining(turn);
      return;
    case "handover":
      handoverIsDue(turn);
      return;
    default:
      unreachable(name);
  }
}

function receiveFromLog(turn: LogSyncTurn, report: LogReport): void {
  const { state } = turn;
  const { log: view } = state;
  switch (report.kind) {
    case "recovered":
      recovered(turn, report);
      return;
    case "appended":
      if (report.truncations !== view.truncations || view.truncating) return;
      if (report.lastZxid <= view.durable) return;
      view.durable = report.lastZxid;
      roleReceives(turn, { kind: "moreDurable" });
      return;
    case "truncated":
      assert(report.lastZxid === view.index.tail, "a truncation ends where the index ends");
      view.truncating = false;
      view.truncations = report.truncations;
      view.durable = report.lastZxid;
      roleReceives(turn, { kind: "truncated" });
      return;
    case "promised":
      if (!promiseIsDurable(turn, report.promise)) roleReceives(turn, { kind: "promiseDurable" });
      return;
    case "records":
      recordsRead(turn, report);
      return;
    case "snapshotStored":
    case "purged":
    case "snapshotChunk":
    case "chunkStored":
    case "snapshotRefused":
    case "installed":
    case "installRefused":
      receiveOfSnapshots(turn, report);
      return;
    case "configurationStored":
      if (state.founding !== undefined) belongs(turn, report.configuration);
      return;
    case "voteLost":
      voteLost(turn);
      return;
    case "voteRegained":
      voteRegained(turn);
      roleReceives(turn, { kind: "voteRegained" });
      return;
    case "diskLow":
    case "diskFull":
    case "writable":
      receiveOfDisk(turn, report);
      return;
    default:
      unreachable(report);
  }
}

type Report<Kind extends LogReport["kind"]> = Extract<LogReport, { kind: Kind }>;
type SnapshotReport = Report<
  | "snapshotStored"
  | "purged"
  | "snapshotChunk"
  | "chunkStored"
  | "snapshotRefused"
  | "installed"
  | "installRefused"
>;

function receiveOfSnapshots(turn: LogSyncTurn, report: SnapshotReport): void {
  const { log: view, snapshots } = turn.state;
  switch (report.kind) {
    case "snapshotStored":
      snapshots.newest = report.snapshot;
      return;
    case "purged":
      view.index.purge(report.baseZxid);
      return;
    case "snapshotChunk":
      roleReceives(turn, report);
      return;
    case "chunkStored":
      chunkStored(turn, report);
      return;
    case "snapshotRefused":
      chunkRefused(turn, report);
      return;
    case "installed":
      installed(turn, report);
      return;
    case "installRefused":
      installRefused(turn, report);
      return;
    default:
      unreachable(report);
  }
}

function receiveOfDisk(
  turn: LogSyncTurn,
  report: Report<"diskLow" | "diskFull" | "writable">,
): void {
  const { log: view, space } = turn.state;
  const wasFull = space.disk === "full";
  switch (report.kind) {
    case "diskLow":
      if (!wasFull) space.disk = "low";
      roleReceives(turn, { kind: "diskLow" });
      return;
    case "diskFull":
      space.disk = "full";
      view.durable = report.durable;
      log(turn, "diskFull", { durable: formatZxid(report.durable) });
      roleReceives(turn, { kind: "diskFull" });
      return;
    case "writable":
      space.disk = "free";
      log(turn, "diskHasSpaceAgain", {});
      roleReceives(turn, { kind: "diskFreed", wasFull });
      return;
    default:
      unreachable(report);
  }
}

function recordsRead(
  turn: LogSyncTurn,
  { purpose, after, records }: Extract<LogReport, { kind: "records" }>,
): void {
  switch (purpose.kind) {
    case "delivery":
      deliverRead(turn, records);
      roleReceives(turn, { kind: "moreDelivered" });
      return;
    case "catchUp":
      roleReceives(turn, { kind: "recordsRead", to: purpose.to, after, records });
      return;
    default:
      unreachable(purpose);
  }
}

function recovered(turn: LogSyncTurn, report: Extract<LogReport, { kind: "recovered" }>): void {
  const { state } = turn;
  state.recovered = true;
  const { membership } = state;
  membership.identity = report.identity;
  membership.incarnation = report.incarnation;
  membership.settled = report.configuration;
  const version = report.configuration?.version ?? 0;
  membership.logged = report.logged.filter((logged) => logged.configuration.version > version);
  standingChanged(turn);
  state.promises.durable = report.promise;
  state.log.index = new LogIndex(report.lastZxids, report.baseZxid);
  state.log.durable = state.log.index.tail;
  state.log.lastTimeMs = report.timeMs;
  if (report.snapshot !== undefined) loadLanes(turn, report.snapshot);
  if (report.voteLoss !== undefined) beginRepair(turn, report.voteLoss);
  log(turn, "logRecovered", {
    lastZxid: formatZxid(state.log.durable),
    records: report.lastZxids.length,
    tornBytes: report.tornBytes,
    promisedEpoch: report.promise.epoch,
  });
  for (let lane = 1; lane <= state.options.lanes; lane += 1) {
    turn.effects.push(
      tell(`submitter/${lane}`, { kind: "incarnation", incarnation: report.incarnation }),
    );
  }
  emitDurable(turn);
  if (membership.settled === undefined) {
    state.founding = newFounding();
    greet(turn);
    askToJoin(turn);
  } else {
    begin(turn, "started");
  }
}

/** Begins to take part in the ensemble to which this folder belongs: as a voter, or as a guest if its number is bound to another. */
function begin(turn: LogSyncTurn, reason: string): void {
  const { state } = turn;
  const loss = state.repair?.loss.reason;
  if (!isBound(state) && loss !== "new" && loss !== "guest") {
    stopReplaced(turn);
    return;
  }
  lookAgain(turn, reason);
  if (state.repair !== undefined) survey(turn);
  if (!isBound(state)) askToJoin(turn);
}

/** It is durable now that this node's folder belongs to an ensemble. It will never belong to another one. */
function belongs(turn: LogSyncTurn, configuration: Configuration): void {
  const { state } = turn;
  const { membership } = state;
  state.founding = undefined;
  membership.settled = configuration;
  standingChanged(turn);
  log(turn, "belongsToEnsemble", {
    ensembleId: configuration.ensembleId,
    version: configuration.version,
    as: isBound(state) ? "voter" : "guest",
  });
  turn.effects.push({ kind: "stopTimer", timer: "greet" });
  if (isBound(state)) turn.effects.push({ kind: "stopTimer", timer: "join" });
  if (state.repair !== undefined && !isBound(state)) {
    state.repair.loss = { reason: "guest", epoch: EPOCH_NONE };
  }
  begin(turn, "belongs to an ensemble");
}
