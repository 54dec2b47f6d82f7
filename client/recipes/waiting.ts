/** Waits for something to change, for as long as the caller wants to. */
import { AbortedError, ClosedError } from "../../protocol/errors.ts";
import { checkMilliseconds } from "../../protocol/arguments.ts";
import type { Client } from "../client.ts";
import { errorOfEnd } from "../failures.ts";
import type { Wish } from "../wire.ts";
import { NotAcquiredError } from "./errors.ts";

export type WaitOptions = {
  /** When it aborts, the call is rejected with AbortedError. Default: nothing aborts it. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the call is rejected with NotAcquiredError; 0: it tries once. Default: it waits for ever. */
  readonly waitMs?: number | undefined;
};

/** The time that one call may wait in all. */
export class Waiting {
  readonly #client: Client;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  readonly #waitMs: number | undefined;
  readonly #untilMs: number;

  constructor(client: Client, path: string, { signal, waitMs }: WaitOptions) {
    if (waitMs !== undefined && waitMs !== 0) checkMilliseconds("`waitMs`", waitMs);
    this.#client = client;
    this.#path = path;
    this.#signal = signal;
    this.#waitMs = waitMs;
    this.#untilMs = waitMs === undefined ? Infinity : client.wire.clock.nowMs() + waitMs;
  }

  /** Resolves when something has changed, or may have. Rejects when the time is over, the signal aborts or the session ends. */
  async changed(wish: Wish): Promise<void> {
    const { wire, signal: over } = this.#client;
    const leftMs = this.#untilMs - wire.clock.nowMs();
    if (leftMs <= 0) throw new NotAcquiredError(this.#path, this.#waitMs ?? 0);
    const stops: (() => void)[] = [];
    try {
      await new Promise<void>((resolve, reject) => {
        const when = (signal: AbortSignal | undefined, act: () => void): void => {
          if (signal?.aborted === true) act();
          signal?.addEventListener("abort", act);
          stops.push(() => signal?.removeEventListener("abort", act));
        };
        when(over, () => reject(over.reason as Error));
        when(this.#signal, () => reject(new AbortedError({ cause: this.#signal?.reason })));
        if (leftMs !== Infinity) {
          const late = (): void => reject(new NotAcquiredError(this.#path, this.#waitMs ?? 0));
          stops.push(wire.clock.after(leftMs, late));
        }
        const unsubscribe = wire.subscribe(wish, {
          portion: (changes, _through, taken) => {
            taken();
            if (changes.length > 0) resolve();
          },
          ended: (end) => {
            if (end.kind === "completed") reject(new ClosedError());
            const error = errorOfEnd(end);
            if (error === undefined) resolve();
            else reject(error);
          },
        });
        stops.push(unsubscribe);
      });
    } finally {
      for (const stop of stops) stop();
    }
  }
}

/**
 * Waits for what is looked for elsewhere. Resolves to undefined when the time is over; without `waitMs` there is no end to it. Rejects with
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
