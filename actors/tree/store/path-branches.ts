/**
 * Values that are kept at paths and found from every path below. They are in a tree of path names, so that a search for all values
 * above a path reads the path once, however many of its ancestors have values.
 */
export type Branch<Value> = {
  readonly values: Set<Value>;
  readonly below: Map<string, Branch<Value>>;
};

export function createBranch<Value>(): Branch<Value> {
  return { values: new Set(), below: new Map() };
}

export function addBranch<Value>(root: Branch<Value>, path: string, value: Value): void {
  let branch = root;
  for (const name of namesOf(path)) {
    let next = branch.below.get(name);
    if (next === undefined) {
      next = createBranch();
      branch.below.set(name, next);
    }
    branch = next;
  }
  branch.values.add(value);
}

/** Removes the value, and each branch that has become empty. */
export function removeBranch<Value>(root: Branch<Value>, path: string, value: Value): void {
  const way: { readonly branch: Branch<Value>; readonly name: string }[] = [];
  let branch = root;
  for (const name of namesOf(path)) {
    const next = branch.below.get(name);
    if (next === undefined) return;
    way.push({ branch, name });
    branch = next;
  }
  branch.values.delete(value);
  for (const { branch: above, name } of way.reverse()) {
    if (branch.values.size > 0 || branch.below.size > 0) return;
    above.below.delete(name);
    branch = above;
  }
}

/** Visits the values at all paths above `path`, but not those at `path` itself. */
export function visitAbove<Value>(
  root: Branch<Value>,
  path: string,
  visit: (value: Value) => void,
): void {
  if (path === "/") return;
  let branch: Branch<Value> | undefined = root;
  let from = 1;
  while (branch !== undefined) {
    branch.values.forEach(visit);
    const end = path.indexOf("/", from);
    if (end === -1 || branch.below.size === 0) return;
    branch = branch.below.get(path.slice(from, end));
    from = end + 1;
  }
}

/** Visits the values at `path`, and those at all paths above it. */
export function visitAlong<Value>(
  root: Branch<Value>,
  path: string,
  visit: (value: Value) => void,
): void {
  visitAbove(root, path, visit);
  branchAt(root, path)?.values.forEach(visit);
}

function branchAt<Value>(root: Branch<Value>, path: string): Branch<Value> | undefined {
  let branch: Branch<Value> | undefined = root;
  let from = 1;
  while (branch !== undefined && from < path.length) {
    const slash = path.indexOf("/", from);
    const end = slash === -1 ? path.length : slash;
    branch = branch.below.size === 0 ? undefined : branch.below.get(path.slice(from, end));
    from = end + 1;
  }
  return branch;
}

function namesOf(path: string): string[] {
  return path === "/" ? [] : path.slice(1).split("/");
}
