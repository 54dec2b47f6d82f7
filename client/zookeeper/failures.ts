/** The errors that a client's callers see, from what its session over ZooKeeper's protocol says of a failure. */
import {
  AbortedError,
  BadArgumentsError,
  ClosedError,
  ConnectionLossError,
  type MaybeApplied,
  OperationTimeoutError,
  SessionExpiredError,
  UnreachableError,
  type ZooidError,
} from "../../protocol/errors.ts";
import { PACKET_BYTES_MAX } from "../../protocol/limits.ts";
import type { StreamEnd as WireStreamEnd } from "../session/messages.ts";
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
    case "timedOut":
      return new OperationTimeoutError(failure.timeoutMs, { maybeApplied });
    case "cancelled":
      return new AbortedError({ cause: reason, maybeApplied });
    case "tooLarge":
      return new BadArgumentsError(
        `the request has ${failure.bytes} bytes, and a server takes at most ${PACKET_BYTES_MAX}`,
      );
    case "expired":
      return new SessionExpiredError({ maybeApplied });
    case "closed":
      return new ClosedError({ maybeApplied });
    case "refused":
      return new UnreachableError(failure.message, { maybeApplied });
    default:
      return failure satisfies never;
  }
}

/** The end of a stream in the words that both protocols share. */
export function wireEndOf(end: StreamEnd): WireStreamEnd {
  if (end.kind !== "failed") return end;
  const { failure } = end;
  switch (failure.kind) {
    case "refused":
      return { kind: "failed", failure: { kind: "unreachable", message: failure.message } };
    case "expired":
    case "closed":
      return { kind: "failed", failure };
    default:
      return { kind: "failed", failure: { kind: "closed" } };
  }
}
