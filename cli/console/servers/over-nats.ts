/** The nodes of an ensemble of zooid, asked over NATS: each hears words of its own, and all hear who asks which nodes there are. */
import { UnreachableError } from "../../../client/connect.ts";
import { type NatsChannel, openNatsChannel } from "../../../client/nats-channel.ts";
import { checkedUrl, sessionOptionsOf } from "../../../client/options.ts";
import type { ChannelEvent } from "../../../client/session/messages.ts";
import { wordSubject } from "../../../protocol/subjects.ts";
import { decodeWordAnswer, type WordAnswer } from "../../../protocol/word-answer.ts";
import type { Answer } from "../../srvr.ts";
import type { Target } from "../connection.ts";
import type { AskingServers, Server, Servers } from "./servers.ts";

/** A NATS server that says nothing for this long is left for another one. */
const SILENCE_MS = 5_000;

/** Rejects with UnreachableError. */
export async function serversOverNats(
  { url, options }: Target,
  asking: AskingServers,
): Promise<Servers> {
  const { ensemble } = sessionOptionsOf(options);
  const channel = await openNatsChannel({
    ...options,
    ...{ ensemble, silenceMs: SILENCE_MS, name: options.name ?? "zooid console" },
    urls: url.split(",").map((each) => checkedUrl(each.trim())),
    timeoutMs: options.connectTimeoutMs ?? asking.timeoutMs,
  });
  const words = new WordsOverNats(channel, ensemble, asking);
  try {
    const ids = await words.nodes();
    return {
      all: ids.map((id) => serverOf(words, id)),
      [Symbol.asyncDispose]: () => channel.close(),
    };
  } catch (error) {
    await channel.close();
    throw error;
  }
}

function serverOf(words: WordsOverNats, id: number): Server {
  return { id, address: undefined, ask: (word) => words.ask(id, word) };
}

class WordsOverNats {
  readonly #channel: NatsChannel;
  readonly #ensemble: string;
  readonly #asking: AskingServers;
  /** By the number that stands in the inbox of each question. */
  readonly #waiting = new Map<number, (answer: WordAnswer | string) => void>();
  #next = 1;

  constructor(channel: NatsChannel, ensemble: string, asking: AskingServers) {
    this.#channel = channel;
    this.#ensemble = ensemble;
    this.#asking = asking;
    channel.onEvent((event) => this.#take(event));
  }

  /** Which nodes there are, as those say that answer. Those that are away are among them. */
  async nodes(): Promise<readonly number[]> {
    const first = await this.#answer("all", "srvr");
    if (typeof first === "string") {
      throw new UnreachableError(
        `no node of the ensemble "${this.#ensemble}" answers over this NATS server: ${first}`,
      );
    }
    return [...new Set([first.node, ...first.members])].sort((a, b) => a - b);
  }

  async ask(id: number, word: string): Promise<Answer> {
    const answer = await this.#answer(id, word);
    return typeof answer === "string"
      ? { kind: "silent", because: answer }
      : { kind: "answered", text: answer.text };
  }

  /** The first answer, or why there is none. */
  #answer(to: number | "all", word: string): Promise<WordAnswer | string> {
    const { signal, timeoutMs } = this.#asking;
    const number = this.#next;
    this.#next += 1;
    const ended = Promise.withResolvers<WordAnswer | string>();
    const timer = setTimeout(() => ended.resolve(`no answer within ${timeoutMs} ms`), timeoutMs);
    const abort = (): void => ended.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    this.#waiting.set(number, ended.resolve);
    this.#channel.send(wordSubject(this.#ensemble, to), number, new TextEncoder().encode(word));
    return ended.promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      this.#waiting.delete(number);
    });
  }

  #take(event: ChannelEvent): void {
    switch (event.kind) {
      case "received": {
        const answer = decodeWordAnswer(event.bytes);
        if (answer !== undefined) this.#waiting.get(event.connection)?.(answer);
        return;
      }
      case "noResponders":
        this.#waiting.get(event.connection)?.("nobody hears it there");
        return;
      case "refused":
        this.#failAll(event.problem.message);
        return;
      case "down":
        this.#failAll("the connection to NATS was lost");
        return;
      case "up":
        return;
    }
  }

  #failAll(because: string): void {
    for (const resolve of this.#waiting.values()) resolve(because);
  }
}
