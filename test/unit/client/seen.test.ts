/** Up to where a client's callers have seen a path. */
import { setImmediate as nextTurn } from "node:timers/promises";
import test from "ava";
import { Seen } from "../../../client/seen.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

const at = (zxid: number): Zxid => zxid as Zxid;

test("a path of which nothing was asked is not seen", (t) => {
  t.is(new Seen().of("/a", true), undefined);
});

test("a later read of another turn is what counts", async (t) => {
  const seen = new Seen();
  seen.read("/a", at(5));
  await nextTurn();
  seen.read("/a", at(9));
  t.is(seen.of("/a", false), at(9));
});

test("of two reads answered in one turn the earlier counts, in whichever order they come", (t) => {
  const seen = new Seen();
  seen.read("/a", at(5));
  seen.read("/a", at(9));
  t.is(seen.of("/a", false), at(5));
  seen.read("/b", at(9));
  seen.read("/b", at(5));
  t.is(seen.of("/b", false), at(5));
});

test("a write does not hide what others did since the read before it", async (t) => {
  const seen = new Seen();
  seen.read("/a", at(5));
  await nextTurn();
  seen.wrote("/a", at(9));
  t.is(seen.of("/a", false), at(5));
  seen.wrote("/new", at(9));
  t.is(seen.of("/new", false), at(9));
});

test("a recursive stream begins at the read of its own path, else at the earliest of those below", async (t) => {
  const seen = new Seen();
  seen.read("/a/b", at(7));
  seen.read("/a/c", at(6));
  seen.read("/ab", at(1));
  t.is(seen.of("/a", true), at(6));
  t.is(seen.of("/a", false), undefined);
  t.is(seen.of("/", true), at(1));
  await nextTurn();
  seen.read("/a", at(8));
  t.is(seen.of("/a", true), at(8));
});

test("it remembers the paths that were read last", async (t) => {
  const seen = new Seen();
  for (let index = 0; index <= 10_000; index += 1) seen.read(`/${index}`, at(index + 1));
  t.is(seen.of("/0", false), undefined);
  t.is(seen.of("/1", false), at(2));
});
