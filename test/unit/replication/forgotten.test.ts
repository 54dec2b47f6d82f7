/** A voter that no longer holds what an earlier process on its folder acknowledged: its leader notices, and it learns of it. */
import type { LogSyncEffect } from "../../../actors/log-sync/state.ts";
import { crc32 } from "node:zlib";
import test from "ava";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage, LogSyncPeerMessage } from "../../../actors/log-sync/messages.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import { epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { folderOf, recoveredReport, senderOf } from "../../support/peers.ts";
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

type LogSync = Driven<LogSyncState, LogSyncMessage, LogSyncEffect>;

/** A message of the Nth incarnation of a node. */
function from(peer: number, incarnation: number, message: LogSyncPeerMessage): LogSyncMessage {
  const sender = { ...senderOf(peer), incarnation, nonce: 100 * peer + incarnation };
  return { kind: "received", from: server(peer), sender, message };
}

function newLogSync(): LogSync {
  return new Driven(
    logSyncActor({ server: server(1), nonce: 1, voters: [1, 2, 3].map(server), lanes: 1, crc32 }),
  );
}

/** Node 1 of three leads epoch 1; its records up to (1, 1) are durable at home, and nothing is committed. */
function leader(): LogSync {
  const logSync = newLogSync();
  logSync.receive(recoveredReport({}));
  logSync.receive({ kind: "elected", leader: server(1) });
  const promise = { epoch: epoch(1), candidate: server(1) };
  logSync.receive({ kind: "promised", promise });
  logSync.receive(
    from(3, 1, {
      ...{ kind: "promiseReply", folder: folderOf(1), epoch: epoch(1), granted: true, promise },
      lastZxid: ZXID_NONE,
    }),
  );
  logSync.receive({ kind: "endOfTurn" });
  logSync.receive({ kind: "appended", lastZxid: at(1, 0), truncations: 0 });
  return logSync;
}

function accepted(incarnation: number, zxid: Zxid, votes = true, peer = 2): LogSyncMessage {
  return from(peer, incarnation, {
    ...{ kind: "accepted", epoch: epoch(1), zxid, votes, diskSpace: "free", treeFull: false },
  });
}

function behind(incarnation: number, durable: Zxid): LogSyncMessage {
  return from(2, incarnation, { kind: "behind", epoch: epoch(1), holds: durable, durable });
}

function counted(logSync: LogSync): Zxid | undefined {
  const { role } = logSync.state;
  return role.kind === "leading" ? role.followers.get(server(2))?.accepted : undefined;
}

/** Two more records, of which node 2's first incarnation has acknowledged the first. */
function withUncommitted(): LogSync {
  const logSync = leader();
  logSync.receive(accepted(1, at(1, 0)));
  const submitter = { server: server(1), lane: 1, incarnation: 1 };
  for (const seq of [1, 2]) {
    logSync.receive({ kind: "submit", submitter, seq, count: 1, payload: syncs(1) });
  }
  logSync.receive({ kind: "endOfTurn" });
  logSync.receive(accepted(1, at(1, 1)));
  return logSync;
}

test("what a process acknowledged is not counted of the next process on its folder until that says it, too", (t) => {
  const logSync = withUncommitted();
  t.is(counted(logSync), at(1, 1));
  logSync.receive(behind(2, at(1, 0)));
  logSync.receive({ kind: "appended", lastZxid: at(1, 2), truncations: 0 });
  t.is(logSync.state.delivery.committed, at(1, 0), "one disk holds (1, 1)");
});

test("the process before counts for nothing from the first word of the next one on, whatever that says", (t) => {
  const logSync = withUncommitted();
  const members = [1, 2, 3].map(server);
  const greeting = { kind: "greeting", members, configuration: undefined } as const;
  logSync.receive(from(2, 2, { ...greeting, asks: false, mayFound: false }));
  t.is(counted(logSync), ZXID_NONE);
  logSync.receive({ kind: "appended", lastZxid: at(1, 2), truncations: 0 });
  t.is(logSync.state.delivery.committed, at(1, 0), "one disk holds (1, 1)");
});

test("a voter whose log ends before what it acknowledged is told so, and counts for nothing until it has no vote", (t) => {
  const logSync = withUncommitted();
  const effects = logSync.receive(behind(2, at(1, 0)));
  const forgotten = {
    ...{ kind: "forgotten", folder: folderOf(2), incarnation: 2, epoch: 1, zxid: at(1, 1) },
  };
  t.deepEqual(sent(effects, 2)[0], forgotten);
  const again = logSync.receive(accepted(2, at(1, 2)));
  t.deepEqual(sent(again, 2), [forgotten], "it may not have heard it");
  logSync.receive({ kind: "appended", lastZxid: at(1, 2), truncations: 0 });
  t.is(logSync.state.delivery.committed, at(1, 0));
  logSync.receive(accepted(2, at(1, 2), false));
  t.is(logSync.state.delivery.committed, at(1, 0));
  logSync.receive(accepted(2, at(1, 2)));
  t.is(logSync.state.delivery.committed, at(1, 2), "it has been repaired");
});

test("a process that holds what the one before it acknowledged counts again", (t) => {
  const logSync = withUncommitted();
  const effects = logSync.receive(behind(2, at(1, 1)));
  t.false(sent(effects, 2).some((message) => (message as { kind: string }).kind === "forgotten"));
  logSync.receive(accepted(2, at(1, 1)));
  logSync.receive({ kind: "appended", lastZxid: at(1, 2), truncations: 0 });
  t.is(logSync.state.delivery.committed, at(1, 1));
});

test("a late word of the process that acknowledged is no sign that it has forgotten", (t) => {
  const logSync = withUncommitted();
  const effects = logSync.receive(behind(1, at(1, 0)));
  t.false(sent(effects, 2).some((message) => (message as { kind: string }).kind === "forgotten"));
  t.is(counted(logSync), at(1, 1));
});

/** Node 1 follows node 2 in epoch 1, in its second incarnation. */
function follower(): LogSync {
  const logSync = newLogSync();
  const promise = { epoch: epoch(1), candidate: server(2) };
  logSync.receive(recoveredReport({ promise, lastZxids: [at(1, 0)], incarnation: 2 }));
  logSync.receive(
    from(2, 1, {
      ...{ kind: "append", epoch: epoch(1), leader: server(2), prevZxid: at(1, 0) },
      ...{ committed: ZXID_NONE, records: [], admission: "all" },
    }),
  );
  return logSync;
}

function forgotten(of: { incarnation?: number; epoch?: number; peer?: number }): LogSyncMessage {
  return from(of.peer ?? 2, 1, {
    ...{ kind: "forgotten", folder: folderOf(1), incarnation: of.incarnation ?? 2 },
    ...{ epoch: epoch(of.epoch ?? 1), zxid: at(1, 1) },
  });
}

test("a node that hears from its leader that it has forgotten loses its vote, durably, and goes on", (t) => {
  const logSync = follower();
  const effects = logSync.receive(forgotten({}));
  t.deepEqual(told(effects, "log"), [{ kind: "loseVote", incarnation: 2 }]);
  t.like(emitted(effects, "durable"), [{ votes: false }]);
  t.deepEqual(told(logSync.receive(forgotten({})), "log"), [], "once is enough");
  const lost = logSync.receive({ kind: "voteLost" });
  t.false(lost.some(({ kind }) => kind === "stopNode"));
  t.like(broadcasts(lost), [{ kind: "survey" }]);
  const next = record(at(1, 1), at(1, 0));
  logSync.receive(
    from(2, 1, {
      ...{ kind: "append", epoch: epoch(1), leader: server(2), prevZxid: at(1, 0) },
      ...{ committed: ZXID_NONE, records: [next], admission: "all" },
    }),
  );
  const durable = logSync.receive({ kind: "appended", lastZxid: at(1, 1), truncations: 0 });
  t.like(sent(durable, 2), [{ kind: "accepted", votes: false }]);
});

test("a word about another life, of another epoch, or of another node than its leader takes nobody's vote", (t) => {
  const logSync = follower();
  for (const other of [{ incarnation: 1 }, { epoch: 2 }, { peer: 3 }]) {
    t.deepEqual(told(logSync.receive(forgotten(other)), "log"), []);
    t.is(logSync.state.repair, undefined);
  }
});
