/**
 * Looks at the clock before anything is delivered. A process that stood still may be given answers and changes before its timers run;
 * whoever counts on the session, such as the holder of a lock, has to hear first that it may be over.
 */
import type { NativeRequest } from "../protocol/native-packing.ts";
import { ForwardingWire } from "./forwarding-wire.ts";
import type { Answer } from "./session/messages.ts";
import type { CallOptions, StreamObserver, Wish } from "./wire.ts";

/** No timer is finer: with less time left, it is over. */
const TIMER_MS = 1;

/** A wire that notices, before it delivers anything, that the session may be over by the client's own clock. */
export class LapseWatchingWire extends ForwardingWire {
  readonly #watches = new Set<() => void>();

  override async request(request: NativeRequest, options?: CallOptions): Promise<Answer> {
    try {
      return await super.request(request, options);
    } finally {
      this.#look();
    }
  }

  override subscribe(wish: Wish, { portion, ended }: StreamObserver): () => void {
    return super.subscribe(wish, {
      portion: (changes, through, taken) => {
        this.#look();
        portion(changes, through, taken);
      },
      ended: (end) => {
        this.#look();
        ended(end);
      },
    });
  }

  /**
   * Calls `lapsed` once when the session may have been ended, by the client's own clock; at once if that is so already. Returns a
   * function that stops it.
   */
  whenLapsed(lapsed: () => void): () => void {
    let cancel = (): void => undefined;
    const look = (): void => {
      const leftMs = this.validUntilMs - this.clock.nowMs();
      if (leftMs >= TIMER_MS) {
        cancel = this.clock.after(leftMs, look);
      } else {
        stop();
        lapsed();
      }
    };
    const looked = (): void => {
      cancel();
      look();
    };
    const stop = (): void => {
      cancel();
      this.#watches.delete(looked);
    };
    this.#watches.add(looked);
    look();
    return stop;
  }

  #look(): void {
    if (this.#watches.size === 0 || this.validUntilMs - this.clock.nowMs() >= TIMER_MS) return;
    for (const looked of this.#watches) looked();
  }
}
