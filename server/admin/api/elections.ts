/** The last elections as every member of the ensemble has seen them. */
import type { Election, ElectionsAnswer } from "../../../actors/admin/messages.ts";
import { type AllNodes, answersOf } from "./all-nodes.ts";
import { answerIn } from "./other-nodes.ts";

export async function elections(nodes: AllNodes): Promise<object> {
  const { config } = nodes;
  const seen = await answersOf(nodes, {
    ...{ word: "elec", read: electionsIn },
    own: (facts) => facts.elections,
  });
  const members = config.members.map((id) => ({
    ...{ id, isThis: id === config.id },
    elections: seen.get(id) ?? null,
  }));
  return { ensemble: config.ensemble, node: config.id, nodes: members };
}

/** Undefined: the node does not know the word, as one of an earlier version; or what came is none of its answers. */
export function electionsIn(text: string): readonly Election[] | undefined {
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
  const isDetail = typeof detail === "object" && detail !== null;
  return typeof event === "string" && typeof atMs === "number" && isDetail;
}
