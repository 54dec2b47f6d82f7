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

export type NatsChannelOptions = {
  readonly urls: readonly string[];
  readonly ensemble: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** Files in PEM form. */
  readonly tls?: {
    readonly caFile?: string;
    readonly certFile?: string;
    readonly keyFile?: string;
  };
  /** Shown by the NATS server's monitoring. */
  readonly name: string;
  readonly timeoutMs: number;
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

const RECONNECT_DELAY_MS = 200;
const PING_INTERVAL_MS = 2_000;
const MAX_PAYLOAD_DEFAULT_BYTES = 1024 * 1024;

export class NatsChannel {
  readonly #connection: NatsConnection;
  readonly #ensemble: string;
  readonly #shownUrls: string;
  readonly #client = randomBytes(15).toString("base64url");
  #up = true;
  #parts: Uint8Array[] = [];
  #partsOf = "";
  #onEvent: (event: ChannelEvent) => void = () => undefined;

  constructor(connection: NatsConnection, ensemble: string, shownUrls: string) {
    this.#connection = connection;
    this.#ensemble = ensemble;
    this.#shownUrls = shownUrls;
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
    try {
      if (this.#up) await this.#connection.flush();
    } catch {
      // Disconnected meanwhile: there is nobody to hand it to.
    }
    await this.#connection.close();
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
    const connection = await connect(connectionOptions(options));
    return new NatsChannel(connection, options.ensemble, shown);
  } catch (error) {
    throw problemOf(error, shown);
  }
}

function connectionOptions(options: NatsChannelOptions): ConnectionOptions {
  const urls = options.urls.map((url) => new URL(url));
  const named = urls.find(({ username }) => username !== "");
  const name = named === undefined ? undefined : decodeURIComponent(named.username);
  const secret = named === undefined ? "" : decodeURIComponent(named.password);
  const user = options.user ?? (secret === "" ? undefined : name);
  const password = options.password ?? (secret === "" ? undefined : secret);
  const token = options.token ?? (secret === "" ? name : undefined);
  const wantsTls = options.tls !== undefined || urls.some(({ protocol }) => protocol === "tls:");
  return {
    servers: urls.map(({ host }) => host),
    name: options.name,
    timeout: options.timeoutMs,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    ...(token === undefined ? {} : { token }),
    ...(wantsTls ? { tls: { ...options.tls } } : {}),
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_DELAY_MS,
    reconnectJitter: RECONNECT_DELAY_MS,
    pingInterval: PING_INTERVAL_MS,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
  };
}

function problemOf(error: unknown, shown: string): UnreachableError {
  const text = error instanceof Error ? error.message : String(error);
  const wrap = (message: string): UnreachableError =>
    new UnreachableError(message, { cause: error });
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

function withoutCredentials(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/i, "$1");
}
