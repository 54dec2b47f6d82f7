/**
 * A client's connection to NATS: it carries frames from the client to gateways and back. Messages may be lost. What is sent while there
 * is no connection is always lost: it is never kept and sent later.
 */
import { randomBytes } from "node:crypto";
import {
  connect,
  type ConnectionOptions,
  type Msg,
  type NatsConnection,
  PermissionViolationError,
} from "@nats-io/transport-node";
import { UnreachableError } from "../protocol/errors.ts";
import { inboxSubject } from "../protocol/subjects.ts";
import { connectProblem, permissionProblem } from "../runtime/nats/errors.ts";
import { NATS_REASSEMBLY, readFragmentTokens, Reassembler } from "../runtime/nats/fragments.ts";
import {
  type NatsIdentity,
  natsServersOptions,
  NextServer,
  whileClosing,
  withoutCredentials,
} from "../runtime/nats/servers.ts";
import type { ChannelEvent } from "./session/messages.ts";

export type NatsChannelOptions = NatsIdentity & {
  readonly urls: readonly string[];
  readonly ensemble: string;
  /** Shown by the NATS server's monitoring. */
  readonly name: string;
  /** How long the first connection may take, all servers together. */
  readonly timeoutMs: number;
  /** A server that sends nothing for this long is left for another one. So is one that takes this long to connect to. */
  readonly silenceMs: number;
};

const MAX_PAYLOAD_DEFAULT_BYTES = 1024 * 1024;

export class NatsChannel {
  readonly #connection: NatsConnection;
  readonly #nextServer: NextServer;
  readonly #ensemble: string;
  readonly #shownUrls: string;
  readonly #client = randomBytes(15).toString("base64url");
  readonly #reassembler = new Reassembler(NATS_REASSEMBLY, () => performance.now());
  #up = true;
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
        if (error === null) this.#receive(message, Number(message.subject.slice(prefix.length)));
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

  send(subject: string, connection: number, bytes: Uint8Array): void {
    if (!this.#up || this.#connection.isClosed()) return;
    const reply = inboxSubject(this.#ensemble, this.#client, connection);
    this.#connection.publish(subject, bytes, { reply });
  }

  /** Waits until the server has what was sent, then closes the connection. */
  async close(): Promise<void> {
    if (this.#up) await whileClosing(this.#connection.flush());
    await whileClosing(this.#connection.close());
  }

  #receive(message: Msg, connection: number): void {
    if (message.data.length === 0) {
      if (message.headers?.code === 503) this.#onEvent({ kind: "noResponders", connection });
      return;
    }
    const bytes = this.#whole(message);
    if (bytes !== undefined) this.#onEvent({ kind: "received", connection, bytes });
  }

  /**
   * A message above the server's limit comes in fragments, with the reply subject `f.<message>.<index>.<count>`. A message
   * that lost a fragment is never put together; the session notices that its frame's number is missing.
   */
  #whole({ subject, reply = "", data }: Msg): Uint8Array | undefined {
    if (reply === "") return data;
    const fragment = readFragmentTokens(reply.split(".").slice(1));
    return fragment && this.#reassembler.add(subject, { ...fragment, bytes: data });
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
  // Each server of a list gets its share of the time, and never more than a silent one would get. A single server gets all the
  // time.
  const shareMs = Math.ceil(options.timeoutMs / urls.length);
  const timeoutMs = urls.length === 1 ? shareMs : Math.min(shareMs, options.silenceMs);
  return natsServersOptions({ ...options, urls, timeoutMs, nextServer });
}

function problemOf(error: unknown, shown: string): UnreachableError {
  const { message } =
    error instanceof PermissionViolationError
      ? permissionProblem(error, shown)
      : connectProblem(error, shown);
  return new UnreachableError(message, { cause: error });
}
