/**
 * Looks at the clock before anything is delivered. A process that stood still may be given answers and changes before its timers run;
 * whoever counts on the session, such as the holder of a lock, has to hear first that it may be over.
 */
import type { Observable } from "rxjs";
import type { NativeRequest } from "../protocol/native-packing.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { Answer, SessionState } from "./session/messages.ts";
import type { CallOptions, Clock, StreamObserver, Wire, WireFeatures, Wish } from "./wire.ts";

/** No timer is finer: with less time left, it is over. */
const TIMER_MS = 1;

export class LapseWatchingWire implements Wire {
  readonly #wire: Wire;
  readonly #watches = new Set<() => void>();

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  get clock(): Clock {
    return this.#wire.clock;
  }

  get features(): WireFeatures {
    return this.#wire.features;
  }

  get state$(): Observable<SessionState> {
    return this.#wire.state$;
  }

  get state(): SessionState {
    return this.#wire.state;
  }

  get lastZxid(): Zxid {
    return this.#wire.lastZxid;
  }

  get requestBytesMax(): number {
    return this.#wire.requestBytesMax;
  }

  get validUntilMs(): number {
    return this.#wire.validUntilMs;
  }

  async request(request: NativeRequest, options?: CallOptions): Promise<Answer> {
    try {
      return await this.#wire.request(request, options);
    } finally {
      this.#look();
    }
  }

  subscribe(wish: Wish, { portion, ended }: StreamObserver): () => void {
    return this.#wire.subscribe(wish, {
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

  close(): Promise<void> {
    return this.#wire.close();
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
