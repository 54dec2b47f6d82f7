/** Numbered writes: each is done once, and what it came to is kept until its client has had the answer. */
import test from "ava";
import { Code } from "../../../protocol/codes.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { KEPT_RESULTS_MAX } from "../../../protocol/limits.ts";
import type {
  ClientOperation,
  KeptResult,
  Operation,
  OperationResult,
  RequestsSoFar,
} from "../../../protocol/operations.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { sizeOf } from "../../../actors/tree/store/size.ts";
import { client, create, multi, PASSWORD, Replica, setData } from "../../support/replica.ts";
import { cut, load } from "../../support/snapshots.ts";

const SYNC: ClientOperation = { kind: "sync", path: "/" };

function numbered(
  session: SessionId,
  number: number,
  operation: ClientOperation,
  answered = 0,
): Operation {
  return { ...client(session, operation), request: { number, answered } };
}

/** What a client is told that comes back to its session. */
function attach(replica: Replica, session: SessionId): RequestsSoFar | undefined {
  const [result] = replica.results({
    kind: "attachSession",
    session,
    timeoutMs: 10_000,
    password: PASSWORD,
  });
  return result?.kind === "session" ? result.requests : undefined;
}

function numbers(requests: RequestsSoFar | undefined): readonly number[] {
  return (requests?.kept ?? []).map(({ number }) => number);
}

test("whoever attaches a session learns what its numbered writes came to, and at which zxids", (t) => {
  const replica = new Replica();
  const session = replica.session();
  t.is(attach(new Replica(), session), undefined);
  const before = replica.lastZxid;
  const asked = [
    numbered(session, 3, create("/a", { sequential: true })),
    numbered(session, 5, setData("/none", null)),
    numbered(session, 6, multi(create("/b"), setData("/b", null))),
    numbered(session, 9, SYNC),
  ];
  const results = replica.results(...asked);
  t.is(results[0]?.kind === "created" ? results[0].path : "", "/a0000000000");
  const { last, kept } = attach(replica, session) ?? { last: 0, kept: [] };
  t.is(last, 9);
  const expected = [3, 5, 6, 9].map((number, index): KeptResult => {
    const result = results[index] as KeptResult["result"];
    return { number, zxid: (before + 1 + index) as Zxid, result };
  });
  t.deepEqual(kept, expected);
});

test("results are kept on replicas whose lane has not asked, too", (t) => {
  const [own, other] = [new Replica(), new Replica()];
  const elsewhere = { submitter: { ...own.submitter, lane: 5 }, seq: 1 };
  for (const replica of [own, other]) {
    const session = replica.session();
    const write = numbered(session, 1, create("/a"));
    const change = replica === own ? {} : elsewhere;
    replica.receive({ kind: "committed", records: [replica.record([write], change)] });
    t.deepEqual(numbers(attach(replica, session)), [1]);
  }
});

test("a result is forgotten once its client has had it, and not before", (t) => {
  const replica = new Replica();
  const session = replica.session();
  for (let number = 1; number <= 500; number += 1) {
    replica.commit(numbered(session, number, SYNC, Math.max(0, number - 3)));
  }
  t.deepEqual(numbers(attach(replica, session)), [498, 499, 500]);
});

test("a number that does not rise does nothing", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.commit(numbered(session, 7, create("/a")));
  const result = { kind: "error", code: Code.badArguments } as const;
  for (const number of [7, 6, 1]) {
    t.deepEqual(replica.results(numbered(session, number, create("/b"))), [result]);
  }
  t.deepEqual(replica.children("/"), ["a", "zookeeper"]);
  t.deepEqual(numbers(attach(replica, session)), [7]);
  // That its client has had its answers is taken from it all the same.
  const attachedAt = replica.lastZxid;
  replica.commit({ ...numbered(session, 0, SYNC, 7), attachedAt } as Operation);
  t.deepEqual(attach(replica, session), { last: 7, kept: [] });
});

test("what an older connection has under way is not done, and counts for nothing", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.commit(numbered(session, 1, create("/a")));
  attach(replica, session);
  const [result] = replica.results(numbered(session, 2, create("/b")));
  t.deepEqual(result, { kind: "error", code: Code.sessionMoved });
  t.is(attach(replica, session)?.last, 1);
});

test("a write is refused when as many results are kept as may be, and is not done", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const all = Array.from({ length: KEPT_RESULTS_MAX }, (_, at) => numbered(session, at + 1, SYNC));
  t.true(replica.results(...all).every(({ kind }) => kind === "done"));
  const refused: OperationResult = { kind: "error", code: Code.throttled };
  const next = KEPT_RESULTS_MAX + 1;
  t.deepEqual(replica.results(numbered(session, next, create("/a"))), [refused]);
  t.is(replica.data("/a").kind, "error");
  const [done] = replica.results(numbered(session, next + 1, create("/a"), 1));
  t.is(done?.kind, "created");
});

test("what is kept counts for the tree's memory, and goes with its session", (t) => {
  const limits = {
    ...{ heapBytesMax: 1_000_000, heapBytesStop: Infinity, bytesMax: Infinity },
    ...{ bytesStop: Infinity, sessionsMax: Infinity, watchesMax: Infinity },
  };
  const replica = new Replica({ limits });
  const session = replica.session();
  replica.do(session, create("/a"));
  let number = 0;
  while (!replica.memory.full && number < 4000) {
    number += 1;
    replica.commit(numbered(session, number, setData("/a", null)));
  }
  t.true(number > 1000 && number < 4000, `${number} results`);
  replica.commit(numbered(session, number + 1, { kind: "closeSession" }));
  t.false(replica.memory.full);
  t.true(sizeOf(replica.state).heapBytes < 10_000);
});

test("a snapshot has the numbers and the kept results, also when they change while it is cut", (t) => {
  const replica = new Replica({ snapshotChunkBytes: 200 });
  const session = replica.session();
  const quiet = replica.session();
  replica.commit(numbered(quiet, 4, create("/quiet")));
  for (let number = 1; number <= 20; number += 1) {
    replica.commit(numbered(session, number, create(`/a${number}`)));
  }
  const digest = replica.digest();
  const { lastZxid, lastSeq } = replica;
  const chunks = cut(replica, (index) => {
    replica.commit(numbered(session, 21 + index, create(`/b${index}`), 21));
  });
  t.true(chunks.length > 10);
  const copy = new Replica();
  load(copy, chunks);
  t.is(copy.digest(), digest);
  Object.assign(copy, { lastZxid, lastSeq });
  const known = attach(copy, session);
  t.is(known?.last, 20);
  t.deepEqual(
    numbers(known),
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  t.deepEqual(numbers(attach(copy, quiet)), [4]);
  t.is(sizeOf(copy.state).heapBytes > 20 * 200, true);
});
