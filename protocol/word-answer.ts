/** What a node answers to a four-letter word over NATS, in JSON: it comes to the inbox of whoever asked, where anybody may publish. */

export type WordAnswer = {
  readonly node: number;
  readonly members: readonly number[];
  readonly text: string;
};

export function encodeWordAnswer(answer: WordAnswer): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(answer));
}

/** Undefined: it is no such answer. */
export function decodeWordAnswer(bytes: Uint8Array): WordAnswer | undefined {
  try {
    const answer: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isAnswer(answer) ? answer : undefined;
  } catch {
    return undefined;
  }
}

function isAnswer(answer: unknown): answer is WordAnswer {
  if (typeof answer !== "object" || answer === null) return false;
  const { node, members, text } = answer as Partial<WordAnswer>;
  if (typeof node !== "number" || typeof text !== "string" || !Array.isArray(members)) return false;
  return members.every((id) => typeof id === "number");
}
