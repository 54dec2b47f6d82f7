/** Answers to four-letter words: whether a server has given one, and why not. */
import type { Answer } from "../../srvr.ts";
import { nameOf, type Server } from "./servers.ts";

/** Behind a number, of what a server has not listed. */
export const NOT_LISTED = "more are not listed: an answer has a limit";

const REFUSED = /is not executed because it is not in the whitelist/;
const REASON_CHARACTERS_MAX = 100;

/** Undefined: the server does not answer the word. */
export function textOf(answer: Answer): string | undefined {
  return answer.kind === "answered" && !REFUSED.test(answer.text) ? answer.text : undefined;
}

/** The answer to a word of zooid's own, which is JSON with these lists. Undefined: it is none. */
export function ownAnswerOf<Own extends object>(
  answer: Answer,
  lists: readonly (keyof Own & string)[],
): Own | undefined {
  const text = textOf(answer);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const own = value as Record<string, unknown>;
    return lists.every((list) => Array.isArray(own[list])) ? (value as Own) : undefined;
  } catch {
    return undefined;
  }
}

/** Why it does not answer, and how it is brought to. */
export function refusalOf(server: Server, word: string, answer: Answer): string {
  const name = nameOf(server);
  if (answer.kind === "silent") return `${name} does not answer ${word}: ${answer.because}`;
  if (REFUSED.test(answer.text)) {
    return `${name} does not answer ${word}: allow it by 4lw.commands.whitelist in its configuration (zooid: --four-letter-words ${word} too)`;
  }
  return `${name} answers ${word} with something else: ${firstLineOf(answer.text)}`;
}

function firstLineOf(text: string): string {
  return (text.split("\n")[0] ?? "").trim().slice(0, REASON_CHARACTERS_MAX);
}
