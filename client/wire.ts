/**
 * What a `Client` asks of its session, over whatever protocol: NATS (`native-wire.ts`) or ZooKeeper's own (`zookeeper/`). Both take the same
 * requests and give the same answers; `features` says in what they differ.
 */
import type { Observable } from "rxjs";
import type { Recursive } from "../protocol/changes.ts";
import type { NativeRequest } from "../protocol/native-packing.ts";
import type { Change } from "../protocol/reads.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { Answer, SessionState, StreamEnd } from "./session/messages.ts";

/** How long the caller of an operation waits for its answer. */
export type CallOptions = {
  /** Milliseconds after which the call is rejected with OperationTimeoutError. Default: `operationTimeoutMs` of the client. */
  readonly timeoutMs?: number | undefined;
  /** When it aborts, the call is rejected with AbortedError, whose `cause` is the signal's reason. Default: nothing aborts it. */
  readonly signal?: AbortSignal | undefined;
};

/** Which changes a stream is to have. */
export type Wish = {
  readonly path: string;
  /** `children`: the znode and its children. A wire may then tell of everything below it. */
  readonly recursive: Recursive;
  /** Default: the latest zxid that the client has seen. */
  readonly after?: Zxid | undefined;
};

/** Whom a wire gives a stream to. */
export type StreamObserver = {
  /**
   * All changes of the stream up to `through`. `taken` is called once, when the changes have been consumed: more may come only then.
   */
  readonly portion: (changes: readonly Change[], through: Zxid, taken: () => void) => void;
  /** Nothing follows, and why. */
  readonly ended: (end: StreamEnd) => void;
};

/** The time and the chance of a client, which in tests are not real. */
export type Clock = {
  /** Monotonic milliseconds; only differences mean something. */
  readonly nowMs: () => number;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
  /** Returns a function that cancels it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
};

/** In what the protocols differ. */
export type WireFeatures = {
  /** A write whose connection is lost is said again, and is done once. Otherwise its outcome may be unknown. */
  readonly exactlyOnce: boolean;
  /** Children can be read by pages. */
  readonly pages: boolean;
  /** A subtree can be deleted by one operation, and a transaction may ask that a znode is not there. */
  readonly wideOperations: boolean;
  /** Streams tell every change. Otherwise several changes of a znode may come as the last of them. */
  readonly everyChange: boolean;
};

/**
 * A session with an ensemble, over NATS or over ZooKeeper's protocol: what a `Client` speaks through. It is there as `client.wire`, for
 * recipes of one's own.
 */
export interface Wire {
  /** The client's own clock. */
  readonly clock: Clock;
  /** What the session's protocol can do. */
  readonly features: WireFeatures;
  /** Emits the current state on subscription, then each change of it. It completes when the client is closed. */
  readonly state$: Observable<SessionState>;
  /** The current state of the session. */
  readonly state: SessionState;
  /** The latest zxid of which the client's callers have been told. */
  readonly lastZxid: Zxid;
  /** The largest request that the wire takes, in bytes, path and data together. */
  readonly requestBytesMax: number;
  /**
   * Until when, in milliseconds of `clock`, the ensemble has certainly not ended the session. It is later after each answer. `-Infinity`
   * without a session, and once the session is over.
   */
  readonly validUntilMs: number;
  /**
   * Asks the ensemble. A refusal, such as NoNode, is a result of the kind `error`. Rejects where there is no answer: with BadArgumentsError
   * (the request is too large), OperationTimeoutError, AbortedError, ConnectionLossError, SessionExpiredError, ClosedError or
   * UnreachableError.
   */
  request(request: NativeRequest, options?: CallOptions): Promise<Answer>;
  /** Returns a function that ends the subscription; nothing is told after it. */
  subscribe(wish: Wish, observer: StreamObserver): () => void;
  /** Ends the session, and with it its ephemeral znodes. */
  close(): Promise<void>;
}
