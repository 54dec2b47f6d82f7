/**
 * The client connections of a run. Each is two ordered streams of bytes with a delay; the network divides the bytes as it likes, may cut
 * the connection, and may leave an end half open. The server's end is the port that performs the gateway's effects.
 */
import { addressOf } from "./client/identities.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { ConnectionMessage } from "../../runtime/effects.ts";
import type { ConnectionEffect } from "../../runtime/effects.ts";
import type { ConnectionPort } from "../../runtime/system.ts";
import { ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import { checkUnread } from "./checks/limits.ts";
import type { ToldByProcess } from "./checks/one-server.ts";
import type { Random, Range } from "./random.ts";
import type { Trace } from "./trace.ts";

/** The client's end. */
export type LinkHandler = {
  /** `writtenMs`: when the server wrote them. */
  readonly onBytes: (bytes: Uint8Array, writtenMs: number) => void;
  /** The server closed, or its process is gone. */
  readonly onEnd: () => void;
};

type Chunk = {
  readonly atMs: number;
  readonly sentMs: number;
  readonly bytes: Uint8Array | "end";
};

type Direction = {
  readonly chunks: Chunk[];
  bytes: number;
  /** An event that delivers the first chunk is under way. */
  running: boolean;
  lastAtMs: number;
};

const CLIENT_BYTES = 0x30_0000;
const SERVER_BYTES = 0x31_0000;
/** As the listener of `runtime/`. */
const DRAINED_BYTES_MIN = 256 * 1024;
const UNSENT_BYTES_MAX = 16 * 1024 * 1024;
const LINGER_MS = 2000;

export type LinkOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: Trace;
  readonly delayMs: Range;
  /** The fraction of writes that arrive in two pieces. */
  readonly splitRate: number;
};

export class Link {
  readonly client: string;
  readonly number: number;
  readonly toldClients: ToldByProcess;
  /** Zxid at which its session was attached through it, once it is. */
  attachedAt: number | undefined;
  /** The server's ring of changes has none up to this zxid any more. */
  ringFrom: () => Zxid = () => ZXID_NONE;
  /** Nothing passes. */
  cut = false;
  readonly #options: LinkOptions;
  readonly #handler: LinkHandler;
  readonly #tell: (message: ConnectionMessage) => void;
  readonly #toServer: Direction = { chunks: [], bytes: 0, running: false, lastAtMs: 0 };
  readonly #toClient: Direction = { chunks: [], bytes: 0, running: false, lastAtMs: 0 };
  #serverReads = true;
  #clientReads = true;
  /** The server closed it, or cut it off. */
  #serverClosing = false;
  #serverGone = false;
  #clientGone = false;
  #undrained = 0;

  constructor(
    options: LinkOptions,
    of: {
      readonly client: string;
      readonly number: number;
      readonly toldClients: ToldByProcess;
      readonly handler: LinkHandler;
      readonly tell: (message: ConnectionMessage) => void;
    },
  ) {
    this.#options = options;
    this.client = of.client;
    this.number = of.number;
    this.toldClients = of.toldClients;
    this.#handler = of.handler;
    this.#tell = of.tell;
  }

  /** The bytes that the server has written and the client has not read. */
  get unreadBytes(): number {
    return this.#toClient.bytes;
  }

  /** The client's end sends. */
  send(bytes: Uint8Array): void {
    if (!this.#clientGone) this.#push(this.#toServer, bytes);
  }

  /** The client's end closes. `silently`: the server does not hear of it. */
  leave(silently: boolean): void {
    if (this.#clientGone) return;
    this.#clientGone = true;
    if (!silently) this.#push(this.#toServer, "end");
    else this.#toServer.chunks.length = 0;
  }

  setClientReads(reads: boolean): void {
    this.#clientReads = reads;
    this.#run(this.#toClient);
  }

  /** The network lets it pass again. */
  heal(): void {
    this.cut = false;
    this.#run(this.#toServer);
    this.#run(this.#toClient);
  }

  /** The server's process is gone. `silently`: the client does not hear of it. */
  serverDied(silently: boolean): void {
    this.#serverGone = true;
    this.#toServer.chunks.length = 0;
    this.#toClient.chunks.length = 0;
    if (!silently) this.#push(this.#toClient, "end");
  }

  perform(effect: ConnectionEffect): void {
    if (this.#serverClosing || this.#serverGone) return;
    switch (effect.kind) {
      case "write":
        this.#write(effect.bytes);
        return;
      case "close":
        this.#serverClosing = true;
        this.#push(this.#toClient, "end");
        this.#options.clock.after(LINGER_MS, () => this.#closed(undefined));
        return;
      case "pauseReading":
        this.#serverReads = false;
        return;
      case "resumeReading":
        this.#serverReads = true;
        this.#run(this.#toServer);
        return;
      default:
        effect satisfies never;
    }
  }

  #write(bytes: Uint8Array): void {
    this.#undrained += bytes.length;
    this.#push(this.#toClient, bytes);
    if (this.#toClient.bytes <= UNSENT_BYTES_MAX) return;
    this.#serverClosing = true;
    this.#push(this.#toClient, "end");
    this.#closed("it does not read");
  }

  #closed(reason: string | undefined): void {
    if (this.#serverGone) return;
    this.#serverGone = true;
    this.#tell({ kind: "closed", connection: this.number, reason });
  }

  #push(direction: Direction, bytes: Uint8Array | "end"): void {
    const { clock, random, delayMs, splitRate } = this.#options;
    // In order: a chunk never arrives before the one sent before it.
    const sentMs = clock.nowMs();
    const atMs = Math.max(sentMs + random.between(delayMs), direction.lastAtMs);
    direction.lastAtMs = atMs;
    if (bytes === "end") {
      direction.chunks.push({ atMs, sentMs, bytes });
    } else {
      direction.bytes += bytes.length;
      const at =
        bytes.length > 1 && random.chance(splitRate) ? random.whole(1, bytes.length - 1) : 0;
      if (at > 0) direction.chunks.push({ atMs, sentMs, bytes: bytes.subarray(0, at) });
      direction.chunks.push({
        atMs: atMs + (at > 0 ? random.random() : 0),
        sentMs,
        bytes: bytes.subarray(at),
      });
    }
    this.#run(direction);
  }

  #blocked(direction: Direction): boolean {
    if (this.cut) return true;
    return direction === this.#toServer
      ? !this.#serverReads && !this.#serverClosing
      : !this.#clientReads;
  }

  #run(direction: Direction): void {
    const [next] = direction.chunks;
    if (direction.running || next === undefined || this.#blocked(direction)) return;
    direction.running = true;
    const { clock } = this.#options;
    clock.after(Math.max(0, next.atMs - clock.nowMs()), () => {
      direction.running = false;
      if (!this.#blocked(direction)) this.#deliver(direction);
      this.#run(direction);
    });
  }

  #deliver(direction: Direction): void {
    const chunk = direction.chunks.shift();
    if (chunk === undefined) return;
    if (chunk.bytes !== "end") direction.bytes -= chunk.bytes.length;
    if (direction === this.#toServer) this.#arriveAtServer(chunk.bytes);
    else this.#arriveAtClient(chunk.bytes, chunk.sentMs);
  }

  #arriveAtServer(bytes: Uint8Array | "end"): void {
    if (this.#serverGone) return;
    if (bytes === "end") {
      this.#closed(undefined);
    } else if (!this.#serverClosing) {
      this.#options.trace.step(CLIENT_BYTES + this.number, bytes);
      this.#tell({ kind: "bytes", connection: this.number, bytes });
    }
  }

  #arriveAtClient(bytes: Uint8Array | "end", writtenMs: number): void {
    if (bytes === "end") {
      this.#closed(undefined);
      if (!this.#clientGone) {
        this.#clientGone = true;
        this.#handler.onEnd();
      }
      return;
    }
    if (this.#toClient.bytes === 0 && this.#undrained > DRAINED_BYTES_MIN && !this.#serverGone) {
      this.#undrained = 0;
      this.#tell({ kind: "drained", connection: this.number });
    }
    if (this.#clientGone) return;
    this.#options.trace.step(SERVER_BYTES + this.number, bytes);
    this.#handler.onBytes(bytes, writtenMs);
  }
}

/** The connections of one lane, in one incarnation of its node. */
export class LinkPort implements ConnectionPort {
  readonly #links = new Map<number, Link>();
  readonly #toldClients: ToldByProcess;
  /** Asked after each write, until it knows: the zxid at which the connection's session was attached. */
  readonly #attachedAt: (connection: number) => number | undefined;
  readonly #onAttached: (link: Link) => void;
  #lastNumber: number;

  /** Connections are numbered after `numbersAfter`. `toldClients` belongs to the node's process. */
  constructor(
    of: { readonly numbersAfter: number; readonly toldClients: ToldByProcess },
    attachedAt: (connection: number) => number | undefined,
    onAttached: (link: Link) => void,
  ) {
    this.#lastNumber = of.numbersAfter;
    this.#toldClients = of.toldClients;
    this.#attachedAt = attachedAt;
    this.#onAttached = onAttached;
  }

  get links(): Iterable<Link> {
    return this.#links.values();
  }

  open(
    options: LinkOptions,
    client: string,
    handler: LinkHandler,
    tell: (message: ConnectionMessage) => void,
  ): Link {
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const link = new Link(options, {
      client,
      number,
      toldClients: this.#toldClients,
      handler,
      tell: (message) => {
        if (message.kind === "closed") this.#links.delete(number);
        tell(message);
      },
    });
    this.#links.set(number, link);
    tell({ kind: "opened", connection: number, remoteAddress: `${addressOf(client)}:${number}` });
    return link;
  }

  check(connection: number): void {
    const link = this.#links.get(connection);
    if (link !== undefined) checkUnread(link.client, link.unreadBytes);
  }

  perform(effect: ConnectionEffect): void {
    const link = this.#links.get(effect.connection);
    if (link === undefined) return;
    if (link.attachedAt === undefined && effect.kind === "write") {
      link.attachedAt = this.#attachedAt(link.number);
      if (link.attachedAt !== undefined) this.#onAttached(link);
    }
    link.perform(effect);
  }
}
