/**
 * A client's connection to NATS: what it says to gateways and what they say to it. Messages may be lost; what is said
 * while there is no connection is lost for certain, never kept for later.
 */
import { randomBytes } from "node:crypto";
import {
  AuthorizationError,
  connect,
  type ConnectionOptions,
  type Msg,
  type NatsConnection,
  PermissionViolationError,
} from "@nats-io/transport-node";
import { UnreachableError } from "../protocol/errors.ts";
import { inboxSubject } from "../protocol/native.ts";
import {
  type NatsIdentity,
  natsServersOptions,
  NextServer,
  whileClosing,
  withoutCredentials,
} from "../runtime/nats/servers.ts";

export type NatsChannelOptions = NatsIdentity & {
  readonly urls: readonly string[];
  readonly ensemble: string;
  /** Shown by the NATS server's monitoring. */
  readonly name: string;
  /** How long to try all servers the first time. */
  readonly timeoutMs: number;
  /** A server that says nothing for so long is left for another one; so is one that takes so long to connect to. */
  readonly silenceMs: number;
};

/** `connection` is the number under which something was said. */
export type ChannelEvent =
  | { readonly kind: "heard"; readonly connection: number; readonly bytes: Uint8Array }
  /** Nobody listens where it was said. */
  | { readonly kind: "noResponders"; readonly connection: number }
  | { readonly kind: "up" }
  | { readonly kind: "down" }
  /** The NATS server does not allow what a client needs. */
  | { readonly kind: "refused"; readonly problem: UnreachableError };

const MAX_PAYLOAD_DEFAULT_BYTES = 1024 * 1024;

export class NatsChannel {
  readonly #connection: NatsConnection;
  readonly #nextServer: NextServer;
  readonly #ensemble: string;
  readonly #shownUrls: string;
  readonly #client = randomBytes(15).toString("base64url");
  #up = true;
  #parts: Uint8Array[] = [];
  #partsOf = "";
  #onEvent: (event: ChannelEvent) => void = () => undefined;

  constructor(of: {
    readonly connection: NatsConnection;
    readonly nextServer: NextServer;
    readonly ensemble: string;
    readonly shownUrls: string;
  }) {
    const { connection, ensemble } = of;
    this.#connection = connection;
    this.#nextServer = of.nextServer;
    this.#ensemble = ensemble;
    this.#shownUrls = of.shownUrls;
    this.#nextServer.connectedTo(connection.getServer());
    const prefix = inboxSubject(ensemble, this.#client, 0).slice(0, -1);
    connection.subscribe(`${prefix}*`, {
      callback: (error, message) => {
        if (error === null) this.#hear(message, Number(message.subject.slice(prefix.length)));
      },
    });
    void this.#follow();
  }

  get up(): boolean {
    return this.#up;
  }

  get maxPayloadBytes(): number {
    return this.#connection.info?.max_payload ?? MAX_PAYLOAD_DEFAULT_BYTES;
  }

  onEvent(handler: (event: ChannelEvent) => void): void {
    this.#onEvent = handler;
  }

  say(subject: string, connection: number, bytes: Uint8Array): void {
    if (!this.#up || this.#connection.isClosed()) return;
    const reply = inboxSubject(this.#ensemble, this.#client, connection);
    this.#connection.publish(subject, bytes, { reply });
  }

  /** Hands over what was said, then closes. */
  async close(): Promise<void> {
    if (this.#up) await whileClosing(this.#connection.flush());
    await whileClosing(this.#connection.close());
  }

  #hear(message: Msg, connection: number): void {
    if (message.data.length === 0) {
      if (message.headers?.code === 503) this.#onEvent({ kind: "noResponders", connection });
      return;
    }
    const bytes = this.#whole(message);
    if (bytes !== undefined) this.#onEvent({ kind: "heard", connection, bytes });
  }

  /**
   * A message above the server's limit comes in parts, one after the other, with the reply subject
   * `f.<message>.<index>.<count>`. One whose part was lost never becomes whole; the next frame's number tells.
   */
  #whole(message: Msg): Uint8Array | undefined {
    const reply = message.reply ?? "";
    if (reply === "") return message.data;
    const [, number, index, count] = reply.split(".");
    const partsOf = `${message.subject} ${number}`;
    if (index === "0") {
      this.#parts = [];
      this.#partsOf = partsOf;
    }
    if (partsOf !== this.#partsOf || index !== String(this.#parts.length)) return undefined;
    this.#parts.push(message.data);
    if (count !== String(this.#parts.length)) return undefined;
    const parts = this.#parts;
    this.#parts = [];
    return Buffer.concat(parts);
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect" && this.#up) {
        this.#up = false;
        this.#onEvent({ kind: "down" });
      } else if (status.type === "reconnect") {
        this.#nextServer.connectedTo(status.server);
        this.#up = true;
        this.#onEvent({ kind: "up" });
      } else if (status.type === "error" && status.error instanceof PermissionViolationError) {
        this.#onEvent({ kind: "refused", problem: problemOf(status.error, this.#shownUrls) });
      }
    }
  }
}

/** Rejects with an `UnreachableError` that says what to check. */
export async function openNatsChannel(options: NatsChannelOptions): Promise<NatsChannel> {
  const shown = options.urls.map(withoutCredentials).join(", ");
  try {
    const nextServer = new NextServer();
    const connection = await connect(connectionOptions(options, nextServer));
    return new NatsChannel({
      connection,
      nextServer,
      ensemble: options.ensemble,
      shownUrls: shown,
    });
  } catch (error) {
    throw problemOf(error, shown);
  }
}

function connectionOptions(options: NatsChannelOptions, nextServer: NextServer): ConnectionOptions {
  const urls = options.urls.map((url) => new URL(url));
  // All of a list are tried in time, and none is waited for longer than one that falls silent. One alone has all the time.
  const shareMs = Math.ceil(options.timeoutMs / urls.length);
  const timeoutMs = urls.length === 1 ? shareMs : Math.min(shareMs, options.silenceMs);
  return natsServersOptions({ ...options, urls, timeoutMs, nextServer });
}

function problemOf(error: unknown, shown: string): UnreachableError {
  const text = error instanceof Error ? error.message : String(error);
  const wrap = (message: string): UnreachableError =>
    new UnreachableError(message, { cause: error });
  if (error instanceof AuthorizationError && /authentication timeout/i.test(text)) {
    return wrap(
      `the NATS server at ${shown} did not get the credentials in time: it or this machine is too busy`,
    );
  }
  if (error instanceof AuthorizationError) {
    return wrap(`the NATS server at ${shown} refuses these credentials: check user and password`);
  }
  if (error instanceof PermissionViolationError) {
    return wrap(
      `the NATS server at ${shown} does not let this user use ${error.subject}: see its permissions`,
    );
  }
  if (/refused/i.test(text)) {
    return wrap(`no NATS server at ${shown} (connection refused): check host and port`);
  }
  return wrap(`cannot connect to a NATS server at ${shown}: ${text}`);
}
