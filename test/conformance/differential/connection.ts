/** A socket that keeps each frame that it receives, whatever is in it, in the order in which they come. */
import { connect, type Socket } from "node:net";

export type Received =
  | { readonly kind: "frame"; readonly step: number; readonly bytes: Buffer }
  | { readonly kind: "closed"; readonly step: number };

export class Connection {
  readonly received: Received[] = [];
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #waiting: (() => void) | undefined;
  /** What is received belongs to this step of the program. */
  step: number;

  constructor(address: { readonly host: string; readonly port: number }, step: number) {
    this.step = step;
    this.#socket = connect({ host: address.host, port: address.port, noDelay: true });
    // A reset is the end of the connection, like any other.
    this.#socket.on("error", () => undefined);
    this.#socket.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#socket.on("close", () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      this.received.push({ kind: "closed", step: this.step });
      this.#waiting?.();
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(bytes: Buffer): void {
    if (!this.#isClosed) this.#socket.write(bytes);
  }

  /** The client breaks the connection: that it is closed is no news. */
  cut(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  /** Waits until this holds or the connection is closed. Returns false if neither comes in time. */
  async until(holds: () => boolean, withinMs: number): Promise<boolean> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#waiting?.();
    }, withinMs);
    while (!isLate && !this.#isClosed && !holds()) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    clearTimeout(timer);
    return !isLate;
  }

  #take(chunk: Buffer): void {
    if (this.#isClosed) return;
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4) {
      const end = 4 + this.#rest.readInt32BE(0);
      if (this.#rest.length < end) break;
      this.received.push({ kind: "frame", step: this.step, bytes: this.#rest.subarray(4, end) });
      this.#rest = this.#rest.subarray(end);
    }
    this.#waiting?.();
  }
}
