/**
 * Rows of a fixed size outside of the heap: what is known of each znode, without its name and its data. A row is known by its number,
 * which is used again once the row is given back. The rows lie in chunks, so that the table grows without moving what it holds and a
 * small table takes little. They are in shared array buffers, although nobody shares them: V8 does not count those when it decides how
 * far the heap may grow (docs/decisions/0022-znodes-off-heap.md).
 */
import { assert } from "../../../protocol/assert.ts";

const CHUNK_SHIFT = 10;
const CHUNK_ROWS: number = 1 << CHUNK_SHIFT;
const CHUNK_MASK: number = CHUNK_ROWS - 1;

/** No row has this number. */
export const ROW_NONE = 0;
const ROWS_MAX = 0xffff_fff0;

export class Rows {
  /** The size of a row in doubles. */
  readonly #doubles: number;
  /** The column of 32-bit words in which a free row has the number of the next free one. */
  readonly #linkColumn: number;
  /** The same memory twice: as doubles and as 32-bit words. */
  readonly #numbers: Float64Array[] = [];
  readonly #words: Uint32Array[] = [];
  #firstFree = ROW_NONE;
  #end = 1;
  #taken = 0;

  constructor(rowBytes: number, linkColumn: number) {
    this.#doubles = rowBytes / 8;
    this.#linkColumn = linkColumn;
  }

  /** How many rows are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** All rows that were ever taken have lower numbers. */
  get end(): number {
    return this.#end;
  }

  /** Takes a row, whose columns may have any value. */
  take(): number {
    this.#taken += 1;
    const row = this.#firstFree;
    if (row !== ROW_NONE) {
      this.#firstFree = this.word(row, this.#linkColumn);
      return row;
    }
    const added = this.#end;
    assert(added < ROWS_MAX, "a tree is full before its rows have no more numbers");
    if (added >> CHUNK_SHIFT >= this.#numbers.length) this.#addChunk();
    this.#end += 1;
    return added;
  }

  give(row: number): void {
    this.#taken -= 1;
    this.setWord(row, this.#linkColumn, this.#firstFree);
    this.#firstFree = row;
  }

  number(row: number, column: number): number {
    const chunk = this.#numbers[row >>> CHUNK_SHIFT] as Float64Array;
    return chunk[(row & CHUNK_MASK) * this.#doubles + column] as number;
  }

  setNumber(row: number, column: number, value: number): void {
    const chunk = this.#numbers[row >>> CHUNK_SHIFT] as Float64Array;
    chunk[(row & CHUNK_MASK) * this.#doubles + column] = value;
  }

  /** A word is unsigned: `| 0` makes of it the signed number that it was. */
  word(row: number, column: number): number {
    const chunk = this.#words[row >>> CHUNK_SHIFT] as Uint32Array;
    return chunk[(row & CHUNK_MASK) * this.#doubles * 2 + column] as number;
  }

  setWord(row: number, column: number, value: number): void {
    const chunk = this.#words[row >>> CHUNK_SHIFT] as Uint32Array;
    chunk[(row & CHUNK_MASK) * this.#doubles * 2 + column] = value;
  }

  #addChunk(): void {
    const memory = new SharedArrayBuffer(CHUNK_ROWS * this.#doubles * 8);
    this.#numbers.push(new Float64Array(memory));
    this.#words.push(new Uint32Array(memory));
  }
}
