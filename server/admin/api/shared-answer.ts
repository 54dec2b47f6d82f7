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
