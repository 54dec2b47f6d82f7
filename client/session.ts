/**
 * A client's session over connections that come and go: it opens one at any gateway, keeps it alive, and when it is lost
 * attaches to the same session through another. Requests wait meanwhile; a read that was under way is asked again, a write
 * that was under way is rejected with ConnectionLossError, because nobody knows whether it was done.
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
  gatewaySubject,
  laneSubject,
  NATIVE_VERSION,
} from "../protocol/native.ts";
import type { NativeRequest, NativeResult } from "../protocol/native-packing.ts";
import { ZXID_NONE, type Zxid } from "../protocol/zxid.ts";
import { Backoff } from "./backoff.ts";
import { type ChangesOptions, Streams } from "./changes.ts";
import type { ChannelEvent, NatsChannel } from "./nats-channel.ts";
import { Requests } from "./requests.ts";

export type SessionOptions = {
  readonly ensemble: string;
  readonly sessionTimeoutMs: number;
  readonly operationTimeoutMs: number;
};

export type SessionState =
  | { readonly kind: "connecting" }
  /** `server` and `lane` serve the connection. */
  | {
      readonly kind: "connected";
      readonly session: SessionId;
      readonly server: number;
      readonly lane: number;
    }
  /**
   * The session may still be alive; operations wait. `failures`: connections that were lost in a row, each soon after it was
   * opened. Above 1 the client waits before it connects again, longer each time.
   */
  | { readonly kind: "reconnecting"; readonly reason: string; readonly failures: number }
  /** The session is over, its ephemeral nodes are gone. */
  | { readonly kind: "expired" }
  | { readonly kind: "closed" };

/** What a session needs of its connection to NATS. */
export type Channel = Pick<NatsChannel, "up" | "onEvent" | "say" | "close">;

export type Answer = { readonly zxid: Zxid; readonly result: NativeResult };

/** Where the connection stands. */
type Link =
  | { readonly kind: "none"; retryAtMs: number }
  | { readonly kind: "opening"; readonly sinceMs: number }
  | {
      readonly kind: "open";
      readonly subject: string;
      readonly openedAtMs: number;
      saidAtMs: number;
      heardAtMs: number;
      pingedAtMs: number;
    };

const TICK_MS = 50;
/** A gateway that takes longer than this, or a third of the session, to answer is given up. */
const OPEN_TIMEOUT_MS = 3_000;
/** A gateway without a leader, and an ensemble without a gateway, are asked again after about this time. */
const RETRY_DELAY_MS = 150;
/** With something under way, a silence of this length is answered by a ping: its answer shows what was lost. */
const PING_BUSY_MS = 500;
const CLOSE_TIMEOUT_MS = 2_000;
/** Of a frame with anything but requests. */
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
  /** Number of the connection; part of its inbox, so an older one's frames are known. */
  #connection = 0;
  #said = 0;
  #heard = 0;
  /** Bytes heard and not yet said to be taken. */
  #untoldBytes = 0;
  #items: ClientItem[] = [];
  #flushing = false;
  /** Why nothing can be asked any more. */
  #over: ZooidError | undefined;
  #closed: Promise<void> | undefined;
  /** For the message of a first connection that fails. */
  #lastProblem = "no gateway answered";

  constructor(channel: Channel, options: SessionOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#timeoutMs = options.sessionTimeoutMs;
    this.#requests = new Requests(options.operationTimeoutMs);
    this.#streams = new Streams({
      lastZxid: () => this.#lastZxid,
      tell: (item) => this.#tell(item),
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

  /** Why nothing can be asked any more. */
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

  /** Ends the session, so that its ephemeral nodes go at once, if there is a connection; else it expires by itself. */
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
    // If the answer does not come the session expires by itself.
    const answered = closing.then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([answered, late]);
    clearTimeout(timer);
  }

  #happened(event: ChannelEvent): void {
    switch (event.kind) {
      case "heard":
        if (event.connection === this.#connection) this.#hear(event.bytes);
        return;
      case "noResponders":
        if (event.connection !== this.#connection) return;
        this.#lastProblem = "no node of this ensemble is there";
        this.#lost("the node is gone", this.#link.kind === "opening" ? RETRY_DELAY_MS : 0);
        return;
      case "down":
        // Whoever connects to it again waits by itself.
        this.#lost("the NATS server is gone", 0);
        return;
      case "up":
        this.#openIfDue();
        return;
      default:
        this.#end((maybeApplied) => withDoubt(event.problem, maybeApplied), { kind: "closed" });
    }
  }

  #hear(bytes: Uint8Array): void {
    const frame = decoded(bytes);
    if (frame === undefined) return this.#lost("a frame was not understood", 0);
    if (frame.sequence !== 0) {
      if (frame.sequence !== this.#heard + 1) return this.#lost("a message was lost", 0);
      this.#heard = frame.sequence;
      this.#untoldBytes += bytes.length;
    }
    if (this.#link.kind === "open") this.#link.heardAtMs = performance.now();
    const connection = this.#connection;
    for (const item of frame.items) {
      this.#hearItem(item);
      // The item may have ended the connection, or its receiver closed the client.
      if (this.#connection !== connection || this.#over !== undefined) return;
    }
    if (this.#untoldBytes >= NATIVE_TAKEN_BYTES) {
      this.#untoldBytes = 0;
      this.#tell({ kind: "taken", sequence: this.#heard });
    }
    this.#flushSoon();
  }

  #hearItem(item: GatewayItem): void {
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
        this.#streams.hear(item);
        return;
      case "compacted":
      case "streamRefused":
        this.#streams.hear(item);
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
      saidAtMs: nowMs,
      heardAtMs: nowMs,
      pingedAtMs: nowMs,
    };
    this.#session = session;
    this.#password = password;
    this.#timeoutMs = timeoutMs;
    this.#saw(zxid);
    this.#items = this.#streams.reopen();
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
    } else {
      this.#lastProblem = reason === "noLeader" ? "the ensemble has no leader" : reason;
      const atOnce = this.#link.kind === "open" && reason !== "noLeader";
      this.#lost(`ended by the node: ${reason}`, atOnce ? 0 : RETRY_DELAY_MS);
    }
  }

  /** The connection is lost; a new one is tried after about the delay, or when the NATS server is back. */
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
    this.#said = 0;
    this.#heard = 0;
    this.#untoldBytes = 0;
    this.#link = { kind: "opening", sinceMs: performance.now() };
    const item: ClientItem = {
      kind: "open",
      version: NATIVE_VERSION,
      session: this.#session,
      password: this.#password,
      timeoutMs: this.#options.sessionTimeoutMs,
    };
    const bytes = encodeClientFrame({ sequence: 0, items: [item] });
    this.#channel.say(gatewaySubject(this.#options.ensemble), this.#connection, bytes);
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
    } else if (nowMs - link.heardAtMs > (this.#timeoutMs * 2) / 3) {
      this.#lost("the node is silent", 0);
    } else {
      const busy = this.#requests.underWay > 0 || this.#streams.count > 0;
      const unansweredMs = nowMs - Math.max(link.heardAtMs, link.pingedAtMs);
      const due = nowMs - link.saidAtMs >= this.#timeoutMs / 3;
      if (due || (busy && unansweredMs >= PING_BUSY_MS)) {
        link.pingedAtMs = nowMs;
        this.#tell({ kind: "ping" });
      }
    }
  }

  #tell(item: ClientItem): void {
    if (this.#link.kind !== "open") return;
    this.#items.push(item);
    this.#flushSoon();
  }

  /** After the turn, so that what was asked in it shares frames. */
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
    // Apart from requests, of which one alone may fill a NATS message.
    for (let start = 0; start < items.length; start += FRAME_ITEMS_MAX) {
      this.#say(this.#link, items.slice(start, start + FRAME_ITEMS_MAX));
    }
    for (;;) {
      const requests = this.#requests.take();
      if (requests.length === 0) return;
      this.#say(this.#link, requests);
    }
  }

  #say(link: Extract<Link, { readonly kind: "open" }>, items: readonly ClientItem[]): void {
    this.#said += 1;
    const bytes = encodeClientFrame({ sequence: this.#said, items });
    this.#channel.say(link.subject, this.#connection, bytes);
    link.saidAtMs = performance.now();
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
