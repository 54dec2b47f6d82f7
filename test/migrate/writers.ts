/** Foreign clients that write through a migration, with a log of what they were answered, and what of it is lost. */
import { fileURLToPath } from "node:url";
import type { Client } from "../../client/connect.ts";
import { Child } from "../support/child.ts";

const KAZOO = fileURLToPath(new URL("kazoo_writer.py", import.meta.url));
const PYTHON = "/usr/bin/python3";

/** Whoever has written less has not been there before and after the switch. */
const WRITES_MIN = 10;
/** The sequence number at the end of a name. */
const DIGITS = 10;

export type Log = {
  /** The last value that was answered, and the last one that was asked for. */
  readonly value: number;
  readonly asked: number;
  readonly sequential: readonly string[];
  readonly deleted: readonly string[];
  /** How many children were made and deleted at once, and the name of one that was made after them. */
  readonly short: number;
  readonly last: string;
  readonly sessions: number;
  readonly failed: readonly string[];
};

export function startKazoo(address: string, name: string): Child {
  return new Child({ command: PYTHON, args: [KAZOO, address, name], waitMsMax: 600_000 });
}

/** Ends a writer, and returns its log. */
export async function logOf(writer: Child): Promise<Log> {
  writer.process.stdin?.end();
  return JSON.parse(await writer.line(/^\{/)) as Log;
}

/** Whatever was answered is there, and no number was given twice: returns what is not so. */
export async function lossesOf(client: Client, name: string, log: Log): Promise<readonly string[]> {
  const losses: string[] = [];
  const { data } = await client.get(`/load/values/${name}`);
  const value = Number(Buffer.from(data ?? []).toString());
  if (value < log.value || value > log.asked) {
    losses.push(`${name}: the value is ${value}, not from ${log.value} to ${log.asked}`);
  }
  const { sequential } = log;
  if (sequential.length < WRITES_MIN) losses.push(`${name}: it has hardly written`);
  for (const [index, path] of sequential.entries()) {
    if (path <= (sequential[index - 1] ?? ""))
      losses.push(`${path} comes after ${sequential[index - 1]}`);
  }
  const { children } = await client.children(`/load/items/${name}`);
  const there = new Set([...log.deleted, ...children.map((each) => `/load/items/${name}/${each}`)]);
  losses.push(...sequential.filter((path) => !there.has(path)).map((path) => `${path} is gone`));
  // Each has counted, though hardly one of them was seen.
  if (Number(log.last.slice(-DIGITS)) < log.short) losses.push(`${log.last} after ${log.short}`);
  if (log.sessions !== 2) losses.push(`${name}: ${log.sessions} sessions, not one at each side`);
  return losses;
}
