/**
 * Lock safety: clients take locks and lead by election over an ensemble of `zooid/testing`, while clients and nodes stand still for longer
 * than a session lasts, are cut off, die, and have clocks that drift. A seed decides all of it.
 */
import { SeededRandomness, seedOfStream } from "../../../runtime/testing/virtual-clock.ts";
import {
  StillWaitingError,
  startTestEnsemble,
  type TestEnsemble,
} from "../../../testing/ensemble.ts";
import { Referee } from "./referee.ts";
import { Worker } from "./worker.ts";

export type CampaignResult = {
  /** How often a right was given to somebody. */
  readonly grants: number;
  /** How many of those were lost before they were given back. */
  readonly losses: number;
  /** How many writes the guarded resources refused. */
  readonly refusals: number;
};

const FAULTS_STREAM = 77;
const WORKERS_STREAM = 1_000;
const FAULTS = 7;
/** Milliseconds of virtual time in which all who wait have their turn once nothing fails any more. */
const PATIENCE_MS = 300_000;

/** Throws a Violation. */
export async function runCampaign(seed: number): Promise<CampaignResult> {
  const random = new SeededRandomness(seedOfStream(seed, FAULTS_STREAM));
  const pick = (count: number): number => Math.floor(random.random() * count);
  await using ensemble = await startTestEnsemble({ nodes: 3, seed });
  const referee = new Referee(ensemble);
  const workers = Array.from({ length: 3 }, (_, index) => {
    const own = new SeededRandomness(seedOfStream(seed, WORKERS_STREAM + index));
    return new Worker(ensemble, referee, { number: index + 1, random: own });
  });
  const works = workers.map((worker) => worker.run());
  // What fails a worker is told at the end; until then nobody else hears of it.
  for (const work of works) work.catch(() => undefined);
  for (let fault = 0; fault < FAULTS; fault += 1) {
    await ensemble.advance(1 + Math.floor(random.random() ** 2 * 4_000));
    await ensemble.advance(await inject(ensemble, workers, pick));
  }
  await ensemble.heal();
  for (const { id, status } of ensemble.nodes) if (status === "down") await ensemble.restart(id);
  for (const worker of workers) worker.finish();
  try {
    await ensemble.until(Promise.all(works), PATIENCE_MS);
  } catch (error) {
    if (error instanceof StillWaitingError) referee.violated("somebody waits for ever");
    throw error;
  }
  await referee.checkEnd();
  return referee.result;
}

/** Returns for how long it is to last at least, in milliseconds: a session does not end before its time. */
async function inject(
  ensemble: TestEnsemble,
  workers: readonly Worker[],
  pick: (count: number) => number,
): Promise<number> {
  const holders = workers.filter(({ isHolding }) => isHolding);
  const aims = holders.length > 0 && pick(3) > 0 ? holders : workers;
  const worker = aims[pick(aims.length)] as Worker;
  const lastsMs = pick(2) * (3_000 + pick(5_000));
  const node = 1 + pick(3);
  const isDown = ensemble.nodes[node - 1]?.status === "down";
  switch (pick(8)) {
    case 0:
    case 1:
      await worker.pause(200 + pick(12_000));
      return 0;
    case 2:
      if (worker.client !== undefined) await ensemble.partition([worker.client]);
      return lastsMs;
    case 3: {
      const near = worker.client === undefined ? [] : [worker.client];
      await ensemble.partition([node, ...near]);
      return lastsMs;
    }
    case 4:
      if (isDown) await ensemble.restart(node);
      else await ensemble.kill(node);
      return 0;
    case 5:
      if (!isDown) await ensemble.pause(node, 200 + pick(8_000));
      return 0;
    case 6:
      await worker.pause(4_000 + pick(8_000));
      return 0;
    default:
      await ensemble.heal();
      for (const { id, status } of ensemble.nodes) {
        if (status === "down") await ensemble.restart(id);
      }
      return 0;
  }
}
