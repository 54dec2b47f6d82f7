/** Four-letter words are ZooKeeper's plain-text questions, asked with the first four bytes of a connection. */
import { WORD_ALWAYS, WORD_WITH_MASK, WORDS } from "../../../protocol/zookeeper/words.ts";
import { tell } from "../../inboxes.ts";
import { close, enterPhase } from "./connections.ts";
import { reportNow } from "./report.ts";
import type { Connection, Turn } from "./state.ts";

const BY_CODE: ReadonlyMap<number, string> = new Map(WORDS.map((word) => [codeOf(word), word]));

/** Returns the word's four bytes as a big-endian number. */
function codeOf(word: string): number {
  let code = 0;
  for (let index = 0; index < 4; index += 1) code = (code << 8) | word.charCodeAt(index);
  return code;
}

/** Returns true if the connection asks a word; it is then answered and closed. */
export function askWord(turn: Turn, connection: Connection): boolean {
  const { state } = turn;
  const code = connection.frames.peekInt32();
  const word = code === undefined ? undefined : BY_CODE.get(code);
  const { phase } = connection;
  if (word === undefined || phase.kind !== "opened") return false;
  const isAnswered = word === WORD_ALWAYS || state.words.has(word) || state.words.has("*");
  const mask = word === WORD_WITH_MASK && isAnswered ? connection.frames.peekInt64(4) : undefined;
  if (word === WORD_WITH_MASK && isAnswered && mask === undefined) {
    // It is still to come.
    connection.frames.settle();
    return true;
  }
  connection.received += 1;
  state.metrics.received += 1;
  enterPhase(turn, connection, { kind: "word" });
  if (!isAnswered) {
    answerWord(turn, connection, `${word} is not executed because it is not in the whitelist.\n`);
    return true;
  }
  if (state.asked.length === 0) {
    reportNow(turn);
    turn.effects.push({ kind: "endOfTurn" });
  }
  state.asked.push({ client: connection.number, word, ...(mask === undefined ? {} : { mask }) });
  return true;
}

/** Asks the admin actor once the tree, which was asked for its metrics in this turn, has told them. */
export function passWords({ state, effects }: Turn): void {
  for (const asked of state.asked) {
    effects.push(tell("admin", { kind: "fourLetterWord", from: state.name, ...asked }));
  }
  state.asked = [];
}

export function answerWord(turn: Turn, connection: Connection, text: string): void {
  turn.effects.push({
    kind: "write",
    connection: connection.number,
    bytes: new TextEncoder().encode(text),
  });
  turn.state.metrics.sent += 1;
  close(turn, connection);
}
