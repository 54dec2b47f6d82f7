/**
 * Full disks, as log-sync sees them: who continues to lead, who gives way, what is reported, and what becomes of records that no
 * disk has taken.
 */
import type { LogSyncEffect } from "../../../actors/log-sync/state.ts";
import { crc32 } from "node:zlib";
import test from "ava";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage } from "../../../actors/log-sync/messages.ts";
import type { DiskSpace, WriteAdmission } from "../../../protocol/replication.ts";
import type { LogSyncSizes, LogSyncState } from "../../../actors/log-sync/state.ts";
import { EPOCH_NONE, epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import {
  at,
  broadcasts,
  Driven,
  emitted,
  record,
  sent,
  server,
  syncs,
  told,
} from "../../support/plain-calls.ts";
import { folderOf, from, recoveredReport } from "../../support/peers.ts";

type LogSync = Driven<LogSyncState, LogSyncMessage, LogSyncEffect>;

function started(voters: readonly number[], sizes?: LogSyncSizes): LogSync {
  const options = { server: server(1), nonce: 1, voters: voters.map(server), lanes: 1, crc32 };
  const logSync = new Driven(logSyncActor(sizes === undefined ? options : { ...options, sizes }));
  logSync.receive(
    recoveredReport({
      promise: { epoch: EPOCH_NONE, candidate: server(1) },
    }),
  );
  return logSync;
}

/** Node 1, whose barrier of epoch 1 is committed. */
function leader(voters: readonly number[], sizes?: LogSyncSizes): LogSync {
  const logSync = started(voters, sizes);
  logSync.receive({ kind: "elected", leader: server(1) });
  const promise = { epoch: epoch(1), candidate: server(1) };
  logSync.receive({ kind: "promised", promise });
  for (const peer of voters.slice(1)) {
    const granted = { epoch: epoch(1), granted: true, promise, lastZxid: ZXID_NONE };
    logSync.receive(from(peer, { kind: "promiseReply", folder: folderOf(1), ...granted }));
  }
  publish(logSync);
  durable(logSync, at(1, 0));
  for (const peer of voters.slice(1)) hear(logSync, peer, "free");
  return logSync;
}

function publish(logSync: LogSync): ReturnType<LogSync["receive"]> {
  return logSync.receive({ kind: "endOfTurn" });
}

function durable(logSync: LogSync, lastZxid: Zxid): void {
  logSync.receive({ kind: "appended", lastZxid, truncations: 0 });
}

function hear(logSync: LogSync, peer: number, diskSpace: DiskSpace): void {
  const zxid = logSync.state.log.durable;
  logSync.receive(
    from(peer, {
      kind: "accepted",
      epoch: epoch(1),
      zxid,
      votes: true,
      diskSpace,
      treeFull: false,
    }),
  );
}

function submit(logSync: LogSync, seq: number): void {
  const submitter = { server: server(1), lane: 1, incarnation: 1 };
  logSync.receive({ kind: "submit", submitter, seq, count: 1, payload: syncs(1) });
}

function admissionOf(logSync: LogSync): unknown {
  return (
    emitted(logSync.effects, "leadership").at(-1) as { admission?: WriteAdmission } | undefined
  )?.admission;
}

test("a node alone that runs out of room leads on, and has writes refused until there is room", (t) => {
  const logSync = leader([1]);
  logSync.receive({ kind: "diskLow" });
  t.is(admissionOf(logSync), "sessionsOnly");
  logSync.receive({ kind: "diskFull", durable: at(1, 0) });
  t.is(admissionOf(logSync), "none");
  t.is(logSync.state.role.kind, "leading");
  logSync.receive({ kind: "writable" });
  t.is(admissionOf(logSync), "all");
});

test("what a leader had no room for is written when there is some, and committed then", (t) => {
  const logSync = leader([1]);
  submit(logSync, 1);
  submit(logSync, 2);
  publish(logSync);
  logSync.receive({ kind: "diskFull", durable: at(1, 0) });
  submit(logSync, 3);
  t.deepEqual(told(publish(logSync), "log"), []);
  t.is(logSync.state.delivery.committed, at(1, 0));
  const [append] = told(logSync.receive({ kind: "writable" }), "log") as {
    records: Uint8Array[];
  }[];
  t.is(append?.records.length, 2);
  durable(logSync, at(1, 2));
  t.is(logSync.state.delivery.committed, at(1, 2));
});

test("what a leader had no room for and has no longer in memory is in its index no longer", (t) => {
  const sizes = { recent: 500, uncommitted: 10_000, catchUp: 10_000 };
  const logSync = leader([1, 2, 3], sizes);
  hear(logSync, 2, "low");
  hear(logSync, 3, "low");
  for (let seq = 1; seq <= 8; seq += 1) submit(logSync, seq);
  publish(logSync);
  logSync.receive({ kind: "diskFull", durable: at(1, 0) });
  t.is(logSync.state.log.index.tail, at(1, 8));
  t.deepEqual(told(logSync.receive({ kind: "writable" }), "log"), []);
  t.is(logSync.state.role.kind, "looking");
  t.is(logSync.state.log.index.tail, at(1, 0), "or its next epoch would follow what no disk has");
});

test("a leader without room gives up leading and abstains if enough others have room", (t) => {
  const logSync = leader([1, 2, 3]);
  const effects = logSync.receive({ kind: "diskLow" });
  t.is(logSync.state.role.kind, "looking");
  t.like(emitted(effects, "durable")[0], { votes: false });
  const request = { kind: "promiseRequest", epoch: epoch(2), candidate: server(2) } as const;
  t.deepEqual(told(logSync.receive(from(2, request)), "log"), []);
  const after = logSync.receive({ kind: "timer", timer: "abstain" });
  t.like(emitted(after, "durable")[0], { votes: true });
  t.like(told(after, "election")[0], { kind: "look" });
});

test("a leader without room leads on while the others with room are no quorum, or have not been heard", (t) => {
  const low = leader([1, 2, 3]);
  hear(low, 3, "low");
  low.receive({ kind: "diskLow" });
  t.is(low.state.role.kind, "leading");
  t.is(admissionOf(low), "sessionsOnly");

  const unheard = leader([1, 2, 3]);
  unheard.nowMs = 2001;
  hear(unheard, 2, "free");
  unheard.receive({ kind: "diskLow" });
  t.is(unheard.state.role.kind, "leading");
  t.is(admissionOf(unheard), "sessionsOnly");
});

test("a leader gives up leading once in a while only, so that others without luck do not lose it again and again", (t) => {
  const logSync = leader([1, 2, 3]);
  logSync.state.space.yieldedAtMs = 0;
  logSync.nowMs = 1000;
  hear(logSync, 2, "free");
  hear(logSync, 3, "free");
  logSync.receive({ kind: "diskLow" });
  t.is(logSync.state.role.kind, "leading");
});

test("a leader with room has writes refused while too few others have some, and tells it with every append", (t) => {
  const logSync = leader([1, 2, 3]);
  hear(logSync, 2, "low");
  t.is(admissionOf(logSync), undefined);
  hear(logSync, 3, "low");
  t.is(admissionOf(logSync), "sessionsOnly");
  t.like(broadcasts(publish(logSync)).at(-1), { kind: "append", admission: "sessionsOnly" });
  hear(logSync, 2, "full");
  hear(logSync, 3, "full");
  t.is(admissionOf(logSync), "none");
  hear(logSync, 3, "free");
  t.is(admissionOf(logSync), "all");
  t.like(broadcasts(publish(logSync)).at(-1), { kind: "append", admission: "all" });
});

test("a leader that is deposed while its disk is full forgets what the disk had no room for", (t) => {
  const logSync = leader([1, 2, 3]);
  hear(logSync, 2, "low");
  hear(logSync, 3, "low");
  submit(logSync, 1);
  publish(logSync);
  logSync.receive({ kind: "diskFull", durable: at(1, 0) });
  t.is(logSync.state.log.index.tail, at(1, 1));
  const promise = { epoch: epoch(2), candidate: server(2) };
  logSync.receive(from(2, { kind: "deposed", promise }));
  t.is(logSync.state.log.index.tail, at(1, 0));
});

test("a follower tells its clients what its leader takes, and less when its own disk is full", (t) => {
  const logSync = started([1, 2, 3]);
  const append = (admission: WriteAdmission): LogSyncMessage => {
    const of = { epoch: epoch(1), leader: server(2), prevZxid: at(1, 0), committed: at(1, 0) };
    return from(2, { kind: "append", ...of, records: [], admission });
  };
  logSync.receive(append("all"));
  const promise = { epoch: epoch(1), candidate: server(2) };
  logSync.receive({ kind: "promised", promise });
  const of = { epoch: epoch(1), leader: server(2), prevZxid: ZXID_NONE, committed: ZXID_NONE };
  const records = [record(at(1, 0), ZXID_NONE)];
  logSync.receive(from(2, { kind: "append", ...of, records, admission: "all" }));
  durable(logSync, at(1, 0));
  logSync.receive(append("sessionsOnly"));
  t.is(admissionOf(logSync), "sessionsOnly");
  logSync.receive(append("all"));
  t.is(admissionOf(logSync), "all");
  logSync.receive({ kind: "diskFull", durable: at(1, 0) });
  t.is(admissionOf(logSync), "none");
  // It is there, and says why it takes nothing.
  const accepted = {
    kind: "accepted",
    epoch: 1,
    zxid: at(1, 0),
    votes: true,
    diskSpace: "full",
    treeFull: false,
  };
  t.deepEqual(sent(logSync.receive(append("all")), 2), [accepted]);
  t.like(sent(logSync.receive({ kind: "writable" }), 2)[0], {
    kind: "accepted",
    diskSpace: "free",
    treeFull: false,
  });
  t.is(admissionOf(logSync), "all");
});

test("a leader has growth refused while one node that is heard has no memory for it, its own included", (t) => {
  const logSync = leader([1, 2, 3]);
  const admission = (): WriteAdmission | undefined =>
    logSync.state.role.kind === "leading" ? logSync.state.role.admission : undefined;
  const say = (treeFull: boolean): void => {
    const zxid = logSync.state.log.durable;
    const of = { epoch: epoch(1), zxid, votes: true, diskSpace: "free" } as const;
    logSync.receive(from(2, { kind: "accepted", ...of, treeFull }));
  };
  t.is(admission(), "all");
  say(true);
  t.is(admission(), "noGrowth");
  t.like(broadcasts(publish(logSync))[0], { kind: "append", admission: "noGrowth" });
  say(false);
  t.is(admission(), "all");
  logSync.receive({ kind: "treeMemory", full: true, sessionsFull: false });
  t.is(admission(), "noGrowth");
  logSync.receive({ kind: "treeMemory", full: false, sessionsFull: false });
  t.is(admission(), "all");
  say(true);
  logSync.nowMs += 2_100;
  logSync.receive({ kind: "timer", timer: "announce" });
  t.is(admission(), "all", "who is not heard has no say");
});

test("a follower without memory refuses growth at once, and tells its leader", (t) => {
  const logSync = started([1, 2, 3]);
  logSync.receive({ kind: "elected", leader: server(2) });
  const promise = { epoch: epoch(1), candidate: server(2) };
  const of = { epoch: epoch(1), leader: server(2), prevZxid: ZXID_NONE, committed: ZXID_NONE };
  const records = [record(at(1, 0), ZXID_NONE)];
  logSync.receive(from(2, { kind: "append", ...of, records, admission: "all" }));
  logSync.receive({ kind: "promised", promise });
  logSync.receive(from(2, { kind: "append", ...of, records, admission: "all" }));
  durable(logSync, at(1, 0));
  const effects = logSync.receive({ kind: "treeMemory", full: true, sessionsFull: false });
  t.like(sent(effects, 2)[0], { kind: "accepted", treeFull: true });
  t.is(admissionOf(logSync), "noGrowth");
});
