/**
 * An actor: its state and one function that decides. It gets a message and answers by changing its state and with effects,
 * which are plain data. It reads no clock, random source, file or socket: what it needs of them comes in the turn or as
 * messages. The third parameter says which effects it may ask for, so that a type tells who may touch the disk.
 */
import type { Effect } from "./effects.ts";
import type { FirstTurn, Turn } from "./turn.ts";

/**
 * What happens when an actor throws, or when one of its effects cannot be performed. `restart`: it starts again, and is told
 * again the last value of each topic of state that it is wired to; the message is lost. `stopNode`: a node that may be wrong must
 * not vote. `recover`: the actor's own `recover` decides (a gateway closes the one connection); a message of a topic of state then
 * comes again.
 */
export type Supervision = "restart" | "stopNode" | "recover";

/**
 * What happens to a message that finds the mailbox full. `drop`: it is lost, which the log says (for
 * messages whose protocol repeats them). `stopNode`: a sender broke its own limit, so this is a bug.
 */
export type WhenFull = "drop" | "stopNode";

export type Actor<State, Message extends object, E extends Effect = Effect> = {
  /** Unique on the node; `name/N` for the actor of lane N. */
  readonly name: string;
  readonly supervision: Supervision;
  readonly mailbox: { readonly capacity: number; readonly whenFull: WhenFull };
  readonly start: (turn: FirstTurn<E>) => State;
  readonly receive: (turn: Turn<State, E>, message: Message) => void;
  /** Required with supervision `recover`. Its turn begins without effects; none of those of the turn that failed is performed. */
  readonly recover?: (turn: Turn<State, E>, message: Message, error: unknown) => void;
};
