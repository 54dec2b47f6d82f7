/** How long a client waits before it connects again. */
import test from "ava";
import { Backoff } from "../../../client/backoff.ts";

const TIMEOUT_MS = 60_000;

test("the first lost connection is replaced at once, and each soon after it later, up to a limit", (t) => {
  const backoff = new Backoff(() => 0.5);
  const waits = Array.from({ length: 10 }, () => backoff.lost(100, TIMEOUT_MS));
  t.deepEqual(waits, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  t.is(backoff.failures, 10);
});

test("a connection that lasted is none of them", (t) => {
  const backoff = new Backoff(() => 0.5);
  for (let count = 0; count < 5; count += 1) backoff.lost(100, TIMEOUT_MS);
  t.is(backoff.lost(10_000, TIMEOUT_MS), 0);
  t.is(backoff.failures, 1);
  t.is(backoff.lost(100, TIMEOUT_MS), 100);
});

test("waits of different clients differ, and none is so long that the session ends meanwhile", (t) => {
  for (const random of [0, 0.25, 0.999]) {
    const backoff = new Backoff(() => random);
    const waits = Array.from({ length: 20 }, () => backoff.lost(0, 6_000));
    t.is(waits[3], 400 * (0.5 + random));
    t.true(Math.max(...waits) <= 2_000);
  }
});
