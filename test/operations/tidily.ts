/** Scripts that leave nothing behind: not when they fail, and not when somebody ends them. */
import { rm } from "node:fs/promises";

/** With the exit codes that a shell has for them. */
const SIGNALS = new Map<NodeJS.Signals, number>([
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
]);

/**
 * Does the work, and then whatever it has deferred in the stack, the last first; also when it fails, or when a signal ends this process. Then the
 * process ends with the signal's code at once, since what the work waits for may never come.
 */
export async function tidily(work: (stack: AsyncDisposableStack) => Promise<void>): Promise<void> {
  const { promise: signalled, resolve } = Promise.withResolvers<number>();
  const end = (signal: NodeJS.Signals): void => resolve(SIGNALS.get(signal) ?? 1);
  for (const signal of SIGNALS.keys()) process.on(signal, end);
  const stack = new AsyncDisposableStack();
  const working = work(stack).then(() => undefined);
  try {
    const code = await Promise.race([signalled, working]);
    if (code === undefined) return;
    // What fails from now on does so because it was left to itself.
    working.catch(() => undefined);
    await stack
      .disposeAsync()
      .catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
    process.exit(code);
  } finally {
    await stack.disposeAsync();
    for (const signal of SIGNALS.keys()) process.off(signal, end);
  }
}

/** Also of a folder in which a process that is about to end still writes. */
export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
