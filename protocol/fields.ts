/** Fields of decoded CBOR, each taken as what it has to be. They come from elsewhere: a wrong one throws a `FieldError`. */

/** Bytes are CBOR, and not what they are taken for. */
export class FieldError extends Error {
  override readonly name = "FieldError";
  readonly code = "ZOOID_FIELD";
  readonly retryable = false;
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new FieldError("not a list");
  return value;
}

export function text(value: unknown): string {
  if (typeof value !== "string") throw new FieldError("not a text");
  return value;
}

export function byteString(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new FieldError("not a byte string");
  return value;
}

export function bytesOrNull(value: unknown): Uint8Array | null {
  return value === null ? null : byteString(value);
}

/** Whole and exact. */
export function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new FieldError("not an integer");
  return value as number;
}

/** A whole number, 0 or above, that is exact. */
export function count(value: unknown): number {
  if (!isCount(value)) throw new FieldError("not a count");
  return value;
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isInt32(value: unknown): value is number {
  return Number.isInteger(value) && ((value as number) | 0) === value;
}
