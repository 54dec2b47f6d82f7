/** Reads and writes results as files. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { BenchError } from "../failure.ts";
import type { Environment } from "./environment.ts";
import type { Measurement } from "./measurement.ts";
import { groupsOf, ratiosOf } from "./statistics.ts";

/** Changes when a reader of older files would misread newer ones. */
export const FORMAT = 1;

export type Results = {
  readonly format: typeof FORMAT;
  readonly environment: Environment;
  /** The command line. */
  readonly args: readonly string[];
  readonly measurements: readonly Measurement[];
};

/** Writes every round, with the medians and ratios, so that no reader needs to compute them. */
export async function writeResults(file: string, results: Results): Promise<void> {
  const { measurements } = results;
  const medians = groupsOf(measurements).map(({ profile, name, target, spreads }) => {
    return { profile, name, target, spreads };
  });
  const content = { ...results, medians, ratios: ratiosOf(measurements) };
  await writeText(file, `${JSON.stringify(content, undefined, 2)}\n`);
}

export async function writeText(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

export async function readResults(file: string): Promise<Results> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new BenchError(`${file}: cannot be read as results: ${String(error)}`, { cause: error });
  }
  if (!isResults(content)) {
    throw new BenchError(`${file}: not results of this bench (format ${FORMAT})`);
  }
  return content;
}

function isResults(content: unknown): content is Results {
  return (
    typeof content === "object" &&
    content !== null &&
    "format" in content &&
    content.format === FORMAT &&
    "measurements" in content &&
    Array.isArray(content.measurements)
  );
}

/** The measurements of an earlier run, under a name that tells them apart from those of the same target now. */
export function asBaseline({ environment, measurements }: Results): readonly Measurement[] {
  return measurements.map((each) => {
    return { ...each, target: `${each.target} (baseline ${environment.commit})` };
  });
}
