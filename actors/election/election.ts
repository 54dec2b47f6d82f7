/**
 * The election actor finds out who should try to lead. Nodes that look for a leader broadcast a vote, ordered by last zxid and then
 * by id. Each adopts the largest vote that it receives, and they agree when a quorum has the same: at once if no further voter can have a
 * larger one, since it was heard or has no process, and otherwise after a while. A node that follows a live leader answers with
 * that leader, so a returning node disturbs nobody. The result is only a hint: the promises of log-sync keep two nodes
 * from leading one epoch. Source: ZooKeeper's FastLeaderElection.
 */
import { logEvent } from "../log-event.ts";
import type { Actor } from "../../runtime/actor.ts";
import type { LocalEffect, PeerEffect } from "../../runtime/effects.ts";
import type { Turn as TurnOf } from "../../runtime/turn.ts";
import { unreachable } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { EPOCH_NONE, type Epoch, type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import { quorumOf } from "../quorum.ts";
import type { ElectionMessage, ElectionTimer, Vote } from "./messages.ts";

export type ElectionOptions = {
  readonly server: ServerId;
  readonly voters: readonly ServerId[];
  /**
   * Milliseconds after which a looking node repeats its vote; up to half as many again are added at random, so that nodes do not
   * send in step. Default 50.
   */
  readonly voteIntervalMs?: number;
  /**
   * Milliseconds for which a quorum must agree before the agreement counts while a voter was not heard, whose vote may be larger.
   * Default 20.
   */
  readonly settleMs?: number;
};

/** A vote further ahead than this is ignored: no honest node has looked so much more often than this one. */
const ROUNDS_AHEAD_MAX = 2 ** 32;

export type ElectionState = {
  readonly options: ElectionOptions;
  readonly quorum: number;
  mode: "idle" | "looking" | "settled";
  round: number;
  /** False while this node may not vote: it then takes no part in elections, and learns who leads from the leader's own messages. */
  hasVote: boolean;
  /** Where this node's durable log ends: its claim to lead. Growth is not reported while the node leads or follows. */
  lastZxid: Zxid;
  /** The epoch that this node has promised. */
  epoch: Epoch;
  vote: { leader: ServerId; lastZxid: Zxid };
  /** The last vote in this round of each node that looks. */
  readonly votes: Map<ServerId, Vote>;
  /** What each node that does not look has answered: whom it follows, or that it leads. */
  readonly settled: Map<ServerId, Vote>;
  /** The nodes that were sent a vote directly in this round. */
  readonly asked: Set<ServerId>;
  /** Those of them where it has found no process, and from which no vote has come since. */
  readonly absent: Set<ServerId>;
  /** Whether log-sync last reported that this node has no leader and does not lead. */
  leaderless: boolean;
  /** The leader that this node follows, or itself if it leads; undefined while it looks. */
  current:
    | { readonly state: "following" | "leading"; readonly leader: ServerId; readonly epoch: Epoch }
    | undefined;
};

export type ElectionEffect = LocalEffect<ElectionTimer> | PeerEffect;
type Turn = TurnOf<ElectionState, ElectionEffect>;

export function electionActor(
  options: ElectionOptions,
): Actor<ElectionState, ElectionMessage, ElectionEffect> {
  return {
    name: "election",
    supervision: "restart",
    // Votes are repeated, so one that does not fit into the mailbox may be lost.
    mailbox: { capacity: 1000, whenFull: "drop" },
    // An actor that is restarted while its node looks is not sent `look` again. The state `leadership` is repeated to it in this
    // turn, and at the end of the turn it looks by itself if there is no leader.
    start: ({ effects }) => {
      effects.push({ kind: "endOfTurn" });
      return initialState(options);
    },
    receive,
  };
}

function initialState(options: ElectionOptions): ElectionState {
  return {
    options,
    quorum: quorumOf(options.voters.length),
    mode: "idle",
    round: 0,
    hasVote: true,
    lastZxid: ZXID_NONE,
    epoch: EPOCH_NONE,
    vote: { leader: options.server, lastZxid: ZXID_NONE },
    votes: new Map(),
    settled: new Map(),
    asked: new Set(),
    absent: new Set(),
    leaderless: false,
    current: undefined,
  };
}

function receive(turn: Turn, message: ElectionMessage): void {
  const { state } = turn;
  switch (message.kind) {
    case "durable":
      durable(turn, message);
      return;
    case "look":
      look(turn);
      return;
    case "leadership":
      leadership(turn, message);
      return;
    case "received":
      // Any folder that is named for a number may vote here, even while the number is being bound to another folder, since either
      // of the two may have to lead. That is safe because the outcome is only a hint.
      if (message.sender.isNamed) receiveVote(turn, message.from, message.message);
      return;
    case "unheard":
      if (state.mode !== "looking" || !state.hasVote) return;
      state.absent.add(message.by);
      judge(turn);
      return;
    case "endOfTurn":
      if (state.mode === "idle" && state.leaderless) look(turn);
      return;
    case "timer":
      if (state.mode !== "looking" || !state.hasVote) return;
      if (message.timer === "vote") castVote(turn);
      else if (agrees(state)) elect(turn, state.vote.leader);
      return;
    default:
      unreachable(message);
  }
}

function durable(
  turn: Turn,
  { votes, lastZxid, promisedEpoch }: Extract<ElectionMessage, { kind: "durable" }>,
): void {
  const { state } = turn;
  const { server } = state.options;
  state.hasVote = votes;
  state.lastZxid = lastZxid;
  state.epoch = promisedEpoch;
  if (!votes || state.mode !== "looking" || state.vote.leader !== server) return;
  if (state.vote.lastZxid === lastZxid) return;
  state.vote = { leader: server, lastZxid };
  castVote(turn);
}

/** Starts a new round. The votes of earlier rounds are forgotten. */
function look(turn: Turn): void {
  const { state } = turn;
  const { server } = state.options;
  state.mode = "looking";
  state.round += 1;
  state.current = undefined;
  state.votes.clear();
  state.settled.clear();
  forgetAbsent(state);
  state.vote = { leader: server, lastZxid: state.lastZxid };
  if (!state.hasVote) {
    stopTimers(turn);
  } else if (state.quorum === 1) {
    elect(turn, server);
  } else {
    castVote(turn);
    judge(turn);
  }
}

function leadership(
  turn: Turn,
  { role, leader, epoch }: Extract<ElectionMessage, { kind: "leadership" }>,
): void {
  const { state } = turn;
  state.leaderless = role === "looking";
  if (role === "looking" || leader === undefined) {
    state.current = undefined;
    return;
  }
  state.mode = "settled";
  state.current = role === "establishing" ? undefined : { state: role, leader, epoch };
  stopTimers(turn);
}

function receiveVote(turn: Turn, from: ServerId, vote: Vote): void {
  const { state } = turn;
  const { server, voters } = state.options;
  if (!voters.includes(from) || !state.hasVote) return;
  state.absent.delete(from);
  if (state.mode !== "looking") {
    answerLooker(turn, from, vote);
    return;
  }
  if (vote.state === "following" || vote.state === "leading") {
    state.settled.set(from, vote);
    judge(turn);
    return;
  }
  state.settled.delete(from);
  if (!voters.includes(vote.leader)) return;
  // One message must not use up the rounds, which have to stay exact numbers.
  if (vote.round > state.round + ROUNDS_AHEAD_MAX) return;
  if (vote.round < state.round) {
    // The sender has missed a round. It adopts this round when it receives this node's vote.
    sendVote(turn, from, "looking");
    return;
  }
  let changed = false;
  if (vote.round > state.round) {
    state.round = vote.round;
    state.votes.clear();
    forgetAbsent(state);
    state.vote = { leader: server, lastZxid: state.lastZxid };
    changed = true;
  }
  state.votes.set(from, vote);
  if (isLarger(vote, state.vote)) {
    state.vote = { leader: vote.leader, lastZxid: vote.lastZxid };
    changed = true;
  }
  if (changed) castVote(turn);
  judge(turn);
}

/** A looking node learns the leader from nodes that follow one. A node that has just elected repeats its vote. */
function answerLooker(turn: Turn, from: ServerId, vote: Vote): void {
  const { state, effects } = turn;
  const { current, round, lastZxid } = state;
  if (vote.state !== "looking") return;
  if (current === undefined) {
    // Sent as `elected`, which is never answered: otherwise two such nodes would reply to each other for ever.
    if (vote.round <= round) sendVote(turn, from, "elected");
    return;
  }
  const message: Vote = { kind: "vote", round, lastZxid, ...current };
  effects.push({ kind: "send", to: from, actor: "election", message });
  // The other node may have lost this node's leader.
  if (current.state === "following") effects.push(tell("heartbeat", { kind: "doubted" }));
}

/** Elects when a quorum agrees, or starts the settle time; joins a leader that a quorum, and the leader itself, report. */
function judge(turn: Turn): void {
  const { state, effects } = turn;
  const { settleMs = 20 } = state.options;
  const joined = establishedLeader(state);
  const isAgreed = joined === undefined && agrees(state);
  const unknown = isAgreed ? unknownVoters(state) : [];
  if (joined !== undefined) {
    elect(turn, joined);
  } else if (!isAgreed) {
    effects.push({ kind: "stopTimer", timer: "settle" });
  } else if (unknown.length === 0) {
    elect(turn, state.vote.leader);
  } else {
    effects.push({ kind: "startTimer", timer: "settle", afterMs: settleMs });
    askDirectly(turn, unknown);
  }
}

/** The voters whose vote might be larger: in this round they have neither said where their log ends, nor proved to have no process. */
function unknownVoters({ options, votes, absent }: ElectionState): readonly ServerId[] {
  const { server, voters } = options;
  return voters.filter((each) => each !== server && !votes.has(each) && !absent.has(each));
}

/** The transport says of a message to one node, unlike of a broadcast, if no process hears it. */
function askDirectly(turn: Turn, voters: readonly ServerId[]): void {
  const { asked } = turn.state;
  for (const voter of voters) {
    if (asked.has(voter)) continue;
    asked.add(voter);
    sendVote(turn, voter, "looking");
  }
}

function forgetAbsent({ asked, absent }: ElectionState): void {
  asked.clear();
  absent.clear();
}

function establishedLeader(state: ElectionState): ServerId | undefined {
  for (const [from, vote] of state.settled) {
    if (vote.state !== "leading" || from !== vote.leader) continue;
    let supporters = 0;
    for (const other of state.settled.values()) {
      if (other.leader === vote.leader && other.epoch === vote.epoch) supporters += 1;
    }
    // The supporters and this node together are a quorum.
    if (supporters + 1 >= state.quorum) return vote.leader;
  }
  return undefined;
}

function agrees(state: ElectionState): boolean {
  let supporters = 1;
  for (const vote of state.votes.values()) {
    if (vote.leader === state.vote.leader && vote.lastZxid === state.vote.lastZxid) supporters += 1;
  }
  return supporters >= state.quorum;
}

function elect(turn: Turn, leader: ServerId): void {
  const { state, effects } = turn;
  state.mode = "settled";
  stopTimers(turn);
  const detail = { leader, round: state.round };
  effects.push(logEvent("elected", detail));
  effects.push(tell("log-sync", { kind: "elected", leader }));
}

function castVote({ state, effects, random }: Turn): void {
  const { voteIntervalMs = 50 } = state.options;
  const afterMs = voteIntervalMs + Math.floor((random() * voteIntervalMs) / 2);
  effects.push({ kind: "broadcast", actor: "election", message: voteOf(state) });
  effects.push({ kind: "startTimer", timer: "vote", afterMs });
}

function sendVote({ state, effects }: Turn, to: ServerId, as: "looking" | "elected"): void {
  const message: Vote = { ...voteOf(state), state: as };
  effects.push({ kind: "send", to, actor: "election", message });
}

function voteOf(state: ElectionState): Vote {
  return {
    kind: "vote",
    round: state.round,
    state: "looking",
    leader: state.vote.leader,
    lastZxid: state.vote.lastZxid,
    epoch: state.epoch,
  };
}

/** The order of votes: FastLeaderElection.totalOrderPredicate. The epoch needs no comparison of its own, since the zxid begins with it. */
function isLarger(a: { leader: ServerId; lastZxid: Zxid }, b: typeof a): boolean {
  return a.lastZxid > b.lastZxid || (a.lastZxid === b.lastZxid && a.leader > b.leader);
}

function stopTimers({ effects }: Turn): void {
  effects.push({ kind: "stopTimer", timer: "vote" }, { kind: "stopTimer", timer: "settle" });
}
