/** Recipes, as far as one ensemble that lives shows them. */
import {
  AbortedError,
  type Client,
  ClaimLostError,
  ConditionFailedError,
  NotAcquiredError,
} from "../../../client/connect.ts";
import type { Case } from "./case.ts";
import { untilChildren } from "./until-children.ts";

export const RECIPE_CASES: readonly Case[] = [
  {
    title: "a lock has one holder at a time, in the order of those who came, with growing fences",
    run: async ({ t, client, other, base }) => {
      const clients = [client, await other(), await other()];
      const path = `${base}/lock`;
      const fences: bigint[] = [];
      let holders = 0;
      const work = async (each: Client): Promise<void> => {
        for (let turn = 0; turn < 3; turn += 1) {
          await using lock = await each.lock(path);
          holders += 1;
          t.is(holders, 1);
          t.true(lock.remainingMs > 0);
          fences.push(lock.fence);
          await each.sync();
          holders -= 1;
        }
      };
      await Promise.all(clients.map((each) => work(each)));
      t.is(fences.length, 9);
      t.deepEqual(
        fences,
        fences.toSorted((left, right) => Number(left - right)),
      );
      await untilChildren(client, path, 0);
    },
  },
  {
    title: "who gives up waiting for a lock leaves nothing behind",
    run: async ({ t, client, other, base }) => {
      const path = `${base}/lock`;
      const held = await client.lock(path, { data: "me" });
      const waiting = await other();
      const late = await t.throwsAsync(waiting.lock(path, { waitMs: 0 }), {
        instanceOf: NotAcquiredError,
      });
      t.like(late, { code: "ZOOID_NOT_ACQUIRED", path });
      await t.throwsAsync(waiting.lock(path, { waitMs: 50 }), { instanceOf: NotAcquiredError });
      const controller = new AbortController();
      const asked = waiting.lock(path, { signal: controller.signal });
      controller.abort("enough");
      t.is((await t.throwsAsync(asked, { instanceOf: AbortedError })).cause, "enough");
      await held.release();
      await untilChildren(client, path, 0);
      await (await waiting.lock(path, { waitMs: 0 })).release();
    },
  },
  {
    title: "a transaction is done only while the lock is held",
    run: async ({ t, client, other, base }) => {
      const lock = await client.lock(`${base}/lock`);
      await client.create(`${base}/state`, "0");
      const write = client.transaction((tx) => [tx.set(`${base}/state`, "1")]).if(lock.isHeld);
      await write.commit();
      await lock.release();
      t.like(lock.signal.reason, { because: "released" });
      t.is(lock.remainingMs, 0);
      await t.throwsAsync(write.commit(), { instanceOf: ConditionFailedError });
      const next = await (await other()).lock(`${base}/lock`);
      t.true(next.fence > lock.fence);
      await next.release();
    },
  },
  {
    title: "a lock whose znode somebody else deletes is lost, and so is one whose session ends",
    run: async ({ t, client, other, base }) => {
      const owner = await other();
      const lock = await owner.lock(`${base}/lock`);
      const lost = new Promise((resolve) => lock.signal.addEventListener("abort", resolve));
      await client.delete(lock.path);
      await lost;
      t.true(lock.signal.reason instanceof ClaimLostError);
      t.like(lock.signal.reason, { because: "deleted", path: lock.path });
      const again = await owner.lock(`${base}/lock`);
      await owner.close();
      t.true(again.signal.aborted);
      await (await client.lock(`${base}/lock`)).release();
    },
  },
  {
    title: "kazoo's layout and Curator's are one line",
    run: async ({ t, client, other, base }) => {
      const path = `${base}/lock`;
      const first = await client.lock(path, { layout: "kazoo" });
      t.regex(first.path, /__lock__\d{10}$/);
      const second = (await other()).lock(path);
      await t.throwsAsync((await other()).lock(path, { waitMs: 20 }), {
        instanceOf: NotAcquiredError,
      });
      await first.release();
      t.regex((await second).path, /\/_c_[0-9a-f-]{36}-lock-\d{10}$/);
      await (await second).release();
    },
  },
];
