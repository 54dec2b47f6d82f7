/**
 * Rounds of touches: what gateways have told of their sessions, until it is certain that the leader counts from it. Each ping
 * ends a round; a round is confirmed together with all before it.
 */
import type { SessionId } from "../../protocol/ids.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { LeaderHeard, Touched } from "./messages.ts";

export type Rounds = {
  /** Drawn: the rounds of an earlier incarnation of this node are below it, or far above. */
  readonly first: number;
  /** What is touched now belongs to this one. */
  current: number;
  /** The leader has taken this one and those before it; whether its successors count from them is open. */
  taken: number;
  /** Touched and not confirmed, with the round of the last touch. */
  readonly touched: Map<SessionId, number>;
  /** Oldest first. */
  told: { readonly gateway: GatewayName; readonly turn: number; readonly round: number }[];
};

export function newRounds(first: number): Rounds {
  return { first, current: first, taken: first - 1, touched: new Map(), told: [] };
}

export function touch(rounds: Rounds, { sessions, told }: Touched): void {
  for (const session of sessions) rounds.touched.set(session, rounds.current);
  if (told !== undefined) rounds.told.push({ ...told, round: rounds.current });
}

/** Ends the current round and says its number. */
export function endRound(rounds: Rounds): number {
  rounds.current += 1;
  return rounds.current - 1;
}

/** What the leader has not taken, through the last round that has ended. */
export function untaken(rounds: Rounds): SessionId[] {
  const sessions: SessionId[] = [];
  for (const [session, round] of rounds.touched) {
    if (round > rounds.taken) sessions.push(session);
  }
  return sessions;
}

/** Another leader, or the same in another epoch, has taken nothing yet. */
export function forgetTaken(rounds: Rounds): void {
  rounds.taken = rounds.first - 1;
}

/** The leader and whoever succeeds it count from the round's end or later: the gateways may know. */
export function confirm(rounds: Rounds, round: number): LeaderHeard | undefined {
  if (round < rounds.first || round >= rounds.current) return undefined;
  for (const [session, last] of rounds.touched) {
    if (last <= round) rounds.touched.delete(session);
  }
  const turns: Record<string, number[]> = {};
  let count = 0;
  for (const told of rounds.told) {
    if (told.round > round) break;
    (turns[told.gateway] ??= []).push(told.turn);
    count += 1;
  }
  if (count === 0) return undefined;
  rounds.told = rounds.told.slice(count);
  return { kind: "leaderHeard", turns };
}
