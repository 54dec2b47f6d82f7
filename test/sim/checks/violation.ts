/** What a simulation throws when something that must hold does not. */

/** By name: the invariants of the design, and what clients were promised. */
export const INVARIANTS = [
  "I1 one leader an epoch",
  "I2 equal logs",
  "I3 committed stays",
  "I4 equal trees",
  "I5 acknowledged is durable",
  "I6 memory is the disk",
  "I7 nothing goes back",
  "I8 no gap",
  "I9 durable stays",
  "founding",
  "one process a folder",
  "time",
  "no crash",
  "linearizable writes",
  "true replies",
  "monotone reads",
  "one server",
  "read-only",
  "session order",
  "exactly once",
  "maybe applied",
  "refused is not done",
  "sequential names",
  "ephemerals",
  "lifetimes",
  "session safety",
  "lock safety",
  "recipe safety",
  "session time",
  "one connection",
  "passwords",
  "permissions",
  "identities",
  "watches",
  "change streams",
  "feed",
  "live copies",
  "limits",
  "peers",
  "roles",
  "handover",
  "protocol",
  "liveness",
  "deterministic",
] as const;

export type InvariantName = (typeof INVARIANTS)[number];

export class Violation extends Error {
  override readonly name = "Violation";
  readonly invariant: InvariantName;

  constructor(invariant: InvariantName, text: string) {
    super(`${invariant}: ${text}`);
    this.invariant = invariant;
  }
}

/** Condition first, so that a caller reads as what must hold. The text is made only when it does not. */
export function must(holds: boolean, invariant: InvariantName, text: () => string): asserts holds {
  if (!holds) throw new Violation(invariant, text());
}
