/** The checker of change streams finds every planted violation, and none in a stream without one. */
import test from "ava";
import { ChangeStream, type StreamChange } from "../../soak/change-stream.ts";
import { Violations } from "../../soak/violations.ts";

function streamed(act: (stream: ChangeStream) => void): readonly string[] {
  const violations = new Violations();
  const stream = new ChangeStream({
    violations,
    from: 10,
    wasDeleted: (path) => path === "/live/deleted",
    wasSent: (token) => token !== "nobody:1",
    isMulti: (token) => token.startsWith("multi"),
  });
  act(stream);
  return [...violations.counts.keys()];
}

function change(
  zxid: number,
  kind: StreamChange["kind"],
  path: string,
  also?: object,
): StreamChange {
  const czxid = kind === "created" ? zxid : 11;
  return { zxid, index: 0, kind, path, version: 0, token: "", owner: 0, czxid, ...also };
}

const CREATED = [
  change(11, "created", "/log/n-0000000000"),
  change(12, "created", "/log/n-0000000001"),
  change(13, "created", "/register"),
  change(14, "data", "/register", { version: 1 }),
];
const TREE = CREATED.slice(0, 3).map(({ path, zxid }) => {
  return { path, version: path === "/register" ? 1 : 0, czxid: zxid };
});

test("a stream that tells all there is has no violation", (t) => {
  const found = streamed((stream) => {
    for (const each of CREATED) stream.change(each);
    stream.progress(20);
    stream.final(TREE);
    t.is(stream.count, 4);
  });
  t.deepEqual(found, []);
});

test("each change that is left out is reported", (t) => {
  for (const left of CREATED) {
    const found = streamed((stream) => {
      for (const each of CREATED) if (each !== left) stream.change(each);
      stream.final(TREE);
    });
    t.deepEqual(found, ["stream"], left.path);
  }
});

test("a change that comes twice, or after a later one, is reported", (t) => {
  const [first, second] = CREATED;
  for (const order of [
    [first, first],
    [second, first],
  ]) {
    const found = streamed((stream) => {
      for (const each of order) if (each !== undefined) stream.change(each);
    });
    t.deepEqual(found, ["stream"]);
  }
});

test("a change at or before a mark is reported", (t) => {
  const found = streamed((stream) => {
    stream.progress(14);
    for (const each of CREATED.slice(3)) stream.change(each);
  });
  t.deepEqual(found, ["stream"]);
});

test("a version that is left out is reported at once", (t) => {
  const found = streamed((stream) => {
    for (const each of CREATED) stream.change(each);
    stream.change(change(15, "data", "/register", { version: 3 }));
  });
  t.deepEqual(found, ["stream"]);
});

test("a node that was never told to be gone is reported", (t) => {
  const found = streamed((stream) => {
    for (const each of CREATED) stream.change(each);
    stream.final(TREE.slice(1));
  });
  t.deepEqual(found, ["stream"]);
});

test("what an announced gap hides is not reported, and what comes after it is", (t) => {
  const hidden = streamed((stream) => {
    for (const each of CREATED.slice(0, 2)) stream.change(each);
    stream.compacted(14);
    stream.final(TREE);
    t.is(stream.compactions, 1);
  });
  t.deepEqual(hidden, []);
  const after = streamed((stream) => {
    stream.compacted(12);
    stream.final(TREE);
  });
  t.deepEqual(after, ["stream"]);
});

test("a multi whose parts have two zxids, or of which one is missing, is reported", (t) => {
  const parts = (zxid: number): StreamChange[] => [
    change(11, "created", "/log/n-0000000000", { token: "multi" }),
    change(zxid, "data", "/register", { token: "multi", index: 1, czxid: 5 }),
  ];
  const run = (changes: readonly StreamChange[]): readonly string[] =>
    streamed((stream) => {
      for (const each of changes) stream.change(each);
      stream.progress(20);
    });
  t.deepEqual(run(parts(11)), []);
  t.deepEqual(run(parts(12)), ["multi-torn"]);
  t.deepEqual(run(parts(11).slice(1)), ["multi-torn"]);
});

test("a session's ephemeral nodes go at one zxid, but for those that were deleted", (t) => {
  const live = ["/live/deleted", "/live/a", "/live/b"].map((path, index) =>
    change(11 + index, "created", path, { owner: 7 }),
  );
  const gone = (path: string, zxid: number, index: number): StreamChange =>
    change(zxid, "deleted", path, { owner: 7, index });
  const run = (changes: readonly StreamChange[]): readonly string[] =>
    streamed((stream) => {
      for (const each of [...live, ...changes]) stream.change(each);
    });
  const together = [gone("/live/deleted", 14, 0), gone("/live/a", 15, 0), gone("/live/b", 15, 1)];
  t.deepEqual(run(together), []);
  t.deepEqual(run([gone("/live/a", 15, 0), gone("/live/b", 16, 0)]), ["ephemeral"]);
  t.deepEqual(run([...together, change(16, "created", "/live/c", { owner: 7 })]), ["ephemeral"]);
});

test("a write that is told twice, though no read may ever see it, and one that nobody sent are reported", (t) => {
  const run = (first: string, second: string): readonly string[] =>
    streamed((stream) => {
      stream.change(change(11, "created", "/register", { token: first }));
      stream.change(change(12, "data", "/register", { token: second, version: 1 }));
    });
  t.deepEqual(run("client-1:1", "client-1:2"), []);
  t.deepEqual(run("client-1:1", "client-1:1"), ["written-twice"]);
  t.deepEqual(run("client-1:1", "nobody:1"), ["invented"]);
});
