/**
 * One connection of the load generator that speaks ZooKeeper's protocol. It keeps a window of requests under way and allocates nothing
 * per request: the requests are copies of a cycle of frames, in a ring. A slot of the ring is written again only after its reply has
 * come, so never while the socket still reads from it.
 */
import { Buffer } from "node:buffer";
import { createConnection, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { SEQUENCE_DIGITS } from "../layout.ts";
import { dueAt, dueMs, type Pacing } from "../pacing.ts";
import type { Address } from "../plan.ts";
import type { Recorder } from "../recorder.ts";
import {
  CODE_OK,
  connectFrame,
  closeSessionFrame,
  parseConnectReply,
  patchDigits,
  patchXid,
  ReplyReader,
  WireError,
} from "./wire.ts";

const SESSION_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const READ_BUFFER_BYTES: number = 256 * 1024;
const XID_MASK = 0x7fff_ffff;
const XID_EVENT = -1;
/** The frame that ends a session is never patched, so its xid is one that no request has. */
const XID_CLOSED = 0;
/**
 * The slots of the ring, as a multiple of the window. A window that wraps around takes two writes, which is rare in a larger ring.
 */
const RING_WINDOWS = 4;
/** A ring of large frames is kept below this, as long as a window fits. */
const RING_BYTES_MAX: number = 8 * 1024 * 1024;

/** All sockets share it: the bytes of a read are handled before the next read of any socket. */
const readBuffer = new Uint8Array(READ_BUFFER_BYTES);

export type RequestFrame = {
  readonly bytes: Buffer;
  /** Where the `SEQUENCE_DIGITS` digits of paths end in `bytes`. They tell how often the stream has repeated its frames. */
  readonly sequenceEnds: readonly number[];
  readonly isRead: boolean;
};

/** A stream of requests, which repeats its frames. */
export type RequestStream = {
  readonly frames: readonly RequestFrame[];
  readonly count: number;
  /** Undefined: the next request goes out when an answer has come. */
  readonly pacing?: Pacing | undefined;
};

export class LoadConnection {
  readonly address: Address;
  readonly #recorder: Recorder;
  readonly #window: number;
  readonly #reader: ReplyReader;
  #socket: Socket | undefined;
  #handshake: Buffer | undefined = Buffer.alloc(0);
  #onHandshake: (() => void) | undefined;
  #stream: RequestStream | undefined;
  #ring: Ring = new Ring([], 0);
  #limit = 0;
  #sent = 0;
  #received = 0;
  #nextXid = 1;
  #expectedXid = 1;
  #lastError = CODE_OK;
  #lost: Error | undefined;
  #settle: (() => void) | undefined;
  /** Called once if the connection closes or breaks the protocol before `close`. */
  onLost: (() => void) | undefined;
  /** Called for each watch event, once its header has come. */
  onEvent: (() => void) | undefined;

  constructor(address: Address, recorder: Recorder, outstanding: number) {
    this.address = address;
    this.#recorder = recorder;
    this.#window = outstanding;
    this.#reader = new ReplyReader((xid, error) => this.#reply(xid, error));
  }

  /** Why the connection is lost; undefined while it is open. */
  get lost(): Error | undefined {
    return this.#lost;
  }

  /** How many requests of the current stream have been sent. */
  get sent(): number {
    return this.#sent;
  }

  get underWay(): number {
    return this.#sent - this.#received;
  }

  async open(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = createConnection({
      host: this.address.host,
      port: this.address.port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length) => this.#bytes(length) },
    });
    this.#socket = socket;
    const timer = setTimeout(
      () => socket.destroy(new WireError(`no answer within ${CONNECT_TIMEOUT_MS} ms`)),
      CONNECT_TIMEOUT_MS,
    );
    socket.on("connect", () => socket.write(connectFrame(SESSION_TIMEOUT_MS)));
    socket.on("error", (error) => this.#lose(error));
    socket.on("close", () => this.#lose(new WireError("the server closed the connection")));
    this.#onHandshake = resolve;
    this.onLost = () => reject(this.#lost);
    try {
      await promise;
    } catch (error) {
      const { host, port } = this.address;
      throw new WireError(`${host}:${port}: ${String(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
      this.onLost = undefined;
    }
  }

  /**
   * Sends the requests of a stream, at most a window of them unanswered. Resolves when all are answered or the connection is lost.
   */
  async run(stream: RequestStream): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stream = stream;
    this.#ring = new Ring(stream.frames, this.#window);
    this.#sent = 0;
    this.#received = 0;
    this.#limit = stream.count;
    this.#settle = resolve;
    this.#recorder.nowMs = performance.now();
    this.#fill();
    this.#settleIfDone();
    await promise;
  }

  /** Sends one request and resolves with the error code of its reply. Rejects if the connection is lost. */
  async request(bytes: Buffer): Promise<number> {
    await this.run({ frames: [{ bytes, sequenceEnds: [], isRead: true }], count: 1 });
    if (this.#lost !== undefined) throw this.#lost;
    return this.#lastError;
  }

  /** Sends what is due, if the stream has a pacing. */
  tick(): void {
    this.#recorder.nowMs = performance.now();
    this.#fill();
  }

  /** How many requests are due and not sent, since the window is full. */
  overdue(nowMs: number): number {
    const pacing = this.#stream?.pacing;
    if (pacing === undefined) return 0;
    return Math.max(0, Math.min(this.#limit, dueAt(pacing, nowMs)) - this.#sent);
  }

  /** Sends no more of the current stream. */
  stop(): void {
    this.#limit = Math.min(this.#limit, this.#sent);
    this.#settleIfDone();
  }

  /** Ends the session, so that the server need not wait for its timeout. */
  close(): void {
    this.onLost = undefined;
    if (this.#lost === undefined) this.#socket?.end(closeSessionFrame());
    this.#socket?.unref();
  }

  /** Ends the session. Resolves when the server has closed the connection. */
  async closed(): Promise<void> {
    const socket = this.#socket;
    this.onLost = undefined;
    if (this.#lost !== undefined || socket === undefined) return;
    const gone = Promise.withResolvers<void>();
    socket.once("close", () => gone.resolve());
    socket.write(closeSessionFrame());
    await gone.promise;
  }

  #bytes(length: number): boolean {
    try {
      if (this.#handshake === undefined) this.#replies(length);
      else this.#handshakeBytes(this.#handshake, length);
    } catch (error) {
      this.#socket?.destroy(error instanceof Error ? error : new WireError(String(error)));
    }
    return true;
  }

  #replies(length: number): void {
    this.#recorder.nowMs = performance.now();
    this.#reader.push(readBuffer, length);
    this.#fill();
    this.#settleIfDone();
  }

  #handshakeBytes(before: Buffer, length: number): void {
    const bytes = Buffer.concat([before, readBuffer.subarray(0, length)]);
    this.#handshake = bytes;
    if (bytes.length < 4 || bytes.length < 4 + bytes.readInt32BE(0)) return;
    const reply = parseConnectReply(bytes.subarray(4, 4 + bytes.readInt32BE(0)));
    if (reply.sessionId === 0n) throw new WireError("the server refused a new session");
    this.#handshake = undefined;
    this.#onHandshake?.();
  }

  #reply(xid: number, error: number): void {
    if (xid === XID_CLOSED) return; // The answer to the end of the session.
    if (xid === XID_EVENT) return this.onEvent?.();
    if (xid < 0) return; // A ping; this client sends none.
    if (xid !== this.#expectedXid || this.#received === this.#sent) {
      throw new WireError(`a reply with xid ${xid} where ${this.#expectedXid} was due`);
    }
    this.#expectedXid = (xid + 1) & XID_MASK;
    this.#lastError = error;
    const slot = this.#received % this.#ring.slots;
    this.#recorder.reply(error, this.#ring.sentMs[slot] ?? 0, this.#ring.isRead(slot));
    this.#received += 1;
  }

  /** Sends as many requests as the window and the pacing allow, in one write, or in two where the ring wraps around. */
  #fill(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#lost !== undefined) return;
    const { slots, offsets, bytes } = this.#ring;
    let end = Math.min(this.#limit, this.#received + this.#window);
    if (stream.pacing !== undefined) {
      end = Math.min(end, dueAt(stream.pacing, this.#recorder.nowMs));
    }
    while (this.#sent < end) {
      const first = this.#sent % slots;
      const past = Math.min(first + end - this.#sent, slots);
      for (let slot = first; slot < past; slot += 1) this.#prepare(stream, slot);
      this.#socket?.write(bytes.subarray(offsets[first], offsets[past]));
    }
  }

  #prepare({ pacing }: RequestStream, slot: number): void {
    const ring = this.#ring;
    ring.prepare(slot, { xid: this.#nextXid, request: this.#sent });
    ring.sentMs[slot] = pacing === undefined ? this.#recorder.nowMs : dueMs(pacing, this.#sent);
    this.#nextXid = (this.#nextXid + 1) & XID_MASK;
    this.#sent += 1;
  }

  #settleIfDone(): void {
    if (this.#lost === undefined && (this.#sent < this.#limit || this.#received < this.#sent)) {
      return;
    }
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.();
  }

  #lose(error: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    this.#settleIfDone();
    this.onLost?.();
  }
}

/** Copies of a cycle of frames, one behind the other. */
class Ring {
  readonly slots: number;
  /** Where each slot begins, and where the last one ends. */
  readonly offsets: Int32Array;
  readonly bytes: Buffer;
  readonly sentMs: Float64Array;
  readonly #frames: readonly RequestFrame[];

  constructor(frames: readonly RequestFrame[], window: number) {
    this.#frames = frames;
    const cycle = Buffer.concat(frames.map(({ bytes }) => bytes));
    const least = Math.ceil(window / Math.max(1, frames.length));
    const most = Math.floor(RING_BYTES_MAX / Math.max(1, cycle.length));
    const cycles = Math.max(least, Math.min(least * RING_WINDOWS, most));
    this.slots = cycles * frames.length;
    this.bytes = Buffer.allocUnsafeSlow(cycles * cycle.length);
    this.offsets = new Int32Array(this.slots + 1);
    this.sentMs = new Float64Array(this.slots);
    for (let slot = 0; slot < this.slots; slot += 1) {
      const length = frames[slot % frames.length]?.bytes.length ?? 0;
      this.offsets[slot + 1] = (this.offsets[slot] ?? 0) + length;
    }
    for (let at = 0; at < this.bytes.length; at += cycle.length) cycle.copy(this.bytes, at);
  }

  isRead(slot: number): boolean {
    return this.#frames[slot % this.#frames.length]?.isRead ?? false;
  }

  prepare(
    slot: number,
    { xid, request }: { readonly xid: number; readonly request: number },
  ): void {
    const offset = this.offsets[slot] ?? 0;
    patchXid(this.bytes, offset, xid);
    const frame = this.#frames[slot % this.#frames.length];
    if (frame === undefined || frame.sequenceEnds.length === 0) return;
    const digits = {
      digits: SEQUENCE_DIGITS,
      value: Math.floor(request / this.#frames.length),
    };
    for (const end of frame.sequenceEnds) patchDigits(this.bytes, offset + end, digits);
  }
}
