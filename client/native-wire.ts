/** A session over NATS, for programs: promises of answers, an Observable of its state. `driver.ts` does the rest. */
import type { Observable } from "rxjs";
import { BehaviorSubject } from "rxjs/internal/BehaviorSubject";
import { firstValueFrom } from "rxjs/internal/firstValueFrom";
import { filter } from "rxjs/internal/operators/filter";
import { AbortedError, UnreachableError, type ZooidError } from "../protocol/errors.ts";
import type { NativeRequest } from "../protocol/native-packing.ts";
import type { Zxid } from "../protocol/zxid.ts";
import { type Channel, type Environment, REAL_ENVIRONMENT, SessionDriver } from "./driver.ts";
import { errorOf } from "./failures.ts";
import { type NatsChannel, type NatsChannelOptions, openNatsChannel } from "./nats-channel.ts";
import type { Answer, Outcome, SessionOptions, SessionState } from "./session/messages.ts";
import type { CallOptions, Clock, StreamObserver, Wire, WireFeatures, Wish } from "./wire.ts";

const FEATURES: WireFeatures = {
  exactlyOnce: true,
  pages: true,
  wideOperations: true,
  everyChange: true,
};

/**
 * The bounds of the silence after which a NATS server is left: a server that only pauses must not be taken for hung, and a hung one must
 * not stay in use because the session timeout is long.
 */
const SILENCE_MS_MIN = 1_000;
const SILENCE_MS_MAX = 6_000;

type Failed = Extract<Outcome, { readonly kind: "failed" }>;

/** What a session over NATS uses of its connection. */
export type NativeChannel = Channel & Pick<NatsChannel, "maxPayloadBytes">;

export class NativeWire implements Wire {
  readonly features: WireFeatures = FEATURES;
  readonly clock: Clock;
  readonly #channel: NativeChannel;
  readonly #state$ = new BehaviorSubject<SessionState>({ kind: "connecting" });
  readonly #driver: SessionDriver;
  readonly #closed = Promise.withResolvers<void>();

  constructor(
    channel: NativeChannel,
    options: SessionOptions,
    environment: Environment = REAL_ENVIRONMENT,
  ) {
    this.#channel = channel;
    this.clock = environment;
    this.#driver = new SessionDriver({
      channel,
      environment,
      session: options,
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

  get requestBytesMax(): number {
    return this.#channel.maxPayloadBytes;
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

  request(request: NativeRequest, options: CallOptions = {}): Promise<Answer> {
    const { signal, timeoutMs } = options;
    if (signal?.aborted === true) {
      return Promise.reject(new AbortedError({ cause: signal.reason }));
    }
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        signal?.removeEventListener("abort", cancel);
        if (outcome.kind === "answered") resolve(outcome.answer);
        else reject(this.#errorOf(outcome, signal));
      };
      const cancel = this.#driver.request(request, settle, { timeoutMs });
      signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  subscribe(wish: Wish, observer: StreamObserver): () => void {
    return this.#driver.subscribe(wish, observer);
  }

  #errorOf({ failure, maybeApplied }: Failed, signal: AbortSignal | undefined): ZooidError {
    if (failure.kind !== "cancelled") return errorOf(failure, maybeApplied);
    return new AbortedError({ cause: signal?.reason, maybeApplied });
  }

  /** With a connection its ephemeral znodes are deleted at once; without one the session expires later. */
  async close(): Promise<void> {
    this.#driver.close();
    await this.#closed.promise;
  }
}

/** Opens a session over NATS. Rejects with UnreachableError, whose message says what to check. */
export async function openNativeWire(
  options: Omit<NatsChannelOptions, "silenceMs"> & Omit<SessionOptions, "streamCredits">,
): Promise<NativeWire> {
  const { ensemble, timeoutMs, sessionTimeoutMs, operationTimeoutMs, proofs = [] } = options;
  const silenceMs = silenceMsOf(sessionTimeoutMs);
  const channel = await openNatsChannel({ ...options, silenceMs });
  const wire = new NativeWire(channel, { ensemble, sessionTimeoutMs, operationTimeoutMs, proofs });
  await connected(wire, timeoutMs, ensemble);
  return wire;
}

/**
 * Up to a third of the session timeout may have passed since the client last sent anything. After a further third of silence, the last
 * third remains to connect to another NATS server.
 */
function silenceMsOf(sessionTimeoutMs: number): number {
  return Math.min(Math.max(Math.floor(sessionTimeoutMs / 3), SILENCE_MS_MIN), SILENCE_MS_MAX);
}

/** Resolves when the session is connected. Otherwise it ends the session, and rejects with the reason. */
export async function connected(
  wire: NativeWire,
  timeoutMs: number,
  ensemble: string,
): Promise<void> {
  let stop: () => void = () => undefined;
  const late = new Promise<"late">((resolve) => {
    stop = wire.clock.after(timeoutMs, () => resolve("late"));
  });
  const settled = firstValueFrom(wire.state$.pipe(filter(({ kind }) => kind !== "connecting")));
  const first = await Promise.race([settled, late]);
  stop();
  if (first !== "late" && first.kind === "connected") return;
  const problem = wire.over ?? unreachable(wire, timeoutMs, ensemble);
  await wire.close();
  throw problem;
}

function unreachable(wire: NativeWire, timeoutMs: number, ensemble: string): UnreachableError {
  return new UnreachableError(
    `no session with ensemble "${ensemble}" within ${timeoutMs} ms (${wire.lastProblem}): check that its nodes run, use this NATS server, and have this ensemble's name`,
  );
}
