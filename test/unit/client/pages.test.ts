/** Children by pages, as a client goes through them: none twice, and an end even if it has to begin again. */
import test from "ava";
import { pagesOf } from "../../../client/pages.ts";
import type { NativeRead } from "../../../protocol/native-packing.ts";
import type { PageEnd } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { STAT } from "../../support/gateway-driver.ts";

type Answer = { readonly children: readonly string[]; readonly end: PageEnd };

async function walk(
  answers: readonly Answer[],
): Promise<{ readonly pages: readonly (readonly string[])[]; readonly asked: NativeRead[] }> {
  const asked: NativeRead[] = [];
  const pages: (readonly string[])[] = [];
  const ask = (read: NativeRead): ReturnType<Parameters<typeof pagesOf>[0]> => {
    asked.push(read);
    const zxid = asked.length as Zxid;
    if (read.kind === "getChildren") {
      const children = ["a", "b", "c"];
      return Promise.resolve({ zxid, result: { kind: "children", children, stat: STAT } });
    }
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (answer === undefined) throw new Error("nothing more is there");
    const result = { kind: "page", ...answer, stat: STAT, order: `${asked.length}` } as const;
    return Promise.resolve({ zxid, result });
  };
  for await (const { children } of pagesOf(ask, { path: "/p", size: 2, hasPages: true }))
    pages.push(children);
  return { pages, asked };
}

test("each page goes on behind the one before", async (t) => {
  const { pages, asked } = await walk([
    { children: ["a", "b"], end: "more" },
    { children: ["c"], end: "last" },
  ]);
  t.deepEqual(pages, [["a", "b"], ["c"]]);
  const about = { kind: "childrenPage", path: "/p", childrenMax: 2 } as const;
  t.deepEqual(asked, [
    { ...about, after: undefined },
    { ...about, after: { names: ["a", "b"], zxid: 1 as Zxid, order: "1" } },
  ]);
});

test("a znode without children has one page without names", async (t) => {
  t.deepEqual((await walk([{ children: [], end: "last" }])).pages, [[]]);
});

test("begun again, it gives no name twice", async (t) => {
  const { pages, asked } = await walk([
    { children: ["a", "b"], end: "more" },
    { children: [], end: "lost" },
    { children: ["b", "a"], end: "more" },
    { children: ["c"], end: "last" },
  ]);
  t.deepEqual(pages, [["a", "b"], ["c"]]);
  t.like(asked[2], { after: undefined });
});

test("where it never gets on, it asks for all children at once", async (t) => {
  const { pages, asked } = await walk([
    { children: ["a"], end: "more" },
    { children: [], end: "lost" },
  ]);
  t.deepEqual(pages, [["a"], ["b", "c"]]);
  t.is(asked.at(-1)?.kind, "getChildren");
  t.true(asked.length < 15);
});
