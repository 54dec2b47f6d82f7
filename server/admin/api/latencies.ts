/** How long requests took lately, at every member of the ensemble. */
import { heatOf } from "../../../actors/admin/heat/heat.ts";
import type { HeatAnswer, PrefixLatencies } from "../../../actors/admin/heat/messages.ts";
import { type AllNodes, answersOf } from "./all-nodes.ts";
import { answerIn } from "./other-nodes.ts";

export async function latencies(nodes: AllNodes): Promise<object> {
  const { config } = nodes;
  const seen = await answersOf(nodes, {
    ...{ word: "heat", gather: "heat", read: heatIn },
    own: ({ parts }) => heatOf(config.id, parts),
  });
  const { columnMs, columns, kinds, upToMs } = heatOf(config.id, []);
  const members = config.members.map((id) => ({
    ...{ id, isThis: id === config.id },
    cells: seen.get(id)?.cells ?? null,
    prefixes: seen.get(id)?.prefixes ?? null,
  }));
  const scale = { columnMs, columns, kinds, upToMs };
  return { ensemble: config.ensemble, node: config.id, ...scale, nodes: members };
}

/** Undefined: the node serves nobody, or does not know the word. */
export function heatIn(text: string): HeatAnswer | undefined {
  const answer = answerIn<HeatAnswer>(text);
  if (answer === undefined) return undefined;
  const { cells, kinds, upToMs, columnMs } = answer;
  const about = heatOf(0 as HeatAnswer["node"], []);
  // A node of another version may count otherwise.
  const isAlike = (
    [
      [kinds, about.kinds],
      [upToMs, about.upToMs],
      [columnMs, about.columnMs],
    ] as const
  ).every(([theirs, ours]) => JSON.stringify(theirs) === JSON.stringify(ours));
  const isCell = (cell: unknown): boolean =>
    Array.isArray(cell) && cell.length === 4 && cell.every((each) => Number.isSafeInteger(each));
  if (!isAlike || !Array.isArray(cells) || !cells.every(isCell)) return undefined;
  // A node of an earlier version counts nothing by path.
  const { prefixes = [] } = answer;
  return Array.isArray(prefixes) && prefixes.every(isPrefix)
    ? { ...(answer as HeatAnswer), prefixes }
    : undefined;
}

function isPrefix(each: Partial<PrefixLatencies> | null): boolean {
  if (each === null || typeof each.prefix !== "string" || !Array.isArray(each.counts)) return false;
  return each.counts.every(
    (count) =>
      Array.isArray(count) && count.length === 2 && count.every((of) => Number.isSafeInteger(of)),
  );
}
