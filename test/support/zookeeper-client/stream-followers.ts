/**
 * One follower of one path, at servers of every age, with writes, events, answers and lost connections in any order. Each check throws with the
 * `cause` `WrongStream` where a stream has broken its promise.
 */
import fc from "fast-check";
import type { Zxid } from "../../../protocol/zxid.ts";
import {
  checkStream,
  followedZnodes,
  StreamFollower,
  playSteps,
  prepareServers,
  quiesceStream,
  type StreamSetting,
  streamSettings,
  WrongStream,
} from "./stream-steps.ts";
import { started } from "./wire.ts";

/** It follows from the start, before anything happens. Returns how many changes were told in all runs. */
export async function checkFollower(params: fc.Parameters<[StreamSetting]>): Promise<number> {
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
          portion: (told, through, taken) => follower.portion(told, through, taken),
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
    params,
  );
  return changes;
}

/** It begins when much has happened, and where there is a gap it reads and begins again. Returns how many gaps were told in all runs. */
export async function checkLateFollower(
  params: fc.Parameters<[StreamSetting, number]>,
): Promise<number> {
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
    params,
  );
  return gaps;
}
