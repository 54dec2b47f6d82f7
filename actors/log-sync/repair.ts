/**
 * The way back to a vote. A node that may have forgotten what it acknowledged or promised (a damaged log, a lost promise, an empty
 * folder) takes part without a vote until it holds all of that again. The rule and why it is sound: docs/decisions/0007-lost-disks.md.
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
import { persistPromise, promisedEpoch } from "./voter.ts";
import { log, broadcast, sendTo } from "./effects.ts";

const SURVEY_INTERVAL_MS = 100;
/** The node's log says that there is still no vote once for this many surveys. */
const SURVEYS_A_LINE = 100;

export function beginRepair(turn: LogSyncTurn, loss: VoteLoss): void {
  const { state } = turn;
  const nonce = Math.floor(turn.random() * Number.MAX_SAFE_INTEGER);
  const answers = new Map<ServerId, Surveyed>();
  state.repair = { loss, nonce, answers, target: undefined, regaining: false, surveys: 0 };
}

/** Asks the other voters what they have promised and hold, and again at each interval until this node votes. */
export function survey(turn: LogSyncTurn): void {
  const { state } = turn;
  const { repair } = state;
  if (repair === undefined) return;
  broadcast(turn, { kind: "survey", nonce: repair.nonce });
  turn.effects.push({ kind: "startTimer", timer: "survey", afterMs: SURVEY_INTERVAL_MS });
  repair.surveys += 1;
  if (repair.surveys % SURVEYS_A_LINE !== 0) return;
  const unheard = othersOf(state).filter((voter) => !repair.answers.has(voter));
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
  // A node whose answer does not count is not asked in return. Otherwise two such nodes would ask each other for ever.
  if (isVoter && repair !== undefined && !repair.answers.has(from)) {
    sendTo(turn, from, { kind: "survey", nonce: repair.nonce });
  }
}

export function receiveSurvey(turn: LogSyncTurn, from: ServerId, message: Surveyed): void {
  const { state } = turn;
  const { repair } = state;
  if (repair === undefined || message.nonce !== repair.nonce || repair.regaining) return;
  repair.answers.set(from, message);
  if (message.leads !== undefined) {
    const known = repair.target;
    // A leader's first answer is kept: this node can have acknowledged nothing after the end of the log that it names.
    if (known?.leader !== from || known.epoch !== message.leads) {
      repair.target = { leader: from, epoch: message.leads, tail: message.tail };
    }
  }
  if (!isBound(state)) return;
  if (isFresh(state, repair)) voteInFreshEnsemble(turn, repair);
  else regainIfRepaired(turn);
}

/**
 * Whether every voter's log is empty, this node's own included. Then nothing has ever been committed with this node's help: the other
 * members of that quorum, one at least, would have the record in their logs. Decision 7 does not cover that the folders of a whole quorum
 * were emptied at once.
 */
function isFresh(state: LogSyncState, { loss, answers }: VoteRepair): boolean {
  if (loss.reason !== "new" || state.log.index.tail !== ZXID_NONE || state.log.truncating)
    return false;
  return othersOf(state).every((voter) => answers.get(voter)?.tail === ZXID_NONE);
}

/**
 * Gives the vote back in an ensemble without records. Whatever epoch this node has promised and forgotten, the candidate it was promised to
 * has promised at least as much and has answered the survey. So this node promises the highest epoch of the answers, to itself.
 */
function voteInFreshEnsemble(turn: LogSyncTurn, repair: VoteRepair): void {
  const { state } = turn;
  const above = promisedByOthers(state, repair);
  if (above === undefined) return;
  if (above > promisedEpoch(state)) {
    persistPromise(turn, { epoch: above, candidate: state.options.server }, undefined);
  }
  regain(turn, repair);
}

/** Must be called whenever more of this log is durable and known to equal the leader's. Gives the vote back when the repair is complete. */
export function regainIfRepaired(turn: LogSyncTurn): void {
  const { state } = turn;
  const { repair, role } = state;
  if (repair?.target === undefined || repair.regaining || state.log.truncating) return;
  if (!isBound(state) || !isHeld(state)) return;
  const { leader, epoch: led, tail } = repair.target;
  if (role.kind !== "following" || role.leader !== leader || role.epoch !== led) return;
  if (state.promises.durable.epoch !== led || state.promises.underWay !== undefined) return;
  if (role.matched < tail || state.log.durable < tail) return;
  const promised =
    repair.loss.reason === "log" ? repair.loss.epoch : promisedByOthers(state, repair);
  if (promised === undefined || promised > led) return;
  regain(turn, repair);
}

/**
 * Gives a guest its vote. A folder that was admitted as a guest has never promised or acknowledged anything that counted, so it votes as
 * soon as its number is bound to it by a record that it holds and knows to be committed.
 */
export function voteIfBound(turn: LogSyncTurn): void {
  const { state } = turn;
  const { repair } = state;
  if (repair === undefined || repair.regaining || repair.loss.reason !== "guest") return;
  if (isBound(state) && isHeld(state)) regain(turn, repair);
}

/** Whether the record that made the settled configuration is in this log or its snapshot, and committed. */
function isHeld({ membership, delivery: { committed } }: LogSyncState): boolean {
  return membership.settled !== undefined && committed >= membership.settled.since;
}

/**
 * The highest epoch that the other voters have promised. This node has promised no later one, since a candidate promises an epoch itself
 * before it asks for it. Undefined: a voter has not answered yet.
 */
function promisedByOthers(state: LogSyncState, { answers }: VoteRepair): Epoch | undefined {
  let highest = EPOCH_NONE;
  for (const voter of othersOf(state)) {
    const answer = answers.get(voter);
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

/** The marker that took the vote away is durably removed from the disk. */
export function voteRegained(turn: LogSyncTurn): void {
  const { state, effects } = turn;
  log(turn, "votesAgain", { reason: state.repair?.loss.reason });
  state.repair = undefined;
  emitDurable(turn);
  effects.push({ kind: "stopTimer", timer: "survey" });
}
