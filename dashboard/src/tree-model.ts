/**
 * What is known of a tree, as it is or as it was: the children of each znode that is open, by the pages that were read. A znode may have a million; no more are
 * read than were scrolled to, and those behind one that was gone to by its path.
 */
import { type Signal, signal } from "@preact/signals";
import { type ChildrenPage, codeOf, messageOf, read, type Stat, type Znode } from "./api.ts";
import { childOf, lineageOf, nameOf, parentOf } from "./format/paths.ts";
import type { Summary } from "./live.ts";
import {
  type Branch,
  childOfPage,
  countOf,
  hasChild,
  isWhole,
  UNREAD,
  withPage,
  withStretch,
} from "./tree-branch.ts";
import { CHILDREN_MAX, TreeRows } from "./tree-rows.ts";

const CHILDREN_PAGE = 500;
/** Pages that are read again when something has changed. What was read behind them is dropped, and read when it is scrolled to. */
const FRESH_PAGES_MAX = 4;
/** Branches that are read again in one round, and how long after it the next one begins where there are more: a page must not keep a node busy. */
const ROUND_MAX = 20;
const ROUND_MS = 500;

/** A page of children: the first one, the one that goes on `after` another, or the one `behind` the child of a name. */
export type PageAsked = {
  readonly path: string;
  readonly limit: number;
  readonly after?: string;
  readonly behind?: string;
};

type Source = {
  readonly pageOf: (asked: PageAsked) => Promise<ChildrenPage>;
  /** One znode by itself, without its children, which may be a million. */
  readonly statOf: (path: string) => Promise<Stat>;
};

export class TreeModel {
  readonly rows: Signal<TreeRows> = signal(new TreeRows({ branches: new Map(), open: new Set() }));
  readonly #source: Source;
  readonly #branches = new Map<string, Branch>();
  readonly #open = new Set<string>();
  /** The znodes of whose children something is read, and until when. */
  readonly #reading = new Map<string, Promise<void>>();
  /** What has changed while it was read. */
  readonly #stale = new Set<string>();
  /** What has changed and was not read again yet, the longest known first. */
  readonly #due = new Set<string>();
  #isReadingDue = false;
  /** The znode that was gone to last. */
  #sought = "/";

  constructor(source: Source) {
    this.#source = source;
  }

  /** What is open, the longest open first. */
  get openPaths(): readonly string[] {
    return [...this.#open];
  }

  async openBranch(path: string): Promise<void> {
    const wasOpen = this.#open.has(path);
    this.#open.add(path);
    if (!this.#branches.has(path)) await this.readMore(path, 0);
    else if (!wasOpen) this.#show();
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

  /** Reads the page of children that goes on behind a stretch. */
  async readMore(path: string, stretch: number): Promise<void> {
    const branch = this.#branches.get(path) ?? UNREAD;
    const after = branch.stretches[stretch]?.next ?? null;
    if (after === null || this.#reading.has(path) || countOf(branch) >= CHILDREN_MAX) return;
    await this.#alone(path, branch, async () => {
      const page = await this.#source.pageOf({ path, limit: CHILDREN_PAGE, after });
      return withPage(branch, stretch, page);
    });
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

  /** Opens all above the path, as far as they are there, and shows each of them, and the path, among those behind it where it was not read. */
  async openTo(path: string): Promise<void> {
    this.#sought = path;
    await this.openBranch("/");
    for (const each of lineageOf(path).slice(1)) {
      const opened = each === path ? undefined : this.openBranch(each);
      await Promise.all([this.#showAmong(each, path), opened]);
    }
  }

  /** `sought`: why it is to be shown. Nothing is read once something else is sought. */
  async #showAmong(path: string, sought: string): Promise<void> {
    const [parent, name] = [parentOf(path), nameOf(path)];
    for (let under = this.#reading.get(parent); under !== undefined; ) {
      await under;
      under = this.#reading.get(parent);
    }
    const branch = this.#branches.get(parent);
    const isOver = this.#sought !== sought;
    if (isOver || branch === undefined || isWhole(branch) || hasChild(branch, name)) return;
    await this.#alone(parent, branch, () => this.#withStretchAt(parent, branch, name));
    this.#show();
  }

  async #readAgain(path: string): Promise<void> {
    if (this.#reading.has(path)) {
      this.#stale.add(path);
      return;
    }
    const before = this.#branches.get(path);
    if (before === undefined) return;
    await this.#alone(path, before, () => this.#freshOf(path, before));
  }

  async #freshOf(path: string, { stretches: [first, further] }: Branch): Promise<Branch> {
    const wanted = Math.max(first?.children.length ?? 0, 1);
    let branch = UNREAD;
    for (let pages = 0; pages < FRESH_PAGES_MAX; pages += 1) {
      const after = branch.stretches[0]?.next ?? null;
      if (after === null || (pages > 0 && countOf(branch) >= wanted)) break;
      branch = withPage(
        branch,
        0,
        await this.#source.pageOf({ path, limit: CHILDREN_PAGE, after }),
      );
    }
    const begin = further?.children[0]?.name;
    if (begin === undefined || isWhole(branch) || hasChild(branch, begin)) return branch;
    return await this.#withStretchAt(path, branch, begin);
  }

  /** As it was, if nothing is known of where the child is, or it is gone. */
  async #withStretchAt(path: string, branch: Branch, name: string): Promise<Branch> {
    try {
      const [stat, behind] = await Promise.all([
        this.#source.statOf(childOf(path, name)),
        this.#source.pageOf({ path, limit: CHILDREN_PAGE, behind: name }),
      ]);
      return withStretch(branch, childOfPage(name, stat), behind);
    } catch {
      return branch;
    }
  }

  /** Reads something of a znode's children, while nothing else of them is read, and keeps what they are then. */
  async #alone(path: string, before: Branch, work: () => Promise<Branch>): Promise<void> {
    const reading = work().then(
      (branch) => this.#keep(path, branch),
      (error: unknown) => this.#fail(path, before, error),
    );
    this.#reading.set(
      path,
      reading.finally(() => this.#reading.delete(path)),
    );
    await this.#reading.get(path);
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

  /** Rows are made of what is there now, whatever is opened and read while they are shown. */
  #show(): void {
    this.rows.value = new TreeRows({
      branches: new Map(this.#branches),
      open: new Set(this.#open),
    });
  }
}

export const liveTree: TreeModel = new TreeModel({
  pageOf: (asked) => read<ChildrenPage>("children", asked),
  statOf: async (path) => (await readZnode(path)).stat,
});

export function readZnode(path: string): Promise<Znode> {
  return read<Znode>("znode", { path });
}
