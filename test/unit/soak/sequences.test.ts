/** The checker of sequential nodes finds every planted violation, and none in a history without one. */
import test from "ava";
import { type FinalNode, Sequences, tokenOf } from "../../soak/sequences.ts";
import { Violations } from "../../soak/violations.ts";

type Checked = { readonly violations: Violations; readonly sequences: Sequences };

/** Client `a` has sent three writes, of which the first and the last were acknowledged. */
function checked(): Checked {
  const violations = new Violations();
  const sequences = new Sequences(violations);
  sequences.sent("a", 3);
  sequences.acknowledged(tokenOf("a", 1), "/n-0", 1n);
  sequences.acknowledged(tokenOf("a", 3), "/n-2", 3n);
  return { violations, sequences };
}

const node = (number: number, data: string): FinalNode => {
  return { path: `/n-${number}`, data, czxid: BigInt(number + 1) };
};
const rules = ({ violations }: Checked): readonly string[] => [...violations.counts.keys()];

test("a write without an answer may be there or not", (t) => {
  const all = checked();
  all.sequences.final("node 1", [node(0, "a:1"), node(1, "a:2"), node(2, "a:3")]);
  all.sequences.final("node 2", [node(0, "a:1"), node(2, "a:3")]);
  t.deepEqual(rules(all), []);
  t.is(all.sequences.count, 2);
});

test("an acknowledged write that is missing is reported", (t) => {
  const all = checked();
  all.sequences.final("node 1", [node(0, "a:1")]);
  t.deepEqual(all.violations.kept, [
    { rule: "lost-write", text: "node 1: /n-2 (a:3) is not there" },
  ]);
});

test("an acknowledged write whose name holds something else is reported", (t) => {
  const all = checked();
  all.sequences.final("node 1", [node(0, "a:1"), node(2, "a:2")]);
  t.deepEqual(rules(all), ["lost-write"]);
});

test("an acknowledged write at another zxid is reported", (t) => {
  const all = checked();
  all.sequences.final("node 1", [node(0, "a:1"), { ...node(2, "a:3"), czxid: 7n }]);
  t.deepEqual(rules(all), ["lost-write"]);
});

test("a write that is there twice is reported", (t) => {
  const all = checked();
  all.sequences.final("node 1", [node(0, "a:1"), node(2, "a:3"), node(3, "a:3")]);
  t.deepEqual(rules(all), ["written-twice"]);
});

test("a write that nobody sent is reported", (t) => {
  const all = checked();
  all.sequences.final("node 1", [node(0, "a:1"), node(2, "a:3"), node(3, "a:4"), node(4, "b:1")]);
  t.deepEqual(all.violations.counts, new Map([["invented", 2]]));
});

test("writes of one client that come in another order than they were sent are reported", (t) => {
  const all = checked();
  all.sequences.final("node 1", [node(0, "a:1"), node(2, "a:3"), node(3, "a:2")]);
  t.deepEqual(rules(all), ["fifo"]);
});

test("answers that say another order than the writes were sent in are reported", (t) => {
  const all = checked();
  all.sequences.sent("a", 4);
  all.sequences.acknowledged(tokenOf("a", 4), "/n-9", 2n);
  t.deepEqual(rules(all), ["fifo"]);
});

test("a name given to two writes is reported", (t) => {
  const all = checked();
  all.sequences.acknowledged(tokenOf("b", 1), "/n-2", 4n);
  t.deepEqual(rules(all), ["name-twice"]);
});

test("a part of a multi that must fail is reported", (t) => {
  const all = checked();
  all.sequences.mustFail(tokenOf("a", 2));
  all.sequences.final("node 1", [node(0, "a:1"), node(1, "a:2"), node(2, "a:3")]);
  t.deepEqual(rules(all), ["refused-write"]);
});
