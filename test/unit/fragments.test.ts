/** Splitting and reassembling messages above a transport's limit. */
import test from "ava";
import { type Fragment, Reassembler, split } from "../../runtime/nats/fragments.ts";

const LIMITS = { bytesMax: 100, idleMs: 1000 };

function fragmentsOf(message: string, bytes: Uint8Array, bytesMax: number): Fragment[] {
  const parts = split(bytes, bytesMax);
  return parts.map((part, index) => ({ message, index, count: parts.length, bytes: part }));
}

test("a message of two senders at once comes out whole for each", (t) => {
  const reassembler = new Reassembler(LIMITS, () => 0);
  const a = Uint8Array.from({ length: 25 }, (_, index) => index);
  const b = Uint8Array.from({ length: 21 }, (_, index) => 200 - index);
  const whole: (Uint8Array | undefined)[] = [];
  const ofB = fragmentsOf("1", b, 10);
  for (const [index, fragment] of fragmentsOf("1", a, 10).entries()) {
    whole.push(reassembler.add("a", fragment));
    whole.push(reassembler.add("b", ofB[index] as Fragment));
  }
  t.deepEqual(whole, [undefined, undefined, undefined, undefined, a, b]);
  t.is(reassembler.pendingBytes, 0);
});

test("a message with a lost fragment never comes out, and the next one does", (t) => {
  const reassembler = new Reassembler(LIMITS, () => 0);
  const bytes = new Uint8Array(30);
  const [first, , third] = fragmentsOf("1", bytes, 10);
  t.is(reassembler.add("a", first as Fragment), undefined);
  t.is(reassembler.add("a", third as Fragment), undefined);
  t.is(reassembler.pendingBytes, 0);
  const last = fragmentsOf("2", bytes, 10).map((fragment) => reassembler.add("a", fragment));
  t.deepEqual(last.at(-1), bytes);
});

test("a fragment of another message does not complete one with the same index", (t) => {
  const reassembler = new Reassembler(LIMITS, () => 0);
  const bytes = new Uint8Array(20);
  reassembler.add("a", fragmentsOf("1", bytes, 10)[0] as Fragment);
  t.is(reassembler.add("a", fragmentsOf("2", bytes, 10)[1] as Fragment), undefined);
});

test("incomplete messages stay below the limit of bytes: the oldest goes", (t) => {
  const reassembler = new Reassembler(LIMITS, () => 0);
  const bytes = new Uint8Array(80);
  const [first, second] = fragmentsOf("1", bytes, 40);
  for (const sender of ["a", "b", "c"]) reassembler.add(sender, first as Fragment);
  t.true(reassembler.pendingBytes <= LIMITS.bytesMax);
  t.is(reassembler.add("a", second as Fragment), undefined);
  t.deepEqual(reassembler.add("c", second as Fragment), bytes);
});

test("a message that stopped growing is dropped at the next fragment of anyone", (t) => {
  let nowMs = 0;
  const reassembler = new Reassembler(LIMITS, () => nowMs);
  const [first] = fragmentsOf("1", new Uint8Array(20), 10);
  reassembler.add("a", first as Fragment);
  nowMs = 1001;
  reassembler.add("b", first as Fragment);
  t.is(reassembler.pendingBytes, 10);
});
