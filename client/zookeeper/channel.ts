/** A client's connections to ZooKeeper's servers, over TCP or TLS: one at a time. Names are resolved for each. */
import { lookup } from "node:dns";
import { readFile } from "node:fs/promises";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ChannelEvent } from "./session/messages.ts";

export type TlsFiles = {
  /** Authorities in PEM form that the server's certificate is held to. Default: the public ones. */
  readonly caFile?: string | undefined;
  /** The client's own certificate and its key in PEM form, if servers ask for one. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The name that the server's certificate has to be for. Default: the host of the URL. */
  readonly servername?: string | undefined;
};

export type Address = { readonly host: string; readonly address: string; readonly port: number };

/** What a session uses of its connections. */
export type Channel = {
  readonly onEvent: (handler: (event: ChannelEvent) => void) => void;
  readonly resolve: (connection: number, host: string) => void;
  readonly dial: (connection: number, address: Address) => void;
  readonly send: (connection: number, frames: readonly Uint8Array[]) => void;
  readonly hangUp: (connection: number) => void;
  readonly close: () => Promise<void>;
};

/** Reads the files, also to see early whether they can be read. */
export async function readTlsFiles(tls: TlsFiles): Promise<{
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}> {
  const read = (file: string | undefined): Promise<Buffer> | undefined =>
    file === undefined ? undefined : readFile(file);
  const [ca, cert, key] = await Promise.all([
    read(tls.caFile),
    read(tls.certFile),
    read(tls.keyFile),
  ]);
  return { ca, cert, key };
}

const CLOSED = "the server has closed the connection";

export class SocketChannel implements Channel {
  /** Undefined: TCP without TLS. */
  readonly #tls: TlsFiles | undefined;
  #onEvent: (event: ChannelEvent) => void = () => undefined;
  /** What is heard of another connection is not told. */
  #connection = 0;
  #socket: Socket | undefined;

  constructor(tls: TlsFiles | undefined) {
    this.#tls = tls;
  }

  onEvent(handler: (event: ChannelEvent) => void): void {
    this.#onEvent = handler;
  }

  resolve(connection: number, host: string): void {
    lookup(host, { all: true }, (error, found) => {
      if (error === null) {
        this.#onEvent({
          kind: "resolved",
          connection,
          addresses: found.map(({ address }) => address),
        });
      } else {
        this.#onEvent({
          kind: "gone",
          connection,
          reason: `its name is not known (${error.code})`,
        });
      }
    });
  }

  dial(connection: number, address: Address): void {
    this.#connection = connection;
    if (this.#tls === undefined) {
      const { address: host, port } = address;
      this.#follow(connection, connect({ host, port }), "connect");
    } else {
      void this.#dialTls(connection, address, this.#tls);
    }
  }

  send(connection: number, frames: readonly Uint8Array[]): void {
    const socket = this.#socket;
    if (connection !== this.#connection || socket === undefined) return;
    socket.cork();
    for (const frame of frames) socket.write(frame);
    socket.uncork();
  }

  hangUp(connection: number): void {
    if (connection !== this.#connection) return;
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#connection = -1;
    this.#socket = undefined;
    if (socket === undefined || socket.closed) return;
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.destroy();
    });
  }

  /** The files are read for each connection, since certificates are renewed. */
  async #dialTls(
    connection: number,
    { host, address, port }: Address,
    tls: TlsFiles,
  ): Promise<void> {
    try {
      const files = await readTlsFiles(tls);
      if (connection !== this.#connection) return;
      const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined);
      const named = servername === undefined ? {} : { servername };
      const socket = connectTls({ host: address, port, ...named, ...files });
      // A server that asks for a certificate closes the connection without a word.
      const closed =
        files.cert === undefined ? `${CLOSED}, as one does that asks for a certificate` : CLOSED;
      this.#follow(connection, socket, "secureConnect", closed);
    } catch (error) {
      this.#onEvent({ kind: "gone", connection, reason: (error as Error).message });
    }
  }

  #follow(
    connection: number,
    socket: Socket,
    opened: "connect" | "secureConnect",
    closed: string = CLOSED,
  ): void {
    let reason = closed;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    socket.once(opened, () => this.#tell(connection, { kind: "opened", connection }));
    socket.on("data", (bytes) => {
      reason = CLOSED;
      this.#tell(connection, { kind: "received", connection, bytes });
    });
    socket.once("error", (error) => {
      reason = error.message;
    });
    socket.once("close", () => this.#tell(connection, { kind: "gone", connection, reason }));
  }

  #tell(connection: number, event: ChannelEvent): void {
    if (connection === this.#connection) this.#onEvent(event);
  }
}
