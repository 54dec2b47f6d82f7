/** The machine's clock and random source. */
import { randomBytes } from "node:crypto";
import type { Clock, Randomness } from "./clock.ts";

export const realClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  // After the poll phase: the data of all sockets and ports that are ready is in before the turn runs.
  soon: (run) => {
    setImmediate(run);
  },
};

export const realRandomness: Randomness = {
  random: () => Math.random(),
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
};
