/** Tables in Markdown. */

export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return `${[line(head), line(rule), ...rows.map(line)].join("\n")}\n`;
}

/** Formats how often something happens for one write. */
export function perWrite(value: number): string {
  const least = 0.005;
  if (Math.abs(value) < least) return "–";
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
