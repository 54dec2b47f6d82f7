/**
 * Asks all nodes of the ensemble a four-letter word over NATS, as the console does, on behalf of the node's admin server. The connection is made
 * when somebody asks, and is the one of the node's NATS user.
 */
import { type NatsChannel, openNatsChannel } from "../../client/nats-channel.ts";
import type { ChannelEvent } from "../../client/session/messages.ts";
import { wordSubject } from "../../protocol/subjects.ts";
import { decodeWordAnswer } from "../../protocol/word-answer.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { natsOptions } from "../nats-options.ts";

const CONNECT_MS_MAX = 2_000;

type Asking = {
  readonly answers: Map<number, string>;
  readonly done: () => void;
};

export class EnsembleWords {
  readonly #config: NodeConfig;
  #opening: Promise<NatsChannel> | undefined;
  /** By the numbers under which the answers come. */
  readonly #asking = new Map<number, Asking>();
  #next = 1;

  constructor(config: NodeConfig) {
    this.#config = config;
  }

  /** What each node has answered within the time, by its number. Rejects if there is no connection to NATS yet, and none can be made. */
  async ask(word: string, withinMs: number): Promise<ReadonlyMap<number, string>> {
    const { ensemble } = this.#config;
    this.#opening ??= this.#open();
    let channel: NatsChannel;
    try {
      channel = await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
    const answers = new Map<number, string>();
    const number = this.#next;
    this.#next += 1;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#asking.set(number, { answers, done });
      channel.send(wordSubject(ensemble, "all"), number, new TextEncoder().encode(word));
    });
    this.#asking.delete(number);
    return answers;
  }

  async close(): Promise<void> {
    const channel = await this.#opening?.catch(() => undefined);
    await channel?.close();
  }

  async #open(): Promise<NatsChannel> {
    const { ensemble, id, natsUrls: urls, peerTimeoutMs: silenceMs } = this.#config;
    const { servers: _, ...identity } = natsOptions(this.#config);
    const name = `zooid-${id}-dashboard`;
    const channel = await openNatsChannel({
      ...{ ...identity, urls, ensemble, name },
      ...{ timeoutMs: CONNECT_MS_MAX, silenceMs },
    });
    channel.onEvent((event) => this.#take(event));
    return channel;
  }

  #take(event: ChannelEvent): void {
    if (event.kind !== "received") {
      // Nobody is there, or NATS is away: there is nothing to wait for.
      if (event.kind !== "up") for (const { done } of this.#asking.values()) done();
      return;
    }
    const asking = this.#asking.get(event.connection);
    if (asking === undefined) return;
    const answer = decodeWordAnswer(event.bytes);
    const { members } = this.#config;
    if (answer === undefined || !members.some((id) => id === answer.node)) return;
    asking.answers.set(answer.node, answer.text);
    if (asking.answers.size === members.length) asking.done();
  }
}
