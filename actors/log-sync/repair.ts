/**
 * A node that may have forgotten what it acknowledged or promised (a damaged log, a lost promise, an empty folder) takes part
 * without a vote until it holds all of that again. The rule and why it is sound: docs/decisions/0007-lost-disks.md.
 */
import type { ServerId } from "../../protocol/ids.ts";
import { type Epoch, EPOCH_NONE, epoch, formatZxid, ZXID_NONE } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import type { VoteLoss } from "../log/messages.ts";
import { isBound } from "./ensemble/membership.ts";
import {
  emitDurable,
  type LogSyncState,
  type LogSyncTurn,
  type Surveyed,
  type VoteRepair,
} from "./state.ts";
import { persistPromise } from "./voter.ts";
import { promisedEpoch } from "./voter.ts";
import { log } from "./effects.ts";
import { broadcast } from "./effects.ts";
import { sendTo } from "./effects.ts";

const SURVEY_INTERVAL_MS = 100;
/** How many surveys go by between two lines of the log. */
const SURVEYS_A_LINE = 100;

export function beginRepair(turn: LogSyncTurn, loss: VoteLoss): void {
  const { state } = turn;
  const nonce = Math.floor(turn.random() * Number.MAX_SAFE_INTEGER);
  const heard = new Map<ServerId, Surveyed>();
  state.repair = { loss, nonce, heard, target: undefined, regaining: false, surveys: 0 };
}

/** Asks the others, again and again until this node votes. */
export function survey(turn: LogSyncTurn): void {
  const { state } = turn;
  const { repair } = state;
  if (repair === undefined) return;
  broadcast(turn, { kind: "survey", nonce: repair.nonce });
  turn.effects.push({ kind: "startTimer", timer: "survey", afterMs: SURVEY_INTERVAL_MS });
  repair.surveys += 1;
  if (repair.surveys % SURVEYS_A_LINE !== 0) return;
  const unheard = othersOf(state).filter((voter) => !repair.heard.has(voter));
  log(turn, "stillWithoutVote", {
    reason: repair.loss.reason,
    notHeardOf: unheard.join(" "),
    leaderEndsAt: repair.target && formatZxid(repair.target.tail),
    durable: formatZxid(state.log.durable),
  });
}

export function answerSurvey(
  turn: LogSyncTurn,
  from: ServerId,
  nonce: number,
  isVoter: boolean,
): void {
  const { state } = turn;
  const { role, repair } = state;
  sendTo(turn, from, {
    kind: "surveyed",
    nonce,
    promisedEpoch: promisedEpoch(state),
    tail: state.log.index.tail,
    leads: role.kind === "leading" ? role.epoch : undefined,
  });
  // Whose answer does not count is not asked: two such nodes would ask each other without end.
  if (isVoter && repair !== undefined && !repair.heard.has(from)) {
    sendTo(turn, from, { kind: "survey", nonce: repair.nonce });
  }
}

export function receiveSurvey(turn: LogSyncTurn, from: ServerId, message: Surveyed): void {
  const { state } = turn;
  const { repair } = state;
  if (repair === undefined || message.nonce !== repair.nonce || repair.regaining) return;
  repair.heard.set(from, message);
  if (message.leads !== undefined) {
    const known = repair.target;
    // The first word of a leader is enough: what was acknowledged before it cannot grow.
    if (known?.leader !== from || known.epoch !== message.leads) {
      repair.target = { leader: from, epoch: message.leads, tail: message.tail };
    }
  }
  if (!isBound(state)) return;
  if (isFresh(state, repair)) voteInFreshEnsemble(turn, repair);
  else regainIfRepaired(turn);
}

/**
 * Every other voter's log is empty: so nothing has ever been committed with this node's help, if it is another's disk that
 * was lost too, or if none was.
 */
function isFresh(state: LogSyncState, { loss, heard }: VoteRepair): boolean {
  if (loss.reason !== "new" || state.log.index.tail !== ZXID_NONE || state.log.truncating)
    return false;
  return othersOf(state).every((voter) => heard.get(voter)?.tail === ZXID_NONE);
}

/** What it may have promised is below or equal to what its candidate has promised. It promises as much, to itself. */
function voteInFreshEnsemble(turn: LogSyncTurn, repair: VoteRepair): void {
  const { state } = turn;
  const above = promisedByOthers(state, repair);
  if (above === undefined) return;
  if (above > promisedEpoch(state)) {
    persistPromise(turn, { epoch: above, candidate: state.options.server }, undefined);
  }
  regain(turn, repair);
}

/** Called whenever more is durable here and known to be the leader's. */
export function regainIfRepaired(turn: LogSyncTurn): void {
  const { state } = turn;
  const { repair, role } = state;
  if (repair?.target === undefined || repair.regaining || state.log.truncating) return;
  if (!isBound(state) || !isHeld(state)) return;
  const { leader, epoch: of, tail } = repair.target;
  if (role.kind !== "following" || role.leader !== leader || role.epoch !== of) return;
  if (state.promises.durable.epoch !== of || state.promises.underWay !== undefined) return;
  if (role.matched < tail || state.log.durable < tail) return;
  const promised =
    repair.loss.reason === "log" ? repair.loss.epoch : promisedByOthers(state, repair);
  if (promised === undefined || promised > of) return;
  regain(turn, repair);
}

/**
 * A folder that was taken in as a guest has never promised or acknowledged anything that counted. It votes from when its number is
 * bound to it, by a record that it holds and knows to be committed.
 */
export function voteIfBound(turn: LogSyncTurn): void {
  const { state } = turn;
  const { repair } = state;
  if (repair === undefined || repair.regaining || repair.loss.reason !== "guest") return;
  if (isBound(state) && isHeld(state)) regain(turn, repair);
}

/** The record that made the configuration is in this log or its snapshot, and known to be committed. */
function isHeld({ membership, delivery: { committed } }: LogSyncState): boolean {
  return membership.settled !== undefined && committed >= membership.settled.since;
}

/** No promise of this node's is of a later epoch: whoever was promised one has promised it itself. */
function promisedByOthers(state: LogSyncState, { heard }: VoteRepair): Epoch | undefined {
  let highest = EPOCH_NONE;
  for (const voter of othersOf(state)) {
    const answer = heard.get(voter);
    if (answer === undefined) return undefined;
    highest = epoch(Math.max(highest, answer.promisedEpoch));
  }
  return highest;
}

function regain(turn: LogSyncTurn, repair: VoteRepair): void {
  repair.regaining = true;
  turn.effects.push(tell("log", { kind: "regainVote" }));
}

function othersOf({ options }: LogSyncState): ServerId[] {
  return options.voters.filter((voter) => voter !== options.server);
}

/** The marker is gone from the disk for good. */
export function voteRegained(turn: LogSyncTurn): void {
  const { state, effects } = turn;
  log(turn, "votesAgain", { reason: state.repair?.loss.reason });
  state.repair = undefined;
  emitDurable(turn);
  effects.push({ kind: "stopTimer", timer: "survey" });
}
