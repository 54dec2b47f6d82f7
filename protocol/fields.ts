/**
 * Checks fields of decoded CBOR. Each function returns the field as its type, or throws a `FieldError`: the bytes came from
 * elsewhere.
 */

/** The bytes are CBOR, but not what was expected. */
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

/** An integer that a double holds exactly. */
export function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new FieldError("not an integer");
  return value as number;
}

/** An integer of 0 or above that a double holds exactly. */
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
