/**
 * The children of one znode as far as they were read: the first ones, and perhaps a stretch further on, which begins with one that somebody has
 * gone to by its path. A znode may have a million; what lies between the two, and behind them, is read when it is scrolled to.
 */

/** What a row of the tree shows, and no more: of a child the API tells ten times as much. */
export type Child = {
  readonly name: string;
  readonly numChildren: number;
  readonly isEphemeral: boolean;
};

type SeenStat = { readonly numChildren: number; readonly ephemeralOwner: string | null };

/** A page of children, as the API answers it. */
export type PageRead = {
  readonly stat: SeenStat;
  readonly children: readonly { readonly name: string; readonly stat: SeenStat }[];
  readonly next: string | null;
};

/** Children of which each came behind the one before it. */
export type Stretch = {
  readonly children: readonly Child[];
  /** What the page behind it goes on from. Empty: it is the first page. Null: there is none. */
  readonly next: string | null;
};

export type Branch = {
  /** One or two. The first begins with the first child. */
  readonly stretches: readonly Stretch[];
  /** Undefined: nothing was read yet. */
  readonly numChildren: number | undefined;
  /** Why the last read has failed. */
  readonly problem: string | undefined;
};

export const UNREAD: Branch = {
  stretches: [{ children: [], next: "" }],
  numChildren: undefined,
  problem: undefined,
};

export function childOfPage(name: string, stat: SeenStat): Child {
  return { name, numChildren: stat.numChildren, isEphemeral: stat.ephemeralOwner !== null };
}

export function countOf({ stretches }: Branch): number {
  return stretches.reduce((sum, { children }) => sum + children.length, 0);
}

/** Whether all children were read. */
export function isWhole({ stretches }: Branch): boolean {
  return stretches.length === 1 && stretches[0]?.next === null;
}

export function hasChild({ stretches }: Branch, name: string): boolean {
  return stretches.some(({ children }) => children.some((child) => child.name === name));
}

/** With the page that goes on behind a stretch. If it comes to where the next stretch begins, the two become one. */
export function withPage(branch: Branch, index: number, page: PageRead): Branch {
  const { stretches } = branch;
  const [before, next] = [stretches[index], stretches[index + 1]];
  const read = page.children.map(({ name, stat }) => childOfPage(name, stat));
  const meets = read.findIndex(({ name }) => name === next?.children[0]?.name);
  const isMet = next !== undefined && meets >= 0;
  const grown: Stretch = {
    children: [
      ...(before?.children ?? []),
      ...(isMet ? [...read.slice(0, meets), ...next.children] : read),
    ],
    next: isMet ? next.next : page.next,
  };
  // Where nothing more follows, the other stretch has begun with a child that is gone.
  const isOver = isMet || page.next === null;
  const rest = isOver ? stretches.slice(index + 2) : stretches.slice(index + 1);
  return {
    stretches: [...stretches.slice(0, index), grown, ...rest],
    numChildren: page.stat.numChildren,
    problem: undefined,
  };
}

/** With a stretch that begins with this child, in the place of one that there was. `behind`: the page that goes on behind it. */
export function withStretch(branch: Branch, child: Child, behind: PageRead): Branch {
  const [first = { children: [], next: "" }] = branch.stretches;
  if (first.next === null || first.children.some(({ name }) => name === child.name)) return branch;
  return withPage({ ...branch, stretches: [first, { children: [child], next: "" }] }, 1, behind);
}
