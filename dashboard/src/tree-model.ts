/**
 * What is known of a tree, as it is or as it was: the children of each znode that is open, by the pages that were read. A znode may have a million; no more are
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

export const CHILDREN_PAGE = 500;
/** Pages that are read again when something has changed. What was read behind them is dropped, and read when it is scrolled to. */
const FRESH_PAGES_MAX = 4;
/** A list of more is of no use to a person. */
const CHILDREN_MAX = 50_000;
/** Branches that are read again in one round, and how long after it the next one begins where there are more: a page must not keep a node busy. */
const ROUND_MAX = 20;
const ROUND_MS = 500;
const EMPTY: Branch = { children: [], next: "", stat: undefined, problem: undefined };

type PageOf = (path: string, after: string) => Promise<ChildrenPage>;

export class TreeModel {
  readonly rows: Signal<readonly Row[]> = signal<readonly Row[]>([]);
  readonly #pageOf: PageOf;
  readonly #branches = new Map<string, Branch>();
  readonly #open = new Set<string>();
  readonly #reading = new Set<string>();
  /** What has changed while it was read. */
  readonly #stale = new Set<string>();
  /** What has changed and was not read again yet, the longest known first. */
  readonly #due = new Set<string>();
  #isReadingDue = false;

  /** `pageOf`: reads a page of children, the first after an empty text. */
  constructor(pageOf: PageOf) {
    this.#pageOf = pageOf;
  }

  /** What is open, the longest open first. */
  get openPaths(): readonly string[] {
    return [...this.#open];
  }

  async openBranch(path: string): Promise<void> {
    this.#open.add(path);
    if (this.#branches.has(path)) this.#show();
    else await this.readMore(path);
  }

  closeBranch(path: string): void {
    this.#open.delete(path);
    // What is not shown need not be kept as it is, so it is read again when it is opened.
    for (const each of this.#branches.keys()) {
      if (each === path || each.startsWith(path === "/" ? "/" : `${path}/`))
        this.#branches.delete(each);
    }
    this.#show();
  }

  /** Reads the next page of children. */
  async readMore(path: string): Promise<void> {
    const branch = this.#branches.get(path) ?? EMPTY;
    if (branch.next === null || this.#reading.has(path) || branch.children.length >= CHILDREN_MAX)
      return;
    this.#reading.add(path);
    try {
      const page = await this.#pageOf(path, branch.next);
      const children = [...branch.children, ...page.children];
      this.#keep(path, { children, next: page.next, stat: page.stat, problem: undefined });
    } catch (error) {
      this.#fail(path, branch, error);
    } finally {
      this.#reading.delete(path);
    }
    if (this.#stale.delete(path)) await this.#readAgain(path);
    this.#show();
  }

  /** Reads again what has changed of what is open. */
  async refresh({ paths, unlisted }: Summary): Promise<void> {
    const changed = new Set(paths.flatMap((path) => [path, parentOf(path)]));
    for (const path of this.#open) if (unlisted > 0 || changed.has(path)) this.#due.add(path);
    if (this.#isReadingDue) return;
    this.#isReadingDue = true;
    try {
      while (this.#due.size > 0) {
        for (const path of [...this.#due].slice(0, ROUND_MAX)) {
          this.#due.delete(path);
          await this.#readAgain(path);
        }
        this.#show();
        if (this.#due.size > 0) await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
      }
    } finally {
      this.#isReadingDue = false;
    }
  }

  async #readAgain(path: string): Promise<void> {
    if (this.#reading.has(path)) {
      this.#stale.add(path);
      return;
    }
    const before = this.#branches.get(path);
    if (before === undefined) return;
    this.#reading.add(path);
    const wanted = Math.max(before.children.length, 1);
    const children: Child[] = [];
    try {
      let next: string | null = "";
      let stat: Stat | undefined;
      for (let pages = 0; pages < FRESH_PAGES_MAX && next !== null; pages += 1) {
        if (pages > 0 && children.length >= wanted) break;
        const page: ChildrenPage = await this.#pageOf(path, next);
        children.push(...page.children);
        ({ next, stat } = page);
      }
      this.#keep(path, { children, next, stat, problem: undefined });
    } catch (error) {
      this.#fail(path, before, error);
    } finally {
      this.#reading.delete(path);
    }
    if (this.#stale.delete(path)) await this.#readAgain(path);
  }

  /** What could not be read stays as it was, with the reason. A znode that is gone is closed, and a page that is lost has all read from the first. */
  #fail(path: string, before: Branch, error: unknown): void {
    const code = codeOf(error);
    if (code === "ZOOID_NO_NODE") this.#open.delete(path);
    if (code === "ZOOID_NO_NODE" || code === "ZOOID_PAGE_LOST") this.#branches.delete(path);
    else this.#keep(path, { ...before, problem: messageOf(error) });
  }

  /** What was closed while it was read is dropped: nothing would read it again when it changes. */
  #keep(path: string, branch: Branch): void {
    if (this.#open.has(path)) this.#branches.set(path, branch);
  }

  #show(): void {
    const shown: Row[] = [];
    const rootStat = this.#branches.get("/")?.stat;
    const isRootOpen = this.#open.has("/");
    shown.push({
      ...{ kind: "znode", path: "/", level: 1, stat: rootStat, isOpen: isRootOpen },
      ...{ position: 1, setSize: 1 },
    });
    if (isRootOpen) this.#addChildren(shown, "/", 2);
    this.rows.value = shown;
  }

  #addChildren(shown: Row[], path: string, level: number): void {
    const { children, next, stat, problem } = this.#branches.get(path) ?? EMPTY;
    const setSize = Math.max(stat?.numChildren ?? 0, children.length);
    for (const [index, { name, stat: own }] of children.entries()) {
      const child = childOf(path, name);
      const isChildOpen = this.#open.has(child);
      shown.push({
        ...{ kind: "znode", path: child, level, stat: own, isOpen: isChildOpen },
        ...{ position: index + 1, setSize },
      });
      if (isChildOpen) this.#addChildren(shown, child, level + 1);
    }
    if (next === null && problem === undefined) return;
    const isFull = children.length >= CHILDREN_MAX;
    shown.push({ kind: "more", path, level, left: setSize - children.length, isFull, problem });
  }

  /** Opens all above the path, as far as they are there. */
  async openTo(path: string): Promise<void> {
    let above = "/";
    await this.openBranch(above);
    for (const name of parentOf(path).split("/").filter(Boolean)) {
      above = childOf(above, name);
      await this.openBranch(above);
    }
  }
}

export const liveTree: TreeModel = new TreeModel((path, after) =>
  read<ChildrenPage>("children", { path, limit: CHILDREN_PAGE, after }),
);

export function readZnode(path: string): Promise<Znode> {
  return read<Znode>("znode", { path });
}
