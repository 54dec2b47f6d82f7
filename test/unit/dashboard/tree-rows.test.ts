/** What the page keeps of children that it has read, and which rows of the tree come of that. */
import test from "ava";
import fc from "fast-check";
import {
  type Branch,
  countOf,
  hasChild,
  isWhole,
  type PageRead,
  UNREAD,
  withPage,
  withStretch,
} from "../../../dashboard/src/tree-branch.ts";
import { CHILDREN_MAX, type Row, TreeRows } from "../../../dashboard/src/tree-rows.ts";

const statOf = (numChildren: number): PageRead["stat"] => ({ numChildren, ephemeralOwner: null });

/** `all`: how many children the znode has. */
function pageOf(names: readonly string[], next: string | null, all: number = 1000): PageRead {
  const children = names.map((name) => ({ name, stat: statOf(0) }));
  return { stat: statOf(all), children, next };
}

function namesOf({ stretches }: Branch): readonly (readonly string[])[] {
  return stretches.map(({ children }) => children.map(({ name }) => name));
}

const child = (name: string): Parameters<typeof withStretch>[1] => {
  return { name, numChildren: 0, isEphemeral: false };
};

/** The children of the znode are letters: those up to b were read, and those from m to n. */
function split(): Branch {
  const begun = withPage(UNREAD, 0, pageOf(["a", "b"], "2"));
  return withStretch(begun, child("m"), pageOf(["n"], "14"));
}

test("pages are put behind each other until there is no next one", (t) => {
  const begun = withPage(UNREAD, 0, pageOf(["a", "b"], "2"));
  t.deepEqual([namesOf(begun), isWhole(begun)], [[["a", "b"]], false]);
  const whole = withPage(begun, 0, pageOf(["c"], null));
  t.deepEqual([namesOf(whole), isWhole(whole)], [[["a", "b", "c"]], true]);
  t.true(hasChild(whole, "c"));
  t.false(hasChild(whole, "d"));
});

test("a stretch further on grows by itself, and takes the place of the one before", (t) => {
  const grown = withPage(split(), 1, pageOf(["o"], "15"));
  t.deepEqual(namesOf(grown), [
    ["a", "b"],
    ["m", "n", "o"],
  ]);
  t.is(countOf(grown), 5);
  const other = withStretch(grown, child("x"), pageOf(["y"], null));
  t.deepEqual(namesOf(other), [
    ["a", "b"],
    ["x", "y"],
  ]);
  t.is(withStretch(other, child("b"), pageOf(["c"], "3")), other);
});

test("where the pages come to the other stretch both become one, which goes on where that did", (t) => {
  const met = withPage(split(), 0, pageOf(["c", "m", "n", "o"], "15"));
  t.deepEqual(met.stretches, [{ children: ["a", "b", "c", "m", "n"].map(child), next: "14" }]);
});

test("a stretch that began with a child that is gone ends with the last page", (t) => {
  const over = withPage(split(), 0, pageOf(["c", "n", "o"], null));
  t.deepEqual(namesOf(over), [["a", "b", "c", "n", "o"]]);
});

function rowsOf(branches: Readonly<Record<string, Branch>>, ...open: readonly string[]): TreeRows {
  return new TreeRows({ branches: new Map(Object.entries(branches)), open: new Set(open) });
}

function linesOf(rows: TreeRows): readonly string[] {
  return rows.slice(0, rows.length).map((row) => {
    if (row.kind === "more") return `${row.level} ${row.path} +${row.left}`;
    return `${row.level} ${row.path} ${row.position ?? "?"}/${row.setSize}`;
  });
}

test("what is open has its children behind it, and a row for those that were not read", (t) => {
  const root = withPage(UNREAD, 0, pageOf(["a", "b", "c"], null, 3));
  const below = withPage(UNREAD, 0, pageOf(["x", "y"], "2", 40));
  const lines = linesOf(rowsOf({ "/": root, "/b": below }, "/", "/b"));
  t.deepEqual(lines, [
    ...["1 / 1/1", "2 /a 1/3", "2 /b 2/3", "3 /b/x 1/40", "3 /b/y 2/40", "3 /b +38"],
    "2 /c 3/3",
  ]);
  t.deepEqual(linesOf(rowsOf({ "/": root })), ["1 / 1/1"]);
  // The page of its siblings said 0 of b, and is the older one.
  t.like(rowsOf({ "/": root, "/b": below }, "/", "/b").at(2), { path: "/b", numChildren: 40 });
});

test("between two stretches there is a row for what was not read, and no place is known behind it", (t) => {
  const rows = rowsOf({ "/": split() }, "/");
  const some = "+996";
  t.deepEqual(linesOf(rows), [
    ...["1 / 1/1", "2 /a 1/1000", "2 /b 2/1000", `2 / ${some}`],
    ...["2 /m ?/1000", "2 /n ?/1000", `2 / ${some}`],
  ]);
  t.like(rows.at(3), { stretch: 0, isGap: true, isSplit: true });
  t.like(rows.at(6), { stretch: 1, isGap: false, isSplit: true });
});

test("a problem is shown behind the last child, also where all were read", (t) => {
  const whole = withPage(UNREAD, 0, pageOf(["a"], null, 1));
  const rows = rowsOf({ "/": { ...whole, problem: "away" } }, "/");
  t.like(rows.at(2), { kind: "more", problem: "away" });
});

test("so many children are shown and no more, and rows are made of those that are looked at", (t) => {
  const names = Array.from({ length: CHILDREN_MAX }, (_, number) => `c${number}`);
  const rows = rowsOf({ "/": withPage(UNREAD, 0, pageOf(names, "next", 1_000_000)) }, "/");
  t.is(rows.length, CHILDREN_MAX + 2);
  t.like(rows.at(CHILDREN_MAX), { path: `/c${CHILDREN_MAX - 1}`, position: CHILDREN_MAX });
  t.like(rows.at(CHILDREN_MAX + 1), { isFull: true, left: 1_000_000 - CHILDREN_MAX });
  t.is(rows.at(CHILDREN_MAX + 2), undefined);
  t.is(rows.at(-1), undefined);
});

test("each row is found by its path where it is, whatever is open", (t) => {
  const names = ["a", "b", "c", "d"];
  const paths = [
    "/",
    ...names.flatMap((one) => [`/${one}`, ...names.map((two) => `/${one}/${two}`)]),
  ];
  fc.assert(
    fc.property(fc.subarray(paths), fc.boolean(), (open, isCut) => {
      const page = pageOf(names, isCut ? "4" : null, 4);
      const branches = Object.fromEntries(paths.map((path) => [path, withPage(UNREAD, 0, page)]));
      const rows = rowsOf(branches, ...open);
      const all: readonly Row[] = rows.slice(0, rows.length);
      const found = all.map((row, index) =>
        row.kind === "znode" ? rows.indexOf(row.path) : index,
      );
      return all.length === rows.length && found.every((at, index) => at === index);
    }),
  );
  t.is(rowsOf({ "/": UNREAD }, "/").indexOf("/nowhere"), -1);
});
