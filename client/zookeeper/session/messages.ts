/** What a session over ZooKeeper's protocol is told, what it asks for, and what it says of itself, all as plain data. */
import type { Acl } from "../../../protocol/acl.ts";
import type { Code } from "../../../protocol/codes.ts";
import type { MaybeApplied } from "../../../protocol/errors.ts";
import type { Identity } from "../../../protocol/identities.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { ClientOperation, OperationResult } from "../../../protocol/operations.ts";
import type { Change, Read, ReadResult } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

export type Host = { readonly host: string; readonly port: number };

export type SessionOptions = {
  /** At least one. */
  readonly hosts: readonly Host[];
  /** What stands before every path, such as `/app`; empty: nothing does. */
  readonly chroot: string;
  readonly sessionTimeoutMs: number;
  readonly operationTimeoutMs: number;
  /** What proves the client's identities of the scheme `digest`, on each connection. */
  readonly proofs: readonly Uint8Array[];
  /** The client logs in by SASL on each connection, before it asks for anything. */
  readonly sasl: boolean;
  /** How many changes may be under way to a subscriber. Default 8,192. */
  readonly streamCredits?: number;
};

export type SessionState =
  | { readonly kind: "connecting" }
  | {
      readonly kind: "connected";
      readonly session: SessionId;
      readonly timeoutMs: number;
      /** The server's, with its port. */
      readonly address: string;
    }
  /** The session may still be alive, and operations wait. `failures` counts the connections in a row that were lost soon. */
  | { readonly kind: "reconnecting"; readonly reason: string; readonly failures: number }
  | { readonly kind: "expired"; readonly reason: string }
  | { readonly kind: "closed" };

/** What callers may ask. The layer above asks for nothing that `features` says is not there; it would be refused. */
export type Request =
  | { readonly kind: "write"; readonly operation: ClientOperation }
  | { readonly kind: "read"; readonly read: CallerRead | { readonly kind: "whoAmI" } }
  | { readonly kind: "whoAmI" };

export type CallerRead = Extract<
  Read,
  { readonly kind: "exists" | "getData" | "getChildren" | "getAcl" | "childrenPage" }
>;

export type MemberResult = Extract<
  OperationResult,
  { readonly kind: "error" | "done" | "created" | "stat" }
>;

export type Result =
  | MemberResult
  | {
      readonly kind: "multi";
      readonly failed: boolean;
      readonly results: readonly MemberResult[];
    }
  | Extract<ReadResult, { readonly kind: "data" | "children" }>
  | { readonly kind: "acl"; readonly acl: readonly Acl[]; readonly stat: StatOf }
  | { readonly kind: "identities"; readonly identities: readonly Identity[] };

type StatOf = Extract<ReadResult, { readonly kind: "acl" }>["stat"];

export type Answer = { readonly zxid: Zxid; readonly result: Result };

/** Why a request, a stream or the whole session ended without what was asked for. */
export type Failure =
  | { readonly kind: "connectionLost"; readonly reason: string }
  | { readonly kind: "timedOut"; readonly timeoutMs: number }
  | { readonly kind: "cancelled" }
  | { readonly kind: "tooLarge"; readonly bytes: number }
  | { readonly kind: "expired" }
  | { readonly kind: "closed" }
  /** The ensemble does not take the client: what to check is in the message. */
  | { readonly kind: "refused"; readonly message: string };

export type Outcome =
  | { readonly kind: "answered"; readonly answer: Answer }
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      readonly maybeApplied: MaybeApplied;
    };

export type StreamEnd =
  /** What came between `after` and `oldest` cannot be known. */
  | { readonly kind: "compacted"; readonly oldest: Zxid }
  | { readonly kind: "refused"; readonly code: Code; readonly path: string }
  | { readonly kind: "tooMany" }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "completed" };

export type TimerName = "tick" | "close";

export type Subscribe = {
  readonly kind: "subscribe";
  readonly subscription: number;
  readonly path: string;
  readonly recursive: boolean;
  readonly after: Zxid;
  /** The subscriber knows what was there then, so that a gap is to be told. */
  readonly isExact: boolean;
};

/** What happens to connections. `connection` is the number under which something was asked for. */
export type ChannelEvent =
  /** The addresses that the host's name stands for now. */
  | {
      readonly kind: "resolved";
      readonly connection: number;
      readonly addresses: readonly string[];
    }
  | { readonly kind: "opened"; readonly connection: number }
  | { readonly kind: "received"; readonly connection: number; readonly bytes: Uint8Array }
  /** There are no addresses, nobody listens, or the connection has ended. */
  | { readonly kind: "gone"; readonly connection: number; readonly reason: string }
  /** What to say next in the login. */
  | { readonly kind: "solved"; readonly connection: number; readonly step: LoginStep };

export type LoginStep =
  | { readonly kind: "token"; readonly token: Uint8Array }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly reason: string };

export type SessionMessage =
  | ChannelEvent
  /** The number is the caller's, a larger one each time; `settle` has it. */
  | {
      readonly kind: "request";
      readonly id: number;
      readonly request: Request;
      /** Default: the session's `operationTimeoutMs`. */
      readonly timeoutMs?: number | undefined;
    }
  /** The caller waits no longer for this request. */
  | { readonly kind: "cancel"; readonly id: number }
  | Subscribe
  | { readonly kind: "unsubscribe"; readonly subscription: number }
  /** So many changes that were delivered have been consumed. */
  | { readonly kind: "consumed"; readonly subscription: number; readonly changes: number }
  | { readonly kind: "timer"; readonly timer: TimerName }
  /** The turn is over in which `flushSoon` was asked for. */
  | { readonly kind: "flush" }
  /** `id` is the number of the request with which the session is closed at its server. */
  | { readonly kind: "close"; readonly id: number };

export type SessionEffect =
  /** The answer is `resolved` or `gone`. */
  | { readonly kind: "resolve"; readonly connection: number; readonly host: string }
  /** The answer is `opened` or `gone`. `host` is what the certificate of the server is for. */
  | {
      readonly kind: "dial";
      readonly connection: number;
      readonly host: string;
      readonly address: string;
      readonly port: number;
    }
  /** All of it in one write. */
  | { readonly kind: "send"; readonly connection: number; readonly frames: readonly Uint8Array[] }
  /** Nothing more is said on the connection, and nothing more is heard of it. */
  | { readonly kind: "hangUp"; readonly connection: number }
  /** What the server says in the login; the answer is `solved`. */
  | { readonly kind: "solve"; readonly connection: number; readonly challenge: Uint8Array }
  /** Asks for the message `flush` after the caller's code has run, so that requests which it makes together go out together. */
  | { readonly kind: "flushSoon" }
  /** Takes the place of the timer of this name. */
  | { readonly kind: "startTimer"; readonly timer: TimerName; readonly delayMs: number }
  /** The latest zxid that the client has seen. */
  | { readonly kind: "saw"; readonly zxid: Zxid }
  | { readonly kind: "settle"; readonly id: number; readonly outcome: Outcome }
  | { readonly kind: "stateChanged"; readonly state: SessionState }
  /** A portion for a subscriber. The answer is `consumed`. */
  | {
      readonly kind: "deliver";
      readonly subscription: number;
      readonly changes: readonly Change[];
      readonly through: Zxid;
    }
  | { readonly kind: "endSubscription"; readonly subscription: number; readonly end: StreamEnd }
  /** The session has ended: no connection and no timer is needed any more. */
  | { readonly kind: "closeChannel" };
