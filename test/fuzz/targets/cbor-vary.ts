/** Changes of CBOR that know CBOR: the value is read, changed somewhere, and written again; or a head is made wrong. */
import { decodeCbor, encodeCbor, PEER_CBOR } from "../../../protocol/cbor.ts";
import type { Random } from "../../sim/random.ts";
import { hex } from "../target.ts";

const ODD: readonly unknown[] = [
  0,
  1,
  -1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  -(2 ** 53) + 1,
  1.5,
  "",
  "/",
  "/a",
  "/a/b",
  "//",
  "/a/..",
  "\u0000",
  "🙂",
  "a".repeat(300),
  new Uint8Array(0),
  new Uint8Array(16),
  null,
  undefined,
  true,
  false,
  [],
  [[]],
  {},
];

/** Pieces of CBOR that decoders act on, and lengths that are not there. */
export const CBOR_TOKENS: readonly Uint8Array[] = [
  "c2",
  "c249ffffffffffffffffff",
  "d81c",
  "d81d00",
  "d81d01",
  "d9dfff",
  "d9e000",
  "d986",
  "d833",
  "c6",
  "e0",
  "d9010280",
  "d8405",
  "d81b",
  "c100",
  "d9d9f7",
  "9f",
  "bf",
  "5f",
  "7f",
  "ff",
  "9affffffff",
  "bbffffffffffffffff",
  "5bffffffffffffffff",
  "7a7fffffff",
  "f97e00",
  "fa7fc00000",
  "fb7ff0000000000000",
  "f8ff",
  "1bffffffffffffffff",
  "3bffffffffffffffff",
  "80",
  "a0",
  "40",
  "60",
  "f6",
  "f7",
  "61c3",
  "62c0af",
  "63eda080",
  "695f5f70726f746f5f5f",
].map((text) => hex(text.length % 2 === 0 ? text : `${text}0`));

/** The same value with one change, or undefined if the bytes are none. */
export function varyCbor(bytes: Uint8Array, random: Random): Uint8Array {
  let value: unknown;
  try {
    value = decodeCbor(bytes, PEER_CBOR);
  } catch {
    return bytes;
  }
  return new Uint8Array(encodeCbor(changed(value, random)));
}

function changed(value: unknown, random: Random): unknown {
  if (random.chance(0.15)) return ODD[random.below(ODD.length)];
  if (Array.isArray(value)) return changedList(value, random);
  if (value instanceof Uint8Array) return random.randomBytes(random.below(40));
  if (typeof value === "object" && value !== null) return changedMap(value, random);
  if (typeof value === "number") {
    return random.chance(0.5) ? value + random.whole(-2, 2) : ODD[random.below(ODD.length)];
  }
  return ODD[random.below(ODD.length)];
}

function changedList(items: readonly unknown[], random: Random): unknown[] {
  const list = [...items];
  const at = random.below(list.length + 1);
  switch (random.below(6)) {
    case 0:
      list.splice(at, 1);
      return list;
    case 1:
      list.splice(at, 0, ODD[random.below(ODD.length)]);
      return list;
    case 2:
      if (list.length > 0) list.splice(at, 0, list[random.below(list.length)]);
      return list;
    default:
      if (at < list.length) list[at] = changed(list[at], random);
      return list;
  }
}

function changedMap(map: object, random: Random): object {
  const entries = Object.entries(map);
  if (entries.length === 0) return { kind: ODD[random.below(ODD.length)] };
  const at = random.below(entries.length);
  const [key, value] = entries[at] as [string, unknown];
  if (random.chance(0.2)) entries.splice(at, 1);
  else entries[at] = [random.chance(0.1) ? `${key}x` : key, changed(value, random)];
  return Object.fromEntries(entries);
}
