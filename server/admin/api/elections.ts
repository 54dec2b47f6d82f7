/** The last elections as every member of the ensemble has seen them: this node by its admin actor, the others by `elec` over NATS. */
import type { Election, ElectionsAnswer } from "../../../actors/admin/messages.ts";
import { API_STATUS_MS_MAX } from "../../../protocol/limits.ts";
import type { NodeConfig } from "../../config/node-config.ts";
import type { NodeFacts } from "../node-facts.ts";
import { answerIn, type OtherNodes } from "./other-nodes.ts";

export async function elections(
  config: NodeConfig,
  facts: NodeFacts,
  others: OtherNodes,
): Promise<object> {
  const [own, theirs] = await Promise.all([
    facts.ask({ withinMs: API_STATUS_MS_MAX }),
    others.ask("elec"),
  ]);
  const seen = new Map<number, readonly Election[]>();
  for (const [id, text] of theirs) {
    const there = electionsIn(text);
    if (there !== undefined) seen.set(id, there);
  }
  if (own !== undefined) seen.set(config.id, own.elections);
  const nodes = config.members.map((id) => ({
    ...{ id, isThis: id === config.id },
    elections: seen.get(id) ?? null,
  }));
  return { ensemble: config.ensemble, node: config.id, nodes };
}

/** Undefined: the node does not know the word, as one of an earlier version; or what came is none of its answers. */
function electionsIn(text: string): readonly Election[] | undefined {
  const answer = answerIn<ElectionsAnswer>(text);
  if (answer === undefined) return undefined;
  const { elections: all } = answer;
  return Array.isArray(all) && all.every(isElection) ? all : undefined;
}

function isElection(election: Partial<Election> | null): boolean {
  if (election === null) return false;
  const { steps, omitted } = election;
  return Array.isArray(steps) && steps.every(isStep) && typeof omitted === "number";
}

function isStep(step: Partial<Election["steps"][number]> | null): boolean {
  if (step === null) return false;
  const { event, atMs, detail } = step;
  return typeof event === "string" && typeof atMs === "number" && typeof detail === "object";
}
