/** The type of a command of `zooid`, and the exit codes that all commands share. */
import type { Flag, Operand } from "./flags.ts";

export type Command = {
  /** What the command does, with an example or two. The help text continues with the flags. */
  readonly description: string;
  readonly flags: readonly Flag[];
  /** The operands. Those without a default are needed. Default: none. */
  readonly operands?: readonly Operand[];
  /** Returns the exit code. */
  run(flags: ReadonlyMap<string, string>, operands: ReadonlyMap<string, string>): Promise<number>;
};

export const EXIT_OK = 0;
/** The exit code when the work failed. */
export const EXIT_FAILED = 1;
/** The exit code for wrong flags or settings: nothing was done. */
export const EXIT_MISUSED = 2;

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
