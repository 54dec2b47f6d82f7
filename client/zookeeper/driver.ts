/** Drives a session over ZooKeeper's protocol (`session/`): carries what it says over connections, and its changes to subscribers. */
import type { CommonEffect, CommonMessage, Failure } from "../session/messages.ts";
import { Driver, type Environment, type Handlers } from "../session-driver.ts";
import type { Wish } from "../wire.ts";
import type { Channel } from "./channel.ts";
import type { Login } from "./login.ts";
import type { SessionEffect, SessionMessage, SessionOptions } from "./session/messages.ts";
import { receive, start, validUntilMs } from "./session/session.ts";
import type { State } from "./session/state.ts";

export type DriverOptions = Handlers & {
  readonly channel: Channel;
  readonly environment: Environment;
  readonly session: SessionOptions;
  /** Begins a login by SASL. Default: there is none. */
  readonly login?: (() => Login) | undefined;
};

type OwnMessage = Exclude<SessionMessage, CommonMessage>;
type OwnEffect = Exclude<SessionEffect, CommonEffect>;

export class ZooKeeperDriver extends Driver<OwnMessage, OwnEffect> {
  readonly #channel: Channel;
  readonly #beginLogin: (() => Login) | undefined;
  readonly #state: State;
  /** The login of the connection with this number. */
  #login: { readonly connection: number; readonly login: Login } | undefined;

  constructor({ channel, environment, session, login, ...handlers }: DriverOptions) {
    super(environment, handlers);
    this.#channel = channel;
    this.#beginLogin = login;
    const { state, effects } = start(session, this.context());
    this.#state = state;
    channel.onEvent((event) => this.tell(event));
    this.performAll(effects);
  }

  get validUntilMs(): number {
    return validUntilMs(this.#state);
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

  /** A stream of children is one of the whole subtree here. */
  protected subscribing(subscription: number, { path, recursive: scope, after }: Wish): OwnMessage {
    return {
      ...{ kind: "subscribe", subscription, path, recursive: scope !== false },
      ...{ after: after ?? this.lastZxid, isExact: after !== undefined },
    };
  }

  protected perform(effect: OwnEffect): void {
    switch (effect.kind) {
      case "resolve":
        this.#channel.resolve(effect.connection, effect.host);
        return;
      case "dial":
        this.#channel.dial(effect.connection, effect);
        return;
      case "send":
        this.#channel.send(effect.connection, effect.frames);
        return;
      case "hangUp":
        this.#channel.hangUp(effect.connection);
        return;
      case "solve":
        this.#solve(effect.connection, effect.challenge);
        return;
      case "deliver":
        this.#deliver(effect);
        return;
      default:
        effect satisfies never;
    }
  }

  protected closeChannel(): Promise<void> {
    return this.#channel.close();
  }

  #solve(connection: number, challenge: Uint8Array): void {
    if (this.#beginLogin === undefined) return;
    if (this.#login?.connection !== connection) {
      this.#login = { connection, login: this.#beginLogin() };
    }
    this.tell({ kind: "solved", connection, step: this.#login.login.answer(challenge) });
  }

  #deliver(effect: Extract<OwnEffect, { readonly kind: "deliver" }>): void {
    const { subscription, changes, through } = effect;
    let isTaken = false;
    this.observers.get(subscription)?.portion(changes, through, () => {
      if (isTaken) return;
      isTaken = true;
      this.tell({ kind: "consumed", subscription, changes: changes.length });
    });
  }
}
