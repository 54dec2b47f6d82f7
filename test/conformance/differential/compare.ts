/** Compares what clients of two servers saw, step by step. */
import { explains, partsWays } from "./intended.ts";
import { areEqual, type Line, type Lines } from "./lines.ts";
import type { Program, Step } from "./program.ts";

export type Difference = {
  readonly step: number;
  readonly client: number;
  readonly theirs: readonly Line[];
  readonly ours: readonly Line[];
};

export type Comparison = {
  /** Those that no intended difference explains. */
  readonly differences: readonly Difference[];
  /** The names of the intended differences that were seen. */
  readonly intended: readonly string[];
};

/** `theirs` is what is right. */
export function compare(program: Program, theirs: Lines, ours: Lines): Comparison {
  const differences: Difference[] = [];
  const intended: string[] = [];
  for (const [index, step] of program.steps.entries()) {
    const [left, right] = [theirs.get(index), ours.get(index)];
    for (const client of new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])) {
      const pair = { theirs: left?.get(client) ?? [], ours: right?.get(client) ?? [] };
      const isSame = areEqual(pair.theirs, pair.ours);
      const explained = isSame ? { names: [], ends: false } : explains(step, pair);
      if (explained === undefined) differences.push({ step: index, client, ...pair });
      else intended.push(...explained.names);
      const parted = partsWays(pair.theirs);
      if (parted !== undefined) intended.push(parted);
      // From here on the two do not hold the same.
      if (explained === undefined || explained.ends || parted !== undefined) {
        return { differences, intended };
      }
    }
  }
  return { differences, intended };
}

export function describe({ steps }: Program, difference: Difference): string {
  const { step, client, theirs, ours } = difference;
  const shown = (lines: readonly Line[]): string[] =>
    lines.map(({ text, zxid }) => `    ${text}${zxid === "" ? "" : ` at ${zxid}`}`);
  return [
    ...steps.slice(0, step + 1).map((each, index) => `  ${index}: ${stepText(each)}`),
    `  connection ${client} of ZooKeeper received:`,
    ...shown(theirs),
    `  and of the other:`,
    ...shown(ours),
  ].join("\n");
}

function stepText(step: Step): string {
  const { kind, client, ...rest } = step;
  return `${kind} ${client} ${JSON.stringify(rest)}`;
}
