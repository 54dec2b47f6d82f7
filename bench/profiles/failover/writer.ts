/**
 * A client of one server that sets its znode's data at a steady pace, whether or not earlier writes have been answered, and keeps the
 * time of every acknowledgement.
 */

export const WRITE_EVERY_MS = 5;
/** How many writes may be under way. Beyond it none is sent until one is answered. */
export const UNANSWERED_MAX = 2000;
export const VALUE_BYTES = 128;

export type Acknowledgement = { readonly issuedMs: number; readonly atMs: number };

export interface Writer {
  /** How many connections ended. */
  readonly losses: number;
  /** How many answers were errors. */
  readonly errors: number;
  /** Returns the acknowledgements since the last call. */
  take(): readonly Acknowledgement[];
  /** Resolves with the first acknowledgement of a write that was issued at this time or later. */
  issuedSince(sinceMs: number, signal: AbortSignal): Promise<Acknowledgement>;
  stop(): void;
}

export class Acknowledgements {
  #list: Acknowledgement[] = [];
  #watcher: ((acknowledgement: Acknowledgement) => void) | undefined;

  add(acknowledgement: Acknowledgement): void {
    this.#list.push(acknowledgement);
    this.#watcher?.(acknowledgement);
  }

  take(): readonly Acknowledgement[] {
    const taken = this.#list;
    this.#list = [];
    return taken;
  }

  async issuedSince(sinceMs: number, signal: AbortSignal): Promise<Acknowledgement> {
    const { promise, resolve, reject } = Promise.withResolvers<Acknowledgement>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort);
    this.#watcher = (acknowledgement) => {
      if (acknowledgement.issuedMs >= sinceMs) resolve(acknowledgement);
    };
    try {
      return await promise;
    } finally {
      this.#watcher = undefined;
      signal.removeEventListener("abort", abort);
    }
  }
}
