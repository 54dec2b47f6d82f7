/** A part of the campaign of recipes: all that the processes do with one recipe, and what has to hold of it. */
import type { SeededRandomness } from "../../../runtime/testing/virtual-clock.ts";
import type { Client, TestEnsemble } from "../../../testing/ensemble.ts";
import { BadArgumentsError, ZooidError } from "../../../protocol/errors.ts";
import { pause } from "../../../client/recipes/again.ts";
import { Violation } from "../checks/violation.ts";
import type { Violated } from "./holders.ts";

/** A process, for as long as one session of its lasts. */
export type User = {
  /** Where the process is number 2 and has its third session: `2-3`. */
  readonly name: string;
  readonly client: Client;
  readonly random: SeededRandomness;
  readonly isPaused: () => boolean;
  /** False once its session is over, or the end of the campaign has begun. */
  readonly goesOn: () => boolean;
  /** From now on it has what others want, until the function that is returned is called. */
  readonly holds: () => () => void;
};

export interface Part {
  /** Called once, by a client that nothing happens to. */
  prepare(witness: Client): Promise<void>;
  /** Resolves when the user does not go on; what follows something goes on following until the session ends. */
  use(user: User): Promise<void>;
  /** Nothing fails any more, and these users still have their sessions. Throws a Violation. */
  checkEnd(users: readonly User[], witness: Client): Promise<void>;
}

export type Surroundings = {
  readonly ensemble: TestEnsemble;
  readonly figures: Figures;
  /** How far the clients' clocks may be from the true time, as a share. */
  readonly drift: number;
  /** The first that was found. Code of a recipe may have taken it for an error of its caller's. */
  violation: Violation | undefined;
};

/** How often something has happened that the campaign is about. */
export class Figures {
  readonly counts: Map<string, number> = new Map<string, number>();

  add(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }
}

export function violatedAt(recipe: string, surroundings: Surroundings): Violated {
  return (what) => {
    const violation = new Violation(
      "recipe safety",
      `${recipe}: ${what}, at ${surroundings.ensemble.nowMs} ms`,
    );
    surroundings.violation ??= violation;
    throw violation;
  };
}

/** For what an Observable calls, whose errors nobody would hear of. The campaign knows of a violation already. */
export function noting<Value>(look: (value: Value) => void): (value: Value) => void {
  return (value) => {
    try {
      look(value);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
    }
  };
}

/** Does the step again and again, with a rest between; an operation may fail, which the step has taken note of. */
export async function overAndOver(
  user: User,
  restMs: number,
  step: () => Promise<void>,
): Promise<void> {
  const { client, random } = user;
  while (user.goesOn()) {
    try {
      await step();
    } catch (error) {
      if (!isOutcome(error)) throw error;
    }
    await pause(client.wire.clock, random.random() * restMs, client.signal);
  }
}

/** What operations may end with. What they are asked is always right. */
export function isOutcome(error: unknown): error is ZooidError {
  return error instanceof ZooidError && !(error instanceof BadArgumentsError);
}

export async function rest({ client, random }: User, mostMs: number): Promise<void> {
  await pause(client.wire.clock, random.random() * mostMs, NEVER);
}

const NEVER: AbortSignal = new AbortController().signal;

/** Everything below the path, by name; nothing while there is no znode. */
export async function namesBelow(witness: Client, path: string): Promise<readonly string[]> {
  const { stat } = await witness.exists(path, { consistency: "linearizable" });
  return stat === undefined ? [] : (await witness.children(path)).children;
}
