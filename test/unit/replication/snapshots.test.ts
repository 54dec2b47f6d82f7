/** log-sync with snapshots, by plain calls: loaded at the start, offered by a leader, transferred by a follower. */
import type { LogSyncEffect } from "../../../actors/log-sync/state.ts";
import { crc32 } from "node:zlib";
import test from "ava";
import { DELIVERY_TAG } from "../../../actors/log-sync/delivery.ts";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage, LogSyncPeerMessage } from "../../../actors/log-sync/messages.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import { epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { at, Driven, emitted, record, sent, server, told } from "../../support/plain-calls.ts";
import { folderOf, ensembleOf, recoveredReport, senderOf } from "../../support/peers.ts";

type LogSync = Driven<LogSyncState, LogSyncMessage, LogSyncEffect>;

function identity(zxid: Zxid, bytes = 1000): SnapshotIdentity {
  return { zxid, bytes, checksum: 7 };
}

/** Node 1 of three with two lanes; its log goes on from `base` with these. */
function node(base: Zxid, lastZxids: readonly Zxid[], promised = 1): LogSync {
  const logSync = new Driven(
    logSyncActor({ server: server(1), voters: [1, 2, 3].map(server), lanes: 2, crc32 }),
  );
  logSync.receive(
    recoveredReport({
      promise: { epoch: epoch(promised), candidate: server(2) },
      baseZxid: base,
      lastZxids,
      snapshot: base === ZXID_NONE ? undefined : identity(base),
    }),
  );
  return logSync;
}

function from(peer: number, message: LogSyncPeerMessage): LogSyncMessage {
  return { kind: "received", from: server(peer), sender: senderOf(peer), message };
}

function append(
  prevZxid: Zxid,
  records: readonly Uint8Array[],
  committed = ZXID_NONE,
  of = { epoch: 1, leader: 2 },
): LogSyncMessage {
  return from(of.leader, {
    kind: "append",
    epoch: epoch(of.epoch),
    leader: server(of.leader),
    prevZxid,
    committed,
    records,
    admission: "all",
  });
}

function loaded(lane: number, zxid: Zxid): LogSyncMessage {
  const submitters = [{ submitter: { server: server(3), lane: 1, incarnation: 4 }, seq: 9 }];
  return { kind: "treeLoaded", lane, zxid, submitters };
}

test("at the start every lane is given the snapshot, and nothing is delivered before all have it", (t) => {
  const base = at(1, 5);
  const logSync = node(base, [at(1, 6)]);
  t.deepEqual(
    told(logSync.effects, "log"),
    [1, 2].map((lane) => ({ kind: "loadSnapshot", zxid: base, to: `tree/${lane}` })),
  );
  const next = record(at(1, 7), at(1, 6));
  logSync.receive(append(at(1, 6), [next], at(1, 7)));
  logSync.receive({ kind: "appended", lastZxid: at(1, 7), truncations: 0 });
  t.is(logSync.state.delivery.committed, at(1, 7));
  t.is(logSync.state.delivery.delivered, base);
  t.deepEqual(told(logSync.receive(loaded(1, base)), "log"), []);
  t.like(told(logSync.receive(loaded(2, base)), "log")[0], { kind: "read", after: base });
  const records = [record(at(1, 6), base), next];
  const effects = logSync.receive({ kind: "records", tag: DELIVERY_TAG, after: base, records });
  t.deepEqual(emitted(effects, "committed"), [{ kind: "committed", records }]);
  t.like(
    logSync.state.delivery.submitters.judge({ server: server(3), lane: 1, incarnation: 4 }, 9),
    {
      kind: "repeated",
    },
  );
});

test("a follower whose log ends before the leader's begins is offered the newest snapshot", (t) => {
  const base = at(1, 5);
  const logSync = node(base, [at(1, 6)]);
  logSync.receive({ kind: "elected", leader: server(1) });
  logSync.receive({ kind: "promised", promise: { epoch: epoch(2), candidate: server(1) } });
  const promise = { epoch: epoch(2), candidate: server(1) };
  logSync.receive(
    from(2, {
      kind: "promiseReply",
      folder: folderOf(1),
      epoch: epoch(2),
      granted: true,
      promise,
      lastZxid: ZXID_NONE,
    }),
  );
  logSync.receive({ kind: "snapshotStored", snapshot: identity(at(1, 6)) });
  const behind = from(2, { kind: "behind", epoch: epoch(2), holds: at(1, 4), durable: at(1, 4) });
  t.deepEqual(sent(logSync.receive(behind), 2), [
    {
      kind: "snapshotOffer",
      epoch: 2,
      snapshot: identity(at(1, 6)),
      configuration: ensembleOf(3),
    },
  ]);
  const ask = { kind: "snapshotAsk", epoch: epoch(2), zxid: at(1, 6), position: 0 } as const;
  t.like(told(logSync.receive(from(2, ask)), "log")[0], { kind: "readSnapshot", position: 0 });
  const bytes = new Uint8Array([1, 2, 3]);
  const given = logSync.receive({
    kind: "snapshotBytes",
    tag: 2,
    zxid: at(1, 6),
    position: 0,
    bytes,
  });
  t.deepEqual(sent(given, 2), [
    { kind: "snapshotPart", epoch: 2, zxid: at(1, 6), position: 0, bytes },
  ]);
});

function offer(of: SnapshotIdentity, leader = 2, inEpoch = 1): LogSyncMessage {
  const configuration = ensembleOf(3);
  return from(leader, {
    kind: "snapshotOffer",
    epoch: epoch(inEpoch),
    snapshot: of,
    configuration,
  });
}

function part(of: Zxid, position: number, length: number, leader = 2, inEpoch = 1): LogSyncMessage {
  const bytes = new Uint8Array(length);
  return from(leader, { kind: "snapshotPart", epoch: epoch(inEpoch), zxid: of, position, bytes });
}

/** Node 1 follows node 2 of epoch 1 and is too far behind it. */
function follower(): LogSync {
  const logSync = node(ZXID_NONE, [at(1, 0), at(1, 1)]);
  logSync.receive(append(at(1, 50), []));
  return logSync;
}

test("a follower stores part after part, installs the whole, and goes on from there", (t) => {
  const logSync = follower();
  const of = identity(at(1, 40));
  const ask = { kind: "snapshotAsk", epoch: 1, zxid: of.zxid };
  t.deepEqual(sent(logSync.receive(offer(of)), 2), [{ ...ask, position: 0 }]);
  t.like(told(logSync.receive(part(of.zxid, 0, 600)), "log")[0], { kind: "storePart" });
  t.deepEqual(told(logSync.receive(part(of.zxid, 0, 600)), "log"), [], "a part is stored once");
  const stored = logSync.receive({ kind: "partStored", zxid: of.zxid, position: 600 });
  t.deepEqual(sent(stored, 2), [{ ...ask, position: 600 }]);
  logSync.receive(part(of.zxid, 600, 400));
  const whole = logSync.receive({ kind: "partStored", zxid: of.zxid, position: 1000 });
  t.deepEqual(told(whole, "log"), [{ kind: "installSnapshot", snapshot: of }]);
  t.deepEqual(told(logSync.receive(append(at(1, 1), [record(at(1, 2), at(1, 1))])), "log"), []);
  const effects = logSync.receive({
    kind: "installed",
    snapshot: of,
    timeMs: 5000,
    truncations: 1,
  });
  t.is(logSync.state.delivery.committed, of.zxid);
  t.is(logSync.state.log.index.base, of.zxid);
  t.like(told(effects, "log")[0], { kind: "loadSnapshot", zxid: of.zxid });
  t.deepEqual(sent(effects, 2), [
    { kind: "accepted", epoch: 1, zxid: of.zxid, votes: true, diskSpace: "free", treeFull: false },
    { kind: "behind", epoch: 1, holds: of.zxid, durable: of.zxid },
  ]);
  const next = logSync.receive(append(of.zxid, [record(at(1, 41), of.zxid)]));
  t.like(told(next, "log"), [{ kind: "append" }]);
});

test("a part that was lost is asked for again, and a stalled snapshot is given up for a newer one", (t) => {
  const logSync = follower();
  const of = identity(at(1, 40));
  logSync.receive(offer(of));
  logSync.nowMs = 100;
  t.deepEqual(sent(logSync.receive(offer(of)), 2), []);
  t.deepEqual(sent(logSync.receive(offer(identity(at(1, 45)))), 2), []);
  logSync.nowMs = 400;
  t.like(sent(logSync.receive(offer(of)), 2)[0], { position: 0, zxid: of.zxid });
  logSync.nowMs = 3000;
  t.like(sent(logSync.receive(offer(identity(at(1, 45)))), 2)[0], { zxid: at(1, 45) });
});

test("under the next leader the same snapshot is gone on with, another one is begun", (t) => {
  for (const checksum of [7, 8]) {
    const logSync = follower();
    const of = identity(at(1, 40));
    logSync.receive(offer(of));
    logSync.receive(part(of.zxid, 0, 600));
    logSync.receive({ kind: "partStored", zxid: of.zxid, position: 600 });
    const next = { epoch: 2, leader: 3 };
    logSync.receive(append(at(1, 60), [], ZXID_NONE, next));
    logSync.receive({ kind: "promised", promise: { epoch: epoch(2), candidate: server(3) } });
    logSync.nowMs = 3000;
    const effects = logSync.receive(offer({ ...of, checksum }, 3, 2));
    t.like(sent(effects, 3)[0], { kind: "snapshotAsk", position: checksum === 7 ? 600 : 0 });
  }
});

test("a snapshot whose zxid the log holds is neither transferred nor installed, committed there or not", (t) => {
  const logSync = follower();
  logSync.receive(append(ZXID_NONE, [record(at(1, 0), ZXID_NONE)], at(1, 0)));
  t.is(logSync.state.delivery.committed, at(1, 0));
  for (const counter of [0, 1]) {
    t.deepEqual(sent(logSync.receive(offer(identity(at(1, counter)))), 2), []);
  }

  const of = identity(at(1, 2));
  logSync.receive(offer(of));
  logSync.receive(part(of.zxid, 0, 600));
  const caughtUp = append(at(1, 1), [record(at(1, 2), at(1, 1))], at(1, 0));
  t.like(told(logSync.receive(caughtUp), "log"), [{ kind: "append" }, { kind: "dropParts" }]);
  const stored = logSync.receive({ kind: "partStored", zxid: of.zxid, position: 1000 });
  t.deepEqual(told(stored, "log"), []);
});

test("what the log has purged is forgotten, and an append before it is answered with where this log stands", (t) => {
  const logSync = node(ZXID_NONE, [at(1, 0), at(1, 1), at(1, 2)]);
  logSync.receive({ kind: "purged", baseZxid: at(1, 1) });
  const effects = logSync.receive(append(at(1, 0), [record(at(1, 1), at(1, 0))]));
  t.deepEqual(sent(effects, 2), [{ kind: "behind", epoch: 1, holds: at(1, 1), durable: at(1, 2) }]);
});
