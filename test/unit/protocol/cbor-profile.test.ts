/** The CBOR that zooid speaks: what is within it and what is refused, and that nothing refused is ever decoded. */
import test from "ava";
import fc from "fast-check";
import {
  BATCH_CBOR,
  CborError,
  CLIENT_CBOR,
  decodeCbor,
  encodeCbor,
  PEER_CBOR,
} from "../../../protocol/cbor.ts";
import {
  cborFault,
  type CborFaultReason,
  type CborProfile,
} from "../../../protocol/cbor-profile.ts";
import { decodeBatch } from "../../../protocol/batch.ts";

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

function reasonOf(text: string, profile: CborProfile = PEER_CBOR): CborFaultReason | undefined {
  return cborFault(hex(text), profile)?.reason;
}

/** Plain data of the kinds that zooid writes. */
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
    fc.constantFrom(null, undefined, true, false),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(fc.stringMatching(/^[a-zA-Z]{1,12}$/), tie("value"), {
      maxKeys: 5,
      noNullPrototype: true,
    }),
  ),
}));

test("all that zooid writes is within the profile, and comes back as it was", (t) => {
  fc.assert(
    fc.property(value, (each) => {
      t.deepEqual(decodeCbor(new Uint8Array(encodeCbor(each)), PEER_CBOR), each);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("bytes that end too early are refused, wherever they end", (t) => {
  const bytes = encodeCbor({
    kind: "ping",
    list: [1, 2 ** 40, 1.5, "äö", new Uint8Array(300), -5],
  });
  t.is(cborFault(bytes, PEER_CBOR), undefined);
  for (let length = 0; length < bytes.length; length += 1) {
    t.not(cborFault(bytes.subarray(0, length), PEER_CBOR), undefined, `${length} bytes`);
  }
});

for (const [title, text, reason] of [
  ["a bignum", "c24101", "a tag"],
  ["a shared value", "d81c80", "a tag"],
  ["a reference to a shared value", "d81c81d81d00", "a tag"],
  ["a definition of a record", "d9dfff83190000818000", "a tag"],
  ["a record as cbor-x once wrote it", "d86983190000818000", "a tag"],
  ["a table of packed values", "d8338481010080e0", "a tag"],
  ["a set", "d9010280", "a tag"],
  ["a typed array", "d84041ff", "a tag"],
  ["an error object", "d81b8161", "a tag"],
  ["a date", "c100", "a tag"],
  ["a tag that says: this is CBOR", "d9d9f700", "a tag"],
  ["an array without a length", "9fff", "an indefinite length"],
  ["a byte string in pieces", "5f4100ff", "an indefinite length"],
  ["a break on its own", "ff", "an indefinite length"],
  ["a reserved length", "1c", "a reserved length"],
  ["an integer of 54 bits", "1b0020000000000000", "an integer beyond 53 bits"],
  ["a negative integer of 54 bits", "3b001fffffffffffff", "an integer beyond 53 bits"],
  ["a packed reference", "e0", "a simple value that is not false, true, null or undefined"],
  [
    "a simple value of two bytes",
    "f8ff",
    "a simple value that is not false, true, null or undefined",
  ],
  ["a half float", "f93c00", "a float that is not a finite double"],
  ["a single float", "fa3f800000", "a float that is not a finite double"],
  ["not a number", "fb7ff8000000000000", "a float that is not a finite double"],
  ["an infinity", "fbfff0000000000000", "a float that is not a finite double"],
  ["an array of four billion", "9affffffff", "a length is beyond its bytes"],
  ["a text of four billion bytes", "7bffffffffffffffff", "an integer beyond 53 bits"],
  ["a text longer than the bytes", "7861", "a length is beyond its bytes"],
  ["a text with a bare continuation", "6180", "a text that is not UTF-8"],
  ["a text with half a surrogate pair", "63eda080", "a text that is not UTF-8"],
  ["a text with an overlong slash", "62c0af", "a text that is not UTF-8"],
  ["bytes behind the value", "0000", "bytes follow its end"],
  ["nothing", "", "it ends too early"],
  ["a key that is a number", "a10001", "a key that is not a short text"],
  ["a key that is a list", "a18001", "a key that is not a short text"],
  ["a key of 65 bytes", `a17841${"61".repeat(65)}01`, "a key that is not a short text"],
  ["a key twice", "a2616101616102", "a key that is there twice"],
  ["a key twice, once written longer", "a261610178016102", "a key that is there twice"],
  ["the key __proto__", "a1695f5f70726f746f5f5f80", "a forbidden key"],
  ["the key __proto__, written longer", "a178095f5f70726f746f5f5f80", "a forbidden key"],
  ["33 keys", "b821", "a map with too many keys"],
  ["17 lists inside each other", `${"81".repeat(16)}80`, "it is nested too deeply"],
] as const satisfies readonly (readonly [string, string, CborFaultReason])[]) {
  test(`${title} is refused`, (t) => {
    t.is(reasonOf(text), reason);
    const error = t.throws(() => decodeCbor(hex(text), PEER_CBOR), { instanceOf: CborError });
    t.true(error.message.includes(reason));
  });
}

test("how deep an item may be does not depend on what it is", (t) => {
  const items = [
    "01",
    "6161",
    "4161",
    `590100${"61".repeat(256)}`,
    `fb${"00".repeat(8)}`,
    "f6",
    "20",
  ];
  for (const item of items) {
    t.is(reasonOf(`${"81".repeat(15)}${item}`), undefined, item);
    t.is(reasonOf(`${"81".repeat(16)}${item}`), "it is nested too deeply", item);
  }
});

test("an item is judged alike alone and in a list, which has a short way for most", (t) => {
  const near = fc
    .tuple(
      fc.constantFrom(0x00, 0x17, 0x18, 0x20, 0x40, 0x41, 0x58, 0x60, 0x62, 0x78, 0x80, 0xf6, 0xfb),
      fc.uint8Array({ maxLength: 30 }),
    )
    .map(([initial, rest]) => Uint8Array.of(initial, ...rest));
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(near, fc.uint8Array({ minLength: 1, maxLength: 30 })), (item) => {
      const alone = cborFault(item, PEER_CBOR)?.reason;
      if (alone === undefined) taken += 1;
      t.is(cborFault(Uint8Array.of(0x81, ...item), PEER_CBOR)?.reason, alone);
    }),
    { numRuns: 20_000 },
  );
  t.true(taken > 500, `${taken} were taken`);
});

test("16 lists inside each other, 32 keys and a key of 64 bytes are within the profile", (t) => {
  t.is(reasonOf(`${"81".repeat(15)}80`), undefined);
  const keys = Array.from(
    { length: 32 },
    (_, index) => `62${Buffer.from(`${10 + index}`).toString("hex")}00`,
  );
  t.is(reasonOf(`b820${keys.join("")}`), undefined);
  t.is(reasonOf(`a17840${"61".repeat(64)}01`), undefined);
});

test("clients and batches have no maps, and a client's frame has a limited number of items", (t) => {
  t.is(reasonOf("a0", CLIENT_CBOR), "a map");
  t.is(reasonOf("a0", BATCH_CBOR), "a map");
  const many = encodeCbor(Array.from({ length: CLIENT_CBOR.itemsMax }, () => 0));
  t.is(cborFault(many, CLIENT_CBOR)?.reason, "it has too many items");
  t.is(cborFault(many, BATCH_CBOR), undefined);
});

test("an integer of eight bytes is a number like any other", (t) => {
  t.is(decodeCbor(hex("1b001fffffffffffff"), CLIENT_CBOR), Number.MAX_SAFE_INTEGER);
  t.is(decodeCbor(hex("3b001ffffffffffffe"), CLIENT_CBOR), Number.MIN_SAFE_INTEGER);
  t.is(decodeCbor(hex("3b0000000100000000"), CLIENT_CBOR), -(2 ** 32) - 1);
});

test("batches are checked before they are decoded", (t) => {
  const shared = hex("81d81c81d81d00");
  t.throws(() => decodeBatch(shared), { instanceOf: CborError });
});
