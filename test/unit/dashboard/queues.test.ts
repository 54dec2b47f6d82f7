/** What the dashboard recognises by the names of znodes: layouts as their clients make them. */
import test from "ava";
import {
  leasesIn,
  mayBeAbove,
  mayBeLeases,
  recognise,
  type Recognised,
  semaphoreOf,
  waitingAt,
} from "../../../dashboard/src/format/queues.ts";

type Told = Pick<Recognised<unknown>, "kind" | "layout" | "others"> & {
  readonly members: readonly string[];
};

function told(names: readonly string[], childrenOf: Readonly<Record<string, number>> = {}) {
  const seen = names.map((name) => ({ name, stat: { numChildren: childrenOf[name] ?? 0 } }));
  const recognised = recognise(seen);
  if (recognised === undefined) return undefined;
  const { kind, layout, others, members } = recognised;
  const texts = members.map(({ name, role, state }) => `${name} ${role} ${state}`);
  return { kind, layout, others, members: texts } satisfies Told;
}

const CURATOR = "_c_0f9a2c3e-5b1d-4a77-9c1e-8f2d3b4a5c6d-";
const KAZOO = "7d3ffb0f6a164e0b9b6f4f5f0f4d2c11";
const GUID = "0f9a2c3e-5b1d-4a77-9c1e-8f2d3b4a5c6d";

test("a lock of Curator is held by the first, whatever stands before the numbers", (t) => {
  const names = [`${CURATOR}lock-0000000012`, "lock-0000000013", `${CURATOR}lock-0000000009`];
  t.deepEqual(told([...names, "config"]), {
    ...{ kind: "lock", layout: "Curator", others: 1 },
    members: [`${names[2]} writer has`, `${names[0]} writer waits`, `${names[1]} writer waits`],
  });
});

test("a lock of Go's client, and one of Curator's, stand in one queue", (t) => {
  const names = [`_c_${KAZOO}-lock-0000000000`, `${CURATOR}lock-0000000001`];
  t.deepEqual(told(names)?.members, [`${names[0]} writer has`, `${names[1]} writer waits`]);
});

test("kazoo's lock, and ours in its layout beside it, stand in one queue", (t) => {
  const names = [`${GUID}__lock__0000000001`, `${KAZOO}__lock__0000000000`];
  t.deepEqual(told(names), {
    ...{ kind: "lock", layout: "kazoo", others: 0 },
    members: [`${names[1]} writer has`, `${names[0]} writer waits`],
  });
});

test("whoever waits in both layouts is shown in one order, with both named", (t) => {
  const names = [`${CURATOR}lock-0000000001`, `${KAZOO}__lock__0000000000`];
  t.like(told(names), {
    layout: "kazoo, Curator",
    members: [`${names[1]} writer has`, `${names[0]} writer waits`],
  });
});

test("numbers go round, and the order goes on", (t) => {
  const names = ["lock-2147483647", "lock--2147483648", "lock--000000001"];
  t.deepEqual(told(names.slice(0, 2))?.members, [
    "lock-2147483647 writer has",
    "lock--2147483648 writer waits",
  ]);
  t.deepEqual(told(["lock-0000000000", "lock--000000001"])?.members, [
    "lock--000000001 writer has",
    "lock-0000000000 writer waits",
  ]);
});

test("a latch of Curator is an election", (t) => {
  const name = `${CURATOR}latch-0000000003`;
  t.deepEqual(told([name]), {
    ...{ kind: "election", layout: "Curator", others: 0, members: [`${name} member has`] },
  });
});

test("readers before the first writer have a read/write lock, those behind it wait", (t) => {
  const curator = [
    "__READ__0000000001",
    "__READ__0000000002",
    "__WRIT__0000000003",
    "__READ__0000000004",
  ];
  t.deepEqual(told(curator.map((name) => CURATOR + name)), {
    ...{ kind: "readWriteLock", layout: "Curator", others: 0 },
    members: [
      `${CURATOR}__READ__0000000001 reader has`,
      `${CURATOR}__READ__0000000002 reader has`,
      `${CURATOR}__WRIT__0000000003 writer waits`,
      `${CURATOR}__READ__0000000004 reader waits`,
    ],
  });
  const kazoo = [`${KAZOO}__lock__0000000000`, `${KAZOO}__rlock__0000000001`];
  t.deepEqual(told(kazoo), {
    ...{ kind: "readWriteLock", layout: "kazoo", others: 0 },
    members: [`${kazoo[0]} writer has`, `${kazoo[1]} reader waits`],
  });
});

test("the newest lease of a semaphore may still wait, since no znode says how many may have one", (t) => {
  const names = ["0000000000", "0000000004"].map((number) => `${CURATOR}lease-${number}`);
  t.deepEqual(told(names), {
    ...{ kind: "semaphore", layout: "Curator", others: 0 },
    members: [`${names[0]} member has`, `${names[1]} member may`],
  });
});

test("the jobs of a queue come by priority and number, and one of ours with a child is taken", (t) => {
  const own = [`100-${GUID}-0000000001`, `100-${GUID}-0000000000`, `005-${GUID}-0000000002`];
  t.deepEqual(told(own, { [own[1] ?? ""]: 1 }), {
    ...{ kind: "queue", layout: "zooid", others: 0 },
    members: [`${own[2]} item waits`, `${own[1]} item has`, `${own[0]} item waits`],
  });
  t.like(told(["entry-100-0000000001", "entry-050-0000000002"]), {
    ...{ kind: "queue", layout: "kazoo" },
    members: ["entry-050-0000000002 item waits", "entry-100-0000000001 item waits"],
  });
  t.like(told(["qn-0000000003", "queue-0000000002"]), { kind: "queue", layout: "Curator" });
});

test("names that only look like members are none", (t) => {
  const strangers = [
    ...["lock-1", "lock-00000000001", "my-lock-0000000001", "lock-0000000001x", "lock-"],
    ...["__lock__0000000001x", `${KAZOO}__party__0000000001`, "_c_x-lock-0000000001"],
    ...["1000-0000000001", "entry-1-0000000001", "<img src=x>"],
  ];
  for (const name of strangers) t.is(told([name]), undefined, name);
  t.is(told([]), undefined);
});

test("the leases of a kazoo semaphore are in no order by their names, and those who wait stand in a lock beside it", (t) => {
  const lease = (name: string, czxid: string) => ({ name, stat: { czxid, ephemeralOwner: "0x1" } });
  const [first, second] = [KAZOO, "0b5c6f3de8a94c8e8f3a2b1c0d9e8f7a"] as const;
  const leases = [lease(second, "0x10000000a"), lease(first, "0x100000009")];
  t.true(mayBeLeases(leases));
  t.is(waitingAt("/pool"), "/pool-__lock__");
  const line = recognise([
    lease(`${first}__lock__0000000004`, "0x10000000c"),
    lease(`${second}__lock__0000000003`, "0x10000000b"),
  ]);
  const { kind, layout, members } = semaphoreOf(leases, line?.members ?? []);
  t.deepEqual([kind, layout], ["semaphore", "kazoo"]);
  t.deepEqual(
    members.map(({ name, state }) => `${name} ${state}`),
    [
      ...[`${first} has`, `${second} has`],
      ...[`${second}__lock__0000000003 waits`, `${first}__lock__0000000004 waits`],
    ],
  );
});

test("a semaphore of kazoo's says in its value how many leases there are, and what says no number is none", (t) => {
  t.is(leasesIn("3", 2), 3);
  t.is(leasesIn("3", 3), 3);
  for (const value of [null, "", "0", "-1", "1.5", "ada", " 3", "99999999"]) {
    t.is(leasesIn(value, 1), undefined, `${value}`);
  }
  t.is(leasesIn("3", 4), undefined, "more have one than may");
  const child = (name: string, ephemeralOwner: string | null = "0x1") => ({
    name,
    stat: { ephemeralOwner },
  });
  t.false(mayBeLeases([]));
  t.false(mayBeLeases([child(KAZOO, null)]), "it stays");
  t.false(mayBeLeases([child(KAZOO), child("config")]));
  for (const name of [`${KAZOO}__party__`, `${KAZOO}-ada`, GUID, KAZOO.slice(1), "f".repeat(32)]) {
    t.false(mayBeLeases([child(name)]), name);
  }
});

test("below a member nothing is looked for, and below all else", (t) => {
  t.false(mayBeAbove(`${CURATOR}lock-0000000001`));
  t.false(mayBeAbove(`100-${GUID}-0000000001`));
  t.true(mayBeAbove("locks"));
});
