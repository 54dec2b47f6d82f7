/**
 * `npm run bench -- operator`: what clients of a large tree notice of an operator. Each ensemble is in a crossover trial (`trial.ts`) without a
 * load, and then with one client and with thirty. Tools are processes which take processor and disk from whatever else runs on the machine,
 * and on a machine of its own an ensemble would not meet them; so they are compared with the same tools that ask a twin.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { SeededRandomness, seedOfStream } from "../../../runtime/testing/virtual-clock.ts";
import type { Draw } from "../../draw.ts";
import type { DisturbanceWord } from "../../options.ts";
import type { Measurement } from "../../report/measurement.ts";
import { median } from "../../report/statistics.ts";
import { metricsOf } from "../load.ts";
import type { ProfileContext } from "../profile.ts";
import { comparisonText, type MeasuredSlot, meanOf } from "./comparison.ts";
import { type Disturbance, DISTURBANCES } from "./disturbances.ts";
import { backupOfFilled, type FilledBackup, startRestored } from "./restored.ts";
import { latenciesOf } from "./slots.ts";
import { msOfRounds, runTrial, type TrialPlan, type TrialResult } from "./trial.ts";

const CONNECTIONS = [1, 30];
/** Processor time is steady without a load, so a few rounds tell it. */
const ROUNDS_WITHOUT_LOAD_MAX = 6;
/** A block with such a slot has no ratio. It is told, since a disturbance that stopped everything would be hidden otherwise. */
const STANDSTILL = "no read or no write was sent in it: those sent before were not answered";

type Planned = TrialPlan & Trial;
type Trial = { readonly nodes: number; readonly connections: number; readonly rounds: number };

export async function operator(context: ProfileContext): Promise<void> {
  const { options, screen } = context;
  const folder = await mkdtemp(join(options.folder, "zooid-bench-operator-"));
  try {
    const backup = await backupOfFilled(context, folder);
    const trials = options.nodes.flatMap((nodes) => trialsOf(nodes, options.blocks));
    const disturbances = chosen(options.disturbances);
    const ms = trials.reduce(
      (sum, { rounds }) => sum + msOfRounds(disturbances, rounds, backup.seconds),
      0,
    );
    const minutes = Math.ceil(ms / 60_000);
    screen.print(`${trials.length} trials, about ${minutes} min in all; --seed ${options.seed}`);
    for (const nodes of options.nodes) {
      screen.status(`restoring two ensembles of ${nodes} ...`);
      await using target = await startRestored(context, { nodes, file: backup.file });
      await using other = await startRestored(context, { nodes, file: backup.file });
      for (const trial of trialsOf(nodes, options.blocks)) {
        const draw = drawOf(options.seed, streamOf(trial));
        const pair = { target, other };
        const plan = { ...trial, ...pair, name: nameOf(trial), disturbances, draw, folder };
        await measure(context, plan, backup);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** None means all. */
function chosen(words: readonly DisturbanceWord[]): readonly Disturbance[] {
  return DISTURBANCES.filter(({ word }) => words.length === 0 || words.includes(word));
}

function trialsOf(nodes: number, blocks: number): readonly Trial[] {
  const without = { nodes, connections: 0, rounds: Math.min(blocks, ROUNDS_WITHOUT_LOAD_MAX) };
  return [without, ...CONNECTIONS.map((connections) => ({ nodes, connections, rounds: blocks }))];
}

function nameOf({ nodes, connections }: Trial): string {
  const load = connections === 0 ? "no clients" : `${connections}x1`;
  return `${nodes} ${nodes === 1 ? "node" : "nodes"}, ${load}`;
}

function drawOf(seed: number, stream: number): Draw {
  const randomness = new SeededRandomness(seedOfStream(seed, stream));
  return () => randomness.random();
}

async function measure(
  context: ProfileContext,
  plan: Planned,
  { seconds }: FilledBackup,
): Promise<void> {
  const result: TrialResult = { slots: [], chunks: [], load: undefined };
  try {
    await runTrial(context, plan, { backupSeconds: seconds, result });
  } finally {
    report(context, plan, result);
  }
}

/** Reports what there is, also if the trial ended early. */
function report(
  { options, screen, record }: ProfileContext,
  plan: Planned,
  result: TrialResult,
): void {
  const latencies = latenciesOf(result.slots, result.chunks);
  const inTime = result.slots.map((slot, index): MeasuredSlot => {
    const own = latencies[index] ?? { reads: [], writes: [] };
    const isEmpty = own.reads.length === 0 || own.writes.length === 0;
    const problem = plan.connections > 0 && isEmpty ? STANDSTILL : undefined;
    return { ...slot, latencies: own, problem: slot.problem ?? problem };
  });
  const slots = DISTURBANCES.flatMap(({ name }) =>
    inTime.filter(({ disturbance }) => disturbance === name),
  );
  if (result.load !== undefined) record(loadMeasurement(plan, result.load));
  for (const slot of slots) record(slotMeasurement(plan, slot));
  const draw = drawOf(options.seed, streamOf(plan) + 1);
  screen.print(comparisonText(plan.name, slots, draw));
  screen.print(`  load average at its end: ${loadavg()[0]?.toFixed(1)}\n`);
}

/** Two streams of chance for each trial: one draws the order, one the comparison. */
function streamOf({ nodes, connections }: Trial): number {
  return 2 * (1000 * nodes + connections);
}

function loadMeasurement(
  { name, target }: TrialPlan,
  { total, problems }: NonNullable<TrialResult["load"]>,
): Measurement {
  const metrics = metricsOf(total, []);
  return { profile: "operator", name, target: target.name, round: 1, metrics, problems };
}

function slotMeasurement({ name }: TrialPlan, slot: MeasuredSlot): Measurement {
  const { disturbance, treatment, block, latencies, timesDone, problem } = slot;
  const latencyMetrics =
    meanOf(latencies) === 0
      ? {}
      : {
          mean: meanOf(latencies),
          readP50: median(latencies.reads),
          writeP50: median(latencies.writes),
        };
  return {
    ...{ profile: "operator", name: `${name}: ${disturbance}`, target: treatment, round: block },
    metrics: {
      ...latencyMetrics,
      ...{ timesDone, serverCpuPercent: slot.cpuPercent },
      ...{ turnMsMax: slot.turnMsMax, loopDelayMsMax: slot.loopDelayMsMax },
    },
    problems: problem === undefined ? [] : [problem],
  };
}
