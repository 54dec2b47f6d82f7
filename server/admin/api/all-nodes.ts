/** What every member of the ensemble answers to a four-letter word: this node by its admin actor, the others over NATS. */
import type { Facts, Gathered } from "../../../actors/admin/messages.ts";
import { API_STATUS_MS_MAX } from "../../../protocol/limits.ts";
import type { NodeConfig } from "../../config/node-config.ts";
import type { NodeFacts } from "../node-facts.ts";
import type { OtherNodes } from "./other-nodes.ts";

export type AllNodes = {
  readonly config: NodeConfig;
  readonly facts: NodeFacts;
  readonly others: OtherNodes;
};

type Question<Answer> = {
  readonly word: string;
  /** What other actors of this node are asked for. Undefined: what its admin actor knows is enough. */
  readonly gather?: Gathered;
  /** What the word is about, if it is about something. */
  readonly argument?: string;
  readonly own: (facts: Facts) => Answer | undefined;
  /** Undefined: the node serves nobody, does not know the word, or what came is none of its answers. */
  readonly read: (text: string) => Answer | undefined;
};

/** By the numbers of those that have answered within API_STATUS_MS_MAX. */
export async function answersOf<Answer>(
  { config, facts, others }: AllNodes,
  { word, gather, argument, own, read }: Question<Answer>,
): Promise<ReadonlyMap<number, Answer>> {
  const about = argument === undefined ? {} : { argument };
  const [ownFacts, texts] = await Promise.all([
    facts.ask({ ...(gather !== undefined && { gather }), ...about, withinMs: API_STATUS_MS_MAX }),
    others.ask(argument === undefined ? word : `${word} ${argument}`),
  ]);
  const answers = new Map<number, Answer>();
  const take = (id: number, answer: Answer | undefined): void => {
    if (answer !== undefined) answers.set(id, answer);
  };
  for (const [id, text] of texts) take(id, read(text));
  if (ownFacts !== undefined) take(config.id, own(ownFacts));
  return answers;
}

/** Which members have answered, and how many entries had no place in their answers. */
export type Answered = readonly {
  readonly id: number;
  readonly isThis: boolean;
  readonly answered: boolean;
  readonly omitted: number;
}[];

export function answeredOf(
  { id: own, members }: NodeConfig,
  answers: ReadonlyMap<number, { readonly omitted: number }>,
): Answered {
  return members.map((id) => ({
    ...{ id, isThis: id === own, answered: answers.has(id) },
    omitted: answers.get(id)?.omitted ?? 0,
  }));
}
