/**
 * One connection of the load generator. It keeps a window of requests under way and allocates nothing per request: the requests of a
 * stream are copies of one frame in a ring. A slot of the ring is written again only after its reply has come, so never while the
 * socket still reads from it.
 */
import { Buffer } from "node:buffer";
import { createConnection, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { Target } from "./plan.ts";
import type { Recorder } from "./recorder.ts";
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
/**
 * The slots of the ring, as a multiple of the window. A window that wraps around takes two writes, which is rare in a larger ring.
 */
const RING_WINDOWS = 4;

/** All sockets share it: the bytes of a read are handled before the next read of any socket. */
const readBuffer = new Uint8Array(READ_BUFFER_BYTES);

/** How many digits the number in the names of a stream of creates or deletes has. */
export const SEQUENCE_DIGITS = 10;

/** A stream of requests that are equal, or differ only in a number at the end of their path. */
export type RequestStream = {
  readonly frame: Buffer;
  /** Where the `SEQUENCE_DIGITS` digits of the path end in `frame`. They count from 0. Undefined if the path has none. */
  readonly sequenceEnd: number | undefined;
  readonly count: number;
};

export class LoadConnection {
  readonly target: Target;
  readonly #recorder: Recorder;
  readonly #window: number;
  readonly #slots: number;
  readonly #sentMs: Float64Array;
  readonly #reader: ReplyReader;
  #socket: Socket | undefined;
  #handshake: Buffer | undefined = Buffer.alloc(0);
  #onHandshake: (() => void) | undefined;
  #stream: RequestStream | undefined;
  #ring: Buffer = Buffer.alloc(0);
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
  /** Called after the replies of each read. */
  onTurn: (() => void) | undefined;

  constructor(target: Target, recorder: Recorder, outstanding: number) {
    this.target = target;
    this.#recorder = recorder;
    this.#window = outstanding;
    this.#slots = 2 ** Math.ceil(Math.log2(outstanding * RING_WINDOWS));
    this.#sentMs = new Float64Array(this.#slots);
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
      host: this.target.host,
      port: this.target.port,
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
      const { host, port } = this.target;
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
    const length = stream.frame.length;
    this.#stream = stream;
    this.#ring = Buffer.allocUnsafeSlow(this.#slots * length);
    for (let slot = 0; slot < this.#slots; slot += 1) stream.frame.copy(this.#ring, slot * length);
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
  async request(frame: Buffer): Promise<number> {
    await this.run({ frame, sequenceEnd: undefined, count: 1 });
    if (this.#lost !== undefined) throw this.#lost;
    return this.#lastError;
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
    this.onTurn?.();
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
    if (xid < 0) return; // A watch event or a ping; this client asks for neither.
    if (xid !== this.#expectedXid || this.#received === this.#sent) {
      throw new WireError(`a reply with xid ${xid} where ${this.#expectedXid} was due`);
    }
    this.#expectedXid = (xid + 1) & XID_MASK;
    this.#lastError = error;
    this.#recorder.reply(error, this.#sentMs[this.#received & (this.#slots - 1)] ?? 0);
    this.#received += 1;
  }

  /** Sends as many requests as the window allows, in one write, or in two where the ring wraps around. */
  #fill(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#lost !== undefined) return;
    const length = stream.frame.length;
    const end = Math.min(this.#limit, this.#received + this.#window);
    while (this.#sent < end) {
      const first = this.#sent & (this.#slots - 1);
      const past = Math.min(first + end - this.#sent, this.#slots);
      for (let slot = first; slot < past; slot += 1) this.#prepare(stream, slot);
      this.#socket?.write(this.#ring.subarray(first * length, past * length));
    }
  }

  #prepare({ frame, sequenceEnd }: RequestStream, slot: number): void {
    const offset = slot * frame.length;
    patchXid(this.#ring, offset, this.#nextXid);
    if (sequenceEnd !== undefined) {
      const digits = { digits: SEQUENCE_DIGITS, value: this.#sent };
      patchDigits(this.#ring, offset + sequenceEnd, digits);
    }
    this.#sentMs[slot] = this.#recorder.nowMs;
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
