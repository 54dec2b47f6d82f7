/** Jute: what is written is read back, and bytes that are no record are a fault, never an exception. */
import test from "ava";
import fc from "fast-check";
import { JuteReader, JuteWriter } from "../../../protocol/jute.ts";

type Field =
  | { readonly kind: "int32" | "int64"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "buffer"; readonly value: Uint8Array | null }
  | { readonly kind: "string"; readonly value: string | null };

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ kind: fc.constant("int32" as const), value: fc.integer() }),
  fc.record({ kind: fc.constant("int64" as const), value: fc.maxSafeInteger() }),
  fc.record({ kind: fc.constant("bool" as const), value: fc.boolean() }),
  fc.record({ kind: fc.constant("buffer" as const), value: fc.option(fc.uint8Array()) }),
  fc.record({
    kind: fc.constant("string" as const),
    value: fc.option(fc.string({ unit: "grapheme" })),
  }),
);

function write(writer: JuteWriter, each: Field): void {
  if (each.kind === "bool") writer.bool(each.value);
  else if (each.kind === "buffer") writer.buffer(each.value);
  else if (each.kind === "string") writer.string(each.value);
  else if (each.kind === "int32") writer.int32(each.value);
  else writer.int64(each.value);
}

function read(reader: JuteReader, kind: Field["kind"]): unknown {
  if (kind !== "buffer") return reader[kind]();
  const bytes = reader.buffer();
  return bytes === null ? null : Uint8Array.from(bytes);
}

test("fields of any kind are read back as they were written", (t) => {
  const writer = new JuteWriter();
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      for (const each of fields) write(writer, each);
      const reader = new JuteReader().reset(Buffer.from(writer.take()));
      for (const { kind, value } of fields) t.deepEqual(read(reader, kind), value);
      t.is(reader.left, 0);
      t.is(reader.fault, undefined);
    }),
  );
});

test("an int64 has the bytes of a 64-bit two's complement number", (t) => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const expected = Buffer.alloc(8);
      expected.writeBigInt64BE(BigInt(value));
      t.is(
        Buffer.from(new JuteWriter().int64(value).take()).toString("hex"),
        expected.toString("hex"),
      );
    }),
  );
});

test("what was taken keeps its bytes while more is written, beyond the size of a slab", (t) => {
  const writer = new JuteWriter();
  const taken = Array.from({ length: 40 }, (_, index) => {
    writer.buffer(Buffer.alloc(index * 1000, index));
    return writer.take();
  });
  taken.forEach((bytes, index) => {
    const reader = new JuteReader().reset(Buffer.from(bytes));
    t.true(reader.buffer()?.every((byte) => byte === index));
  });
});

test("a record cut short at any byte is a fault", (t) => {
  const writer = new JuteWriter()
    .int32(1)
    .int64(2)
    .bool(true)
    .buffer(Buffer.from("ab"))
    .string("é");
  const bytes = Buffer.from(writer.take());
  for (let length = 0; length < bytes.length; length += 1) {
    const reader = new JuteReader().reset(bytes, 0, length);
    reader.int32();
    reader.int64();
    reader.bool();
    reader.buffer();
    reader.string();
    t.not(reader.fault, undefined, `${length} bytes`);
  }
});

for (const [what, hex, fault] of [
  ["a negative length", "fffffffe", "a length is negative or beyond the bytes"],
  ["a length beyond the bytes", "0000000561", "a length is negative or beyond the bytes"],
] as const) {
  test(`a string of ${what} is a fault`, (t) => {
    const reader = new JuteReader().reset(Buffer.from(hex, "hex"));
    t.is(reader.string(), null);
    t.is(reader.fault, fault);
    t.is(reader.int32(), 0);
    t.is(reader.fault, fault);
  });
}

test("a count of more elements than the bytes can hold is a fault", (t) => {
  const reader = new JuteReader();
  t.is(reader.reset(Buffer.from("7fffffff00000000", "hex")).count(4), null);
  t.is(reader.fault, "a count is negative or beyond the bytes");
  t.is(reader.reset(Buffer.from("fffffffe", "hex")).count(4), null);
  t.is(reader.fault, "a count is negative or beyond the bytes");
  t.is(reader.reset(Buffer.from("ffffffff", "hex")).count(4), null);
  t.is(reader.fault, undefined);
});
