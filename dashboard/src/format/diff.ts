/** What an edit changes, by lines. */
import { diffLines } from "diff";

export type DiffLine = { readonly kind: "same" | "added" | "removed"; readonly text: string };

/** Beyond so many edits the two are shown one after the other: to look for the shortest difference would take too long. */
const EDITS_MAX = 2000;
/** Lines on either side of a change that are shown. */
const CONTEXT = 3;

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

/** Null stands for lines that are left out, since they are the same and far from a change. */
export function around(lines: readonly DiffLine[]): readonly (DiffLine | null)[] {
  const near = new Set<number>();
  for (const [index, { kind }] of lines.entries()) {
    if (kind === "same") continue;
    for (let at = index - CONTEXT; at <= index + CONTEXT; at += 1) near.add(at);
  }
  const shown: (DiffLine | null)[] = [];
  for (const [index, line] of lines.entries()) {
    if (near.has(index)) shown.push(line);
    else if (shown.at(-1) !== null) shown.push(null);
  }
  return shown;
}
