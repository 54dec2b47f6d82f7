/**
 * A handover: a leader gives its office to a follower on purpose. It lets that follower catch up while it goes on, then takes no more
 * writes (they wait here, and are not refused), and once the follower has all, tells it to stand (`TakeOver`). The follower is elected as any
 * candidate is, so a handover can cost time and never safety: if it does not come about within a short time, the leader goes on and takes
 * what has waited. Raft dissertation, section 3.10. Here is what outlives the role of the leader; `give.ts` is the leader's part,
 * `take.ts` the follower's.
 */
import type { ServerId } from "../../../protocol/ids.ts";
import { HELD_BATCHES_MAX } from "../../../protocol/limits.ts";
import type { Leadership } from "../../../protocol/replication.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { emit } from "../../topics.ts";
import { log } from "../effects.ts";
import type { SubmitMessage } from "../messages.ts";
import type { LogSyncTurn } from "../state.ts";
import type { HandoverOutcome } from "./messages.ts";

/** Milliseconds for which a leader that has handed over waits to learn who leads now, before it says that it does not know. */
const SUCCESSOR_WITHIN_MS = 10_000;

/** What came while no records were made, in order. */
export type Held =
  | SubmitMessage
  | { readonly kind: "propose"; readonly payload: Uint8Array; readonly count: number };

export type Handover = {
  readonly request: number;
  /** Undefined: any follower may take over. */
  readonly wanted: ServerId | undefined;
  readonly sinceMs: number;
  /** Who is to take over now. Those that have declined are not asked again. */
  to: ServerId;
  readonly declined: Set<ServerId>;
  /** When the present step is given up. */
  untilMs: number;
  /** Since when no records are made. Undefined: they still are. */
  heldSinceMs: number | undefined;
  held: Held[];
  heldBytes: number;
  step:
    | { readonly kind: "catchingUp"; readonly through: Zxid }
    /** No records are made, until the follower has all that there are. */
    | { readonly kind: "holding" }
    /** The follower was told to take over at this end of the log. */
    | { readonly kind: "asked"; readonly zxid: Zxid }
    /** This node does not lead any more, and does not know its successor yet. */
    | { readonly kind: "left" };
};

/** Whether this node leads and makes no records, so that another can take over. */
export function isHolding({ state }: LogSyncTurn): boolean {
  const kind = state.handover?.step.kind;
  return kind === "holding" || kind === "asked";
}

/** Keeps a batch or a proposal until the handover is over. A submitter repeats what does not fit. */
export function hold({ state }: LogSyncTurn, message: Held): void {
  const { handover, sizes } = state;
  if (handover === undefined || handover.held.length >= HELD_BATCHES_MAX) return;
  if (handover.heldBytes + message.payload.length > sizes.uncommitted) return;
  handover.heldBytes += message.payload.length;
  handover.held.push(message);
}

/** This node no longer leads. Submitters send what has waited to the successor, and what the leader itself proposes is the successor's to propose. */
export function leaveHandover({ state, effects, nowMs }: LogSyncTurn): void {
  const { handover } = state;
  if (handover === undefined) return;
  handover.step = { kind: "left" };
  handover.held = [];
  handover.heldBytes = 0;
  handover.untilMs = nowMs + SUCCESSOR_WITHIN_MS;
  effects.push({ kind: "startTimer", timer: "handover", afterMs: SUCCESSOR_WITHIN_MS });
}

/** What this node knows of who leads has changed: it may know its successor. */
export function noteSuccessor(turn: LogSyncTurn, { role, leader }: Leadership): void {
  const { handover } = turn.state;
  if (handover?.step.kind !== "left" || leader === undefined) return;
  if (role !== "following" && role !== "leading") return;
  const { to, sinceMs, heldSinceMs = sinceMs } = handover;
  if (leader !== to) {
    endHandover(turn, failed(`node ${leader} was elected instead of node ${to}`, leader));
    return;
  }
  const [tookMs, pausedMs] = [turn.nowMs - sinceMs, turn.nowMs - heldSinceMs];
  const from = turn.state.options.server;
  endHandover(turn, { kind: "done", from, to, tookMs, pausedMs });
}

/** Nobody has become the leader for long. */
export function missSuccessor(turn: LogSyncTurn): void {
  const seconds = SUCCESSOR_WITHIN_MS / 1000;
  const reason = `this node no longer leads, and knows of no leader after ${seconds} s`;
  endHandover(turn, failed(reason, undefined));
}

export function failed(reason: string, leader: ServerId | undefined): HandoverOutcome {
  return { kind: "failed", reason, leader };
}

export function endHandover(turn: LogSyncTurn, outcome: HandoverOutcome): void {
  const { state, effects } = turn;
  const { handover } = state;
  if (handover === undefined) return;
  state.handover = undefined;
  effects.push({ kind: "stopTimer", timer: "handover" });
  if (outcome.kind === "done") {
    const { to, tookMs, pausedMs } = outcome;
    log(turn, "handedOver", { to, tookMs: Math.round(tookMs), pausedMs: Math.round(pausedMs) });
  } else {
    log(turn, "handoverFailed", { to: handover.to, reason: outcome.reason });
  }
  sayOutcome(turn, handover.request, outcome);
}

export function sayOutcome(
  { effects }: LogSyncTurn,
  request: number,
  outcome: HandoverOutcome,
): void {
  effects.push(emit("handover", { kind: "handoverEnded", request, outcome }));
}
