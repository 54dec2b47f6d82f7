/** The children of a parent are a ring through their rows, in the order in which they came. The parent's family knows the last one. */
import type { Families, Family } from "./families.ts";
import { ROW_NONE, type Rows } from "./rows.ts";

/** In which columns of a row a child has the one before it and the one after it. */
type SiblingColumns = { readonly previous: number; readonly next: number };

export class Siblings {
  readonly #rows: Rows;
  readonly #families: Families;
  readonly #previous: number;
  readonly #next: number;

  constructor(rows: Rows, families: Families, { previous, next }: SiblingColumns) {
    this.#rows = rows;
    this.#families = families;
    this.#previous = previous;
    this.#next = next;
  }

  /** Adds the child as the last one. */
  join(family: Family, child: number): void {
    const rows = this.#rows;
    const families = this.#families;
    const last = families.last(family);
    if (last === ROW_NONE) {
      rows.setWord(child, this.#next, child);
      rows.setWord(child, this.#previous, child);
    } else {
      const first = rows.word(last, this.#next);
      rows.setWord(child, this.#next, first);
      rows.setWord(child, this.#previous, last);
      rows.setWord(last, this.#next, child);
      rows.setWord(first, this.#previous, child);
    }
    families.setLast(family, child);
    families.setCount(family, families.count(family) + 1);
  }

  leave(family: Family, child: number): void {
    const rows = this.#rows;
    const families = this.#families;
    const next = rows.word(child, this.#next);
    const previous = rows.word(child, this.#previous);
    rows.setWord(previous, this.#next, next);
    rows.setWord(next, this.#previous, previous);
    const count = families.count(family) - 1;
    families.setCount(family, count);
    if (count === 0) families.setLast(family, ROW_NONE);
    else if (families.last(family) === child) families.setLast(family, previous);
  }

  /** Returns the child after this one, or the first; undefined behind the last. */
  after(family: Family, child: number | undefined): number | undefined {
    const last = this.#families.last(family);
    return last === ROW_NONE || child === last
      ? undefined
      : this.#rows.word(child ?? last, this.#next);
  }

  /** Visits all children, the first one first. */
  visit(family: Family, visit: (child: number) => void): void {
    let child = this.#families.last(family);
    for (let left = this.#families.count(family); left > 0; left -= 1) {
      child = this.#rows.word(child, this.#next);
      visit(child);
    }
  }
}
