/** How long requests took lately, at every member of the ensemble. */
import type { HeatAnswer } from "../../../actors/admin/messages.ts";
import { heatOf } from "../../../actors/admin/heat.ts";
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
  }));
  const scale = { columnMs, columns, kinds, upToMs };
  return { ensemble: config.ensemble, node: config.id, ...scale, nodes: members };
}

/** Undefined: the node serves nobody, or does not know the word. */
function heatIn(text: string): HeatAnswer | undefined {
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
  return isAlike && Array.isArray(cells) && cells.every(isCell)
    ? (answer as HeatAnswer)
    : undefined;
}
