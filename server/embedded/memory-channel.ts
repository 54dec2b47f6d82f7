/** What a connection to NATS is to a native client, over subjects in memory. */
import { randomBytes } from "node:crypto";
import type { Channel } from "../../client/driver.ts";
import type { ChannelEvent } from "../../client/session/messages.ts";
import { inboxSubject } from "../../protocol/subjects.ts";
import type { Subscriber } from "../../runtime/testing/memory-subjects.ts";

export type MemoryChannelOptions = {
  readonly subscriber: Subscriber;
  readonly ensemble: string;
  /** One token of the client's own. Default: it is drawn. */
  readonly client?: string;
};

export class MemoryChannel implements Channel {
  readonly up = true;
  /** As a NATS server has it that is not told otherwise. */
  readonly maxPayloadBytes: number = 1024 * 1024;
  readonly #options: MemoryChannelOptions;
  readonly #client: string;
  #onEvent: (event: ChannelEvent) => void = () => undefined;

  constructor(options: MemoryChannelOptions) {
    const { subscriber, ensemble, client = randomBytes(15).toString("base64url") } = options;
    this.#options = options;
    this.#client = client;
    const prefix = inboxSubject(ensemble, client, 0).slice(0, -1);
    const numberOf = (inbox: string): number => Number(inbox.slice(prefix.length));
    subscriber.onNoResponders((reply) => {
      this.#onEvent({ kind: "noResponders", connection: numberOf(reply) });
    });
    subscriber.subscribe(`${prefix}*`, ({ subject, bytes }) => {
      this.#onEvent({ kind: "received", connection: numberOf(subject), bytes });
    });
  }

  onEvent(handler: (event: ChannelEvent) => void): void {
    this.#onEvent = handler;
  }

  send(subject: string, connection: number, bytes: Uint8Array): void {
    const { subscriber, ensemble } = this.#options;
    subscriber.publish(subject, bytes, inboxSubject(ensemble, this.#client, connection));
  }

  close(): Promise<void> {
    this.#options.subscriber.close();
    return Promise.resolve();
  }
}
