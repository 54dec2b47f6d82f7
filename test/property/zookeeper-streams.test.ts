/**
 * Change streams over ZooKeeper's protocol: whatever the order in which writes, events, answers and lost connections come, no zxid is
 * delivered twice or out of order, and whoever follows the changes ends with what the ensemble has.
 */
import fc from "fast-check";
import test from "ava";
import type { Zxid } from "../../protocol/zxid.ts";
import {
  check,
  expected,
  Follower,
  play,
  prepare,
  quiesce,
  settings,
} from "../support/zk-stream-steps.ts";
import { checkVisits } from "../support/zk-stream-visits.ts";
import { started } from "../support/zk-wire.ts";

const RUNS = Number(process.env["ZOOID_TEST_RUNS"] ?? 200);

test("whoever follows a stream from the start ends with what is there, in order and without a zxid twice", async (t) => {
  let changes = 0;
  await fc.assert(
    fc.asyncProperty(settings, async (setting) => {
      const { recursive } = setting;
      const of = await started(prepare(setting));
      const follower = new Follower(of.ensemble.zxid, recursive);
      of.wire.subscribe(
        // It relies on no zxid, so nothing that it cannot be told ends it.
        { path: "/a", recursive, after: undefined },
        {
          portion: (changes, through, taken) => follower.portion(changes, through, taken),
          ended: ({ kind }) => {
            throw new Error(kind);
          },
        },
      );
      of.clock.advance(1);
      if (!follower.hasBegun) throw new Error("it has not begun");
      of.channel.automatic = false;
      play(of, setting.steps, () => follower.take());
      quiesce(of, () => follower.take());
      check(of, follower, recursive);
      changes += follower.changes;
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  t.true(changes > RUNS, `${changes}`);
});

test("whoever begins late, and reads and begins again where there is a gap, ends with what is there", async (t) => {
  let gaps = 0;
  await fc.assert(
    fc.asyncProperty(settings, fc.nat(80), async (setting, late) => {
      const { recursive } = setting;
      const of = await started(prepare(setting));
      let follower = new Follower(of.ensemble.zxid, recursive);
      const { zxid: beginning } = of.ensemble;
      const subscribe = (after: Zxid): void => {
        const own = new Follower(after, recursive);
        for (const [path, value] of after === beginning ? [] : expected(of, recursive)) {
          own.znodes.set(path, value);
        }
        follower = own;
        of.wire.subscribe(
          { path: "/a", recursive, after },
          {
            portion: (changes, through, taken) => own.portion(changes, through, taken),
            ended: ({ kind }) => {
              if (kind !== "compacted") throw new Error(kind);
              gaps += 1;
              subscribe(of.ensemble.zxid);
            },
          },
        );
      };
      play(of, setting.steps.slice(0, late), () => follower.take());
      of.channel.automatic = false;
      subscribe(beginning);
      play(of, setting.steps.slice(late), () => follower.take());
      quiesce(of, () => follower.take());
      check(of, follower, recursive);
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  t.true(gaps > 0);
});

test("whoever begins at a zxid at which the znodes were read has a gap, or ends with what is there", async (t) => {
  t.true((await checkVisits({ numRuns: 10 * RUNS })) > 0);
});
