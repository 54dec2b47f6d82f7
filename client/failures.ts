/** The errors that a client's callers see, from what its session says of a failure. */
import {
  AbortedError,
  BadArgumentsError,
  ClosedError,
  ConnectionLossError,
  errorOfCode,
  type MaybeApplied,
  OperationTimeoutError,
  SessionExpiredError,
  UnreachableError,
  type ZooidError,
} from "../protocol/errors.ts";
import { NATIVE_STREAMS_MAX, PACKET_BYTES_MAX } from "../protocol/limits.ts";
import type { Failure, StreamEnd } from "./session/messages.ts";

/** `reason`: why the caller waits no longer, if that is what failed. */
export function errorOf(
  failure: Failure,
  maybeApplied: MaybeApplied,
  reason?: unknown,
): ZooidError {
  switch (failure.kind) {
    case "connectionLost":
      return new ConnectionLossError(failure.reason, { maybeApplied });
    case "tooLarge":
      return new BadArgumentsError(
        `the request has ${failure.bytes} bytes, and a server takes at most ${PACKET_BYTES_MAX}`,
      );
    case "timedOut":
      return new OperationTimeoutError(failure.timeoutMs, { maybeApplied });
    case "cancelled":
      return new AbortedError({ cause: reason, maybeApplied });
    case "expired":
      return new SessionExpiredError({ maybeApplied });
    case "closed":
      return new ClosedError({ maybeApplied });
    case "unreachable":
      return new UnreachableError(failure.message, { maybeApplied });
    default: {
      const { problem } = failure;
      if (maybeApplied === "no") return problem;
      return new UnreachableError(problem.message, { cause: problem, maybeApplied });
    }
  }
}

/** The error with which a stream ends; undefined: it completes. */
export function errorOfEnd(end: StreamEnd): ZooidError | undefined {
  switch (end.kind) {
    case "refused":
      return errorOfCode(end.code, end.path);
    case "failed":
      return errorOf(end.failure, "no");
    case "tooMany": {
      const most = NATIVE_STREAMS_MAX;
      return new BadArgumentsError(`a client has at most ${most} streams of changes at once`);
    }
    default:
      return undefined;
  }
}
