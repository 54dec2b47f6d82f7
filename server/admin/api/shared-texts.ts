/**
 * Streams of texts that many readers share: each is made once, as long as somebody reads it, however many read. Nobody waits for a reader that
 * is slow: once too much waits for it, its stream ends, and it may begin another.
 */
import { Observable } from "rxjs/internal/Observable";
import { share } from "rxjs/internal/operators/share";

/** Texts that may wait for a reader. All readers of a stream keep the same ones. */
const WAITING_MAX = 16;

type Make = (signal: AbortSignal) => AsyncIterable<string>;

export class SharedTexts {
  readonly #streams = new Map<string, Stream>();

  /**
   * The first text, which says that the stream has begun, and all from now on, until the signal aborts. `key` stands for what is made, which
   * happens if nobody reads it yet.
   */
  async *read(
    key: string,
    make: Make,
    signal: AbortSignal,
  ): AsyncGenerator<string, void, undefined> {
    const reader = new Reader();
    const stream = this.#streams.get(key) ?? this.#begin(key, make);
    if (stream.first !== undefined) reader.next(stream.first);
    const subscription = stream.texts.subscribe(reader);
    const leave = (): void => reader.complete();
    signal.addEventListener("abort", leave, { once: true });
    try {
      if (signal.aborted) return;
      yield* reader.texts();
    } finally {
      signal.removeEventListener("abort", leave);
      subscription.unsubscribe();
    }
  }

  #begin(key: string, make: Make): Stream {
    const stream = new Stream(make, () => {
      if (this.#streams.get(key) === stream) this.#streams.delete(key);
    });
    this.#streams.set(key, stream);
    return stream;
  }
}

class Stream {
  first: string | undefined;
  readonly texts: Observable<string>;

  constructor(make: Make, over: () => void) {
    this.texts = new Observable<string>((subscriber) => {
      const ending = new AbortController();
      const run = async (): Promise<void> => {
        for await (const text of make(ending.signal)) {
          this.first ??= text;
          subscriber.next(text);
        }
      };
      run().then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
      return () => {
        ending.abort();
        over();
      };
    }).pipe(share());
  }
}

class Reader {
  #waiting: string[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  #wake: () => void = () => undefined;

  next(text: string): void {
    if (this.#end !== undefined) return;
    this.#waiting.push(text);
    if (this.#waiting.length > WAITING_MAX) this.complete();
    this.#wake();
  }

  error(error: unknown): void {
    this.#over(error instanceof Error ? error : new Error(String(error)));
  }

  complete(): void {
    this.#over(undefined);
  }

  #over(error: Error | undefined): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** What comes before the end is given first. */
  async *texts(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      const texts = this.#waiting;
      this.#waiting = [];
      yield* texts;
      if (this.#waiting.length > 0) continue;
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
