/**
 * Drives a session, over whichever protocol: gives it time and chance, and calls back whoever waits. One message is taken after the other:
 * what a callback asks for is taken when the effects before it have been performed. What carries the session's bytes is for the
 * drivers of the two protocols (`driver.ts`, `zookeeper/driver.ts`).
 */
import type { NativeRequest } from "../protocol/native-packing.ts";
import { ZXID_NONE, type Zxid } from "../protocol/zxid.ts";
import type {
  CommonEffect,
  CommonMessage,
  Failure,
  Outcome,
  SessionState,
  TimerName,
} from "./session/messages.ts";
import type { StreamObserver, Wish } from "./wire.ts";

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

export const REAL_ENVIRONMENT: Environment = {
  nowMs: () => performance.now(),
  random: Math.random,
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  soon: queueMicrotask,
};

export type Handlers = {
  readonly onState: (state: SessionState) => void;
  /** The session has ended, and the channel is being closed. */
  readonly onClosing?: (closing: Promise<void>) => void;
};

/** `Message` and `Effect` are those that only sessions of one protocol have. */
export abstract class Driver<
  Message extends { readonly kind: string },
  Effect extends { readonly kind: string },
> {
  protected readonly environment: Environment;
  protected readonly observers: Map<number, StreamObserver> = new Map();
  readonly #handlers: Handlers;
  readonly #settles = new Map<number, (outcome: Outcome) => void>();
  readonly #timers = new Map<TimerName, () => void>();
  /** Messages that came while another one was taken. */
  readonly #mailbox: (Message | CommonMessage)[] = [];
  #isTaking = false;
  #channelClosed = false;
  #lastZxid: Zxid = ZXID_NONE;
  #requests = 0;
  #subscriptions = 0;

  constructor(environment: Environment, handlers: Handlers) {
    this.environment = environment;
    this.#handlers = handlers;
  }

  /** The latest zxid of which the client's callers have been told. */
  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  /** Until when, by the environment's clock, the ensemble has certainly not ended the session. */
  abstract get validUntilMs(): number;

  /** Why the last attempt to connect failed, in words. */
  abstract get lastProblem(): string;

  /** Why every further request fails, once the session has ended; undefined before. */
  abstract get over(): Failure | undefined;

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
    this.tell({ kind: "request", id, request, timeoutMs });
    return () => {
      if (this.#settles.has(id)) this.tell({ kind: "cancel", id });
    };
  }

  /** Returns a function that ends the subscription; nothing is told after it. */
  subscribe(wish: Wish, observer: StreamObserver): () => void {
    this.#subscriptions += 1;
    const subscription = this.#subscriptions;
    this.observers.set(subscription, observer);
    this.tell(this.subscribing(subscription, wish));
    return () => {
      if (this.observers.delete(subscription)) this.tell({ kind: "unsubscribe", subscription });
    };
  }

  /** Ends the session. With a connection its ephemeral znodes are deleted at once; without one the session expires later. */
  close(): void {
    this.#requests += 1;
    this.tell({ kind: "close", id: this.#requests });
  }

  /** Has the session take the message, and returns what it asks for. */
  protected abstract take(message: Message | CommonMessage): readonly (Effect | CommonEffect)[];

  protected abstract perform(effect: Effect): void;

  protected abstract subscribing(subscription: number, wish: Wish): Message;

  protected abstract closeChannel(): Promise<void>;

  protected context(): { readonly nowMs: number; readonly random: () => number } {
    return { nowMs: this.environment.nowMs(), random: this.environment.random };
  }

  protected tell(message: Message | CommonMessage): void {
    this.#mailbox.push(message);
    if (!this.#isTaking) this.performAll([]);
  }

  /** Performs what the session asked for when it began, or nothing, and takes what came meanwhile. */
  protected performAll(first: readonly (Effect | CommonEffect)[]): void {
    this.#isTaking = true;
    try {
      for (const effect of first) this.#perform(effect);
      for (let next = this.#mailbox.shift(); next !== undefined; next = this.#mailbox.shift()) {
        for (const effect of this.take(next)) this.#perform(effect);
      }
    } finally {
      this.#isTaking = false;
    }
  }

  #perform(effect: Effect | CommonEffect): void {
    if (isCommon(effect)) this.#performCommon(effect);
    else this.perform(effect);
  }

  #performCommon(effect: CommonEffect): void {
    switch (effect.kind) {
      case "flushSoon":
        this.environment.soon(() => this.tell({ kind: "flush" }));
        return;
      case "startTimer":
        this.#startTimer(effect.timer, effect.delayMs);
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
        this.#handlers.onState(effect.state);
        return;
      case "endSubscriptions":
        for (const each of effect.subscriptions) {
          const observer = this.observers.get(each);
          this.observers.delete(each);
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

  #startTimer(timer: TimerName, delayMs: number): void {
    this.#timers.get(timer)?.();
    const run = (): void => this.tell({ kind: "timer", timer });
    this.#timers.set(timer, this.environment.after(delayMs, run));
  }

  #closeChannel(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    if (this.#channelClosed) return;
    this.#channelClosed = true;
    const closing = this.closeChannel();
    this.#handlers.onClosing?.(closing);
  }
}

const COMMON: Readonly<Record<CommonEffect["kind"], true>> = {
  flushSoon: true,
  startTimer: true,
  saw: true,
  settle: true,
  stateChanged: true,
  endSubscriptions: true,
  closeChannel: true,
};

function isCommon(effect: { readonly kind: string }): effect is CommonEffect {
  return Object.hasOwn(COMMON, effect.kind);
}
