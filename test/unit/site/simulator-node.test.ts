/** What the page of the simulator has in the place of Node's modules does as those do. */
import { createHash } from "node:crypto";
import { crc32 as crc32OfNode } from "node:zlib";
import test from "ava";
import fc from "fast-check";
import { Buffer as ForBrowsers } from "../../../site/simulator/node/buffer.ts";
import { createHash as createHashForBrowsers } from "../../../site/simulator/node/crypto.ts";
import { crc32 } from "../../../site/simulator/node/zlib.ts";

const ENCODINGS = ["utf8", "latin1", "base64", "hex"] as const;
const bytesArbitrary = fc.uint8Array({ maxLength: 40 });
/** Any UTF-16, whole or not. */
const textArbitrary = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) });
const rangeArbitrary = fc.tuple(fc.nat(45), fc.nat(45));

test("texts are read from bytes as Node reads them, also from bytes that are none", (t) => {
  fc.assert(
    fc.property(
      bytesArbitrary,
      rangeArbitrary,
      fc.constantFrom(...ENCODINGS),
      (bytes, [from, to], encoding) => {
        const read = ForBrowsers.from(bytes).toString(encoding, from, to);
        t.is(read, Buffer.from(bytes).toString(encoding, from, to));
      },
    ),
  );
});

test("texts become the bytes that Node makes of them, as far as there is space", (t) => {
  fc.assert(
    fc.property(
      textArbitrary,
      fc.nat(30),
      fc.nat(5),
      fc.constantFrom("utf8", "latin1"),
      (text, space, start, encoding) => {
        t.deepEqual([...ForBrowsers.from(text, encoding)], [...Buffer.from(text, encoding)]);
        t.is(ForBrowsers.byteLength(text, encoding), Buffer.byteLength(text, encoding));
        const [mine, theirs] = [ForBrowsers.alloc(start + space), Buffer.alloc(start + space)];
        t.is(mine.write(text, start, encoding), theirs.write(text, start, encoding));
        t.deepEqual([...mine], [...theirs]);
      },
    ),
  );
  t.is(ForBrowsers.from("AQID", "base64").toString("hex"), "010203");
});

test("slices are views, copies stop at an end, and comparison is by bytes, as with Node's", (t) => {
  fc.assert(
    fc.property(bytesArbitrary, bytesArbitrary, rangeArbitrary, (one, other, [from, to]) => {
      const [mine, theirs] = [ForBrowsers.from(one), Buffer.from(one)];
      t.deepEqual([...mine.slice(from, to)], [...theirs.subarray(from, to)]);
      t.is(mine.slice(from, to).buffer, mine.buffer);
      t.is(ForBrowsers.compare(one, other), Buffer.compare(one, other));
      t.deepEqual([...ForBrowsers.concat([one, other])], [...Buffer.concat([one, other])]);
      const [here, there] = [ForBrowsers.from(other), Buffer.from(other)];
      const at = Math.min(from, other.length);
      const start = Math.min(to, one.length);
      t.is(mine.copy(here, at, start), theirs.copy(there, at, start));
      t.deepEqual([...here], [...there]);
    }),
  );
});

test("bytes and texts are found where Node finds them", (t) => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "é"), maxLength: 12 });
  const sought = fc.oneof(letters, fc.nat(255));
  fc.assert(
    fc.property(letters, sought, fc.nat(12), (text, what, from) => {
      const [mine, theirs] = [ForBrowsers.from(text), Buffer.from(text)];
      const at = Math.min(from, theirs.length);
      t.is(mine.indexOf(what, at), theirs.indexOf(what, at));
      t.is(mine.includes(what, at), theirs.includes(what, at));
    }),
  );
});

test("numbers are read and written as Node does, at their places", (t) => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      (one, wide) => {
        const [mine, theirs] = [ForBrowsers.alloc(20).subarray(3), Buffer.alloc(20).subarray(3)];
        for (const bytes of [mine as InstanceType<typeof ForBrowsers>, theirs]) {
          bytes.writeInt32BE(one, 1);
          bytes.writeBigInt64BE(wide, 5);
        }
        t.deepEqual([...mine], [...theirs]);
        const back = ForBrowsers.from(mine.buffer, 3, 17);
        t.is(back.readInt32BE(1), one);
        t.is(back.readBigInt64BE(5), wide);
        t.is(back.readUInt8(1), theirs.readUInt8(1));
      },
    ),
  );
});

test("checksums and hashes are Node's", (t) => {
  fc.assert(
    fc.property(bytesArbitrary, textArbitrary, fc.nat(0xffff_ffff), (bytes, text, before) => {
      t.is(crc32(bytes, before), crc32OfNode(bytes, before));
      t.is(crc32(text), crc32OfNode(text));
      const mine = createHashForBrowsers("sha1").update(bytes).update(text);
      const theirs = createHash("sha1").update(bytes).update(text);
      t.is(mine.digest("base64"), theirs.digest("base64"));
    }),
  );
  t.throws(() => createHashForBrowsers("md5"), { message: /by sha1 alone/ });
});
