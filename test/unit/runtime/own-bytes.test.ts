/** What goes to another thread carries its own bytes, and nothing of the buffers that they were views of. */
import test from "ava";
import { parcelOf } from "../../../runtime/lanes/own-bytes.ts";

const SLAB = new Uint8Array(64 * 1024);

function letter(message: object): { to: string; message: object } {
  return { to: "changes", message };
}

function viewOf(length: number): Uint8Array {
  return SLAB.subarray(100, 100 + length);
}

for (const [where, message, bytesOf] of [
  ["a field", { bytes: viewOf(10) }, (m: never) => m["bytes"]],
  ["an array", { records: [new Uint8Array(3), viewOf(10)] }, (m: never) => m["records"][1]],
  [
    "what is in an array",
    { changes: [{ kind: "data", data: viewOf(10) }] },
    (m: never) => m["changes"][0]["data"],
  ],
] as const) {
  test(`bytes in ${where} of a message own their buffer`, (t) => {
    const [sent] = parcelOf([letter(message)]).letters;
    const bytes = bytesOf(sent?.message as never) as Uint8Array;
    t.is(bytes.buffer.byteLength, 10);
    t.is((bytesOf(message as never) as Uint8Array).buffer, SLAB.buffer, "the sender's stay");
  });
}

test("a message without views goes as it is", (t) => {
  const message = { kind: "a", bytes: new Uint8Array(4), list: [{ id: 1 }, { id: 2 }], n: [1, 2] };
  const one = letter(message);
  t.is(parcelOf([one]).letters[0], one);
});

test("what two messages hold is copied once", (t) => {
  const change = { kind: "data", data: viewOf(10) };
  const both = parcelOf([letter({ changes: [change] }), letter({ changes: [change] })]).letters;
  const [a, b] = both.map(({ message }) => (message as { changes: readonly object[] }).changes[0]);
  t.not(a, change);
  t.is(a, b);
});

test("a large copy is handed over, a small one and what is not a copy are not", (t) => {
  const { letters, transfer } = parcelOf([
    letter({ bytes: viewOf(20_000), small: viewOf(5), own: new Uint8Array(20_000) }),
  ]);
  const sent = letters[0]?.message as { bytes: Uint8Array } | undefined;
  t.deepEqual(transfer, [sent?.bytes.buffer]);
});
