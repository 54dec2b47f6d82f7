/** Frames: however a stream is cut into chunks, the same frames come out. */
import test from "ava";
import fc from "fast-check";
import { FrameReader } from "../../../protocol/zookeeper/frames.ts";
import { frame } from "../../support/jute.ts";

const LENGTH_MAX = 1000;

function framesOf(stream: Buffer, cuts: readonly number[]): string[] {
  const reader = new FrameReader();
  const found: { readonly bytes: Buffer; readonly hex: string }[] = [];
  let from = 0;
  for (const to of [
    ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b),
    stream.length,
  ]) {
    reader.push(Buffer.from(stream.subarray(from, to)));
    from = to;
    for (let next = reader.next(LENGTH_MAX); next !== undefined; next = reader.next(LENGTH_MAX)) {
      if (next.kind === "badLength") return [...found.map(({ hex }) => hex), `bad ${next.length}`];
      const bytes = next.bytes.subarray(next.from, next.to);
      found.push({ bytes, hex: bytes.toString("hex") });
    }
    reader.settle();
  }
  // A frame handed out earlier must not have been written over.
  return found.map(({ bytes, hex }) => (bytes.toString("hex") === hex ? hex : "overwritten"));
}

test("any cutting of a stream into chunks gives the same frames", (t) => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(5000), { maxLength: 40 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.map((body) => frame(Buffer.from(body))));
      t.deepEqual(
        framesOf(stream, cuts),
        sent.map((body) => Buffer.from(body).toString("hex")),
      );
    }),
  );
});

test("a stream of single bytes gives the same frames", (t) => {
  const stream = Buffer.concat([frame(Buffer.alloc(700, 1)), frame(Buffer.from("b"))]);
  const cuts = Array.from({ length: stream.length }, (_, index) => index);
  t.deepEqual(framesOf(stream, cuts), framesOf(stream, []));
});

test("a length that is negative or too large is a fault, seen with its fourth byte", (t) => {
  for (const hex of ["7fffffff", "80000000", "ffffffff", "000003e9"]) {
    const reader = new FrameReader();
    reader.push(Buffer.from(hex.slice(0, 6), "hex"));
    t.is(reader.next(LENGTH_MAX), undefined);
    reader.settle();
    reader.push(Buffer.from(hex.slice(6), "hex"));
    const length = Buffer.from(hex, "hex").readInt32BE();
    const fault = { kind: "badLength", length } as const;
    t.deepEqual(reader.next(LENGTH_MAX), fault);
    t.is(reader.hasNext(LENGTH_MAX), length < 0, "the header of a long request is still to come");
    reader.push(Buffer.alloc(8, 1));
    t.true(reader.hasNext(LENGTH_MAX));
    t.deepEqual(reader.next(LENGTH_MAX), fault);
  }
});

test("what is thrown away is gone, and what is behind it is read", (t) => {
  const reader = new FrameReader();
  reader.push(Buffer.concat([Buffer.alloc(10), frame(Buffer.from("a"))]));
  t.is(reader.skip(10), 10);
  t.is(reader.next(LENGTH_MAX)?.kind, "frame");
  reader.push(Buffer.alloc(3));
  t.deepEqual([reader.skip(10), reader.buffered], [3, 0]);
});

test("what is kept grows with the bytes that came, not with the length they promise", (t) => {
  const reader = new FrameReader();
  reader.push(Buffer.from("000003e8", "hex"));
  t.is(reader.next(LENGTH_MAX), undefined);
  reader.settle();
  t.is(reader.buffered, 4);
});
