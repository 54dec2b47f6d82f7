/** In what two znodes differ, and what makes the target's equal. */
import test from "ava";
import { differencesOf, type Pair, stepsFor } from "../../../cli/migrate/difference.ts";
import { ABSENT, createsOf, type LifetimeReading, type Look } from "../../../cli/migrate/znode.ts";
import { type Acl, OPEN_ACL } from "../../../protocol/acl.ts";
import { CONTAINER } from "../../../protocol/lifetime.ts";
import { type Stat, STAT_FIELDS } from "../../../protocol/stat.ts";

const NO_STAT = Object.fromEntries(STAT_FIELDS.map((field) => [field, 0])) as unknown as Stat;
const READ_ONLY: readonly Acl[] = [{ scheme: "world", id: "anyone", permissions: 1 }];

type Of = {
  readonly data?: string | null;
  readonly acl?: readonly Acl[];
  readonly lifetime?: LifetimeReading;
  readonly stat?: Partial<Stat>;
};

function found({ data = "x", acl = OPEN_ACL, lifetime = "none", stat = {} }: Of = {}): Look {
  const bytes = data === null ? null : new TextEncoder().encode(data);
  return { kind: "found", znode: { data: bytes, acl, lifetime, stat: { ...NO_STAT, ...stat } } };
}

function pair(source: Look, target: Look): Pair {
  return { path: "/a", source, target };
}

/** The kinds of differences, and of the steps that end them. */
function told(source: Look, target: Look): readonly [string, string] {
  const both = pair(source, target);
  const kinds = differencesOf(both).map(({ kind }) => kind);
  return [
    kinds.join(" "),
    stepsFor(both)
      .map(({ kind }) => kind)
      .join(" "),
  ];
}

const EPHEMERAL = found({ stat: { ephemeralOwner: 7 } });

test("equal znodes differ in nothing, whatever their zxids and times are", (t) => {
  const other = found({ stat: { czxid: 5 as Stat["czxid"], mtime: 7, aversion: 2 } });
  t.deepEqual(told(found(), other), ["", ""]);
  t.deepEqual(told(ABSENT, ABSENT), ["", ""]);
});

test("data, lists and lifetimes are told apart", (t) => {
  t.deepEqual(told(found({ data: "y" }), found()), ["data", "setData"]);
  t.deepEqual(told(found({ data: null }), found({ data: "" })), ["data", "setData"]);
  t.deepEqual(told(found({ acl: READ_ONLY }), found()), ["acl", "setAcl"]);
  t.deepEqual(told(found({ lifetime: CONTAINER }), found()), ["lifetime", "delete create"]);
  t.deepEqual(told(found({ lifetime: "unknown" }), found({ lifetime: CONTAINER })), ["", ""]);
  t.deepEqual(
    told(found({ lifetime: CONTAINER }), found({ stat: { numChildren: 1, cversion: 1 } })),
    ["lifetime", ""],
    "what has children cannot be made again",
  );
});

test("the order of a list's entries means nothing, what stands in it does", (t) => {
  const both = [...READ_ONLY, { scheme: "ip", id: "10.0.0.1", permissions: 31 }];
  t.deepEqual(told(found({ acl: both }), found({ acl: both.toReversed() })), ["", ""]);
  t.deepEqual(told(found({ acl: both }), found({ acl: READ_ONLY })), ["acl", "setAcl"]);
});

test("ephemerals are nothing to copy, and stand in nobody's way", (t) => {
  t.deepEqual(told(EPHEMERAL, ABSENT), ["", ""]);
  t.deepEqual(told(ABSENT, EPHEMERAL), ["", ""]);
  t.deepEqual(told(EPHEMERAL, EPHEMERAL), ["", ""]);
  t.deepEqual(told(EPHEMERAL, found()), ["extra", "delete"]);
  t.deepEqual(told(found(), EPHEMERAL), ["missing", "delete create"]);
});

test("what one of them does not show is a difference about which nothing is done", (t) => {
  t.deepEqual(told({ kind: "hidden" }, found()), ["hidden", ""]);
  t.deepEqual(told(found(), { kind: "hidden" }), ["hidden", ""]);
});

test("a created znode keeps its data, list and lifetime", (t) => {
  const [step] = stepsFor(pair(found({ data: null, acl: READ_ONLY, lifetime: CONTAINER }), ABSENT));
  t.deepEqual(step, {
    ...{ kind: "create", path: "/a", data: null, acl: READ_ONLY },
    mode: { ephemeral: false, sequential: false, lifetime: CONTAINER },
  });
});

test("a sequence counter is how many children were ever made, also beyond 31 bits of cversion", (t) => {
  t.is(createsOf({ cversion: 0, numChildren: 0 }), 0);
  t.is(createsOf({ cversion: 7, numChildren: 1 }), 4);
  t.is(createsOf({ cversion: 3, numChildren: 3 }), 3);
  // ZooKeeper's root, whose first child nobody has made.
  t.is(createsOf({ cversion: -1, numChildren: 1 }), 0);
  const creates = 2 ** 30 + 5;
  t.is(createsOf({ cversion: (2 * creates - 2) | 0, numChildren: 2 }), creates);
});

test("a counter that is larger at the target is no difference, a smaller one is", (t) => {
  const [few, many] = [found({ stat: { cversion: 4 } }), found({ stat: { cversion: 10 } })];
  t.deepEqual(told(few, many), ["", ""]);
  t.deepEqual(told(many, few), ["sequence", ""]);
});

test("versions rise by as many sets as are missing, of which the last leaves the data", (t) => {
  const source = found({ data: "x", stat: { version: 3 } });
  const made = stepsFor(pair(source, ABSENT));
  t.deepEqual(
    made.map(({ kind }) => kind),
    ["create", "setData", "setData", "setData"],
  );
  t.like(made.at(-1), { data: new TextEncoder().encode("x") });
  t.deepEqual(told(source, found({ stat: { version: 1 } })), ["version", "setData setData"]);
  t.deepEqual(told(source, found({ stat: { version: 9 } })), ["", ""], "none can be taken back");
  t.deepEqual(told(source, found({ data: "y", stat: { version: 9 } })), ["data", "setData"]);
  const far = found({ stat: { version: 70_000 } });
  t.deepEqual(told(far, ABSENT), ["missing", "create"], "what is far behind is raised apart");
  t.deepEqual(told(far, found()), ["version", ""]);
});
