/** Tables without lines, as `ls -l` prints them. */

const NO_LINES = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", mid: "", "mid-mid": "" },
  ...{ right: "", "right-mid": "", middle: "  " },
};

export type Column = { readonly name: string; readonly align: "left" | "right" };

/** The first line has the names of the columns. It is loaded when a table is printed. */
export async function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): Promise<readonly string[]> {
  const { default: Table } = await import("cli-table3");
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns: columns.map(({ align }) => align),
  });
  table.push(
    columns.map(({ name }) => name),
    ...rows.map((row) => [...row]),
  );
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}
