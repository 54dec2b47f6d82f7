/** The tables of `docs/compatibility.md`: what it says of ZooKeeper's protocol, and which tests it names for that. */
import { readFileSync } from "node:fs";

const ROOT = new URL("../..", import.meta.url);

export const COMPATIBILITY = "docs/compatibility.md";

export type CompatibilityRow = {
  readonly chapter: string;
  /** By the headings of the columns. */
  readonly cells: ReadonlyMap<string, string>;
};

export function compatibilityRows(): readonly CompatibilityRow[] {
  const rows: CompatibilityRow[] = [];
  let chapter = "";
  let columns: readonly string[] = [];
  for (const line of readFileSync(new URL(COMPATIBILITY, ROOT), "utf8").split("\n")) {
    if (line.startsWith("## ")) chapter = line.slice(3);
    if (!line.startsWith("| ")) {
      columns = [];
      continue;
    }
    const cells = line
      .split("|")
      .slice(1, -1)
      .map((each) => each.trim());
    if (columns.length === 0) columns = cells;
    else if (!line.startsWith("| ---")) {
      rows.push({ chapter, cells: new Map(columns.map((name, at) => [name, cells[at] ?? ""])) });
    }
  }
  return rows;
}

export function cell(row: CompatibilityRow, column: string): string {
  return row.cells.get(column) ?? "";
}

/** The numbers of an operation's or an error's code. */
export function codes(row: CompatibilityRow): readonly number[] {
  return (cell(row, "code").match(/-?\d+/g) ?? []).map(Number);
}
