/** `npm run bench -- micro` measures single hot functions, alone and warmed up, to compare a change with the code before it. */
import { Bench } from "tinybench";
import { count, table } from "../report/table.ts";
import type { ProfileContext } from "../profiles/profile.ts";
import { addLoadBenches } from "./load.ts";
import { addProtocolBenches } from "./protocol.ts";
import { addTreeBenches } from "./tree.ts";

const TASK_MS = 500;

export async function runMicro({ screen }: ProfileContext): Promise<void> {
  const bench = new Bench({ time: TASK_MS, warmupTime: TASK_MS / 2 });
  addProtocolBenches(bench);
  addTreeBenches(bench);
  addLoadBenches(bench);
  bench.addEventListener("cycle", ({ task }) => screen.status(`${task?.name}`));
  await bench.run();
  const rows = bench.tasks.map(({ name, result }) => {
    if (result.state !== "completed") return [name, result.state, "", ""];
    const { latency, throughput } = result;
    return [
      name,
      count(throughput.mean),
      (latency.p50 * 1000).toFixed(2),
      (latency.p99 * 1000).toFixed(2),
    ];
  });
  screen.print(table([["function", "calls/s", "p50 us", "p99 us"], ...rows]));
  for (const { name, result } of bench.tasks) {
    if (result.state === "errored") throw new Error(`${name} failed`, { cause: result.error });
  }
}
