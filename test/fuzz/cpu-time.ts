/** How much time of its own a thread needs for an input, here or in a process that does nothing else. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Target } from "./target.ts";

const MEASURES = 10;
const MEASURER: string = fileURLToPath(new URL("measure.ts", import.meta.url));

/** In milliseconds: the least of a few runs, until one is quick enough. */
export function leastCpuMs(run: () => void, enoughMs: number): number {
  let least = Infinity;
  for (let count = 0; count < MEASURES && least > enoughMs; count += 1) {
    // Without the kernel's share, which grows with what else uses this machine's memory.
    const { user } = process.threadCpuUsage();
    run();
    least = Math.min(least, (process.threadCpuUsage().user - user) / 1000);
  }
  return least;
}

/** In milliseconds, in a process of its own, where no coverage is counted. Blocks until that has ended. */
export function cpuMsApart({ name }: Target, input: Uint8Array): number {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MEASURER, name], {
    input,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the time of an input of ${name} was not measured: ${stderr}`);
  return Number(stdout);
}
