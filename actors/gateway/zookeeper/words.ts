/** Four-letter words are ZooKeeper's plain-text questions, asked with the first four bytes of a connection. */
import { SERVED_WORDS, UNSERVED_WORDS } from "../../../protocol/zookeeper/words.ts";
import { tell } from "../../inboxes.ts";
import { close, enterPhase } from "./connections.ts";
import { reportNow } from "./report.ts";
import type { Connection, Turn } from "./state.ts";

const BY_CODE: ReadonlyMap<number, string> = new Map(
  [...SERVED_WORDS, ...UNSERVED_WORDS].map((word) => [codeOf(word), word]),
);

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
  connection.received += 1;
  state.metrics.received += 1;
  enterPhase(turn, connection, { kind: "word" });
  if (!SERVED_WORDS.includes(word)) {
    answerWord(turn, connection, `${word} is not executed because zooid does not serve it.\n`);
    return true;
  }
  if (!state.words.has(word) && !state.words.has("*")) {
    answerWord(turn, connection, `${word} is not executed because it is not in the whitelist.\n`);
    return true;
  }
  if (state.asked.length === 0) {
    reportNow(turn);
    turn.effects.push({ kind: "endOfTurn" });
  }
  state.asked.push({ client: connection.number, word });
  return true;
}

/** Asks the admin actor once the tree, which was asked for its metrics in this turn, has told them. */
export function passWords({ state, effects }: Turn): void {
  for (const { client, word } of state.asked) {
    effects.push(tell("admin", { kind: "fourLetterWord", from: state.name, client, word }));
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
