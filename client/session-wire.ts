/** A session for programs, over whichever protocol: promises of answers, an Observable of its state. A driver does the rest. */
import type { Observable } from "rxjs";
import { BehaviorSubject } from "rxjs/internal/BehaviorSubject";
import { firstValueFrom } from "rxjs/internal/firstValueFrom";
import { filter } from "rxjs/internal/operators/filter";
import { AbortedError, UnreachableError, type ZooidError } from "../protocol/errors.ts";
import type { NativeRequest } from "../protocol/native-packing.ts";
import type { Zxid } from "../protocol/zxid.ts";
import { errorOf } from "./failures.ts";
import type { Answer, Outcome, SessionState } from "./session/messages.ts";
import type { Driver, Handlers } from "./session-driver.ts";
import type { CallOptions, Clock, StreamObserver, Wire, WireFeatures, Wish } from "./wire.ts";

/** What a wire needs of the driver of either protocol. */
type AnyDriver = Pick<
  Driver<never, never>,
  "lastZxid" | "lastProblem" | "validUntilMs" | "over" | "request" | "subscribe" | "close"
>;

export abstract class SessionWire implements Wire {
  abstract readonly features: WireFeatures;
  abstract readonly requestBytesMax: number;
  readonly clock: Clock;
  readonly #state$ = new BehaviorSubject<SessionState>({ kind: "connecting" });
  readonly #driver: AnyDriver;
  readonly #closed = Promise.withResolvers<void>();

  constructor(clock: Clock, driverOf: (handlers: Handlers) => AnyDriver) {
    this.clock = clock;
    this.#driver = driverOf({
      onState: (state) => {
        this.#state$.next(state);
        if (state.kind === "closed") this.#state$.complete();
      },
      onClosing: (closing) => this.#closed.resolve(closing),
    });
  }

  get state$(): Observable<SessionState> {
    return this.#state$;
  }

  get state(): SessionState {
    return this.#state$.value;
  }

  get lastZxid(): Zxid {
    return this.#driver.lastZxid;
  }

  get validUntilMs(): number {
    return this.#driver.validUntilMs;
  }

  /** Why the last attempt to connect failed, in words. */
  get lastProblem(): string {
    return this.#driver.lastProblem;
  }

  /** The error of every further request once the session has ended; undefined before. */
  get over(): ZooidError | undefined {
    const { over } = this.#driver;
    return over === undefined ? undefined : errorOf(over, "no");
  }

  request(request: NativeRequest, { signal, timeoutMs }: CallOptions = {}): Promise<Answer> {
    if (signal?.aborted === true) {
      return Promise.reject(new AbortedError({ cause: signal.reason }));
    }
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        signal?.removeEventListener("abort", cancel);
        if (outcome.kind === "answered") resolve(outcome.answer);
        else reject(errorOf(outcome.failure, outcome.maybeApplied, signal?.reason));
      };
      const cancel = this.#driver.request(request, settle, { timeoutMs });
      signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  subscribe(wish: Wish, observer: StreamObserver): () => void {
    return this.#driver.subscribe(wish, observer);
  }

  async close(): Promise<void> {
    this.#driver.close();
    await this.#closed.promise;
  }
}

/**
 * Resolves when the session is connected. Otherwise it ends the session, and rejects with the reason. `to` and `check`: with what there is no
 * session, and what may be wrong.
 */
export async function connectedWithin(
  wire: SessionWire,
  timeoutMs: number,
  { to, check }: { readonly to: string; readonly check: string },
): Promise<void> {
  let stop: () => void = () => undefined;
  const late = new Promise<"late">((resolve) => {
    stop = wire.clock.after(timeoutMs, () => resolve("late"));
  });
  // A connection may be lost before the login is over; the session goes on with the next.
  const isSettled = ({ kind }: SessionState): boolean =>
    kind !== "connecting" && kind !== "reconnecting";
  const settled = firstValueFrom(wire.state$.pipe(filter(isSettled)));
  const first = await Promise.race([settled, late]);
  stop();
  if (first !== "late" && first.kind === "connected") return;
  const problem =
    wire.over ??
    new UnreachableError(
      `no session with ${to} within ${timeoutMs} ms (${wire.lastProblem}): check that ${check}`,
    );
  await wire.close();
  throw problem;
}
