/**
 * What is known of the tree: the children of each znode that is open, by the pages that were read. A znode may have a million; no more are
 * read than were scrolled to.
 */
import { type Signal, signal } from "@preact/signals";
import { type ChildrenPage, codeOf, messageOf, read, type Stat, type Znode } from "./api.ts";
import { childOf, parentOf } from "./format/paths.ts";
import type { Summary } from "./live.ts";

type Child = ChildrenPage["children"][number];

type Branch = {
  readonly children: readonly Child[];
  /** What the next page begins after; null: there is none. */
  readonly next: string | null;
  readonly stat: Stat | undefined;
  readonly problem: string | undefined;
};

export type Row =
  | {
      readonly kind: "znode";
      readonly path: string;
      readonly level: number;
      readonly stat: Stat | undefined;
      readonly isOpen: boolean;
      /** Among its siblings, from 1, and how many these are. */
      readonly position: number;
      readonly setSize: number;
    }
  /** Stands for the children that were not read yet. */
  | {
      readonly kind: "more";
      readonly path: string;
      readonly level: number;
      readonly left: number;
      readonly isFull: boolean;
      readonly problem: string | undefined;
    };

const PAGE = 500;
/** Pages that are read again when something has changed. What was read behind them is dropped, and read when it is scrolled to. */
const FRESH_PAGES_MAX = 4;
/** A list of more is of no use to a person. */
const CHILDREN_MAX = 50_000;
/** Branches that are read again in one round, and how long after it the next one begins where there are more: a page must not keep a node busy. */
const ROUND_MAX = 20;
const ROUND_MS = 500;
const EMPTY: Branch = { children: [], next: "", stat: undefined, problem: undefined };

const branches = new Map<string, Branch>();
const open = new Set<string>();
const reading = new Set<string>();
/** What has changed while it was read. */
const stale = new Set<string>();
/** What has changed and was not read again yet, the longest known first. */
const due = new Set<string>();
let isReadingDue = false;

export const rows: Signal<readonly Row[]> = signal<readonly Row[]>([]);

export async function openBranch(path: string): Promise<void> {
  open.add(path);
  if (branches.has(path)) show();
  else await readMore(path);
}

export function closeBranch(path: string): void {
  open.delete(path);
  // What is not shown need not be kept as it is, so it is read again when it is opened.
  for (const each of branches.keys()) {
    if (each === path || each.startsWith(path === "/" ? "/" : `${path}/`)) branches.delete(each);
  }
  show();
}

/** Reads the next page of children. */
export async function readMore(path: string): Promise<void> {
  const branch = branches.get(path) ?? EMPTY;
  if (branch.next === null || reading.has(path) || branch.children.length >= CHILDREN_MAX) return;
  reading.add(path);
  try {
    const page = await pageOf(path, branch.next);
    const children = [...branch.children, ...page.children];
    keep(path, { children, next: page.next, stat: page.stat, problem: undefined });
  } catch (error) {
    fail(path, branch, error);
  } finally {
    reading.delete(path);
  }
  if (stale.delete(path)) await readAgain(path);
  show();
}

/** Reads again what has changed of what is open. */
export async function refresh({ paths, unlisted }: Summary): Promise<void> {
  const changed = new Set(paths.flatMap((path) => [path, parentOf(path)]));
  for (const path of open) if (unlisted > 0 || changed.has(path)) due.add(path);
  if (isReadingDue) return;
  isReadingDue = true;
  try {
    while (due.size > 0) {
      for (const path of [...due].slice(0, ROUND_MAX)) {
        due.delete(path);
        await readAgain(path);
      }
      show();
      if (due.size > 0) await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
    }
  } finally {
    isReadingDue = false;
  }
}

async function readAgain(path: string): Promise<void> {
  if (reading.has(path)) {
    stale.add(path);
    return;
  }
  const before = branches.get(path);
  if (before === undefined) return;
  reading.add(path);
  const wanted = Math.max(before.children.length, 1);
  const children: Child[] = [];
  try {
    let next: string | null = "";
    let stat: Stat | undefined;
    for (let pages = 0; pages < FRESH_PAGES_MAX && next !== null; pages += 1) {
      if (pages > 0 && children.length >= wanted) break;
      const page: ChildrenPage = await pageOf(path, next);
      children.push(...page.children);
      ({ next, stat } = page);
    }
    keep(path, { children, next, stat, problem: undefined });
  } catch (error) {
    fail(path, before, error);
  } finally {
    reading.delete(path);
  }
  if (stale.delete(path)) await readAgain(path);
}

/** What could not be read stays as it was, with the reason. A znode that is gone is closed, and a page that is lost has all read from the first. */
function fail(path: string, before: Branch, error: unknown): void {
  const code = codeOf(error);
  if (code === "ZOOID_NO_NODE") open.delete(path);
  if (code === "ZOOID_NO_NODE" || code === "ZOOID_PAGE_LOST") branches.delete(path);
  else keep(path, { ...before, problem: messageOf(error) });
}

/** What was closed while it was read is dropped: nothing would read it again when it changes. */
function keep(path: string, branch: Branch): void {
  if (open.has(path)) branches.set(path, branch);
}

function pageOf(path: string, after: string): Promise<ChildrenPage> {
  return read<ChildrenPage>("children", {
    path,
    limit: PAGE,
    after: after === "" ? undefined : after,
  });
}

function show(): void {
  const shown: Row[] = [];
  const rootStat = branches.get("/")?.stat;
  const isRootOpen = open.has("/");
  shown.push({
    ...{ kind: "znode", path: "/", level: 1, stat: rootStat, isOpen: isRootOpen },
    ...{ position: 1, setSize: 1 },
  });
  if (isRootOpen) addChildren(shown, "/", 2);
  rows.value = shown;
}

function addChildren(shown: Row[], path: string, level: number): void {
  const { children, next, stat, problem } = branches.get(path) ?? EMPTY;
  const setSize = Math.max(stat?.numChildren ?? 0, children.length);
  for (const [index, { name, stat: own }] of children.entries()) {
    const child = childOf(path, name);
    const isChildOpen = open.has(child);
    shown.push({
      ...{ kind: "znode", path: child, level, stat: own, isOpen: isChildOpen },
      ...{ position: index + 1, setSize },
    });
    if (isChildOpen) addChildren(shown, child, level + 1);
  }
  if (next === null && problem === undefined) return;
  const isFull = children.length >= CHILDREN_MAX;
  shown.push({ kind: "more", path, level, left: setSize - children.length, isFull, problem });
}

/** Opens all above the path, as far as they are there. */
export async function openTo(path: string): Promise<void> {
  let above = "/";
  await openBranch(above);
  for (const name of parentOf(path).split("/").filter(Boolean)) {
    above = childOf(above, name);
    await openBranch(above);
  }
}

export function readZnode(path: string): Promise<Znode> {
  return read<Znode>("znode", { path });
}
