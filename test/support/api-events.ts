/** A stream of server-sent events of the JSON API, as an EventSource has it. */
import { get, type IncomingMessage } from "node:http";
import type { Fields } from "./admin.ts";

type Event = {
  readonly event: string | undefined;
  readonly id: string | undefined;
  readonly data: Fields;
};

export class Events {
  readonly #response: Promise<IncomingMessage>;
  readonly #chunks: AsyncIterator<string>;
  #text = "";

  constructor(url: string, query: string, lastEventId?: string) {
    const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    this.#response = new Promise((resolve, reject) => {
      get(`${url}/api/v1/changes?${query}`, { headers, agent: false }, resolve).once(
        "error",
        reject,
      );
    });
    const response = this.#response;
    this.#chunks = (async function* (): AsyncGenerator<string> {
      const opened = await response;
      opened.setEncoding("utf8");
      yield* opened as AsyncIterable<string>;
    })();
  }

  async opened(): Promise<void> {
    while (!this.#text.includes(": open\n\n")) await this.#read();
  }

  async #read(): Promise<void> {
    const { done, value } = await this.#chunks.next();
    if (done === true) throw new Error(`the stream has ended\n${this.#text}`);
    this.#text += String(value);
  }

  /** The next change, or event of another name. */
  async next(name = "change"): Promise<Event> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        await this.#read();
        continue;
      }
      const fields = new Map(
        this.#text
          .slice(0, end)
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      this.#text = this.#text.slice(end + 2);
      const event = fields.get("event");
      if (event !== name) continue;
      return { event, id: fields.get("id"), data: JSON.parse(fields.get("data") ?? "") as Fields };
    }
  }

  async close(): Promise<void> {
    (await this.#response).destroy();
  }
}
