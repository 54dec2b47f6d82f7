/**
 * `npm run bench -- snapshots` uses one node with a large tree. It measures how long the node takes to start again from snapshot and log
 * after a `kill -9`, and the longest pause of a steady stream of writes while a snapshot of the tree is cut.
 */
import { Buffer } from "node:buffer";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { BenchNode } from "./bench-node.ts";
import { BenchError, UsageError } from "./failure.ts";
import { LoadConnection, SEQUENCE_DIGITS } from "./load/connection.ts";
import type { Target } from "./load/plan.ts";
import { Recorder } from "./load/recorder.ts";
import { createFrame, setDataFrame } from "./load/wire.ts";
import { integerOption } from "./options.ts";
import { PacedWriter } from "./paced-writer.ts";
import { count, machine, table, writeJsonFile } from "./report.ts";
import type { Screen } from "./screen.ts";

export const SNAPSHOTS_HELP: string = `Usage: npm run bench -- snapshots [options]

One node alone: fills its tree, writes at a steady rate until it has cut a snapshot, is killed (kill -9) and started again.

  --znodes N             znodes of the tree (default 1000000)
  --value-bytes N        bytes of each (default 100)
  --writes-per-second N  while the snapshot is cut (default 5000)
  --dir FOLDER           where its data goes (default: the system's folder for temporary files)
  --json FILE            where the figures go
  --help                 this text`;

export type SnapshotsOptions = {
  readonly help: boolean;
  readonly znodes: number;
  readonly valueBytes: number;
  readonly writesPerSecond: number;
  readonly dir: string;
  readonly json: string | undefined;
};

/** How many children each parent in the tree has. */
const FOLDER_ZNODES = 1000;
const FILL_CONNECTIONS = 8;
const FILL_OUTSTANDING = 256;
export function parseSnapshotsOptions(args: readonly string[]): SnapshotsOptions {
  const { values } = parsed(args);
  const problems: string[] = [];
  const whole = (name: keyof typeof values, fallback: number, min: number): number =>
    integerOption(values[name], { name, fallback, min, max: 100_000_000 }, problems);
  const options = {
    help: values.help,
    znodes: whole("znodes", 1_000_000, FOLDER_ZNODES),
    valueBytes: whole("value-bytes", 100, 0),
    writesPerSecond: whole("writes-per-second", 5000, 100),
    dir: values.dir ?? tmpdir(),
    json: values.json,
  };
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return options;
}

function parsed(args: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(args);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parse(args: readonly string[]): { values: Values } {
  return parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      znodes: { type: "string" },
      "value-bytes": { type: "string" },
      "writes-per-second": { type: "string" },
      dir: { type: "string" },
      json: { type: "string" },
    },
  });
}

type Values = {
  readonly help: boolean;
  readonly znodes?: string;
  readonly "value-bytes"?: string;
  readonly "writes-per-second"?: string;
  readonly dir?: string;
  readonly json?: string;
};

export async function snapshots(
  options: SnapshotsOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(options.dir, "zooid-bench-"));
  let node: BenchNode | undefined;
  try {
    node = await BenchNode.start(folder, signal);
    const fillSeconds = await fill(node.target, options, screen, signal);
    const pause = await writeThroughSnapshot(node, options, screen, signal);
    await node.kill();
    screen.status("killed; starting again");
    const began = performance.now();
    node = await BenchNode.start(folder, signal);
    await node.serves(options.znodes, signal);
    const restartSeconds = (performance.now() - began) / 1000;
    const figures = { fillSeconds, ...pause, restartSeconds };
    screen.print(report(options, figures));
    if (options.json !== undefined) {
      await writeJsonFile(options.json, { machine: machine(), options, figures });
    }
  } finally {
    await node?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

type Pause = {
  readonly snapshotSeconds: number;
  readonly longestPauseMs: number;
  readonly longestPauseElsewhereMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

function report(
  options: SnapshotsOptions,
  figures: Pause & { readonly fillSeconds: number; readonly restartSeconds: number },
): string {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  return table([
    [`${count(options.znodes)} znodes of ${options.valueBytes} bytes`, ""],
    ["filled in", seconds(figures.fillSeconds)],
    [
      `cut of a snapshot at ${count(options.writesPerSecond)} writes/s`,
      seconds(figures.snapshotSeconds),
    ],
    ["longest time without an acknowledged write meanwhile", ms(figures.longestPauseMs)],
    ["the same while no snapshot was cut", ms(figures.longestPauseElsewhereMs)],
    ["latency of the writes, p50", ms(figures.p50Ms)],
    ["latency of the writes, p99", ms(figures.p99Ms)],
    ["from kill -9 to serving the whole tree", seconds(figures.restartSeconds)],
  ]);
}

/** Creates the tree through several connections. Returns how many seconds it took. */
async function fill(
  target: Target,
  { znodes, valueBytes }: SnapshotsOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<number> {
  const began = performance.now();
  const recorder = new Recorder();
  const value = Buffer.alloc(valueBytes, "z");
  const connections = await Promise.all(
    Array.from({ length: FILL_CONNECTIONS }, async () => {
      const connection = new LoadConnection(target, recorder, FILL_OUTSTANDING);
      await connection.open();
      return connection;
    }),
  );
  const folders = Math.ceil(znodes / FOLDER_ZNODES);
  let next = 0;
  const work = async (connection: LoadConnection): Promise<void> => {
    while (next < folders && !signal.aborted) {
      const folder = next;
      next += 1;
      const path = `/f${String(folder).padStart(6, "0")}`;
      await connection.request(createFrame(path, Buffer.alloc(0)));
      const name = `${path}/z`;
      const frame = createFrame(name + "0".repeat(SEQUENCE_DIGITS), value);
      const sequenceEnd = frame.indexOf(name) + name.length + SEQUENCE_DIGITS;
      await connection.run({ frame, sequenceEnd, count: FOLDER_ZNODES });
      if (connection.lost !== undefined) throw new BenchError(String(connection.lost));
      if (folder % 50 === 0) screen.status(`filled ${count(folder * FOLDER_ZNODES)} znodes`);
    }
  };
  await Promise.all(connections.map(work));
  signal.throwIfAborted();
  for (const connection of connections) connection.close();
  return (performance.now() - began) / 1000;
}

/** Writes steadily while one snapshot is cut, from beginning to end. */
async function writeThroughSnapshot(
  node: BenchNode,
  options: SnapshotsOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<Pause> {
  const frame = setDataFrame("/f000000", Buffer.alloc(options.valueBytes, "w"));
  const writer = await PacedWriter.open(node.target, frame, options.writesPerSecond);
  const wait = async (until: () => Promise<boolean>, what: string): Promise<number> => {
    for (let round = 0; !(await until()); round += 1) {
      signal.throwIfAborted();
      if (writer.lost !== undefined)
        throw new BenchError(`the writer lost its connection: ${writer.lost.message}`);
      if (round % 50 === 0) screen.status(`${count(writer.acknowledged)} writes, ${what}`);
      await sleep(20);
    }
    return performance.now();
  };
  // A snapshot that was begun while the tree was filled must be finished before the measured one can begin.
  await wait(async () => !(await node.cutsSnapshot()), "a snapshot of the filling is being cut");
  const startedAt = performance.now();
  const beganAt = await wait(() => node.cutsSnapshot(), "waiting for the next snapshot");
  const storedAt = await wait(
    async () => !(await node.cutsSnapshot()),
    "the snapshot is being cut",
  );
  await sleep(1000);
  await writer.close();
  return {
    snapshotSeconds: (storedAt - beganAt) / 1000,
    longestPauseMs: writer.longestPauseMs(beganAt - 100, storedAt + 100),
    longestPauseElsewhereMs: writer.longestPauseMs(startedAt, beganAt - 100),
    p50Ms: writer.latencyMs(0.5),
    p99Ms: writer.latencyMs(0.99),
  };
}
