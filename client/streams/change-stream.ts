/**
 * A stream of a client: an Observable and an async iterable of the same. A feed (`changes.ts`, `value.ts`, `children.ts`, `tree.ts`) gives
 * it portions, and may give more once they are taken.
 */
import { Observable } from "rxjs/internal/Observable";
import { AbortedError, ClosedError } from "../../protocol/errors.ts";
import { counterOf, epochOf, type Zxid } from "../../protocol/zxid.ts";
import type { Clock } from "../wire.ts";
import { Iteration } from "./iteration.ts";

/** What is given to a consumer at once. */
export type Portion<T> = {
  readonly items: readonly T[];
  /** How many changes the items are made of. */
  readonly changes: number;
  /** With them everything up to this zxid has been given. */
  readonly through: Zxid;
};

/** Whom a feed gives its items to. */
export type Sink<T> = {
  /** `taken` is to be called once, when the consumer has done with the portion. */
  readonly given: (portion: Portion<T>, taken: () => void) => void;
  /** Nothing follows. With a ClosedError, since the client was closed, the stream completes. */
  readonly failed: (error: Error) => void;
};

/** Begins to give, and returns a function that ends that. */
export type Feed<T> = (sink: Sink<T>) => () => void;

/** What every stream takes. */
export type StreamOptions = {
  /** When it aborts, consumers of the stream get an AbortedError, whose `cause` is the signal's reason. Default: nothing aborts it. */
  readonly signal?: AbortSignal | undefined;
};

/** How far a stream's consumer is behind, as far as this client knows. With several consumers: the one that is furthest behind. */
export type Lag = {
  /**
   * How many changes have come to this client for the consumer and are not taken. It never exceeds 8,192 by more than one transaction;
   * what the consumer has no space for waits at its node, or is read again later from what the node keeps. An Observable's subscribers
   * take at once, so theirs is 0.
   */
  readonly waiting: number;
  /** Everything up to this zxid was taken. A stream with this `from` continues from there. Undefined: nothing was taken so far. */
  readonly through: Zxid | undefined;
  /**
   * How many operations of the whole ensemble this client knows to have been committed after `through`. Few of them, or none, need
   * concern the stream's znodes: it is the most that can be missing. Undefined: an election lies between, or nothing was taken.
   */
  readonly behind: number | undefined;
  /**
   * Milliseconds since the consumer took something. While anything is committed in the ensemble, a node says at least about once a
   * second how far a stream has come, which counts as taken when it comes behind what was taken.
   */
  readonly quietMs: number;
};

const LAG_INTERVAL_MS = 1_000;

/** What a stream needs of its client beside its feed. */
export type StreamContext = { readonly clock: Clock; readonly lastZxid: () => Zxid };

type Meter = { waiting: number; through: Zxid | undefined; movedAtMs: number };

/**
 * A cold stream: each subscription, and each `for await`, begins it for itself, and leaving it ends it. It completes when the client is
 * closed, and fails when the session expires.
 *
 * A loop is asked: while its body runs nothing more is fetched than what a bounded window holds, however much is written, and it
 * holds up no other consumer. Subscribers of the Observable are called whenever something comes, so they must keep up.
 */
export class ChangeStream<T> extends Observable<T> implements AsyncIterable<T> {
  /** Tells about once a second how far the consumers are behind, while there are any. */
  readonly lag$: Observable<Lag>;
  readonly #feed: Feed<T>;
  readonly #context: StreamContext;
  readonly #signal: AbortSignal | undefined;
  readonly #meters = new Set<Meter>();

  constructor(feed: Feed<T>, context: StreamContext, { signal }: StreamOptions = {}) {
    super((subscriber) => {
      return this.#begin({
        given: ({ items }, taken) => {
          for (const item of items) {
            if (subscriber.closed) return;
            subscriber.next(item);
          }
          taken();
        },
        failed: (error) => {
          if (error instanceof ClosedError) subscriber.complete();
          else subscriber.error(error);
        },
      });
    });
    this.#feed = feed;
    this.#context = context;
    this.#signal = signal;
    this.lag$ = lagOf(() => this.#lag(), context.clock);
  }

  /** Begins the stream for one loop, which ends it when it is left. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return new Iteration((sink) => this.#begin(sink));
  }

  #begin(sink: Sink<T>): () => void {
    const { clock } = this.#context;
    const signal = this.#signal;
    const meter: Meter = { waiting: 0, through: undefined, movedAtMs: clock.nowMs() };
    let isOver = false;
    let close: (() => void) | undefined;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      this.#meters.delete(meter);
      signal?.removeEventListener("abort", abort);
      close?.();
    };
    const fail = (error: Error): void => {
      if (isOver) return;
      end();
      sink.failed(error);
    };
    const abort = (): void => fail(new AbortedError({ cause: signal?.reason }));
    if (signal?.aborted === true) {
      abort();
      return end;
    }
    signal?.addEventListener("abort", abort);
    this.#meters.add(meter);
    close = this.#feed({
      failed: fail,
      given: (portion, taken) => {
        if (isOver) return;
        const { changes, through } = portion;
        meter.waiting += changes;
        // A consumer may pass over what only says how far the stream has come.
        const isProgress = changes === 0 && portion.items.length === 0;
        if (isProgress) taken();
        sink.given(portion, () => {
          meter.waiting -= changes;
          meter.through = through;
          meter.movedAtMs = clock.nowMs();
          if (!isProgress) taken();
        });
      },
    });
    // The feed may have failed at once.
    if (isOver) close();
    return end;
  }

  #lag(): Lag | undefined {
    if (this.#meters.size === 0) return undefined;
    const { clock, lastZxid } = this.#context;
    const meters = [...this.#meters];
    const throughs = meters.map(({ through }) => through);
    const nowhere = throughs.includes(undefined);
    const through = nowhere ? undefined : (Math.min(...throughs.map(Number)) as Zxid);
    return {
      waiting: Math.max(...meters.map(({ waiting }) => waiting)),
      through,
      behind: through === undefined ? undefined : operationsBetween(through, lastZxid()),
      quietMs: clock.nowMs() - Math.min(...meters.map(({ movedAtMs }) => movedAtMs)),
    };
  }
}

function operationsBetween(from: Zxid, to: Zxid): number | undefined {
  if (to <= from) return 0;
  return epochOf(from) === epochOf(to) ? counterOf(to) - counterOf(from) : undefined;
}

function lagOf(lag: () => Lag | undefined, clock: Clock): Observable<Lag> {
  return new Observable((subscriber) => {
    let cancel: () => void = () => undefined;
    const tell = (): void => {
      const now = lag();
      if (now !== undefined) subscriber.next(now);
      cancel = clock.after(LAG_INTERVAL_MS, tell);
    };
    tell();
    return () => cancel();
  });
}
