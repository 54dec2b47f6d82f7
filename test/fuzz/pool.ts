/** Threads that fuzz, watched: an input that never ends, or ends its thread, is found too. */
import { Worker } from "node:worker_threads";
import type { Failure } from "./fuzzer.ts";
import { INPUT_BYTES_MAX, type ThreadData, type ThreadReport } from "./messages.ts";
import { TARGETS } from "./targets/all.ts";

export type PoolOptions = {
  readonly seed: number;
  readonly targets: readonly string[];
  readonly jobs: number;
  /** The inputs of all threads together. */
  readonly inputs: number;
  readonly ms: number;
  /** Asked when the time is over, and then every second: fuzzing goes on until it says so. */
  readonly isEnough: () => boolean;
  readonly onReport: (report: ThreadReport) => void;
};

/** After this much CPU time an input counts as one that never ends. */
const HANG_CPU_MS = 10_000;
/** A thread that is told to stop ends after its slice. */
const WATCH_EVERY_MS = 1_000;

/** Resolves when all threads have ended. */
export async function fuzz(options: PoolOptions): Promise<void> {
  const { jobs } = options;
  await Promise.all(Array.from({ length: jobs }, (_, index) => runThread(options, index)));
}

async function runThread(options: PoolOptions, index: number): Promise<void> {
  const shared = new SharedArrayBuffer(8 + INPUT_BYTES_MAX);
  const seed = options.seed + index;
  const inputs = Math.ceil(options.inputs / options.jobs);
  const data: ThreadData = { seed, targets: options.targets, inputs, shared };
  const worker = new Worker(new URL("thread.ts", import.meta.url), { workerData: data });
  const lost = (signature: string, reason: string): void => {
    options.onReport({ kind: "failure", failure: inputOf(shared, { seed, signature, reason }) });
  };
  const exited = new Promise<void>((resolve) => {
    worker.once("exit", () => resolve());
  });
  worker.on("message", options.onReport);
  worker.on("error", (error) => lost("thread", `the thread ended: ${String(error)}`));
  const stopMs = performance.now() + options.ms;
  const watch = setInterval(() => void look(), WATCH_EVERY_MS);
  let seen = { input: -1, cpuMs: 0 };
  const look = async (): Promise<void> => {
    if (performance.now() >= stopMs && options.isEnough()) worker.postMessage("stop");
    const usage = await worker.cpuUsage().catch(() => undefined);
    // It has ended meanwhile.
    if (usage === undefined) return;
    const { user, system } = usage;
    const cpuMs = (user + system) / 1000;
    const input = Atomics.load(new Int32Array(shared), 0);
    if (input !== seen.input) seen = { input, cpuMs };
    if (cpuMs - seen.cpuMs < HANG_CPU_MS || input === 0) return;
    clearInterval(watch);
    lost("hang", `it took more than ${HANG_CPU_MS} ms of CPU time and did not end`);
    await worker.terminate();
  };
  await exited;
  clearInterval(watch);
}

function inputOf(
  shared: SharedArrayBuffer,
  about: Pick<Failure, "seed" | "signature" | "reason">,
): Failure {
  const word = new Int32Array(shared)[1] ?? 0;
  const input = new Uint8Array(shared).slice(8, 8 + (word & 0xff_ffff));
  return { ...about, target: TARGETS[word >>> 24]?.name ?? "none", input };
}
