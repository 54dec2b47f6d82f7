/** Waits for what is looked for elsewhere, for as long as the caller wants to. */
import { AbortedError } from "../../protocol/errors.ts";
import type { Client } from "../client.ts";
import type { WaitOptions } from "./wait.ts";

/**
 * Resolves to undefined when the time is over; without `waitMs` there is no end to it. Rejects with
 * AbortedError when the signal aborts.
 */
export async function within<T>(
  client: Client,
  found: Promise<T>,
  { signal, waitMs }: WaitOptions,
): Promise<T | undefined> {
  const stops: (() => void)[] = [];
  const ended = new Promise<undefined>((resolve, reject) => {
    const abort = (): void => reject(new AbortedError({ cause: signal?.reason }));
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort);
    stops.push(() => signal?.removeEventListener("abort", abort));
    if (waitMs !== undefined) {
      stops.push(client.wire.clock.after(waitMs, () => resolve(undefined)));
    }
  });
  try {
    return await Promise.race([found, ended]);
  } finally {
    for (const stop of stops) stop();
    // Nobody waits for it any more.
    found.catch(() => undefined);
  }
}
