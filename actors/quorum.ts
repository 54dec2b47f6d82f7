/**
 * Whose word counts for a quorum, and what is one. A quorum is a majority of the ensemble's numbers, each spoken for by the one
 * folder that is bound to it: so two processes never count as one voter. While a change of that is under way, its number counts
 * for nobody. Why this is sound: docs/decisions/0010-identity.md.
 */
import { type Configuration, identityOf } from "../protocol/configuration.ts";
import type { ServerId } from "../protocol/ids.ts";
import type { Identity } from "../protocol/identity.ts";
import { type Zxid, ZXID_NONE } from "../protocol/zxid.ts";
import type { LoggedConfiguration } from "./log/messages.ts";

/** By number, the folder whose word counts under it. A number that is missing counts for nobody. */
export type Counted = ReadonlyMap<ServerId, Identity>;

/**
 * `settled` is known to be committed; of what is `logged` that is not known. Undefined: this node belongs to no ensemble, and
 * nobody counts.
 */
export function countedOf(
  settled: Configuration | undefined,
  logged: readonly LoggedConfiguration[],
): Counted {
  const counted = new Map<ServerId, Identity>();
  for (const { id, identity } of settled?.voters ?? []) {
    const isDisputed = logged.some(
      ({ configuration }) => identityOf(configuration, id) !== identity,
    );
    if (!isDisputed) counted.set(id, identity);
  }
  return counted;
}

export function quorumOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** How many of these count, each once. */
export function countOf(counted: Counted, words: ReadonlyMap<ServerId, Identity>): number {
  let count = 0;
  for (const [id, identity] of words) if (counted.get(id) === identity) count += 1;
  return count;
}

/** The last zxid that so many of these logs hold durably: Raft's rule for the commit index, without its condition on the epoch. */
export function committedBy(durable: readonly Zxid[], quorum: number): Zxid {
  const latestFirst = durable.toSorted((one, other) => other - one);
  return latestFirst[quorum - 1] ?? ZXID_NONE;
}
