/**
 * A client of one server that sets its znode's data at a steady pace, whether or not earlier writes have been answered, and
 * keeps the time of every acknowledgement. When its connection ends it connects again, as ZooKeeper's clients do.
 */
import { Buffer } from "node:buffer";
import { createConnection, type Socket } from "node:net";
import type { Address } from "../../load/plan.ts";
import {
  CODE_NODE_EXISTS,
  CODE_OK,
  connectFrame,
  createFrame,
  parseConnectReply,
  patchXid,
  ReplyReader,
  setDataFrame,
} from "../../load/zookeeper/wire.ts";
import {
  type Acknowledgement,
  Acknowledgements,
  UNANSWERED_MAX,
  VALUE_BYTES,
  WRITE_EVERY_MS,
  type Writer,
} from "./writer.ts";

const RECONNECT_MS = 10;
const SESSION_TIMEOUT_MS = 30_000;

export class ZooKeeperWriter implements Writer {
  readonly #address: Address;
  readonly #create: Buffer;
  readonly #set: Buffer;
  readonly #timer: NodeJS.Timeout;
  #socket: Socket | undefined;
  #attached = false;
  /** When each unanswered request was issued, oldest first. */
  #issuedMs: number[] = [];
  #nextXid = 1;
  #stopped = false;
  readonly #acknowledgements = new Acknowledgements();
  losses = 0;
  errors = 0;

  constructor(address: Address, path: string) {
    this.#address = address;
    this.#create = createFrame(path, new Uint8Array(VALUE_BYTES));
    this.#set = setDataFrame(path, new Uint8Array(VALUE_BYTES));
    this.#timer = setInterval(() => this.#write(), WRITE_EVERY_MS);
    this.#connect();
  }

  take(): readonly Acknowledgement[] {
    return this.#acknowledgements.take();
  }

  issuedSince(sinceMs: number, signal: AbortSignal): Promise<Acknowledgement> {
    return this.#acknowledgements.issuedSince(sinceMs, signal);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#socket?.destroy();
  }

  #connect(): void {
    if (this.#stopped) return;
    const { host, port } = this.#address;
    const socket = createConnection({ host, port, noDelay: true });
    this.#socket = socket;
    this.#attached = false;
    this.#issuedMs = [];
    const reader = new ReplyReader((xid, error) => this.#reply(xid, error));
    let handshake: Buffer | undefined = Buffer.alloc(0);
    socket.on("connect", () => socket.write(connectFrame(SESSION_TIMEOUT_MS)));
    socket.on("data", (bytes) => {
      if (handshake === undefined) {
        reader.push(bytes, bytes.length);
        return;
      }
      handshake = Buffer.concat([handshake, bytes]);
      if (handshake.length < 4 || handshake.length < 4 + handshake.readInt32BE(0)) return;
      const { sessionId } = parseConnectReply(handshake.subarray(4, 4 + handshake.readInt32BE(0)));
      handshake = undefined;
      if (sessionId === 0n) socket.destroy();
      else this.#begin();
    });
    socket.on("error", () => undefined); // `close` follows, and handles it.
    socket.on("close", () => {
      if (this.#stopped) return;
      if (this.#attached) this.losses += 1;
      this.#attached = false;
      setTimeout(() => this.#connect(), RECONNECT_MS);
    });
  }

  #begin(): void {
    this.#attached = true;
    this.#send(this.#create);
  }

  #write(): void {
    if (this.#attached && this.#issuedMs.length < UNANSWERED_MAX) this.#send(this.#set);
  }

  #send(frame: Buffer): void {
    const copy = Buffer.from(frame);
    patchXid(copy, 0, this.#nextXid);
    this.#nextXid += 1;
    this.#issuedMs.push(performance.now());
    this.#socket?.write(copy);
  }

  #reply(xid: number, error: number): void {
    if (xid < 0) return; // A ping or an event; this client asks for neither.
    const issuedMs = this.#issuedMs.shift() ?? 0;
    if (error === CODE_NODE_EXISTS) return; // An earlier connection has created the znode already.
    if (error !== CODE_OK) {
      this.errors += 1;
      return;
    }
    this.#acknowledgements.add({ issuedMs, atMs: performance.now() });
  }
}
