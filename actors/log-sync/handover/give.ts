/** The leader's part of a handover: whom it chooses, when it stops to make records, and when it goes on because nobody took over. */
import type { ServerId } from "../../../protocol/ids.ts";
import { log, sendTo } from "../effects.ts";
import type { Follower } from "../progress.ts";
import type { Peer } from "../role-messages.ts";
import type { Leading } from "../roles.ts";
import type { LogSyncState, LogSyncTurn } from "../state.ts";
import { propose, submit } from "../submit.ts";
import { endHandover, failed, type Handover, missSuccessor, sayOutcome } from "./handover.ts";
import type { HandOver, TakeOverDeclined } from "./messages.ts";

/** Milliseconds for which a follower may catch up while the leader goes on. */
const CATCH_UP_MS = 5000;
/** Milliseconds after which a leader that makes no records goes on if nobody has taken over. It is Raft's election timeout. */
const HOLD_MS = 1000;
/** A takeover that may have been lost is asked for again after so many milliseconds. */
const ASK_AGAIN_MS = 100;
/** A follower that was not heard for so many milliseconds is not chosen. Leaders announce themselves at least twice a second. */
const HEARD_WITHIN_MS = 2000;

/** Begins a handover, or says why not. */
export function handOver(turn: LogSyncTurn, { request, to: wanted }: HandOver): void {
  const { state, effects, nowMs } = turn;
  const { role, options } = state;
  const refuse = (reason: string, leader?: ServerId): void =>
    sayOutcome(turn, request, failed(reason, leader));
  if (role.kind !== "leading") {
    if (role.kind !== "following") return refuse("no leader is known here");
    return refuse(`this node does not lead, node ${role.leader} does`, role.leader);
  }
  const own = options.server;
  if (state.handover !== undefined) return refuse("another handover is under way", own);
  if (!role.active) return refuse("this node's epoch is not established yet", own);
  if (wanted === own) {
    return sayOutcome(turn, request, { kind: "done", from: own, to: own, tookMs: 0, pausedMs: 0 });
  }
  const choice = chosen(turn, role, { wanted, declined: new Set() });
  if (typeof choice === "string") return refuse(choice, own);
  state.handover = {
    request,
    wanted,
    sinceMs: nowMs,
    to: choice,
    declined: new Set(),
    untilMs: nowMs + CATCH_UP_MS,
    heldSinceMs: undefined,
    held: [],
    heldBytes: 0,
    step: { kind: "catchingUp", through: state.log.index.tail },
  };
  log(turn, "handingOver", { to: choice, epoch: role.epoch });
  effects.push({ kind: "startTimer", timer: "handover", afterMs: ASK_AGAIN_MS });
  goOn(turn, role);
}

/** The follower that is to take over: of those that can, the one with the longest log. A text: why there is none. */
function chosen(
  turn: LogSyncTurn,
  role: Leading,
  { wanted, declined }: Pick<Handover, "wanted" | "declined">,
): ServerId | string {
  const { options } = turn.state;
  if (wanted !== undefined) {
    const follower = role.followers.get(wanted);
    if (follower === undefined) return `node ${wanted} is no member of this ensemble`;
    return reasonAgainst(turn, role, wanted, follower) ?? wanted;
  }
  if (options.voters.length === 1) return "this node is alone";
  const reasons: string[] = [];
  let best: { readonly id: ServerId; readonly accepted: number } | undefined;
  for (const [id, follower] of role.followers) {
    if (declined.has(id)) continue;
    const reason =
      reasonAgainst(turn, role, id, follower) ??
      (isKnown(follower) ? undefined : `node ${id} has not said what it has`);
    if (reason !== undefined) reasons.push(reason);
    else if (best === undefined || follower.accepted >= best.accepted) {
      best = { id, accepted: follower.accepted };
    }
  }
  return best?.id ?? `nobody can take over: ${reasons.join("; ")}`;
}

/** Why the follower cannot take over. Undefined also for one that this leader does not know yet: it may turn out to be able to. */
function reasonAgainst(
  { state, nowMs }: LogSyncTurn,
  role: Leading,
  id: ServerId,
  follower: Follower,
): string | undefined {
  const { identity, incarnation, diskSpace } = follower;
  const quietMs = nowMs - (role.heardMs.get(id) ?? role.sinceMs);
  if (quietMs > HEARD_WITHIN_MS) return `node ${id} was not heard for ${Math.round(quietMs)} ms`;
  if (!isKnown(follower)) return undefined;
  const counts = identity !== undefined && state.membership.counted.get(id) === identity;
  if (!counts || incarnation.hasForgotten) return `node ${id} has no vote`;
  return diskSpace === "full" || diskSpace === "low"
    ? `node ${id} has no disk space left`
    : undefined;
}

/** Whether the follower has said what it has. A leader begins its epoch when a majority has; the others do so next. */
function isKnown({ identity, guest, incarnation }: Follower): boolean {
  return identity !== undefined || guest !== undefined || incarnation.hasForgotten;
}

/** Must be called when a follower has accepted more, and when more is committed. */
export function goOn(turn: LogSyncTurn, role: Leading): void {
  const { state, nowMs } = turn;
  const { handover } = state;
  const follower = handover && role.followers.get(handover.to);
  if (handover === undefined || follower === undefined) return;
  const { step } = handover;
  if (step.kind === "catchingUp") {
    const reason = reasonAgainst(turn, role, handover.to, follower);
    if (reason !== undefined) return passOver(turn, role, handover, reason);
    if (follower.replication.kind !== "streaming" || follower.accepted < step.through) return;
    handover.step = { kind: "holding" };
    handover.heldSinceMs = nowMs;
    handover.untilMs = nowMs + HOLD_MS;
  }
  if (handover.step.kind === "holding" && hasAll(state, role, follower)) ask(turn, role, handover);
}

/**
 * Whether the follower's log ends where the leader's does, and all of it is committed: then the clients of this node have their answers before
 * its successor begins.
 */
function hasAll({ log: view, delivery }: LogSyncState, role: Leading, follower: Follower): boolean {
  const { tail } = view.index;
  return role.outbox.length === 0 && delivery.committed === tail && follower.accepted === tail;
}

function ask(turn: LogSyncTurn, { epoch, followers }: Leading, handover: Handover): void {
  const zxid = turn.state.log.index.tail;
  const folder = followers.get(handover.to)?.identity;
  if (folder === undefined) return;
  handover.step = { kind: "asked", zxid };
  sendTo(turn, handover.to, { kind: "takeOver", epoch, folder, zxid });
}

/** The timer `handover`: what was lost is said again, and what takes too long is given up. */
export function handoverIsDue(turn: LogSyncTurn): void {
  const { state, effects, nowMs } = turn;
  const { handover, role } = state;
  if (handover === undefined) return;
  const { step, to, untilMs } = handover;
  if (step.kind === "left" || role.kind !== "leading") {
    missSuccessor(turn);
    return;
  }
  if (nowMs >= untilMs) {
    const what = step.kind === "asked" ? "did not take over" : "does not have what this leader has";
    abandon(turn, role, `node ${to} ${what} in time`);
    return;
  }
  effects.push({ kind: "startTimer", timer: "handover", afterMs: ASK_AGAIN_MS });
  if (step.kind === "asked") ask(turn, role, handover);
  else goOn(turn, role);
}

/** The follower does not stand. */
export function receiveDeclined(
  turn: LogSyncTurn,
  role: Leading,
  { id }: Peer,
  { epoch, zxid, reason }: TakeOverDeclined,
): void {
  const { handover } = turn.state;
  if (handover?.step.kind !== "asked" || id !== handover.to) return;
  if (epoch !== role.epoch || zxid !== handover.step.zxid) return;
  handover.step = { kind: "holding" };
  passOver(turn, role, handover, `node ${id} does not take over: it is ${reason}`);
}

/** The follower cannot take over for this reason. Another one may, unless this one was wanted. */
function passOver(turn: LogSyncTurn, role: Leading, handover: Handover, reason: string): void {
  handover.declined.add(handover.to);
  const next = handover.wanted === undefined ? chosen(turn, role, handover) : reason;
  if (typeof next === "string") {
    abandon(turn, role, reason);
    return;
  }
  handover.to = next;
  goOn(turn, role);
}

/** The leader goes on, with what has waited first. */
function abandon(turn: LogSyncTurn, role: Leading, reason: string): void {
  const { state } = turn;
  const held = state.handover?.held ?? [];
  endHandover(turn, failed(reason, state.options.server));
  for (const message of held) {
    // Taking one may end the role: the zxids of an epoch are limited.
    if (state.role !== role) return;
    if (message.kind === "submit") submit(turn, role, message);
    else propose(turn, role, message);
  }
}
