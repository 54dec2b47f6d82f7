/** How long requests took lately, at every member of the ensemble: this node by its admin actor, the others by `heat` over NATS. */
import type { HeatAnswer } from "../../../actors/admin/messages.ts";
import { heatOf } from "../../../actors/admin/heat.ts";
import { API_STATUS_MS_MAX } from "../../../protocol/limits.ts";
import type { NodeConfig } from "../../config/node-config.ts";
import type { NodeFacts } from "../node-facts.ts";
import { answerIn, type OtherNodes } from "./other-nodes.ts";

export async function latencies(
  config: NodeConfig,
  facts: NodeFacts,
  others: OtherNodes,
): Promise<object> {
  const [own, theirs] = await Promise.all([
    facts.ask({ gather: "heat", withinMs: API_STATUS_MS_MAX }),
    others.ask("heat"),
  ]);
  const seen = new Map<number, HeatAnswer>();
  for (const [id, text] of theirs) {
    const there = heatIn(text);
    if (there !== undefined) seen.set(id, there);
  }
  if (own !== undefined) seen.set(config.id, heatOf(config.id, own.parts));
  const about = heatOf(config.id, []);
  const nodes = config.members.map((id) => ({
    ...{ id, isThis: id === config.id },
    cells: seen.get(id)?.cells ?? null,
  }));
  const { columnMs, columns, kinds, upToMs } = about;
  return { ensemble: config.ensemble, node: config.id, columnMs, columns, kinds, upToMs, nodes };
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
