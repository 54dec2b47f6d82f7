/**
 * Where the data of znodes lies. An array buffer of its own for every small value costs a microsecond to make and to
 * collect, so small values are copied one behind the other into chunks and a znode holds a view. What has been written
 * to a chunk is never written again, so a view may be handed out and kept. A chunk of which less than half is still in
 * use is emptied: its live values are copied on, and the collector takes it once nobody holds a view of it.
 */
import { assert } from "../../../protocol/assert.ts";

export type Chunk = {
  readonly bytes: Uint8Array;
  used: number;
  live: number;
  /** Who wrote here. One whose `chunk` is another by now has moved on. */
  readonly holders: ValueHolder[];
};

export type ValueHolder = {
  data: Uint8Array | null;
  /** Undefined when the value is null, empty or too large for a chunk. */
  chunk: Chunk | undefined;
};

export type Values = { current: Chunk };

const CHUNK_BYTES = 16 * 1024;
const CHUNK_VALUE_BYTES_MAX = 2 * 1024;
const EMPTY = new Uint8Array(0);

export function createValues(): Values {
  return { current: createChunk() };
}

function createChunk(): Chunk {
  return { bytes: new Uint8Array(CHUNK_BYTES), used: 0, live: 0, holders: [] };
}

/** Gives the holder its own copy of `data` in place of what it had. */
export function putValue(values: Values, holder: ValueHolder, data: Uint8Array | null): void {
  releaseValue(values, holder);
  place(values, holder, data);
}

/** The holder's bytes no longer count as used. Its `data` can still be read. */
export function releaseValue(values: Values, holder: ValueHolder): void {
  const { chunk, data } = holder;
  if (chunk === undefined || data === null) return;
  holder.chunk = undefined;
  chunk.live -= data.length;
  assert(chunk.live >= 0, "a chunk holds no less than nothing");
  if (chunk !== values.current) emptyIfSparse(values, chunk);
}

function place(values: Values, holder: ValueHolder, data: Uint8Array | null): void {
  if (data === null || data.length === 0) {
    holder.data = data === null ? null : EMPTY;
    return;
  }
  const length = data.length;
  if (length > CHUNK_VALUE_BYTES_MAX) {
    // Not slice(): of a Node Buffer that is a view.
    const copy = new Uint8Array(length);
    copy.set(data);
    holder.data = copy;
    return;
  }
  if (values.current.used + length > CHUNK_BYTES) {
    const full = values.current;
    values.current = createChunk();
    emptyIfSparse(values, full);
  }
  const chunk = values.current;
  const offset = chunk.used;
  chunk.bytes.set(data, offset);
  chunk.used = offset + length;
  chunk.live += length;
  chunk.holders.push(holder);
  holder.chunk = chunk;
  holder.data = chunk.bytes.subarray(offset, offset + length);
}

function emptyIfSparse(values: Values, chunk: Chunk): void {
  if (chunk.live * 2 >= CHUNK_BYTES) return;
  for (const holder of chunk.holders) {
    if (holder.chunk !== chunk) continue;
    holder.chunk = undefined;
    place(values, holder, holder.data);
  }
  chunk.live = 0;
  chunk.holders.length = 0;
}
