/** Every answer that contradicts the history is reported, and none that fits it; the stream's own contradictions too. */
import test from "ava";
import type { Change } from "../../../protocol/reads.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { Truth, type Witness } from "../../soak/truth.ts";
import { Violations } from "../../soak/violations.ts";

const ROOT = "/soak";
const PATH = `${ROOT}/register`;
const TIME_MS = 1000;

function statOf(zxid: number, also: object = {}): Stat {
  const at = zxid as Zxid;
  return {
    ...{ czxid: at, mzxid: at, pzxid: at, ctime: TIME_MS, mtime: TIME_MS },
    ...{ version: 0, cversion: 0, aversion: 0, ephemeralOwner: 0, dataLength: 1, numChildren: 0 },
    ...also,
  };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const CREATED: Change = {
  ...{ zxid: 11 as Zxid, index: 0, kind: "created", path: PATH, data: bytes("a") },
  stat: statOf(11),
};
const SET_STAT = statOf(11, { mzxid: 12, version: 1 });
const SET: Change = {
  ...{ zxid: 12 as Zxid, index: 0, kind: "data", path: PATH, data: bytes("b") },
  stat: SET_STAT,
};
const LIVE: Change = {
  ...{ zxid: 13 as Zxid, index: 0, kind: "created", path: `${ROOT}/e`, data: bytes("e") },
  stat: statOf(13, { ephemeralOwner: 7 }),
};
const GONE: Change = { ...LIVE, zxid: 14 as Zxid, kind: "deleted", stat: LIVE.stat };
const ALL = [CREATED, SET, LIVE, GONE];

type Told = { readonly truth: Truth; readonly witness: Witness };

/** What was found once the stream has told all, when the client was told these things before. */
function found(act: (told: Told) => void, changes: readonly Change[] = ALL): readonly string[] {
  const violations = new Violations();
  const truth = new Truth(violations, {
    path: ROOT,
    stat: statOf(10, { dataLength: 0 }),
    data: null,
  });
  act({ truth, witness: truth.witness("client") });
  for (const change of changes) truth.change(change);
  truth.through(20 as Zxid);
  return violations.kept.map(({ rule, text }) => `${rule}: ${text}`);
}

function read(witness: Witness, zxid: number, data: string, stat: Stat): void {
  const body = { kind: "data", data: bytes(data), stat } as const;
  witness.read({ read: "getData", path: PATH, zxid: zxid as Zxid, code: 0, body });
}

test("answers that fit the history are all compared and none is reported", (t) => {
  let all: Truth | undefined;
  const violated = found(({ truth, witness }) => {
    all = truth;
    read(witness, 11, "a", statOf(11));
    witness.watch("data", PATH, 11 as Zxid);
    witness.event({ type: 3, path: PATH }, 12 as Zxid);
    witness.replied(12 as Zxid);
    witness.wrote({ path: PATH, zxid: 12 as Zxid, data: "b", stat: SET_STAT });
    read(witness, 13, "b", SET_STAT);
    witness.wrote({ path: `${ROOT}/e`, zxid: 14 as Zxid, data: undefined });
    t.is(truth.compared, 0);
  });
  t.deepEqual(violated, []);
  t.is(all?.compared, 6);
});

test("a read of what was there at another moment is reported", (t) => {
  const early = found(({ witness }) => read(witness, 11, "b", SET_STAT));
  const late = found(({ witness }) => read(witness, 12, "a", statOf(11)));
  t.regex(early.join(), /^history: true replies: client: getData \/soak\/register/);
  t.regex(late.join(), /^history: true replies/);
});

test("one wrong field of a stat is reported", (t) => {
  const wrong = found(({ witness }) => read(witness, 12, "b", { ...SET_STAT, mtime: 1001 }));
  t.regex(wrong.join(), /mtime is 1001, not 1000/);
});

test("a read that finds nothing where something is, and something where nothing is, are reported", (t) => {
  const body = { kind: "nothing" } as const;
  const nothing = found(({ witness }) => {
    witness.read({ read: "getData", path: PATH, zxid: 11 as Zxid, code: -101, body });
  });
  const something = found(({ witness }) => {
    const there = { kind: "stat", stat: LIVE.stat } as const;
    const path = `${ROOT}/e`;
    witness.read({ read: "exists", path, zxid: 14 as Zxid, code: 0, body: there });
  });
  t.regex(nothing.join(), /it is there/);
  t.regex(something.join(), /no node is there/);
});

test("a list of children from another moment is reported", (t) => {
  const stat = statOf(10, { dataLength: 0, pzxid: 13, cversion: 2, numChildren: 2 });
  const listed = (children: readonly string[]): readonly string[] =>
    found(({ witness }) => {
      const body = { kind: "children", children, stat } as const;
      witness.read({ read: "getChildren", path: ROOT, zxid: 13 as Zxid, code: 0, body });
    });
  t.deepEqual(listed(["e", "register"]), []);
  t.regex(listed(["register"]).join(), /children register/);
});

test("an acknowledged write that is not in the history at its zxid is reported", (t) => {
  const at = (zxid: number, data: string | undefined): readonly string[] =>
    found(({ witness }) => witness.wrote({ path: PATH, zxid: zxid as Zxid, data }));
  t.deepEqual(at(12, "b"), []);
  t.regex(at(13, "b").join(), /acknowledged and did not happen then/);
  t.regex(at(12, "c").join(), /left other data/);
  t.regex(at(12, undefined).join(), /left it there/);
});

test("a missed, an invented and a repeated event are reported", (t) => {
  const missed = found(({ witness }) => {
    witness.watch("data", PATH, 11 as Zxid);
    witness.replied(12 as Zxid);
  });
  const invented = found(({ witness }) => witness.event({ type: 3, path: PATH }, 12 as Zxid));
  const twice = found(({ witness }) => {
    witness.watch("data", PATH, 11 as Zxid);
    for (let count = 0; count < 2; count += 1) witness.event({ type: 3, path: PATH }, 12 as Zxid);
  });
  t.regex(missed.join(), /history: watches: client: a reply of .* before the event/);
  t.regex(invented.join(), /an event nobody waited for/);
  t.regex(twice.join(), /an event nobody waited for/);
});

test("a watch asked for again over a reconnect fires for what changed in between, and for nothing else", (t) => {
  const again = (events: readonly number[], after: number): readonly string[] =>
    found(({ witness }) => {
      witness.watch("data", PATH, 11 as Zxid);
      witness.disconnected();
      witness.reset(after as Zxid);
      for (const zxid of events) witness.event({ type: 3, path: PATH }, zxid as Zxid);
      witness.resetDone(13 as Zxid);
    });
  t.deepEqual(again([13], 11), []);
  t.regex(again([], 11).join(), /setWatches/);
  t.deepEqual(again([], 12), []);
  t.regex(again([13], 12).join(), /setWatches/);
});

test("a stream whose stats do not follow from its changes is reported, and nothing is compared with it then", (t) => {
  const violations = new Violations();
  const truth = new Truth(violations, {
    path: ROOT,
    stat: statOf(10, { dataLength: 0 }),
    data: null,
  });
  truth.change(CREATED);
  truth.change({ ...SET, stat: { ...SET_STAT, version: 2 } });
  t.is(violations.total, 1);
  t.true(truth.isOver);
  read(truth.witness("client"), 11, "z", statOf(11));
  truth.through(20 as Zxid);
  t.is(violations.total, 1);
});

test("after an announced gap nothing is compared", (t) => {
  const gap = found(({ truth, witness }) => {
    truth.compacted();
    read(witness, 11, "z", statOf(11));
  });
  t.deepEqual(gap, []);
});

test("a tree that differs from the history in a field, by a node too few or too many, is reported", (t) => {
  const root = {
    path: ROOT,
    data: "",
    stat: statOf(10, { dataLength: 0, pzxid: 14, cversion: 3, numChildren: 1 }),
  };
  const register = { path: PATH, data: "b", stat: SET_STAT };
  const checked = (tree: readonly (typeof register)[]): number => {
    const violations = new Violations();
    const truth = new Truth(violations, {
      path: ROOT,
      stat: statOf(10, { dataLength: 0 }),
      data: null,
    });
    for (const change of ALL) truth.change(change);
    truth.through(20 as Zxid);
    truth.checkTree("node 1", tree);
    return violations.total;
  };
  t.is(checked([root, register]), 0);
  t.is(checked([root]), 1);
  t.is(checked([root, register, { path: `${ROOT}/e`, data: "e", stat: LIVE.stat }]), 1);
  t.is(checked([root, { ...register, data: "a" }]), 1);
  t.is(checked([root, { ...register, stat: { ...SET_STAT, mtime: 1 } }]), 1);
});
