/**
 * Drives a session (`client/session/`): gives it time and chance, carries its messages over the channel, and calls back whoever waits.
 * One message is taken after the other: what a callback asks for is taken when the effects before it have been performed.
 */
import type { NativeRequest } from "../protocol/native-packing.ts";
import { ZXID_NONE, type Zxid } from "../protocol/zxid.ts";
import type { StreamObserver, Wish } from "./wire.ts";
import type { NatsChannel } from "./nats-channel.ts";
import type {
  Failure,
  Outcome,
  SessionEffect,
  SessionMessage,
  SessionOptions,
  SessionState,
  TimerName,
} from "./session/messages.ts";
import { receive, start } from "./session/session.ts";
import type { State } from "./session/state.ts";

/** What a session uses of its connection to NATS. */
export type Channel = Pick<NatsChannel, "up" | "onEvent" | "send" | "close">;

export type Environment = {
  /** Monotonic milliseconds; only differences mean something. */
  readonly nowMs: () => number;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
  /** Returns a function that cancels it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Runs it once the caller's code has run. */
  readonly soon: (run: () => void) => void;
};

export type DriverOptions = {
  readonly channel: Channel;
  readonly environment: Environment;
  readonly session: SessionOptions;
  readonly onState: (state: SessionState) => void;
  /** The session has ended, and the channel is being closed. */
  readonly onClosing?: (closing: Promise<void>) => void;
};

export const REAL_ENVIRONMENT: Environment = {
  nowMs: () => performance.now(),
  random: Math.random,
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  soon: queueMicrotask,
};

export class SessionDriver {
  readonly #options: DriverOptions;
  readonly #state: State;
  readonly #settles = new Map<number, (outcome: Outcome) => void>();
  readonly #observers = new Map<number, StreamObserver>();
  readonly #timers = new Map<TimerName, () => void>();
  /** Messages that came while another one was taken. */
  readonly #mailbox: SessionMessage[] = [];
  #isTaking = false;
  #channelClosed = false;
  #lastZxid: Zxid = ZXID_NONE;
  #requests = 0;
  #subscriptions = 0;

  constructor(options: DriverOptions) {
    const { channel, session } = options;
    this.#options = options;
    const { state, effects } = start({ options: session, up: channel.up }, this.#context());
    this.#state = state;
    channel.onEvent((event) => this.#tell(event));
    this.#performAll(effects);
  }

  /** The latest zxid of which the client's callers have been told. */
  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  /** Until when, by the environment's clock, the ensemble has certainly not ended the session. */
  get validUntilMs(): number {
    return this.#state.validUntilMs;
  }

  get lastProblem(): string {
    return this.#state.lastProblem;
  }

  /** Why every further request fails, once the session has ended; undefined before. */
  get over(): Failure | undefined {
    return this.#state.over;
  }

  /**
   * `settle` is called once. `timeoutMs` takes the place of the session's `operationTimeoutMs`. Returns a function with which the caller waits
   * no longer: the request fails then as `cancelled`, if it has no outcome yet.
   */
  request(
    request: NativeRequest,
    settle: (outcome: Outcome) => void,
    { timeoutMs }: { readonly timeoutMs?: number | undefined } = {},
  ): () => void {
    this.#requests += 1;
    const id = this.#requests;
    this.#settles.set(id, settle);
    this.#tell({ kind: "request", id, request, timeoutMs });
    return () => {
      if (this.#settles.has(id)) this.#tell({ kind: "cancel", id });
    };
  }

  /** Returns a function that ends the subscription; nothing is told after it. */
  subscribe({ path, recursive, after }: Wish, observer: StreamObserver): () => void {
    this.#subscriptions += 1;
    const subscription = this.#subscriptions;
    this.#observers.set(subscription, observer);
    const from = after ?? this.#lastZxid;
    this.#tell({ kind: "subscribe", subscription, path, recursive, after: from });
    return () => {
      if (this.#observers.delete(subscription)) this.#tell({ kind: "unsubscribe", subscription });
    };
  }

  /** Ends the session. With a connection its ephemeral znodes are deleted at once; without one the session expires later. */
  close(): void {
    this.#requests += 1;
    this.#tell({ kind: "close", id: this.#requests });
  }

  #context(): { readonly nowMs: number; readonly random: () => number } {
    const { environment } = this.#options;
    return { nowMs: environment.nowMs(), random: environment.random };
  }

  #tell(message: SessionMessage): void {
    this.#mailbox.push(message);
    if (!this.#isTaking) this.#performAll([]);
  }

  #performAll(first: readonly SessionEffect[]): void {
    this.#isTaking = true;
    try {
      for (const effect of first) this.#perform(effect);
      for (let next = this.#mailbox.shift(); next !== undefined; next = this.#mailbox.shift()) {
        for (const effect of receive(this.#state, next, this.#context())) this.#perform(effect);
      }
    } finally {
      this.#isTaking = false;
    }
  }

  #perform(effect: SessionEffect): void {
    const { channel, environment, onState } = this.#options;
    switch (effect.kind) {
      case "send":
        channel.send(effect.subject, effect.connection, effect.bytes);
        return;
      case "flushSoon":
        environment.soon(() => this.#tell({ kind: "flush" }));
        return;
      case "startTimer":
        this.#startTimer(effect);
        return;
      case "saw":
        this.#lastZxid = effect.zxid;
        return;
      case "settle": {
        const settle = this.#settles.get(effect.id);
        this.#settles.delete(effect.id);
        settle?.(effect.outcome);
        return;
      }
      case "stateChanged":
        onState(effect.state);
        return;
      case "deliver":
        this.#deliver(effect);
        return;
      case "endSubscriptions":
        for (const each of effect.subscriptions) {
          const observer = this.#observers.get(each);
          this.#observers.delete(each);
          observer?.ended(effect.end);
        }
        return;
      case "closeChannel":
        this.#closeChannel();
        return;
      default:
        effect satisfies never;
    }
  }

  #startTimer({ timer, delayMs }: Extract<SessionEffect, { readonly kind: "startTimer" }>): void {
    const { after } = this.#options.environment;
    this.#timers.get(timer)?.();
    this.#timers.set(
      timer,
      after(delayMs, () => this.#tell({ kind: "timer", timer })),
    );
  }

  /** Those that take a portion while they are told of it are told to the session together. */
  #deliver(effect: Extract<SessionEffect, { readonly kind: "deliver" }>): void {
    const { subscriptions, changes, through } = effect;
    let atOnce: number[] | undefined = [];
    for (const each of subscriptions) {
      let isTaken = false;
      this.#observers.get(each)?.portion(changes, through, () => {
        if (isTaken) return;
        isTaken = true;
        if (atOnce === undefined) this.#consumed([each], changes.length);
        else atOnce.push(each);
      });
    }
    this.#consumed(atOnce, changes.length);
    atOnce = undefined;
  }

  #consumed(subscriptions: readonly number[], changes: number): void {
    if (subscriptions.length === 0 || changes === 0) return;
    this.#tell({ kind: "consumed", subscriptions, changes });
  }

  #closeChannel(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    if (this.#channelClosed) return;
    this.#channelClosed = true;
    const closing = this.#options.channel.close();
    this.#options.onClosing?.(closing);
  }
}
