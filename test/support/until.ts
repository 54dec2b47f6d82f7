/** Waiting for what comes about by itself. */
import { setTimeout as wait } from "node:timers/promises";

const LOOK_EVERY_MS = 10;
/** Only what never comes takes so long, also on a machine with much other work: less than AVA waits for a test that says nothing. */
const WAIT_MS_MAX = 180_000;

/** What there is to be found, once it is there. Rejects, with `what` was looked for, after three minutes without, also while it looks. */
export async function found<Value>(
  look: () => Value | undefined | Promise<Value | undefined>,
  what: string,
): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`it has not come about that ${what}`)),
    WAIT_MS_MAX,
  );
  try {
    for (;;) {
      const value = await Promise.race([late, look()]);
      if (value !== undefined) return value;
      await Promise.race([late, wait(LOOK_EVERY_MS)]);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when it is so. Rejects, with `what` should have come about, after three minutes. */
export async function until(is: () => boolean | Promise<boolean>, what: string): Promise<void> {
  await found(async () => ((await is()) ? true : undefined), what);
}

/** Resolves when the event loop has come round: whoever waited for promises that are settled has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
