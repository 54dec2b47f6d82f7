/**
 * Values that are kept at paths and found from every path below. They are in a tree of names, so that a search for all values above a
 * path reads the path once, however many of its ancestors have values. Names of which none has a value and no way parts share a branch,
 * so that there are at most two branches for each value, however deep its path is (a radix tree: Morrison, PATRICIA, 1968).
 */
export type Branch<Value> = {
  /** The names that lead here from the branch above, with slashes between them; empty at the root. */
  label: string;
  values: Set<Value>;
  /** By the first name of their labels. */
  below: Map<string, Branch<Value>>;
};

export function createBranch<Value>(label = ""): Branch<Value> {
  return { label, values: new Set(), below: new Map() };
}

export function addBranch<Value>(root: Branch<Value>, path: string, value: Value): void {
  let branch = root;
  let rest = path.slice(1);
  while (rest !== "") {
    const first = firstName(rest);
    const next = branch.below.get(first) ?? createBranch<Value>(rest);
    const shared = sharedLength(next.label, rest);
    const reached = shared === next.label.length ? next : split(next, shared);
    branch.below.set(first, reached);
    branch = reached;
    rest = rest.slice(shared + 1);
  }
  branch.values.add(value);
}

/** Returns a branch for the first `length` characters of the label, with what is left of the branch below it. */
function split<Value>(branch: Branch<Value>, length: number): Branch<Value> {
  const above = createBranch<Value>(branch.label.slice(0, length));
  branch.label = branch.label.slice(length + 1);
  above.below.set(firstName(branch.label), branch);
  return above;
}

/** Removes the value, and the branches that nothing needs any more. */
export function removeBranch<Value>(root: Branch<Value>, path: string, value: Value): void {
  let [above, branch] = [root, root];
  let rest = path.slice(1);
  while (rest !== "") {
    const next = branch.below.get(firstName(rest));
    if (next === undefined || sharedLength(next.label, rest) !== next.label.length) return;
    [above, branch] = [branch, next];
    rest = rest.slice(next.label.length + 1);
  }
  branch.values.delete(value);
  if (branch === root || branch.values.size > 0) return;
  if (branch.below.size === 0) above.below.delete(firstName(branch.label));
  else join(branch);
  if (above !== root) join(above);
}

/** A branch without a value, at which no way parts, becomes one with the only one below. */
function join<Value>(branch: Branch<Value>): void {
  if (branch.values.size > 0 || branch.below.size !== 1) return;
  for (const { label, values, below } of branch.below.values()) {
    branch.label = `${branch.label}/${label}`;
    branch.values = values;
    branch.below = below;
    return;
  }
}

/** Visits the values at all paths above `path`, but not those at `path` itself. */
export function visitAbove<Value>(
  root: Branch<Value>,
  path: string,
  visit: (value: Value) => void,
): void {
  descend(root, path, visit);
}

/** Visits the values at `path`, and those at all paths above it. */
export function visitAlong<Value>(
  root: Branch<Value>,
  path: string,
  visit: (value: Value) => void,
): void {
  descend(root, path, visit)?.values.forEach(visit);
}

/** Visits what is above the path. Returns the branch of the path itself, if there is one. */
function descend<Value>(
  root: Branch<Value>,
  path: string,
  visit: (value: Value) => void,
): Branch<Value> | undefined {
  let branch = root;
  let from = 1;
  while (from < path.length) {
    branch.values.forEach(visit);
    if (branch.below.size === 0) return undefined;
    const slash = path.indexOf("/", from);
    const next = branch.below.get(path.slice(from, slash === -1 ? path.length : slash));
    if (next === undefined || !path.startsWith(next.label, from)) return undefined;
    const end = from + next.label.length;
    if (end < path.length && path[end] !== "/") return undefined;
    branch = next;
    from = end + 1;
  }
  return branch;
}

function firstName(names: string): string {
  const slash = names.indexOf("/");
  return slash === -1 ? names : names.slice(0, slash);
}

/** How many characters both begin with, in whole names. */
function sharedLength(a: string, b: string): number {
  let shared = 0;
  for (let at = 0; ; at += 1) {
    const isEnd = at === a.length || at === b.length;
    if (isEnd || a[at] !== b[at]) {
      const both = (at === a.length || a[at] === "/") && (at === b.length || b[at] === "/");
      return both ? at : shared;
    }
    if (a[at] === "/") shared = at;
  }
}
