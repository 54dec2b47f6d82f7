/** Waiting for what comes about by itself. */
import { setTimeout as wait } from "node:timers/promises";

const LOOK_EVERY_MS = 10;
/** Only what never comes takes so long: less than AVA waits for a test that says nothing. */
const WAIT_MS_MAX = 100_000;

/** What there is to be found, once it is there. Rejects, with `what` was looked for, after 100 s without. */
export async function found<Value>(
  look: () => Value | undefined | Promise<Value | undefined>,
  what: string,
): Promise<Value> {
  const endMs = performance.now() + WAIT_MS_MAX;
  while (performance.now() < endMs) {
    const value = await look();
    if (value !== undefined) return value;
    await wait(LOOK_EVERY_MS);
  }
  throw new Error(`it has not come about that ${what}`);
}

/** Resolves when it is so. Rejects, with `what` should have come about, after 100 s. */
export async function until(is: () => boolean | Promise<boolean>, what: string): Promise<void> {
  await found(async () => ((await is()) ? true : undefined), what);
}
