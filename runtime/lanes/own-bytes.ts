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
  const transfer: ArrayBuffer[] = [];
  const own = letters.map((letter) => {
    const message = owning(letter.message, transfer);
    return message === letter.message ? letter : { ...letter, message };
  });
  return { letters: own, transfer };
}

/** Bytes are fields of messages, or in arrays that are. */
function owning(message: object, transfer: ArrayBuffer[]): object {
  let own: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(message)) {
    const owned = isView(value) ? copyOf(value, transfer) : arrayOwning(value, transfer);
    if (owned === value) continue;
    own ??= { ...message };
    own[name] = owned;
  }
  return own ?? message;
}

function arrayOwning(value: unknown, transfer: ArrayBuffer[]): unknown {
  if (!Array.isArray(value) || !value.some(isView)) return value;
  return value.map((item: unknown) => (isView(item) ? copyOf(item, transfer) : item));
}

function isView(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength < value.buffer.byteLength;
}

function copyOf(view: Uint8Array, transfer: ArrayBuffer[]): Uint8Array {
  const own = new Uint8Array(view);
  if (own.length >= TRANSFER_BYTES_MIN) transfer.push(own.buffer);
  return own;
}
