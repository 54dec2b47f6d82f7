/**
 * One TCP port by which clients come in: it accepts sockets, turns away those that are too many, and has those that speak TLS do their
 * handshake, before they are connections.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { Admission, ConnectionCounts } from "./connection-counts.ts";
import { TlsEntrance } from "./tls/entrance.ts";
import type { SecurePeer, TlsTerms } from "./tls/terms.ts";

export type DoorOptions = {
  /** Address to bind. `::` is every address of both families; where there is no IPv6 it is `0.0.0.0`. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Several threads share the port; the kernel spreads connections over them. Default false. */
  readonly reusePort?: boolean;
  /** Connections that the kernel keeps until they are accepted. Default 511. */
  readonly backlog?: number;
  /** Clients speak TLS. Default: they do not. */
  readonly tls?: {
    readonly terms: TlsTerms;
    /** Clients that speak TLS and clients that do not come to the same port, told apart by their first byte. Default false. */
    readonly orPlain?: boolean;
    /** How long a client may take until its handshake is done. Default 10_000. */
    readonly handshakeMs?: number;
  };
};

export type ListenAddress = { readonly host: string; readonly port: number };

/** A client that is let in. */
export type Guest = {
  readonly socket: Socket;
  readonly remoteAddress: string;
  /** Undefined: it does not speak TLS. */
  readonly secure: SecurePeer | undefined;
};

export type DoorHandlers = {
  readonly counts: ConnectionCounts | undefined;
  readonly onGuest: (guest: Guest) => void;
  readonly onRefused: (remoteAddress: string, reason: string) => void;
};

const BACKLOG = 511;
/** How long no connection is accepted after one for which no file could be opened. */
const REST_MS = 500;
const HANDSHAKE_MS = 10_000;
/** A client's first byte if it speaks TLS: a record of the handshake. A frame's length and a four-letter word begin with others. */
const TLS_FIRST_BYTE = 0x16;

export class Door {
  readonly #options: DoorOptions;
  readonly #handlers: DoorHandlers;
  readonly #server: Server;
  readonly #tls: TlsEntrance | undefined;
  /** Sockets of TCP that are open. */
  readonly #open = new Set<Socket>();
  /** Those of them that are not let in yet. */
  readonly #waiting = new Set<Socket>();
  #closing = false;
  #onEmpty: (() => void) | undefined;
  #resting: NodeJS.Timeout | undefined;

  constructor(options: DoorOptions, handlers: DoorHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
      this.#accept(socket),
    );
    const { tls } = options;
    if (tls === undefined) return;
    this.#tls = new TlsEntrance({
      terms: tls.terms,
      handshakeMs: tls.handshakeMs ?? HANDSHAKE_MS,
      onSecured: (raw, secured, peer) => this.#admit(raw, secured, peer),
      onFailed: (raw, reason) => this.#turnAway(raw, `TLS: ${reason}`),
    });
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

  /** Clients that come from now on are shown this. Throws if it cannot be used. */
  renew(terms: TlsTerms): void {
    this.#tls?.renew(terms);
  }

  /** Nobody comes in any more. */
  shut(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** Resolves when all sockets are closed. It closes those that are not let in yet; the others are the caller's to close. */
  async close(): Promise<void> {
    clearTimeout(this.#resting);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#open.size === 0) resolve();
    });
    this.#closing = true;
    for (const socket of this.#waiting) socket.destroy();
    await Promise.all([closed, empty]);
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    socket.on("error", () => socket.destroy()); // the `close` that follows is enough
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy(); // gone before it was accepted
      return;
    }
    // Doors for one family and for both count a client as one.
    const address = plainAddress(remoteAddress);
    const { counts, onRefused } = this.#handlers;
    const admission = counts?.admit(address) ?? "admitted";
    if (admission !== "admitted") {
      socket.destroy();
      onRefused(formatAddress(address, remotePort), refusal(admission, counts));
      return;
    }
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#waiting.delete(socket);
      counts?.release(address);
      if (this.#open.size === 0) this.#onEmpty?.();
    });
    const { tls } = this.#options;
    if (tls === undefined) {
      this.#admit(socket, socket, undefined);
      return;
    }
    this.#waiting.add(socket);
    if (tls.orPlain === true) this.#tellApart(socket, tls.handshakeMs ?? HANDSHAKE_MS);
    else this.#tls?.enter(socket);
  }

  /** Waits for the first byte, which is given back to the socket. */
  #tellApart(socket: Socket, withinMs: number): void {
    const late = setTimeout(() => this.#turnAway(socket, "it sent nothing in time"), withinMs);
    const look = (): void => {
      const bytes = socket.read() as Buffer | null;
      if (bytes === null) return;
      clearTimeout(late);
      socket.off("readable", look);
      socket.unshift(bytes);
      if (bytes[0] === TLS_FIRST_BYTE) this.#tls?.enter(socket);
      else this.#admit(socket, socket, undefined);
    };
    socket.on("readable", look);
    socket.once("close", () => clearTimeout(late));
    socket.once("end", () => {
      if (this.#waiting.has(socket)) socket.destroy();
    });
  }

  #admit(raw: Socket, socket: Socket, secure: SecurePeer | undefined): void {
    this.#waiting.delete(raw);
    if (socket !== raw) socket.on("error", () => socket.destroy());
    this.#handlers.onGuest({ socket, remoteAddress: addressOf(raw), secure });
  }

  /** Nothing is said of those that are closed with the door. */
  #turnAway(socket: Socket, reason: string): void {
    const remoteAddress = addressOf(socket);
    socket.destroy();
    if (!this.#closing) this.#handlers.onRefused(remoteAddress, reason);
  }

  /**
   * One connection that could not be accepted is its client's loss. Where no file can be opened any more the next could not be
   * accepted either, and the kernel would offer it again and again: nothing is accepted for a while.
   */
  #acceptFailed(error: NodeJS.ErrnoException): void {
    const { host, port } = this.#options;
    this.#handlers.onRefused("unknown:0", `it could not be accepted: ${error.message}`);
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
}

/** Node knows the address of a socket also after it was closed, once it has been asked for it. */
function addressOf({ remoteAddress = "unknown", remotePort = 0 }: Socket): string {
  return formatAddress(remoteAddress, remotePort);
}

/** An IPv4 client of a socket for both families is known by its IPv4 address. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

function formatAddress(address: string, port: number): string {
  const plain = plainAddress(address);
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
