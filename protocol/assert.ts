/**
 * Assertions stay on in production: a broken invariant must stop the node before it spreads. Input is never asserted: it is checked and
 * refused.
 */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new AssertionError(`invariant broken: ${invariant}`);
}

/** Stands in the default of a switch over a union, so that a missing case is a type error. */
export function unreachable(value: never): never {
  throw new AssertionError(`unknown case: ${JSON.stringify(value)}`);
}
