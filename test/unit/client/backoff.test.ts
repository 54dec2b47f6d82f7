/** How long a client waits before it connects again. */
import test from "ava";
import { type Backoff, waitAfterLoss } from "../../../client/session/backoff.ts";

const TIMEOUT_MS = 60_000;

/** Notes losses with this `random` and session timeout. */
function losses(
  random: number,
  sessionTimeoutMs: number,
): { readonly backoff: Backoff; readonly lost: (openMs: number) => number } {
  const backoff = { failures: 0 };
  const of = { sessionTimeoutMs, random: () => random };
  return { backoff, lost: (openMs) => waitAfterLoss(backoff, { ...of, openMs }) };
}

test("the first lost connection is replaced at once, and each soon after it later, up to a limit", (t) => {
  const { backoff, lost } = losses(0.5, TIMEOUT_MS);
  const waits = Array.from({ length: 10 }, () => lost(100));
  t.deepEqual(waits, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  t.is(backoff.failures, 10);
});

test("a connection that lasted is none of them", (t) => {
  const { backoff, lost } = losses(0.5, TIMEOUT_MS);
  for (let count = 0; count < 5; count += 1) lost(100);
  t.is(lost(10_000), 0);
  t.is(backoff.failures, 1);
  t.is(lost(100), 100);
});

test("waits of different clients differ, and none is so long that the session ends meanwhile", (t) => {
  for (const random of [0, 0.25, 0.999]) {
    const { lost } = losses(random, 6_000);
    const waits = Array.from({ length: 20 }, () => lost(0));
    t.is(waits[3], 400 * (0.5 + random));
    t.true(Math.max(...waits) <= 2_000);
  }
});
