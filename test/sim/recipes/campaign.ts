/**
 * Recipe safety: processes use queue, `once`, cron, rate limit, counter, configuration and discovery over an ensemble of `zooid/testing`, all at
 * once, while they and the nodes stand still for longer than a session lasts, are cut off and die, clocks drift, and half of the sessions
 * lose answers as ZooKeeper's protocol does. A seed decides all of it. What has to hold is said in `parts/`.
 */
import { SeededRandomness, seedOfStream } from "../../../runtime/testing/virtual-clock.ts";
import {
  StillWaitingError,
  startTestEnsemble,
  type TestEnsemble,
} from "../../../testing/ensemble.ts";
import { Violation } from "../checks/violation.ts";
import { playFaults } from "./faults.ts";
import { Figures, type Part, type Surroundings } from "./part.ts";
import { ConfigPart } from "./parts/config.ts";
import { CounterPart } from "./parts/counter.ts";
import { CronPart } from "./parts/cron.ts";
import { OncePart } from "./parts/once.ts";
import { QueuePart } from "./parts/queue.ts";
import { RateLimitPart } from "./parts/rate-limit.ts";
import { ServicePart } from "./parts/service.ts";
import { Process } from "./process.ts";

const FAULTS_STREAM = 78;
const PROCESSES_STREAM = 2_000;
const PROCESSES = 3;
const FAULTS = 5;
const PATIENCE_MS = 300_000;
/** Sessions that are over have ended by then, and streams that are lost are noticed. */
const CALM_MS = 8_000;

/** Throws a Violation. */
export async function runRecipes(seed: number): Promise<Figures> {
  const random = new SeededRandomness(seedOfStream(seed, FAULTS_STREAM));
  await using ensemble = await startTestEnsemble({ nodes: 3, seed });
  const figures = new Figures();
  // A rate limit counts on clocks that are right but for a thousandth; all else has to bear more.
  const drift = random.random() < 0.5 ? 0.0008 : 0.04;
  const surroundings: Surroundings = { ensemble, figures, drift, violation: undefined };
  try {
    await played(surroundings, { seed, random });
  } catch (error) {
    throw surroundings.violation ?? error;
  }
  if (surroundings.violation !== undefined) throw surroundings.violation;
  return figures;
}

async function played(
  surroundings: Surroundings,
  { seed, random }: { readonly seed: number; readonly random: SeededRandomness },
): Promise<void> {
  const { ensemble, drift } = surroundings;
  const parts = partsOf(surroundings);
  const witness = await ensemble.connect();
  for (const part of parts) await part.prepare(witness);
  let loses = true;
  const processes = Array.from({ length: PROCESSES }, (_, index) => {
    const own = new SeededRandomness(seedOfStream(seed, PROCESSES_STREAM + index));
    const options = { number: index + 1, random: own, parts, drift, loses: () => loses };
    return new Process(ensemble, options);
  });
  const runs = processes.map((process) => process.run());
  // What fails a process is told at the end; until then nobody else hears of it.
  for (const run of runs) run.catch(() => undefined);
  await playFaults(ensemble, processes, { count: FAULTS, random });
  await ensemble.advance(CALM_MS);
  loses = false;
  for (const process of processes) process.finish();
  await awaited(ensemble, Promise.all(runs));
  await ensemble.advance(CALM_MS);
  const users = processes.flatMap(({ user }) => user ?? []);
  const left = users.filter(({ client }) => !client.signal.aborted);
  for (const part of parts) await awaited(ensemble, part.checkEnd(left, witness));
}

async function awaited(ensemble: TestEnsemble, work: Promise<unknown>): Promise<void> {
  try {
    await ensemble.until(work, PATIENCE_MS);
  } catch (error) {
    if (!(error instanceof StillWaitingError)) throw error;
    throw new Violation("recipe safety", "something waits for ever");
  }
}

function partsOf(surroundings: Surroundings): readonly Part[] {
  return [
    new QueuePart(surroundings),
    new OncePart(surroundings),
    new CronPart(surroundings),
    new RateLimitPart(surroundings),
    new CounterPart(surroundings),
    new ConfigPart(surroundings),
    new ServicePart(surroundings),
  ];
}
