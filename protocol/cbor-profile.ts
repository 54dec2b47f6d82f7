/**
 * The subset of CBOR (RFC 8949) that zooid uses, and the check that bytes are within it: one linear pass before any decoder sees the
 * bytes. A decoder acts on what it reads: tags make it build numbers of a million digits, cycles and compiled code. So everything
 * that zooid never writes is refused here, whoever sent it.
 *
 * Allowed: integers of 53 bits, byte strings, texts in UTF-8, arrays, false, true, null, undefined, finite doubles, and, between
 * nodes, maps whose keys are different short texts. No tags, no indefinite lengths, no other simple values or floats.
 */
import { CBOR_DEPTH_MAX, CBOR_KEY_BYTES_MAX, CBOR_KEYS_MAX } from "./limits.ts";

export type CborProfile = {
  readonly maps: boolean;
  /** The most data items, those inside other items included. */
  readonly itemsMax: number;
};

export type CborFaultReason =
  | "it ends too early"
  | "bytes follow its end"
  | "a length is beyond its bytes"
  | "it is nested too deeply"
  | "it has too many items"
  | "a tag"
  | "an indefinite length"
  | "a reserved length"
  | "an integer beyond 53 bits"
  | "a text that is not UTF-8"
  | "a simple value that is not false, true, null or undefined"
  | "a float that is not a finite double"
  | "a map"
  | "a map with too many keys"
  | "a key that is not a short text"
  | "a key that is there twice"
  | "a forbidden key";

/** What is wrong, and the offset at which the faulty item begins. */
export type CborFault = { readonly reason: CborFaultReason; readonly at: number };

/** Returns what is wrong with the bytes; undefined if they are one item within the profile. */
export function cborFault(bytes: Uint8Array, profile: CborProfile): CborFault | undefined {
  const pass: Pass = { bytes, profile, items: 1, argument: 0, fault: undefined };
  if (profile.itemsMax < 1) fail(pass, "it has too many items", 0);
  const end = itemEnd(pass, 0, CBOR_DEPTH_MAX);
  if (end !== FAILED && end < bytes.length) fail(pass, "bytes follow its end", end);
  return pass.fault;
}

/** The state of one check. Positions are passed as arguments instead, which is faster: every record that is applied is checked. */
type Pass = {
  readonly bytes: Uint8Array;
  readonly profile: CborProfile;
  /** The items announced so far: one, and as many as the heads of all arrays and maps say that they hold. */
  items: number;
  /** The argument of the last head that was read: an integer, or a length. */
  argument: number;
  fault: CborFault | undefined;
};

/** Returned in place of a position: the check has failed, and `pass` says how. */
const FAILED = -1;
/** Returned in place of a position: the fast check does not apply to this item. */
const NOT_SHORT = -2;

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;

const ONE_BYTE = 24;
const TWO_BYTES = 25;
const FOUR_BYTES = 26;
const EIGHT_BYTES = 27;
const INDEFINITE = 31;

const SIMPLE_FALSE = 20;
const SIMPLE_UNDEFINED = 23;

/** The key `__proto__`. A decoder that assigns it to an object would replace the object's prototype. */
const FORBIDDEN_KEY: readonly number[] = Array.from("__proto__", (letter) => letter.charCodeAt(0));

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns where the item that begins at `at` ends. `depth` is how many levels of nesting are still allowed, this one included. */
function itemEnd(pass: Pass, at: number, depth: number): number {
  const { bytes } = pass;
  if (depth === 0) return fail(pass, "it is nested too deeply", at);
  if (at >= bytes.length) return fail(pass, "it ends too early", at);
  const initial = bytes[at] as number;
  if (initial < ONE_BYTE) return at + 1;
  const major = initial >> 5;
  if (major === SIMPLE) return simpleEnd(pass, initial & 0x1f, at);
  if (major === TAG) return fail(pass, "a tag", at);
  const from = headEnd(pass, initial & 0x1f, at);
  if (from === FAILED || major === UNSIGNED) return from;
  const { argument } = pass;
  if (major === NEGATIVE) {
    // A negative integer is -1 - argument, which must be exact too.
    return argument < Number.MAX_SAFE_INTEGER ? from : fail(pass, "an integer beyond 53 bits", at);
  }
  if (major === MAP) return mapEnd(pass, argument, from, depth, at);
  // This also holds for an array, since each of its items takes at least one byte.
  if (argument > bytes.length - from) return fail(pass, "a length is beyond its bytes", at);
  if (major === ARRAY) return arrayEnd(pass, argument, from, depth, at);
  const end = from + argument;
  if (major === TEXT && !isUtf8(bytes, from, end))
    return fail(pass, "a text that is not UTF-8", at);
  return end;
}

function arrayEnd(pass: Pass, count: number, from: number, depth: number, at: number): number {
  pass.items += count;
  if (pass.items > pass.profile.itemsMax) return fail(pass, "it has too many items", at);
  const { bytes } = pass;
  let position = from;
  for (let index = 0; index < count && position !== FAILED; index += 1) {
    const end = depth > 1 ? shortItemEnd(bytes, position) : NOT_SHORT;
    position = end === NOT_SHORT ? itemEnd(pass, position, depth - 1) : end;
  }
  return position;
}

/**
 * The fast check. Nearly all fields of operations are small integers, or byte strings or ASCII texts of less than 256 bytes: for these
 * it returns where the item ends. For every other item, and for one that exceeds the bytes, it returns `NOT_SHORT`.
 */
function shortItemEnd(bytes: Uint8Array, at: number): number {
  const initial = bytes[at];
  if (initial === undefined) return NOT_SHORT;
  if (initial < ONE_BYTE) return at + 1;
  const major = initial >> 5;
  if (major !== BYTES && major !== TEXT) return NOT_SHORT;
  const info = initial & 0x1f;
  let from = at + 1;
  let length = info;
  if (info >= ONE_BYTE) {
    if (info > ONE_BYTE) return NOT_SHORT;
    length = bytes[from] ?? 0;
    from += 1;
  }
  const end = from + length;
  if (end > bytes.length) return NOT_SHORT;
  if (major === TEXT) {
    for (let index = from; index < end; index += 1) {
      if ((bytes[index] as number) >= 0x80) return NOT_SHORT;
    }
  }
  return end;
}

function mapEnd(pass: Pass, count: number, from: number, depth: number, at: number): number {
  if (!pass.profile.maps) return fail(pass, "a map", at);
  if (count > CBOR_KEYS_MAX) return fail(pass, "a map with too many keys", at);
  pass.items += 2 * count;
  if (pass.items > pass.profile.itemsMax) return fail(pass, "it has too many items", at);
  const keys: number[] = [];
  let position = from;
  for (let index = 0; index < count && position !== FAILED; index += 1) {
    position = keyEnd(pass, position, keys);
    if (position !== FAILED) position = itemEnd(pass, position, depth - 1);
  }
  return position;
}

/** Returns where a map's key ends. `keys` holds where each earlier key of the map begins and ends. */
function keyEnd(pass: Pass, at: number, keys: number[]): number {
  const { bytes } = pass;
  const initial = bytes[at];
  if (initial !== undefined && initial >> 5 !== TEXT) {
    return fail(pass, "a key that is not a short text", at);
  }
  const to = itemEnd(pass, at, 1);
  if (to === FAILED) return FAILED;
  const from = at + headBytes(initial as number);
  if (to - from > CBOR_KEY_BYTES_MAX) return fail(pass, "a key that is not a short text", at);
  if (isForbidden(bytes, from, to)) return fail(pass, "a forbidden key", at);
  for (let index = 0; index < keys.length; index += 2) {
    if (isSame(bytes, keys[index] as number, keys[index + 1] as number, from, to)) {
      return fail(pass, "a key that is there twice", at);
    }
  }
  keys.push(from, to);
  return to;
}

function simpleEnd(pass: Pass, info: number, at: number): number {
  const { bytes } = pass;
  if (info === EIGHT_BYTES) {
    if (bytes.length - at < 9) return fail(pass, "it ends too early", at);
    const sign = bytes[at + 1] as number;
    // All bits of the exponent are set: the double is an infinity or no number.
    if ((sign & 0x7f) === 0x7f && (bytes[at + 2] as number) >= 0xf0) {
      return fail(pass, "a float that is not a finite double", at);
    }
    return at + 9;
  }
  if (info >= SIMPLE_FALSE && info <= SIMPLE_UNDEFINED) return at + 1;
  if (info === INDEFINITE) return fail(pass, "an indefinite length", at);
  return info === TWO_BYTES || info === FOUR_BYTES
    ? fail(pass, "a float that is not a finite double", at)
    : fail(pass, "a simple value that is not false, true, null or undefined", at);
}

/** Returns where an item's head ends, and puts its argument into the pass. */
function headEnd(pass: Pass, info: number, at: number): number {
  if (info < ONE_BYTE) {
    pass.argument = info;
    return at + 1;
  }
  if (info > EIGHT_BYTES) {
    return fail(pass, info === INDEFINITE ? "an indefinite length" : "a reserved length", at);
  }
  const { bytes } = pass;
  const end = at + 1 + (1 << (info - ONE_BYTE));
  if (end > bytes.length) return fail(pass, "it ends too early", at);
  let argument = 0;
  for (let position = at + 1; position < end; position += 1) {
    argument = argument * 256 + (bytes[position] as number);
  }
  if (argument > Number.MAX_SAFE_INTEGER) return fail(pass, "an integer beyond 53 bits", at);
  pass.argument = argument;
  return end;
}

/** Whether the bytes from `from` to below `to` are UTF-8. */
export function isUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  for (let index = from; index < to; index += 1) {
    if ((bytes[index] as number) < 0x80) continue;
    try {
      strictUtf8.decode(bytes.subarray(index, to));
      return true;
    } catch {
      return false;
    }
  }
  return true;
}

function isForbidden(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== FORBIDDEN_KEY.length) return false;
  return FORBIDDEN_KEY.every((byte, index) => bytes[from + index] === byte);
}

function isSame(
  bytes: Uint8Array,
  from: number,
  to: number,
  otherFrom: number,
  otherTo: number,
): boolean {
  if (to - from !== otherTo - otherFrom) return false;
  for (let index = 0; index < to - from; index += 1) {
    if (bytes[from + index] !== bytes[otherFrom + index]) return false;
  }
  return true;
}

function fail(pass: Pass, reason: CborFaultReason, at: number): typeof FAILED {
  pass.fault ??= { reason, at };
  return FAILED;
}

/** Returns the size of a head: the item's first byte and its argument. */
function headBytes(initial: number): number {
  const info = initial & 0x1f;
  return info < ONE_BYTE ? 1 : 1 + (1 << (info - ONE_BYTE));
}
