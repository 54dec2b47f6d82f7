/** An answer that those who ask within a moment share, so that many dashboards ask the nodes no more often than one does. */
export class SharedAnswer {
  readonly #make: () => Promise<object>;
  #made: Promise<object> | undefined;

  constructor(make: () => Promise<object>) {
    this.#make = make;
  }

  get(): Promise<object> {
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
