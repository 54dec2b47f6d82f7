/** Four-letter words of ZooKeeper: one word sent on a connection of its own, all text that comes back. */
import { connect } from "node:net";

export type FourLetterTarget = { readonly host?: string; readonly port: number };

export function fourLetters(
  target: FourLetterTarget,
  word: string,
  options: { readonly signal?: AbortSignal; readonly halfClose?: boolean } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: target.host ?? "127.0.0.1", port: target.port });
    socket.once("connect", () => {
      if (options.halfClose === true) socket.end(word);
      else socket.write(word);
    });
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.once("error", reject);
    socket.once("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
    options.signal?.addEventListener("abort", () => {
      socket.destroy(new Error(`${word} was not answered`));
    });
  });
}

/** After this time the word is sent again: a server that has just begun to listen may never answer the first one. */
const ANSWER_MS_MAX = 1000;

/** Asks until the answer is right or the server's process has ended; how long that takes is the server's affair. */
export async function untilAnswer(
  target: FourLetterTarget,
  word: string,
  right: (answer: string) => boolean,
  ended: () => boolean,
): Promise<void> {
  while (!ended()) {
    const answer = await fourLetters(target, word, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    }).catch(() => "");
    if (right(answer)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`the server ended before it answered ${word}`);
}
