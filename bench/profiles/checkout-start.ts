/**
 * `npm run bench -- checkout-start`: how long a start from a checkout takes, of one node and of an ensemble, and what processor time. What npm runs is run, with the
 * checkout's own Node, since npm's own time is none of ours. Empty folders; what Node keeps of the sources was kept by a start before.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BenchError } from "../failure.ts";
import { cpuSecondsOf, processTree } from "../processes.ts";
import { checkOut } from "../targets/checkout.ts";
import { stderrOf, stopProcesses } from "../targets/target.ts";
import type { ProfileContext } from "./profile.ts";

const HERE: string = fileURLToPath(new URL("../../", import.meta.url));
const READY_TIMEOUT_MS = 120_000;

type Case = {
  readonly name: string;
  readonly args: readonly string[];
  /** The line with which it says that it serves. */
  readonly ready: RegExp;
};

const CASES: readonly Case[] = [
  { name: "one node", args: ["serve", "--client-port=0"], ready: /^node 1 / },
  { name: "three nodes", args: ["ensemble", "--client-port=0"], ready: /^ready: / },
];

type Checkout = { readonly name: string; readonly folder: string; readonly entry: string };

export async function checkoutStart({
  options,
  screen,
  signal,
  record,
}: ProfileContext): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const checkouts = [await checkoutIn(HERE, "zooid")];
  const { against, folder, rounds } = options;
  if (against !== undefined && !against.endsWith(".json")) {
    const other = await checkOut(against, { stack, screen, signal });
    checkouts.push(await checkoutIn(other, `zooid@${against}`));
  }
  for (const each of CASES) {
    screen.status(`${each.name}: a first start of each, which is not counted`);
    for (const checkout of checkouts) await measure(checkout, each, { folder, signal });
    for (let round = 1; round <= rounds; round += 1) {
      // Whoever comes first in one round comes last in the next.
      for (const checkout of round % 2 === 1 ? checkouts : checkouts.toReversed()) {
        const metrics = await measure(checkout, each, { folder, signal });
        record({
          profile: "checkout-start",
          name: each.name,
          target: checkout.name,
          round,
          metrics,
        });
      }
    }
  }
}

/** `entry` is the file that the checkout's `npm run zooid` runs. */
async function checkoutIn(folder: string, name: string): Promise<Checkout> {
  const manifest = await readFile(join(folder, "package.json"), "utf8");
  const [, entry] = /"zooid": "exec node (\S+)"/.exec(manifest) ?? [];
  if (entry === undefined) throw new BenchError(`${name}: no script zooid in its package.json`);
  return { name, folder, entry };
}

async function measure(
  checkout: Checkout,
  { args, ready }: Case,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<{ readonly startMs: number; readonly startCpuSeconds: number }> {
  signal.throwIfAborted();
  const dataFolder = await mkdtemp(join(folder, "zooid-bench-start-"));
  const beganMs = performance.now();
  const node = join(checkout.folder, "node_modules/.bin/node");
  const child = spawn(node, [checkout.entry, ...args, `--data-dir=${dataFolder}`], {
    cwd: checkout.folder,
    // What this process keeps of its sources is of other flags and not theirs.
    env: { ...process.env, NODE_COMPILE_CACHE: undefined },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid } = child;
  const family = () => (pid === undefined ? [] : processTree({ pid, label: "zooid" }));
  try {
    await untilLine(child, ready, signal);
    const startMs = performance.now() - beganMs;
    return { startMs, startCpuSeconds: cpuSecondsOf(family()) };
  } finally {
    await stopProcesses([child], family);
    await rm(dataFolder, { recursive: true, force: true });
  }
}

async function untilLine(child: ChildProcess, line: RegExp, signal: AbortSignal): Promise<void> {
  const errors = stderrOf(child);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.on("error", reject);
  child.on("close", (code) => reject(new BenchError(`it ended (exit ${code})\n${errors()}`)));
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (text) => {
      if (line.test(text)) resolve();
    });
  }
  const given = AbortSignal.any([signal, AbortSignal.timeout(READY_TIMEOUT_MS)]);
  const abort = once(given, "abort").then(() => {
    signal.throwIfAborted();
    throw new BenchError(`it was not ready in time\n${errors()}`);
  });
  await Promise.race([promise, abort]);
}
