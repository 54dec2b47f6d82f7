/** An answer that those who ask within a moment share, so that many dashboards ask the nodes no more often than one does. */
export class SharedAnswer<Answer extends object = object> {
  readonly #make: () => Promise<Answer>;
  #made: Promise<Answer> | undefined;

  constructor(make: () => Promise<Answer>) {
    this.#make = make;
  }

  get(): Promise<Answer> {
    this.#made ??= this.#make().finally(() => {
      setTimeout(() => {
        this.#made = undefined;
      }, SHARED_MS).unref();
    });
    return this.#made;
  }
}

/** For how long an answer is shared after it was made. */
const SHARED_MS = 900;

/**
 * Answers that those who ask for the same at once share, each as new as the question: who asks while one is being made has the next one, with
 * all others who have asked by then.
 */
export class FreshAnswers<Answer> {
  readonly #making = new Map<string, Promise<Answer>>();
  /** What is made as soon as the one that is being made is there. */
  readonly #next = new Map<string, Promise<Answer>>();

  get(key: string, make: () => Promise<Answer>): Promise<Answer> {
    const next = this.#next.get(key);
    if (next !== undefined) return next;
    const making = this.#making.get(key);
    if (making === undefined) return this.#begin(key, make);
    const begun = making
      .catch(() => undefined)
      .then(() => {
        this.#next.delete(key);
        return this.#begin(key, make);
      });
    this.#next.set(key, begun);
    return begun;
  }

  #begin(key: string, make: () => Promise<Answer>): Promise<Answer> {
    const made = make().finally(() => this.#making.delete(key));
    this.#making.set(key, made);
    return made;
  }
}
