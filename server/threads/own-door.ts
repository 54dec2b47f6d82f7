/**
 * The door by which native clients of the node's own process come in, on whatever thread they are: what they send and are sent goes over a
 * BroadcastChannel, not over NATS or a port. So the admin server has znodes whatever ports are open. The channel's name is drawn at each
 * start and begins the inboxes of these clients, so that nobody outside of the process can name one.
 */
import { BroadcastChannel } from "node:worker_threads";
import type { ClientMessage } from "../../runtime/nats/client-subjects.ts";
import type { Offered, Publisher } from "../../runtime/transport.ts";
import { inboxPrefix } from "../../protocol/subjects.ts";

/** What goes over the channel. */
export type OwnMessage =
  /** To the gateway. */
  | {
      readonly kind: "asked";
      readonly subject: string;
      readonly reply: string;
      readonly bytes: Uint8Array;
    }
  /** To the client of the inbox. */
  | { readonly kind: "published"; readonly inbox: string; readonly bytes: Uint8Array }
  /** What the client of the inbox has sent has reached nobody. */
  | { readonly kind: "noResponders"; readonly inbox: string };

export type OwnDoorOptions = {
  readonly name: string;
  readonly ensemble: string;
  /** Tells the gateway of the lane. */
  readonly onMessage: (message: ClientMessage) => void;
};

/** The beginning of the inboxes of all clients of the channel. */
export function ownInboxes(ensemble: string, name: string): string {
  return `${inboxPrefix(ensemble)}${name}-`;
}

export class OwnDoor {
  readonly #channel: BroadcastChannel;
  readonly #inboxes: string;
  #isOpen = false;
  #isClosed = false;

  constructor({ name, ensemble, onMessage }: OwnDoorOptions) {
    this.#inboxes = ownInboxes(ensemble, name);
    this.#channel = new BroadcastChannel(name);
    this.#channel.unref();
    this.#channel.onmessage = (event) => {
      const message = (event as MessageEvent).data as OwnMessage;
      if (message.kind !== "asked") return;
      const { subject, reply, bytes } = message;
      if (this.#isOpen) onMessage({ kind: "clientMessage", subject, reply, bytes });
      else this.#say({ kind: "noResponders", inbox: reply });
    };
  }

  /** From now on clients are heard; before, they are told that nobody is there. */
  listen(): void {
    this.#isOpen = true;
  }

  /** What is for these clients goes to them, everything else where `others` has it. */
  publisherBeside(others: Publisher | undefined): Publisher {
    return {
      publish: (subject, bytes) => {
        if (subject.startsWith(this.#inboxes)) {
          // A copy: of bytes that are a view the channel would copy all that is viewed.
          this.#say({ kind: "published", inbox: subject, bytes: new Uint8Array(bytes) });
        } else {
          others?.publish(subject, bytes);
        }
      },
      offer: (messages: readonly Offered[]) => others?.offer(messages),
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#channel.close();
  }

  #say(message: OwnMessage): void {
    if (!this.#isClosed) this.#channel.postMessage(message);
  }
}
