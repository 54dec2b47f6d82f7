/**
 * Four-letter words over NATS: one node is asked, or all, and each answers for itself, whether it serves or not. The answer goes to the
 * inbox of whoever asked, and says in JSON which node it is of, and which nodes there are.
 */
import type { AdminAnswer } from "../../admin/messages.ts";
import {
  WORD_ASKED_MS_MAX,
  WORD_ASKERS_MAX,
  WORD_ARGUMENT_BYTES_MAX,
} from "../../../protocol/limits.ts";
import { encodeWordAnswer } from "../../../protocol/word-answer.ts";
import { argumentIn } from "../../../protocol/zookeeper/word-argument.ts";
import { WORD_WITH_ARGUMENT, WORDS_OVER_NATS } from "../../../protocol/zookeeper/words.ts";
import { tell } from "../../inboxes.ts";
import type { NatsClientMessage } from "../messages.ts";
import type { Turn } from "./state.ts";

export function askWord(turn: Turn, { reply, bytes }: NatsClientMessage): void {
  const { state, effects, nowMs } = turn;
  const word = new TextDecoder("latin1").decode(bytes.subarray(0, "word".length));
  const isAbout = word === WORD_WITH_ARGUMENT;
  const argument = isAbout ? argumentBehind(bytes) : undefined;
  if (isAbout && argument === undefined) {
    publish(
      turn,
      reply,
      `${word} is about a path or a session, such as 0x100000001, of ${WORD_ARGUMENT_BYTES_MAX} bytes at most\n`,
    );
    return;
  }
  if ((bytes.length !== "word".length && !isAbout) || !WORDS_OVER_NATS.includes(word)) {
    publish(turn, reply, `it is not among ${WORDS_OVER_NATS.join(", ")}, which are answered\n`);
    return;
  }
  const { asked } = state;
  dropOld(turn);
  if (asked.size >= WORD_ASKERS_MAX) {
    publish(turn, reply, `too many ask at once, of whom ${WORD_ASKERS_MAX} wait: ask again\n`);
    return;
  }
  // Connections have positive numbers.
  const client = -state.nextAsked;
  state.nextAsked += 1;
  asked.set(client, { inbox: reply, sinceMs: nowMs });
  const about = argument === undefined ? {} : { argument };
  effects.push(tell("admin", { kind: "fourLetterWord", from: state.name, client, word, ...about }));
}

/** What stands behind the word and a space. Undefined: it is about nothing. */
function argumentBehind(bytes: Uint8Array): string | undefined {
  const behind = "word ".length;
  if (bytes.length > behind + WORD_ARGUMENT_BYTES_MAX || bytes[behind - 1] !== SPACE)
    return undefined;
  const text = new TextDecoder().decode(bytes.subarray(behind));
  return argumentIn(text) === undefined ? undefined : text;
}

const SPACE = 0x20;

export function answerWord(turn: Turn, { client, text }: AdminAnswer): void {
  const { asked } = turn.state;
  const asker = asked.get(client);
  if (asker === undefined) return;
  asked.delete(client);
  publish(turn, asker.inbox, text);
}

/** An actor that failed over a question never answers it. */
function dropOld({ state, nowMs }: Turn): void {
  // Insertion order: the oldest is first.
  for (const [client, { sinceMs }] of state.asked) {
    if (nowMs - sinceMs < WORD_ASKED_MS_MAX) return;
    state.asked.delete(client);
  }
}

function publish({ state, effects }: Turn, subject: string, text: string): void {
  const { server: node, members } = state.options;
  const bytes = encodeWordAnswer({ node, members, text });
  effects.push({ kind: "publish", subject, bytes });
}
