/**
 * Finds a znode by the hash of its name within its parent. This is linear hashing (Litwin, 1980): an insert that fills the table divides
 * one bucket, so that no insert ever waits for all entries to be moved. The entries of a bucket are a list through their rows.
 */
import { ROW_NONE, type Rows } from "./rows.ts";

const CHUNK_SHIFT = 10;
const CHUNK_BUCKETS: number = 1 << CHUNK_SHIFT;
const CHUNK_MASK: number = CHUNK_BUCKETS - 1;
const BUCKETS_AT_FIRST = 8;

/** In which columns of a row the table keeps the hash and the next entry of the bucket. */
export type NameColumns = { readonly hash: number; readonly next: number };

export class NameTable {
  readonly #rows: Rows;
  readonly #hashColumn: number;
  readonly #nextColumn: number;
  /** The first entries of the buckets. */
  readonly #chunks: Uint32Array[] = [];
  /** The buckets from 0 to `mask` have existed since the last round of divisions began. */
  #mask: number = BUCKETS_AT_FIRST - 1;
  /** The bucket that is divided next. Those before it are two by now. */
  #next = 0;
  #size = 0;

  constructor(rows: Rows, { hash, next }: NameColumns) {
    this.#rows = rows;
    this.#hashColumn = hash;
    this.#nextColumn = next;
    this.#chunks.push(createChunk());
  }

  /** The first entry that may have the hash; the others follow it. */
  first(hash: number): number {
    return this.#head(this.#bucketOf(hash));
  }

  insert(row: number, hash: number): void {
    this.#rows.setWord(row, this.#hashColumn, hash);
    this.#push(this.#bucketOf(hash), row);
    this.#size += 1;
    if (this.#size > this.#mask + 1 + this.#next) this.#divide();
  }

  remove(row: number): void {
    const rows = this.#rows;
    const column = this.#nextColumn;
    const bucket = this.#bucketOf(rows.word(row, this.#hashColumn));
    const next = rows.word(row, column);
    this.#size -= 1;
    let before = this.#head(bucket);
    if (before === row) {
      this.#setHead(bucket, next);
      return;
    }
    while (rows.word(before, column) !== row) before = rows.word(before, column);
    rows.setWord(before, column, next);
  }

  #bucketOf(hash: number): number {
    const bucket = hash & this.#mask;
    return bucket >= this.#next ? bucket : (hash & (this.#mask * 2 + 1)) >>> 0;
  }

  #divide(): void {
    const divided = this.#next;
    const added = this.#mask + 1 + divided;
    if (added >> CHUNK_SHIFT >= this.#chunks.length) this.#chunks.push(createChunk());
    this.#next += 1;
    if (this.#next > this.#mask) {
      this.#mask = this.#mask * 2 + 1;
      this.#next = 0;
    }
    let row = this.#head(divided);
    this.#setHead(divided, ROW_NONE);
    while (row !== ROW_NONE) {
      const next = this.#rows.word(row, this.#nextColumn);
      this.#push(this.#bucketOf(this.#rows.word(row, this.#hashColumn)), row);
      row = next;
    }
  }

  #push(bucket: number, row: number): void {
    this.#rows.setWord(row, this.#nextColumn, this.#head(bucket));
    this.#setHead(bucket, row);
  }

  #head(bucket: number): number {
    return (this.#chunks[bucket >>> CHUNK_SHIFT] as Uint32Array)[bucket & CHUNK_MASK] as number;
  }

  #setHead(bucket: number, row: number): void {
    (this.#chunks[bucket >>> CHUNK_SHIFT] as Uint32Array)[bucket & CHUNK_MASK] = row;
  }
}

function createChunk(): Uint32Array {
  // V8 does not count shared memory, as it does not that of rows.
  return new Uint32Array(new SharedArrayBuffer(CHUNK_BUCKETS * 4));
}
