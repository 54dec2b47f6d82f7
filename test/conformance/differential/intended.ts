/**
 * Where zooid means to differ from ZooKeeper: each has its name and reason in docs/compatibility-differences.md, and a matcher that holds
 * for as little as can be. A matcher takes what one connection received in one step from ZooKeeper and from zooid, and makes of
 * either what has to be equal.
 */
import { areEqual } from "./compare.ts";
import type { Line } from "./lines.ts";
import type { Step } from "./program.ts";

export type Pair = { readonly theirs: readonly Line[]; readonly ours: readonly Line[] };

type Intended = {
  readonly name: string;
  /** Undefined: it has nothing to do with this. */
  readonly match: (pair: Pair, step: Step) => Pair | undefined;
  /** What comes after cannot be compared, since the connections differ. */
  readonly ends?: true;
};

export const INTENDED: readonly Intended[] = [];

/** Returns the intended differences that make the two equal, if there are such. */
export function explains(
  step: Step,
  pair: Pair,
): { readonly names: readonly string[]; readonly ends: boolean } | undefined {
  let left = pair;
  const names: string[] = [];
  let ends = false;
  for (const { name, match, ends: isEnd } of INTENDED) {
    const matched = match(left, step);
    if (matched === undefined) continue;
    left = matched;
    names.push(name);
    ends ||= isEnd === true;
    if (areEqual(left.theirs, left.ours)) return { names, ends };
  }
  return undefined;
}
