/** The pages of the dashboard, each with how it is seen that it is there. */
import { znodePath } from "../../load/zookeeper/fill.ts";
import type { Expected } from "./measured-tab.ts";
import { CHANGED, type Furnished, LOCK, PARENT } from "./furnish.ts";

/** Milliseconds that must not be exceeded. */
export type Goals = { readonly firstPaintMs?: number; readonly shownMs?: number };

export type PageCase = Expected & {
  readonly name: string;
  /** What stands behind the `#` of its address. */
  readonly route: string;
};

/** What the issue of the dashboard asks for. */
export const FIRST_PAINT: Goals = { firstPaintMs: 1000 };
export const ZNODE_PAGE: Goals = { shownMs: 200 };

/**
 * The znode of the path is shown with its value and its Stat; wholly when it is known who watches it, which all nodes are asked, and when its row stands in
 * the tree.
 */
export function znodeExpected(path: string): Expected {
  const name = JSON.stringify(nameOf(path));
  const shown = `bench.text("#znode-path") === ${name} && document.querySelector(".znode dl")`;
  const watched = 'bench.text(".znode").includes("Who watches it")';
  const asking = 'bench.text(".znode").includes("Asking the nodes")';
  const chosen = `bench.text(".tree-row.selected .name") === ${name}`;
  return { shown, whole: `${shown} && ${watched} && !${asking} && ${chosen}` };
}

export function nameOf(path: string): string {
  return path === "/" ? path : path.slice(path.lastIndexOf("/") + 1);
}

function routeOf(page: string, query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `#/${page}${text === "" ? "" : `?${text}`}`;
}

export function treeRoute(path: string): string {
  return routeOf("tree", { path });
}

/** A znode and the rows of what is above it, which are fewer than a parent has children. */
function treeCase(name: string, path: string): PageCase {
  const { shown, whole = shown } = znodeExpected(path);
  const rows = "bench.rows() > 3";
  const expected = { shown: `${shown} && ${rows}`, whole: `${whole} && ${rows}` };
  return { name, route: treeRoute(path), ...expected };
}

function has(selector: string): Expected {
  return { shown: `document.querySelector(${JSON.stringify(selector)})` };
}

function reads(text: string): Expected {
  return { shown: `bench.text("main").includes(${JSON.stringify(text)})` };
}

export type Subject = Pick<Furnished, "session" | "changes"> & {
  /** A child in the middle of those of the parent of many. */
  readonly middle: string;
  /** What the names of a few of its last children have. */
  readonly sought: string;
};

/** The first of those about the past has the tree of then built, which the others have from it. */
export function pageCases({ session, changes, middle, sought }: Subject): readonly PageCase[] {
  const then = 'bench.rows() > 3 && document.querySelector(".znode dl")';
  const pattern = `${PARENT}/*${sought}*`;
  const status = 'bench.text("[role=status]")';
  return [
    { name: "Ensemble", route: routeOf("ensemble"), ...reads("nodes serve") },
    { name: "Elections", route: routeOf("elections"), ...has(".election tbody tr") },
    { name: "Latency", route: routeOf("latency"), ...has("table.figures tbody tr") },
    treeCase("Tree: the root", "/"),
    treeCase("Tree: a child of a thousand", znodePath({ folder: 1, number: 500 })),
    treeCase("Tree: the parent of many", PARENT),
    treeCase("Tree: a child of many", middle),
    { name: "Sessions", route: routeOf("sessions"), ...has("main tbody tr") },
    { name: "Session", route: routeOf("sessions", { id: session }), ...has("main ul.paths li") },
    { name: "Locks: a lock", route: routeOf("locks", { path: LOCK }), ...has("tr.holder") },
    {
      name: "Locks: the parent of many",
      route: routeOf("locks", { path: PARENT }),
      ...reads("Nobody stands in line"),
    },
    { name: "Past: the parent of many", route: routeOf("past", { path: PARENT }), shown: then },
    { name: "History", route: routeOf("history", { path: CHANGED }), ...has(".changes tbody tr") },
    {
      name: "Differences",
      route: routeOf("diff", { path: CHANGED, ...changes }),
      shown: `${status}.includes("difference")`,
    },
    {
      name: "Search in the parent of many",
      route: routeOf("search", { path: PARENT, pattern }),
      shown: `${status}.includes("looked at") && !${status}.includes("Looking")`,
    },
  ];
}
