/**
 * `zooid complete`: what the scripts of `completion` ask. `complete bash LINE WORDBREAKS` is about a line up to the cursor, `complete words
 * WORD…` about the words behind the name of the program. It prints the kind, `values`, `open` or `files`, and a line for each candidate.
 */
import type { Client } from "../../../client/connect.ts";
import { EXIT_FAILED, EXIT_OK } from "../../command.ts";
import { COMMANDS } from "../../commands.ts";
import type { Flag as NodeFlag } from "../../flags.ts";
import { CONNECTION_FLAGS, open, targetOf } from "../connection.ts";
import { Given } from "../given.ts";
import { escaped } from "../escape.ts";
import { split } from "../shell/split.ts";
import type { Flag } from "../spec.ts";
import { SPECS, specOf } from "../specs.ts";
import { type Candidates, candidatesOf, type Completable } from "./candidates.ts";
import { patienceMsOf } from "./patience.ts";

export async function complete([kind, ...rest]: readonly string[]): Promise<number> {
  try {
    if (kind === "bash") {
      const [line = "", breaks = ""] = rest;
      const { words, last } = split(line);
      const all = last.raw === "" ? [...words, ""] : words;
      print(await answersFor(all.slice(1)), brokenOff(last.raw, breaks));
    } else {
      print(await answersFor(rest), 0);
    }
    return EXIT_OK;
  } catch {
    // Nobody can be told in the middle of a line.
    return EXIT_FAILED;
  }
}

function print({ values, files, open: isOpen }: Candidates, cut: number): void {
  const kind = files ? "files" : isOpen ? "open" : "values";
  const lines = values.map(({ value, summary }) => {
    return `${escaped(value.slice(cut))}${summary === "" ? "" : `\t${escaped(summary)}`}`;
  });
  console.log([kind, ...lines].join("\n"));
}

/** How much of a word bash keeps, since it takes what follows such a character for a word of its own. */
function brokenOff(raw: string, breaks: string): number {
  const last = raw
    .split("")
    .findLastIndex((character) => !/[\s'"]/.test(character) && breaks.includes(character));
  return last + 1;
}

async function answersFor(words: readonly string[]): Promise<Candidates> {
  const patienceMs = patienceMsOf(process.env);
  let client: Client | undefined;
  try {
    return await candidatesOf(words, {
      names: [...COMMANDS, ...SPECS],
      commandOf: async (name) => specOf(name) ?? nodeCommandOf(name),
      withConnection: true,
      children: async (path) => {
        client ??= await open(
          targetOf(connectionOf(words, patienceMs), process.env),
          AbortSignal.timeout(patienceMs),
        );
        return (await client.children(path, { timeoutMs: patienceMs })).children;
      },
    });
  } finally {
    await client?.close();
  }
}

/** The flags of a connection among words that are perhaps no whole command yet. */
function connectionOf(words: readonly string[], patienceMs: number): Given {
  const flags = new Map<string, readonly string[]>([["timeout-ms", [String(patienceMs)]]]);
  for (const { name } of CONNECTION_FLAGS) {
    const values = words.flatMap((word, at) => {
      if (word === `--${name}`) return words.slice(at + 1, at + 2);
      return word.startsWith(`--${name}=`) ? [word.slice(name.length + 3)] : [];
    });
    if (values.length > 0 && name !== "timeout-ms") flags.set(name, values);
  }
  return new Given(new Map(), flags);
}

async function nodeCommandOf(name: string): Promise<Completable | undefined> {
  const command = await COMMANDS.find((each) => each.name === name)?.load();
  if (command === undefined) return undefined;
  const operands = (command.operands ?? []).map((operand) => {
    return { ...operand, completes: "file" } as const;
  });
  return { operands, flags: command.flags.map(flagOf), connects: false };
}

function flagOf({ name, placeholder, summary }: NodeFlag): Flag {
  const isFile = placeholder === "FILE" || placeholder === "FOLDER";
  return {
    ...{ name, summary, completes: isFile ? "file" : "nothing" },
    ...(placeholder === undefined ? {} : { placeholder }),
  };
}
