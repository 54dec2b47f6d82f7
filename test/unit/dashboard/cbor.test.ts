/** Values in CBOR as people read them, and what is no CBOR or wants to do harm. */
import test from "ava";
import { Encoder } from "cbor-x";
import { CBOR_BYTES_MAX, cborText } from "../../../dashboard/src/format/cbor.ts";

const encoder = new Encoder({ useRecords: false, variableMapSize: true });

function ofHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

/** The notation without its indentation. */
function flat(bytes: Uint8Array): string | undefined {
  return cborText(bytes)?.replaceAll(/\n\s*/g, "");
}

test("maps and arrays are shown in diagnostic notation, indented", (t) => {
  const bytes = encoder.encode({ perSecond: 100, burst: [1, 2.5, null, true], key: "caf\u{e9}" });
  t.is(
    cborText(bytes),
    '{\n  "perSecond": 100,\n  "burst": [\n    1,\n    2.5,\n    null,\n    true\n  ],\n  "key": "caf\u{e9}"\n}',
  );
  // Keys that are no texts, bytes, tags, indefinite lengths. Source: appendix A of RFC 8949.
  t.is(flat(ofHex("a2 01 02 03 04")), "{1: 2,3: 4}");
  t.is(flat(ofHex("82 44 01020304 c1 1a514b67b0")), "[h'01020304',1(1363896240)]");
  t.is(flat(ofHex("d9d9f7 81 01")), "55799([1])");
  t.is(flat(ofHex("9f 01 ff")), "[_ 1]");
  t.is(
    flat(ofHex("82 1bffffffffffffffff 3bffffffffffffffff")),
    "[18446744073709551615,-18446744073709551616]",
  );
});

test("a number of a million digits, a cycle and a pattern are shown as what they are made of, and are not made", (t) => {
  const large = new Uint8Array([
    0x81,
    0xc2,
    0x59,
    0x70,
    0x00,
    ...new Uint8Array(0x7000).fill(0xff),
  ]);
  t.true(flat(large)?.startsWith("[2(h'ffff") === true);
  t.is(flat(ofHex("d81c 81 d81d 00")), undefined, "an item that is no array or map by itself");
  t.is(flat(ofHex("81 d81c 81 d81d 00")), "[28([29(0)])]");
  t.is(flat(ofHex("81 d823 63 282b2b")), '[35("(++")]');
  t.is(flat(ofHex("a1 69 5f5f70726f746f5f5f a0")), '{"__proto__": {}}');
  t.is(({} as Record<string, unknown>)["polluted"], undefined);
});

test("what is cut, has bytes behind it, or is text, a number or garbage is not CBOR", (t) => {
  const whole = encoder.encode({ a: [1, "two", new Uint8Array(300)] });
  for (let length = 0; length < whole.length; length += 1) {
    t.is(cborText(whole.subarray(0, length)), undefined, `${length}`);
  }
  t.is(cborText(new Uint8Array([...whole, 0])), undefined);
  for (const hex of [
    "",
    "00",
    "20",
    "f4",
    "ff",
    "60",
    "61 61",
    "81",
    "9f",
    "bf 01 ff",
    "81 ff",
    "81 1c",
    "81 fe",
    "81 62 c328",
  ]) {
    t.is(cborText(ofHex(hex)), undefined, hex);
  }
  t.is(cborText(new TextEncoder().encode('{"a":1}')), undefined);
});

test("lengths beyond the bytes and deep nesting end at once", (t) => {
  for (const hex of [
    "9b ffffffffffffffff",
    "9a ffffffff",
    "bb 7fffffffffffffff 00",
    "81 5b ffffffffffffffff",
    "81 7a ffffffff 61",
  ]) {
    t.is(cborText(ofHex(hex)), undefined, hex);
  }
  const nested = (depth: number): Uint8Array =>
    new Uint8Array([...Array.from({ length: depth }, () => 0x81), 0x80]);
  t.not(cborText(nested(20)), undefined);
  t.is(cborText(nested(40)), undefined);
  t.is(cborText(nested(CBOR_BYTES_MAX - 1)), undefined);
  const tags = new Uint8Array([0x81, ...Array.from({ length: 1000 }, () => 0xc1), 0x00]);
  t.is(cborText(tags), undefined);
});

test("what is long in notation stays within bounds, and what is too long is not looked at", (t) => {
  const head = [...Array.from({ length: 28 }, () => 0x81), 0x9a];
  const count = CBOR_BYTES_MAX - head.length - 4;
  const items = [(count >>> 24) & 0xff, (count >>> 16) & 0xff, (count >>> 8) & 0xff, count & 0xff];
  const wide = new Uint8Array([...head, ...items, ...new Uint8Array(count)]);
  t.is(wide.length, CBOR_BYTES_MAX);
  t.true((cborText(wide)?.length ?? 0) < 100 * CBOR_BYTES_MAX);
  // Each empty text in pieces makes the notation be cut and put together again.
  const pieces = new Uint8Array(CBOR_BYTES_MAX).fill(0x7f);
  pieces[0] = 0x9f;
  for (let at = 2; at < pieces.length; at += 2) pieces[at] = 0xff;
  pieces[pieces.length - 1] = 0xff;
  t.true((flat(pieces)?.length ?? 0) < 100 * CBOR_BYTES_MAX);
  t.is(cborText(encoder.encode([new Uint8Array(CBOR_BYTES_MAX)])), undefined);
});
