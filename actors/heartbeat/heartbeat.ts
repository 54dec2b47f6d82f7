/**
 * The heartbeat actor: who is alive. A follower pings its leader by request: no responders means that its process is gone,
 * known at once; silence means a partition or a pause, known after the timeout. A leader that hears no quorum steps down.
 * Pings carry the sessions touched since the last.
 */
import type { Actor, Context, Step } from "../../runtime/actor.ts";
import type { Effect, ReceivedMessage, RequestOutcome } from "../../runtime/effects.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { tell } from "../inboxes.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { HeartbeatMessage, Ping, Pong, Touched } from "./messages.ts";
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

export function heartbeatActor(options: HeartbeatOptions): Actor<HeartbeatState, HeartbeatMessage> {
  return {
    name: "heartbeat",
    supervision: "restart",
    mailbox: { capacity: 10_000, whenFull: "drop" },
    start: (context) => ({ state: initialState(options, context), effects: [] }),
    receive,
  };
}

/** Lives of a node must not take each other's rounds for their own; sums stay exact. */
const FIRST_ROUND_MAX = 2 ** 48;

function initialState(options: HeartbeatOptions, context: Context): HeartbeatState {
  const first = Math.floor(context.random() * FIRST_ROUND_MAX);
  return {
    options,
    quorum: Math.floor(options.voters.length / 2) + 1,
    leadership: {
      kind: "leadership",
      role: "looking",
      epoch: 0 as never,
      leader: undefined,
      admission: "all",
    },
    rounds: newRounds(first),
    support: newSupport(),
    lastTag: first - 1,
    echoMs: undefined,
    heardLeaderMs: 0,
    heardMs: new Map(),
    absences: 0,
  };
}

function receive(
  state: HeartbeatState,
  message: HeartbeatMessage,
  context: Context,
): Step<HeartbeatState> {
  switch (message.kind) {
    case "leadership":
      return leadership(state, message, context);
    case "touched":
      return touched(state, message);
    case "received":
      return receivePing(state, message, context);
    case "answered":
      return answered(state, message, context);
    case "noResponders":
      return absent(state, message.to as ServerId, message.tag);
    case "requestTimedOut":
      return silent(state, message.tag, context);
    default:
      return message.timer === "ping" ? ping(state, context) : checkQuorum(state, context);
  }
}

function none(state: HeartbeatState): Step<HeartbeatState> {
  return { state, effects: [] };
}

function leadership(
  state: HeartbeatState,
  now: Leadership,
  context: Context,
): Step<HeartbeatState> {
  const was = state.leadership;
  state.leadership = now;
  if (was.leader === now.leader && was.epoch === now.epoch && was.role === now.role) {
    return none(state);
  }
  const { server, intervalMs = 100 } = state.options;
  if (was.leader !== now.leader || was.epoch !== now.epoch) {
    state.heardLeaderMs = context.nowMs;
    state.absences = 0;
    state.heardMs.clear();
    for (const voter of state.options.voters) state.heardMs.set(voter, context.nowMs);
    forgetTaken(state.rounds);
    clearSupport(state.support);
    state.echoMs = undefined;
  }
  if (now.leader === undefined) {
    return { state, effects: [stop("ping"), stop("quorum")] };
  }
  if (now.leader === server) {
    const effects = [stop("ping"), start("quorum", intervalMs)];
    const sessions = [...state.rounds.touched.keys()];
    if (now.role === "leading") effects.push(tell("sessions", { kind: "touched", sessions }));
    return { state, effects };
  }
  return { state, effects: [stop("quorum"), start("ping", intervalMs)] };
}

function touched(state: HeartbeatState, message: Touched): Step<HeartbeatState> {
  touch(state.rounds, message);
  if (state.leadership.role !== "leading") return none(state);
  const { sessions } = message;
  return { state, effects: [tell("sessions", { kind: "touched", sessions })] };
}

function ping(state: HeartbeatState, context: Context): Step<HeartbeatState> {
  const { leader, epoch } = state.leadership;
  const { intervalMs = 100, timeoutMs = 2000 } = state.options;
  if (leader === undefined || leader === state.options.server) return none(state);
  if (context.nowMs - state.heardLeaderMs > timeoutMs) {
    return lost(state, `node ${leader} was not heard for ${timeoutMs} ms`);
  }
  // What the last ping told may be lost with it, so it is told again until a pong comes.
  const sessions = untaken(state.rounds);
  const tag = endRound(state.rounds);
  state.lastTag = tag;
  const { echoMs } = state;
  const message: Ping = { kind: "ping", epoch, touched: sessions, round: tag, echoMs };
  return {
    state,
    effects: [
      { kind: "request", to: leader, actor: "heartbeat", message, tag, timeoutMs },
      start("ping", intervalMs),
    ],
  };
}

function receivePing(
  state: HeartbeatState,
  { from, sender, message, request }: ReceivedMessage<Ping>,
  context: Context,
): Step<HeartbeatState> {
  const { leadership, options } = state;
  const mine = leadership.leader === options.server;
  const leading = mine && leadership.epoch === message.epoch;
  const established = leading && leadership.role === "leading";
  const effects: Effect[] = [];
  // A guest is answered, so that it knows its leader alive; it supports nobody.
  const { isVoter } = sender;
  if (leading && isVoter) state.heardMs.set(from as ServerId, context.nowMs);
  if (established && isVoter && message.touched.length > 0) {
    effects.push(tell("sessions", { kind: "touched", sessions: message.touched }));
  }
  const confirmed =
    established && isVoter
      ? takeRound(state, from as ServerId, message, context, effects)
      : undefined;
  // A candidate's epoch may not be known to its voters yet: that it stands is enough for them to wait.
  const pong: Pong = {
    kind: "pong",
    epoch: leadership.epoch,
    leading: mine,
    atMs: established ? context.nowMs : undefined,
    confirmed,
  };
  if (request !== undefined) effects.push({ kind: "answer", request, message: pong });
  return { state, effects };
}

/** A leader's: which of the follower's rounds count by now. Its own are looked at on the way. */
function takeRound(
  state: HeartbeatState,
  from: ServerId,
  { round, echoMs }: Ping,
  context: Context,
  effects: Effect[],
): number | undefined {
  const { support, quorum, options } = state;
  if (echoMs !== undefined && options.voters.includes(from)) held(support, from, echoMs);
  hearRound(support, from, round, context.nowMs);
  effects.push(...confirmOwn(state, context));
  return takeConfirmed(support, from, supportedMs(support, quorum, context.nowMs));
}

/** A leader's own sessions are touched as soon as they are told; they count when a quorum has held to it since. */
function confirmOwn(
  { rounds, support, quorum, options }: HeartbeatState,
  context: Context,
): Effect[] {
  const { server } = options;
  hearRound(support, server, endRound(rounds), context.nowMs);
  const supported = supportedMs(support, quorum, context.nowMs);
  const confirmed = takeConfirmed(support, server, supported);
  return confirmed === undefined ? [] : confirm(rounds, confirmed);
}

function answered(
  state: HeartbeatState,
  { from, sender, tag, message: pong }: Extract<RequestOutcome<Pong>, { kind: "answered" }>,
  context: Context,
): Step<HeartbeatState> {
  const { leader, epoch } = state.leadership;
  // Another process with the leader's number says nothing of the leader.
  if (from !== leader || !sender.isNamed) return none(state);
  if (!pong.leading) return missed(state, `node ${leader} does not lead`);
  state.heardLeaderMs = context.nowMs;
  state.absences = 0;
  if (pong.epoch !== epoch || pong.atMs === undefined) return none(state);
  state.echoMs = pong.atMs;
  state.rounds.taken = Math.max(state.rounds.taken, tag);
  const effects = pong.confirmed === undefined ? [] : confirm(state.rounds, pong.confirmed);
  return { state, effects };
}

function absent(state: HeartbeatState, to: ServerId, tag: number): Step<HeartbeatState> {
  if (to !== state.leadership.leader || tag !== state.lastTag) return none(state);
  return missed(state, `the process of node ${to} is gone`);
}

function missed(state: HeartbeatState, reason: string): Step<HeartbeatState> {
  state.absences += 1;
  if (state.leadership.role === "establishing" && state.absences < ABSENCES_MAX) return none(state);
  return lost(state, reason);
}

function silent(state: HeartbeatState, tag: number, context: Context): Step<HeartbeatState> {
  const { leader } = state.leadership;
  const { timeoutMs = 2000 } = state.options;
  if (leader === undefined || tag > state.lastTag) return none(state);
  if (context.nowMs - state.heardLeaderMs <= timeoutMs) return none(state);
  return lost(state, `node ${leader} was not heard for ${timeoutMs} ms`);
}

function lost(state: HeartbeatState, reason: string): Step<HeartbeatState> {
  return { state, effects: [stop("ping"), tell("log-sync", { kind: "leaderLost", reason })] };
}

/** A leader that hears no quorum may already have a successor: it must not go on answering reads as if it led. */
function checkQuorum(state: HeartbeatState, context: Context): Step<HeartbeatState> {
  const { server, intervalMs = 100, timeoutMs = 2000 } = state.options;
  if (state.leadership.leader !== server) return none(state);
  const alive: ServerId[] = [server];
  for (const [peer, heardMs] of state.heardMs) {
    if (peer !== server && context.nowMs - heardMs <= timeoutMs) alive.push(peer);
  }
  const effects: Effect[] = [
    { kind: "emit", topic: "peers$", value: { kind: "peers", alive } },
    start("quorum", intervalMs),
  ];
  if (state.leadership.role === "leading") effects.push(...confirmOwn(state, context));
  if (alive.length < state.quorum) {
    const reason = `only ${alive.length} of ${state.options.voters.length} nodes were heard`;
    effects.push(stop("quorum"), tell("log-sync", { kind: "leaderLost", reason }));
  }
  return { state, effects };
}

function start(timer: "ping" | "quorum", afterMs: number): Effect {
  return { kind: "startTimer", timer, afterMs };
}

function stop(timer: "ping" | "quorum"): Effect {
  return { kind: "stopTimer", timer };
}
