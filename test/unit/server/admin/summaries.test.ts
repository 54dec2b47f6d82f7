/** Summaries of what a node says has changed: from where they go on, and when they end. */
import test from "ava";
import type { NativeRequest } from "../../../../protocol/native-packing.ts";
import type { Changed, ChangedPaths } from "../../../../protocol/reads.ts";
import type { Zxid } from "../../../../protocol/zxid.ts";
import { summariesOf } from "../../../../server/admin/api/summaries.ts";
import type { OwnClient } from "../../../../server/embedded/own-client.ts";

const WISH = { path: "/a", below: true };

function changed(through: number, more: Partial<Changed> = {}): Changed {
  const none = { kind: "changed", changes: 0, paths: [], unlisted: 0, end: "last" } as const;
  return { ...none, through: through as Zxid, ...more };
}

/** A node that answers so, one after the other, and what it was asked. */
function nodeOf(...answers: Changed[]): {
  readonly client: () => Promise<OwnClient>;
  readonly asked: ChangedPaths[];
} {
  const asked: ChangedPaths[] = [];
  const request = async (one: NativeRequest): Promise<object> => {
    if (one.kind !== "read" || one.read.kind !== "changedPaths") throw new Error("what is asked");
    asked.push(one.read);
    return { result: answers.shift() ?? changed(99), zxid: 99 };
  };
  return { client: async () => ({ request }) as unknown as OwnClient, asked };
}

function dataOf(text: unknown): unknown {
  return JSON.parse(/^data: (.*)$/m.exec(String(text))?.[1] ?? "");
}

test("each answer goes on where the one before ended, and one without changes is not told", async (t) => {
  const gone = new AbortController();
  const { client, asked } = nodeOf(
    changed(5),
    changed(7),
    changed(9, { changes: 3, paths: ["/a/b"], unlisted: 1, end: "more" }),
    changed(12, { changes: 2, paths: ["/a/b", "/a/c"] }),
  );
  const wish = { from: undefined, everyMs: 1, signal: gone.signal };
  const summaries = summariesOf(client, WISH, wish);
  t.is((await summaries.next()).value, ": open\n\n");
  t.deepEqual(
    asked.map(({ after }) => after),
    [undefined],
    "where it begins is known when it says that it is open",
  );
  const text = String((await summaries.next()).value);
  t.regex(text, /^event: summary\nid: 0xc\n/);
  t.deepEqual(dataOf(text), { zxid: "0xc", changes: 5, paths: ["/a/b", "/a/c"], unlisted: 1 });
  t.deepEqual(
    asked.map(({ after }) => after),
    [undefined, 5, 7, 9] as Zxid[],
  );
  const waiting = summaries.next();
  gone.abort();
  t.deepEqual(await waiting, { done: true, value: undefined });
});

test("it ends behind a gap where the node does not know any more what came next", async (t) => {
  const { client, asked } = nodeOf(changed(90, { end: "lost" }));
  const wish = { from: 4 as Zxid, everyMs: 1, signal: new AbortController().signal };
  const texts: string[] = [];
  for await (const text of summariesOf(client, WISH, wish)) texts.push(text);
  t.deepEqual(texts.slice(1), ['event: gap\nid: 0x5a\ndata: {"oldest":"0x5a"}\n\n']);
  t.deepEqual(
    asked.map(({ after }) => after),
    [4 as Zxid],
  );
});
