/** How records in flight hold back those that come after them, by plain calls of log-sync. */
import { crc32 } from "node:zlib";
import test from "ava";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage, LogSyncPeerMessage } from "../../../actors/log-sync/messages.ts";
import type { LogSyncEffect, LogSyncState } from "../../../actors/log-sync/state.ts";
import { recordHeader } from "../../../protocol/record.ts";
import { epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { folderOf, recoveredReport, senderOf } from "../../support/peers.ts";
import { at, broadcasts, Driven, server, syncs, told } from "../../support/plain-calls.ts";

type LogSync = Driven<LogSyncState, LogSyncMessage, LogSyncEffect>;

function from(peer: number, message: LogSyncPeerMessage): LogSyncMessage {
  return { kind: "received", from: server(peer), sender: senderOf(peer), message };
}

function accept(logSync: LogSync, peer: number, zxid: Zxid): readonly Effect[] {
  const of = { votes: true, diskSpace: "free", treeFull: false } as const;
  return logSync.receive(from(peer, { kind: "accepted", epoch: epoch(1), zxid, ...of }));
}

/** Node 1 of three leads epoch 1; all three have its barrier. */
function leader(): LogSync {
  const options = { server: server(1), nonce: 1, voters: [1, 2, 3].map(server), lanes: 1, crc32 };
  const logSync = new Driven(logSyncActor(options));
  logSync.receive(recoveredReport({ promise: { epoch: epoch(0), candidate: server(1) } }));
  logSync.receive({ kind: "elected", leader: server(1) });
  const promise = { epoch: epoch(1), candidate: server(1) };
  logSync.receive({ kind: "promised", promise });
  const reply = { kind: "promiseReply", folder: folderOf(1), epoch: epoch(1) } as const;
  logSync.receive(from(2, { ...reply, granted: true, promise, lastZxid: ZXID_NONE }));
  logSync.receive({ kind: "endOfTurn" });
  logSync.receive({ kind: "appended", lastZxid: at(1, 0), truncations: 0 });
  for (const peer of [2, 3]) accept(logSync, peer, at(1, 0));
  logSync.receive({ kind: "endOfTurn" });
  return logSync;
}

/** A batch of one operation, in a turn of its own. */
function write(logSync: LogSync, seq: number): readonly Effect[] {
  const submitter = { server: server(1), lane: 1, incarnation: 1 };
  logSync.receive({ kind: "submit", submitter, seq, count: 1, payload: syncs(1) });
  return logSync.receive({ kind: "endOfTurn" });
}

/** The ends of the records that go to the peers. */
function published(effects: readonly Effect[]): Zxid[] {
  return (broadcasts(effects) as { readonly records: readonly Uint8Array[] }[])
    .flatMap(({ records }) => records)
    .map((record) => recordHeader(record).lastZxid);
}

test("records wait while others are in flight, and leave together with the mark of their commit", (t) => {
  const logSync = leader();
  t.deepEqual(published(write(logSync, 1)), [at(1, 1)], "nothing is in flight");
  const held = [write(logSync, 2), write(logSync, 3)];
  t.deepEqual(held.flatMap(broadcasts), []);
  t.deepEqual(
    held.flatMap((effects) => told(effects, "log")),
    [],
    "this node's own disk is not kept busy with them either",
  );
  logSync.receive({ kind: "appended", lastZxid: at(1, 1), truncations: 0 });
  t.true(accept(logSync, 2, at(1, 1)).some(({ kind }) => kind === "endOfTurn"));
  const effects = logSync.receive({ kind: "endOfTurn" });
  t.deepEqual(published(effects), [at(1, 2), at(1, 3)]);
  t.like(broadcasts(effects), [{ committed: at(1, 1), prevZxid: at(1, 1) }]);
  t.is(told(effects, "log").length, 1);
});

test("where the commit takes longer than two milliseconds, records wait no longer than that", (t) => {
  const logSync = leader();
  write(logSync, 1);
  logSync.nowMs += 0.5;
  const timers = [write(logSync, 2), write(logSync, 3)].flat();
  t.deepEqual(
    timers.filter(({ kind }) => kind === "startTimer"),
    [{ kind: "startTimer", timer: "hold", afterMs: 2 }],
    "one timer for all of them, in whole milliseconds",
  );
  logSync.nowMs += 2;
  const due = logSync.receive({ kind: "timer", timer: "hold" });
  t.true(due.some(({ kind }) => kind === "endOfTurn"));
  t.deepEqual(published(logSync.receive({ kind: "endOfTurn" })), [at(1, 2), at(1, 3)]);
  t.deepEqual(published(write(logSync, 4)), [], "these are in flight now");
});

test("a leader that gives up takes back the records that it has held", (t) => {
  const logSync = leader();
  write(logSync, 1);
  write(logSync, 2);
  logSync.receive({ kind: "leaderLost", reason: "a test" });
  t.is(logSync.state.log.index.tail, at(1, 1));
  t.deepEqual(published(logSync.receive({ kind: "endOfTurn" })), []);
  t.deepEqual(logSync.receive({ kind: "timer", timer: "hold" }), []);
});
