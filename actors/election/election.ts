/**
 * The election actor: who should try to lead. Nodes that look for a leader broadcast a vote (last zxid, then id), adopt the
 * larger, and agree when a quorum holds the same; a node that follows a live leader answers with that leader, so a
 * returning node disturbs nobody. A hint only: log-sync keeps the safety. Source: ZooKeeper's FastLeaderElection.
 */
import type { Actor, Context, Step } from "../../runtime/actor.ts";
import type { Effect } from "../../runtime/effects.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { EPOCH_NONE, type Epoch, type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import type { ElectionMessage, Vote } from "./messages.ts";

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

type Timer = "vote" | "settle" | "wake";

export function electionActor(options: ElectionOptions): Actor<ElectionState, ElectionMessage> {
  return {
    name: "election",
    supervision: "restart",
    // Votes are repeated, so what does not fit may be lost.
    mailbox: { capacity: 1000, whenFull: "drop" },
    // A node that was started anew while it looked is not told again to look, but that nobody leads.
    start: () => ({
      state: initialState(options),
      effects: [{ kind: "startTimer", timer: "wake", afterMs: 0 }],
    }),
    receive,
  };
}

function initialState(options: ElectionOptions): ElectionState {
  return {
    options,
    quorum: Math.floor(options.voters.length / 2) + 1,
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

function receive(
  state: ElectionState,
  message: ElectionMessage,
  context: Context,
): Step<ElectionState> {
  switch (message.kind) {
    case "durable":
      return durable(state, message, context);
    case "look":
      return look(state, context);
    case "leadership":
      return leadership(state, message);
    case "received":
      // A hint: while a number is being bound to another folder, either of the two may have to lead.
      if (!message.sender.isNamed) return none(state);
      return receiveVote(state, message.from as ServerId, message.message, context);
    default:
      return timer(state, message.timer as Timer, context);
  }
}

function none(state: ElectionState): Step<ElectionState> {
  return { state, effects: [] };
}

function durable(
  state: ElectionState,
  { votes, lastZxid, promisedEpoch }: Extract<ElectionMessage, { kind: "durable" }>,
  context: Context,
): Step<ElectionState> {
  state.hasVote = votes;
  state.lastZxid = lastZxid;
  state.epoch = promisedEpoch;
  if (state.mode !== "looking" || state.vote.leader !== state.options.server) return none(state);
  if (!votes) return none(state);
  if (state.vote.lastZxid === lastZxid) return none(state);
  state.vote = { leader: state.options.server, lastZxid };
  return { state, effects: castVote(state, context) };
}

/** A new round: every vote of an earlier one is forgotten. */
function look(state: ElectionState, context: Context): Step<ElectionState> {
  const { server } = state.options;
  state.mode = "looking";
  state.round += 1;
  state.current = undefined;
  state.votes.clear();
  state.settled.clear();
  state.vote = { leader: server, lastZxid: state.lastZxid };
  if (!state.hasVote) return { state, effects: stopTimers() };
  if (state.quorum === 1) return elect(state, server);
  return { state, effects: [...castVote(state, context), ...judge(state)] };
}

function leadership(
  state: ElectionState,
  message: Extract<ElectionMessage, { kind: "leadership" }>,
): Step<ElectionState> {
  state.leaderless = message.role === "looking";
  if (message.role === "looking" || message.leader === undefined) {
    state.current = undefined;
    return none(state);
  }
  const settled = message.role !== "establishing";
  state.mode = "settled";
  state.current = settled
    ? {
        state: message.role === "leading" ? "leading" : "following",
        leader: message.leader,
        epoch: message.epoch,
      }
    : undefined;
  return { state, effects: stopTimers() };
}

function receiveVote(
  state: ElectionState,
  from: ServerId,
  vote: Vote,
  context: Context,
): Step<ElectionState> {
  if (!state.options.voters.includes(from) || !state.hasVote) return none(state);
  if (state.mode !== "looking") return { state, effects: answerLooker(state, from, vote) };
  if (vote.state === "following" || vote.state === "leading") {
    state.settled.set(from, vote);
    return { state, effects: judge(state) };
  }
  state.settled.delete(from);
  if (!state.options.voters.includes(vote.leader)) return none(state);
  // No honest node has looked so much more often: rounds must not be used up by one message.
  if (vote.round > state.round + ROUNDS_AHEAD_MAX) return none(state);
  if (vote.round < state.round) {
    // It has missed a round: it adopts this one when it hears of it.
    return { state, effects: [sendVote(state, from, "looking")] };
  }
  const effects: Effect[] = [];
  let changed = false;
  if (vote.round > state.round) {
    state.round = vote.round;
    state.votes.clear();
    state.vote = { leader: state.options.server, lastZxid: state.lastZxid };
    changed = true;
  }
  state.votes.set(from, vote);
  if (isLarger(vote, state.vote)) {
    state.vote = { leader: vote.leader, lastZxid: vote.lastZxid };
    changed = true;
  }
  if (changed) effects.push(...castVote(state, context));
  effects.push(...judge(state));
  return { state, effects };
}

/** Who looks learns from those who do not whom they follow. A node that has just elected repeats its vote. */
function answerLooker(state: ElectionState, from: ServerId, vote: Vote): Effect[] {
  if (vote.state !== "looking") return [];
  const { current } = state;
  if (current === undefined) {
    // Said to have been elected, or two such nodes would answer each other without end.
    return vote.round <= state.round ? [sendVote(state, from, "elected")] : [];
  }
  const answer: Vote = {
    kind: "vote",
    round: state.round,
    state: current.state,
    leader: current.leader,
    lastZxid: state.lastZxid,
    epoch: current.epoch,
  };
  return [{ kind: "send", to: from, actor: "election", message: answer }];
}

/** Starts the settle time when a quorum agrees; joins a leader that a quorum, and the leader itself, report. */
function judge(state: ElectionState): Effect[] {
  const joined = establishedLeader(state);
  if (joined !== undefined) return [...elect(state, joined).effects];
  return agrees(state)
    ? [{ kind: "startTimer", timer: "settle", afterMs: state.options.settleMs ?? 20 }]
    : [{ kind: "stopTimer", timer: "settle" }];
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

function timer(state: ElectionState, name: Timer, context: Context): Step<ElectionState> {
  if (name === "wake") {
    return state.mode === "idle" && state.leaderless ? look(state, context) : none(state);
  }
  if (state.mode !== "looking" || !state.hasVote) return none(state);
  if (name === "vote") return { state, effects: castVote(state, context) };
  return agrees(state) ? elect(state, state.vote.leader) : none(state);
}

function elect(state: ElectionState, leader: ServerId): Step<ElectionState> {
  state.mode = "settled";
  return {
    state,
    effects: [
      ...stopTimers(),
      {
        kind: "log",
        level: "info",
        event: "elected",
        detail: { leader, round: state.round },
      },
      tell("log-sync", { kind: "elected", leader }),
    ],
  };
}

function castVote(state: ElectionState, context: Context): Effect[] {
  const interval = state.options.voteIntervalMs ?? 50;
  return [
    { kind: "broadcast", actor: "election", message: voteOf(state) },
    {
      kind: "startTimer",
      timer: "vote",
      afterMs: interval + Math.floor((context.random() * interval) / 2),
    },
  ];
}

function sendVote(state: ElectionState, to: ServerId, as: "looking" | "elected"): Effect {
  return { kind: "send", to, actor: "election", message: { ...voteOf(state), state: as } };
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

function stopTimers(): Effect[] {
  return [
    { kind: "stopTimer", timer: "vote" },
    { kind: "stopTimer", timer: "settle" },
  ];
}
