/** What a call ends with whose write may have been done: the connection was lost under it, and the look at what became of it failed. */
import {
  AbortedError,
  ClosedError,
  type ConnectionLossError,
  SessionExpiredError,
  ZooidError,
} from "../../protocol/errors.ts";

/** `error` ended the look, and says of itself only that it changed nothing; `lost` is that of the write. Undefined: none is in doubt. */
export function inDoubt(error: unknown, lost: ConnectionLossError | undefined): unknown {
  if (lost === undefined || !(error instanceof ZooidError) || error.maybeApplied !== "no") {
    return error;
  }
  const options = { cause: error.cause ?? error, maybeApplied: "unknown" } as const;
  if (error instanceof AbortedError) return new AbortedError(options);
  if (error instanceof SessionExpiredError) return new SessionExpiredError(options);
  if (error instanceof ClosedError) return new ClosedError(options);
  return lost;
}
