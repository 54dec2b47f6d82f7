/** What a command of `zooid` is, and the exit codes that all have in common. */
import type { Flag, Operand } from "./flags.ts";

export type Command = {
  readonly name: string;
  /** For the list of commands. */
  readonly summary: string;
  /** What it does and an example or two; the flags follow it in the help text. */
  readonly description: string;
  readonly flags: readonly Flag[];
  /** All of them are needed. Default: none. */
  readonly operands?: readonly Operand[];
  /** Returns the exit code. */
  run(flags: ReadonlyMap<string, string>, operands: ReadonlyMap<string, string>): Promise<number>;
};

export const EXIT_OK = 0;
/** The work failed. */
export const EXIT_FAILED = 1;
/** It was asked for in a way that cannot be done: wrong flags or settings. */
export const EXIT_MISUSED = 2;

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
