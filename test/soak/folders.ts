/** Folders for sequential nodes, one after the other, each listed in one reply of bounded size. */

const NODES_PER_FOLDER = 3000;

export class Folders {
  readonly #base: string;
  #number = 0;
  #used = 0;
  #preparing = false;

  constructor(base: string) {
    this.#base = base;
  }

  /** The folder for the next node. */
  take(): string {
    this.#used += 1;
    return this.#path(this.#number);
  }

  /** A folder that is to be created before it can be used, if it is time for it; asked for once. */
  next(): string | undefined {
    if (this.#preparing || this.#used < NODES_PER_FOLDER) return undefined;
    this.#preparing = true;
    return this.#path(this.#number + 1);
  }

  /** Whether the folder asked for by `next` is there now. */
  prepared(there: boolean): void {
    this.#preparing = false;
    if (!there) return;
    this.#number += 1;
    this.#used = 0;
  }

  get first(): string {
    return this.#path(0);
  }

  #path(number: number): string {
    return `${this.#base}-${number}`;
  }
}
