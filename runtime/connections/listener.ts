/**
 * Client connections of one thread: its doors give it sockets, of TCP and of TLS, which it turns into messages for an actor, and it
 * performs the actor's effects on them. What one turn writes to a socket leaves as one system call; what is large leaves piece by piece, so that it is seen
 * whether the client takes it. A client to which more is written while it has not taken what was written before is cut off at a
 * limit.
 */
import type { Socket } from "node:net";
import type { ConnectionCounts } from "./connection-counts.ts";
import type { ConnectionMessage } from "../effects.ts";
import type { ConnectionEffect } from "../effects.ts";
import type { ConnectionPort } from "../system.ts";
import { Door, type DoorOptions, type Guest, type ListenAddress } from "./door.ts";
import type { TlsTerms } from "./tls/terms.ts";

export type ListenerOptions = {
  /** Where clients come in. */
  readonly doors: readonly DoorOptions[];
  /** Counts the connections of this listener with those of others, and says which are too many. Default: none are. */
  readonly counts?: ConnectionCounts;
  /** Called for each message. It must only enqueue it. */
  readonly onMessage: (message: ConnectionMessage) => void;
  /** Bytes written to a connection and not taken by its client; at the next write the connection is cut off. Default 16 MiB. */
  readonly unsentBytesMax?: number;
};

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

const UNSENT_BYTES_MAX = 16 * 1024 * 1024;
/** After this many bytes the actor hears when all of them have been taken. Part of the contract of `drained`. */
const DRAINED_BYTES_MIN = 256 * 1024;
/** How long a closed connection may take to take what was written last. */
const LINGER_MS = 2000;
/** Larger writes go to the socket in such pieces, each when the one before has been taken. */
const PIECE_BYTES = 256 * 1024;

export class Listener implements ConnectionPort {
  readonly #options: ListenerOptions;
  readonly #doors: readonly Door[];
  readonly #clients = new Map<number, Client>();
  #corked: Client[] = [];
  #lastNumber = 0;
  #onEmpty: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { doors, counts, onMessage } = options;
    this.#doors = doors.map(
      (door) =>
        new Door(door, {
          counts,
          onGuest: (guest) => this.#take(guest),
          onRefused: (remoteAddress, reason) => {
            onMessage({ kind: "refused", remoteAddress, reason });
          },
        }),
    );
  }

  /**
   * Resolves with the address of each door, on which it listens from now on. Rejects if one is not available; the message says
   * why.
   */
  async listen(): Promise<readonly ListenAddress[]> {
    const addresses: ListenAddress[] = [];
    for (const door of this.#doors) addresses.push(await door.listen());
    return addresses;
  }

  /** Clients that come from now on are shown this. Throws if it cannot be used. */
  renew(terms: TlsTerms): void {
    for (const door of this.#doors) door.renew(terms);
  }

  /** Takes no more connections. Those that there are go on. */
  turnAway(): void {
    for (const door of this.#doors) door.shut();
  }

  /** Takes no more connections, ends those there are, and waits briefly for them to take what was written. */
  async close(): Promise<void> {
    const closed = this.#doors.map((door) => door.close());
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#clients.size === 0) resolve();
    });
    for (const client of this.#clients.values()) this.#end(client);
    await Promise.all([...closed, empty]);
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

  #take({ socket, remoteAddress, secure }: Guest): void {
    const { onMessage } = this.#options;
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
    onMessage({ kind: "opened", connection: number, remoteAddress, ...(secure && { secure }) });
    socket.on("data", (bytes: Buffer) => {
      if (!client.closing) onMessage({ kind: "bytes", connection: number, bytes });
    });
    socket.once("end", () => {
      if (!client.closing) onMessage({ kind: "ended", connection: number });
    });
    socket.once("close", () => {
      clearTimeout(client.linger);
      this.#clients.delete(number);
      onMessage({ kind: "closed", connection: number, reason: client.reason });
      if (this.#clients.size === 0) this.#onEmpty?.();
    });
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
