/** Changes of bytes that know nothing of their format. */
import type { Random } from "../sim/random.ts";

const INTERESTING: readonly number[] = [
  0, 1, 2, 4, 8, 16, 23, 24, 31, 32, 64, 100, 127, 128, 255, 256, 1024, 0x7fff, 0x8000, 0xffff,
  0xf_ffff, 0x10_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];
/** One input in so many is made large. */
const LARGE_ONE_IN = 512;

export type MutateOptions = {
  readonly tokens: readonly Uint8Array[];
  /** Another input, to take pieces of. */
  readonly other: Uint8Array;
  readonly bytesMax: number;
};

/** One to a few changes. */
export function mutate(bytes: Uint8Array, random: Random, options: MutateOptions): Uint8Array {
  let changed = bytes;
  const changes = 1 + Math.min(random.below(4), random.below(6));
  for (let change = 0; change < changes; change += 1) changed = once(changed, random, options);
  if (random.below(LARGE_ONE_IN) === 0) changed = inflate(changed, random, options.bytesMax);
  return changed.length > options.bytesMax ? changed.subarray(0, options.bytesMax) : changed;
}

function once(bytes: Uint8Array, random: Random, options: MutateOptions): Uint8Array {
  const at = random.below(bytes.length + 1);
  switch (random.below(10)) {
    case 0:
      return withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << random.below(8)));
    case 1:
      return withByte(bytes, at, random.below(256));
    case 2:
      return number(bytes, at, random);
    case 3:
      return splice(bytes, at, 0, random.randomBytes(1 + random.below(8)));
    case 4:
      return splice(bytes, at, 1 + random.below(8), new Uint8Array(0));
    case 5:
      return splice(bytes, at, random.below(bytes.length + 1), new Uint8Array(0));
    case 6:
      return splice(bytes, at, 0, piece(bytes, random));
    case 7:
      return splice(bytes, at, random.below(9), piece(options.other, random));
    default: {
      if (options.tokens.length === 0) return withByte(bytes, at, random.below(256));
      const token = random.pick(options.tokens);
      return splice(bytes, at, random.chance(0.5) ? token.length : 0, token);
    }
  }
}

/** An interesting number of 1, 2, 4 or 8 bytes, or the one that is there a little larger or smaller. */
function number(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  const width = 1 << random.below(4);
  if (at + width > bytes.length) return bytes;
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  const value = random.pick(INTERESTING);
  if (width === 1) view.setUint8(at, value);
  else if (width === 2) view.setUint16(at, value);
  else if (width === 4)
    view.setUint32(at, random.chance(0.3) ? view.getUint32(at) + random.whole(-2, 2) : value);
  else view.setBigUint64(at, BigInt(value) << BigInt(random.below(33)));
  return changed;
}

/** A piece of the bytes many times over, so that what is not linear shows. */
function inflate(bytes: Uint8Array, random: Random, bytesMax: number): Uint8Array {
  if (bytes.length === 0) return bytes;
  const from = random.below(bytes.length);
  const part = bytes.subarray(from, from + 1 + random.below(bytes.length - from));
  const target = Math.min(bytesMax, random.below(8) === 0 ? bytesMax : 64 * 1024);
  const count = Math.floor((target - bytes.length) / part.length);
  if (count < 1) return bytes;
  const repeated = new Uint8Array(part.length * count);
  for (let index = 0; index < count; index += 1) repeated.set(part, index * part.length);
  return splice(bytes, from, 0, repeated);
}

function piece(bytes: Uint8Array, random: Random): Uint8Array {
  const from = random.below(bytes.length + 1);
  return bytes.slice(from, from + 1 + random.below(32));
}

export function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  if (at >= bytes.length) return splice(bytes, at, 0, Uint8Array.of(value));
  const changed = bytes.slice();
  changed[at] = value;
  return changed;
}

/** `removed` bytes from `at` on give way to `inserted`. */
export function splice(
  bytes: Uint8Array,
  at: number,
  removed: number,
  inserted: Uint8Array,
): Uint8Array {
  const rest = bytes.subarray(at + removed);
  const changed = new Uint8Array(at + inserted.length + rest.length);
  changed.set(bytes.subarray(0, at));
  changed.set(inserted, at);
  changed.set(rest, at + inserted.length);
  return changed;
}
