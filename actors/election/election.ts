/**
 * The election actor: who should try to lead. Nodes that look for a leader broadcast a vote (last zxid, then id), adopt the
 * larger, and agree when a quorum holds the same; a node that follows a live leader answers with that leader, so a
 * returning node disturbs nobody. A hint only: log-sync keeps the safety. Source: ZooKeeper's FastLeaderElection.
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
  /** How often a looking node repeats its vote. Default 50; up to half of it is added by chance. */
  readonly voteIntervalMs?: number;
  /** How long a quorum's agreement must stand before it counts, for a larger vote to arrive. Default 20. */
  readonly settleMs?: number;
};

const ROUNDS_AHEAD_MAX = 2 ** 32;

export type ElectionState = {
  readonly options: ElectionOptions;
  readonly quorum: number;
  mode: "idle" | "looking" | "settled";
  round: number;
  /** False: this node says nothing, and hears of a leader from the leader itself. */
  hasVote: boolean;
  /** This node's own claim: its durable log. */
  lastZxid: Zxid;
  epoch: Epoch;
  vote: { leader: ServerId; lastZxid: Zxid };
  /** Of this round, from nodes that look. */
  readonly votes: Map<ServerId, Vote>;
  /** From nodes that do not look. */
  readonly settled: Map<ServerId, Vote>;
  /** Log-sync has said that it follows and leads nobody. */
  leaderless: boolean;
  /** What this node follows or leads, while it does not look. */
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
    // Votes are repeated, so what does not fit may be lost.
    mailbox: { capacity: 1000, whenFull: "drop" },
    // A node that was started anew while it looked is not told again to look, but that nobody leads.
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
      // A hint: while a number is being bound to another folder, either of the two may have to lead.
      if (message.sender.isNamed) receiveVote(turn, message.from as ServerId, message.message);
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

/** A new round: every vote of an earlier one is forgotten. */
function look(turn: Turn): void {
  const { state } = turn;
  const { server } = state.options;
  state.mode = "looking";
  state.round += 1;
  state.current = undefined;
  state.votes.clear();
  state.settled.clear();
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
  // No honest node has looked so much more often: rounds must not be used up by one message.
  if (vote.round > state.round + ROUNDS_AHEAD_MAX) return;
  if (vote.round < state.round) {
    // It has missed a round: it adopts this one when it hears of it.
    sendVote(turn, from, "looking");
    return;
  }
  let changed = false;
  if (vote.round > state.round) {
    state.round = vote.round;
    state.votes.clear();
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
}

/** Starts the settle time when a quorum agrees; joins a leader that a quorum, and the leader itself, report. */
function judge(turn: Turn): void {
  const { state, effects } = turn;
  const { settleMs = 20 } = state.options;
  const joined = establishedLeader(state);
  if (joined !== undefined) elect(turn, joined);
  else if (agrees(state)) effects.push({ kind: "startTimer", timer: "settle", afterMs: settleMs });
  else effects.push({ kind: "stopTimer", timer: "settle" });
}

function establishedLeader(state: ElectionState): ServerId | undefined {
  for (const [from, vote] of state.settled) {
    if (vote.state !== "leading" || from !== vote.leader) continue;
    let supporters = 0;
    for (const other of state.settled.values()) {
      if (other.leader === vote.leader && other.epoch === vote.epoch) supporters += 1;
    }
    // The leader heard its own quorum; with this node they are one at least.
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

/** FastLeaderElection.totalOrderPredicate; the zxid holds the epoch. */
function isLarger(a: { leader: ServerId; lastZxid: Zxid }, b: typeof a): boolean {
  return a.lastZxid > b.lastZxid || (a.lastZxid === b.lastZxid && a.leader > b.leader);
}

function stopTimers({ effects }: Turn): void {
  effects.push({ kind: "stopTimer", timer: "vote" }, { kind: "stopTimer", timer: "settle" });
}
