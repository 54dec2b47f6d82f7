/** What the nodes say of themselves in their logs, counted: that snapshots, purging and repair happened at all. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** The word in the log, and what the report calls it. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["leading", "leaders elected"],
  ["snapshotStored", "snapshots cut"],
  ["snapshotInstalled", "snapshots installed"],
  ["segmentPurged", "segments purged"],
  ["tornWriteCut", "torn writes cut off"],
  ["diskNearlyFull", "disks found nearly full"],
  ["diskFull", "disks found full"],
  ["sessionExpired", "connections of expired sessions closed"],
]);

export type ServerWords = ReadonlyMap<string, number>;

export async function countWords(logFiles: readonly string[]): Promise<ServerWords> {
  const counts = new Map([...WORDS.values()].map((name) => [name, 0]));
  for (const file of logFiles) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const name = wordOf(line);
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

/** A line is: time, level, node=N, actor, word, fields. */
function wordOf(line: string): string | undefined {
  const word = /^\S+ +\w+ +node=\d+ \S+ (\w+)/.exec(line)?.[1];
  return word === undefined ? undefined : WORDS.get(word);
}
