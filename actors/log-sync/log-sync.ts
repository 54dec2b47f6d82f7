/**
 * The log-sync actor: what is in the log and what is committed. Raft's log rules in ZooKeeper's words; the invariants I1 to
 * I8 are listed in docs/internals/replication.md.
 */
import type { Actor, Context, Step } from "../../runtime/actor.ts";
import { assert, unreachable } from "../../protocol/assert.ts";
import type { Configuration } from "../../protocol/configuration.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { EPOCH_NONE, formatZxid } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import type { LogReport } from "../log/messages.ts";
import { ask, grant, stand } from "./candidate.ts";
import { DELIVERY_TAG, deliverRead } from "./delivery.ts";
import { GREET_TIMER, greet, newFounding, twinHeard } from "./founding.ts";
import { installed, installRefused, partRefused, partStored } from "./transfer.ts";
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
import { loadLanes, treeLoaded } from "./load.ts";
import { LogIndex } from "./log-index.ts";
import { cutAfter, isBound, standingChanged, stopReplaced } from "./membership.ts";
import type { LogSyncMessage, SubmitMessage } from "./messages.ts";
import { sendPart } from "./offer.ts";
import { refusedByPeer, voteLost } from "./refused.ts";
import { askToJoin, JOIN_TIMER } from "./replacement.ts";
import { ABSTAIN_TIMER, endAbstaining, writeAgain } from "./disk-space.ts";
import {
  emitDurable,
  emitLeadership,
  initialState,
  log,
  type LogSyncOptions,
  type LogSyncState,
  lookAgain,
  sendTo,
} from "./state.ts";
import { beginRepair, SURVEY_TIMER, survey } from "./repair.ts";

export function logSyncActor(options: LogSyncOptions): Actor<LogSyncState, LogSyncMessage> {
  return {
    name: "log-sync",
    supervision: "stopNode",
    // Peers and lanes bound what they have under way; beyond that a sender is broken.
    mailbox: { capacity: 100_000, whenFull: "stopNode" },
    start: () => ({ state: initialState(options), effects: [] }),
    receive,
  };
}

function receive(
  state: LogSyncState,
  message: LogSyncMessage,
  context: Context,
): Step<LogSyncState> {
  state.effects = [];
  decide(state, message, context);
  return { state, effects: state.effects };
}

function decide(state: LogSyncState, message: LogSyncMessage, context: Context): void {
  switch (message.kind) {
    case "received":
      receiveFromPeer(state, message, context);
      return;
    case "submit":
      route(state, message, context);
      return;
    case "propose":
      if (state.role.kind === "leading") {
        propose(state, state.role, message.payload, message.count, context);
      }
      return;
    case "elected":
      elected(state, message.leader);
      return;
    case "leaderLost":
      if (state.role.kind === "leading" || state.role.kind === "following") {
        lookAgain(state, message.reason);
      }
      return;
    case "timer":
      timer(state, message.timer, context);
      return;
    case "refusedByPeer":
      refusedByPeer(state, message, context);
      return;
    case "twinHeard":
      twinHeard(state, state.options.server, context);
      return;
    case "treeMemory":
      state.treeFull = message.full;
      diskSpaceChanged(state, context);
      if (state.role.kind === "following") emitLeadership(state);
      return;
    case "treeLoaded":
      treeLoaded(state, message);
      if (state.role.kind === "leading") activate(state, state.role);
      return;
    default:
      receiveFromLog(state, message, context);
  }
}

function elected(state: LogSyncState, leader: ServerId): void {
  if (!state.recovered) return;
  if (leader === state.options.server) stand(state);
  else if (state.role.kind === "looking") follow(state, leader, undefined);
}

function timer(state: LogSyncState, name: string, context: Context): void {
  switch (name) {
    case "publish":
      publish(state);
      return;
    case "announce":
      announce(state, context);
      return;
    case "ask":
      if (state.role.kind === "candidate") ask(state, context);
      return;
    case "establish":
      if (state.role.kind === "following" && !state.role.established) {
        lookAgain(state, `node ${state.role.leader} did not establish its epoch`);
      }
      return;
    case SURVEY_TIMER:
      survey(state);
      return;
    case GREET_TIMER:
      greet(state, context);
      return;
    case JOIN_TIMER:
      askToJoin(state);
      return;
    case ABSTAIN_TIMER:
      endAbstaining(state);
      return;
    default:
      assert(false, `log-sync has no timer ${name}`);
  }
}

/** A batch of a lane of this node: taken, handed to the leader, or left for the submitter to repeat. */
function route(state: LogSyncState, message: SubmitMessage, context: Context): void {
  const { role } = state;
  if (role.kind === "leading") submit(state, role, message, context);
  else if (role.kind === "following" && role.established) sendTo(state, role.leader, message);
}

function receiveFromLog(state: LogSyncState, report: LogReport, context: Context): void {
  switch (report.kind) {
    case "recovered":
      recovered(state, report, context);
      return;
    case "appended":
      if (report.truncations !== state.truncations || state.truncating) return;
      durableThrough(state, report.lastZxid);
      return;
    case "truncated":
      assert(report.lastZxid === state.index.tail, "a truncation ends where the index ends");
      state.truncating = false;
      state.truncations = report.truncations;
      state.durable = report.lastZxid;
      if (state.role.kind === "following") {
        sayBehind(state, state.role, state.index.tail, context);
      }
      return;
    case "promised":
      promised(state, report, context);
      return;
    case "records":
      receiveRead(state, report);
      return;
    case "snapshotStored":
      state.snapshot = report.snapshot;
      return;
    case "purged":
      state.index.purge(report.baseZxid);
      return;
    case "snapshotBytes":
      sendPart(state, report);
      return;
    case "partStored":
      partStored(state, report, context);
      return;
    case "partRefused":
      partRefused(state, report, context);
      return;
    case "installed":
      installed(state, report, context);
      return;
    case "installRefused":
      installRefused(state, report, context);
      return;
    case "configurationStored":
      if (state.founding !== undefined) belongs(state, report.configuration);
      return;
    case "voteLost":
      voteLost(state);
      return;
    case "voteRegained":
      voteRegained(state);
      return;
    case "diskLow":
      state.diskLow = true;
      diskSpaceChanged(state, context);
      return;
    case "diskFull":
      diskFull(state, report, context);
      return;
    case "writable":
      writable(state, context);
      return;
    default:
      unreachable(report);
  }
}

function recovered(
  state: LogSyncState,
  report: Extract<LogReport, { kind: "recovered" }>,
  context: Context,
): void {
  state.recovered = true;
  const { membership } = state;
  membership.identity = report.identity;
  membership.incarnation = report.incarnation;
  membership.settled = report.configuration;
  const version = report.configuration?.version ?? 0;
  membership.logged = report.logged.filter((logged) => logged.configuration.version > version);
  standingChanged(state);
  state.promise = report.promise;
  state.index = new LogIndex(report.lastZxids, report.baseZxid);
  state.durable = state.index.tail;
  state.lastTimeMs = report.timeMs;
  if (report.snapshot !== undefined) loadLanes(state, report.snapshot);
  if (report.voteLoss !== undefined) beginRepair(state, report.voteLoss, context);
  log(state, "info", "log recovered", {
    lastZxid: formatZxid(state.durable),
    records: report.lastZxids.length,
    tornBytes: report.tornBytes,
    promisedEpoch: report.promise.epoch,
  });
  for (let lane = 1; lane <= state.options.lanes; lane += 1) {
    state.effects.push(
      tell(`submitter/${lane}`, { kind: "incarnation", incarnation: report.incarnation }),
    );
  }
  emitDurable(state);
  if (membership.settled === undefined) {
    state.founding = newFounding();
    greet(state, context);
    askToJoin(state);
  } else {
    begin(state, "started");
  }
}

/** It belongs to an ensemble, as a voter or, if another folder has its number, as a guest. */
function begin(state: LogSyncState, reason: string): void {
  const loss = state.repair?.loss.reason;
  if (!isBound(state) && loss !== "new" && loss !== "guest") {
    stopReplaced(state);
    return;
  }
  lookAgain(state, reason);
  if (state.repair !== undefined) survey(state);
  if (!isBound(state)) askToJoin(state);
}

/** This node's folder has been made part of an ensemble, for ever. */
function belongs(state: LogSyncState, configuration: Configuration): void {
  const { membership } = state;
  state.founding = undefined;
  membership.settled = configuration;
  standingChanged(state);
  log(state, "info", "belongs to an ensemble", {
    ensembleId: configuration.ensembleId,
    version: configuration.version,
    as: isBound(state) ? "voter" : "guest",
  });
  state.effects.push({ kind: "stopTimer", timer: GREET_TIMER });
  if (isBound(state)) state.effects.push({ kind: "stopTimer", timer: JOIN_TIMER });
  if (state.repair !== undefined && !isBound(state)) {
    state.repair.loss = { reason: "guest", epoch: EPOCH_NONE };
  }
  begin(state, "belongs to an ensemble");
}

function durableThrough(state: LogSyncState, zxid: typeof state.durable): void {
  if (zxid <= state.durable) return;
  state.durable = zxid;
  const { role } = state;
  if (role.kind === "leading") {
    leaderCommit(state, role);
  } else if (role.kind === "following") {
    sendAccepted(state, role);
    followCommit(state, role);
  } else {
    emitDurable(state);
  }
}

function promised(
  state: LogSyncState,
  report: Extract<LogReport, { kind: "promised" }>,
  context: Context,
): void {
  assert(report.promise.epoch > state.promise.epoch, "I7: a promise never goes back");
  state.promise = report.promise;
  // A later promise may be on its way; then this one is not worth an answer.
  if (state.promising?.epoch !== report.promise.epoch) return;
  const asker = state.promiseAsker;
  state.promising = undefined;
  state.promiseAsker = undefined;
  const { role } = state;
  if (asker !== undefined) grant(state, asker);
  else if (role.kind === "candidate" && role.epoch === report.promise.epoch) ask(state, context);
  else if (role.kind === "following") sayBehind(state, role, state.index.tail, context);
}

function receiveRead(state: LogSyncState, report: Extract<LogReport, { kind: "records" }>): void {
  if (report.tag === DELIVERY_TAG) {
    deliverRead(state, report.records);
    if (state.role.kind === "leading") activate(state, state.role);
  } else if (state.role.kind === "leading") {
    sendRead(state, state.role, report.tag as ServerId, report.after, report.records);
  }
}

/** The marker is gone for good. */
function voteRegained(state: LogSyncState): void {
  const { role, repair } = state;
  state.repair = undefined;
  log(state, "info", "votes again", { reason: repair?.loss.reason });
  emitDurable(state);
  state.effects.push({ kind: "stopTimer", timer: SURVEY_TIMER });
  if (role.kind === "following") sendAccepted(state, role);
  else if (role.kind === "looking") lookAgain(state, "this node votes again");
}

/**
 * What was not kept is gone from the log. A leader that nobody can replace keeps it in memory: it commits nothing without its
 * own disk, but its clients read on, and their sessions live.
 */
function diskFull(
  state: LogSyncState,
  report: Extract<LogReport, { kind: "diskFull" }>,
  context: Context,
): void {
  const { role } = state;
  state.diskLow = true;
  state.diskFull = true;
  state.durable = report.durable;
  log(state, "warn", "disk full", { durable: formatZxid(report.durable) });
  if (role.kind === "leading" && role.active) {
    emitDurable(state);
    reviewAdmission(state, role, context);
    return;
  }
  if (role.kind === "leading") {
    lookAgain(state, "the disk is full");
    return;
  }
  // A truncation that the log has yet to do has already cut the index, further than this.
  const { tail } = state.index;
  const end = report.durable < tail ? report.durable : tail;
  cutAfter(state, end);
  if (role.kind === "following" && role.matched > report.durable) role.matched = report.durable;
  emitDurable(state);
  emitLeadership(state);
  diskSpaceChanged(state, context);
}

function writable(state: LogSyncState, context: Context): void {
  const { role, diskFull: wasFull } = state;
  state.diskLow = false;
  state.diskFull = false;
  log(state, "info", "disk has room again", {});
  if (role.kind === "looking") {
    lookAgain(state, "the disk has room again");
    return;
  }
  emitDurable(state);
  if (role.kind === "leading" && wasFull) writeAgain(state, role);
  if (role.kind === "following" && wasFull) emitLeadership(state);
  diskSpaceChanged(state, context);
}

/** Whoever leads knows at once. */
function diskSpaceChanged(state: LogSyncState, context: Context): void {
  const { role } = state;
  if (role.kind === "leading") reviewAdmission(state, role, context);
  else if (role.kind === "following") sendAccepted(state, role);
}
