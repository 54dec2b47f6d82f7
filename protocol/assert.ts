/** Assertions stay on in production: a broken invariant must stop the node, not spread. Never used on input. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new AssertionError(`invariant broken: ${invariant}`);
}

/** Makes a missing case of a union a type error. */
export function unreachable(value: never): never {
  throw new AssertionError(`unknown case: ${JSON.stringify(value)}`);
}
