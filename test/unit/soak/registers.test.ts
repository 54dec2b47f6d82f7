/** The checker of nodes that are only set finds every planted violation, and none in a history without one. */
import test from "ava";
import { Registers } from "../../soak/registers.ts";
import { Violations } from "../../soak/violations.ts";

const PATH = "/register";

type Checked = { readonly violations: Violations; readonly registers: Registers };

function checked(...tokens: readonly string[]): Checked {
  const violations = new Violations();
  const registers = new Registers(violations);
  registers.created(PATH, "first", 1n);
  for (const token of tokens) registers.sent(token);
  return { violations, registers };
}

const seen = (version: number, token: string): Parameters<Registers["read"]>[0] => {
  return { path: PATH, version, token, mzxid: BigInt(version + 1) };
};

const rules = ({ violations }: Checked): readonly string[] => [...violations.counts.keys()];

test("a linearizable history has no violation", (t) => {
  const all = checked("a", "b");
  const { registers } = all;
  registers.set(seen(1, "a"), registers.floor(PATH));
  const floor = registers.floor(PATH);
  registers.set(seen(2, "b"), floor);
  registers.read(seen(2, "b"), floor);
  registers.read(seen(1, "a"), undefined);
  registers.final("node 1", seen(2, "b"));
  registers.checkOrder();
  t.deepEqual(rules(all), []);
});

test("a set that takes effect before what was complete when it was sent is reported", (t) => {
  const all = checked("a", "b");
  all.registers.set(seen(2, "b"), 0);
  all.registers.set(seen(1, "a"), all.registers.floor(PATH));
  t.deepEqual(rules(all), ["write-order"]);
});

test("a read after a sync that misses a complete write is reported", (t) => {
  const all = checked("a");
  all.registers.set(seen(1, "a"), 0);
  all.registers.read(seen(0, "first"), all.registers.floor(PATH));
  t.deepEqual(rules(all), ["sync-read"]);
});

test("two acknowledged sets with the same version are reported", (t) => {
  const all = checked("a", "b");
  all.registers.set(seen(1, "a"), 0);
  all.registers.set(seen(1, "b"), 0);
  t.deepEqual(rules(all), ["two-values"]);
});

test("a version that has two zxids is reported", (t) => {
  const all = checked("a");
  all.registers.set(seen(1, "a"), 0);
  all.registers.read({ ...seen(1, "a"), mzxid: 9n }, undefined);
  t.deepEqual(rules(all), ["two-values"]);
});

test("a set that took effect twice is reported", (t) => {
  const all = checked("a");
  all.registers.set(seen(1, "a"), 0);
  all.registers.read(seen(2, "a"), undefined);
  t.deepEqual(rules(all), ["written-twice"]);
});

test("a value that nobody has sent is reported", (t) => {
  const all = checked();
  all.registers.read(seen(1, "a"), undefined);
  t.deepEqual(rules(all), ["invented"]);
});

test("a node that ends before a version that was seen is reported", (t) => {
  const all = checked("a");
  all.registers.set(seen(1, "a"), 0);
  all.registers.final("node 2", seen(0, "first"));
  t.deepEqual(rules(all), ["lost-write"]);
});

test("a later version with an earlier zxid is reported", (t) => {
  const all = checked("a", "b");
  all.registers.set({ ...seen(1, "a"), mzxid: 9n }, 0);
  all.registers.set({ ...seen(2, "b"), mzxid: 8n }, 0);
  all.registers.checkOrder();
  t.deepEqual(rules(all), ["write-order"]);
});

test("a refused set that is seen, before or after the refusal, is reported", (t) => {
  const before = checked("a");
  before.registers.read(seen(1, "a"), undefined);
  before.registers.refused("a");
  const after = checked("a");
  after.registers.refused("a");
  after.registers.read(seen(1, "a"), undefined);
  t.deepEqual([rules(before), rules(after)], [["refused-write"], ["refused-write"]]);
});
