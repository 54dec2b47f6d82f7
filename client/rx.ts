/** A session for programs: promises for requests, Observables for its state and for changes. */
import { BehaviorSubject, Observable } from "rxjs";
import type { ChangeEvent } from "../protocol/changes.ts";
import type { ZooidError } from "../protocol/errors.ts";
import type { NativeRequest } from "../protocol/native-packing.ts";
import type { Zxid } from "../protocol/zxid.ts";
import { type Channel, type Environment, REAL_ENVIRONMENT, SessionDriver } from "./driver.ts";
import { errorOf, errorOfEnd } from "./failures.ts";
import type { Answer, SessionOptions, SessionState } from "./session/messages.ts";

export type ChangesOptions = {
  /** True: changes of all znodes below the path are delivered too. Default false. */
  readonly recursive?: boolean;
  /**
   * The stream begins with the first change after this zxid. Default: the zxid of the last read of the path through this client; if
   * there was none, the last zxid that the client has seen at all.
   */
  readonly from?: Zxid;
  /** True: `progress` events are delivered between the changes. Default false. */
  readonly progress?: boolean;
};

export class Session {
  readonly state$: BehaviorSubject<SessionState> = new BehaviorSubject<SessionState>({
    kind: "connecting",
  });
  readonly #driver: SessionDriver;
  readonly #closed = Promise.withResolvers<void>();

  constructor(
    channel: Channel,
    options: SessionOptions,
    environment: Environment = REAL_ENVIRONMENT,
  ) {
    this.#driver = new SessionDriver({
      channel,
      environment,
      session: options,
      onState: (state) => {
        this.state$.next(state);
        if (state.kind === "closed") this.state$.complete();
      },
      onClosing: (closing) => this.#closed.resolve(closing),
    });
  }

  get lastZxid(): Zxid {
    return this.#driver.lastZxid;
  }

  get lastProblem(): string {
    return this.#driver.lastProblem;
  }

  /** The error of every further request once the session has ended; undefined before. */
  get over(): ZooidError | undefined {
    const { over } = this.#driver;
    return over === undefined ? undefined : errorOf(over, "no");
  }

  request(request: NativeRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#driver.request(request, (outcome) => {
        if (outcome.kind === "answered") resolve(outcome.answer);
        else reject(errorOf(outcome.failure, outcome.maybeApplied));
      });
    });
  }

  changes(path: string, options: ChangesOptions): Observable<ChangeEvent> {
    const { recursive = false, progress = false, from: after } = options;
    return new Observable((subscriber) => {
      return this.#driver.subscribe(
        { path, recursive, after },
        {
          portion: (changes, through) => {
            for (const change of changes) subscriber.next(change);
            if (progress) subscriber.next({ kind: "progress", zxid: through });
          },
          ended: (end) => {
            if (end.kind === "compacted") subscriber.next(end);
            const error = errorOfEnd(end);
            if (error === undefined) subscriber.complete();
            else subscriber.error(error);
          },
        },
      );
    });
  }

  /** Ends the session. With a connection its ephemeral znodes are deleted at once; without one the session expires later. */
  async close(): Promise<void> {
    this.#driver.close();
    await this.#closed.promise;
  }
}
