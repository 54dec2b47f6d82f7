/** Followers that count for themselves, and the leader that asks them to: log-sync by plain calls. */
import type { LogSyncEffect } from "../../../actors/log-sync/state.ts";
import { crc32 } from "node:zlib";
import test from "ava";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type {
  Asks,
  LogSyncMessage,
  LogSyncPeerMessage,
} from "../../../actors/log-sync/messages.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import { ASKING_RECORDS_MAX } from "../../../protocol/limits.ts";
import { epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { PeerSender } from "../../../runtime/transport.ts";
import { folderOf, from, recoveredReport } from "../../support/peers.ts";
import { at, broadcasts, Driven, record, sent, server, syncs } from "../../support/plain-calls.ts";

type LogSync = Driven<LogSyncState, LogSyncMessage, LogSyncEffect>;

function newLogSync(report: Parameters<typeof recoveredReport>[0] = {}): LogSync {
  const logSync: LogSync = new Driven(
    logSyncActor({ server: server(1), nonce: 1, voters: [1, 2, 3].map(server), lanes: 1, crc32 }),
  );
  logSync.receive(recoveredReport(report));
  return logSync;
}

function append(
  prevZxid: Zxid,
  records: readonly Uint8Array[],
  { asks, committed = ZXID_NONE }: { asks?: Asks; committed?: Zxid },
): LogSyncMessage {
  return from(3, {
    ...{ kind: "append", epoch: epoch(1), leader: server(3), prevZxid, committed, records },
    ...{ admission: "all", asks },
  });
}

const ALL: Asks = { durable: ZXID_NONE, counted: [1, 2] };

/** Node 1 follows node 3 in epoch 1, whose barrier is committed. */
function follower(): LogSync {
  const promise = { epoch: epoch(1), candidate: server(3) };
  const logSync = newLogSync({ promise, lastZxids: [at(1, 0)] });
  logSync.receive(append(at(1, 0), [], { committed: at(1, 0) }));
  return logSync;
}

/** A follower that has (1, 1) durably; its leader has asked with `asks`. */
function asked(asks: Asks = ALL): LogSync {
  const logSync = follower();
  logSync.receive(append(at(1, 0), [record(at(1, 1), at(1, 0))], { asks }));
  logSync.receive({ kind: "appended", lastZxid: at(1, 1), truncations: 0 });
  return logSync;
}

type Accepted = Extract<LogSyncPeerMessage, { kind: "accepted" }>;

function accepted(
  of: Partial<Accepted> = {},
  sender: Partial<PeerSender> = {},
  peer = 2,
): LogSyncMessage {
  return from(
    peer,
    {
      ...{ kind: "accepted", epoch: epoch(1), zxid: at(1, 1), votes: true },
      ...{ diskSpace: "free", treeFull: false },
      ...of,
    },
    sender,
  );
}

function committed(logSync: LogSync): Zxid {
  return logSync.state.delivery.committed;
}

test("a follower that is asked tells all what it has accepted, once", (t) => {
  const logSync = asked();
  t.like(broadcasts(logSync.effects), [{ kind: "accepted", zxid: at(1, 1) }]);
  t.deepEqual(sent(logSync.effects, 3), []);
  const again = logSync.receive(append(at(1, 1), [], {}));
  t.deepEqual(broadcasts(again), []);
  t.like(sent(again, 3), [{ kind: "accepted", zxid: at(1, 1) }]);
});

test("a follower commits what it and another one have, without its leader's mark", (t) => {
  const logSync = asked();
  t.is(committed(logSync), at(1, 0), "alone it is no quorum");
  logSync.receive(accepted());
  t.is(committed(logSync), at(1, 1));
});

test("the leader's own disk counts up to where the leader says", (t) => {
  const logSync = asked({ durable: at(1, 0), counted: [1, 2] });
  t.is(committed(logSync), at(1, 0));
  const asks = { durable: at(1, 1), counted: [1, 2] };
  logSync.receive(append(at(1, 1), [record(at(1, 2), at(1, 1))], { asks }));
  t.is(committed(logSync), at(1, 1));
});

test("a follower counts what another one has accepted before it has the record itself, once it has it", (t) => {
  const logSync = follower();
  logSync.receive(append(at(1, 0), [record(at(1, 1), at(1, 0))], { asks: ALL }));
  logSync.receive(accepted({ zxid: at(1, 9) }));
  t.is(committed(logSync), at(1, 0), "its own disk does not have it");
  logSync.receive({ kind: "appended", lastZxid: at(1, 1), truncations: 0 });
  t.is(committed(logSync), at(1, 1));
});

const DO_NOT_COUNT: Readonly<Record<string, () => LogSync>> = {
  "of another epoch": () => told(accepted({ epoch: epoch(2), zxid: at(2, 1) })),
  "without a vote": () => told(accepted({ votes: false })),
  "of a process that the leader does not name": () => told(accepted({}, { nonce: 22 })),
  "of another folder than the number's own": () => told(accepted({}, { identity: folderOf(9) })),
  "of too little": () => told(accepted({ zxid: at(1, 0) })),
  "of a process before the one that was heard last": () => {
    const logSync = asked({ durable: ZXID_NONE, counted: [1] });
    logSync.receive(accepted());
    logSync.receive(from(2, { kind: "survey", nonce: 1 }, { nonce: 22, incarnation: 2 }));
    const asks = { durable: ZXID_NONE, counted: [1, 2, 22] };
    logSync.receive(append(at(1, 1), [record(at(1, 2), at(1, 1))], { asks }));
    return logSync;
  },
  "when the leader does not count this process": () =>
    told(accepted(), asked({ durable: ZXID_NONE, counted: [2, 11] })),
  "when the leader's next records do not ask": () => {
    const logSync = asked();
    logSync.receive(append(at(1, 1), [record(at(1, 2), at(1, 1))], {}));
    return told(accepted(), logSync);
  },
  "when an overtaken append names a process that the last one does not": () => {
    const logSync = follower();
    const [first, second] = [record(at(1, 1), at(1, 0)), record(at(1, 2), at(1, 1))];
    logSync.receive(append(at(1, 0), [first], { asks: { durable: ZXID_NONE, counted: [1] } }));
    const none = { durable: ZXID_NONE, counted: [1] };
    logSync.receive(append(at(1, 1), [second], { asks: none }));
    logSync.receive(append(at(1, 0), [first], { asks: ALL }));
    logSync.receive({ kind: "appended", lastZxid: at(1, 2), truncations: 0 });
    return told(accepted({ zxid: at(1, 2) }), logSync);
  },
  "before the leader has said that its barrier is committed": () => {
    const promise = { epoch: epoch(1), candidate: server(3) };
    const logSync = newLogSync({ promise, lastZxids: [at(1, 0)] });
    logSync.receive(append(at(1, 0), [record(at(1, 1), at(1, 0))], { asks: ALL }));
    logSync.receive({ kind: "appended", lastZxid: at(1, 1), truncations: 0 });
    return told(accepted(), logSync);
  },
};

function told(message: LogSyncMessage, logSync: LogSync = asked()): LogSync {
  logSync.receive(message);
  return logSync;
}

for (const [what, play] of Object.entries(DO_NOT_COUNT)) {
  test(`an acknowledgement does not count: ${what}`, (t) => {
    const logSync = play();
    t.true(committed(logSync) <= at(1, 0));
  });
}

test("a new leader begins with nothing counted", (t) => {
  const logSync = asked({ durable: ZXID_NONE, counted: [1] });
  logSync.receive(accepted());
  const { role } = logSync.state;
  t.is(role.kind === "following" ? role.count.accepted.size : 0, 1);
  const message = {
    kind: "append",
    epoch: epoch(2),
    leader: server(2),
    prevZxid: at(1, 1),
  } as const;
  const rest = { committed: ZXID_NONE, records: [], admission: "all" } as const;
  logSync.receive(from(2, { ...message, ...rest }));
  logSync.receive({ kind: "promised", promise: { epoch: epoch(2), candidate: server(2) } });
  const { role: next } = logSync.state;
  t.like(next, { kind: "following", leader: 2, count: { asks: undefined } });
  t.is(next.kind === "following" ? next.count.accepted.size : 1, 0);
});

/** Node 1 of three leads epoch 1, and has counted both others. */
function leader(): LogSync {
  const logSync = newLogSync();
  logSync.receive({ kind: "elected", leader: server(1) });
  const promise = { epoch: epoch(1), candidate: server(1) };
  logSync.receive({ kind: "promised", promise });
  logSync.receive(
    from(2, {
      ...{ kind: "promiseReply", folder: folderOf(1), epoch: epoch(1), granted: true, promise },
      lastZxid: ZXID_NONE,
    }),
  );
  logSync.receive({ kind: "endOfTurn" });
  logSync.receive({ kind: "appended", lastZxid: at(1, 0), truncations: 0 });
  for (const peer of [2, 3]) logSync.receive(accepted({ zxid: at(1, 0) }, {}, peer));
  logSync.receive({ kind: "endOfTurn" });
  return logSync;
}

/** One batch, published: those before it, if they are in flight, hold it back no longer. */
function write(logSync: LogSync, seq: number): readonly object[] {
  logSync.nowMs += 2;
  const submitter = { server: server(1), lane: 1, incarnation: 1 };
  logSync.receive({ kind: "submit", submitter, seq, count: 1, payload: syncs(1) });
  return broadcasts(logSync.receive({ kind: "endOfTurn" }));
}

test("a leader asks, and says whom it counts and how far its own disk has come", (t) => {
  const logSync = leader();
  t.like(write(logSync, 1), [{ kind: "append", asks: { durable: at(1, 0), counted: [2, 3] } }]);
});

test("a leader does not ask with its barrier", (t) => {
  const logSync = newLogSync();
  logSync.receive({ kind: "elected", leader: server(1) });
  const promise = { epoch: epoch(1), candidate: server(1) };
  logSync.receive({ kind: "promised", promise });
  const granted = { folder: folderOf(1), epoch: epoch(1), granted: true, promise } as const;
  logSync.receive(from(2, { kind: "promiseReply", ...granted, lastZxid: ZXID_NONE }));
  const [barrier] = broadcasts(logSync.receive({ kind: "endOfTurn" }));
  t.like(barrier, { kind: "append", asks: undefined });
});

test("a leader names no process of which it counts nothing", (t) => {
  const logSync = leader();
  logSync.receive(accepted({ zxid: at(1, 0), votes: false }, {}, 3));
  t.like(write(logSync, 1), [{ kind: "append", asks: undefined }], "one follower is no quorum");
  logSync.receive(accepted({ zxid: at(1, 0) }, { nonce: 33, incarnation: 2 }, 3));
  t.like(write(logSync, 2), [{ kind: "append", asks: { counted: [2, 33] } }]);
});

test("the mark does not go out alone when the followers find out by themselves", (t) => {
  const logSync = leader();
  write(logSync, 1);
  logSync.receive({ kind: "appended", lastZxid: at(1, 1), truncations: 0 });
  const first = logSync.receive(accepted({}, {}, 2));
  t.is(committed(logSync), at(1, 1));
  t.false(first.some(({ kind }) => kind === "endOfTurn"));
  logSync.receive(accepted({}, {}, 3));
  logSync.nowMs += 5;
  const due = logSync.receive({ kind: "timer", timer: "mark" });
  t.deepEqual(due, []);
});

test("the mark goes out when a follower is late, and with every commit until it is in time", (t) => {
  const logSync = leader();
  write(logSync, 1);
  logSync.receive({ kind: "appended", lastZxid: at(1, 1), truncations: 0 });
  logSync.receive(accepted({}, {}, 2));
  logSync.nowMs += 5;
  const due = logSync.receive({ kind: "timer", timer: "mark" });
  t.true(due.some(({ kind }) => kind === "endOfTurn"));
  t.like(broadcasts(logSync.receive({ kind: "endOfTurn" })), [{ committed: at(1, 1) }]);
  t.like(write(logSync, 2), [{ kind: "append", asks: undefined }]);
  logSync.receive({ kind: "appended", lastZxid: at(1, 2), truncations: 0 });
  const prompt = logSync.receive(accepted({ zxid: at(1, 2) }, {}, 2));
  t.true(
    prompt.some(({ kind }) => kind === "endOfTurn"),
    "the mark is sent at once",
  );
  logSync.receive({ kind: "endOfTurn" });
  // It has caught up, and is in time with the next one.
  logSync.receive(accepted({ zxid: at(1, 2) }, {}, 3));
  write(logSync, 3);
  logSync.receive({ kind: "appended", lastZxid: at(1, 3), truncations: 0 });
  for (const peer of [2, 3]) logSync.receive(accepted({ zxid: at(1, 3) }, {}, peer));
  logSync.receive({ kind: "endOfTurn" });
  t.like(write(logSync, 4), [{ kind: "append", asks: { counted: [2, 3] } }]);
});

test("with many records under way a leader does not ask", (t) => {
  const logSync = leader();
  for (let seq = 1; seq <= ASKING_RECORDS_MAX; seq += 1) {
    t.like(write(logSync, seq), [{ asks: { counted: [2, 3] } }]);
  }
  t.like(write(logSync, ASKING_RECORDS_MAX + 1), [{ asks: undefined }]);
});
