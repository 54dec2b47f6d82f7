/**
 * Four-letter words over NATS: one node is asked, or all, and each answers for itself, whether it serves or not. The answer goes to the
 * inbox of whoever asked, and says in JSON which node it is of, and which nodes there are.
 */
import type { AdminAnswer } from "../../admin/messages.ts";
import { WORD_ASKERS_MAX } from "../../../protocol/limits.ts";
import { WORDS_OVER_NATS } from "../../../protocol/zookeeper/words.ts";
import { tell } from "../../inboxes.ts";
import type { NatsClientMessage } from "../messages.ts";
import type { Turn } from "./state.ts";

/** What a node answers to a word over NATS. */
export type WordAnswer = {
  readonly node: number;
  readonly members: readonly number[];
  readonly text: string;
};

export function askWord(turn: Turn, { reply, bytes }: NatsClientMessage): void {
  const { state, effects } = turn;
  const word = new TextDecoder("latin1").decode(bytes.subarray(0, "word".length));
  if (bytes.length !== "word".length || !WORDS_OVER_NATS.includes(word)) {
    publish(turn, reply, `it is not among ${WORDS_OVER_NATS.join(", ")}, which are answered\n`);
    return;
  }
  const { asked } = state;
  if (asked.size >= WORD_ASKERS_MAX) {
    // An actor that failed over the question has never answered it. The newest may still wait.
    for (const oldest of asked.keys()) {
      asked.delete(oldest);
      break;
    }
  }
  // Connections have positive numbers.
  const client = -state.nextAsked;
  state.nextAsked += 1;
  asked.set(client, reply);
  effects.push(tell("admin", { kind: "fourLetterWord", from: state.name, client, word }));
}

export function answerWord(turn: Turn, { client, text }: AdminAnswer): void {
  const { asked } = turn.state;
  const inbox = asked.get(client);
  if (inbox === undefined) return;
  asked.delete(client);
  publish(turn, inbox, text);
}

function publish({ state, effects }: Turn, subject: string, text: string): void {
  const { server: node, members } = state.options;
  const answer: WordAnswer = { node, members, text };
  const bytes = new TextEncoder().encode(JSON.stringify(answer));
  effects.push({ kind: "publish", subject, bytes });
}
