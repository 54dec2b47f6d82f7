/** What a mutant is: a real mistake, as exact replacements in the sources. Nothing in production code knows of it. */

import type { DirectedName } from "../directed.ts";
import type { Survivor } from "../failures/survivors.ts";

export type Edit = {
  /** From the root of the repository. */
  readonly file: string;
  /** Found exactly once in the file, or the mutant is refused. */
  readonly find: string;
  readonly replace: string;
};

export type Mutant = {
  /** For `--only`. */
  readonly name: string;
  /** The mistake, in one line. */
  readonly mistake: string;
  readonly edits: readonly [Edit, ...Edit[]];
  /** It shows where this actor fails over every message that it takes (`failures/`): that is played, with each seed, not a plan. */
  readonly failing?: Survivor;
  /** It shows only where such a plan leads: every seed has one. */
  readonly plan?: DirectedName;
  /** What it spoils breaks no invariant, since the rest makes up for it, but is what this story expects: that is played, with each seed. */
  readonly story?: string;
  /** It shows in this campaign: that is played, with each seed, not a plan. */
  readonly campaign?: Campaign;
};

/**
 * `rights`, `recipes`: real clients with promises (`test/sim/recipes/`). `streams`: streams over ZooKeeper's protocol, with subscribers that
 * come and go (`test/support/zookeeper-client/stream-visits.ts`) and with one (`stream-followers.ts`), a hundred runs of each a seed.
 */
export type Campaign = "rights" | "recipes" | "streams";

const CAMPAIGNS: readonly Campaign[] = ["rights", "recipes", "streams"];

export function isCampaign(name: string | undefined): name is Campaign {
  return CAMPAIGNS.some((each) => each === name);
}

/** A mutant that no longer fits the sources. It must be rewritten: one that is skipped would prove nothing. */
export class StaleMutant extends Error {
  override readonly name = "StaleMutant";
}

/** The source of `file` with all of the mutant's edits in it. */
export function mutate(mutant: Mutant, file: string, source: string): string {
  let text = source;
  for (const edit of mutant.edits) {
    if (edit.file !== file) continue;
    const parts = text.split(edit.find);
    if (parts.length !== 2) {
      throw new StaleMutant(
        `mutant ${mutant.name}: found ${parts.length - 1} times, not once, in ${file}:\n${edit.find}`,
      );
    }
    text = parts.join(edit.replace);
  }
  return text;
}
