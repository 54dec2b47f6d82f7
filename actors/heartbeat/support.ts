/**
 * A leader's support is the latest time at which a quorum is known to have held to its epoch. A successor begins to lead later than
 * that, since it needs a promise of one of these voters, and it gives every session its full timeout from then on. So a touch that the
 * leader received before that time counts, whatever becomes of this leader.
 */
import type { ServerId } from "../../protocol/ids.ts";

type HeardRound = { readonly round: number; readonly atMs: number };

/** How many unconfirmed rounds of one node are kept. */
const ROUNDS_MAX = 1024;

export type Support = {
  /** Maps each voter to the latest time of the leader's clock that the voter has echoed: at that time it still held to this leader. */
  readonly echoedMs: Map<ServerId, number>;
  /** Maps each node to its rounds that were received and are not yet confirmed, oldest first. */
  readonly heard: Map<ServerId, HeardRound[]>;
};

export function newSupport(): Support {
  return { echoedMs: new Map(), heard: new Map() };
}

export function clearSupport(support: Support): void {
  support.echoedMs.clear();
  support.heard.clear();
}

/**
 * The voter has echoed a pong that this leader sent at `atMs`, so it held to this leader after that time. The time of sending is
 * counted and not that of the echo's arrival, so that a delay of the network only makes the support look older.
 */
export function noteEcho(support: Support, voter: ServerId, atMs: number): void {
  const known = support.echoedMs.get(voter);
  if (known === undefined || atMs > known) support.echoedMs.set(voter, atMs);
}

/** Notes that `node` has ended this round, which the leader received at `atMs`. */
export function hearRound(support: Support, node: ServerId, round: number, atMs: number): void {
  const rounds = support.heard.get(node) ?? [];
  const last = rounds.at(-1);
  // A node that has restarted counts from another number.
  if (last !== undefined && round <= last.round) rounds.length = 0;
  rounds.push({ round, atMs });
  // Rounds pile up while no quorum confirms them. The oldest is given up: a later round confirms its touches too.
  if (rounds.length > ROUNDS_MAX) rounds.shift();
  support.heard.set(node, rounds);
}

/** The latest time at which a quorum, with this leader in it, held to this leader. Undefined: no such time is known. */
export function supportedMs(support: Support, quorum: number, nowMs: number): number | undefined {
  if (quorum === 1) return nowMs;
  const times = [...support.echoedMs.values()].toSorted((a, b) => b - a);
  return times[quorum - 2];
}

/** The last round of `node` that the leader received while a quorum supported it, up to the time `supported`. */
export function takeConfirmed(
  support: Support,
  node: ServerId,
  supported: number | undefined,
): number | undefined {
  const rounds = support.heard.get(node);
  if (rounds === undefined || supported === undefined) return undefined;
  const count = rounds.findLastIndex(({ atMs }) => atMs <= supported) + 1;
  const last = rounds[count - 1];
  // The last confirmed round is kept, since the pong that confirms it may be lost; a later pong confirms it again.
  if (count > 1) rounds.splice(0, count - 1);
  return last?.round;
}
