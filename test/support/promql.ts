/** Which metrics a query of Prometheus names. */

/** What stands for no metric: modifiers, and what Prometheus itself makes. */
const NO_METRICS: ReadonlySet<string> = new Set([
  ...["by", "on", "group_right", "group_left", "without", "and", "or", "unless", "up"],
]);

export function metricsOf(query: string): readonly string[] {
  const bare = query
    .replaceAll(/"[^"]*"/g, "")
    .replaceAll(/\{[^}]*\}/g, "")
    .replaceAll(/\[[^\]]*\]/g, "")
    .replaceAll(/\b(?:by|on|without|group_\w+)\s*\([^)]*\)/g, "");
  const names = [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])/g)].map(([name]) => name);
  return names.filter((name) => !NO_METRICS.has(name));
}
