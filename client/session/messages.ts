/**
 * What a session is told, what it asks for, and what it says of itself, all as plain data. How a session is, how it answers and how it
 * fails is said in the same words over ZooKeeper's protocol.
 */
import type { Recursive } from "../../protocol/changes.ts";
import type { Code } from "../../protocol/codes.ts";
import type { MaybeApplied, UnreachableError } from "../../protocol/errors.ts";
import type { SessionId } from "../../protocol/ids.ts";
import type { NativeRequest, NativeResult } from "../../protocol/native-packing.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";

/** What a session is opened with. */
export type SessionOptions = {
  readonly ensemble: string;
  readonly sessionTimeoutMs: number;
  readonly operationTimeoutMs: number;
  /** What proves the client's identities, on each connection. Default: nothing. */
  readonly proofs?: readonly Uint8Array[];
  /**
   * How many changes may be under way to one subscription: on their way, or delivered and not consumed. The changes of the
   * transaction that reaches the limit may exceed it. Default 8,192.
   */
  readonly streamCredits?: number;
};

/** How a client's session is, and why. */
export type SessionState =
  /** There was no connection yet. */
  | { readonly kind: "connecting" }
  /** Over NATS the gateway on lane `lane` of node `server` serves the connection; over ZooKeeper's protocol the server at `address`. */
  | {
      readonly kind: "connected";
      /** The session's number. */
      readonly session: SessionId;
      /** The session timeout in milliseconds that was granted. */
      readonly timeoutMs: number;
      readonly server?: number;
      readonly lane?: number;
      /** `host:port`. */
      readonly address?: string;
    }
  /**
   * The session may still be alive, and operations wait. `reason` says, for people, what became of the connection. `failures` counts the
   * connections in a row that were lost soon after they were opened. Above 1 the client waits before it connects again, longer each time.
   */
  | { readonly kind: "reconnecting"; readonly reason: string; readonly failures: number }
  /** The session is over, and its ephemeral znodes are deleted. */
  | { readonly kind: "expired" }
  /** The caller has closed the client. */
  | { readonly kind: "closed" };

/** `zxid`: of a write its own, of a read that of the replica. */
export type Answer = { readonly zxid: Zxid; readonly result: NativeResult };

/** Why a request, a stream or the whole session ended without what was asked for. `client/failures.ts` makes errors of it. */
export type Failure =
  /** Not over NATS, where what was under way is asked again. */
  | { readonly kind: "connectionLost"; readonly reason: string }
  /** No server takes so many bytes. */
  | { readonly kind: "tooLarge"; readonly bytes: number }
  | { readonly kind: "timedOut"; readonly timeoutMs: number }
  /** Its caller waits no longer. */
  | { readonly kind: "cancelled" }
  | { readonly kind: "expired" }
  | { readonly kind: "closed" }
  /** The ensemble does not take the client: what to check is in the message. */
  | { readonly kind: "unreachable"; readonly message: string }
  /** The NATS server forbids what a client needs. */
  | { readonly kind: "refused"; readonly problem: UnreachableError };

export type Outcome =
  | { readonly kind: "answered"; readonly answer: Answer }
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      /** Whether the request may have been done. */
      readonly maybeApplied: MaybeApplied;
    };

/** Why a stream of changes has ended. */
export type StreamEnd =
  /** What came before `oldest`, and was not delivered, is not known any more. */
  | { readonly kind: "compacted"; readonly oldest: Zxid }
  | { readonly kind: "refused"; readonly code: Code; readonly path: string }
  /** The client has as many subscriptions as it may have. */
  | { readonly kind: "tooMany" }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "completed" };

export type TimerName = "tick" | "close";

export type Subscribe = {
  readonly kind: "subscribe";
  readonly subscription: number;
  readonly path: string;
  readonly recursive: Recursive;
  readonly after: Zxid;
};

/** What happens on the channel to NATS. `connection` is the number under which something was sent. */
export type ChannelEvent =
  | { readonly kind: "received"; readonly connection: number; readonly bytes: Uint8Array }
  /** Nobody subscribes to the subject that something was sent to. */
  | { readonly kind: "noResponders"; readonly connection: number }
  | { readonly kind: "up" }
  | { readonly kind: "down" }
  /** The NATS server forbids what a client needs. */
  | { readonly kind: "refused"; readonly problem: UnreachableError };

/** What every session is told by its driver. */
export type CommonMessage =
  /** The number is the caller's, a larger one each time; `settle` has it. */
  | {
      readonly kind: "request";
      readonly id: number;
      readonly request: NativeRequest;
      /** The request fails if it has no answer after this time. Default: the session's `operationTimeoutMs`. */
      readonly timeoutMs?: number | undefined;
    }
  /** The caller waits no longer for this request. */
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "unsubscribe"; readonly subscription: number }
  | { readonly kind: "timer"; readonly timer: TimerName }
  /** The turn is over in which `flushSoon` was asked for. */
  | { readonly kind: "flush" }
  /** `id` is the number of the request with which the session is closed at its server. */
  | { readonly kind: "close"; readonly id: number };

export type SessionMessage =
  | ChannelEvent
  | CommonMessage
  | Subscribe
  /** Each of these subscriptions has done with a portion of so many changes. */
  | {
      readonly kind: "consumed";
      readonly subscriptions: readonly number[];
      readonly changes: number;
    };

/** What every session asks its driver for. */
export type CommonEffect =
  /** Asks for the message `flush` after the caller's code has run, so that requests which it makes together go out together. */
  | { readonly kind: "flushSoon" }
  /** Takes the place of the timer of this name. */
  | { readonly kind: "startTimer"; readonly timer: TimerName; readonly delayMs: number }
  /** The latest zxid that the client has seen. */
  | { readonly kind: "saw"; readonly zxid: Zxid }
  | { readonly kind: "settle"; readonly id: number; readonly outcome: Outcome }
  | { readonly kind: "stateChanged"; readonly state: SessionState }
  | {
      readonly kind: "endSubscriptions";
      readonly subscriptions: readonly number[];
      readonly end: StreamEnd;
    }
  /** The session has ended: neither a connection nor a timer is needed any more. */
  | { readonly kind: "closeChannel" };

export type SessionEffect =
  | CommonEffect
  | {
      readonly kind: "send";
      readonly subject: string;
      readonly connection: number;
      readonly bytes: Uint8Array;
    }
  /** A portion of a stream, for each of its subscriptions, which answer with `consumed`. */
  | {
      readonly kind: "deliver";
      readonly subscriptions: readonly number[];
      readonly changes: readonly Change[];
      readonly through: Zxid;
    };
