/** Recipes that keep something together, such as a number, a list of members or work to do, as far as one ensemble that lives shows them. */
import { filter, firstValueFrom } from "rxjs";
import { type Client, json, key, text } from "../../../client/connect.ts";
import type { Case } from "./case.ts";

export const KEEPING_CASES: readonly Case[] = [
  {
    title: "clients that count at once lose nothing, in both layouts",
    run: async ({ t, client, other, base }) => {
      const clients = [client, await other()];
      for (const layout of ["curator", "kazoo"] as const) {
        const counters = clients.map((each) => each.counter(`${base}/${layout}`, { layout }));
        await Promise.all([...counters, ...counters].map(async (counter) => counter.add(2)));
        t.is(await counters[0]?.value({ consistency: "linearizable" }), 8n);
      }
    },
  },
  {
    title: "a group shows who has joined, what they say, and who has left",
    run: async ({ t, client, other, base }) => {
      const Crew = key(`${base}/crew`, { codec: text });
      const crew = client.members(Crew);
      const said = async (wanted: string): Promise<unknown> =>
        firstValueFrom(
          crew.members$.pipe(filter((all) => all.map(({ value }) => value).join() === wanted)),
        );
      await said("");
      const ada = await client.join(Crew, "one", { name: "ada" });
      const bob = await (await other()).join(Crew, "two", { name: "bob" });
      await said("one,two");
      await bob.update("three");
      await said("one,three");
      await ada.leave();
      await said("three");
      t.true(bob.fence > ada.fence);
    },
  },
  {
    title: "a service has the instances that have registered, and one of them is picked",
    run: async ({ t, client, other, base }) => {
      using service = client.service<{ readonly zone: string }>(`${base}/echo`, {
        prefer: { zone: "b" },
      });
      const theirs = (await other()).service(`${base}/echo`);
      for (const zone of ["a", "b"]) {
        await theirs.register({ id: zone, address: "127.0.0.1", port: 80, payload: { zone } });
      }
      t.is((await service.pick({ exclude: ["a"], waitMs: 60_000 })).id, "b");
      t.deepEqual((await service.instances()).length, 2);
    },
  },
  {
    title: "a configuration follows its znode, and keeps the last good value",
    run: async ({ t, client, base }) => {
      const App = key<unknown>(`${base}/app`, { codec: json });
      await client.put(App, 1);
      await using config = await client.config(App);
      await client.put(App, 2);
      await firstValueFrom(config.value$.pipe(filter((value) => value === 2)));
      const problem = firstValueFrom(config.problems$);
      await client.set(App.path, "{");
      t.is((await problem).kind, "invalid");
      t.is(config.value, 2);
    },
  },
  {
    title: "each job of a queue is given to one consumer, and again when that one dies",
    run: async ({ t, client, other, base }) => {
      const jobs = (of: Client): ReturnType<typeof of.queue<string, string>> =>
        of.queue(key(`${base}/queue`, { codec: text }));
      const dying = await other();
      await jobs(client).put("second");
      await jobs(client).put("first", { priority: 1 });
      const first = await jobs(dying).take();
      using queue = jobs(client);
      const second = await queue.take({ waitMs: 60_000 });
      t.deepEqual([first.value, second.value], ["first", "second"]);
      await second.done((make) => [make.create(`${base}/result`, "of second")]);
      const again = queue.take();
      await dying.close();
      const job = await again;
      t.deepEqual([job.value, job.tries], ["first", 2]);
      await job.done();
      t.is(await queue.length(), 0);
    },
  },
  {
    title: "tokens of a rate are given out by the block, and never more than there are",
    run: async ({ t, client, other, base }) => {
      const figures = { perSecond: 0.001, burst: 10, reserve: 5 };
      const limits = [client, await other()].map((each) => each.rateLimit(`${base}/rate`, figures));
      const taken: boolean[] = [];
      for (const limit of [...limits, ...limits]) {
        for (let call = 0; call < 5; call += 1) taken.push(await limit.take());
      }
      t.is(taken.filter(Boolean).length, 10);
    },
  },
  {
    title: "work runs once, whoever asks, and all get its result",
    run: async ({ t, client, other, base }) => {
      let runs = 0;
      const work = (): number => (runs += 1);
      const asked = [client, await other(), client].map(async (each) =>
        each.once(`${base}/run`, work),
      );
      t.deepEqual(await Promise.all(asked), [1, 1, 1]);
    },
  },
  {
    title: "work runs again when its runner has died, and the result of the dead one is refused",
    run: async ({ t, client, other, base }) => {
      const dying = await other();
      const begun = Promise.withResolvers<void>();
      const dead = dying.once(`${base}/run`, async ({ signal }) => {
        begun.resolve();
        return new Promise<string>((resolve) => {
          signal.addEventListener("abort", () => resolve("late"));
        });
      });
      await begun.promise;
      const next = client.once(`${base}/run`, () => "next");
      await dying.close();
      t.is(await next, "next");
      await t.throwsAsync(dead);
      t.is(await client.once(`${base}/run`, () => "third"), "next");
    },
  },
];
