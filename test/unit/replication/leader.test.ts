/** log-sync as a candidate and leader, by plain calls. */
import type { LogSyncEffect } from "../../../actors/log-sync/state.ts";
import { crc32 } from "node:zlib";
import test from "ava";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage, SubmitMessage } from "../../../actors/log-sync/messages.ts";
import type { LogSyncSizes, LogSyncState } from "../../../actors/log-sync/state.ts";
import { RECORD_BYTES_MAX } from "../../../protocol/limits.ts";
import {
  encodeRecord,
  RECORD_HEADER_BYTES,
  recordConfiguration,
  recordHeader,
} from "../../../protocol/record.ts";
import { epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
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

/** Node 1 of `voters`, with an empty log, told to stand. */
function candidate(voters: readonly number[], sizes?: LogSyncSizes): LogSync {
  const options = { server: server(1), nonce: 1, voters: voters.map(server), lanes: 1, crc32 };
  const logSync = new Driven(logSyncActor(sizes === undefined ? options : { ...options, sizes }));
  logSync.receive(recoveredReport({ promise: { epoch: epoch(0), candidate: server(1) } }));
  logSync.receive({ kind: "elected", leader: server(1) });
  return logSync;
}

function promisedByItself(logSync: LogSync): void {
  logSync.receive({ kind: "promised", promise: { epoch: epoch(1), candidate: server(1) } });
}

function reply(peer: number, lastZxid: Zxid): LogSyncMessage {
  return from(peer, {
    kind: "promiseReply",
    folder: folderOf(1),
    epoch: epoch(1),
    granted: true,
    promise: { epoch: epoch(1), candidate: server(1) },
    lastZxid,
  });
}

/** Node 1 of three, leading epoch 1 with its barrier published and durable at home. */
function leader(sizes?: LogSyncSizes): LogSync {
  const logSync = candidate([1, 2, 3], sizes);
  promisedByItself(logSync);
  logSync.receive(reply(2, ZXID_NONE));
  publish(logSync);
  logSync.receive({ kind: "appended", lastZxid: at(1, 0), truncations: 0 });
  return logSync;
}

/** Node 1 of three, leading epoch 2 with a log that is on the disk and not in memory. */
function candidateWith(lastZxids: readonly Zxid[]): LogSync {
  const logSync = new Driven(
    logSyncActor({ server: server(1), nonce: 1, voters: [1, 2, 3].map(server), lanes: 1, crc32 }),
  );
  logSync.receive(
    recoveredReport({ promise: { epoch: epoch(1), candidate: server(2) }, lastZxids }),
  );
  logSync.receive({ kind: "elected", leader: server(1) });
  const promise = { epoch: epoch(2), candidate: server(1) };
  logSync.receive({ kind: "promised", promise });
  logSync.receive(
    from(3, {
      ...{ kind: "promiseReply", epoch: epoch(2), granted: true, promise },
      ...{ folder: folderOf(1), lastZxid: ZXID_NONE },
    }),
  );
  publish(logSync);
  return logSync;
}

function publish(logSync: LogSync): ReturnType<LogSync["receive"]> {
  return logSync.receive({ kind: "endOfTurn" });
}

function accepted(peer: number, zxid: Zxid, of = 1): LogSyncMessage {
  return from(peer, {
    kind: "accepted",
    epoch: epoch(of),
    zxid,
    votes: true,
    diskSpace: "free",
    treeFull: false,
  });
}

function batch(seq: number, incarnation = 1): SubmitMessage {
  const submitter = { server: server(2), lane: 1, incarnation };
  return { kind: "submit", submitter, seq, count: 2, payload: syncs(2) };
}

test("a candidate asks for promises only after its own is durable", (t) => {
  const logSync = candidate([1, 2, 3]);
  t.deepEqual(broadcasts(logSync.effects), []);
  promisedByItself(logSync);
  t.deepEqual(broadcasts(logSync.effects), [{ kind: "promiseRequest", epoch: 1, candidate: 1 }]);
});

test("announcements come less often the longer nothing is written, and at their interval again after a record", (t) => {
  const logSync = leader();
  const announced = (): number | undefined => {
    const effects = logSync.receive({ kind: "timer", timer: "announce" });
    const timer = effects.find((effect) => effect.kind === "startTimer");
    publish(logSync);
    return timer?.afterMs;
  };
  t.is(announced(), 100, "the barrier is not committed yet");
  logSync.receive(accepted(2, at(1, 0)));
  publish(logSync);
  t.deepEqual([announced(), announced(), announced(), announced()], [200, 400, 500, 500]);
  logSync.receive(batch(1));
  const restarted = publish(logSync).find((effect) => effect.kind === "startTimer");
  t.like(restarted, { timer: "announce", afterMs: 100 });
  t.is(announced(), 100);
});

test("a candidate leads with a quorum's promises, and its first record is the epoch's barrier", (t) => {
  const logSync = candidate([1, 2, 3]);
  promisedByItself(logSync);
  logSync.receive(reply(3, ZXID_NONE));
  const [message] = broadcasts(publish(logSync)) as { records: readonly Uint8Array[] }[];
  const header = recordHeader(message?.records[0] ?? new Uint8Array(64));
  t.like(header, { kind: "barrier", firstZxid: at(1, 0), lastZxid: at(1, 0) });
  const { settled } = logSync.state.membership;
  t.not(settled, undefined);
  t.deepEqual(recordConfiguration(message?.records[0] ?? new Uint8Array(64)), settled);
});

test("a candidate whose log is behind a voter's gives way", (t) => {
  const logSync = candidate([1, 2, 3]);
  promisedByItself(logSync);
  const effects = logSync.receive(reply(2, at(1, 7)));
  t.is(logSync.state.role.kind, "looking");
  t.like(told(effects, "election"), [{ kind: "look" }]);
});

test("a leader commits what a quorum holds, its own disk counting as one", (t) => {
  const logSync = leader();
  t.is(logSync.state.delivery.committed, ZXID_NONE);
  logSync.receive(accepted(3, at(1, 0)));
  t.is(logSync.state.delivery.committed, at(1, 0));
});

test("a leader does not count its own record before its own disk has it", (t) => {
  const logSync = candidate([1, 2, 3]);
  promisedByItself(logSync);
  logSync.receive(reply(2, ZXID_NONE));
  publish(logSync);
  logSync.receive(accepted(2, at(1, 0)));
  t.is(logSync.state.delivery.committed, ZXID_NONE);
  logSync.receive({ kind: "appended", lastZxid: at(1, 0), truncations: 0 });
  t.is(logSync.state.delivery.committed, at(1, 0));
});

test("a leader ignores what was accepted in another epoch", (t) => {
  const logSync = leader();
  logSync.receive(accepted(3, at(1, 0), 2));
  t.is(logSync.state.delivery.committed, ZXID_NONE);
});

test("a leader takes batches only after its barrier is delivered", (t) => {
  const logSync = leader();
  logSync.receive(from(2, batch(1)));
  t.is(logSync.state.log.index.tail, at(1, 0));
  logSync.receive(accepted(2, at(1, 0)));
  logSync.receive(from(2, batch(1)));
  t.is(logSync.state.log.index.tail, at(1, 2), "one zxid for each of the batch's operations");
});

test("what waits for a quorum is counted as it is taken and committed, in memory or not", (t) => {
  const sizes = { recent: 1, uncommitted: 1, catchUp: 1 };
  const logSync = leader(sizes);
  const commit = (zxid: Zxid): void => {
    logSync.receive({ kind: "appended", lastZxid: zxid, truncations: 0 });
    logSync.receive(accepted(2, zxid));
  };
  logSync.receive(accepted(2, at(1, 0)));
  // Nothing is in memory, so the barrier is read back to be delivered.
  const records = [record(at(1, 0), ZXID_NONE)];
  logSync.receive({ kind: "records", purpose: { kind: "delivery" }, after: ZXID_NONE, records });
  for (let seq = 1; seq <= 5; seq += 1) {
    const before = at(1, 2 * seq - 2);
    logSync.receive(from(2, batch(seq)));
    t.is(logSync.state.log.index.tail, at(1, 2 * seq), "there is room for one");
    logSync.receive(from(2, batch(seq + 1)));
    t.is(logSync.state.log.index.tail, at(1, 2 * seq), "and for no more");
    commit(at(1, 2 * seq));
    t.true(logSync.state.delivery.committed > before);
  }
});

test("a batch that is sent again is taken once", (t) => {
  const logSync = leader();
  logSync.receive(accepted(2, at(1, 0)));
  logSync.receive(from(2, batch(1)));
  logSync.receive(from(2, batch(1)));
  t.is(logSync.state.log.index.tail, at(1, 2));
});

test("a batch out of sequence is refused with the number that is expected", (t) => {
  const logSync = leader();
  logSync.receive(accepted(2, at(1, 0)));
  const effects = logSync.receive(from(2, batch(2)));
  t.like(sent(effects, 2), [{ kind: "submitRefused", reason: "outOfSequence", expected: 1 }]);
  t.is(logSync.state.log.index.tail, at(1, 0));
});

test("a later life of a lane starts anew, an earlier one is refused", (t) => {
  const logSync = leader();
  logSync.receive(accepted(2, at(1, 0)));
  logSync.receive(from(2, batch(1, 5)));
  logSync.receive(from(2, batch(1, 6)));
  t.is(logSync.state.log.index.tail, at(1, 4));
  const effects = logSync.receive(from(2, batch(2, 5)));
  t.like(sent(effects, 2), [{ reason: "staleIncarnation", expected: 6 }]);
});

test("records of one turn travel together, once, to the disk and to all peers", (t) => {
  const logSync = leader();
  logSync.receive(accepted(2, at(1, 0)));
  publish(logSync);
  logSync.receive(from(2, batch(1)));
  logSync.receive(from(2, batch(2)));
  const effects = publish(logSync);
  const [message] = broadcasts(effects) as { records: readonly Uint8Array[] }[];
  t.is(message?.records.length, 2);
  t.is(broadcasts(effects).length, 1);
  t.is(told(effects, "log").length, 1);
});

test("a leader that is deposed takes back what neither disk nor peer has seen", (t) => {
  const logSync = leader();
  logSync.receive(accepted(2, at(1, 0)));
  logSync.receive(from(2, batch(1)));
  logSync.receive(from(3, { kind: "deposed", promise: { epoch: epoch(2), candidate: server(3) } }));
  t.is(logSync.state.role.kind, "looking");
  t.is(logSync.state.log.index.tail, at(1, 0));
  t.deepEqual(broadcasts(publish(logSync)), []);
});

test("a follower that is behind is sent what follows the record it holds", (t) => {
  const logSync = leader();
  const effects = logSync.receive(
    from(3, { kind: "behind", epoch: epoch(1), holds: ZXID_NONE, durable: ZXID_NONE }),
  );
  const [message] = sent(effects, 3) as { prevZxid: Zxid; records: readonly Uint8Array[] }[];
  t.is(message?.prevZxid, ZXID_NONE);
  t.is(message?.records.length, 1);
});

test("a node alone leads and commits without peers", (t) => {
  const logSync = candidate([1]);
  promisedByItself(logSync);
  publish(logSync);
  const effects = logSync.receive({ kind: "appended", lastZxid: at(1, 0), truncations: 0 });
  t.is(logSync.state.delivery.committed, at(1, 0));
  t.like(emitted(effects, "leadership").at(-1), { role: "leading", epoch: 1, leader: 1 });
});

test("a leader whose disk is full gives up, takes no part in elections, and looks again when there is room", (t) => {
  const logSync = leader();
  const full = logSync.receive({ kind: "diskFull", durable: at(1, 0) });
  t.like(emitted(full, "durable")[0], { votes: false });
  t.deepEqual(told(full, "election"), [{ kind: "look", reason: "the disk is full" }]);
  const writable = logSync.receive({ kind: "writable" });
  t.like(emitted(writable, "durable")[0], { votes: true });
  t.like(told(writable, "election")[0], { kind: "look" });
});

test("a batch larger than a record may be is not taken, and does not stop the leader", (t) => {
  const logSync = leader();
  logSync.receive(accepted(2, at(1, 0)));
  const most = RECORD_BYTES_MAX - RECORD_HEADER_BYTES;
  const path = (letters: number): Uint8Array => syncs(1, `/${"a".repeat(letters)}`);
  const letters = most - path(most).length + most;
  const [payload, fits] = [path(letters + 1), path(letters)];
  t.is(fits.length, most);
  const effects = logSync.receive(from(2, { ...batch(1), count: 1, payload }));
  t.is(logSync.state.log.index.tail, at(1, 0));
  t.true(effects.some((effect) => effect.kind === "log" && effect.level === "warn"));
  logSync.receive(from(2, { ...batch(1), count: 1, payload: fits }));
  t.is(logSync.state.log.index.tail, at(1, 1));
});

test("what a follower acknowledges while records are being read for it starts no second read", (t) => {
  const options = { server: server(1), nonce: 1, voters: [1, 2, 3].map(server), lanes: 1, crc32 };
  const logSync = new Driven(logSyncActor(options));
  const promise = { epoch: epoch(2), candidate: server(1) };
  logSync.receive(
    recoveredReport({
      promise: { epoch: epoch(1), candidate: server(1) },
      lastZxids: [at(1, 0), at(1, 1), at(1, 2)],
    }),
  );
  logSync.receive({ kind: "elected", leader: server(1) });
  logSync.receive({ kind: "promised", promise });
  const granted = { kind: "promiseReply", epoch: epoch(2), granted: true, promise } as const;
  logSync.receive(from(2, { ...granted, folder: folderOf(1), lastZxid: ZXID_NONE }));
  const behind = logSync.receive(
    from(3, { kind: "behind", epoch: epoch(2), holds: at(1, 0), durable: at(1, 0) }),
  );
  t.like(told(behind, "log"), [
    { kind: "read", purpose: { kind: "catchUp", to: 3 }, after: at(1, 0) },
  ]);
  t.deepEqual(told(logSync.receive(accepted(3, at(1, 0), 2)), "log"), []);
  const early = {
    kind: "records",
    purpose: { kind: "catchUp", to: server(3) },
    after: ZXID_NONE,
  } as const;
  const late = logSync.receive({ ...early, records: [record(at(1, 0), ZXID_NONE)] });
  t.deepEqual(sent(late, 3), [], "the answer to a read that was replaced goes nowhere");
});

test("a leader's barrier is not earlier than what its log holds, whatever its clock says and whatever is delivered", (t) => {
  const timeMs = 2_000_000_000_000;
  const logSync = new Driven(
    logSyncActor({ server: server(1), nonce: 1, voters: [1, 2, 3].map(server), lanes: 1, crc32 }),
  );
  const lastZxids = [at(1, 0), at(1, 1)];
  const promise = { epoch: epoch(1), candidate: server(2) };
  logSync.receive(recoveredReport({ promise, lastZxids, timeMs }));
  const later = timeMs + 1;
  const record = encodeRecord(
    {
      ...{ kind: "batch", firstZxid: at(1, 2), lastZxid: at(1, 2), prevZxid: at(1, 1) },
      ...{ timeMs: later, submitter: undefined, seq: 0 },
    },
    syncs(1, "/x"),
    crc32,
  );
  logSync.receive(
    from(2, {
      ...{ kind: "append", epoch: epoch(1), leader: server(2), prevZxid: at(1, 1) },
      ...{ committed: at(1, 0), records: [record], admission: "all" },
    }),
  );
  logSync.receive({ kind: "elected", leader: server(1) });
  const own = { epoch: epoch(2), candidate: server(1) };
  logSync.receive({ kind: "appended", lastZxid: at(1, 2), truncations: 0 });
  logSync.receive({ kind: "promised", promise: own });
  logSync.receive(
    from(3, {
      ...{ kind: "promiseReply", epoch: epoch(2), granted: true, promise: own },
      ...{ folder: folderOf(1), lastZxid: ZXID_NONE },
    }),
  );
  const [message] = broadcasts(publish(logSync)) as { records: readonly Uint8Array[] }[];
  t.is(recordHeader(message?.records[0] ?? new Uint8Array(64)).timeMs, later);
});

test("records are read once for a follower that catches up, however often it says where it stands", (t) => {
  const lastZxids = Array.from({ length: 10 }, (_, counter) => at(1, counter));
  const restarted = candidateWith(lastZxids);
  const behind = from(2, { kind: "behind", epoch: epoch(2), holds: at(1, 2), durable: at(1, 2) });
  t.like(told(restarted.receive(behind), "log"), [
    { kind: "read", purpose: { kind: "catchUp", to: 2 }, after: at(1, 2) },
  ]);
  for (let times = 0; times < 3; times += 1) {
    t.deepEqual(told(restarted.receive(accepted(2, at(1, 2), 2)), "log"), []);
    t.deepEqual(told(restarted.receive(behind), "log"), []);
  }
  const records = [record(at(1, 3), at(1, 2))];
  restarted.receive({
    kind: "records",
    purpose: { kind: "catchUp", to: server(2) },
    after: at(1, 2),
    records,
  });
  t.like(told(restarted.receive(accepted(2, at(1, 3), 2)), "log"), [
    { kind: "read", after: at(1, 3) },
  ]);
  t.deepEqual(told(restarted.receive(accepted(2, at(1, 3), 2)), "log"), []);
});
