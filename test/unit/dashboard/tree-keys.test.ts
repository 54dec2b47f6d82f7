/** Where the keys of the tree lead to. */
import test from "ava";
import { landingOf } from "../../../dashboard/src/tree-keys.ts";

const rowsOf = (kinds: string): readonly { readonly kind: "znode" | "more" }[] =>
  kinds.split("").map((kind) => ({ kind: kind === "z" ? "znode" : "more" }));

test("a move ends at a znode, and at the first or the last one beyond the ends", (t) => {
  const rows = rowsOf("zzz");
  const landings = [
    { from: 0, to: 1 },
    { from: 1, to: 40 },
    { from: 2, to: -40 },
  ].map((move) => landingOf(rows, move));
  t.deepEqual(landings, [1, 2, 0]);
});

test("rows that stand for more are stepped over in the direction of the move", (t) => {
  const rows = rowsOf("zzmmzz");
  t.is(landingOf(rows, { from: 1, to: 2 }), 4);
  t.is(landingOf(rows, { from: 4, to: 3 }), 1);
});

test("where the last row stands for more, a move to the end leads to the last znode", (t) => {
  const rows = rowsOf("zzzm");
  t.is(landingOf(rows, { from: 0, to: 30 }), 2);
  t.is(landingOf(rows, { from: 2, to: 3 }), 2);
});
