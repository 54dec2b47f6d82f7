/** Recipes by which clients take turns or wait for each other, as far as one ensemble that lives shows them. */
import {
  AbortedError,
  BadArgumentsError,
  type Client,
  NotAcquiredError,
} from "../../../client/connect.ts";
import type { Case } from "./case.ts";
import { untilChildren } from "./until-children.ts";

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

export const TURN_CASES: readonly Case[] = [
  {
    title:
      "readers hold a lock together, a writer alone, and whoever comes later does not overtake",
    run: async ({ t, client, other, base }) => {
      for (const layout of ["curator", "kazoo"] as const) {
        const path = `${base}/${layout}`;
        const [mine, theirs] = [client.readWriteLock(path), (await other()).readWriteLock(path)];
        const first = await mine.read({ layout });
        const second = await theirs.read({ layout });
        const got: string[] = [];
        const writing = theirs.write({ layout }).then((claim) => {
          got.push("writer");
          return claim;
        });
        await untilChildren(client, path, 3);
        const reading = mine.read({ layout }).then((claim) => {
          got.push("late reader");
          return claim;
        });
        await untilChildren(client, path, 4);
        await t.throwsAsync(mine.write({ layout, waitMs: 0 }), { instanceOf: NotAcquiredError });
        await second.release();
        t.deepEqual(got, []);
        await first.release();
        const writer = await writing;
        t.deepEqual(got, ["writer"]);
        t.true(writer.fence > first.fence);
        await writer.release();
        await (await reading).release();
        await untilChildren(client, path, 0);
      }
    },
  },
  {
    title: "a semaphore has as many holders as it has permits, and gives one to the next who waits",
    run: async ({ t, client, other, base }) => {
      const path = `${base}/semaphore`;
      const options = { permits: 2 };
      const mine = client.semaphore(path, options);
      const theirs = (await other()).semaphore(path, options);
      const first = await mine.acquire({ data: "me" });
      const second = await theirs.acquire();
      await t.throwsAsync(mine.acquire({ waitMs: 0 }), { instanceOf: NotAcquiredError });
      await t.throwsAsync(mine.acquire({ waitMs: 30 }), { instanceOf: NotAcquiredError });
      const third = theirs.acquire({ waitMs: 30_000 });
      await untilChildren(client, `${path}/leases`, 3);
      await first.release();
      t.true((await third).fence > second.fence);
      await (await third).release();
      await second.release();
      await untilChildren(client, `${path}/leases`, 0);
      await untilChildren(client, `${path}/locks`, 0);
      t.throws(() => client.semaphore(path, { permits: 0 }), { instanceOf: BadArgumentsError });
    },
  },
  {
    title: "one leads at a time, others see who, and leaving the loop lets the next lead",
    run: async ({ t, client, other, base }) => {
      const path = `${base}/election`;
      const watching = await other();
      const names: (string | undefined)[] = [];
      const seen = watching.election(path).leader$.subscribe((leader) => names.push(leader?.name));
      const ends = new AbortController();
      const fences: bigint[] = [];
      const lead = async (each: Client, name: string): Promise<void> => {
        const election = each.election(path, { name });
        for await (const term of election.terms({ signal: ends.signal })) {
          fences.push(term.fence);
          if (fences.length === 3) break;
          await each.sync();
        }
      };
      const both = [lead(client, "one"), lead(await other(), "two")];
      await Promise.race(both);
      ends.abort();
      await Promise.all(both);
      t.true(fences.length >= 3);
      t.deepEqual(
        fences,
        fences.toSorted((left, right) => Number(left - right)),
      );
      await untilChildren(client, path, 0);
      while (names.at(-1) !== undefined || names.length < 2) await watching.sync();
      t.true(names.some((name) => name === "one" || name === "two"));
      seen.unsubscribe();
    },
  },
  {
    title: "the signal of an election ends the term and then the loop; a session that ends throws",
    run: async ({ t, client, other, base }) => {
      const path = `${base}/election`;
      const ends = new AbortController();
      let terms = 0;
      for await (const term of client.election(path).terms({ signal: ends.signal })) {
        terms += 1;
        t.true(term.remainingMs > 0);
        ends.abort();
        await aborted(term.signal);
        await t.throwsAsync(
          client
            .transaction((tx) => [tx.set(path, "x")])
            .if(term.isHeld)
            .commit(),
        );
      }
      t.is(terms, 1);
      const owner = await other();
      const leading = (async () => {
        for await (const term of owner.election(path, { layout: "kazoo" }).terms()) {
          await owner.close();
          await aborted(term.signal);
        }
      })();
      await t.throwsAsync(leading, { code: "ZOOID_CLOSED" });
      t.throws(() => client.election(path, { layout: "other" as "latch" }), {
        instanceOf: BadArgumentsError,
      });
    },
  },
  {
    title: "a barrier holds all until it is removed",
    run: async ({ t, client, other, base }) => {
      const path = `${base}/barriers/one`;
      const [mine, theirs] = [client.barrier(path), (await other()).barrier(path)];
      await mine.wait();
      t.true(await mine.set());
      t.false(await theirs.set());
      await t.throwsAsync(theirs.wait({ waitMs: 0 }), { instanceOf: NotAcquiredError });
      await t.throwsAsync(theirs.wait({ waitMs: 20 }), { instanceOf: NotAcquiredError });
      const enough = theirs.wait({ signal: AbortSignal.abort("enough") });
      await t.throwsAsync(enough, { instanceOf: AbortedError });
      const waiting = [mine.wait(), theirs.wait()];
      t.true(await theirs.remove());
      await Promise.all(waiting);
      t.false(await mine.remove());
    },
  },
  {
    title: "members of a double barrier enter together and leave together",
    run: async ({ t, client, other, base }) => {
      const path = `${base}/double`;
      const clients = [client, await other(), await other()];
      let [entered, left] = [0, 0];
      await Promise.all(
        clients.map(async (each) => {
          const barrier = each.doubleBarrier(path, { members: 3 });
          entered += 1;
          await barrier.enter();
          t.is(entered, 3);
          left += 1;
          await barrier.leave();
          t.is(left, 3);
        }),
      );
      const alone = client.doubleBarrier(path, { members: 2 });
      await t.throwsAsync(alone.enter({ waitMs: 0 }), { instanceOf: NotAcquiredError });
      await untilChildren(client, path, 0);
    },
  },
];
