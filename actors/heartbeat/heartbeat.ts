/**
 * The heartbeat actor: who is alive. A follower pings its leader by request: no responders means that its process is gone,
 * known at once; silence means a partition or a pause, known after the timeout. A leader that hears no quorum steps down.
 * Pings carry the sessions touched since the last.
 */
import type { Actor } from "../../runtime/actor.ts";
import type {
  LocalEffect,
  PeerEffect,
  ReceivedMessage,
  RequestOutcome,
} from "../../runtime/effects.ts";
import type { Context, Turn as TurnOf } from "../../runtime/turn.ts";
import { unreachable } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { type Leadership, NO_LEADERSHIP } from "../../protocol/replication.ts";
import { tell } from "../inboxes.ts";
import { quorumOf } from "../quorum.ts";
import { emit } from "../topics.ts";
import type { HeartbeatMessage, HeartbeatTimer, Ping, Pong, Touched } from "./messages.ts";
import {
  confirm,
  endRound,
  forgetTaken,
  newRounds,
  type Rounds,
  touch,
  untaken,
} from "./rounds.ts";
import {
  clearSupport,
  hearRound,
  held,
  newSupport,
  type Support,
  supportedMs,
  takeConfirmed,
} from "./support.ts";

export type HeartbeatOptions = {
  readonly server: ServerId;
  readonly voters: readonly ServerId[];
  /** Between two pings of a follower. Default 100. The death of a process is known after this at most. */
  readonly intervalMs?: number;
  /** Silence after which a follower gives up its leader, and a leader a follower. Default 2000. */
  readonly timeoutMs?: number;
};

export type HeartbeatState = {
  readonly options: HeartbeatOptions;
  readonly quorum: number;
  leadership: Leadership;
  readonly rounds: Rounds;
  readonly support: Support;
  /** Of the last ping; equal to its round. */
  lastTag: number;
  /** A follower's: what its leader's clock said last. */
  echoMs: number | undefined;
  /** A follower's: when its leader was last heard. */
  heardLeaderMs: number;
  /** A leader's: when each peer was last heard. */
  readonly heardMs: Map<ServerId, number>;
  /** Pings in a row that found nobody, or nobody who leads. */
  absences: number;
};

/** Before its epoch is established a leader may not listen or may not know of it: one ping that finds that is not enough. */
const ABSENCES_MAX = 2;

export type HeartbeatEffect = LocalEffect<HeartbeatTimer> | PeerEffect;
type Turn = TurnOf<HeartbeatState, HeartbeatEffect>;

export function heartbeatActor(
  options: HeartbeatOptions,
): Actor<HeartbeatState, HeartbeatMessage, HeartbeatEffect> {
  return {
    name: "heartbeat",
    supervision: "restart",
    mailbox: { capacity: 10_000, whenFull: "drop" },
    start: (turn) => initialState(options, turn),
    receive,
  };
}

/**
 * The first round is drawn, so that an answer to an earlier incarnation of this node is not taken for an answer to this one. Below
 * this number all later ones are exact.
 */
const FIRST_ROUND_MAX = 2 ** 48;

function initialState(options: HeartbeatOptions, context: Context): HeartbeatState {
  const first = Math.floor(context.random() * FIRST_ROUND_MAX);
  return {
    options,
    quorum: quorumOf(options.voters.length),
    leadership: NO_LEADERSHIP,
    rounds: newRounds(first),
    support: newSupport(),
    lastTag: first - 1,
    echoMs: undefined,
    heardLeaderMs: 0,
    heardMs: new Map(),
    absences: 0,
  };
}

function receive(turn: Turn, message: HeartbeatMessage): void {
  switch (message.kind) {
    case "leadership":
      leadership(turn, message);
      return;
    case "touched":
      touched(turn, message);
      return;
    case "received":
      receivePing(turn, message);
      return;
    case "answered":
      answered(turn, message);
      return;
    case "noResponders":
      absent(turn, message.to as ServerId, message.tag);
      return;
    case "requestTimedOut":
      silent(turn, message.tag);
      return;
    case "timer":
      if (message.timer === "ping") ping(turn);
      else checkQuorum(turn);
      return;
    default:
      unreachable(message);
  }
}

function leadership(turn: Turn, now: Leadership): void {
  const { state, effects, nowMs } = turn;
  const was = state.leadership;
  state.leadership = now;
  if (was.leader === now.leader && was.epoch === now.epoch && was.role === now.role) return;
  const { server, voters } = state.options;
  if (was.leader !== now.leader || was.epoch !== now.epoch) {
    state.heardLeaderMs = nowMs;
    state.absences = 0;
    state.heardMs.clear();
    for (const voter of voters) state.heardMs.set(voter, nowMs);
    forgetTaken(state.rounds);
    clearSupport(state.support);
    state.echoMs = undefined;
  }
  if (now.leader === undefined) {
    stop(turn, "ping");
    stop(turn, "quorum");
  } else if (now.leader === server) {
    stop(turn, "ping");
    start(turn, "quorum");
    const sessions = [...state.rounds.touched.keys()];
    if (now.role === "leading") effects.push(tell("sessions", { kind: "touched", sessions }));
  } else {
    stop(turn, "quorum");
    start(turn, "ping");
  }
}

function touched({ state, effects }: Turn, message: Touched): void {
  touch(state.rounds, message);
  if (state.leadership.role !== "leading") return;
  const { sessions } = message;
  effects.push(tell("sessions", { kind: "touched", sessions }));
}

function ping(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  const { leader, epoch } = state.leadership;
  const { server, timeoutMs = 2000 } = state.options;
  if (leader === undefined || leader === server) return;
  if (nowMs - state.heardLeaderMs > timeoutMs) {
    lost(turn, `node ${leader} was not heard for ${timeoutMs} ms`);
    return;
  }
  // What the last ping told may be lost with it, so it is told again until a pong comes.
  const sessions = untaken(state.rounds);
  const tag = endRound(state.rounds);
  state.lastTag = tag;
  const { echoMs } = state;
  const message: Ping = { kind: "ping", epoch, touched: sessions, round: tag, echoMs };
  effects.push({ kind: "request", to: leader, actor: "heartbeat", message, tag, timeoutMs });
  start(turn, "ping");
}

function receivePing(turn: Turn, { from, sender, message, request }: ReceivedMessage<Ping>): void {
  const { state, effects, nowMs } = turn;
  const { leadership: known, options } = state;
  const mine = known.leader === options.server;
  const leading = mine && known.epoch === message.epoch;
  const established = leading && known.role === "leading";
  // A guest is answered, so that it knows its leader alive; it supports nobody.
  const { isVoter } = sender;
  if (leading && isVoter) state.heardMs.set(from as ServerId, nowMs);
  if (established && isVoter && message.touched.length > 0) {
    effects.push(tell("sessions", { kind: "touched", sessions: message.touched }));
  }
  const confirmed = established && isVoter ? takeRound(turn, from as ServerId, message) : undefined;
  // A candidate's epoch may not be known to its voters yet: that it stands is enough for them to wait.
  const pong: Pong = {
    kind: "pong",
    epoch: known.epoch,
    leading: mine,
    atMs: established ? nowMs : undefined,
    confirmed,
  };
  if (request !== undefined) effects.push({ kind: "answer", request, message: pong });
}

/** A leader's: which of the follower's rounds count by now. Its own are looked at on the way. */
function takeRound(turn: Turn, from: ServerId, { round, echoMs }: Ping): number | undefined {
  const { state, nowMs } = turn;
  const { support, quorum, options } = state;
  if (echoMs !== undefined && options.voters.includes(from)) held(support, from, echoMs);
  hearRound(support, from, round, nowMs);
  confirmOwn(turn);
  return takeConfirmed(support, from, supportedMs(support, quorum, nowMs));
}

/** A leader's own sessions are touched as soon as they are told; they count when a quorum has held to it since. */
function confirmOwn(turn: Turn): void {
  const { rounds, support, quorum, options } = turn.state;
  const { server } = options;
  hearRound(support, server, endRound(rounds), turn.nowMs);
  const supported = supportedMs(support, quorum, turn.nowMs);
  confirmRound(turn, takeConfirmed(support, server, supported));
}

function confirmRound({ state, effects }: Turn, round: number | undefined): void {
  const heard = round === undefined ? undefined : confirm(state.rounds, round);
  if (heard !== undefined) effects.push(emit("leaderHeard", heard));
}

function answered(
  turn: Turn,
  { from, sender, tag, message: pong }: Extract<RequestOutcome<Pong>, { kind: "answered" }>,
): void {
  const { state, nowMs } = turn;
  const { leader, epoch } = state.leadership;
  // Another process with the leader's number says nothing of the leader.
  if (from !== leader || !sender.isNamed) return;
  if (!pong.leading) {
    missed(turn, `node ${leader} does not lead`);
    return;
  }
  state.heardLeaderMs = nowMs;
  state.absences = 0;
  if (pong.epoch !== epoch || pong.atMs === undefined) return;
  state.echoMs = pong.atMs;
  state.rounds.taken = Math.max(state.rounds.taken, tag);
  confirmRound(turn, pong.confirmed);
}

function absent(turn: Turn, to: ServerId, tag: number): void {
  const { leadership: known, lastTag } = turn.state;
  if (to === known.leader && tag === lastTag) missed(turn, `the process of node ${to} is gone`);
}

function missed(turn: Turn, reason: string): void {
  const { state } = turn;
  state.absences += 1;
  if (state.leadership.role === "establishing" && state.absences < ABSENCES_MAX) return;
  lost(turn, reason);
}

function silent(turn: Turn, tag: number): void {
  const { leadership: known, options, lastTag, heardLeaderMs } = turn.state;
  const { timeoutMs = 2000 } = options;
  if (known.leader === undefined || tag > lastTag) return;
  if (turn.nowMs - heardLeaderMs <= timeoutMs) return;
  lost(turn, `node ${known.leader} was not heard for ${timeoutMs} ms`);
}

function lost(turn: Turn, reason: string): void {
  stop(turn, "ping");
  turn.effects.push(tell("log-sync", { kind: "leaderLost", reason }));
}

/** A leader that hears no quorum may already have a successor: it must not go on answering reads as if it led. */
function checkQuorum(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  const { server, voters, timeoutMs = 2000 } = state.options;
  if (state.leadership.leader !== server) return;
  const alive: ServerId[] = [server];
  for (const [peer, heardMs] of state.heardMs) {
    if (peer !== server && nowMs - heardMs <= timeoutMs) alive.push(peer);
  }
  effects.push(emit("peers", { kind: "peers", alive }));
  start(turn, "quorum");
  if (state.leadership.role === "leading") confirmOwn(turn);
  if (alive.length >= state.quorum) return;
  stop(turn, "quorum");
  const reason = `only ${alive.length} of ${voters.length} nodes were heard`;
  effects.push(tell("log-sync", { kind: "leaderLost", reason }));
}

function start({ state, effects }: Turn, timer: HeartbeatTimer): void {
  const { intervalMs = 100 } = state.options;
  effects.push({ kind: "startTimer", timer, afterMs: intervalMs });
}

function stop({ effects }: Turn, timer: HeartbeatTimer): void {
  effects.push({ kind: "stopTimer", timer });
}
