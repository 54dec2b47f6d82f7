/**
 * Change streams over ZooKeeper's protocol: whatever the order in which writes, events, answers and lost connections come, no zxid is
 * delivered twice or out of order, and whoever follows the changes ends with what the ensemble has.
 */
import fc from "fast-check";
import test from "ava";
import type { Zxid } from "../../protocol/zxid.ts";
import {
  checkStream,
  followedZnodes,
  StreamFollower,
  playSteps,
  prepareServers,
  quiesceStream,
  streamSettings,
  WrongStream,
} from "../support/zookeeper-client/stream-steps.ts";
import { checkVisits } from "../support/zookeeper-client/stream-visits.ts";
import { started } from "../support/zookeeper-client/wire.ts";

const RUNS = Number(process.env["ZOOID_TEST_RUNS"] ?? 200);

test("whoever follows a stream from the start ends with what is there, in order and without a zxid twice", async (t) => {
  let changes = 0;
  await fc.assert(
    fc.asyncProperty(streamSettings, async (setting) => {
      const { recursive } = setting;
      const of = await started(prepareServers(setting));
      const follower = new StreamFollower(of.ensemble.zxid, recursive);
      of.wire.subscribe(
        // It relies on no zxid, so nothing that it cannot be told ends it.
        { path: "/a", recursive, after: undefined },
        {
          portion: (changes, through, taken) => follower.portion(changes, through, taken),
          ended: ({ kind }) => {
            throw new WrongStream(kind);
          },
        },
      );
      of.clock.advance(1);
      if (!follower.hasBegun) throw new WrongStream("it has not begun");
      of.channel.automatic = false;
      playSteps(of, setting.steps, () => follower.take());
      quiesceStream(of, () => follower.take());
      checkStream(of, follower, recursive);
      changes += follower.changes;
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  t.true(changes > RUNS, `${changes}`);
});

test("whoever begins late, and reads and begins again where there is a gap, ends with what is there", async (t) => {
  let gaps = 0;
  await fc.assert(
    fc.asyncProperty(streamSettings, fc.nat(80), async (setting, late) => {
      const { recursive } = setting;
      const of = await started(prepareServers(setting));
      let follower = new StreamFollower(of.ensemble.zxid, recursive);
      const { zxid: beginning } = of.ensemble;
      const subscribe = (after: Zxid): void => {
        const own = new StreamFollower(after, recursive);
        for (const [path, value] of after === beginning ? [] : followedZnodes(of, recursive)) {
          own.znodes.set(path, value);
        }
        follower = own;
        of.wire.subscribe(
          { path: "/a", recursive, after },
          {
            portion: (changes, through, taken) => own.portion(changes, through, taken),
            ended: ({ kind }) => {
              if (kind !== "compacted") throw new WrongStream(kind);
              gaps += 1;
              subscribe(of.ensemble.zxid);
            },
          },
        );
      };
      playSteps(of, setting.steps.slice(0, late), () => follower.take());
      of.channel.automatic = false;
      subscribe(beginning);
      playSteps(of, setting.steps.slice(late), () => follower.take());
      quiesceStream(of, () => follower.take());
      checkStream(of, follower, recursive);
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  t.true(gaps > 0);
});

test("whoever begins at a zxid at which the znodes were read has a gap, or ends with what is there", async (t) => {
  t.true((await checkVisits({ numRuns: 10 * RUNS, includeErrorInReport: true })) > 0);
});
