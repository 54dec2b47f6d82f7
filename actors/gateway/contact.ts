/**
 * This file says how long clients may be answered. A client counts its session as safe for two thirds of its timeout after the last
 * answer; the leader ends the session a full timeout after it last heard of it. So that the two never disagree about answers as
 * they are written, an answer leaves only within a third of the timeout after a moment from which the leader, and any that comes
 * after it, is known to count. (A client that counts from when it heard the answer is late by as long as that was on its way.) In
 * quiet times that is always so, since a client is heard of every third of its timeout; behind a partition answers wait.
 */
import type { SessionId } from "../../protocol/ids.ts";
import { type Epoch, epochOf, type Zxid } from "../../protocol/zxid.ts";
import type { TellEffect } from "../../runtime/effects.ts";
import { tell } from "../inboxes.ts";
import type { GatewayName } from "./messages.ts";

type Report = { readonly atMs: number; readonly sessions: readonly SessionId[] };

export type Contact = {
  /** Sessions that were heard of since the last `touched` to the heartbeat actor. */
  readonly touched: Set<SessionId>;
  nextTurn: number;
  /** Reports of touched sessions that are not known to have reached the leader, by turn, oldest first. */
  readonly unconfirmed: Map<number, Report>;
  /** A connection waits to know that the leader still has a quorum: the next turn is reported even if no session was touched. */
  probing: boolean;
};

export function newContact(): Contact {
  return { touched: new Set(), nextTurn: 1, unconfirmed: new Map(), probing: false };
}

const TOUCHES_MS = 250;

/**
 * Milliseconds within which the heartbeat actor hears of a session that was touched. With a third of the shortest timeout until its client
 * is heard of again, and two pings until the touch is confirmed, that is less than the two thirds after which a client is gone.
 */
export function touchesMs(minSessionTimeoutMs: number): number {
  return Math.max(1, Math.floor(Math.min(TOUCHES_MS, minSessionTimeoutMs / 8)));
}

/** An answer to a session that the leader counts from `heardMs` or later may leave until this time. */
export function answerUntilMs(heardMs: number, timeoutMs: number): number {
  return heardMs + Math.ceil(timeoutMs / 3) - 1;
}

/** A connection whose answers are withheld is ended at this time, when its client has still time to find another node. */
export function withheldUntilMs(heardMs: number, timeoutMs: number): number {
  return heardMs + Math.floor((timeoutMs * 5) / 6);
}

/**
 * Returns for how long a connection is kept while no leader is known: less than a third of its session's timeout, so that a client never
 * counts on a session that the leader ends. `lateMs`: how much later the gateway may notice that the time is over.
 */
export function graceMs(failoverGraceMs: number, timeoutMs: number, lateMs: number): number {
  return Math.min(failoverGraceMs, answerUntilMs(0, timeoutMs) - lateMs);
}

export function tellTouched(contact: Contact, gateway: GatewayName, nowMs: number): TellEffect[] {
  if (contact.touched.size === 0 && !contact.probing) return [];
  const sessions = [...contact.touched];
  const turn = contact.nextTurn;
  contact.touched.clear();
  contact.probing = false;
  contact.nextTurn += 1;
  contact.unconfirmed.set(turn, { atMs: nowMs, sessions });
  return [tell("heartbeat", { kind: "touched", sessions, receipt: { gateway, turn } })];
}

/** The last report may not have been sent: what it said is said again with the next. */
export function tellAgain(contact: Contact): void {
  const last = [...contact.unconfirmed].at(-1);
  if (last === undefined) return;
  const [turn, { sessions }] = last;
  contact.unconfirmed.delete(turn);
  for (const session of sessions) contact.touched.add(session);
  contact.probing = true;
}

/**
 * Calls `heard` for each session that the leader has heard of, with the earliest time from which the leader may count it. Returns
 * the latest such time: until then at least nobody had succeeded the leader.
 */
export function takeHeard(
  contact: Contact,
  turns: readonly number[] | undefined,
  heard: (session: SessionId, atMs: number) => void,
): number {
  const last = turns?.at(-1);
  if (turns === undefined || last === undefined) return Number.NEGATIVE_INFINITY;
  const untilMs = contact.unconfirmed.get(last)?.atMs ?? Number.NEGATIVE_INFINITY;
  for (const turn of turns) {
    const report = contact.unconfirmed.get(turn);
    for (const session of report?.sessions ?? []) heard(session, report?.atMs ?? 0);
  }
  // Turns reach the leader in order: an earlier one that is not among these was lost.
  for (const turn of contact.unconfirmed.keys()) {
    if (turn > last) break;
    contact.unconfirmed.delete(turn);
  }
  return untilMs;
}

/**
 * A session's id is the zxid that created it. There can be no session of an epoch above the leader's: whoever led that epoch would
 * have had to succeed this leader, which had a quorum after the session was asked for. Until that is known, there can be one.
 */
export function isOfNoEpoch(session: number, epoch: Epoch): boolean {
  return epochOf(session as Zxid) > epoch;
}
