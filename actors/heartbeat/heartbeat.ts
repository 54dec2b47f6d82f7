/**
 * The heartbeat actor finds out who is alive. A follower pings its leader by a NATS request. The answer "no responders" means that
 * the leader's process is gone, which is known at once; silence means a partition or a pause, which is known after the timeout. A
 * leader that receives no pings of a quorum steps down. A ping carries the sessions that were touched since the ping before.
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
   * Milliseconds between two pings of a follower, and between two checks of a leader whether it still hears a quorum. The death of a
   * leader's process is noticed after this time at most. Default 100.
   */
  readonly intervalMs?: number;
  /** Milliseconds of silence after which a follower gives up its leader, and a leader no longer counts a follower. Default 2000. */
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
  /** For a follower: when it last received a pong of its leader. */
  heardLeaderMs: number;
  /** For a leader: when it last received a ping of each peer. */
  readonly heardMs: Map<ServerId, number>;
  /** How many pings in a row were answered by no process, or by one that does not lead. */
  absences: number;
};

/**
 * How many failed pings in a row give up a leader whose epoch is not yet established: such a leader may not be subscribed yet, or may
 * not know yet that it leads. An established leader is given up after one.
 */
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
  // A ping may be lost with the touches that it carries, so every ping repeats them until a pong has come.
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
  // A guest is answered, so that it knows that its leader is alive. It does not count as support of the leader.
  const { isVoter } = sender;
  if (leading && isVoter) state.heardMs.set(from as ServerId, nowMs);
  if (established && isVoter && message.touched.length > 0) {
    effects.push(tell("sessions", { kind: "touched", sessions: message.touched }));
  }
  const confirmed = established && isVoter ? takeRound(turn, from as ServerId, message) : undefined;
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

/** The leader's process is gone, or it does not lead. */
function missed(turn: Turn, reason: string): void {
  const { state } = turn;
  state.absences += 1;
  if (state.leadership.role === "establishing" && state.absences < ABSENCES_MAX) return;
  lost(turn, reason);
}

/** A ping was not answered in time. An answer to an earlier or a later ping may have come nevertheless. */
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

/** A leader that no quorum pings may already have a successor, so it must not go on answering reads as if it led. */
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
