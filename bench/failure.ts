/** The bench's own errors: their message is all that the user needs, so no stack is shown. */

/** The command line is wrong. The message has one line for each problem. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something that the bench needs is missing, or a process ended when it should not have. */
export class BenchError extends Error {
  override readonly name = "BenchError";
}
