/** log-sync as a voter and follower, by plain calls. */
import type { LogSyncEffect } from "../../../actors/log-sync/state.ts";
import { crc32 } from "node:zlib";
import test from "ava";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage } from "../../../actors/log-sync/messages.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import { encodeBarrier, STATE_MACHINE_VERSION } from "../../../protocol/barrier.ts";
import { encodeRecord } from "../../../protocol/record.ts";
import { epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { at, Driven, emitted, record, sent, server, told } from "../../support/plain-calls.ts";
import { folderOf, from, recoveredReport } from "../../support/peers.ts";

type LogSync = Driven<LogSyncState, LogSyncMessage, LogSyncEffect>;

/** Node 1 of three, whose log holds these and whose promise is of `promised`. */
function node(lastZxids: readonly Zxid[], promised: number): LogSync {
  const logSync = new Driven(
    logSyncActor({ server: server(1), nonce: 1, voters: [1, 2, 3].map(server), lanes: 1, crc32 }),
  );
  logSync.receive(
    recoveredReport({
      promise: { epoch: epoch(promised), candidate: server(promised === 0 ? 1 : 2) },
      lastZxids,
    }),
  );
  return logSync;
}

function append(
  of: { epoch: number; leader: number; prevZxid: Zxid; committed?: Zxid },
  records: readonly Uint8Array[],
): LogSyncMessage {
  return from(of.leader, {
    kind: "append",
    epoch: epoch(of.epoch),
    leader: server(of.leader),
    prevZxid: of.prevZxid,
    committed: of.committed ?? ZXID_NONE,
    records,
    admission: "all",
  });
}

function appended(lastZxid: Zxid, truncations = 0): LogSyncMessage {
  return { kind: "appended", lastZxid, truncations };
}

test("a voter answers a promise request only when its promise is durable", (t) => {
  const logSync = node([at(1, 0), at(1, 1)], 1);
  const asked = logSync.receive(
    from(3, { kind: "promiseRequest", epoch: epoch(2), candidate: server(3) }),
  );
  t.deepEqual(sent(asked, 3), []);
  const promise = { epoch: epoch(2), candidate: server(3) };
  t.deepEqual(told(asked, "log"), [{ kind: "promise", promise }]);
  const durable = logSync.receive({ kind: "promised", promise });
  t.deepEqual(sent(durable, 3), [
    {
      kind: "promiseReply",
      folder: folderOf(3),
      epoch: 2,
      granted: true,
      promise,
      lastZxid: at(1, 1),
    },
  ]);
});

test("a voter that has promised an epoch refuses another candidate of it, and repeats its word to the same", (t) => {
  const logSync = node([], 2);
  const other = logSync.receive(
    from(3, { kind: "promiseRequest", epoch: epoch(2), candidate: server(3) }),
  );
  t.like(sent(other, 3)[0], { kind: "promiseReply", granted: false });
  const same = logSync.receive(
    from(2, { kind: "promiseRequest", epoch: epoch(2), candidate: server(2) }),
  );
  t.like(sent(same, 2)[0], { kind: "promiseReply", granted: true });
});

test("a follower accepts records only after they are durable", (t) => {
  const logSync = node([at(1, 0)], 1);
  const first = record(at(1, 1), at(1, 0));
  const taken = logSync.receive(append({ epoch: 1, leader: 2, prevZxid: at(1, 0) }, [first]));
  t.like(told(taken, "log"), [{ kind: "append" }]);
  t.deepEqual(sent(taken, 2), []);
  const durable = logSync.receive(appended(at(1, 1)));
  t.deepEqual(sent(durable, 2), [
    { kind: "accepted", epoch: 1, zxid: at(1, 1), votes: true, diskSpace: "free", treeFull: false },
  ]);
});

test("an append shows that the leader lives, which is told now and then", (t) => {
  const logSync = node([at(1, 0), at(1, 1)], 1);
  const announcement = append({ epoch: 1, leader: 2, prevZxid: at(1, 1) }, []);
  const heard = [{ kind: "heard", leader: server(2), epoch: epoch(1) }];
  t.deepEqual(told(logSync.receive(announcement), "heartbeat"), heard);
  t.deepEqual(told(logSync.receive(announcement), "heartbeat"), []);
  logSync.nowMs = 100;
  t.deepEqual(told(logSync.receive(announcement), "heartbeat"), heard);
});

test("an append below the promise is refused with the promise", (t) => {
  const logSync = node([at(1, 0)], 5);
  const effects = logSync.receive(append({ epoch: 4, leader: 3, prevZxid: at(1, 0) }, []));
  t.like(sent(effects, 3), [{ kind: "deposed", promise: { epoch: 5 } }]);
  t.deepEqual(told(effects, "log"), []);
});

test("an append above the promise is taken only after the higher promise is durable", (t) => {
  const logSync = node([at(1, 0)], 1);
  const message = append({ epoch: 3, leader: 3, prevZxid: at(1, 0) }, [record(at(3, 0), at(1, 0))]);
  const effects = logSync.receive(message);
  const promise = { epoch: epoch(3), candidate: server(3) };
  t.deepEqual(told(effects, "log"), [{ kind: "promise", promise }]);
  logSync.receive({ kind: "promised", promise });
  t.like(told(logSync.receive(message), "log"), [{ kind: "append" }]);
});

test("a follower that misses records says what it holds and appends nothing", (t) => {
  const logSync = node([at(1, 0), at(1, 4)], 1);
  const effects = logSync.receive(
    append({ epoch: 1, leader: 2, prevZxid: at(1, 9) }, [record(at(1, 10), at(1, 9))]),
  );
  t.like(sent(effects, 2), [{ kind: "behind", epoch: 1, holds: at(1, 4) }]);
  t.deepEqual(told(effects, "log"), []);
});

test("a follower that missed one epoch truncates its conflicting suffix before it appends", (t) => {
  const logSync = node([at(1, 0), at(1, 1), at(1, 2)], 2);
  const barrier = record(at(2, 0), at(1, 0));
  const message = append({ epoch: 2, leader: 2, prevZxid: at(1, 0) }, [barrier]);
  t.deepEqual(told(logSync.receive(message), "log"), [{ kind: "truncate", after: at(1, 0) }]);
  t.deepEqual(
    told(logSync.receive(message), "log"),
    [],
    "nothing before the truncation is durable",
  );
  const cut = logSync.receive({ kind: "truncated", lastZxid: at(1, 0), truncations: 1 });
  t.like(sent(cut, 2), [{ kind: "behind", epoch: 2, holds: at(1, 0) }]);
  t.like(told(logSync.receive(message), "log"), [{ kind: "append" }]);
});

test("a disk that is found full while a truncation is under way takes nothing back that is to be cut", (t) => {
  const logSync = node([at(1, 0), at(1, 1), at(1, 2)], 2);
  const barrier = record(at(2, 0), at(1, 0));
  const message = append({ epoch: 2, leader: 2, prevZxid: at(1, 0) }, [barrier]);
  logSync.receive(message);
  // The log has yet to cut: what it holds goes further than what this node counts on.
  logSync.receive({ kind: "diskFull", durable: at(1, 2) });
  logSync.receive({ kind: "truncated", lastZxid: at(1, 0), truncations: 1 });
  logSync.receive({ kind: "writable" });
  t.is(logSync.state.log.durable, at(1, 0));
  t.like(told(logSync.receive(message), "log"), [{ kind: "append" }]);
});

test("an acknowledgement from before a truncation counts for nothing", (t) => {
  const logSync = node([at(1, 0)], 2);
  logSync.receive(
    append({ epoch: 2, leader: 2, prevZxid: at(1, 0) }, [record(at(2, 0), at(1, 0))]),
  );
  t.is(logSync.state.log.durable, at(1, 0));
  logSync.receive(appended(at(2, 0), 7));
  t.is(logSync.state.log.durable, at(1, 0));
});

test("records that are held already are accepted again, not appended twice", (t) => {
  const logSync = node([at(1, 0), at(1, 1)], 1);
  const effects = logSync.receive(
    append({ epoch: 1, leader: 2, prevZxid: at(1, 0) }, [record(at(1, 1), at(1, 0))]),
  );
  t.deepEqual(told(effects, "log"), []);
  t.deepEqual(sent(effects, 2), [
    { kind: "accepted", epoch: 1, zxid: at(1, 1), votes: true, diskSpace: "free", treeFull: false },
  ]);
});

test("what the leader has committed is delivered only as far as it is durable and equal here", (t) => {
  const logSync = node([at(1, 0)], 1);
  const records = [record(at(1, 1), at(1, 0)), record(at(1, 2), at(1, 1))];
  const taken = logSync.receive(
    append({ epoch: 1, leader: 2, prevZxid: at(1, 0), committed: at(1, 2) }, records),
  );
  t.is(logSync.state.delivery.committed, at(1, 0));
  t.deepEqual(emitted(taken, "committed"), [], "the log is read first for what is older");
  logSync.receive({
    kind: "records",
    purpose: { kind: "delivery" },
    after: ZXID_NONE,
    records: [record(at(1, 0), ZXID_NONE)],
  });
  const durable = logSync.receive(appended(at(1, 1)));
  t.deepEqual(emitted(durable, "committed"), [{ kind: "committed", records: [records[0]] }]);
});

test("a record that was damaged on its way is not appended", (t) => {
  const logSync = node([at(1, 0)], 1);
  const damaged = record(at(1, 1), at(1, 0));
  damaged[64] = (damaged[64] ?? 0) ^ 1;
  const effects = logSync.receive(append({ epoch: 1, leader: 2, prevZxid: at(1, 0) }, [damaged]));
  t.deepEqual(told(effects, "log"), []);
});

test("a barrier of a later state machine is refused with a clear word, and what follows it too", (t) => {
  const logSync = node([at(1, 0)], 2);
  const barrier = encodeRecord(
    {
      kind: "barrier",
      firstZxid: at(2, 0),
      lastZxid: at(2, 0),
      prevZxid: at(1, 0),
      timeMs: 1,
      submitter: undefined,
      seq: 0,
    },
    encodeBarrier(undefined, STATE_MACHINE_VERSION + 1),
    crc32,
  );
  const batch = record(at(2, 1), at(2, 0));
  const effects = logSync.receive(
    append({ epoch: 2, leader: 2, prevZxid: at(1, 0) }, [barrier, batch]),
  );
  t.deepEqual(told(effects, "log"), []);
  const lines = effects.flatMap((effect) => (effect.kind === "log" ? [effect.detail] : []));
  t.true(lines.some(({ reason }) => String(reason).includes("update this node")));
});
