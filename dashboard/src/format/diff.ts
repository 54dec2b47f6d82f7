/** What an edit changes, by lines. */
import { diffLines } from "diff";

export type DiffLine = { readonly kind: "same" | "added" | "removed"; readonly text: string };

/** Beyond so many edits the two are shown one after the other: to look for the shortest difference would take too long. */
const EDITS_MAX = 2000;
/** Lines on either side of a change that are shown. */
const CONTEXT = 3;
/** Lines of each kind that are shown: more are of no use to a person, and slow the page down. */
const KIND_MAX = 1000;

export function linesOf(before: string, after: string): readonly DiffLine[] {
  const parts = diffLines(before, after, { maxEditLength: EDITS_MAX }) ?? [
    { value: before, removed: true, added: false },
    { value: after, removed: false, added: true },
  ];
  return parts.flatMap(({ value, added, removed }) => {
    const kind = added ? "added" : removed ? "removed" : "same";
    const lines = value.split("\n");
    // A line's end makes no further line.
    if (lines.at(-1) === "") lines.pop();
    return lines.map((text) => ({ kind, text }) as const);
  });
}

/** What is shown of a difference. */
type Excerpt = {
  /** Null stands for lines that are left out: the same and far from a change, or too many. */
  readonly lines: readonly (DiffLine | null)[];
  /** Lines that differ and are left out. */
  readonly unshown: number;
};

/** The changes and the lines near them, of each kind 1,000 at most: so the lines that take the place of many removed ones are seen too. */
export function around(lines: readonly DiffLine[]): Excerpt {
  const near = new Set<number>();
  for (const [index, { kind }] of lines.entries()) {
    if (kind === "same") continue;
    for (let at = index - CONTEXT; at <= index + CONTEXT; at += 1) near.add(at);
  }
  const shown: (DiffLine | null)[] = [];
  const left = { same: KIND_MAX, added: KIND_MAX, removed: KIND_MAX };
  let unshown = 0;
  for (const [index, line] of lines.entries()) {
    const isShown = near.has(index) && left[line.kind] > 0;
    if (isShown) {
      left[line.kind] -= 1;
      shown.push(line);
    } else if (shown.at(-1) !== null) shown.push(null);
    if (!isShown && line.kind !== "same") unshown += 1;
  }
  return { lines: shown, unshown };
}
