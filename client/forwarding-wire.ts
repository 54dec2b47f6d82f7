/** A wire that passes everything on to another: for those that do something more on the way. */
import type { Observable } from "rxjs";
import type { NativeRequest } from "../protocol/native-packing.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { Answer, SessionState } from "./session/messages.ts";
import type { CallOptions, Clock, StreamObserver, Wire, WireFeatures, Wish } from "./wire.ts";

export class ForwardingWire implements Wire {
  readonly #wire: Wire;

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

  request(request: NativeRequest, options?: CallOptions): Promise<Answer> {
    return this.#wire.request(request, options);
  }

  subscribe(wish: Wish, observer: StreamObserver): () => void {
    return this.#wire.subscribe(wish, observer);
  }

  close(): Promise<void> {
    return this.#wire.close();
  }
}
