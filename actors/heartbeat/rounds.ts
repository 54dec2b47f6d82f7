/**
 * Rounds of touches: the touches that gateways have reported are kept until it is certain that every leader to come counts from them
 * or from later. Each ping ends a round. A round is confirmed together with all rounds before it.
 */
import type { SessionId } from "../../protocol/ids.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { LeaderHeard, Touched } from "./messages.ts";

export type Rounds = {
  /** The first round of this incarnation, drawn at random: those of an earlier incarnation are smaller, or larger than `current`. */
  readonly first: number;
  /** The round to which a touch belongs that is reported now. */
  current: number;
  /** The leader counts from this round and those before it. Whether its successors will is open until the round is confirmed. */
  taken: number;
  /** The sessions with an unconfirmed touch, each with the round of its last touch. */
  readonly touched: Map<SessionId, number>;
  /** The unconfirmed messages of gateways, oldest first: `turn` is the gateway's own number of the message. */
  reports: { readonly gateway: GatewayName; readonly turn: number; readonly round: number }[];
};

export function newRounds(first: number): Rounds {
  return { first, current: first, taken: first - 1, touched: new Map(), reports: [] };
}

export function touch(rounds: Rounds, { sessions, receipt }: Touched): void {
  for (const session of sessions) rounds.touched.set(session, rounds.current);
  if (receipt !== undefined) rounds.reports.push({ ...receipt, round: rounds.current });
}

/** Whether a gateway waits for the confirmation of a touch. */
export function hasUnconfirmed({ touched, reports }: Rounds): boolean {
  return touched.size > 0 || reports.length > 0;
}

/** Ends the current round and returns its number. */
export function endRound(rounds: Rounds): number {
  rounds.current += 1;
  return rounds.current - 1;
}

/** The sessions with a touch from which the leader is not yet known to count. */
export function untaken(rounds: Rounds): SessionId[] {
  const sessions: SessionId[] = [];
  for (const [session, round] of rounds.touched) {
    if (round > rounds.taken) sessions.push(session);
  }
  return sessions;
}

/** For a new leader, or the same leader in a new epoch: it has not received any touch yet. */
export function forgetTaken(rounds: Rounds): void {
  rounds.taken = rounds.first - 1;
}

/**
 * The leader and every successor count from the end of this round or from later, so the gateways may rely on its touches. Returns what
 * to emit, or undefined if the round is not of this incarnation or confirms nothing new.
 */
export function confirm(rounds: Rounds, round: number): LeaderHeard | undefined {
  if (round < rounds.first || round >= rounds.current) return undefined;
  for (const [session, last] of rounds.touched) {
    if (last <= round) rounds.touched.delete(session);
  }
  const turns: Record<string, number[]> = {};
  let count = 0;
  for (const report of rounds.reports) {
    if (report.round > round) break;
    (turns[report.gateway] ??= []).push(report.turn);
    count += 1;
  }
  if (count === 0) return undefined;
  rounds.reports = rounds.reports.slice(count);
  return { kind: "leaderHeard", turns };
}
