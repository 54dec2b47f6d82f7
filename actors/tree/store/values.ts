/**
 * The memory for the data of znodes. An array buffer for every small value would cost a microsecond to allocate and to collect, so small
 * values are copied one behind the other into slabs, and a znode has a view. Bytes in a slab are written once and never overwritten, so
 * a view may be handed out and kept. When less than half of a slab is in use, its live values are copied to the current slab, and the
 * garbage collector frees it once nobody has a view of it.
 */
import { assert } from "../../../protocol/assert.ts";

export type Slab = {
  readonly bytes: Uint8Array;
  /** Bytes that were written. */
  used: number;
  /** Bytes of values that a holder still has. */
  live: number;
  /** All holders that have had a value here. A holder whose `slab` is another by now has moved on. */
  readonly holders: ValueHolder[];
};

export type ValueHolder = {
  data: Uint8Array | null;
  /** The slab in which the value lies. Undefined if the value is null, empty or too large for a slab. */
  slab: Slab | undefined;
};

export type Values = { current: Slab };

const SLAB_BYTES = 16 * 1024;
const SLAB_VALUE_BYTES_MAX = 2 * 1024;
const EMPTY = new Uint8Array(0);

export function createValues(): Values {
  return { current: createSlab() };
}

function createSlab(): Slab {
  return { bytes: new Uint8Array(SLAB_BYTES), used: 0, live: 0, holders: [] };
}

/** Replaces the holder's value by a copy of `data`. */
export function putValue(values: Values, holder: ValueHolder, data: Uint8Array | null): void {
  releaseValue(values, holder);
  place(values, holder, data);
}

/** The holder's bytes no longer count as live. Its `data` can still be read. */
export function releaseValue(values: Values, holder: ValueHolder): void {
  const { slab, data } = holder;
  if (slab === undefined || data === null) return;
  holder.slab = undefined;
  slab.live -= data.length;
  assert(slab.live >= 0, "a slab holds no less than nothing");
  if (slab !== values.current) emptyIfSparse(values, slab);
}

function place(values: Values, holder: ValueHolder, data: Uint8Array | null): void {
  if (data === null || data.length === 0) {
    holder.data = data === null ? null : EMPTY;
    return;
  }
  const length = data.length;
  if (length > SLAB_VALUE_BYTES_MAX) {
    // The bytes are copied without slice(), since slice() of a Node.js Buffer is a view.
    const copy = new Uint8Array(length);
    copy.set(data);
    holder.data = copy;
    return;
  }
  if (values.current.used + length > SLAB_BYTES) {
    const full = values.current;
    values.current = createSlab();
    emptyIfSparse(values, full);
  }
  const slab = values.current;
  const offset = slab.used;
  slab.bytes.set(data, offset);
  slab.used = offset + length;
  slab.live += length;
  slab.holders.push(holder);
  holder.slab = slab;
  holder.data = slab.bytes.subarray(offset, offset + length);
}

function emptyIfSparse(values: Values, slab: Slab): void {
  if (slab.live * 2 >= SLAB_BYTES) return;
  for (const holder of slab.holders) {
    if (holder.slab !== slab) continue;
    holder.slab = undefined;
    place(values, holder, holder.data);
  }
  slab.live = 0;
  slab.holders.length = 0;
}
