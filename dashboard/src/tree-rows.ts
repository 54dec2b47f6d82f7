/** The rows of the tree: which there are is known of all, and each is made when it is looked at. */
import { childOf, nameOf, parentOf } from "./format/paths.ts";
import { type Branch, countOf, type Stretch, UNREAD } from "./tree-branch.ts";

export type ZnodeRow = {
  readonly kind: "znode";
  readonly path: string;
  readonly level: number;
  /** Undefined: it is not known yet. */
  readonly numChildren: number | undefined;
  readonly isEphemeral: boolean;
  readonly isOpen: boolean;
  /** Among its siblings, from 1. Undefined: not all before it were read. */
  readonly position: number | undefined;
  readonly setSize: number;
};

/** Stands for the children behind a stretch that were not read yet. */
export type MoreRow = {
  readonly kind: "more";
  readonly path: string;
  readonly level: number;
  /** Which stretch of the znode's children. */
  readonly stretch: number;
  /** How many children of the znode were not read. */
  readonly left: number;
  /** Only some of these belong here. */
  readonly isSplit: boolean;
  /** Another stretch follows: what is read here moves it away, so nothing is read before somebody wants it. */
  readonly isGap: boolean;
  /** No more are read by scrolling. */
  readonly isFull: boolean;
  readonly problem: string | undefined;
};

export type Row = ZnodeRow | MoreRow;

/** A list of more is of no use to a person. */
export const CHILDREN_MAX = 50_000;

type Shown = {
  readonly branches: ReadonlyMap<string, Branch>;
  readonly open: ReadonlySet<string>;
};

/** Rows that follow each other, and are children of one znode, without what is shown below the last of them. */
type Run = {
  /** The number of its first row. */
  readonly first: number;
  readonly path: string;
  readonly level: number;
  readonly branch: Branch;
  readonly stretch: number;
  /** Which of the children of the stretch. None: it is the row behind them, which stands for more. */
  readonly from: number;
  readonly count: number;
};

export class TreeRows {
  readonly length: number;
  readonly #shown: Shown;
  readonly #runs: readonly Run[];

  constructor(shown: Shown) {
    this.#shown = shown;
    const { runs, length } = runsOf(shown);
    this.#runs = runs;
    this.length = length;
  }

  at(index: number): Row | undefined {
    if (index === 0) return this.#root();
    const run = this.#runs[lastBegun(this.#runs, index)];
    if (run === undefined || index < run.first || index >= this.length) return undefined;
    return this.#rowOf(run, index - run.first);
  }

  slice(from: number, to: number): readonly Row[] {
    const rows: Row[] = [];
    for (let index = from; index < Math.min(to, this.length); index += 1) {
      const row = this.at(index);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  /** Where the znode is; -1: it is not shown. */
  indexOf(path: string): number {
    if (path === "/") return 0;
    const [parent, name] = [parentOf(path), nameOf(path)];
    for (const run of this.#runs) {
      if (run.path !== parent) continue;
      const { children } = stretchOf(run);
      for (let at = run.from; at < run.from + run.count; at += 1) {
        if (children[at]?.name === name) return run.first + at - run.from;
      }
    }
    return -1;
  }

  #root(): ZnodeRow {
    const { branches, open } = this.#shown;
    return {
      ...{ kind: "znode", path: "/", level: 1, position: 1, setSize: 1, isEphemeral: false },
      numChildren: branches.get("/")?.numChildren,
      isOpen: open.has("/"),
    };
  }

  #rowOf(run: Run, offset: number): Row | undefined {
    const { path, level, branch, stretch } = run;
    const setSize = Math.max(branch.numChildren ?? 0, countOf(branch));
    if (run.count === 0) return moreRow(run, setSize);
    const child = stretchOf(run).children[run.from + offset];
    if (child === undefined) return undefined;
    const { name, numChildren, isEphemeral } = child;
    const own = childOf(path, name);
    const { branches, open } = this.#shown;
    return {
      ...{ kind: "znode", path: own, level, isEphemeral, setSize },
      // What is open is read again when its children change, and those beside it are not.
      numChildren: branches.get(own)?.numChildren ?? numChildren,
      isOpen: open.has(own),
      position: stretch === 0 ? run.from + offset + 1 : undefined,
    };
  }
}

function moreRow({ path, level, branch, stretch }: Run, setSize: number): MoreRow {
  const read = countOf(branch);
  return {
    ...{ kind: "more", path, level, stretch, problem: branch.problem },
    left: setSize - read,
    isSplit: branch.stretches.filter(({ next }) => next !== null).length > 1,
    isGap: stretch < branch.stretches.length - 1,
    isFull: read >= CHILDREN_MAX,
  };
}

function stretchOf({ branch, stretch }: Run): Stretch {
  return branch.stretches[stretch] ?? { children: [], next: null };
}

/** Takes time for what is open, not for what was read, but of znodes with something open below them. */
function runsOf({ branches, open }: Shown): {
  readonly runs: readonly Run[];
  readonly length: number;
} {
  const openBelow = Map.groupBy(open, parentOf);
  const runs: Run[] = [];
  let length = 1;
  const add = (run: Omit<Run, "first">): void => {
    runs.push({ ...run, first: length });
    length += Math.max(run.count, 1);
  };
  const addChildren = (path: string, level: number): void => {
    const branch = branches.get(path) ?? UNREAD;
    const names = new Set(
      openBelow
        .get(path)
        ?.filter((each) => each !== "/")
        .map(nameOf),
    );
    for (const [stretch, { children, next }] of branch.stretches.entries()) {
      const of = { path, level, branch, stretch };
      let from = 0;
      if (names.size > 0) {
        for (const [index, { name }] of children.entries()) {
          if (!names.has(name)) continue;
          add({ ...of, from, count: index + 1 - from });
          from = index + 1;
          addChildren(childOf(path, name), level + 1);
        }
      }
      if (from < children.length) add({ ...of, from, count: children.length - from });
      const isLast = stretch === branch.stretches.length - 1;
      if (next !== null || (isLast && branch.problem !== undefined)) {
        add({ ...of, from: children.length, count: 0 });
      }
    }
  };
  if (open.has("/")) addChildren("/", 2);
  return { runs, length };
}

/** The number of the last run that begins at the row or before it; -1: there is none. */
function lastBegun(runs: readonly Run[], index: number): number {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs[middle]?.first ?? 0) <= index) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
