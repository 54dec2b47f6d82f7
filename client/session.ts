/**
 * A client's session, which outlives its connections. The client opens a connection to any gateway and keeps it alive; when it is lost,
 * the client attaches the session to another one. Requests wait meanwhile. A read that was under way is sent again; a write that was
 * under way is rejected with ConnectionLossError, because the client cannot know whether it was done.
 */
import { BehaviorSubject, defer, type Observable, throwError } from "rxjs";
import {
  ClosedError,
  ConnectionLossError,
  type MaybeApplied,
  SessionExpiredError,
  UnreachableError,
  type ZooidError,
} from "../protocol/errors.ts";
import type { ChangeEvent } from "../protocol/changes.ts";
import { PASSWORD_BYTES, SESSION_NONE, type SessionId } from "../protocol/ids.ts";
import { NATIVE_TAKEN_BYTES } from "../protocol/limits.ts";
import {
  type ClientItem,
  decodeGatewayFrame,
  encodeClientFrame,
  type EndReason,
  type Frame,
  type GatewayItem,
  NATIVE_VERSION,
} from "../protocol/native.ts";
import type { NativeRequest, NativeResult } from "../protocol/native-packing.ts";
import { gatewaySubject, laneSubject } from "../protocol/subjects.ts";
import { ZXID_NONE, type Zxid } from "../protocol/zxid.ts";
import { Backoff } from "./backoff.ts";
import { type ChangesOptions, Streams } from "./changes.ts";
import type { ChannelEvent, NatsChannel } from "./nats-channel.ts";
import { Requests } from "./requests.ts";

export type SessionOptions = {
  readonly ensemble: string;
  readonly sessionTimeoutMs: number;
  readonly operationTimeoutMs: number;
  /** What proves the client's identities, on each connection. Default: nothing. */
  readonly proofs?: readonly Uint8Array[];
};

export type SessionState =
  | { readonly kind: "connecting" }
  /** The gateway on lane `lane` of node `server` serves the connection. */
  | {
      readonly kind: "connected";
      readonly session: SessionId;
      readonly server: number;
      readonly lane: number;
    }
  /**
   * The session may still be alive, and operations wait. `failures` counts the connections in a row that were lost soon after they
   * were opened. Above 1 the client waits before it connects again, longer each time.
   */
  | { readonly kind: "reconnecting"; readonly reason: string; readonly failures: number }
  /** The session is over, and its ephemeral znodes are deleted. */
  | { readonly kind: "expired" }
  | { readonly kind: "closed" };

/** What a session uses of its connection to NATS. */
export type Channel = Pick<NatsChannel, "up" | "onEvent" | "send" | "close">;

export type Answer = { readonly zxid: Zxid; readonly result: NativeResult };

/** The state of the connection to a gateway. */
type Link =
  | { readonly kind: "none"; retryAtMs: number }
  | { readonly kind: "opening"; readonly sinceMs: number }
  | {
      readonly kind: "open";
      readonly subject: string;
      readonly openedAtMs: number;
      sentAtMs: number;
      receivedAtMs: number;
      pingedAtMs: number;
    };

const TICK_MS = 50;
/** An attempt to open a connection is given up after this time, or after a third of the session timeout if that is shorter. */
const OPEN_TIMEOUT_MS = 3_000;
/** The client waits about this long before it asks again when no gateway answered, or one that knows no leader. */
const RETRY_DELAY_MS = 150;
/**
 * While requests or streams are under way, a ping is sent after this much silence: the number of the answering frame shows whether
 * a frame was lost.
 */
const PING_BUSY_MS = 500;
const CLOSE_TIMEOUT_MS = 2_000;
/** How many items that are not requests go into one frame. */
const FRAME_ITEMS_MAX = 64;

export class Session {
  readonly state$: BehaviorSubject<SessionState> = new BehaviorSubject<SessionState>({
    kind: "connecting",
  });
  readonly #streams: Streams;
  readonly #channel: Channel;
  readonly #options: SessionOptions;
  readonly #requests: Requests;
  readonly #backoff = new Backoff(Math.random);
  readonly #timer: NodeJS.Timeout;
  #session: SessionId = SESSION_NONE;
  #password: Uint8Array = new Uint8Array(PASSWORD_BYTES);
  #timeoutMs: number;
  #lastZxid: Zxid = ZXID_NONE;
  #link: Link = { kind: "none", retryAtMs: 0 };
  /** The number of the current connection. Its inbox ends with it, which tells frames of older connections apart. */
  #connection = 0;
  #sentSequence = 0;
  #receivedSequence = 0;
  /** Bytes that were received and not yet acknowledged to the gateway. */
  #unacknowledgedBytes = 0;
  #items: ClientItem[] = [];
  #flushing = false;
  /** The error of every further request once the session has ended. */
  #over: ZooidError | undefined;
  #closed: Promise<void> | undefined;
  /** Why the last attempt failed, for the error message of `connect`. */
  #lastProblem = "no gateway answered";

  constructor(channel: Channel, options: SessionOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#timeoutMs = options.sessionTimeoutMs;
    this.#requests = new Requests(options.operationTimeoutMs);
    this.#streams = new Streams({
      lastZxid: () => this.#lastZxid,
      send: (item) => this.#sendSoon(item),
    });
    channel.onEvent((event) => this.#happened(event));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#open();
  }

  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  get lastProblem(): string {
    return this.#lastProblem;
  }

  /** The error of every further request once the session has ended; undefined before. */
  get over(): ZooidError | undefined {
    return this.#over;
  }

  request(request: NativeRequest): Promise<Answer> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    const answer = this.#requests.add(request, performance.now());
    this.#flushSoon();
    return answer;
  }

  changes(path: string, options: ChangesOptions): Observable<ChangeEvent> {
    return defer(() => {
      const over = this.#over;
      return over === undefined ? this.#streams.changes(path, options) : throwError(() => over);
    });
  }

  /** Ends the session. With a connection its ephemeral znodes are deleted at once; without one the session expires later. */
  async close(): Promise<void> {
    if (this.#over instanceof ClosedError) return;
    if (this.#link.kind === "open") await this.#closeSession();
    this.#end((maybeApplied) => new ClosedError({ maybeApplied }), { kind: "closed" });
    await this.#closed;
  }

  async #closeSession(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    const closing = this.request({ kind: "write", operation: { kind: "closeSession" } });
    // Without an answer the session still ends: it expires.
    const answered = closing.then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([answered, late]);
    clearTimeout(timer);
  }

  #happened(event: ChannelEvent): void {
    switch (event.kind) {
      case "received":
        if (event.connection === this.#connection) this.#receive(event.bytes);
        return;
      case "noResponders":
        if (event.connection !== this.#connection) return;
        this.#lastProblem = "no node of this ensemble is there";
        this.#lost("the node is gone", this.#link.kind === "opening" ? RETRY_DELAY_MS : 0);
        return;
      case "down":
        // The NATS library itself waits before it reconnects, so no further delay is needed here.
        this.#lost("the NATS server is gone", 0);
        return;
      case "up":
        this.#openIfDue();
        return;
      default:
        this.#end((maybeApplied) => withDoubt(event.problem, maybeApplied), { kind: "closed" });
    }
  }

  #receive(bytes: Uint8Array): void {
    const frame = decoded(bytes);
    if (frame === undefined) return this.#lost("a frame was not understood", 0);
    if (frame.sequence !== 0) {
      if (frame.sequence !== this.#receivedSequence + 1) return this.#lost("a message was lost", 0);
      this.#receivedSequence = frame.sequence;
      this.#unacknowledgedBytes += bytes.length;
    }
    if (this.#link.kind === "open") this.#link.receivedAtMs = performance.now();
    const connection = this.#connection;
    for (const item of frame.items) {
      this.#receiveItem(item);
      // The item may have ended the connection, or a subscriber that received it may have closed the client.
      if (this.#connection !== connection || this.#over !== undefined) return;
    }
    if (this.#unacknowledgedBytes >= NATIVE_TAKEN_BYTES) {
      this.#unacknowledgedBytes = 0;
      this.#sendSoon({ kind: "taken", sequence: this.#receivedSequence });
    }
    this.#flushSoon();
  }

  #receiveItem(item: GatewayItem): void {
    switch (item.kind) {
      case "opened":
        this.#opened(item);
        return;
      case "pong":
        this.#saw(item.zxid);
        return;
      case "result":
        this.#saw(item.zxid);
        this.#requests.answer(item.id, item);
        return;
      case "changes":
        this.#saw(item.through);
        this.#streams.receive(item);
        return;
      case "compacted":
      case "streamRefused":
        this.#streams.receive(item);
        return;
      default:
        this.#ended(item.reason);
    }
  }

  #saw(zxid: Zxid): void {
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
  }

  #opened(item: Extract<GatewayItem, { readonly kind: "opened" }>): void {
    const { session, password, timeoutMs, server, lane, zxid } = item;
    const nowMs = performance.now();
    const subject = laneSubject(this.#options.ensemble, server, lane);
    this.#link = {
      kind: "open",
      subject,
      openedAtMs: nowMs,
      sentAtMs: nowMs,
      receivedAtMs: nowMs,
      pingedAtMs: nowMs,
    };
    this.#session = session;
    this.#password = password;
    this.#timeoutMs = timeoutMs;
    this.#saw(zxid);
    const { proofs = [] } = this.#options;
    const proving = proofs.map((data): ClientItem => ({ kind: "auth", data }));
    this.#items = [...proving, ...this.#streams.reopen()];
    this.state$.next({ kind: "connected", session, server, lane });
    this.#flushSoon();
  }

  #ended(reason: EndReason): void {
    if (reason === "expired") {
      this.#end((maybeApplied) => new SessionExpiredError({ maybeApplied }), { kind: "expired" });
    } else if (reason === "version") {
      const message = `this client speaks version ${NATIVE_VERSION} of the protocol and the ensemble does not`;
      this.#end((maybeApplied) => new UnreachableError(message, { maybeApplied }), {
        kind: "closed",
      });
    } else if (reason === "authFailed") {
      const message =
        "the ensemble does not take these identities: it has no digests, or they are too many or too long";
      this.#end((maybeApplied) => new UnreachableError(message, { maybeApplied }), {
        kind: "closed",
      });
    } else {
      this.#lastProblem = reason === "noLeader" ? "the ensemble has no leader" : reason;
      const atOnce = this.#link.kind === "open" && reason !== "noLeader";
      this.#lost(`ended by the node: ${reason}`, atOnce ? 0 : RETRY_DELAY_MS);
    }
  }

  /**
   * Notes that the connection is lost. The next attempt comes after about `delayMs`, or when NATS is connected again if that is
   * later.
   */
  #lost(reason: string, delayMs: number): void {
    if (this.#over !== undefined || this.#link.kind === "none") return;
    const nowMs = performance.now();
    const openMs = this.#link.kind === "open" ? nowMs - this.#link.openedAtMs : undefined;
    let waitMs = delayMs * (0.5 + Math.random());
    if (openMs !== undefined && this.#channel.up) {
      waitMs = Math.max(waitMs, this.#backoff.lost(openMs, this.#timeoutMs));
    }
    this.#connection += 1;
    this.#items = [];
    this.#link = { kind: "none", retryAtMs: nowMs + waitMs };
    if (openMs !== undefined) {
      this.#lastProblem = reason;
      this.#requests.connectionLost(new ConnectionLossError(reason));
      const { failures } = this.#backoff;
      this.state$.next({ kind: "reconnecting", reason, failures });
    }
    this.#openIfDue();
  }

  #openIfDue(): void {
    const link = this.#link;
    const isDue = link.kind === "none" && performance.now() >= link.retryAtMs;
    if (isDue && this.#channel.up) this.#open();
  }

  #open(): void {
    if (this.#over !== undefined || this.#link.kind !== "none") return;
    this.#connection += 1;
    this.#sentSequence = 0;
    this.#receivedSequence = 0;
    this.#unacknowledgedBytes = 0;
    this.#link = { kind: "opening", sinceMs: performance.now() };
    const item: ClientItem = {
      kind: "open",
      version: NATIVE_VERSION,
      session: this.#session,
      password: this.#password,
      timeoutMs: this.#options.sessionTimeoutMs,
    };
    const bytes = encodeClientFrame({ sequence: 0, items: [item] });
    this.#channel.send(gatewaySubject(this.#options.ensemble), this.#connection, bytes);
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#requests.expire(nowMs);
    const link = this.#link;
    if (link.kind === "none") {
      this.#openIfDue();
    } else if (link.kind === "opening") {
      const limitMs = Math.min(OPEN_TIMEOUT_MS, this.#timeoutMs / 3);
      if (nowMs - link.sinceMs > limitMs) this.#lost("no gateway answered in time", RETRY_DELAY_MS);
    } else if (nowMs - link.receivedAtMs > (this.#timeoutMs * 2) / 3) {
      this.#lost("the node is silent", 0);
    } else {
      const busy = this.#requests.underWay > 0 || this.#streams.count > 0;
      const unansweredMs = nowMs - Math.max(link.receivedAtMs, link.pingedAtMs);
      // The next tick would be too late: the node counts on hearing of the session within a third of its timeout.
      const due = nowMs + TICK_MS - link.sentAtMs > this.#timeoutMs / 3;
      if (due || (busy && unansweredMs >= PING_BUSY_MS)) {
        link.pingedAtMs = nowMs;
        this.#sendSoon({ kind: "ping" });
      }
    }
  }

  #sendSoon(item: ClientItem): void {
    if (this.#link.kind !== "open") return;
    this.#items.push(item);
    this.#flushSoon();
  }

  /** Sends after the caller's code has run, so that requests it makes together share frames. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#link.kind !== "open" || !this.#channel.up) return;
    const items = this.#items;
    this.#items = [];
    // These do not share a frame with requests, one of which may fill a NATS message by itself.
    for (let start = 0; start < items.length; start += FRAME_ITEMS_MAX) {
      this.#send(this.#link, items.slice(start, start + FRAME_ITEMS_MAX));
    }
    for (;;) {
      const requests = this.#requests.take();
      if (requests.length === 0) return;
      this.#send(this.#link, requests);
    }
  }

  #send(link: Extract<Link, { readonly kind: "open" }>, items: readonly ClientItem[]): void {
    this.#sentSequence += 1;
    const bytes = encodeClientFrame({ sequence: this.#sentSequence, items });
    this.#channel.send(link.subject, this.#connection, bytes);
    link.sentAtMs = performance.now();
  }

  #end(makeError: (maybeApplied: MaybeApplied) => ZooidError, state: SessionState): void {
    if (this.#over instanceof ClosedError) return;
    const error = makeError("no");
    this.#over = error;
    clearInterval(this.#timer);
    this.#closed ??= this.#channel.close();
    this.#connection += 1;
    this.#link = { kind: "none", retryAtMs: Infinity };
    this.#requests.reject(makeError);
    this.#streams.end(error instanceof ClosedError ? undefined : error);
    this.state$.next(state);
    if (state.kind === "closed") this.state$.complete();
  }
}

function withDoubt(problem: UnreachableError, maybeApplied: MaybeApplied): UnreachableError {
  if (maybeApplied === "no") return problem;
  return new UnreachableError(problem.message, { cause: problem, maybeApplied });
}

function decoded(bytes: Uint8Array): Frame<GatewayItem> | undefined {
  try {
    return decodeGatewayFrame(bytes);
  } catch {
    return undefined;
  }
}
