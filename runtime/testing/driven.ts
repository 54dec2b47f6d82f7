/** An actor that is called by hand, one message at a time, without a system: for tests and benchmarks of its decisions. */
import type { Actor } from "../actor.ts";
import type { Effect } from "../effects.ts";
import type { Context } from "../turn.ts";

/** No time passes and nothing is drawn. */
export const STILL: Context = {
  nowMs: 0,
  wallMs: 0,
  random: () => 0,
  randomBytes: (length) => new Uint8Array(length),
};

export class DrivenActor<State, Message extends object, E extends Effect> {
  readonly state: State;
  /** What its start asked for. */
  readonly started: readonly E[];
  readonly #actor: Actor<State, Message, E>;

  constructor(actor: Actor<State, Message, E>, context: Context = STILL) {
    this.#actor = actor;
    const effects: E[] = [];
    this.state = actor.start({ ...context, effects });
    this.started = effects;
  }

  /** What it asks for over the message. */
  receive(message: Message, context: Context = STILL): readonly E[] {
    const effects: E[] = [];
    this.#actor.receive({ ...context, state: this.state, effects }, message);
    return effects;
  }

  recover(message: Message, error: unknown, context: Context = STILL): readonly E[] {
    const effects: E[] = [];
    this.#actor.recover?.({ ...context, state: this.state, effects }, message, error);
    return effects;
  }
}
