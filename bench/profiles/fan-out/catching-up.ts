/**
 * How fast one change stream delivers. A subscriber of the newest changes hears no more than is written; one that begins in the past
 * receives as much as it can take.
 */
import { firstValueFrom, skip } from "rxjs";
import { connect } from "../../../client/connect.ts";
import { LatencyHistogram } from "../../../cli/latency-histogram.ts";
import type { Measurement } from "../../report/measurement.ts";
import type { Target } from "../../targets/target.ts";
import { rootName } from "../load.ts";
import type { ProfileContext } from "../profile.ts";
import { measured } from "./measured.ts";
import { writersOf } from "./writers.ts";

const WAVE = 1000;
/** Few enough for the nodes to keep all of them. */
const WAVES = 20;

export async function measureCatchingUp(
  { options, signal }: ProfileContext,
  target: Target,
): Promise<Pick<Measurement, "metrics" | "servers">> {
  await using stack = new AsyncDisposableStack();
  const plan = { root: rootName(), writers: 1, waveSize: WAVE, valueBytes: options.valueBytes };
  const [write] = await writersOf(target, plan, stack);
  const client = stack.use(await connect(target.nats ?? ""));
  await client.sync(plan.root);
  const { zxid } = await client.children(plan.root);
  for (let wave = 0; wave < WAVES; wave += 1) await write?.();
  await client.sync(plan.root);
  const changes = WAVE * WAVES;
  const receiveAll = async (): Promise<void> => {
    const all = client.changes(plan.root, { recursive: true, from: zxid });
    await firstValueFrom(all.pipe(skip(changes - 1)));
  };
  const run = async (seconds: number): Promise<LatencyHistogram> => {
    const latencies = new LatencyHistogram();
    const endMs = performance.now() + seconds * 1000;
    while (performance.now() < endMs) {
      signal.throwIfAborted();
      const startMs = performance.now();
      await receiveAll();
      latencies.record((performance.now() - startMs) * 1000);
    }
    return latencies;
  };
  await run(options.warmupSeconds);
  // The stack is disposed of afterwards.
  return await measured(target, async () => {
    const latencies = await run(options.seconds);
    return { events: latencies.total * changes, latencies };
  });
}
