/** Drives a session over NATS (`session/`): carries its frames over the channel, and its portions of changes to subscribers. */
import type { NatsChannel } from "./nats-channel.ts";
import type {
  CommonEffect,
  CommonMessage,
  Failure,
  SessionEffect,
  SessionMessage,
  SessionOptions,
} from "./session/messages.ts";
import { receive, start } from "./session/session.ts";
import type { State } from "./session/state.ts";
import { Driver, type Environment, type Handlers } from "./session-driver.ts";
import type { Wish } from "./wire.ts";

/** What a session uses of its connection to NATS. */
export type Channel = Pick<NatsChannel, "up" | "onEvent" | "send" | "close">;

export type DriverOptions = Handlers & {
  readonly channel: Channel;
  readonly environment: Environment;
  readonly session: SessionOptions;
};

type OwnMessage = Exclude<SessionMessage, CommonMessage>;
type OwnEffect = Exclude<SessionEffect, CommonEffect>;

export class SessionDriver extends Driver<OwnMessage, OwnEffect> {
  readonly #channel: Channel;
  readonly #state: State;

  constructor({ channel, environment, session, ...handlers }: DriverOptions) {
    super(environment, handlers);
    this.#channel = channel;
    const { state, effects } = start({ options: session, up: channel.up }, this.context());
    this.#state = state;
    channel.onEvent((event) => this.tell(event));
    this.performAll(effects);
  }

  get validUntilMs(): number {
    return this.#state.validUntilMs;
  }

  get lastProblem(): string {
    return this.#state.lastProblem;
  }

  get over(): Failure | undefined {
    return this.#state.over;
  }

  protected take(message: SessionMessage): readonly SessionEffect[] {
    return receive(this.#state, message, this.context());
  }

  protected subscribing(
    subscription: number,
    { path, recursive, after = this.lastZxid }: Wish,
  ): OwnMessage {
    return { kind: "subscribe", subscription, path, recursive, after };
  }

  protected perform(effect: OwnEffect): void {
    if (effect.kind === "send") {
      this.#channel.send(effect.subject, effect.connection, effect.bytes);
    } else {
      this.#deliver(effect);
    }
  }

  protected closeChannel(): Promise<void> {
    return this.#channel.close();
  }

  /** Those that take a portion while they are told of it are told to the session together. */
  #deliver(effect: Extract<OwnEffect, { readonly kind: "deliver" }>): void {
    const { subscriptions, changes, through } = effect;
    let atOnce: number[] | undefined = [];
    for (const each of subscriptions) {
      let isTaken = false;
      this.observers.get(each)?.portion(changes, through, () => {
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
    this.tell({ kind: "consumed", subscriptions, changes });
  }
}
