/** Changes as server-sent events: from which id a client can go on, and what a gap looks like. */
import test from "ava";
import type { ChangeEvent } from "../../../../protocol/changes.ts";
import type { Change } from "../../../../protocol/reads.ts";
import type { Stat } from "../../../../protocol/stat.ts";
import type { Zxid } from "../../../../protocol/zxid.ts";
import { summariesOf } from "../../../../cli/dashboard/summaries.ts";
import { eventsOf } from "../../../../server/admin/api/event-stream.ts";
import type { Changes } from "../../../../server/change-streams.ts";

const STAT: Stat = {
  ...{ czxid: 1 as Zxid, mzxid: 1 as Zxid, ctime: 0, mtime: 0, version: 0, cversion: 0 },
  ...{ aversion: 0, ephemeralOwner: 0, dataLength: 6, numChildren: 0, pzxid: 1 as Zxid },
};

function change(zxid: number, index: number): Change {
  return {
    kind: "data",
    path: `/${zxid}/${index}`,
    zxid: zxid as Zxid,
    index,
    stat: STAT,
    data: Buffer.from("secret"),
  };
}

/** What the node's own stream would give; then it waits, as a stream does, until it is ended. */
function changesOf(events: readonly ChangeEvent[]): { changes: Changes; ended: () => boolean } {
  let isEnded = false;
  let wake = (): void => undefined;
  const left = [...events];
  const iterator = {
    next: async () => {
      const value = left.shift();
      if (value !== undefined) return { done: false, value };
      if (!isEnded) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return { done: true, value: undefined };
    },
    return: () => {
      isEnded = true;
      wake();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  const changes = { [Symbol.asyncIterator]: () => iterator } as unknown as Changes;
  return { changes, ended: () => isEnded };
}

async function textsOf(events: readonly ChangeEvent[], count: number): Promise<readonly string[]> {
  const gone = new AbortController();
  const texts: string[] = [];
  const { changes, ended } = changesOf(events);
  for await (const text of eventsOf(changes, 4 as Zxid, gone.signal)) {
    texts.push(text);
    if (texts.length === count) break;
  }
  if (!ended()) throw new Error("the node's stream is still open");
  return texts;
}

function idOf(text: string): string | undefined {
  return /^id: (.*)$/m.exec(text)?.[1];
}

test("an id is a zxid of which all has been sent: in the middle of one it is that before", async (t) => {
  const texts = await textsOf(
    [
      change(5, 0),
      change(5, 1),
      change(7, 0),
      { kind: "progress", zxid: 9 as Zxid },
      change(10, 0),
    ],
    6,
  );
  t.deepEqual(texts.map(idOf), [undefined, "0x4", "0x4", "0x5", "0x9", "0x9"]);
  t.is(texts[0], ": open\n\n");
  t.false(texts.join("").includes("secret") || texts.join("").includes("c2VjcmV0"));
});

test("a stream that the node can no longer go on with ends behind a gap, from whose id the next one can", async (t) => {
  const texts = await textsOf([change(5, 0), { kind: "compacted", oldest: 90 as Zxid }], 9);
  t.is(texts.at(-1), 'event: gap\nid: 0x5a\ndata: {"oldest":"0x5a"}\n\n');
});

test("a stream that waits for changes ends at once when its client is gone", async (t) => {
  const gone = new AbortController();
  const { changes, ended } = changesOf([]);
  const events = eventsOf(changes, undefined, gone.signal);
  await events.next();
  const waiting = events.next();
  gone.abort();
  t.deepEqual(await waiting, { done: true, value: undefined });
  t.true(ended());
});

test("a summary says how many changes there were and where, and its id does not go back behind progress", async (t) => {
  const gone = new AbortController();
  const { changes, ended } = changesOf([
    { kind: "progress", zxid: 9 as Zxid },
    change(10, 0),
    { kind: "progress", zxid: 12 as Zxid },
    change(13, 0),
    change(13, 1),
    change(13, 1),
  ]);
  const wish = { from: 4 as Zxid, everyMs: 1, signal: gone.signal };
  const summaries = summariesOf(changes, wish);
  const texts = [(await summaries.next()).value, (await summaries.next()).value].map(String);
  t.is(texts[0], ": open\n\n");
  t.is(idOf(texts[1] ?? ""), "0xc");
  const data = JSON.parse(/^data: (.*)$/m.exec(texts[1] ?? "")?.[1] ?? "") as object;
  const paths = ["/10/0", "/13/0", "/13/1"];
  t.deepEqual(data, { zxid: "0xd", changes: 4, paths, unlisted: 0 });
  // Nothing has changed since, so nothing is due until the client is gone.
  const waiting = summaries.next();
  gone.abort();
  t.deepEqual(await waiting, { done: true, value: undefined });
  t.true(ended());
});
