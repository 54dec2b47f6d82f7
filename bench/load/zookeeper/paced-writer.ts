/** A connection that sends the same write at a steady rate, whether or not answers come, and notes when each was answered. */
import { Buffer } from "node:buffer";
import { createConnection, type Socket } from "node:net";
import { LatencyHistogram } from "../../../cli/latency-histogram.ts";
import type { Address } from "../plan.ts";
import { connectFrame, patchXid, ReplyReader, WireError } from "./wire.ts";

const SESSION_TIMEOUT_MS = 30_000;
const SEND_EVERY_MS = 2;

export class PacedWriter {
  readonly #socket: Socket;
  readonly #frame: Buffer;
  readonly #latencies = new LatencyHistogram();
  /** When each unanswered write was sent, oldest first. */
  readonly #sentMs: number[] = [];
  /** When answers came, once for each read of the socket. */
  readonly #answeredMs: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #xid = 1;
  #answered = 0;
  #lost: Error | undefined;

  private constructor(socket: Socket, frame: Buffer) {
    this.#socket = socket;
    this.#frame = frame;
  }

  static async open(
    address: Address,
    frame: Buffer,
    writesPerSecond: number,
  ): Promise<PacedWriter> {
    const socket = createConnection({ ...address, noDelay: true });
    const writer = new PacedWriter(socket, frame);
    const handshake = Promise.withResolvers<void>();
    const reader = new ReplyReader((_xid, error) => writer.#reply(error));
    let greeting: Uint8Array | undefined = new Uint8Array(0);
    socket.on("error", (error) => writer.#lose(error));
    socket.on("close", () => {
      writer.#lose(new WireError("closed by the server"));
      handshake.reject(writer.#lost);
    });
    socket.on("data", (chunk) => {
      let bytes = chunk;
      if (greeting !== undefined) {
        const whole = Buffer.concat([greeting, chunk]);
        greeting = whole;
        if (whole.length < 4 || whole.length < 4 + whole.readInt32BE(0)) return;
        bytes = whole.subarray(4 + whole.readInt32BE(0));
        greeting = undefined;
        handshake.resolve();
      }
      if (bytes.length === 0) return;
      writer.#answeredMs.push(performance.now());
      reader.push(bytes, bytes.length);
    });
    socket.write(connectFrame(SESSION_TIMEOUT_MS));
    await handshake.promise;
    writer.#start(writesPerSecond);
    return writer;
  }

  get acknowledged(): number {
    return this.#answered;
  }

  get lost(): Error | undefined {
    return this.#lost;
  }

  /** Returns the latency that `fraction` (0 to 1) of the writes do not exceed. */
  latencyMs(fraction: number): number {
    return this.#latencies.percentileUs(fraction) / 1000;
  }

  /** Returns the longest time between two answers, among the pauses that overlap the range. */
  longestPauseMs(fromMs: number, toMs: number): number {
    let longest = 0;
    for (let index = 1; index < this.#answeredMs.length; index += 1) {
      const before = this.#answeredMs[index - 1] ?? 0;
      const after = this.#answeredMs[index] ?? 0;
      if (after >= fromMs && before <= toMs) longest = Math.max(longest, after - before);
    }
    return longest;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#socket.end();
    await closed;
  }

  /** The number of writes that are due follows from the clock, so a timer that is late sends several at once. */
  #start(writesPerSecond: number): void {
    const beganMs = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      const now = performance.now();
      const due = Math.floor(((now - beganMs) / 1000) * writesPerSecond) - sent;
      const frames = Buffer.concat(Array.from({ length: due }, () => this.#frame));
      for (let index = 0; index < due; index += 1) {
        patchXid(frames, index * this.#frame.length, this.#xid);
        this.#xid = (this.#xid + 1) & 0x7fff_ffff;
        this.#sentMs.push(now);
      }
      sent += due;
      if (due > 0) this.#socket.write(frames);
    }, SEND_EVERY_MS);
  }

  #reply(error: number): void {
    const sentMs = this.#sentMs[this.#answered] ?? 0;
    this.#answered += 1;
    this.#latencies.record((performance.now() - sentMs) * 1000);
    if (error !== 0) this.#lose(new WireError(`a write failed with ${error}`));
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    clearInterval(this.#timer);
  }
}
