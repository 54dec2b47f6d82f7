/** The bench's own errors: their message is all that the user needs, so no stack is shown. */

/** The command line asks for something that cannot be. Holds every problem found, one a line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something the bench needs is missing, or ended when it should not have. */
export class BenchError extends Error {
  override readonly name = "BenchError";
}
