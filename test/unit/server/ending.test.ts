/** Why a node has ended, whoever asks for it in which order. */
import test from "ava";
import { Ending } from "../../../server/ending.ts";
import type { StopReason } from "../../../server/running-node.ts";

const ASKED: StopReason = { kind: "asked" };
const RESTART: StopReason = { kind: "restart" };
const FAILED: StopReason = { kind: "failed", reason: "its disk is gone" };

/** What it is released for, and, when it is, why it has ended. */
async function ended(...reasons: readonly StopReason[]): Promise<readonly StopReason[]> {
  const release = Promise.withResolvers<void>();
  const released: StopReason[] = [];
  const ending = new Ending((reason) => {
    released.push(reason);
    return release.promise;
  });
  const all = reasons.map((reason) => ending.begin(reason));
  release.resolve();
  await Promise.all(all);
  return [...released, ending.reason];
}

test("a node that ends to be started again, and is asked to stop meanwhile, is not started again", async (t) => {
  t.deepEqual(await ended(RESTART), [RESTART, RESTART]);
  t.deepEqual(await ended(RESTART, ASKED), [RESTART, ASKED]);
  t.deepEqual(await ended(ASKED, RESTART), [ASKED, ASKED]);
});

test("a failure stays the reason, and is none of a node that ends already", async (t) => {
  t.deepEqual(await ended(FAILED, ASKED, RESTART), [FAILED, FAILED]);
  t.deepEqual(await ended(ASKED, FAILED), [ASKED, ASKED]);
  t.deepEqual(await ended(RESTART, FAILED), [RESTART, RESTART]);
});

test("all who wait hear that something could not be released, and it is released once", async (t) => {
  let count = 0;
  const ending = new Ending(() => {
    count += 1;
    // As one does that hears of the end from what is released.
    if (count === 1) ending.begin(ASKED).catch(() => undefined);
    return Promise.reject(new Error("a file"));
  });
  t.false(ending.hasBegun);
  await t.throwsAsync(ending.begin(FAILED), { message: "a file" });
  await t.throwsAsync(ending.begin(ASKED), { message: "a file" });
  t.is(count, 1);
});
