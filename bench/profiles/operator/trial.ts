/**
 * A crossover trial: one ensemble is under one load all the time, and time is cut into slots. Two slots make a block: in one the ensemble is
 * asked, in the other its twin, which serves nobody, in an order that is drawn. So what a machine does in minutes meets both alike, and what
 * a command takes from the machine whomever it asks cancels out.
 */
import { setTimeout as delay } from "node:timers/promises";
import { shuffled } from "../../../client/zookeeper/session/shuffled.ts";
import type { Draw } from "../../draw.ts";
import type { LoadResult } from "../../load/run.ts";
import { SampledLoad } from "../../load/sampled.ts";
import { type Samples, systemMs } from "../../load/samples.ts";
import { cpuSecondsOf } from "../../processes.ts";
import type { Target } from "../../targets/target.ts";
import { problemsOf, rootName } from "../load.ts";
import type { ProfileContext } from "../profile.ts";
import { Dashboards } from "./dashboards.ts";
import type { Around, Disturbance, Disturbing } from "./disturbances.ts";
import { bucketsOfAll, longestMs } from "./loop-times.ts";
import type { Span } from "./slots.ts";

export type Treatment = "asked" | "other asked";

const TREATMENTS: readonly Treatment[] = ["asked", "other asked"];
const WORK = "mixed 50/50";
/** Each znode of the twin is set so often. A dashboard looks for changes twice a second. */
const STIRS_PER_SECOND = 2;
/**
 * Before each slot nobody does anything for so long, but a `top` that runs already, and what is sent then is left out: the nodes are asked for their own measurements
 * between slots, and what the slot before has left under way ends.
 */
const SETTLE_MS = 250;
/** What a slot takes beside its time, about: starts of processes, and what is asked between slots. */
const AROUND_MS = 500;
/** How long the replies of the last slot are waited for. */
const LATE_MS = 2000;

export type TrialPlan = {
  readonly name: string;
  /** The ensemble under load. */
  readonly target: Target;
  /** Its twin, which serves nobody. */
  readonly other: Target;
  /** Each has one request under way. 0: there is no load. */
  readonly connections: number;
  readonly rounds: number;
  readonly disturbances: readonly Disturbance[];
  /** What the order is drawn from. */
  readonly draw: Draw;
  /** Where files go. */
  readonly folder: string;
};

export type Slot = Span & {
  readonly disturbance: string;
  readonly treatment: Treatment;
  /** From 1. Both treatments of a disturbance are in it once. */
  readonly block: number;
  readonly timesDone: number;
  /** The processor time of the servers of the ensemble under load. */
  readonly cpuPercent: number;
  readonly turnMsMax: number;
  readonly loopDelayMsMax: number;
  /** Why there is nothing to compare, as when the disturbance did not take place. */
  readonly problem: string | undefined;
};

/** What a trial has so far. It is kept by whoever runs one, since it is of use also if the trial ends early. */
export type TrialResult = {
  readonly slots: Slot[];
  readonly chunks: Samples[];
  /** The whole load, once it is over. */
  load: { readonly total: LoadResult; readonly problems: readonly string[] } | undefined;
};

export async function runTrial(
  context: ProfileContext,
  plan: TrialPlan,
  { backupSeconds, result }: { readonly backupSeconds: number; readonly result: TrialResult },
): Promise<void> {
  const { screen, signal } = context;
  const root = rootName();
  await using dashboards = new Dashboards();
  const around = { folder: plan.folder, signal, dashboards, root };
  using _stirring = plan.connections === 0 ? undefined : await stirTwin(context, plan, root);
  using load = plan.connections === 0 ? undefined : await startLoad(context, plan, root);
  const beganMs = performance.now();
  const leftText = (round: number): string => {
    const [wholeMs, doneMs] = [plan.rounds, round - 1].map((rounds) =>
      msOfRounds(plan.disturbances, rounds, backupSeconds),
    ) as [number, number];
    // A machine with other work takes longer than expected.
    const slowness = round === 1 ? 1 : (performance.now() - beganMs) / doneMs;
    return `about ${Math.ceil(((wholeMs - doneMs) * slowness) / 60_000)} min left of it`;
  };
  for (let round = 1; round <= plan.rounds; round += 1) {
    screen.status(`${plan.name}: round ${round} of ${plan.rounds}, ${leftText(round)}`);
    for (const disturbance of shuffled(dueIn(plan, round), plan.draw)) {
      const block = Math.ceil(round / disturbance.everyRounds);
      for (const treatment of shuffled(TREATMENTS, plan.draw)) {
        result.slots.push(await runSlot(plan, { disturbance, treatment, block, around }));
        if (load !== undefined) result.chunks.push(await load.samples());
        await delay(disturbance.settleMs, undefined, { signal });
      }
    }
  }
  if (load !== undefined) {
    // A request of the last slot may be answered late, as in any other.
    await delay(LATE_MS, undefined, { signal });
    const { result: total, samples } = await load.stop();
    if (samples !== undefined) result.chunks.push(samples);
    const problems = [...plan.target.problems(), ...plan.other.problems()];
    result.load = { total, problems: [...problemsOf(total), ...problems] };
  }
}

function dueIn({ disturbances }: TrialPlan, round: number): readonly Disturbance[] {
  return disturbances.filter(({ everyRounds }) => (round - 1) % everyRounds === 0);
}

/** How long so many rounds take, about. */
export function msOfRounds(
  disturbances: readonly Disturbance[],
  rounds: number,
  backupSeconds: number,
): number {
  const each = disturbances.map(({ everyRounds, aboutMs, settleMs }) => {
    const slotMs = aboutMs ?? backupSeconds * 1000;
    const blocks = Math.ceil(rounds / everyRounds);
    return TREATMENTS.length * blocks * (SETTLE_MS + slotMs + settleMs + AROUND_MS);
  });
  return each.reduce((sum, ms) => sum + ms, 0);
}

function startLoad(
  { options, signal }: ProfileContext,
  plan: TrialPlan,
  root: string,
): Promise<SampledLoad> {
  const { addresses, protocol } = plan.target;
  return SampledLoad.start(
    {
      ...{ protocol, addresses, work: WORK, connections: plan.connections, outstanding: 1 },
      ...{ ratePerSecond: undefined, valueBytes: options.valueBytes },
      warmupSeconds: options.firstWarmupSeconds,
      ...{ root, cleanUp: false },
    },
    signal,
  );
}

/**
 * The twin's znodes change now and then, all the time, so that whoever looks at the twin has to draw as often as one who looks at the ensemble
 * under load.
 */
function stirTwin(
  { options, signal }: ProfileContext,
  { other, connections }: TrialPlan,
  root: string,
): Promise<SampledLoad> {
  const { addresses, protocol } = other;
  return SampledLoad.start(
    {
      ...{ protocol, addresses, work: "set", connections, outstanding: 1 },
      ...{ ratePerSecond: STIRS_PER_SECOND * connections, valueBytes: options.valueBytes },
      ...{ warmupSeconds: 0, root, cleanUp: false },
    },
    signal,
  );
}

type SlotPlan = Pick<Slot, "treatment" | "block"> & {
  readonly disturbance: Disturbance;
  readonly around: Around;
};

async function runSlot(
  { target, other }: TrialPlan,
  { disturbance, treatment, block, around }: SlotPlan,
): Promise<Slot> {
  const { signal } = around;
  let problem: string | undefined;
  let timesDone = 0;
  const orProblem = async <Value>(work: Promise<Value>): Promise<Value | undefined> => {
    try {
      return await work;
    } catch (error) {
      signal.throwIfAborted();
      problem ??= error instanceof Error ? error.message : String(error);
      return undefined;
    }
  };
  const whom = treatment === "asked" ? target : other;
  const disturbing: Disturbing | undefined = await orProblem(disturbance.prepare(whom, around));
  try {
    // Asked between slots, of the ensemble under load whatever the treatment is.
    const before = (await orProblem(bucketsOfAll(target))) ?? new Map();
    await delay(SETTLE_MS, undefined, { signal });
    const [cpuSeconds, fromMs] = [cpuSecondsOf(target.processes), systemMs()];
    if (disturbing !== undefined) timesDone = (await orProblem(disturbing.slot())) ?? 0;
    const toMs = systemMs();
    const usedMs = (cpuSecondsOf(target.processes) - cpuSeconds) * 1000;
    const after = (await orProblem(bucketsOfAll(target))) ?? before;
    return {
      ...{ disturbance: disturbance.name, treatment, block, fromMs, toMs, timesDone, problem },
      cpuPercent: (100 * usedMs) / Math.max(1, toMs - fromMs),
      turnMsMax: longestMs("zooid_turn_seconds", { before, after }),
      loopDelayMsMax: longestMs("zooid_event_loop_delay_seconds", { before, after }),
    };
  } finally {
    await disturbing?.end();
  }
}
