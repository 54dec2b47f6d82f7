/**
 * What only a znode has that has had children: its pzxid, how many children were created, how many there are, and the last of them. Most
 * znodes never have children, so this lies in rows of its own.
 */
import { ROW_NONE, Rows } from "./rows.ts";

// The first column is a double, the others are 32-bit words.
const PZXID = 0;
const CREATES = 2;
const COUNT = 3;
const LAST = 4;
const LINK = 5;
const ROW_BYTES = 24;

/** The number of a family. 0: the znode has none. */
export type Family = number;
export const FAMILY_NONE: Family = ROW_NONE;

export class Families {
  readonly #rows = new Rows(ROW_BYTES, LINK);

  add(pzxid: number): Family {
    const rows = this.#rows;
    const family = rows.take();
    rows.setNumber(family, PZXID, pzxid);
    rows.setWord(family, CREATES, 0);
    rows.setWord(family, COUNT, 0);
    rows.setWord(family, LAST, ROW_NONE);
    return family;
  }

  drop(family: Family): void {
    this.#rows.give(family);
  }

  pzxid(family: Family): number {
    return this.#rows.number(family, PZXID);
  }

  setPzxid(family: Family, pzxid: number): void {
    this.#rows.setNumber(family, PZXID, pzxid);
  }

  /** Signed 32 bits, as in ZooKeeper. */
  creates(family: Family): number {
    return this.#rows.word(family, CREATES) | 0;
  }

  setCreates(family: Family, creates: number): void {
    this.#rows.setWord(family, CREATES, creates);
  }

  count(family: Family): number {
    return this.#rows.word(family, COUNT);
  }

  setCount(family: Family, count: number): void {
    this.#rows.setWord(family, COUNT, count);
  }

  /** The child that came last; 0 if there is none. */
  last(family: Family): number {
    return this.#rows.word(family, LAST);
  }

  setLast(family: Family, child: number): void {
    this.#rows.setWord(family, LAST, child);
  }
}
