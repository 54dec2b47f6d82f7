/**
 * A map from texts that never changes: `with` and `without` make another one, which shares all but the path to what differs, so that a
 * change costs the logarithm of the size. Entries are in the order of their keys' UTF-16 units.
 *
 * It is a weight-balanced tree (Adams 1993; the balance parameters are those that Hirai and Yamamoto proved right, 2011).
 */

type Tree<Value> = {
  readonly key: string;
  readonly value: Value;
  readonly size: number;
  readonly left: Tree<Value> | undefined;
  readonly right: Tree<Value> | undefined;
};

/** A side may weigh at most so many times as much as the other. */
const DELTA = 3;
/** Below this ratio of the inner to the outer grandchild a single rotation restores the balance. */
const GAMMA = 2;

export class SortedMap<Value> implements ReadonlyMap<string, Value> {
  static readonly empty: SortedMap<never> = new SortedMap<never>(undefined);

  readonly #root: Tree<Value> | undefined;

  private constructor(root: Tree<Value> | undefined) {
    this.#root = root;
  }

  /** The keys are in order, each once. */
  static of<Value>(entries: readonly (readonly [string, Value])[]): SortedMap<Value> {
    return new SortedMap(build(entries, 0, entries.length));
  }

  get size(): number {
    return sizeOf(this.#root);
  }

  get(key: string): Value | undefined {
    return find(this.#root, key)?.value;
  }

  has(key: string): boolean {
    return find(this.#root, key) !== undefined;
  }

  with(key: string, value: Value): SortedMap<Value> {
    return new SortedMap(put(this.#root, key, value));
  }

  without(key: string): SortedMap<Value> {
    return this.has(key) ? new SortedMap(drop(this.#root, key)) : this;
  }

  forEach(visit: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this) visit(value, key, this);
  }

  *entries(): MapIterator<[string, Value]> {
    for (const { key, value } of inOrder(this.#root)) yield [key, value];
  }

  *keys(): MapIterator<string> {
    for (const { key } of inOrder(this.#root)) yield key;
  }

  *values(): MapIterator<Value> {
    for (const { value } of inOrder(this.#root)) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }
}

function* inOrder<Value>(root: Tree<Value> | undefined): Generator<Tree<Value>, undefined> {
  const above: Tree<Value>[] = [];
  let tree = root;
  while (tree !== undefined || above.length > 0) {
    while (tree !== undefined) {
      above.push(tree);
      tree = tree.left;
    }
    const next = above.pop();
    if (next === undefined) return;
    yield next;
    tree = next.right;
  }
}

function find<Value>(root: Tree<Value> | undefined, key: string): Tree<Value> | undefined {
  let tree = root;
  while (tree !== undefined && tree.key !== key) tree = key < tree.key ? tree.left : tree.right;
  return tree;
}

function sizeOf(tree: Tree<unknown> | undefined): number {
  return tree === undefined ? 0 : tree.size;
}

function build<Value>(
  entries: readonly (readonly [string, Value])[],
  from: number,
  to: number,
): Tree<Value> | undefined {
  const middle = (from + to) >> 1;
  const entry = entries[middle];
  if (from >= to || entry === undefined) return undefined;
  const [key, value] = entry;
  return join(key, value, build(entries, from, middle), build(entries, middle + 1, to));
}

function join<Value>(
  key: string,
  value: Value,
  left: Tree<Value> | undefined,
  right: Tree<Value> | undefined,
): Tree<Value> {
  return { key, value, left, right, size: sizeOf(left) + sizeOf(right) + 1 };
}

function put<Value>(tree: Tree<Value> | undefined, key: string, value: Value): Tree<Value> {
  if (tree === undefined) return join(key, value, undefined, undefined);
  const { left, right } = tree;
  if (key === tree.key) return join(key, value, left, right);
  if (key < tree.key) return balanced(tree.key, tree.value, put(left, key, value), right);
  return balanced(tree.key, tree.value, left, put(right, key, value));
}

function drop<Value>(tree: Tree<Value> | undefined, key: string): Tree<Value> | undefined {
  if (tree === undefined) return undefined;
  const { left, right } = tree;
  if (key < tree.key) return balanced(tree.key, tree.value, drop(left, key), right);
  if (key > tree.key) return balanced(tree.key, tree.value, left, drop(right, key));
  if (left === undefined) return right;
  if (right === undefined) return left;
  const next = firstOf(right);
  return balanced(next.key, next.value, left, drop(right, next.key));
}

function firstOf<Value>(tree: Tree<Value>): Tree<Value> {
  let first = tree;
  while (first.left !== undefined) first = first.left;
  return first;
}

/** One side may weigh one more or less than before, when all was in balance. */
function balanced<Value>(
  key: string,
  value: Value,
  left: Tree<Value> | undefined,
  right: Tree<Value> | undefined,
): Tree<Value> {
  const [ofLeft, ofRight] = [sizeOf(left) + 1, sizeOf(right) + 1];
  if (right !== undefined && ofRight > DELTA * ofLeft) {
    const inner = right.left;
    if (inner === undefined || sizeOf(inner) + 1 < GAMMA * (sizeOf(right.right) + 1)) {
      return join(right.key, right.value, join(key, value, left, inner), right.right);
    }
    const outer = join(right.key, right.value, inner.right, right.right);
    return join(inner.key, inner.value, join(key, value, left, inner.left), outer);
  }
  if (left !== undefined && ofLeft > DELTA * ofRight) {
    const inner = left.right;
    if (inner === undefined || sizeOf(inner) + 1 < GAMMA * (sizeOf(left.left) + 1)) {
      return join(left.key, left.value, left.left, join(key, value, inner, right));
    }
    const outer = join(left.key, left.value, left.left, inner.left);
    return join(inner.key, inner.value, outer, join(key, value, inner.right, right));
  }
  return join(key, value, left, right);
}
