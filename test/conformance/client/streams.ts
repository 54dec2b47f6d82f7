/** Streams of changes, as far as every target has them alike. */
import { filter, firstValueFrom, take, toArray } from "rxjs";
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
];
