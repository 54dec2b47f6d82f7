/** What is fuzzed: bytes in, a word for what happened out. */
import type { Random } from "../sim/random.ts";

export type Target = {
  readonly name: string;
  /** Bytes that are as they should be, from which the fuzzing begins. */
  readonly seeds: () => readonly Uint8Array[];
  /** Pieces that mean something in this format; they are put into inputs. */
  readonly tokens: readonly Uint8Array[];
  /** A change that knows the format: lengths, checksums, types. Used for half of the inputs. */
  readonly vary?: (bytes: Uint8Array, random: Random) => Uint8Array;
  /** The size of the largest inputs. */
  readonly bytesMax: number;
  /** Turns in each round; default 1. More for a target whose inputs do much. */
  readonly turns?: number;
  /** What any input may take on top of 100 ms a megabyte, in CPU time; default 25 ms. */
  readonly cpuMsMin?: number;
  /**
   * Takes the input and says in a word or two what kind of thing happened; an input that makes a new kind happen is kept and
   * changed further. Throws when anything is wrong; a clear refusal of the input is not.
   */
  readonly run: (bytes: Uint8Array) => string;
};

/** Something that has to hold does not. */
export class Violation extends Error {
  override readonly name = "Violation";
}

export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Violation(what);
}

/** Runs what may refuse its input with these errors; the message of such a refusal, or undefined. */
export function refusal(
  run: () => void,
  ...classes: readonly (abstract new (
    ...args: never[]
  ) => Error)[]
): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Error && classes.some((each) => error instanceof each)) {
      return error.message;
    }
    throw error;
  }
}

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

export function utf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}
