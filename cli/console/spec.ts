/** What a command of the console is, as data: the parser, the help, the shell, completion and the reference are all made of it. */
import type { Context } from "./context.ts";
import type { Given } from "./given.ts";

/** What the shell proposes where a user types such a word. */
export type Completes = "path" | "file" | "nothing";

/** Returns what is wrong with the text; undefined if nothing is. */
export type Rule = (text: string) => string | undefined;

export type Operand = {
  readonly name: string;
  readonly summary: string;
  readonly completes: Completes;
  /** Default: it must be given. */
  readonly optional?: true;
  /** It takes all that follows; the last operand only. */
  readonly variadic?: true;
};

export type Flag = {
  /** One letter. Default: none. */
  readonly short?: string;
  readonly name: string;
  /** What stands for its value in the help. Default: it takes none. */
  readonly placeholder?: string;
  readonly summary: string;
  /** Default: nothing. */
  readonly completes?: Completes;
  /** Default: every text will do. */
  readonly rule?: Rule;
  /** It may be given several times. */
  readonly repeats?: true;
  /** Names of flags with which it is not given together. */
  readonly excludes?: readonly string[];
};

export type Example = { readonly command: string; readonly does: string };

/** Returns the exit code. */
export type Run = (given: Given, context: Context) => Promise<number>;

export type Spec = {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** What is not obvious, in sentences. Default: nothing. */
  readonly details?: string;
  readonly operands: readonly Operand[];
  readonly flags: readonly Flag[];
  readonly examples: readonly Example[];
  /** Whether it needs a session; those that do have the flags of a connection. */
  readonly connects: boolean;
  /** How many milliseconds it may take to end when the user has ended it. Default 2000. */
  readonly endingMs?: number;
  /** Loads what does the work. Nothing else of a command is loaded before it runs. */
  readonly load: () => Promise<{ readonly run: Run }>;
};

const INT32_MAX = 2 ** 31 - 1;

export const isCount: Rule = (text) =>
  /^\d{1,15}$/.test(text) ? undefined : "it is a whole number from 0 on";

export const isPositive: Rule = (text) =>
  /^[1-9]\d{0,14}$/.test(text) ? undefined : "it is a whole number from 1 on";

/** It is a whole number from 1 to `most`. */
export function wholeUpTo(most: number): Rule {
  return (text) =>
    isPositive(text) === undefined && Number(text) <= most
      ? undefined
      : `it is a whole number from 1 to ${most}`;
}

export const isVersion: Rule = (text) =>
  /^-?\d{1,10}$/.test(text) && Math.abs(Number(text)) <= INT32_MAX
    ? undefined
    : "it is a version as stat shows it, or -1 for any";

export const isZxid: Rule = (text) =>
  /^(?:0x[0-9a-f]{1,14}|\d{1,16})$/i.test(text) && Number.isSafeInteger(Number(text))
    ? undefined
    : "it is a zxid such as 0x100000005";
