/** Reads `--name value`, `--name=value`, `--name` and words without dashes, and reports every mistake at once. */
import { nearest } from "../server/config/nearest.ts";

export type Flag = {
  readonly name: string;
  /** The placeholder of the value in the help text; undefined for a flag without a value. */
  readonly placeholder: string | undefined;
  readonly summary: string;
};

/** An argument without dashes, or `-` alone, that a command needs. Its position says which it is. */
export type Operand = {
  readonly name: string;
  readonly summary: string;
  /** What it is when it is not given. Default: it must be. */
  readonly byDefault?: string;
};

export type Flags = {
  /** The values of the flags, by name without dashes. A flag that takes no value has the value `true`. */
  readonly values: ReadonlyMap<string, string>;
  /** The operands, by name. */
  readonly operands: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
};

export const HELP: Flag = { name: "help", placeholder: undefined, summary: "this text" };

function problemOf(name: string, flags: readonly Flag[]): string {
  const near = nearest(
    name,
    flags.map((flag) => flag.name),
  );
  return `unknown flag --${name}${near === undefined ? "" : `; did you mean --${near}?`}`;
}

/** Reads the arguments. If a flag is given twice, the last one counts. */
export function readFlags(
  args: readonly string[],
  known: readonly Flag[],
  needed: readonly Operand[] = [],
): Flags {
  const flags = [...known, HELP];
  const values = new Map<string, string>();
  const problems: string[] = [];
  const operands = new Map<string, string>();
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] === "-h" ? "--help" : (args[index] ?? "");
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(arg);
    const [, name = "", inline] = match ?? [];
    const flag = flags.find((candidate) => candidate.name === name);
    const operand = needed[operands.size];
    if (match === null && operand !== undefined && (arg === "-" || !arg.startsWith("-"))) {
      operands.set(operand.name, arg);
    } else if (match === null) {
      problems.push(`unexpected argument ${arg}`);
    } else if (flag === undefined) {
      problems.push(problemOf(name, flags));
      // The argument after an unknown flag is most likely its value, so it is not reported as well.
      if (inline === undefined && args[index + 1]?.startsWith("-") === false) index += 1;
    } else if (flag.placeholder === undefined) {
      if (inline === undefined) values.set(name, "true");
      else problems.push(`--${name} takes no value`);
    } else if (inline !== undefined) {
      values.set(name, inline);
    } else if (args[index + 1] === undefined || args[index + 1]?.startsWith("--") === true) {
      problems.push(`--${name} needs a value: --${name} ${flag.placeholder}`);
    } else {
      index += 1;
      values.set(name, args[index] ?? "");
    }
  }
  for (const { name, summary, byDefault } of needed.slice(operands.size)) {
    if (byDefault === undefined) problems.push(`<${name}> is missing: ${summary}`);
    else operands.set(name, byDefault);
  }
  return { values, operands, problems };
}

/** Returns one line for each flag, with the summaries aligned. */
export function flagsText(known: readonly Flag[]): string {
  const flags = [...known, HELP];
  const left = flags.map(({ name, placeholder }) =>
    placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`,
  );
  const width = Math.max(...left.map((text) => text.length));
  return flags
    .map((flag, index) => `  ${(left[index] ?? "").padEnd(width)}  ${flag.summary}`)
    .join("\n");
}
