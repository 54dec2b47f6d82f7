/** How two maps differ, found by one pass over both. */
import type { SortedMap } from "./sorted-map.ts";

/** How a view differs from the one before, by paths. */
export type Diff = {
  /** Only the later one has these. */
  readonly added: readonly string[];
  /** Both have these, and something was done to them: data or access control list were set, or the znode was made again. */
  readonly changed: readonly string[];
  /** Only the earlier one had these. */
  readonly removed: readonly string[];
};

export function diffOf<Value>(
  before: SortedMap<Value>,
  after: SortedMap<Value>,
  isSame: (one: Value, other: Value) => boolean,
): Diff {
  const added: string[] = [];
  const changed: string[] = [];
  const removed: string[] = [];
  for (const [key, value] of after) {
    const old = before.get(key);
    if (old === undefined) added.push(key);
    else if (!isSame(old, value)) changed.push(key);
  }
  for (const key of before.keys()) if (!after.has(key)) removed.push(key);
  return { added, changed, removed };
}
