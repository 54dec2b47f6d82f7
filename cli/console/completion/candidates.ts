/** What may stand where the cursor is: names of commands, flags, paths of znodes. For completion by a shell, and inside `zooid shell`. */
import { childOf, parentOf } from "../../../protocol/paths.ts";
import { CONNECTION_FLAGS } from "../connection.ts";
import type { Completes, Flag, Operand } from "../spec.ts";

export type Candidate = { readonly value: string; readonly summary: string };

export type Candidates = {
  readonly values: readonly Candidate[];
  /** Names of files may stand there, which the shell knows. */
  readonly files: boolean;
  /** More may follow a value without a blank, as in a path. */
  readonly open: boolean;
};

/** What completion needs to know of a command. */
export type Completable = {
  readonly operands: readonly Operand[];
  readonly flags: readonly Flag[];
  readonly connects: boolean;
};

export type Sources = {
  readonly names: readonly { readonly name: string; readonly summary: string }[];
  readonly commandOf: (name: string) => Promise<Completable | undefined>;
  /** Whether the flags of a connection may stand there. */
  readonly withConnection: boolean;
  /** The names of a znode's children. */
  readonly children: (path: string) => Promise<readonly string[]>;
};

const NOTHING: Candidates = { values: [], files: false, open: false };
const HELP: Flag = { short: "h", name: "help", summary: "what the command does" };
/** More are no help to anybody. */
const PATHS_MAX = 1000;

/** `words`: from the command on; the last one is what has been typed of it, perhaps nothing. */
export async function candidatesOf(
  words: readonly string[],
  sources: Sources,
): Promise<Candidates> {
  const [name = "", ...rest] = words;
  if (rest.length === 0) {
    const values = sources.names.map((each) => ({ value: each.name, summary: each.summary }));
    return { ...NOTHING, values: beginningWith(name, values) };
  }
  const command = await sources.commandOf(name);
  if (command === undefined) return NOTHING;
  const more = command.connects && sources.withConnection ? CONNECTION_FLAGS : [];
  return inCommand(rest, { ...command, flags: [...command.flags, ...more, HELP] }, sources);
}

async function inCommand(
  words: readonly string[],
  { operands, flags }: Completable,
  sources: Sources,
): Promise<Candidates> {
  const current = words.at(-1) ?? "";
  const { awaited, given, count, isEnded } = readBefore(words.slice(0, -1), flags);
  if (awaited !== undefined) return ofKind(awaited.completes ?? "nothing", current, sources);
  const [, long, typed] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (long !== undefined && !isEnded) {
    const flag = flags.find(({ name }) => `--${name}` === long);
    const found = await ofKind(flag?.completes ?? "nothing", typed ?? "", sources);
    const values = found.values.map(({ value, summary }) => ({
      value: `${long}=${value}`,
      summary,
    }));
    return { ...found, values };
  }
  if (current.startsWith("-") && !isEnded) {
    const free = flags.filter((flag) => flag.repeats === true || !given.has(flag));
    return { ...NOTHING, values: beginningWith(current, free.flatMap(formsOf)) };
  }
  const operand = operands[Math.min(count, operands.length - 1)];
  const isTaken = operand === undefined || (count >= operands.length && operand.variadic !== true);
  return ofKind(isTaken ? "nothing" : operand.completes, current, sources);
}

type Before = {
  /** The flag whose value comes next. */
  readonly awaited: Flag | undefined;
  readonly given: ReadonlySet<Flag>;
  /** How many operands there are. */
  readonly count: number;
  /** `--` has ended the flags. */
  readonly isEnded: boolean;
};

function readBefore(words: readonly string[], flags: readonly Flag[]): Before {
  const given = new Set<Flag>();
  let awaited: Flag | undefined;
  let count = 0;
  let isEnded = false;
  for (const word of words) {
    if (awaited !== undefined) {
      awaited = undefined;
    } else if (isEnded || !word.startsWith("-") || word === "-") {
      count += 1;
    } else if (word === "--") {
      isEnded = true;
    } else {
      const [form = ""] = word.split("=");
      const flag = flags.find(({ name, short }) => form === `--${name}` || form.at(-1) === short);
      if (flag === undefined) continue;
      given.add(flag);
      if (flag.placeholder !== undefined && !word.includes("=")) awaited = flag;
    }
  }
  return { awaited, given, count, isEnded };
}

function formsOf({ name, short, summary }: Flag): readonly Candidate[] {
  const letter = short === undefined ? [] : [{ value: `-${short}`, summary }];
  return [{ value: `--${name}`, summary }, ...letter];
}

async function ofKind(kind: Completes, current: string, sources: Sources): Promise<Candidates> {
  switch (kind) {
    case "nothing":
      return NOTHING;
    case "file":
      return { ...NOTHING, files: true };
    case "path":
      return { values: await pathsFor(current, sources), files: false, open: true };
  }
}

/** A path that is typed to its end is followed by what is below it. */
async function pathsFor(current: string, { children }: Sources): Promise<readonly Candidate[]> {
  if (!current.startsWith("/")) return current === "" ? [{ value: "/", summary: "" }] : [];
  const isBelow = current.endsWith("/");
  const parent = isBelow ? current.slice(0, -1) || "/" : parentOf(current);
  const found = beginningWith(current, valuesOf(parent, await children(parent)));
  if (isBelow || found.length !== 1 || found[0]?.value !== current)
    return found.slice(0, PATHS_MAX);
  const below = valuesOf(current, await children(current));
  return below.length === 0 ? found : below.slice(0, PATHS_MAX);
}

function valuesOf(parent: string, names: readonly string[]): readonly Candidate[] {
  return names
    .map((name) => ({ value: childOf(parent, name), summary: "" }))
    .sort((one, other) => (one.value < other.value ? -1 : 1));
}

function beginningWith(typed: string, values: readonly Candidate[]): readonly Candidate[] {
  return values.filter(({ value }) => value.startsWith(typed));
}
