/**
 * One connection to NATS as zooid wants it: it reconnects for ever, says plainly what is wrong, and never holds messages
 * back. nats.js buffers what is published while it dials and flushes it once connected; here such messages are dropped
 * before they reach it, because a protocol that repeats itself is hurt by a late message and not by a lost one.
 */
import {
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  type Msg,
  NatsConnectionImpl,
} from "@nats-io/transport-node";
import { setTimeout as wait } from "node:timers/promises";
import { BehaviorSubject } from "rxjs/internal/BehaviorSubject";
import type { EventDetail, LogLevel } from "../effects.ts";
import type { Offered, TransportStatus } from "../transport.ts";
import { MESSAGE_BYTES_MAX, split } from "./fragments.ts";
import { encodeOffered } from "./offered.ts";
import { connectProblem, permissionProblem } from "./errors.ts";
import { NatsError } from "./nats-error.ts";
import {
  type NatsIdentity,
  natsServersOptions,
  NextServer,
  whileClosing,
  withoutCredentials,
} from "./servers.ts";
import { isNatsServer } from "./server-url.ts";

export type NatsLog = (level: LogLevel, event: string, detail: EventDetail) => void;

export type NatsOptions = NatsIdentity & {
  /** `nats://host:port`, or `tls://` to insist on TLS; may carry `user:password@` or `token@`. One of them is enough. */
  readonly servers: readonly string[];
  /** Content of a `.creds` file of NATS. */
  readonly creds?: string;
  /** Shown by the NATS server's monitoring. */
  readonly name: string;
  /** Default 5000. How long an attempt to connect to one server may take. */
  readonly timeoutMs?: number;
  /** Default 6000. A server that says nothing for this time is left for another one; so is one that takes this long to connect to. */
  readonly silenceMs?: number;
  readonly log?: NatsLog;
};

/** Bytes handed to the connection that the server has not confirmed. Above it messages are dropped. */
const UNCONFIRMED_BYTES_MAX = 128 * 1024 * 1024;
/** After this many bytes the server is asked to confirm them (a ping). */
const CONFIRM_BYTES = 1024 * 1024;
/** Above so many of them, messages that may be dropped are. */
const OFFERED_BYTES_MAX = 8 * 1024 * 1024;
/** It is logged at most so often that they are. */
const OFFERS_DROPPED_LOG_MS = 60_000;
const SILENCE_MS = 6_000;
/** The pause between attempts to have subscriptions confirmed, while a server dies and another is found. */
const CONFIRM_AGAIN_MS = 50;
const SUBSCRIBED_WITHIN_MS = 30_000;
/** What a server takes that does not say how much it takes: NATS' own default. */
const MAX_PAYLOAD_DEFAULT_BYTES = 1024 * 1024;

export class NatsLink {
  readonly status: BehaviorSubject<TransportStatus> = new BehaviorSubject<TransportStatus>(
    "connected",
  );
  readonly #connection: NatsConnectionImpl;
  readonly #nextServer: NextServer;
  readonly #servers: string;
  readonly #log: NatsLog;
  #refused: Error | undefined;
  #fragmented = 0;
  #offersDropped = 0;
  #offersSaidMs = Number.NEGATIVE_INFINITY;
  #sentBytes = 0;
  #confirmedBytes = 0;
  #confirming = false;
  #dropping = false;
  #closing = false;

  constructor(of: {
    readonly connection: NatsConnectionImpl;
    readonly nextServer: NextServer;
    readonly servers: string;
    readonly log: NatsLog | undefined;
  }) {
    this.#connection = of.connection;
    this.#nextServer = of.nextServer;
    this.#servers = of.servers;
    this.#log = of.log ?? ((): void => undefined);
    this.#nextServer.connectedTo(of.connection.getServer());
    void this.#follow();
  }

  get maxPayloadBytes(): number {
    return this.#connection.info?.max_payload ?? MAX_PAYLOAD_DEFAULT_BYTES;
  }

  /** The server lets everybody in without credentials. */
  get isOpen(): boolean {
    const { info } = this.#connection;
    return info?.auth_required !== true && info?.tls_verify !== true;
  }

  get connected(): boolean {
    return this.status.value === "connected" && !this.#closing;
  }

  /**
   * Drops the message while there is no connection. One above the server's limit goes in fragments, each with
   * `.<message>.<index>.<count>` behind `sender` as its reply subject.
   */
  publish(subject: string, bytes: Uint8Array, reply: string | undefined, sender: string): void {
    if (!this.connected) return;
    const bytesMax = this.maxPayloadBytes;
    if (bytes.length <= bytesMax) {
      this.#hand(subject, bytes, reply);
    } else if (bytes.length > MESSAGE_BYTES_MAX) {
      this.#log("error", "messageTooLarge", { subject, bytes: bytes.length });
    } else {
      this.#fragmented += 1;
      const pieces = split(bytes, bytesMax);
      for (const [index, piece] of pieces.entries()) {
        this.#hand(subject, piece, `${sender}.${this.#fragmented}.${index}.${pieces.length}`);
      }
    }
  }

  /**
   * Publishes the messages in order. One that would have to wait behind others, or to go in fragments, is dropped. All go to nats.js as
   * one piece, since to publish one by one costs several times as much.
   */
  offer(messages: readonly Offered[]): void {
    if (!this.connected) return;
    const { bytes, payloadBytes, dropped } = encodeOffered(messages, {
      eachMax: this.maxPayloadBytes,
      allMax: OFFERED_BYTES_MAX - (this.#sentBytes - this.#confirmedBytes),
    });
    if (dropped > 0) this.#saysDropped(dropped);
    if (bytes.length === 0) return;
    this.#connection.protocol.sendCommand(bytes);
    this.#countSent(payloadBytes);
  }

  #saysDropped(messages: number): void {
    this.#offersDropped += messages;
    const nowMs = performance.now();
    if (nowMs < this.#offersSaidMs + OFFERS_DROPPED_LOG_MS) return;
    this.#offersSaidMs = nowMs;
    this.#log("warn", "feedDropped", { servers: this.#servers, messages: this.#offersDropped });
  }

  #hand(subject: string, bytes: Uint8Array, reply: string | undefined): void {
    if (!this.#fits(bytes.length)) return;
    this.#connection.publish(subject, bytes, reply === undefined ? {} : { reply });
    this.#countSent(bytes.length);
  }

  #countSent(bytes: number): void {
    this.#sentBytes += bytes;
    if (this.#sentBytes - this.#confirmedBytes >= CONFIRM_BYTES && !this.#confirming) {
      void this.#confirm();
    }
  }

  /** An exception of `handle` is logged: nats.js would stop reading. What is returned ends the subscription. */
  subscribe(subject: string, handle: (message: Msg) => void, queue?: string): () => void {
    const callback = (error: Error | null, message: Msg): void => {
      if (error !== null) {
        this.#refused = permissionProblem(error, this.#servers);
        return;
      }
      try {
        handle(message);
      } catch (thrown) {
        this.#log("error", "natsHandlerFailed", { subject, error: String(thrown) });
      }
    };
    const options = queue === undefined ? { callback } : { callback, queue };
    const subscription = this.#connection.subscribe(subject, options);
    return () => subscription.unsubscribe();
  }

  /** Waits until a server has seen all subscriptions, the next one if one is lost meanwhile; rejects if one was refused. */
  async subscribed(): Promise<void> {
    const untilMs = performance.now() + SUBSCRIBED_WITHIN_MS;
    for (;;) {
      try {
        await this.#connection.flush();
        break;
      } catch (error) {
        const isOver = this.#connection.isClosed() || performance.now() > untilMs;
        if (isOver) throw connectProblem(error, this.#servers);
        await wait(CONFIRM_AGAIN_MS);
      }
    }
    if (this.#refused !== undefined) throw this.#refused;
  }

  /** Hands over what was published, then closes. */
  async close(): Promise<void> {
    if (this.#closing) return;
    const connected = this.connected;
    this.#closing = true;
    if (connected) await whileClosing(this.#connection.drain());
    await whileClosing(this.#connection.close());
    this.status.complete();
  }

  #fits(length: number): boolean {
    const full = this.#sentBytes + length - this.#confirmedBytes > UNCONFIRMED_BYTES_MAX;
    if (full && !this.#dropping) {
      this.#log("warn", "natsCongested", { servers: this.#servers, bytes: UNCONFIRMED_BYTES_MAX });
    }
    this.#dropping = full;
    return !full;
  }

  async #confirm(): Promise<void> {
    this.#confirming = true;
    const mark = this.#sentBytes;
    try {
      await this.#connection.flush();
      this.#confirmedBytes = Math.max(this.#confirmedBytes, mark);
    } catch {
      // Disconnected: the reconnect starts the count again.
    }
    this.#confirming = false;
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect") this.#disconnected(status.server);
      else if (status.type === "reconnect") this.#reconnected(status.server);
      else if (status.type === "error") this.#failed(status.error);
    }
  }

  #disconnected(server: string): void {
    if (this.#closing || this.status.value === "disconnected") return;
    this.#log("warn", "natsDisconnected", { server });
    this.status.next("disconnected");
  }

  #reconnected(server: string): void {
    this.#nextServer.connectedTo(server);
    this.#confirmedBytes = this.#sentBytes;
    if (this.#closing) return;
    this.#log("info", "natsConnected", { server });
    this.status.next("connected");
  }

  #failed(error: Error): void {
    const problem = permissionProblem(error, this.#servers);
    const event = problem.code === "ZOOID_NATS_PERMISSION" ? "natsPermission" : "natsError";
    this.#log("error", event, { error: problem.message });
  }
}

/** Rejects with a `NatsError` that names the servers and says what to do. */
export async function openLink(options: NatsOptions): Promise<NatsLink> {
  if (options.servers.length === 0) {
    throw new NatsError(
      "ZOOID_NATS_OPTIONS",
      "no NATS server is named: give at least one nats://host:port",
    );
  }
  const urls = options.servers.map(parseServer);
  const shown = options.servers.map(withoutCredentials).join(", ");
  try {
    const nextServer = new NextServer();
    const connection = await connect(connectionOptions(options, urls, nextServer));
    if (!(connection instanceof NatsConnectionImpl)) {
      throw new TypeError("nats.js connects by another class than it exports");
    }
    return new NatsLink({ connection, nextServer, servers: shown, log: options.log });
  } catch (error) {
    throw connectProblem(error, shown);
  }
}

function connectionOptions(
  options: NatsOptions,
  urls: readonly URL[],
  nextServer: NextServer,
): ConnectionOptions {
  const silenceMs = options.silenceMs ?? SILENCE_MS;
  const timeoutMs = options.timeoutMs ?? Math.min(5_000, silenceMs);
  return {
    ...natsServersOptions({ ...options, urls, silenceMs, timeoutMs, nextServer }),
    ...(options.creds === undefined
      ? {}
      : { authenticator: credsAuthenticator(new TextEncoder().encode(options.creds)) }),
    // A node must not hear its own broadcasts.
    noEcho: true,
  };
}

function parseServer(server: string): URL {
  const url = URL.parse(server.includes("://") ? server : `nats://${server}`);
  if (url === null || !isNatsServer(url)) {
    const shown = withoutCredentials(server);
    throw new NatsError(
      "ZOOID_NATS_OPTIONS",
      `"${shown}" is no NATS server's URL: write nats://host:port or tls://host:port`,
    );
  }
  return url;
}
