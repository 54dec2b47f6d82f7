/** The writer that speaks to etcd. A channel of gRPC connects again by itself, so what ends is a call. */
import { EtcdChannel } from "../../load/etcd/channel.ts";
import { putRequest } from "../../load/etcd/messages.ts";
import type { Address } from "../../load/plan.ts";
import {
  type Acknowledgement,
  Acknowledgements,
  UNANSWERED_MAX,
  VALUE_BYTES,
  WRITE_EVERY_MS,
  type Writer,
} from "./writer.ts";

export class EtcdWriter implements Writer {
  readonly #channel: EtcdChannel;
  readonly #request: Buffer;
  readonly #timer: NodeJS.Timeout;
  readonly #acknowledgements = new Acknowledgements();
  #unanswered = 0;
  readonly losses = 0;
  errors = 0;

  constructor(address: Address, path: string) {
    this.#channel = new EtcdChannel(address);
    this.#request = putRequest(path, new Uint8Array(VALUE_BYTES));
    this.#timer = setInterval(() => this.#write(), WRITE_EVERY_MS);
  }

  take(): readonly Acknowledgement[] {
    return this.#acknowledgements.take();
  }

  issuedSince(sinceMs: number, signal: AbortSignal): Promise<Acknowledgement> {
    return this.#acknowledgements.issuedSince(sinceMs, signal);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#channel.close();
  }

  #write(): void {
    if (this.#unanswered >= UNANSWERED_MAX) return;
    this.#unanswered += 1;
    const issuedMs = performance.now();
    this.#channel.call("KV/Put", this.#request, (error) => {
      this.#unanswered -= 1;
      if (error === 0) this.#acknowledgements.add({ issuedMs, atMs: performance.now() });
      else this.errors += 1;
    });
  }
}
