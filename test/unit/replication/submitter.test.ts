/** The submitter of a lane by plain calls. */
import type { SubmitterEffect } from "../../../actors/submitter/submitter.ts";
import test from "ava";
import type { SubmitMessage } from "../../../actors/log-sync/messages.ts";
import type { SubmitterMessage } from "../../../actors/submitter/messages.ts";
import { SubmitterTable } from "../../../actors/log-sync/submitters.ts";
import { submitterActor, type SubmitterState } from "../../../actors/submitter/submitter.ts";
import { decodeBatch } from "../../../protocol/batch.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import {
  BATCH_BYTES_SOFT_MAX,
  RECORD_BYTES_MAX,
  SUBMITTER_BATCHES_IN_FLIGHT_MAX,
} from "../../../protocol/limits.ts";
import type { ClientOperation, Operation } from "../../../protocol/operations.ts";
import { RECORD_HEADER_BYTES } from "../../../protocol/record.ts";
import { epoch } from "../../../protocol/zxid.ts";
import { at, Driven, server, told, timersStarted } from "../../support/plain-calls.ts";
import { check, create, multi, setData } from "../../support/replica.ts";

type Submitter = Driven<SubmitterState, SubmitterMessage, SubmitterEffect>;

const FOLLOWING: SubmitterMessage = {
  kind: "leadership",
  role: "following",
  epoch: epoch(1),
  leader: server(2),
  admission: "all",
};

/** Its incarnation is the count of its folder's starts: nothing is drawn. */
function ready(): Submitter {
  const submitter = new Driven(submitterActor({ server: server(1), lane: 1 }));
  submitter.chance = 0;
  submitter.receive({ kind: "incarnation", incarnation: 3 });
  submitter.receive(FOLLOWING);
  return submitter;
}

function write(client: number, paths: readonly string[]): SubmitterMessage {
  const operations = paths.map(
    (path): Operation => ({
      kind: "client",
      session: 7 as never,
      attachedAt: at(1, 1),
      operation: { kind: "sync", path },
    }),
  );
  return { kind: "write", from: "zookeeper/1", client, operations };
}

function flush(submitter: Submitter): SubmitMessage[] {
  return told(submitter.receive({ kind: "endOfTurn" }), "log-sync") as SubmitMessage[];
}

function applied(seq: number, counter: number, count: number): SubmitterMessage {
  const results = Array.from({ length: count }, () => ({ kind: "done" }) as const);
  return { kind: "applied", incarnation: 3, seq, firstZxid: at(1, counter), results };
}

test("the writes of a turn share one batch, in order", (t) => {
  const submitter = ready();
  submitter.receive(write(1, ["/a", "/b"]));
  submitter.receive(write(2, ["/c"]));
  const [batch] = flush(submitter);
  t.like(batch, { seq: 1, count: 3, submitter: { server: 1, lane: 1, incarnation: 3 } });
  const paths = decodeBatch(batch?.payload ?? new Uint8Array()).map((operation) =>
    operation.kind === "client" && operation.operation.kind === "sync"
      ? operation.operation.path
      : "",
  );
  t.deepEqual(paths, ["/a", "/b", "/c"]);
});

test("results go to the clients that wrote, with each operation's own zxid", (t) => {
  const submitter = ready();
  submitter.receive(write(1, ["/a", "/b"]));
  submitter.receive(write(2, ["/c"]));
  flush(submitter);
  const effects = submitter.receive(applied(1, 10, 3));
  t.like(told(effects, "zookeeper/1"), [
    { kind: "written", client: 1, zxids: [at(1, 10), at(1, 11)] },
    { kind: "written", client: 2, zxids: [at(1, 12)] },
  ]);
});

test("without a leader writes wait, and go out when there is one", (t) => {
  const submitter = ready();
  submitter.receive({
    kind: "leadership",
    role: "looking",
    epoch: epoch(1),
    leader: undefined,
    admission: "all",
  });
  submitter.receive(write(1, ["/a"]));
  t.deepEqual(flush(submitter), []);
  submitter.receive({
    kind: "leadership",
    role: "following",
    epoch: epoch(2),
    leader: server(3),
    admission: "all",
  });
  t.is(flush(submitter).length, 1);
});

test("a new leader is sent every batch without results again, under its old number", (t) => {
  const submitter = ready();
  submitter.receive(write(1, ["/a"]));
  flush(submitter);
  submitter.receive(write(1, ["/b"]));
  flush(submitter);
  const effects = submitter.receive({
    kind: "leadership",
    role: "following",
    epoch: epoch(2),
    leader: server(3),
    admission: "all",
  });
  t.like(told(effects, "log-sync"), [{ seq: 1 }, { seq: 2 }]);
});

test("a batch without results is repeated after a while, not before", (t) => {
  const submitter = ready();
  submitter.receive(write(1, ["/a"]));
  flush(submitter);
  submitter.nowMs = 400;
  t.deepEqual(told(submitter.receive({ kind: "timer", timer: "repeat" }), "log-sync"), []);
  submitter.nowMs = 500;
  t.like(told(submitter.receive({ kind: "timer", timer: "repeat" }), "log-sync"), [{ seq: 1 }]);
});

test("a batch that is late makes the heartbeat actor ask, while there is a leader", (t) => {
  const submitter = ready();
  submitter.receive(write(1, ["/a"]));
  t.deepEqual(timersStarted(submitter.receive({ kind: "endOfTurn" })), ["repeat"]);
  submitter.nowMs = 49;
  const early = submitter.receive({ kind: "timer", timer: "repeat" });
  t.deepEqual(told(early, "heartbeat"), []);
  t.deepEqual(timersStarted(early), ["repeat"]);
  submitter.nowMs = 99;
  const late = submitter.receive({ kind: "timer", timer: "repeat" });
  t.deepEqual(told(late, "heartbeat"), [{ kind: "doubted" }]);
  t.deepEqual(told(late, "log-sync"), []);
  submitter.receive({ ...FOLLOWING, role: "looking", leader: undefined } as SubmitterMessage);
  t.deepEqual(told(submitter.receive({ kind: "timer", timer: "repeat" }), "heartbeat"), []);
});

test("no timer runs while no batch is under way", (t) => {
  const submitter = ready();
  t.deepEqual(timersStarted(submitter.effects), []);
  submitter.receive(write(1, ["/a"]));
  flush(submitter);
  submitter.receive(applied(1, 1, 1));
  t.deepEqual(timersStarted(submitter.receive({ kind: "timer", timer: "repeat" })), []);
  submitter.receive(write(1, ["/b"]));
  t.deepEqual(timersStarted(submitter.receive({ kind: "endOfTurn" })), ["repeat"]);
});

test("no more than a few batches are under way; the rest share the next", (t) => {
  const submitter = ready();
  for (let index = 0; index < SUBMITTER_BATCHES_IN_FLIGHT_MAX; index += 1) {
    submitter.receive(write(1, ["/a"]));
    t.is(flush(submitter).length, 1);
  }
  submitter.receive(write(1, ["/b"]));
  submitter.receive(write(2, ["/c"]));
  t.deepEqual(flush(submitter), []);
  submitter.receive(applied(1, 10, 1));
  t.like(flush(submitter), [{ seq: SUBMITTER_BATCHES_IN_FLIGHT_MAX + 1, count: 2 }]);
});

test("what a gap made the leader refuse is sent again from the number it expects, once for each gap", (t) => {
  const submitter = ready();
  for (const path of ["/a", "/b", "/c"]) {
    submitter.receive(write(1, [path]));
    flush(submitter);
  }
  const refused = (expected: number): (number | undefined)[] => {
    const of = { submitter: { server: server(1), lane: 1, incarnation: 3 }, expected };
    const effects = submitter.receive({ kind: "submitRefused", reason: "outOfSequence", ...of });
    return told(effects, "log-sync").map((message) => (message as SubmitMessage).seq);
  };
  t.deepEqual(refused(1), [1, 2, 3]);
  t.deepEqual(refused(1), [], "what came behind the same gap");
  // The batches were sent again, and the first arrived but not the second. That is a new gap, so they are sent again at once.
  t.deepEqual(refused(2), [2, 3]);
  t.deepEqual(refused(2), []);
  submitter.nowMs += 20;
  t.deepEqual(refused(2), [2, 3]);
});

test("a life that the log has never taken anything of goes on above a later one", (t) => {
  const submitter = ready();
  submitter.receive(write(1, ["/a"]));
  flush(submitter);
  const effects = submitter.receive({
    kind: "submitRefused",
    submitter: { server: server(1), lane: 1, incarnation: 3 },
    reason: "staleIncarnation",
    expected: 8,
  });
  const [batch] = told(effects, "log-sync") as SubmitMessage[];
  t.is(batch?.seq, 1);
  t.true((batch?.submitter.incarnation ?? 0) > 8);
});

test("the batch of a life that lost its disk is not taken for that of another life, which came to the same point", (t) => {
  const table = new SubmitterTable();
  table.take({ server: server(1), lane: 1, incarnation: 8 }, 4);
  // Both began with a clock that was set back, and an empty disk; the first one's batch is still on its way.
  const [stale, own] = [0.25, 0.75].map((chance): SubmitMessage | undefined => {
    const submitter = ready();
    submitter.chance = chance;
    submitter.receive(write(1, [`/${chance}`]));
    flush(submitter);
    const refused = { server: server(1), lane: 1, incarnation: 3 };
    const of = { reason: "staleIncarnation", expected: 8 } as const;
    const effects = submitter.receive({ kind: "submitRefused", submitter: refused, ...of });
    return told(effects, "log-sync")[0] as SubmitMessage;
  });
  if (stale === undefined || own === undefined) return t.fail("no batch");
  t.is(table.judge(stale.submitter, stale.seq).kind, "take");
  table.take(stale.submitter, stale.seq);
  t.is(table.judge(own.submitter, own.seq).kind, "take", "it is another batch, not a repeated one");
});

test("processes that were started as often, on copies of one folder, are not taken for each other", (t) => {
  const table = new SubmitterTable();
  const batches = [0.25, 0.75].map((chance) => {
    const submitter = new Driven(submitterActor({ server: server(1), lane: 1 }));
    submitter.chance = chance;
    submitter.receive({ kind: "incarnation", incarnation: 3 });
    submitter.receive(FOLLOWING);
    submitter.receive(write(1, ["/a"]));
    const [batch] = flush(submitter);
    if (batch === undefined) throw new Error("no batch");
    return { submitter, batch };
  });
  const [one, other] = batches.map(({ batch }) => batch.submitter.incarnation);
  t.not(one, other);
  for (const { batch } of batches) t.is(table.judge(batch.submitter, batch.seq).kind, "take");
  // The log is replayed to the second: what the first had written is none of its batches.
  const results = [{ kind: "done" }] as const;
  const firstZxid = at(1, 5);
  const replayed = { kind: "applied", incarnation: one ?? 0, seq: 1, firstZxid, results } as const;
  t.deepEqual(batches[1]?.submitter.receive(replayed), []);
});

test("a life whose batches were applied stops its node when a later one is known", (t) => {
  const submitter = ready();
  submitter.receive(write(1, ["/a"]));
  flush(submitter);
  submitter.receive(applied(1, 10, 1));
  const effects = submitter.receive({
    kind: "submitRefused",
    submitter: { server: server(1), lane: 1, incarnation: 3 },
    reason: "staleIncarnation",
    expected: 8,
  });
  t.is(effects[0]?.kind, "stopNode");
});

test("batches that a snapshot holds are no longer waited for, and those after it are sent on", (t) => {
  const submitter = ready();
  for (const path of ["/a", "/b", "/c"]) {
    submitter.receive(write(1, [path]));
    flush(submitter);
  }
  t.deepEqual(submitter.receive({ kind: "overtaken", incarnation: 2, seq: 9 }), []);
  submitter.receive({ kind: "overtaken", incarnation: 3, seq: 2 });
  const effects = submitter.receive(applied(3, 12, 1));
  t.like(told(effects, "zookeeper/1"), [{ kind: "written", zxids: [at(1, 12)] }]);
  submitter.receive(write(1, ["/d"]));
  t.like(flush(submitter), [{ seq: 4 }]);
});

test("when a snapshot holds all of a full window, waiting writes go out", (t) => {
  const submitter = ready();
  for (let count = 0; count < SUBMITTER_BATCHES_IN_FLIGHT_MAX; count++) {
    submitter.receive(write(1, [`/${count}`]));
    flush(submitter);
  }
  submitter.receive(write(1, ["/waits"]));
  t.deepEqual(flush(submitter), []);
  const seq = SUBMITTER_BATCHES_IN_FLIGHT_MAX;
  submitter.receive({ kind: "overtaken", incarnation: 3, seq });
  t.like(flush(submitter), [{ seq: seq + 1, count: 1 }]);
});

test("a batch stays below the limit of a record, whatever its operations are large with", (t) => {
  const text = "x".repeat(1_000_000);
  const acl = Array.from({ length: 40_000 }, (_, index) => ({
    permissions: index,
    scheme: "ip",
    id: "10.100.200.30",
  }));
  const data = new Uint8Array(1_000_000);
  const large: readonly ClientOperation[] = [
    { kind: "setAcl", path: "/a", acl, version: -1 },
    { kind: "setAcl", path: "/a", acl: [{ permissions: 31, scheme: text, id: "" }], version: -1 },
    create("/a", { acl }),
    create(`/${text}`),
    setData("/a", data),
    multi(create("/a", { acl }), create("/b")),
    multi(...Array.from({ length: 50_000 }, () => check("/a"))),
    { kind: "sync", path: `/${text}` },
  ];
  for (const operation of large) {
    const submitter = ready();
    for (const client of [1, 2, 3, 4, 5, 6]) {
      const operations: Operation[] = [
        { kind: "client", session: 7 as SessionId, attachedAt: at(1, 1), operation },
      ];
      submitter.receive({ kind: "write", from: "zookeeper/1", client, operations });
    }
    const batches = flush(submitter);
    for (const { payload } of batches) {
      t.true(RECORD_HEADER_BYTES + payload.length <= RECORD_BYTES_MAX, operation.kind);
      t.true(payload.length <= 2 * BATCH_BYTES_SOFT_MAX);
    }
    t.true(batches.length >= 2);
  }
});
