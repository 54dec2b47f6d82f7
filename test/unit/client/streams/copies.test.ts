/**
 * Live copies against a replica: whatever is under way for however long, each view is what there was at its zxid, and the views tell of
 * everything.
 */
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { type ChildrenView, childrenFeed } from "../../../../client/streams/children.ts";
import type { Feed } from "../../../../client/streams/change-stream.ts";
import type { StreamEvent } from "../../../../client/streams/events.ts";
import { changesFeed } from "../../../../client/streams/changes.ts";
import { treeFeed, type TreeView } from "../../../../client/streams/tree.ts";
import { valueFeed } from "../../../../client/streams/value.ts";
import type { Acl } from "../../../../protocol/acl.ts";
import { ANYONE } from "../../../../protocol/identities.ts";
import type { ClientOperation } from "../../../../protocol/operations.ts";
import type { Stat } from "../../../../protocol/stat.ts";
import { bytes, create, multi, remove, setData } from "../../../support/replica.ts";
import { StreamEnsemble } from "../../../support/stream-ensemble.ts";

const CLOSED: readonly Acl[] = [{ permissions: 31, scheme: "digest", id: "ann:x" }];

const PATHS = ["/r", "/r/a", "/r/b", "/r/a/c", "/r/a/d", "/r/a/c/e", "/s"] as const;

type Command =
  | { readonly do: "write"; readonly operations: readonly ClientOperation[] }
  | { readonly do: "step"; readonly choice: number }
  | { readonly do: "reconnect" };

const operation = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constantFrom(...PATHS).map((path) => create(path, { data: bytes(path) })),
  },
  fc.constantFrom(...PATHS).map((path) => create(path, { data: bytes(path), ephemeral: true })),
  fc.constantFrom(...PATHS).map((path) => remove(path)),
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...PATHS), fc.nat(9))
      .map(([path, n]) => setData(path, bytes(`${n}`))),
  },
);
const write = fc
  .oneof(
    operation,
    fc.array(operation, { minLength: 2, maxLength: 3 }).map((each) => multi(...each)),
  )
  .map((each): Command => ({ do: "write", operations: [each] }));
const step = fc.nat(30).map((choice): Command => ({ do: "step", choice }));
const script = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: write },
    { weight: 9, arbitrary: step },
    { weight: 1, arbitrary: fc.constant<Command>({ do: "reconnect" }) },
  ),
  {
    maxLength: 80,
    size: "max",
  },
);
/** How many of the paths are there at first. */
const before = fc
  .nat(PATHS.length)
  .map((length) =>
    PATHS.slice(0, length).map((path): Command => ({ do: "write", operations: [create(path)] })),
  );

type Snapshot = ReadonlyMap<string, { readonly stat: Stat; readonly data: string | null }>;

function snapshot({ replica }: StreamEnsemble, root: string): Snapshot {
  const found = new Map<string, { stat: Stat; data: string | null }>();
  const visit = (path: string): void => {
    const result = replica.data(path);
    if (result.kind !== "data") return;
    const { stat, data } = result;
    found.set(path, { stat, data: data === null ? null : Buffer.from(data).toString() });
    for (const name of replica.children(path)) visit(path === "/" ? `/${name}` : `${path}/${name}`);
  };
  visit(root);
  return found;
}

/** Plays it all, and at the end lets everything come. Returns what there was below the root at each zxid. */
function play(
  ensemble: StreamEnsemble,
  first: readonly Command[],
  commands: readonly Command[],
  begin: () => void,
): (zxid: number) => Snapshot {
  const history = new Map<number, Snapshot>();
  const run = (command: Command): void => {
    if (command.do === "reconnect") return ensemble.reconnect();
    if (command.do === "step") return void ensemble.step(command.choice);
    ensemble.do(...command.operations);
    history.set(ensemble.replica.lastZxid, snapshot(ensemble, "/r"));
  };
  history.set(ensemble.replica.lastZxid, snapshot(ensemble, "/r"));
  for (const command of first) run(command);
  begin();
  for (const command of commands) run(command);
  ensemble.settle();
  return (zxid) => history.get(zxid) ?? new Map();
}

function collect<T>(feed: Feed<T>): { readonly items: T[]; readonly failures: Error[] } {
  const items: T[] = [];
  const failures: Error[] = [];
  feed({
    given: (portion, taken) => {
      items.push(...portion.items);
      taken();
    },
    failed: (error) => failures.push(error),
  });
  return { items, failures };
}

const plain = (nodes: TreeView["nodes"]): Snapshot =>
  new Map(
    [...nodes].map(([path, { stat, data }]) => [
      path,
      { stat, data: data === null ? null : Buffer.from(data).toString() },
    ]),
  );

/** Whether the znodes themselves are the same; what Stats say of children differs by what is done to these. */
const own = ({ stat, data }: { stat: Stat; data: string | null }): string =>
  `${stat.czxid} ${stat.mzxid} ${stat.aversion} ${data}`;

function checkViews(
  t: ExecutionContext,
  views: readonly TreeView[],
  at: (zxid: number) => Snapshot,
  last: number,
): void {
  let earlier: Snapshot = new Map();
  let before: TreeView | undefined;
  for (const view of views) {
    const now = at(view.zxid);
    t.deepEqual(plain(view.nodes), now, `at ${view.zxid}`);
    const [added, changed, removed] = [view.diff.added, view.diff.changed, view.diff.removed].map(
      (paths) => paths.toSorted(),
    );
    t.deepEqual(added, [...now.keys()].filter((path) => !earlier.has(path)).toSorted());
    t.deepEqual(removed, [...earlier.keys()].filter((path) => !now.has(path)).toSorted());
    for (const [path, znode] of now) {
      const was = earlier.get(path);
      if (was !== undefined && own(was) !== own(znode)) t.true(changed?.includes(path));
    }
    if (before !== undefined && view.gap === undefined) {
      for (let zxid = before.zxid + 1; zxid < view.zxid; zxid += 1) {
        t.deepEqual(at(zxid), earlier, `nothing changed at ${zxid}`);
      }
    }
    earlier = now;
    before = view;
  }
  t.deepEqual(earlier, at(last), "the last view is what there is");
}

for (const ringBytesMax of [1_000_000, 400]) {
  for (const hasPages of [true, false]) {
    const how = `${ringBytesMax === 400 ? "a small ring" : "a large ring"}${hasPages ? " and pages" : ""}`;
    test(`each view of a tree is what there was at its zxid, with ${how}`, (t) => {
      let gaps = 0;
      fc.assert(
        fc.property(before, script, (first, commands) => {
          const ensemble = new StreamEnsemble({ ringBytesMax, hasPages });
          let got: ReturnType<typeof collect<TreeView>> | undefined;
          const at = play(ensemble, first, commands, () => {
            got = collect(treeFeed(ensemble.source, "/r", {}));
          });
          t.deepEqual(got?.failures, []);
          const views = got?.items ?? [];
          checkViews(t, views, at, ensemble.replica.lastZxid);
          gaps += views.filter(({ gap }) => gap !== undefined).length;
          t.is(ensemble.untaken, 0);
        }),
        { seed: 1, numRuns: 60 },
      );
      t.is(gaps > 0, ringBytesMax === 400, `${gaps} gaps`);
    });
  }
}

test("the children's names are right at each zxid, and no more is told than changes", (t) => {
  fc.assert(
    fc.property(before, script, fc.boolean(), (first, commands, isSmall) => {
      const ensemble = new StreamEnsemble({ ringBytesMax: isSmall ? 400 : 1_000_000 });
      let got: ReturnType<typeof collect<ChildrenView>> | undefined;
      const at = play(ensemble, first, commands, () => {
        got = collect(childrenFeed(ensemble.source, "/r"));
      });
      const names = (zxid: number): string[] =>
        [...at(zxid).keys()].filter((path) => path.split("/").length === 3).map((p) => p.slice(3));
      let earlier: readonly string[] = [];
      for (const view of got?.items ?? []) {
        const now = names(view.zxid).toSorted();
        t.deepEqual([...view], now, `at ${view.zxid}`);
        t.is(view.exists, at(view.zxid).has("/r"));
        t.deepEqual(
          view.added.toSorted(),
          now.filter((name) => !earlier.includes(name)),
        );
        t.deepEqual(
          view.removed.toSorted(),
          earlier.filter((name) => !now.includes(name)),
        );
        earlier = now;
      }
      t.deepEqual(earlier, names(ensemble.replica.lastZxid).toSorted());
      t.deepEqual(got?.failures, []);
    }),
    { seed: 1, numRuns: 60 },
  );
});

test("a value is the present one first, and then each that is set", (t) => {
  fc.assert(
    fc.property(before, script, fc.boolean(), (first, commands, isSmall) => {
      const ensemble = new StreamEnsemble({ ringBytesMax: isSmall ? 400 : 1_000_000 });
      let began = 0;
      let got: ReturnType<typeof collect<string | null | undefined>> | undefined;
      const decode = (data: Uint8Array | null): string | null =>
        data === null ? null : Buffer.from(data).toString();
      const at = play(ensemble, first, commands, () => {
        began = ensemble.replica.lastZxid;
        got = collect(valueFeed(ensemble.source, "/r/a", decode));
      });
      const all: (string | null | undefined)[] = [];
      let setAt = -1;
      for (let zxid = began; zxid <= ensemble.replica.lastZxid; zxid += 1) {
        const znode = at(zxid).get("/r/a");
        const now = znode?.stat.mzxid ?? 0;
        if (now !== setAt) all.push(znode?.data);
        setAt = now;
      }
      const given = got?.items ?? [];
      // It begins somewhere between, at its first read.
      if (!isSmall) t.deepEqual(given, all.slice(all.length - given.length));
      t.is(given.at(-1), all.at(-1));
      t.true(given.length > 0);
    }),
    { seed: 1, numRuns: 60 },
  );
});

/** What a consumer has that keeps a copy as the docs say. */
function copyOf(events: readonly StreamEvent[]): { copy: Map<string, Stat>; zxid: number } {
  const copy = new Map<string, Stat>();
  let zxid = 0;
  for (const event of events) {
    if (event.kind === "gap") copy.clear();
    else if (event.kind === "deleted") copy.delete(event.path);
    else if (event.kind !== "progress") copy.set(event.path, event.stat);
    if (event.kind !== "gap") zxid = event.zxid;
  }
  return { copy, zxid };
}

test("after a gap the znodes are told again, so that a consumer's copy is right", (t) => {
  let gaps = 0;
  fc.assert(
    fc.property(
      before,
      script,
      fc.constantFrom(true, "children" as const),
      (first, commands, recursive) => {
        const ensemble = new StreamEnsemble({ ringBytesMax: 400 });
        let got: ReturnType<typeof collect<StreamEvent>> | undefined;
        const at = play(ensemble, first, commands, () => {
          const feed = changesFeed(
            ensemble.source,
            "/r",
            { recursive, onGap: "reread" },
            () => 0 as never,
          );
          got = collect(feed);
        });
        const events = got?.items ?? [];
        gaps += events.filter(({ kind }) => kind === "gap").length;
        const { copy } = copyOf(events);
        const mine = [...at(ensemble.replica.lastZxid)].filter(
          ([path]) => recursive === true || path.split("/").length < 4,
        );
        t.deepEqual(
          [...copy].map(([path, { czxid, mzxid }]) => `${path} ${czxid} ${mzxid}`).toSorted(),
          mine.map(([path, { stat }]) => `${path} ${stat.czxid} ${stat.mzxid}`).toSorted(),
        );
      },
    ),
    { seed: 1, numRuns: 60 },
  );
  t.true(gaps > 20, `${gaps} gaps`);
});

test("a stream that is not told what happens at a gap fails, and one that is to tell goes on", (t) => {
  const ensemble = new StreamEnsemble({ ringBytesMax: 600 });
  for (let each = 0; each < 20; each += 1) ensemble.do(create(`/n${each}`));
  const from = (): never => 1 as never;
  const failing = collect(changesFeed(ensemble.source, "/", { recursive: true }, from));
  const telling = collect(
    changesFeed(ensemble.source, "/", { recursive: true, onGap: "emit" }, from),
  );
  ensemble.settle();
  t.like(failing.failures[0], { code: "ZOOID_GAP", path: "/", from: 1 });
  t.deepEqual(failing.items, []);
  const [gap, ...rest] = telling.items;
  t.like(gap, { kind: "gap", from: 1, because: "compacted" });
  t.true(gap?.kind === "gap" && rest.length === ensemble.replica.lastZxid - gap.to);
});

test("a consumer that takes nothing is given one thing after a gap, however many follow", (t) => {
  const source = new StreamEnsemble({ ringBytesMax: 400 });
  source.do(create("/r"));
  const feeds: Feed<unknown>[] = [
    treeFeed(source.source, "/r", {}),
    childrenFeed(source.source, "/r"),
    valueFeed(source.source, "/r", String),
    changesFeed(source.source, "/r", { recursive: true, onGap: "reread" }, () => undefined),
    changesFeed(source.source, "/r", { recursive: true, onGap: "emit" }, () => undefined),
  ];
  for (const feed of feeds) {
    const takens: (() => void)[] = [];
    feed({
      given: (_portion, taken) => takens.push(taken),
      failed: (error) => t.fail(String(error)),
    });
    source.settle();
    const before = takens.length;
    for (let gap = 0; gap < 5; gap += 1) {
      source.reconnect();
      for (let each = 0; each < 10; each += 1) source.do(setData("/r", bytes(`${each}`)));
      source.settle();
    }
    t.true(takens.length <= before + 1, `${takens.length}`);
    for (const taken of takens.splice(0)) taken();
    source.settle();
    t.true(takens.length > 0 || before === 0, "it goes on when they are taken");
  }
});

test("what a client may not read is not in its copies, until it may", (t) => {
  const ensemble = new StreamEnsemble();
  ensemble.who = ANYONE;
  ensemble.do(create("/r"), create("/r/open"), create("/r/shut", { acl: CLOSED }));
  ensemble.do(create("/r/open/x"));
  const tree = collect(treeFeed(ensemble.source, "/r", {}));
  const children = collect(childrenFeed(ensemble.source, "/r"));
  ensemble.settle();
  const paths = (): string[] => [...(tree.items.at(-1)?.nodes.keys() ?? [])];
  const names = (): string[] => [...(children.items.at(-1) ?? [])];
  t.deepEqual(paths(), ["/r", "/r/open", "/r/open/x"]);
  t.deepEqual(names(), ["open", "shut"], "whoever may list the children may know their names");
  ensemble.do(create("/r/shut2", { acl: CLOSED }), remove("/r/shut"));
  ensemble.settle();
  t.deepEqual(paths(), ["/r", "/r/open", "/r/open/x"]);
  t.deepEqual(names(), ["open", "shut2"]);
  t.deepEqual([...tree.failures, ...children.failures], []);
});

test("progress is told as often as it is asked for, and at last always", (t) => {
  const ensemble = new StreamEnsemble();
  const feed = changesFeed(ensemble.source, "/a", { progressMs: 100 }, () => undefined);
  const { items } = collect(feed);
  ensemble.settle();
  t.is(items.length, 1);
  ensemble.do(create("/a"), create("/b"));
  ensemble.settle();
  t.deepEqual(
    items.map(({ kind }) => kind),
    ["progress", "created"],
  );
  ensemble.pass(100);
  t.deepEqual(items.at(-1), { kind: "progress", zxid: ensemble.replica.lastZxid });
  ensemble.pass(1000);
  t.is(items.length, 3);
});

test("a stream that is left asks for nothing more", (t) => {
  const ensemble = new StreamEnsemble();
  ensemble.do(create("/r"), create("/r/a"), create("/r/b"));
  for (const feed of [
    treeFeed(ensemble.source, "/r", {}),
    childrenFeed(ensemble.source, "/r"),
    valueFeed(ensemble.source, "/r", String),
    changesFeed(ensemble.source, "/r", {}, () => undefined),
  ] as Feed<unknown>[]) {
    for (const steps of [0, 1, 2, 3, 5, 20]) {
      let given = 0;
      const close = feed({
        given: (_portion, taken) => {
          given += 1;
          taken();
        },
        failed: () => t.fail(),
      });
      for (let each = 0; each < steps; each += 1) ensemble.step(each);
      close();
      given = 0;
      ensemble.settle();
      t.is(given, 0);
      t.is(ensemble.streams, 0);
    }
  }
});
