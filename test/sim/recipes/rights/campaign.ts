/**
 * Lock safety: clients take locks and lead by election over an ensemble of `zooid/testing`, while clients and nodes stand still for longer
 * than a session lasts, are cut off, die, and have clocks that drift. A seed decides all of it.
 */
import { SeededRandomness, seedOfStream } from "../../../../runtime/testing/virtual-clock.ts";
import { StillWaitingError, startTestEnsemble } from "../../../../testing/ensemble.ts";
import { Referee } from "./referee.ts";
import { playFaults } from "../faults.ts";
import type { Figures } from "../part.ts";
import { Worker } from "./worker.ts";

const FAULTS_STREAM = 77;
const WORKERS_STREAM = 1_000;
const FAULTS = 7;
/** Milliseconds of virtual time in which all who wait have their turn once nothing fails any more. */
const PATIENCE_MS = 300_000;

/** Throws a Violation. */
export async function runRights(seed: number): Promise<Figures> {
  const random = new SeededRandomness(seedOfStream(seed, FAULTS_STREAM));
  await using ensemble = await startTestEnsemble({ nodes: 3, seed });
  const referee = new Referee(ensemble);
  const workers = Array.from({ length: 3 }, (_, index) => {
    const own = new SeededRandomness(seedOfStream(seed, WORKERS_STREAM + index));
    return new Worker(ensemble, referee, { number: index + 1, random: own });
  });
  const works = workers.map((worker) => worker.run());
  // What fails a worker is told at the end; until then nobody else hears of it.
  for (const work of works) work.catch(() => undefined);
  await playFaults(ensemble, workers, { count: FAULTS, random });
  for (const worker of workers) worker.finish();
  try {
    await ensemble.until(Promise.all(works), PATIENCE_MS);
  } catch (error) {
    if (error instanceof StillWaitingError) referee.violated("somebody waits for ever");
    throw error;
  }
  await referee.checkEnd();
  return referee.figures;
}
