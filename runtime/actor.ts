/**
 * An actor: its state and one function that decides. It gets a message and answers with its next state and with effects
 * as plain data. It may change its own state object in place; nobody else sees it. It reads no clock, random source,
 * file or socket: what it needs of them comes in the context or as messages.
 */
import type { Effect } from "./effects.ts";

export type Step<State> = { readonly state: State; readonly effects: readonly Effect[] };

/** Time and randomness as handed in by the runtime: the same seed gives the same values. */
export type Context = {
  /** Monotonic milliseconds; only differences mean something. */
  readonly nowMs: number;
  /** Unix time in milliseconds: for stamps that users see, never for ordering. */
  readonly wallMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Cryptographically strong outside simulation. */
  readonly randomBytes: (length: number) => Uint8Array;
};

/**
 * What happens when an actor throws, or an effect of its cannot be done. `restart`: a new state from `start`, which is told
 * again what was said last under each topic of state; the message is lost. `stopNode`: a node that may
 * be wrong must not vote. `recover`: the actor's own `recover` decides (a gateway closes the one connection); a message of
 * state then comes again.
 */
export type Supervision = "restart" | "stopNode" | "recover";

/**
 * What happens to a message that finds the mailbox full. `drop`: it is lost and said so on the inspection stream (for
 * messages whose protocol repeats them). `stopNode`: a sender broke its own limit, so this is a bug.
 */
export type WhenFull = "drop" | "stopNode";

export type Actor<State, Message extends object> = {
  /** Unique on the node; `name/N` for the actor of lane N. */
  readonly name: string;
  readonly supervision: Supervision;
  readonly mailbox: { readonly capacity: number; readonly whenFull: WhenFull };
  readonly start: (context: Context) => Step<State>;
  readonly receive: (state: State, message: Message, context: Context) => Step<State>;
  /** Required with supervision `recover`. */
  readonly recover?: (state: State, message: Message, error: unknown) => Step<State>;
};
