/**
 * Which nodes count for a quorum, and how many make one. A quorum is a majority of the ensemble's numbers, and for each number only
 * the one folder counts that is bound to it: two processes never count as one voter, nor one process twice. While a number is being
 * bound to another folder, neither folder counts. Why this is sound: docs/decisions/0010-identity.md.
 */
import { type Configuration, identityOf } from "../protocol/configuration.ts";
import type { ServerId } from "../protocol/ids.ts";
import type { Identity } from "../protocol/identity.ts";
import { type Zxid, ZXID_NONE } from "../protocol/zxid.ts";
import type { LoggedConfiguration } from "./log/messages.ts";

/** Maps a server's number to the folder that counts under it. A number that is missing here counts for no quorum. */
export type Counted = ReadonlyMap<ServerId, Identity>;

/**
 * `settled` is the last configuration that is known to be committed; without it this node belongs to no ensemble and nobody counts.
 * Each configuration in `logged` may or may not become the committed one, so a number counts only if all of them agree on its folder.
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

/** The smallest number of voters that is a majority of this many. */
export function quorumOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** How many of these nodes count, each once. `nodes` maps a number to the folder under which a node with that number has answered. */
export function countOf(counted: Counted, nodes: ReadonlyMap<ServerId, Identity>): number {
  let count = 0;
  for (const [id, identity] of nodes) if (counted.get(id) === identity) count += 1;
  return count;
}

/**
 * The last zxid that at least `quorum` of these logs hold durably. `durable` has the end of one log each. This is Raft's rule for the
 * commit index without its condition on the term, which is the caller's duty (Raft, section 5.4.2).
 */
export function committedBy(durable: readonly Zxid[], quorum: number): Zxid {
  const latestFirst = durable.toSorted((one, other) => other - one);
  return latestFirst[quorum - 1] ?? ZXID_NONE;
}
