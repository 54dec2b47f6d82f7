/** The traces of stories as files, and how a trace differs from its file. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const FOLDER = new URL("traces/", import.meta.url);
/** How many equal lines are shown around a difference. */
const CONTEXT = 3;

function fileOf(name: string): URL {
  return new URL(`${name}.txt`, FOLDER);
}

/** Undefined: there is no such file. */
export function readTrace(name: string): string | undefined {
  try {
    return readFileSync(fileOf(name), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** False: the file has this text already. */
export function writeTrace(name: string, text: string): boolean {
  if (readTrace(name) === text) return false;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(fileOf(name), text);
  return true;
}

export function removeTrace(name: string): void {
  rmSync(fileOf(name));
}

/** Traces to which no story belongs. */
export function strayTraces(names: readonly string[]): readonly string[] {
  const known = new Set(names);
  return readdirSync(FOLDER)
    .map((file) => file.replace(/\.txt$/, ""))
    .filter((name) => !known.has(name));
}

/** Lines that are only in `before` begin with `-`, lines that are only in `after` with `+`; a few equal lines stand around them. */
export function difference(before: string, after: string): string {
  const lines = compared(before.split("\n"), after.split("\n"));
  const isNear = (index: number): boolean =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ sign }) => sign !== " ");
  const shown: string[] = [];
  lines.forEach(({ sign, text }, index) => {
    if (isNear(index)) shown.push(`${sign} ${text}`);
    else if (shown.at(-1) !== "…") shown.push("…");
  });
  return shown.join("\n");
}

type Compared = { readonly sign: " " | "-" | "+"; readonly text: string };

/** The longest common subsequence of lines decides what is equal. */
function compared(before: readonly string[], after: readonly string[]): readonly Compared[] {
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      common[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: Compared[] = [];
  let [row, column] = [0, 0];
  while (row < before.length || column < after.length) {
    const [old, fresh] = [before[row], after[column]];
    if (old !== undefined && old === fresh) {
      lines.push({ sign: " ", text: old });
      row += 1;
      column += 1;
    } else if (
      old !== undefined &&
      (fresh === undefined || at(row + 1, column) >= at(row, column + 1))
    ) {
      lines.push({ sign: "-", text: old });
      row += 1;
    } else {
      lines.push({ sign: "+", text: fresh ?? "" });
      column += 1;
    }
  }
  return lines;
}
