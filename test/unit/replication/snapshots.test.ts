/** log-sync with snapshots, by plain calls: loaded at the start, offered by a leader, transferred by a follower. */
import type { LogSyncEffect } from "../../../actors/log-sync/state.ts";
import { crc32 } from "node:zlib";
import test from "ava";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage } from "../../../actors/log-sync/messages.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import { isDue, noteAsked, noteCame, startPace } from "../../../actors/log-sync/snapshots/pace.ts";
import { epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { at, Driven, emitted, record, sent, server, told } from "../../support/plain-calls.ts";
import { ensembleOf, folderOf, from, recoveredReport } from "../../support/peers.ts";

type LogSync = Driven<LogSyncState, LogSyncMessage, LogSyncEffect>;

function identity(zxid: Zxid, bytes = 1000): SnapshotIdentity {
  return { zxid, bytes, checksum: 7 };
}

/** Node 1 of three with two lanes; its log goes on from `base` with these. */
function node(base: Zxid, lastZxids: readonly Zxid[], promised = 1): LogSync {
  const logSync = new Driven(
    logSyncActor({ server: server(1), nonce: 1, voters: [1, 2, 3].map(server), lanes: 2, crc32 }),
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
  for (const lane of [1, 2]) {
    t.deepEqual(told(logSync.effects, `tree/${lane}`), [{ kind: "loadSnapshot", zxid: base }]);
  }
  const next = record(at(1, 7), at(1, 6));
  logSync.receive(append(at(1, 6), [next], at(1, 7)));
  logSync.receive({ kind: "appended", lastZxid: at(1, 7), truncations: 0 });
  t.is(logSync.state.delivery.committed, at(1, 7));
  t.is(logSync.state.delivery.delivered, base);
  t.deepEqual(told(logSync.receive(loaded(1, base)), "log"), []);
  t.like(told(logSync.receive(loaded(2, base)), "log")[0], { kind: "read", after: base });
  const records = [record(at(1, 6), base), next];
  const effects = logSync.receive({
    kind: "records",
    purpose: { kind: "delivery" },
    after: base,
    records,
  });
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
  const place = { zxid: at(1, 6), index: 3, position: 700 };
  const ask = { kind: "askChunk", epoch: epoch(2), ...place } as const;
  t.deepEqual(told(logSync.receive(from(2, ask)), "log"), [{ kind: "askChunk", to: 2, ...place }]);
  const bytes = new Uint8Array([1, 2, 3]);
  const given = logSync.receive({ kind: "snapshotChunk", to: server(2), ...place, bytes });
  t.deepEqual(sent(given, 2), [{ kind: "snapshotChunk", epoch: 2, ...place, bytes }]);
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

/** The first chunk has 600 bytes, the second 400. */
function chunk(of: Zxid, index: 0 | 1): LogSyncMessage {
  const [position, length] = index === 0 ? [0, 600] : [600, 400];
  const bytes = new Uint8Array(length);
  return from(2, { kind: "snapshotChunk", epoch: epoch(1), zxid: of, index, position, bytes });
}

/** Node 1 follows node 2 of epoch 1 and is too far behind it. */
function follower(): LogSync {
  const logSync = node(ZXID_NONE, [at(1, 0), at(1, 1)]);
  logSync.receive(append(at(1, 50), []));
  return logSync;
}

test("a follower stores chunk after chunk, installs the whole, and goes on from there", (t) => {
  const logSync = follower();
  const of = identity(at(1, 40));
  const { zxid } = of;
  const ask = { kind: "askChunk", epoch: 1, zxid };
  t.deepEqual(sent(logSync.receive(offer(of)), 2), [{ ...ask, index: 0, position: 0 }]);
  t.deepEqual(told(logSync.receive(chunk(zxid, 1)), "log"), [], "not the one asked for");
  t.like(told(logSync.receive(chunk(zxid, 0)), "log")[0], {
    ...{ kind: "storeChunk", source: "leader", zxid, index: 0, position: 0 },
  });
  t.deepEqual(told(logSync.receive(chunk(zxid, 0)), "log"), [], "a chunk is stored once");
  const stored = logSync.receive({ kind: "chunkStored", zxid, index: 0 });
  t.deepEqual(sent(stored, 2), [{ ...ask, index: 1, position: 600 }]);
  logSync.receive(chunk(zxid, 1));
  const whole = logSync.receive({ kind: "chunkStored", zxid, index: 1 });
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
  t.deepEqual(told(effects, "tree/2"), [{ kind: "loadSnapshot", zxid }]);
  t.deepEqual(sent(effects, 2), [
    { kind: "accepted", epoch: 1, zxid: of.zxid, votes: true, diskSpace: "free", treeFull: false },
    { kind: "behind", epoch: 1, holds: of.zxid, durable: of.zxid },
  ]);
  const next = logSync.receive(append(of.zxid, [record(at(1, 41), of.zxid)]));
  t.like(told(next, "log"), [{ kind: "append" }]);
});

test("a chunk that was lost is asked for again, later and later, and a newer snapshot is no reason to begin anew", (t) => {
  const logSync = follower();
  const of = identity(at(1, 40));
  const asked = (offered: Zxid): unknown[] => sent(logSync.receive(offer(identity(offered))), 2);
  t.is(asked(of.zxid).length, 1);
  const askedAtMs: number[] = [];
  for (logSync.nowMs = 0; logSync.nowMs < 3000; logSync.nowMs += 100) {
    const [ask] = asked(at(1, 45));
    if (ask === undefined) continue;
    t.like(ask, { kind: "askChunk", zxid: of.zxid, index: 0 });
    askedAtMs.push(logSync.nowMs);
  }
  t.deepEqual(askedAtMs, [300, 900, 2100]);
});

test("a chunk is asked for again after twice the time that chunks have taken", (t) => {
  const pace = startPace();
  t.true(isDue(pace, 0), "it was not asked for");
  noteAsked(pace, 0);
  noteCame(pace, 1000);
  noteAsked(pace, 1000);
  t.false(isDue(pace, 2999));
  t.true(isDue(pace, 3000));
  noteAsked(pace, 3000);
  t.false(isDue(pace, 6999));
  noteCame(pace, 3001);
  t.is(pace.againMs, 4000, "which of the two copies came is not known");
  noteAsked(pace, 3001);
  noteCame(pace, 3002);
  t.is(pace.againMs, 300);
  noteAsked(pace, 4000);
  noteCame(pace, 60_000);
  t.is(pace.againMs, 10_000);
});

test("under the next leader the same snapshot is gone on with, another one is begun", (t) => {
  for (const checksum of [7, 8]) {
    const logSync = follower();
    const of = identity(at(1, 40));
    logSync.receive(offer(of));
    logSync.receive(chunk(of.zxid, 0));
    logSync.receive({ kind: "chunkStored", zxid: of.zxid, index: 0 });
    const next = { epoch: 2, leader: 3 };
    logSync.receive(append(at(1, 60), [], ZXID_NONE, next));
    logSync.receive({ kind: "promised", promise: { epoch: epoch(2), candidate: server(3) } });
    const effects = logSync.receive(offer({ ...of, checksum }, 3, 2));
    t.like(sent(effects, 3)[0], { kind: "askChunk", position: checksum === 7 ? 600 : 0 });
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
  logSync.receive(chunk(of.zxid, 0));
  const caughtUp = append(at(1, 1), [record(at(1, 2), at(1, 1))], at(1, 0));
  t.like(told(logSync.receive(caughtUp), "log"), [{ kind: "append" }, { kind: "dropTransfer" }]);
  const stored = logSync.receive({ kind: "chunkStored", zxid: of.zxid, index: 0 });
  t.deepEqual(told(stored, "log"), []);
});

test("a snapshot that the leader has no more, or the log does not store, is dropped and asked for again after a while", (t) => {
  for (const fails of ["gone", "refused"]) {
    const logSync = follower();
    const { zxid } = identity(at(1, 40));
    logSync.receive(offer(identity(zxid)));
    if (fails === "gone") {
      const place = { zxid, index: 0, position: 0, bytes: new Uint8Array(0) };
      const answer = from(2, { kind: "snapshotChunk", epoch: epoch(1), ...place });
      t.deepEqual(told(logSync.receive(answer), "log"), [{ kind: "dropTransfer" }]);
    } else {
      logSync.receive(chunk(zxid, 0));
      const refusal = { kind: "snapshotRefused", zxid, reason: "the disk is full" } as const;
      t.deepEqual(told(logSync.receive(refusal), "log"), [{ kind: "dropTransfer" }]);
    }
    t.deepEqual(sent(logSync.receive(offer(identity(zxid))), 2), [], "not at once");
    logSync.nowMs += 1000;
    t.like(sent(logSync.receive(offer(identity(zxid))), 2)[0], { kind: "askChunk", index: 0 });
  }
});

test("what the log has purged is forgotten, and an append before it is answered with where this log stands", (t) => {
  const logSync = node(ZXID_NONE, [at(1, 0), at(1, 1), at(1, 2)]);
  logSync.receive({ kind: "purged", baseZxid: at(1, 1) });
  const effects = logSync.receive(append(at(1, 0), [record(at(1, 1), at(1, 0))]));
  t.deepEqual(sent(effects, 2), [{ kind: "behind", epoch: 1, holds: at(1, 1), durable: at(1, 2) }]);
});
