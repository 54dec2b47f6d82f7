/**
 * Client connections of one thread: a TCP server that turns sockets into messages for an actor and performs the actor's effects
 * on them. What one turn writes to a socket leaves as one system call; what is large leaves piece by piece, so that it is seen
 * whether the client takes it. A client to which more is written while it has not taken what was written before is cut off at a
 * limit.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { Admission, ConnectionCounts } from "./connection-counts.ts";
import type { ConnectionMessage } from "../effects.ts";
import type { ConnectionEffect } from "../effects.ts";
import type { ConnectionPort } from "../system.ts";

export type ListenerOptions = {
  /** Address to bind. `::` is every address of both families; where there is no IPv6 it is `0.0.0.0`. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Several threads share the port; the kernel spreads connections over them. Default false. */
  readonly reusePort?: boolean;
  /** Connections that the kernel keeps until they are accepted. Default 511. */
  readonly backlog?: number;
  /** Counts the connections of this listener with those of others, and says which are too many. Default: none are. */
  readonly counts?: ConnectionCounts;
  /** Called for each message. It must only enqueue it. */
  readonly onMessage: (message: ConnectionMessage) => void;
  /** Bytes written to a connection and not taken by its client; at the next write the connection is cut off. Default 16 MiB. */
  readonly unsentBytesMax?: number;
};

export type ListenAddress = { readonly host: string; readonly port: number };

type Client = {
  readonly number: number;
  readonly socket: Socket;
  /** Bytes that were written since the client had last taken all. */
  unsentBytes: number;
  /** What follows the bytes that the socket has: a large write and whatever came after it. */
  backlog: Uint8Array[];
  backlogBytes: number;
  /** The socket has a piece of a large write. */
  hasPiece: boolean;
  corked: boolean;
  closing: boolean;
  /** Why it was cut off. */
  reason: string | undefined;
  linger: NodeJS.Timeout | undefined;
};

const BACKLOG = 511;
const UNSENT_BYTES_MAX = 16 * 1024 * 1024;
/** After this many bytes the actor hears when all of them have been taken. Part of the contract of `drained`. */
const DRAINED_BYTES_MIN = 256 * 1024;
/** How long a closed connection may take to take what was written last. */
const LINGER_MS = 2000;
/** Larger writes go to the socket in such pieces, each when the one before has been taken. */
const PIECE_BYTES = 256 * 1024;
/** How long no connection is accepted after one for which no file could be opened. */
const REST_MS = 500;

export class Listener implements ConnectionPort {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #clients = new Map<number, Client>();
  #corked: Client[] = [];
  #lastNumber = 0;
  #resting: NodeJS.Timeout | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
      this.#accept(socket),
    );
  }

  /** Resolves with the address on which it listens from now on. Rejects if that address is not available; the message says why. */
  listen(): Promise<ListenAddress> {
    const { host, port, reusePort = false, backlog = BACKLOG } = this.#options;
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void => {
        reject(new Error(listenProblem(error, host, port), { cause: error }));
      };
      this.#server.once("error", fail);
      // Without a host Node itself goes from `::` to `0.0.0.0` on a machine without IPv6.
      const bound = host === "::" ? {} : { host };
      this.#server.listen({ ...bound, port, reusePort, backlog }, () => {
        this.#server.off("error", fail);
        this.#server.on("error", (error) => this.#acceptFailed(error));
        const address = this.#server.address();
        if (address === null || typeof address === "string") {
          reject(new Error(`listening on ${host}:${port} gave no address`));
        } else {
          resolve({ host: address.address, port: address.port });
        }
      });
    });
  }

  /** Takes no more connections, ends those there are, and waits briefly for them to take what was written. */
  async close(): Promise<void> {
    clearTimeout(this.#resting);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#clients.size === 0) resolve();
    });
    for (const client of this.#clients.values()) this.#end(client);
    await Promise.all([closed, empty]);
  }

  perform(effect: ConnectionEffect): void {
    const client = this.#clients.get(effect.connection);
    if (client === undefined || client.closing) return;
    switch (effect.kind) {
      case "write":
        this.#write(client, effect.bytes);
        return;
      case "close":
        this.#end(client);
        return;
      case "pauseReading":
        client.socket.pause();
        return;
      case "resumeReading":
        client.socket.resume();
        return;
      default:
        effect satisfies never;
    }
  }

  #accept(socket: Socket): void {
    const { remoteAddress: address, remotePort } = socket;
    socket.on("error", () => socket.destroy()); // the `close` that follows is enough
    if (address === undefined || remotePort === undefined) {
      socket.destroy(); // gone before it was accepted
      return;
    }
    const remoteAddress = formatAddress(address, remotePort);
    const { onMessage, counts } = this.#options;
    const admission = counts?.admit(address) ?? "admitted";
    if (admission !== "admitted") {
      socket.destroy();
      onMessage({ kind: "refused", remoteAddress, reason: refusal(admission, counts) });
      return;
    }
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const client: Client = {
      number,
      socket,
      unsentBytes: 0,
      backlog: [],
      backlogBytes: 0,
      hasPiece: false,
      corked: false,
      closing: false,
      reason: undefined,
      linger: undefined,
    };
    this.#clients.set(number, client);
    onMessage({ kind: "opened", connection: number, remoteAddress });
    socket.on("data", (bytes: Buffer) => {
      if (!client.closing) onMessage({ kind: "bytes", connection: number, bytes });
    });
    socket.once("end", () => {
      if (!client.closing) onMessage({ kind: "ended", connection: number });
    });
    socket.once("close", () => {
      clearTimeout(client.linger);
      this.#clients.delete(number);
      counts?.release(address);
      onMessage({ kind: "closed", connection: number, reason: client.reason });
      if (this.#clients.size === 0) this.#onEmpty?.();
    });
  }

  /**
   * One connection that could not be accepted is its client's loss. Where no file can be opened any more the next could not be
   * accepted either, and the kernel would offer it again and again: nothing is accepted for a while.
   */
  #acceptFailed(error: NodeJS.ErrnoException): void {
    const { host, port } = this.#options;
    const reason = `it could not be accepted: ${error.message}`;
    this.#options.onMessage({ kind: "refused", remoteAddress: "unknown:0", reason });
    const { code } = error;
    if ((code !== "EMFILE" && code !== "ENFILE") || this.#resting !== undefined) return;
    const address = this.#server.address();
    const bound = typeof address === "string" || address === null ? { host, port } : address;
    this.#server.close();
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      const { reusePort = false, backlog = BACKLOG } = this.#options;
      const again = "address" in bound ? bound.address : bound.host;
      this.#server.listen({ host: again, port: bound.port, reusePort, backlog });
    }, REST_MS);
  }

  #write(client: Client, bytes: Uint8Array): void {
    const { socket } = client;
    const { unsentBytesMax = UNSENT_BYTES_MAX } = this.#options;
    if (socket.writableLength + client.backlogBytes > unsentBytesMax) {
      this.#cutOff(client);
      return;
    }
    client.unsentBytes += bytes.length;
    if (client.hasPiece || bytes.length > PIECE_BYTES) {
      client.backlog.push(bytes);
      client.backlogBytes += bytes.length;
      if (!client.hasPiece) this.#writePiece(client);
      return;
    }
    if (!client.corked) {
      if (this.#corked.length === 0) process.nextTick(() => this.#uncork());
      client.corked = true;
      this.#corked.push(client);
      socket.cork();
    }
    if (client.unsentBytes > DRAINED_BYTES_MIN) {
      socket.write(bytes, () => this.#written(client));
    } else {
      socket.write(bytes);
    }
  }

  /** The first bytes of the backlog, and the next when they have been taken. */
  #writePiece(client: Client): void {
    const { socket, backlog } = client;
    const first = backlog[0];
    client.hasPiece = first !== undefined;
    if (first === undefined) {
      if (client.closing) socket.end();
      else this.#written(client);
      return;
    }
    const piece = first.subarray(0, PIECE_BYTES);
    client.backlogBytes -= piece.length;
    if (piece.length === first.length) backlog.shift();
    else backlog[0] = first.subarray(PIECE_BYTES);
    socket.write(piece, () => {
      if (socket.destroyed) return;
      if (client.closing) client.linger?.refresh();
      else this.#options.onMessage({ kind: "taken", connection: client.number });
      this.#writePiece(client);
    });
  }

  #uncork(): void {
    const corked = this.#corked;
    this.#corked = [];
    for (const client of corked) {
      client.corked = false;
      client.socket.uncork();
    }
  }

  #written(client: Client): void {
    if (client.closing || client.socket.destroyed || client.socket.writableLength > 0) return;
    if (client.hasPiece || client.unsentBytes <= DRAINED_BYTES_MIN) return;
    client.unsentBytes = 0;
    this.#options.onMessage({ kind: "drained", connection: client.number });
  }

  #cutOff(client: Client): void {
    client.closing = true;
    const unsentBytes = client.socket.writableLength + client.backlogBytes;
    client.reason = `it does not read: ${unsentBytes} bytes are unsent`;
    client.socket.destroy();
  }

  /** Sends what was written and then the end; what still comes is thrown away. */
  #end(client: Client): void {
    if (client.closing) return;
    client.closing = true;
    client.socket.resume();
    if (!client.hasPiece) client.socket.end();
    client.linger = setTimeout(() => client.socket.destroy(), LINGER_MS);
  }
}

/** An IPv4 client of a socket for both families is shown with its IPv4 address. */
function formatAddress(address: string, port: number): string {
  const plain = address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}

function listenProblem(error: NodeJS.ErrnoException, host: string, port: number): string {
  const where = host === "::" ? `port ${port}` : formatAddress(host, port);
  switch (error.code) {
    case "EADDRINUSE":
      return `${where} is in use by another program: stop it, or choose another client port (0 takes any free one)`;
    case "EADDRNOTAVAIL":
      return `${host} is no address of this machine: choose another client port address, :: for all`;
    case "EACCES":
      return `this user may not listen on ${where}: choose a client port above 1023`;
    default:
      return `cannot listen on ${where}: ${error.message}`;
  }
}

function refusal(admission: Admission, counts: ConnectionCounts | undefined): string {
  return admission === "tooManyOfAddress"
    ? `more than ${counts?.perAddressMax} connections of this address`
    : `more than ${counts?.connectionsMax} connections in all`;
}
