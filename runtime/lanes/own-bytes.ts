/**
 * Bytes on their way to another thread. A message may hold views into larger buffers, and a structured clone would copy all of each
 * buffer; so what goes over a port owns its bytes. Large copies are handed over instead of being copied again.
 */
import type { Letter } from "../system.ts";

/** From this many bytes on, handing a buffer over costs less than copying it. */
const TRANSFER_BYTES_MIN = 16 * 1024;

export type Parcel = {
  readonly letters: readonly Letter[];
  /** Buffers that nobody on this side uses any more. */
  readonly transfer: readonly ArrayBuffer[];
};

export function parcelOf(letters: readonly Letter[]): Parcel {
  const copying: Copying = { transfer: [], copies: undefined };
  let own: Letter[] | undefined;
  for (let index = 0; index < letters.length; index += 1) {
    const letter = letters[index] as Letter;
    const message = fieldsOwning(letter.message, copying);
    if (message === letter.message) continue;
    own ??= [...letters];
    own[index] = { ...letter, message };
  }
  return { letters: own ?? letters, transfer: copying.transfer };
}

type Copying = {
  readonly transfer: ArrayBuffer[];
  /** What several letters hold is copied once, and stays one. Most letters hold nothing that is copied. */
  copies: Map<object, object> | undefined;
};

/** Bytes are fields of messages, in arrays that are, or fields of what is in such arrays. */
function fieldsOwning(holder: object, copying: Copying): object {
  const fields = holder as Record<string, unknown>;
  let own: Record<string, unknown> | undefined;
  // Messages are plain objects, whose names are all their own; this loop, unlike Object.entries, makes no arrays.
  for (const name in fields) {
    const value = fields[name];
    if (typeof value !== "object" || value === null) continue;
    const owned = isView(value) ? copyOf(value, copying.transfer) : arrayOwning(value, copying);
    if (owned === value) continue;
    own ??= { ...fields };
    own[name] = owned;
  }
  return own ?? holder;
}

function arrayOwning(value: object, copying: Copying): object {
  if (!Array.isArray(value) || typeof value[0] !== "object") return value;
  const items: readonly unknown[] = value;
  let own: unknown[] | undefined;
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    const owned = isView(item) ? copyOf(item, copying.transfer) : itemOwning(item, copying);
    if (owned === item) continue;
    own ??= [...items];
    own[index] = owned;
  }
  return own ?? value;
}

function itemOwning(item: unknown, copying: Copying): unknown {
  if (typeof item !== "object" || item === null || ArrayBuffer.isView(item)) return item;
  const known = copying.copies?.get(item);
  if (known !== undefined) return known;
  const own = fieldsOwning(item, copying);
  if (own !== item) {
    copying.copies ??= new Map();
    copying.copies.set(item, own);
  }
  return own;
}

function isView(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength < value.buffer.byteLength;
}

function copyOf(view: Uint8Array, transfer: ArrayBuffer[]): Uint8Array {
  const own = new Uint8Array(view);
  if (own.length >= TRANSFER_BYTES_MIN) transfer.push(own.buffer);
  return own;
}
