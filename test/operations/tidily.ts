/** Scripts that leave nothing behind: not when they fail, and not when somebody ends them. */
import { rm } from "node:fs/promises";
import { inspect } from "node:util";

/** With the exit codes that a shell has for them. */
const SIGNALS = new Map<NodeJS.Signals, number>([
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
]);

/**
 * Does the work, and then whatever it has deferred in the stack, the last first; also when it fails, or when a signal ends this process. Then the
 * process ends with the signal's code at once, since what the work waits for may never come; a second signal ends it without the rest. Rejects
 * with what has failed: an `AggregateError`, the first failure first, if something deferred has failed after the work.
 */
export async function tidily(work: (stack: AsyncDisposableStack) => Promise<void>): Promise<void> {
  const { promise: signalled, resolve } = Promise.withResolvers<void>();
  let code: number | undefined;
  const end = (signal: NodeJS.Signals): void => {
    if (code !== undefined) process.exit(code);
    code = SIGNALS.get(signal) ?? 1;
    resolve();
  };
  for (const signal of SIGNALS.keys()) process.on(signal, end);
  try {
    await using stack = new AsyncDisposableStack();
    await Promise.race([signalled, work(stack)]);
  } catch (error) {
    const failure = whole(error);
    if (code === undefined) throw failure;
    process.stderr.write(`${inspect(failure)}\n`);
  } finally {
    for (const signal of SIGNALS.keys()) process.off(signal, end);
  }
  if (code !== undefined) process.exit(code);
}

/** Node prints what is in an `AggregateError`, and nothing of what is in a `SuppressedError`. */
function whole(error: unknown): unknown {
  const failures: unknown[] = [];
  let rest = error;
  for (; rest instanceof SuppressedError; rest = rest.suppressed) failures.unshift(rest.error);
  if (failures.length === 0) return error;
  const all = [rest, ...failures];
  return new AggregateError(all, all.map(String).join("; then "));
}

/** Also of a folder in which a process that is about to end still writes. */
export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
