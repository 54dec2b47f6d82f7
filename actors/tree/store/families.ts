/**
 * What only a znode has that has had children: its pzxid, how many children were created, how many there are, the last of them, and what
 * there is below it in all. Most znodes never have children, so this lies in rows of its own.
 */
import { ROW_NONE, Rows } from "./rows.ts";

// The first two columns are doubles, the others are 32-bit words.
const PZXID = 0;
const BYTES_BELOW = 1;
const CREATES = 4;
const COUNT = 5;
const LAST = 6;
const BELOW = 7;
const ROW_BYTES = 32;

/** The number of a family. 0: the znode has none. */
export type Family = number;
export const FAMILY_NONE: Family = ROW_NONE;

export class Families {
  readonly #rows = new Rows(ROW_BYTES, BELOW);

  add(pzxid: number): Family {
    const rows = this.#rows;
    const family = rows.take();
    rows.setNumber(family, PZXID, pzxid);
    rows.setNumber(family, BYTES_BELOW, 0);
    rows.setWord(family, CREATES, 0);
    rows.setWord(family, COUNT, 0);
    rows.setWord(family, LAST, ROW_NONE);
    rows.setWord(family, BELOW, 0);
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

  /** How many znodes there are below, children of children included. */
  below(family: Family): number {
    return this.#rows.word(family, BELOW);
  }

  setBelow(family: Family, count: number): void {
    this.#rows.setWord(family, BELOW, count);
  }

  /** The bytes of their data. */
  bytesBelow(family: Family): number {
    return this.#rows.number(family, BYTES_BELOW);
  }

  setBytesBelow(family: Family, bytes: number): void {
    this.#rows.setNumber(family, BYTES_BELOW, bytes);
  }

  /** The child that came last; 0 if there is none. */
  last(family: Family): number {
    return this.#rows.word(family, LAST);
  }

  setLast(family: Family, child: number): void {
    this.#rows.setWord(family, LAST, child);
  }
}
