/**
 * A native client of a node in the node's own process, by the node's own door (`server/threads/own-door.ts`): it may do what everybody may,
 * and is bounded as everybody is.
 */
import { BroadcastChannel } from "node:worker_threads";
import { type Client, connectOver } from "../../client/connect.ts";
import { type NativeChannel, NativeWire } from "../../client/native-wire.ts";
import { sessionOptionsOf } from "../../client/options.ts";
import type { ChannelEvent } from "../../client/session/messages.ts";
import { type OwnMessage, ownInboxes } from "../threads/own-door.ts";

const CONNECT_MS_MAX = 5_000;
const OPERATION_MS_MAX = 9_000;
const SESSION_MS = 30_000;

export type OwnClient = Client;

/** What a connection to NATS is to a native client. */
class OwnChannel implements NativeChannel {
  readonly up = true;
  /** As a NATS server has it that has no other setting. */
  readonly maxPayloadBytes: number = 1024 * 1024;
  readonly #channel: BroadcastChannel;
  /** The beginning of the inboxes of this client's connections, behind which their numbers stand. */
  readonly #inboxes: string;
  #onEvent: (event: ChannelEvent) => void = () => undefined;
  #isClosed = false;

  constructor(name: string, ensemble: string, client: number) {
    this.#inboxes = `${ownInboxes(ensemble, name)}${client}.`;
    this.#channel = new BroadcastChannel(name);
    this.#channel.unref();
    this.#channel.onmessage = (event) => this.#take((event as MessageEvent).data as OwnMessage);
  }

  onEvent(handler: (event: ChannelEvent) => void): void {
    this.#onEvent = handler;
  }

  send(subject: string, connection: number, bytes: Uint8Array): void {
    const reply = `${this.#inboxes}${connection}`;
    const message: OwnMessage = { kind: "asked", subject, reply, bytes: new Uint8Array(bytes) };
    if (!this.#isClosed) this.#channel.postMessage(message);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#channel.close();
    return Promise.resolve();
  }

  #take(message: OwnMessage): void {
    if (message.kind === "asked" || !message.inbox.startsWith(this.#inboxes)) return;
    const connection = Number(message.inbox.slice(this.#inboxes.length));
    if (message.kind === "noResponders") this.#onEvent({ kind: "noResponders", connection });
    else this.#onEvent({ kind: "received", connection, bytes: message.bytes });
  }
}

let connected = 0;

/**
 * `name`: that of the node's own door. Rejects with UnreachableError while the node serves nobody, and with SessionClosedError when the signal
 * aborts before there is a session.
 */
export async function connectToOwnNode(
  name: string,
  ensemble: string,
  signal: AbortSignal,
): Promise<Client> {
  const options = {
    ensemble,
    connectTimeoutMs: CONNECT_MS_MAX,
    operationTimeoutMs: OPERATION_MS_MAX,
    sessionTimeoutMs: SESSION_MS,
  };
  connected += 1;
  const channel = new OwnChannel(name, ensemble, connected);
  const wire = new NativeWire(channel, sessionOptionsOf(options));
  const giveUp = (): void => void wire.close();
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await connectOver(wire, options);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
