/**
 * `npm run bench -- snapshots` uses one node with a large tree. It measures how long the node takes to start again from snapshot and log
 * after a `kill -9`, and the longest pause of a steady stream of writes while a snapshot of the tree is cut.
 */
import { Buffer } from "node:buffer";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BenchError } from "../failure.ts";
import { fill, folderPath } from "../load/zookeeper/fill.ts";
import { PacedWriter } from "../load/zookeeper/paced-writer.ts";
import { setDataFrame } from "../load/zookeeper/wire.ts";
import type { MetricName } from "../report/measurement.ts";
import { count } from "../report/table.ts";
import type { Screen } from "../screen.ts";
import { BenchNode } from "../targets/bench-node.ts";
import type { ProfileContext } from "./profile.ts";

const ZNODES = 1_000_000;

export async function snapshots({
  options,
  screen,
  signal,
  record,
}: ProfileContext): Promise<void> {
  const znodes = options.znodes ?? ZNODES;
  const { valueBytes, writesPerSecond } = options;
  const folder = await mkdtemp(join(options.folder, "zooid-bench-"));
  let node: BenchNode | undefined;
  try {
    node = await BenchNode.start(folder, signal);
    await fill([node.address], { znodes, valueBytes }, { screen, signal });
    const pause = await writeThroughSnapshot(node, { valueBytes, writesPerSecond, screen, signal });
    await node.kill();
    screen.status("killed; starting again");
    const began = performance.now();
    node = await BenchNode.start(folder, signal);
    await node.serves(znodes, signal);
    record({
      profile: "snapshots",
      name: `${count(znodes)} znodes, ${count(writesPerSecond)} writes/s`,
      target: "zooid, one node",
      round: 1,
      metrics: { ...pause, restartMs: performance.now() - began },
    });
  } finally {
    await node?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

type Pause = Readonly<Partial<Record<MetricName, number>>>;

type Writing = {
  readonly valueBytes: number;
  readonly writesPerSecond: number;
  readonly screen: Screen;
  readonly signal: AbortSignal;
};

/** Writes steadily while one snapshot is cut, from beginning to end. */
async function writeThroughSnapshot(
  node: BenchNode,
  { valueBytes, writesPerSecond, screen, signal }: Writing,
): Promise<Pause> {
  const frame = setDataFrame(folderPath(0), Buffer.alloc(valueBytes, "w"));
  const writer = await PacedWriter.open(node.address, frame, writesPerSecond);
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
    pauseMs: writer.longestPauseMs(beganAt - 100, storedAt + 100),
    pauseElsewhereMs: writer.longestPauseMs(startedAt, beganAt - 100),
    p50: writer.latencyMs(0.5),
    p99: writer.latencyMs(0.99),
  };
}
