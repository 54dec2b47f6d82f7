/**
 * What a leader knows of its support: until when a quorum held to its epoch. Whoever succeeds it begins later than that, since
 * a new leader needs the promise of one of them, and it gives every session its full timeout from its beginning. So touches
 * that were heard before that time count, whatever becomes of this leader.
 */
import type { ServerId } from "../../protocol/ids.ts";

type HeardRound = { readonly round: number; readonly atMs: number };

const ROUNDS_MAX = 1024;

export type Support = {
  /** Of each voter: it still held to this leader at this time of the leader's clock, or later. */
  readonly heldMs: Map<ServerId, number>;
  /** Of each node: the rounds heard of it and not yet confirmed, oldest first. */
  readonly heard: Map<ServerId, HeardRound[]>;
};

export function newSupport(): Support {
  return { heldMs: new Map(), heard: new Map() };
}

export function clearSupport(support: Support): void {
  support.heldMs.clear();
  support.heard.clear();
}

/** The voter has answered something that this leader said at `atMs`: a delay of the network does not count in its favour. */
export function held(support: Support, voter: ServerId, atMs: number): void {
  const known = support.heldMs.get(voter);
  if (known === undefined || atMs > known) support.heldMs.set(voter, atMs);
}

export function hearRound(support: Support, of: ServerId, round: number, atMs: number): void {
  const rounds = support.heard.get(of) ?? [];
  const last = rounds.at(-1);
  // A node that has started again counts from another number.
  if (last !== undefined && round <= last.round) rounds.length = 0;
  rounds.push({ round, atMs });
  // Nothing confirms them, or a stranger sends them: the oldest is given up, which only confirms later.
  if (rounds.length > ROUNDS_MAX) rounds.shift();
  support.heard.set(of, rounds);
}

/** A quorum, this leader among it, held to it at this time. Undefined: not known of any time. */
export function supportedMs(support: Support, quorum: number, nowMs: number): number | undefined {
  if (quorum === 1) return nowMs;
  const times = [...support.heldMs.values()].toSorted((a, b) => b - a);
  return times[quorum - 2];
}

/** The last round of the node that counts by now. */
export function takeConfirmed(
  support: Support,
  of: ServerId,
  supported: number | undefined,
): number | undefined {
  const rounds = support.heard.get(of);
  if (rounds === undefined || supported === undefined) return undefined;
  const count = rounds.findLastIndex(({ atMs }) => atMs <= supported) + 1;
  const last = rounds[count - 1];
  // The last stays: the pong that says so may be lost.
  if (count > 1) rounds.splice(0, count - 1);
  return last?.round;
}
