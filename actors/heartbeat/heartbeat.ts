/**
 * The heartbeat actor finds out who is alive. A follower pings its leader by a NATS request. The answer "no responders" means that
 * the leader's process is gone; it is asked for at every interval, and at once when something else suggests it: a message that found
 * nobody, writes that are late, another node that looks for a leader. Silence means a partition or a pause, which is known when the
 * follower's patience ends (`silence.ts`). A leader that receives no pings of a quorum steps down. A ping carries the sessions that were
 * touched since the ping before.
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
import type { Heard, HeartbeatMessage, HeartbeatTimer, Ping, Pong, Touched } from "./messages.ts";
import {
  confirm,
  endRound,
  forgetTaken,
  hasUnconfirmed,
  newRounds,
  type Rounds,
  touch,
  untaken,
} from "./rounds.ts";
import {
  breakSilence,
  countSilence,
  forgetSilence,
  newSilence,
  noteAnswered,
  noteAsked,
  patienceMs,
  type Silence,
} from "./silence.ts";
import {
  clearSupport,
  hearRound,
  newSupport,
  noteEcho,
  type Support,
  supportedMs,
  takeConfirmed,
} from "./support.ts";

export type HeartbeatOptions = {
  readonly server: ServerId;
  readonly voters: readonly ServerId[];
  /**
   * Milliseconds between two pings of a follower while sessions are touched or a ping is unanswered, and between two checks of a leader
   * while touches of its own gateways are unconfirmed. Default 100.
   */
  readonly intervalMs?: number;
  /** The same in quiet times: the death of a leader's process is noticed after this time at most. Default 250. */
  readonly idleIntervalMs?: number;
  /** Milliseconds of silence after which a follower gives up a leader whose answers were quick. Default 500. */
  readonly patienceMs?: number;
  /** Milliseconds of silence after which any leader is given up, and a leader no longer counts a follower. Default 2000. */
  readonly timeoutMs?: number;
};

export type HeartbeatState = {
  readonly options: HeartbeatOptions;
  readonly quorum: number;
  leadership: Leadership;
  readonly rounds: Rounds;
  readonly support: Support;
  /** The tag of the last ping's request. It is also the number of the ping's round. */
  lastTag: number;
  /** For a follower: the time of the leader's clock in the leader's last pong. The next ping sends it back. */
  echoMs: number | undefined;
  /** For a follower: when it sent its last ping. */
  pingedMs: number;
  /** For a follower: how long its leader has been silent. */
  readonly silence: Silence;
  /** For a leader: when it last received a ping of each peer. */
  readonly heardMs: Map<ServerId, number>;
  /** For a leader: when it looks next at whom it has heard. */
  quorumDueMs: number;
  /** For a leader: the nodes that it last said are alive. */
  alive: readonly ServerId[];
  /** How many pings in a row were answered by no process, or by one that does not lead. */
  absences: number;
};

/**
 * How many failed pings in a row give up a leader whose epoch is not yet established: such a leader may not be subscribed yet, or may
 * not know yet that it leads. An established leader is given up after one.
 */
const ABSENCES_MAX = 2;
/** Milliseconds between two pings, however much suggests that the leader is gone. */
const ASK_AGAIN_MS = 5;
/** A check of the quorum that is late by more than this tells that this process was not given a processor. */
const LATE_MS = 50;

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
 * The first round is drawn at random below this number, so that an answer to an earlier incarnation of this node is not taken for an
 * answer to this one. Rounds are counted up from there and stay far below 2^53, up to which a double is exact.
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
    pingedMs: Number.NEGATIVE_INFINITY,
    silence: newSilence(),
    heardMs: new Map(),
    quorumDueMs: 0,
    alive: [],
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
      absent(turn, message.to, message.tag);
      return;
    case "requestTimedOut":
      turn.state.silence.asked.delete(message.tag);
      return;
    case "heard":
      heard(turn, message);
      return;
    case "unheard":
      if (message.by === turn.state.leadership.leader) askSoon(turn);
      return;
    case "doubted":
      // A leader that is not established yet may be looked for by those who do not know of it.
      if (turn.state.leadership.role === "following") askSoon(turn);
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
    forgetSilence(state.silence, nowMs);
    state.pingedMs = Number.NEGATIVE_INFINITY;
    state.absences = 0;
    state.alive = [];
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
    startCheck(turn);
    const sessions = [...state.rounds.touched.keys()];
    if (now.role === "leading") effects.push(tell("sessions", { kind: "touched", sessions }));
  } else {
    stop(turn, "quorum");
    const { intervalMs = 100 } = state.options;
    startPing(turn, intervalMs);
  }
}

function touched(turn: Turn, message: Touched): void {
  const { state, effects, nowMs } = turn;
  const { leadership: known, options, silence, pingedMs } = state;
  const { server, intervalMs = 100 } = options;
  const wasQuiet = !hasUnconfirmed(state.rounds);
  touch(state.rounds, message);
  if (known.role === "leading") {
    const { sessions } = message;
    effects.push(tell("sessions", { kind: "touched", sessions }));
    if (wasQuiet) startCheck(turn);
  } else if (wasQuiet && known.leader !== undefined && known.leader !== server) {
    const inMs = Math.max(0, pingedMs + intervalMs - nowMs);
    if (inMs < silence.countedMs + silence.armedMs - nowMs) startPing(turn, inMs);
  }
}

/** Pings, unless the leader has been silent for too long. */
function ping(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  const { leader, epoch } = state.leadership;
  const { server, intervalMs = 100, timeoutMs = 2000 } = state.options;
  if (leader === undefined || leader === server) return;
  countSilence(state.silence, nowMs, 0);
  const leftMs = patienceLeftMs(state);
  if (leftMs < 1) {
    const silentMs = Math.round(state.silence.silentMs);
    lost(turn, `node ${leader} was not heard for ${silentMs} ms`, { silentMs });
    return;
  }
  // A ping may be lost with the touches that it carries, so every ping repeats them until a pong has come.
  const sessions = untaken(state.rounds);
  const tag = endRound(state.rounds);
  state.lastTag = tag;
  state.pingedMs = nowMs;
  noteAsked(state.silence, tag, nowMs);
  const { echoMs } = state;
  const message: Ping = { kind: "ping", epoch, touched: sessions, round: tag, echoMs };
  effects.push({ kind: "request", to: leader, actor: "heartbeat", message, tag, timeoutMs });
  startPing(turn, Math.min(intervalMs, leftMs));
}

function patienceLeftMs({ silence, options }: HeartbeatState): number {
  const { patienceMs: leastMs = 500, timeoutMs: mostMs = 2000 } = options;
  return patienceMs(silence, { leastMs: Math.min(leastMs, mostMs), mostMs }) - silence.silentMs;
}

/** Something suggests that the leader's process is gone. Whether it is, is asked for now. */
function askSoon(turn: Turn): void {
  const { state, nowMs } = turn;
  const { leader } = state.leadership;
  if (leader === undefined || leader === state.options.server) return;
  const inMs = state.pingedMs + ASK_AGAIN_MS - nowMs;
  if (inMs <= 0) ping(turn);
  else startPing(turn, inMs);
}

/** A message of the leader other than a pong has come. */
function heard({ state, nowMs }: Turn, { leader, epoch }: Heard): void {
  const { leadership: known, silence } = state;
  if (leader === known.leader && epoch === known.epoch) breakSilence(silence, nowMs);
}

function receivePing(turn: Turn, { from, sender, message, request }: ReceivedMessage<Ping>): void {
  const { state, effects, nowMs } = turn;
  const { leadership: known, options } = state;
  const mine = known.leader === options.server;
  const leading = mine && known.epoch === message.epoch;
  const established = leading && known.role === "leading";
  // A guest is answered, so that it knows that its leader is alive. It does not count as support of the leader.
  const { isVoter } = sender;
  if (leading && isVoter) state.heardMs.set(from, nowMs);
  if (established && isVoter && message.touched.length > 0) {
    effects.push(tell("sessions", { kind: "touched", sessions: message.touched }));
  }
  const confirmed = established && isVoter ? takeRound(turn, from, message) : undefined;
  // A candidate's voters may not know its epoch yet. So `leading` does not depend on the epoch: they wait for a node that leads or
  // stands as a candidate in whichever epoch.
  const pong: Pong = {
    kind: "pong",
    epoch: known.epoch,
    leading: mine,
    atMs: established ? nowMs : undefined,
    confirmed,
  };
  if (request !== undefined) effects.push({ kind: "answer", request, message: pong });
}

/**
 * For a leader: notes a follower's round, and returns the last round of that follower which is confirmed by now. The echo may confirm
 * rounds of the leader's own gateways too, so those are looked at on the way.
 */
function takeRound(turn: Turn, from: ServerId, { round, echoMs }: Ping): number | undefined {
  const { state, nowMs } = turn;
  const { support, quorum, options } = state;
  if (echoMs !== undefined && options.voters.includes(from)) noteEcho(support, from, echoMs);
  hearRound(support, from, round, nowMs);
  confirmOwn(turn);
  return takeConfirmed(support, from, supportedMs(support, quorum, nowMs));
}

/**
 * Confirms the touches of a leader's own gateways. The leader's sessions actor counts from them at once, but they are confirmed only
 * when a quorum has supported the leader since: only then would a successor count from them or from later.
 */
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
  // An answer of another process that runs under the leader's number proves nothing about the leader.
  if (from !== leader || !sender.isNamed) return;
  if (!pong.leading) {
    missed(turn, `node ${leader} does not lead`);
    return;
  }
  breakSilence(state.silence, nowMs);
  noteAnswered(state.silence, tag, nowMs);
  state.absences = 0;
  if (pong.epoch === epoch && pong.atMs !== undefined) {
    state.echoMs = pong.atMs;
    state.rounds.taken = Math.max(state.rounds.taken, tag);
    confirmRound(turn, pong.confirmed);
  }
  if (tag === state.lastTag && !hasUnconfirmed(state.rounds)) {
    const { intervalMs = 100, idleIntervalMs = Math.max(250, intervalMs) } = state.options;
    startPing(turn, Math.max(0, state.pingedMs + idleIntervalMs - nowMs));
  }
}

/** No process heard the ping. It proves nothing if the ping was for another leader, or if a later ping was answered since. */
function absent(turn: Turn, to: ServerId, tag: number): void {
  const { leadership: known, silence } = turn.state;
  if (to !== known.leader || !silence.asked.delete(tag)) return;
  missed(turn, `the process of node ${to} is gone`);
}

/** The leader's process is gone, or it does not lead. */
function missed(turn: Turn, reason: string): void {
  const { state } = turn;
  state.absences += 1;
  if (state.leadership.role === "establishing" && state.absences < ABSENCES_MAX) return;
  lost(turn, reason);
}

function lost(turn: Turn, reason: string, why: { readonly silentMs?: number } = {}): void {
  stop(turn, "ping");
  turn.effects.push(tell("log-sync", { kind: "leaderLost", reason, ...why }));
}

/** A leader that no quorum pings may already have a successor, so it must not go on answering reads as if it led. */
function checkQuorum(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  const { server, voters, timeoutMs = 2000 } = state.options;
  if (state.leadership.leader !== server) return;
  const lateMs = nowMs - state.quorumDueMs;
  // The pings that came while this process was not given a processor are still unread.
  if (lateMs > LATE_MS) {
    for (const [peer, heardMs] of state.heardMs) {
      state.heardMs.set(peer, Math.min(nowMs, heardMs + lateMs));
    }
  }
  const alive: ServerId[] = [server];
  for (const [peer, heardMs] of state.heardMs) {
    if (peer !== server && nowMs - heardMs <= timeoutMs) alive.push(peer);
  }
  if (String(alive) !== String(state.alive)) {
    state.alive = alive;
    effects.push(emit("peers", { kind: "peers", alive }));
  }
  if (state.leadership.role === "leading") confirmOwn(turn);
  startCheck(turn);
  if (alive.length >= state.quorum) return;
  stop(turn, "quorum");
  const reason = `only ${alive.length} of ${voters.length} nodes were heard`;
  effects.push(tell("log-sync", { kind: "leaderLost", reason }));
}

/** Starts the timer of a follower's next ping. */
function startPing({ state, effects, nowMs }: Turn, afterMs: number): void {
  countSilence(state.silence, nowMs, afterMs);
  effects.push({ kind: "startTimer", timer: "ping", afterMs });
}

/** Starts the timer of a leader's next look at whom it has heard. */
function startCheck({ state, effects, nowMs }: Turn): void {
  const { intervalMs = 100, idleIntervalMs = Math.max(250, intervalMs) } = state.options;
  const afterMs = hasUnconfirmed(state.rounds) ? intervalMs : idleIntervalMs;
  state.quorumDueMs = nowMs + afterMs;
  effects.push({ kind: "startTimer", timer: "quorum", afterMs });
}

function stop({ effects }: Turn, timer: HeartbeatTimer): void {
  effects.push({ kind: "stopTimer", timer });
}
