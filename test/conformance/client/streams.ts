/** Streams of changes, as far as every target has them alike. */
import { filter, firstValueFrom, map, take, takeWhile, toArray } from "rxjs";
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
          filter((change) => "path" in change && change.path === `${base}/last`),
          take(1),
        ),
      );
      const zxids: number[] = [];
      const following = client
        .changes(base, { recursive: true, from: zxid })
        .subscribe((change) => zxids.push(change.zxid));
      for (let turn = 0; turn < 5; turn += 1) await writer.put(`${base}/x${turn}`, "1");
      await writer.create(`${base}/last`);
      await seen;
      following.unsubscribe();
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
];
