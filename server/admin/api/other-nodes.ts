/** What the other members of the ensemble answer to a four-letter word, over NATS. */
import { API_STATUS_MS_MAX } from "../../../protocol/limits.ts";
import type { NodeConfig } from "../../config/node-config.ts";
import type { EnsembleWords } from "../../embedded/ensemble-words.ts";

export class OtherNodes {
  readonly #config: NodeConfig;
  #words: EnsembleWords | undefined;
  #isClosed = false;

  constructor(config: NodeConfig) {
    this.#config = config;
  }

  /** By the numbers of those that answer within API_STATUS_MS_MAX, this node perhaps among them. Empty where nodes do not meet over NATS, and while it is away. */
  async ask(word: string): Promise<ReadonlyMap<number, string>> {
    const { members, natsUrls } = this.#config;
    if (members.length === 1 || natsUrls.length === 0 || this.#isClosed) return new Map();
    const { EnsembleWords: Words } = await import("../../embedded/ensemble-words.ts");
    if (this.#isClosed) return new Map();
    this.#words ??= new Words(this.#config);
    return await this.#words.ask(word, API_STATUS_MS_MAX).catch(() => new Map());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#words?.close();
  }
}

/** The fields of an answer in JSON, which may be any: anybody may publish to an inbox. Undefined: it is no object. */
export function answerIn<Answer extends object>(text: string): Partial<Answer> | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}
