/** A consumer that asks for one item after the other. What it was not given yet is kept here, and counts as not taken. */
import { ClosedError } from "../../protocol/errors.ts";
import type { Feed, Portion } from "./change-stream.ts";

type Waiting<T> = PromiseWithResolvers<IteratorResult<T, undefined>>;

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };

export class Iteration<T> implements AsyncIterableIterator<T, undefined> {
  readonly #feed: Feed<T>;
  readonly #portions: { readonly portion: Portion<T>; readonly taken: () => void }[] = [];
  /** How many items of the first portion were given. */
  #given = 0;
  readonly #waiting: Waiting<T>[] = [];
  /** It begins with the first item that is asked for. */
  #close: (() => void) | undefined;
  #end: { readonly error: Error | undefined } | undefined;

  constructor(feed: Feed<T>) {
    this.#feed = feed;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const waiting: Waiting<T> = Promise.withResolvers();
    this.#waiting.push(waiting);
    if (this.#close === undefined && this.#end === undefined) this.#begin();
    this.#answer();
    return waiting.promise;
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#portions.length = 0;
    this.#finish(undefined);
    return Promise.resolve(OVER);
  }

  #begin(): void {
    this.#close = () => undefined;
    const close = this.#feed({
      given: (portion, taken) => {
        if (this.#end !== undefined) return;
        // The next one that only says how far the stream has come says all that the one before does.
        const last = this.#portions.at(-1)?.portion;
        if (last !== undefined && isProgress(last) && isProgress(portion)) this.#portions.pop();
        this.#portions.push({ portion, taken });
        this.#answer();
      },
      // What came before the end is given first.
      failed: (error) => this.#finish(error instanceof ClosedError ? undefined : error),
    });
    this.#close = close;
    if (this.#end !== undefined) close();
  }

  #finish(error: Error | undefined): void {
    if (this.#end === undefined) {
      this.#end = { error };
      this.#close?.();
    }
    this.#answer();
  }

  #answer(): void {
    while (this.#waiting.length > 0) {
      this.#dropTaken();
      const first = this.#portions[0]?.portion;
      if (first !== undefined) {
        const value = first.items[this.#given] as T;
        this.#given += 1;
        this.#waiting.shift()?.resolve({ done: false, value });
        continue;
      }
      const end = this.#end;
      if (end === undefined) return;
      const waiting = this.#waiting.shift();
      if (end.error === undefined) waiting?.resolve(OVER);
      else waiting?.reject(end.error);
      // The failure is told once.
      this.#end = { error: undefined };
    }
    this.#dropEmpty();
  }

  /** Whoever asks for the next item has done with the portions of which all were given. */
  #dropTaken(): void {
    for (;;) {
      const first = this.#portions[0];
      if (first === undefined || this.#given < first.portion.items.length) return;
      this.#portions.shift();
      this.#given = 0;
      first.taken();
    }
  }

  /** Portions without items are nothing that a consumer could take. */
  #dropEmpty(): void {
    while (this.#portions[0]?.portion.items.length === 0) this.#portions.shift()?.taken();
  }
}

function isProgress({ items, changes }: Portion<unknown>): boolean {
  return items.length === 0 && changes === 0;
}
