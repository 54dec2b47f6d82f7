/** What recipes do over failures: the same again, for as long as that may help and somebody waits for it. */
import { AbortedError, ConnectionLossError, ZooidError } from "../../protocol/errors.ts";
import type { Clock } from "../wire.ts";

/** How long a call that failed waits before it is made again, in milliseconds. */
const AGAIN_MS = 200;

/** Where calls are made until the signal aborts. */
export type Trier = {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** True: what fails is not tried again. Default false. */
  readonly isOnce?: boolean;
};

/** Makes the call until it is answered, or fails with an error that another try would not change. Rejects when the signal aborts. */
export async function again<Value>(
  { clock, signal, isOnce = false }: Trier,
  call: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  for (;;) {
    try {
      return await call(signal);
    } catch (error) {
      if (isOnce || !mayBeAgain(error) || signal.aborted) throw error;
      await pause(clock, AGAIN_MS, signal);
      if (signal.aborted) throw new AbortedError({ cause: signal.reason });
    }
  }
}

/** The next try of the same may succeed. */
export function mayBeAgain(error: unknown): boolean {
  return error instanceof ConnectionLossError || (error instanceof ZooidError && error.retryable);
}

/** Resolves after the time, or when the signal aborts. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal.addEventListener("abort", done, { once: true });
  });
}
