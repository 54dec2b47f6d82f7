/**
 * The heartbeat actor: who is alive. A follower pings its leader by request: no responders means that its process is gone,
 * known at once; silence means a partition or a pause, known after the timeout. A leader that hears no quorum steps down.
 * Pings carry the sessions touched since the last.
 */
import type { Actor, Context, Step } from "../../runtime/actor.ts";
import type { Effect, ReceivedMessage, RequestOutcome } from "../../runtime/effects.ts";
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import { tell } from "../inboxes.ts";
import type { Leadership } from "../log-sync/messages.ts";
import type { HeartbeatMessage, Ping, Pong } from "./messages.ts";

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
  /** Touched and not yet told to the leader. */
  touched: Set<SessionId>;
  /** Told with the ping of this tag, in case that is lost. */
  told: ReadonlySet<SessionId>;
  nextTag: number;
  /** A follower's: when its leader was last heard. */
  heardLeaderMs: number;
  /** A leader's: when each peer was last heard. */
  readonly heardMs: Map<ServerId, number>;
  /** Pings in a row that found nobody. */
  absences: number;
};

/** A starting leader may not listen yet: more than one ping must find nobody before its epoch is established. */
const ABSENCES_MAX = 2;

export function heartbeatActor(options: HeartbeatOptions): Actor<HeartbeatState, HeartbeatMessage> {
  return {
    name: "heartbeat",
    supervision: "restart",
    mailbox: { capacity: 10_000, whenFull: "drop" },
    start: () => ({ state: initialState(options), effects: [] }),
    receive,
  };
}

function initialState(options: HeartbeatOptions): HeartbeatState {
  return {
    options,
    quorum: Math.floor(options.voters.length / 2) + 1,
    leadership: { kind: "leadership", role: "looking", epoch: 0 as never, leader: undefined },
    touched: new Set(),
    told: new Set(),
    nextTag: 1,
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
      return touched(state, message.sessions);
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
  }
  if (now.leader === undefined) {
    return { state, effects: [stop("ping"), stop("quorum")] };
  }
  if (now.leader === server) {
    return { state, effects: [stop("ping"), start("quorum", intervalMs)] };
  }
  return { state, effects: [stop("quorum"), start("ping", intervalMs)] };
}

function touched(state: HeartbeatState, sessions: readonly SessionId[]): Step<HeartbeatState> {
  if (state.leadership.role === "leading") {
    return { state, effects: [tell("sessions", { kind: "touched", sessions })] };
  }
  for (const session of sessions) state.touched.add(session);
  return none(state);
}

function ping(state: HeartbeatState, context: Context): Step<HeartbeatState> {
  const { leader, epoch } = state.leadership;
  const { intervalMs = 100, timeoutMs = 2000 } = state.options;
  if (leader === undefined || leader === state.options.server) return none(state);
  if (context.nowMs - state.heardLeaderMs > timeoutMs) {
    return lost(state, `node ${leader} was not heard for ${timeoutMs} ms`);
  }
  // What the last ping told may be lost with it, so it is told again until a pong comes.
  state.told = new Set([...state.told, ...state.touched]);
  state.touched = new Set();
  const message: Ping = { kind: "ping", epoch, touched: [...state.told] };
  const tag = state.nextTag;
  state.nextTag += 1;
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
  { from, message, request }: ReceivedMessage<Ping>,
  context: Context,
): Step<HeartbeatState> {
  const { leadership, options } = state;
  const mine = leadership.leader === options.server;
  const leading = mine && leadership.epoch === message.epoch;
  const effects: Effect[] = [];
  if (leading) state.heardMs.set(from as ServerId, context.nowMs);
  if (leading && leadership.role === "leading" && message.touched.length > 0) {
    effects.push(tell("sessions", { kind: "touched", sessions: message.touched }));
  }
  // A candidate's epoch may not be known to its voters yet: that it stands is enough for them to wait.
  const pong: Pong = { kind: "pong", epoch: leadership.epoch, leading: mine };
  if (request !== undefined) effects.push({ kind: "answer", request, message: pong });
  return { state, effects };
}

function answered(
  state: HeartbeatState,
  { from, tag, message: pong }: Extract<RequestOutcome<Pong>, { kind: "answered" }>,
  context: Context,
): Step<HeartbeatState> {
  const { leader, epoch } = state.leadership;
  if (from !== leader) return none(state);
  if (!pong.leading) return lost(state, `node ${leader} does not lead`);
  state.heardLeaderMs = context.nowMs;
  state.absences = 0;
  if (pong.epoch === epoch && tag === state.nextTag - 1) state.told = new Set();
  return none(state);
}

function absent(state: HeartbeatState, to: ServerId, tag: number): Step<HeartbeatState> {
  if (to !== state.leadership.leader || tag !== state.nextTag - 1) return none(state);
  state.absences += 1;
  if (state.leadership.role === "establishing" && state.absences < ABSENCES_MAX) return none(state);
  return lost(state, `the process of node ${to} is gone`);
}

function silent(state: HeartbeatState, tag: number, context: Context): Step<HeartbeatState> {
  const { leader } = state.leadership;
  const { timeoutMs = 2000 } = state.options;
  if (leader === undefined || tag > state.nextTag) return none(state);
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
