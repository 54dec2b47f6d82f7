/**
 * Drives a session over ZooKeeper's protocol (`session/`): gives it time and chance, carries what it says over the channel, and calls back
 * whoever waits. One message is taken after the other: what a callback asks for is taken when the effects before it have been performed.
 */
import { ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Environment } from "../driver.ts";
import type { Wish } from "../wire.ts";
import type { Channel } from "./channel.ts";
import type { Login } from "./login.ts";
import type {
  Failure,
  Outcome,
  Request,
  SessionEffect,
  SessionMessage,
  SessionOptions,
  SessionState,
  StreamEnd,
  TimerName,
} from "./session/messages.ts";
import { receive, start, validUntilMs } from "./session/session.ts";
import type { State } from "./session/state.ts";

export type StreamObserver = {
  readonly portion: (changes: readonly Change[], through: Zxid, taken: () => void) => void;
  readonly ended: (end: StreamEnd) => void;
};

export type DriverOptions = {
  readonly channel: Channel;
  readonly environment: Pick<Environment, "nowMs" | "random" | "after" | "soon">;
  readonly session: SessionOptions;
  /** Begins a login by SASL. Default: there is none. */
  readonly login?: (() => Login) | undefined;
  readonly onState: (state: SessionState) => void;
  /** The session has ended, and the channel is being closed. */
  readonly onClosing?: (closing: Promise<void>) => void;
};

export class ZooKeeperDriver {
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
  /** The login of the connection with this number. */
  #login: { readonly connection: number; readonly login: Login } | undefined;

  constructor(options: DriverOptions) {
    const { channel, session } = options;
    this.#options = options;
    const { state, effects } = start(session, this.#context());
    this.#state = state;
    channel.onEvent((event) => this.#tell(event));
    this.#performAll(effects);
  }

  /** The latest zxid of which the client's callers have been told. */
  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  get lastProblem(): string {
    return this.#state.lastProblem;
  }

  get validUntilMs(): number {
    return validUntilMs(this.#state);
  }

  /** Why every further request fails, once the session has ended; undefined before. */
  get over(): Failure | undefined {
    return this.#state.over;
  }

  /** Returns the number of the request. `settle` is called once. */
  request(
    request: Request,
    timeoutMs: number | undefined,
    settle: (outcome: Outcome) => void,
  ): number {
    this.#requests += 1;
    const id = this.#requests;
    this.#settles.set(id, settle);
    this.#tell({ kind: "request", id, request, timeoutMs });
    return id;
  }

  /** The caller waits no longer. */
  cancel(id: number): void {
    this.#tell({ kind: "cancel", id });
  }

  /** Returns a function that ends the subscription; nothing is told after it. */
  subscribe({ path, recursive: scope, after }: Wish, observer: StreamObserver): () => void {
    this.#subscriptions += 1;
    const subscription = this.#subscriptions;
    this.#observers.set(subscription, observer);
    const from = after ?? this.#lastZxid;
    const isExact = after !== undefined;
    // A stream of children is one of the whole subtree here.
    const recursive = scope !== false;
    this.#tell({ kind: "subscribe", subscription, path, recursive, after: from, isExact });
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
      case "resolve":
        channel.resolve(effect.connection, effect.host);
        return;
      case "dial":
        channel.dial(effect.connection, effect);
        return;
      case "send":
        channel.send(effect.connection, effect.frames);
        return;
      case "hangUp":
        channel.hangUp(effect.connection);
        return;
      case "solve":
        this.#solve(effect.connection, effect.challenge);
        return;
      case "flushSoon":
        environment.soon(() => this.#tell({ kind: "flush" }));
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
        onState(effect.state);
        return;
      case "deliver":
        this.#deliver(effect);
        return;
      case "endSubscription": {
        const observer = this.#observers.get(effect.subscription);
        this.#observers.delete(effect.subscription);
        observer?.ended(effect.end);
        return;
      }
      case "closeChannel":
        this.#closeChannel();
        return;
      default:
        effect satisfies never;
    }
  }

  #solve(connection: number, challenge: Uint8Array): void {
    const { login } = this.#options;
    if (login === undefined) return;
    if (this.#login?.connection !== connection) this.#login = { connection, login: login() };
    this.#tell({ kind: "solved", connection, step: this.#login.login.answer(challenge) });
  }

  #startTimer(timer: TimerName, delayMs: number): void {
    this.#timers.get(timer)?.();
    const run = (): void => this.#tell({ kind: "timer", timer });
    this.#timers.set(timer, this.#options.environment.after(delayMs, run));
  }

  #deliver(effect: Extract<SessionEffect, { readonly kind: "deliver" }>): void {
    const { subscription, changes, through } = effect;
    let isTaken = false;
    this.#observers.get(subscription)?.portion(changes, through, () => {
      if (isTaken) return;
      isTaken = true;
      this.#tell({ kind: "consumed", subscription, changes: changes.length });
    });
  }

  #closeChannel(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    if (this.#channelClosed) return;
    this.#channelClosed = true;
    this.#options.onClosing?.(this.#options.channel.close());
  }
}
