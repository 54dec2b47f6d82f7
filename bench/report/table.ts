/** Text in columns. */

/** Aligns text in columns: the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  const lines = rows.map((row) => {
    return row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd();
  });
  return `${lines.join("\n")}\n`;
}

/** Formats a number with separated thousands. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Formats a number with so many digits behind the point, and none if it is large. */
export function number(value: number, digits: number): string {
  return digits === 0 || Math.abs(value) >= 10_000 ? count(value) : value.toFixed(digits);
}
