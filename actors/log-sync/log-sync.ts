/**
 * The log-sync actor: what is in the log and what is committed. Raft's log rules in ZooKeeper's words; the invariants I1 to
 * I8 are listed in docs/internals/replication.md.
 */
import type { Actor } from "../../runtime/actor.ts";
import { assert, unreachable } from "../../protocol/assert.ts";
import type { Configuration } from "../../protocol/configuration.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { EPOCH_NONE, formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import type { LogReport } from "../log/messages.ts";
import { ask, grant, stand } from "./candidate.ts";
import { DELIVERY_TAG, deliverRead } from "./delivery.ts";
import { greet, newFounding, twinHeard } from "./ensemble/founding.ts";
import { installed, installRefused, partRefused, partStored } from "./snapshots/receive.ts";
import { follow, followCommit, sayBehind, sendAccepted } from "./follower.ts";
import { receiveFromPeer } from "./from-peers.ts";
import {
  activate,
  announce,
  leaderCommit,
  propose,
  publish,
  reviewAdmission,
  sendRead,
  submit,
} from "./leader.ts";
import { loadLanes, treeLoaded } from "./snapshots/load.ts";
import { LogIndex } from "./log-index.ts";
import { cutAfter, isBound, standingChanged, stopReplaced } from "./ensemble/membership.ts";
import type { LogSyncMessage, LogSyncTimer, SubmitMessage } from "./messages.ts";
import { sendPart } from "./snapshots/send.ts";
import { refusedByPeer, voteLost } from "./ensemble/refused.ts";
import { askToJoin } from "./ensemble/replacement.ts";
import { endAbstaining, writeAgain } from "./disk-space.ts";
import {
  emitDurable,
  emitLeadership,
  initialState,
  log,
  type LogSyncEffect,
  type LogSyncOptions,
  type LogSyncState,
  type LogSyncTurn,
  lookAgain,
  sendTo,
} from "./state.ts";
import { beginRepair, survey } from "./repair.ts";

export function logSyncActor(
  options: LogSyncOptions,
): Actor<LogSyncState, LogSyncMessage, LogSyncEffect> {
  return {
    name: "log-sync",
    supervision: "stopNode",
    // Peers and lanes bound what they have under way; beyond that a sender is broken.
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
    case "submit":
      route(turn, message);
      return;
    case "propose":
      if (state.role.kind === "leading") {
        propose(turn, state.role, message.payload, message.count);
      }
      return;
    case "elected":
      elected(turn, message.leader);
      return;
    case "leaderLost":
      if (state.role.kind === "leading" || state.role.kind === "following") {
        lookAgain(turn, message.reason);
      }
      return;
    case "timer":
      timer(turn, message.timer);
      return;
    case "endOfTurn":
      publish(turn);
      return;
    case "refusedByPeer":
      refusedByPeer(turn, message);
      return;
    case "twinHeard":
      twinHeard(turn, state.options.server);
      return;
    case "treeMemory":
      state.space.treeFull = message.full;
      diskSpaceChanged(turn);
      if (state.role.kind === "following") emitLeadership(turn);
      return;
    case "treeLoaded":
      treeLoaded(turn, message);
      if (state.role.kind === "leading") activate(turn, state.role);
      return;
    default:
      receiveFromLog(turn, message);
  }
}

function elected(turn: LogSyncTurn, leader: ServerId): void {
  const { state } = turn;
  if (!state.recovered) return;
  if (leader === state.options.server) stand(turn);
  else if (state.role.kind === "looking") follow(turn, leader, undefined);
}

function timer(turn: LogSyncTurn, name: LogSyncTimer): void {
  const { state } = turn;
  switch (name) {
    case "announce":
      announce(turn);
      return;
    case "ask":
      if (state.role.kind === "candidate") ask(turn);
      return;
    case "establish":
      if (state.role.kind === "following" && !state.role.established) {
        lookAgain(turn, `node ${state.role.leader} did not establish its epoch`);
      }
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
    default:
      unreachable(name);
  }
}

/** A batch of a lane of this node: taken, handed to the leader, or left for the submitter to repeat. */
function route(turn: LogSyncTurn, message: SubmitMessage): void {
  const { state } = turn;
  const { role } = state;
  if (role.kind === "leading") submit(turn, role, message);
  else if (role.kind === "following" && role.established) sendTo(turn, role.leader, message);
}

function receiveFromLog(turn: LogSyncTurn, report: LogReport): void {
  const { state } = turn;
  switch (report.kind) {
    case "recovered":
      recovered(turn, report);
      return;
    case "appended":
      if (report.truncations !== state.log.truncations || state.log.truncating) return;
      durableThrough(turn, report.lastZxid);
      return;
    case "truncated":
      assert(report.lastZxid === state.log.index.tail, "a truncation ends where the index ends");
      state.log.truncating = false;
      state.log.truncations = report.truncations;
      state.log.durable = report.lastZxid;
      if (state.role.kind === "following") {
        sayBehind(turn, state.role, state.log.index.tail);
      }
      return;
    case "promised":
      promised(turn, report);
      return;
    case "records":
      receiveRead(turn, report);
      return;
    case "snapshotStored":
      state.snapshots.newest = report.snapshot;
      return;
    case "purged":
      state.log.index.purge(report.baseZxid);
      return;
    case "snapshotBytes":
      sendPart(turn, report);
      return;
    case "partStored":
      partStored(turn, report);
      return;
    case "partRefused":
      partRefused(turn, report);
      return;
    case "installed":
      installed(turn, report);
      return;
    case "installRefused":
      installRefused(turn, report);
      return;
    case "configurationStored":
      if (state.founding !== undefined) belongs(turn, report.configuration);
      return;
    case "voteLost":
      voteLost(turn);
      return;
    case "voteRegained":
      voteRegained(turn);
      return;
    case "diskLow":
      if (state.space.disk === "free") state.space.disk = "low";
      diskSpaceChanged(turn);
      return;
    case "diskFull":
      diskFull(turn, report);
      return;
    case "writable":
      writable(turn);
      return;
    default:
      unreachable(report);
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

/** It belongs to an ensemble, as a voter or, if another folder has its number, as a guest. */
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

/** This node's folder has been made part of an ensemble, for ever. */
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

function durableThrough(turn: LogSyncTurn, zxid: Zxid): void {
  const { state } = turn;
  if (zxid <= state.log.durable) return;
  state.log.durable = zxid;
  const { role } = state;
  if (role.kind === "leading") {
    leaderCommit(turn, role);
  } else if (role.kind === "following") {
    sendAccepted(turn, role);
    followCommit(turn, role);
  } else {
    emitDurable(turn);
  }
}

function promised(turn: LogSyncTurn, report: Extract<LogReport, { kind: "promised" }>): void {
  const { state } = turn;
  assert(report.promise.epoch > state.promises.durable.epoch, "I7: a promise never goes back");
  state.promises.durable = report.promise;
  // A later promise may be on its way; then this one is not worth an answer.
  if (state.promises.underWay?.epoch !== report.promise.epoch) return;
  const asker = state.promises.asker;
  state.promises.underWay = undefined;
  state.promises.asker = undefined;
  const { role } = state;
  if (asker !== undefined) grant(turn, asker);
  else if (role.kind === "candidate" && role.epoch === report.promise.epoch) ask(turn);
  else if (role.kind === "following") sayBehind(turn, role, state.log.index.tail);
}

function receiveRead(turn: LogSyncTurn, report: Extract<LogReport, { kind: "records" }>): void {
  const { state } = turn;
  if (report.tag === DELIVERY_TAG) {
    deliverRead(turn, report.records);
    if (state.role.kind === "leading") activate(turn, state.role);
  } else if (state.role.kind === "leading") {
    sendRead(turn, state.role, report.tag as ServerId, report.after, report.records);
  }
}

/** The marker is gone for good. */
function voteRegained(turn: LogSyncTurn): void {
  const { state } = turn;
  const { role, repair } = state;
  state.repair = undefined;
  log(turn, "votesAgain", { reason: repair?.loss.reason });
  emitDurable(turn);
  turn.effects.push({ kind: "stopTimer", timer: "survey" });
  if (role.kind === "following") sendAccepted(turn, role);
  else if (role.kind === "looking") lookAgain(turn, "this node votes again");
}

/**
 * What was not kept is gone from the log. A leader that nobody can replace keeps it in memory: it commits nothing without its
 * own disk, but its clients read on, and their sessions live.
 */
function diskFull(turn: LogSyncTurn, report: Extract<LogReport, { kind: "diskFull" }>): void {
  const { state } = turn;
  const { role } = state;
  state.space.disk = "full";
  state.log.durable = report.durable;
  log(turn, "diskFull", { durable: formatZxid(report.durable) });
  if (role.kind === "leading" && role.active) {
    emitDurable(turn);
    reviewAdmission(turn, role);
    return;
  }
  if (role.kind === "leading") {
    lookAgain(turn, "the disk is full");
    return;
  }
  // A truncation that the log has yet to do has already cut the index, further than this.
  const { tail } = state.log.index;
  const end = report.durable < tail ? report.durable : tail;
  cutAfter(turn, end);
  if (role.kind === "following" && role.matched > report.durable) role.matched = report.durable;
  emitDurable(turn);
  emitLeadership(turn);
  diskSpaceChanged(turn);
}

function writable(turn: LogSyncTurn): void {
  const { state } = turn;
  const {
    role,
    space: { disk: before },
  } = state;
  state.space.disk = "free";
  log(turn, "diskHasSpaceAgain", {});
  if (role.kind === "looking") {
    lookAgain(turn, "the disk has room again");
    return;
  }
  emitDurable(turn);
  if (role.kind === "leading" && before === "full") writeAgain(turn, role);
  if (role.kind === "following" && before === "full") emitLeadership(turn);
  diskSpaceChanged(turn);
}

/** Whoever leads knows at once. */
function diskSpaceChanged(turn: LogSyncTurn): void {
  const { state } = turn;
  const { role } = state;
  if (role.kind === "leading") reviewAdmission(turn, role);
  else if (role.kind === "following") sendAccepted(turn, role);
}
