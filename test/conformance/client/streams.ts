/** Streams of changes, as far as every target has them alike. */
import { filter, firstValueFrom, map, take, takeWhile, toArray } from "rxjs";
import { type Client, key, NoNodeError, NotEmptyError, text } from "../../../client/connect.ts";
import type { Case } from "./case.ts";

export const STREAM_CASES: readonly Case[] = [
  {
    title: "list, then follow: a stream goes on from a read without a gap",
    run: async ({ t, client, other, base }) => {
      const writer = await other();
      const { zxid } = await client.children(base);
      await writer.create(`${base}/before`);
      const names = firstValueFrom(
        client.changes(base, { recursive: true, from: zxid }).pipe(
          filter((change) => change.kind === "created"),
          take(2),
          toArray(),
        ),
      );
      await writer.create(`${base}/after`);
      const created = await names;
      t.deepEqual(created.map((change) => ("path" in change ? change.path : "")).sort(), [
        `${base}/after`,
        `${base}/before`,
      ]);
    },
  },
  {
    title: "changes come in the order of their zxids",
    run: async ({ t, client, other, base }) => {
      const writer = await other();
      const { zxid } = await client.get(base);
      const seen = firstValueFrom(
        client.changes(base, { recursive: true, from: zxid }).pipe(
          takeWhile(({ path }) => path !== `${base}/last`, true),
          toArray(),
        ),
      );
      for (let turn = 0; turn < 5; turn += 1) await writer.put(`${base}/x${turn}`, "1");
      await writer.create(`${base}/last`);
      const zxids = (await seen).map((change) => change.zxid);
      t.true(zxids.length >= 5);
      t.deepEqual(
        zxids,
        zxids.toSorted((left, right) => left - right),
      );
    },
  },
  {
    title:
      "a live copy of a subtree comes to what others have made, while they change other znodes",
    run: async ({ t, client, other, base }) => {
      const writer = await other();
      for (const name of ["a", "b", "c"]) await writer.create(`${base}/${name}`);
      let isOver = false;
      const elsewhere = `${base}-elsewhere`;
      const noise = (async (): Promise<void> => {
        await writer.create(elsewhere);
        while (!isOver) await writer.set(elsewhere, "noise");
        await writer.delete(elsewhere);
      })();
      const whole = firstValueFrom(
        client.tree$(base).pipe(filter(({ nodes }) => nodes.size === 5)),
      );
      await writer.create(`${base}/d`);
      const { nodes } = await whole;
      isOver = true;
      await noise;
      t.deepEqual(
        [...nodes.keys()],
        [base, ...["a", "b", "c", "d"].map((name) => `${base}/${name}`)],
      );
    },
  },
  {
    title: "a value and a list of children are followed from what they were at first",
    run: async ({ t, client, other, base }) => {
      const writer = await other();
      const path = `${base}/value`;
      const values = firstValueFrom(
        client.value$(path).pipe(
          map((data) => (data === undefined ? "none" : Buffer.from(data as Uint8Array).toString())),
          takeWhile((value) => value !== "last", true),
          toArray(),
        ),
      );
      const names = firstValueFrom(
        client.children$(base).pipe(filter((view) => [...view].join() === "end,value")),
      );
      await writer.create(path, "first");
      await writer.set(path, "last");
      await writer.create(`${base}/end`);
      t.is((await values).at(-1), "last");
      t.true((await names).exists);
    },
  },
  {
    title: "copies of what several clients write at once end as what is there",
    run: async ({ t, client, other, base }) => {
      const views = firstValueFrom(
        client.tree$(base).pipe(filter(({ nodes }) => nodes.has(`${base}/over`))),
      );
      const names = firstValueFrom(
        client.children$(base).pipe(filter((view) => [...view].includes("over"))),
      );
      const last = firstValueFrom(
        client.value$(key(`${base}/0`, { codec: text })).pipe(filter((value) => value === "over")),
      );
      const busy = async (writer: Client, seed: number): Promise<void> => {
        for (let round = 0; round < 15; round += 1) {
          const path = `${base}/${(round + seed) % 3}`;
          await writer.put(path, `${seed}.${round}`);
          await writer.put(`${path}/below`, `${seed}.${round}`);
          if (round % 2 === 0) await gone(writer, `${path}/below`);
          if (round % 4 === 0) await gone(writer, path);
        }
      };
      const writers = [await other(), await other()];
      await Promise.all(writers.map(busy));
      await client.put(`${base}/0`, "over");
      await client.create(`${base}/over`);
      const { nodes } = await views;
      const { children } = await client.children(base);
      t.deepEqual([...(await names)].toSorted(), children.toSorted());
      t.is(await last, "over");
      for (const [path, { data, stat }] of nodes) {
        const there = await client.get(path);
        t.deepEqual(
          [data, stat.czxid, stat.mzxid],
          [there.data, there.stat.czxid, there.stat.mzxid],
        );
      }
      const [, ...below] = nodes.keys();
      t.deepEqual(below, (await pathsBelow(client, base)).toSorted());
    },
  },
];

/** Deletes the znode unless somebody else has, or has made others below it. */
async function gone(client: Client, path: string): Promise<void> {
  try {
    await client.delete(path);
  } catch (error) {
    if (!(error instanceof NoNodeError || error instanceof NotEmptyError)) throw error;
  }
}

async function pathsBelow(client: Client, path: string): Promise<readonly string[]> {
  const { children } = await client.children(path);
  const paths = children.map((name) => `${path}/${name}`);
  return [...paths, ...(await Promise.all(paths.map((each) => pathsBelow(client, each)))).flat()];
}
