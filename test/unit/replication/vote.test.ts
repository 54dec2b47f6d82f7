/** A node that may have forgotten something, by plain calls: it takes part, counts for nothing, and gets its vote back. */
import type { LogSyncEffect } from "../../../actors/log-sync/state.ts";
import { crc32 } from "node:zlib";
import test from "ava";
import type { VoteLoss } from "../../../actors/log/messages.ts";
import { electionActor } from "../../../actors/election/election.ts";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage } from "../../../actors/log-sync/messages.ts";
import type { LogSyncState, Surveyed } from "../../../actors/log-sync/state.ts";
import { epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import {
  at,
  broadcasts,
  Driven,
  emitted,
  record,
  sent,
  server,
  told,
} from "../../support/plain-calls.ts";
import { folderOf, from, recoveredReport, senderOf } from "../../support/peers.ts";

type LogSync = Driven<LogSyncState, LogSyncMessage, LogSyncEffect>;

/** Node 1 of three, without a vote. Its promise is of epoch 2. */
function node(reason: VoteLoss["reason"], lastZxids: readonly Zxid[], promised = 2): LogSync {
  const logSync = new Driven(
    logSyncActor({ server: server(1), nonce: 1, voters: [1, 2, 3].map(server), lanes: 1, crc32 }),
  );
  logSync.receive(
    recoveredReport({
      promise: { epoch: epoch(promised), candidate: server(2) },
      lastZxids,
      voteLoss: { reason, epoch: epoch(promised) },
    }),
  );
  return logSync;
}

function append(of: number, prevZxid: Zxid, records: readonly Uint8Array[]): LogSyncMessage {
  return from(2, {
    kind: "append",
    epoch: epoch(of),
    leader: server(2),
    prevZxid,
    committed: ZXID_NONE,
    records,
    admission: "all",
  });
}

function answer(
  logSync: LogSync,
  peer: number,
  of: { promised?: number; tail?: Zxid; leads?: number },
): LogSyncMessage {
  const message: Surveyed = {
    kind: "surveyed",
    nonce: logSync.state.repair?.nonce ?? -1,
    promisedEpoch: epoch(of.promised ?? 2),
    tail: of.tail ?? ZXID_NONE,
    leads: of.leads === undefined ? undefined : epoch(of.leads),
  };
  return from(peer, message);
}

const regainVote = { kind: "regainVote" };

test("without a vote a node grants no promise, does not stand, and says that its word does not count", (t) => {
  const logSync = node("log", [at(1, 0)]);
  const asked = logSync.receive(
    from(3, { kind: "promiseRequest", epoch: epoch(9), candidate: server(3) }),
  );
  t.deepEqual(asked, []);
  t.deepEqual(logSync.receive({ kind: "elected", leader: server(1) }), []);
  logSync.receive(append(2, at(1, 0), [record(at(2, 0), at(1, 0))]));
  const effects = logSync.receive({ kind: "appended", lastZxid: at(2, 0), truncations: 0 });
  t.deepEqual(sent(effects, 2), [
    {
      kind: "accepted",
      epoch: 2,
      zxid: at(2, 0),
      votes: false,
      diskSpace: "free",
      treeFull: false,
    },
  ]);
});

test("a leader does not count the word of a node without a vote, and forgets what it counted before", (t) => {
  const logSync = new Driven(
    logSyncActor({ server: server(1), nonce: 1, voters: [1, 2, 3].map(server), lanes: 1, crc32 }),
  );
  logSync.receive(
    recoveredReport({
      promise: { epoch: epoch(0), candidate: server(1) },
    }),
  );
  const promise = { epoch: epoch(1), candidate: server(1) };
  logSync.receive({ kind: "elected", leader: server(1) });
  logSync.receive({ kind: "promised", promise });
  const granted = {
    kind: "promiseReply",
    folder: folderOf(1),
    granted: true,
    lastZxid: ZXID_NONE,
  } as const;
  logSync.receive(from(2, { ...granted, epoch: epoch(1), promise }));
  logSync.receive({ kind: "endOfTurn" });
  logSync.receive({ kind: "appended", lastZxid: at(1, 0), truncations: 0 });
  const accepted = {
    kind: "accepted",
    epoch: epoch(1),
    zxid: at(1, 0),
    diskSpace: "free",
    treeFull: false,
  } as const;
  logSync.receive(from(3, { ...accepted, votes: false }));
  t.is(logSync.state.delivery.committed, ZXID_NONE);
  logSync.receive(from(3, { ...accepted, votes: true }));
  t.is(logSync.state.delivery.committed, at(1, 0));
  logSync.receive(from(3, { ...accepted, votes: false }));
  const { role } = logSync.state;
  t.is(role.kind === "leading" && role.followers.get(server(3))?.accepted, ZXID_NONE);
});

test("a damaged log regains its vote when it holds what its leader held, in an epoch not below its promise", (t) => {
  const logSync = node("log", [at(1, 0)]);
  logSync.receive(append(2, at(1, 0), [record(at(2, 0), at(1, 0))]));
  logSync.receive({ kind: "appended", lastZxid: at(2, 0), truncations: 0 });
  const survey = answer(logSync, 2, { tail: at(2, 1), leads: 2 });
  t.deepEqual(told(logSync.receive(survey), "log"), []);
  logSync.receive(append(2, at(2, 0), [record(at(2, 1), at(2, 0))]));
  const durable = logSync.receive({ kind: "appended", lastZxid: at(2, 1), truncations: 0 });
  t.deepEqual(told(durable, "log"), [regainVote]);
  t.not(logSync.state.repair, undefined, "only once the marker is gone");
  const effects = logSync.receive({ kind: "voteRegained" });
  t.like(emitted(effects, "durable")[0], { votes: true });
  t.deepEqual(sent(effects, 2), [
    { kind: "accepted", epoch: 2, zxid: at(2, 1), votes: true, diskSpace: "free", treeFull: false },
  ]);
});

test("an answer to a question of an earlier life says nothing", (t) => {
  const logSync = node("log", [at(1, 0)]);
  logSync.receive(append(2, at(1, 0), []));
  const old: Surveyed = {
    kind: "surveyed",
    nonce: 5,
    promisedEpoch: epoch(2),
    tail: at(1, 0),
    leads: epoch(2),
  };
  t.deepEqual(told(logSync.receive(from(2, old)), "log"), []);
  t.is(logSync.state.repair?.target, undefined);
});

test("after a lost promise the vote waits for the word of every other voter, and for the highest epoch among them", (t) => {
  const logSync = node("promise", [at(1, 0)]);
  logSync.receive(append(2, at(1, 0), []));
  const leader = answer(logSync, 2, { tail: at(1, 0), leads: 2 });
  t.deepEqual(told(logSync.receive(leader), "log"), []);
  const ahead = answer(logSync, 3, { promised: 7, tail: at(1, 0) });
  t.deepEqual(told(logSync.receive(ahead), "log"), []);
  const level = answer(logSync, 3, { promised: 2, tail: at(1, 0) });
  t.deepEqual(told(logSync.receive(level), "log"), [regainVote]);
});

test("in a new ensemble an empty node votes once all others are known to be empty", (t) => {
  const logSync = node("new", [], 0);
  t.deepEqual(told(logSync.receive(answer(logSync, 2, { promised: 0 })), "log"), []);
  const last = logSync.receive(answer(logSync, 3, { promised: 0 }));
  t.deepEqual(told(last, "log"), [regainVote]);
  const effects = logSync.receive({ kind: "voteRegained" });
  t.like(told(effects, "election")[0], { kind: "look" });
});

test("an empty node among empty ones first promises itself what any of them has promised", (t) => {
  const logSync = node("new", [], 0);
  logSync.receive(answer(logSync, 2, { promised: 4 }));
  t.deepEqual(told(logSync.receive(answer(logSync, 3, { promised: 1 })), "log"), [
    { kind: "promise", promise: { epoch: epoch(4), candidate: server(1) } },
    regainVote,
  ]);
});

test("an empty node in an ensemble with data has no vote until it is caught up", (t) => {
  const logSync = node("new", [], 0);
  logSync.receive(answer(logSync, 3, { promised: 1 }));
  const leader = answer(logSync, 2, { promised: 1, tail: at(1, 0), leads: 1 });
  t.deepEqual(told(logSync.receive(leader), "log"), []);
  const message = append(1, ZXID_NONE, [record(at(1, 0), ZXID_NONE)]);
  logSync.receive(message);
  logSync.receive({
    kind: "promised",
    promise: { epoch: epoch(1), candidate: server(2) },
  });
  logSync.receive(message);
  const durable = logSync.receive({ kind: "appended", lastZxid: at(1, 0), truncations: 0 });
  t.deepEqual(told(durable, "log"), [regainVote]);
});

test("every node answers what it has promised, holds and leads", (t) => {
  const logSync = node("log", [at(1, 0)]);
  const effects = logSync.receive(from(3, { kind: "survey", nonce: 8 }));
  t.deepEqual(sent(effects, 3)[0], {
    kind: "surveyed",
    nonce: 8,
    promisedEpoch: 2,
    tail: at(1, 0),
    leads: undefined,
  });
});

test("an election does not hear a node without a vote, which does not answer either", (t) => {
  const election = new Driven(electionActor({ server: server(1), voters: [1, 2, 3].map(server) }));
  const durable = { kind: "durable", lastZxid: at(1, 0), promisedEpoch: epoch(1) } as const;
  election.receive({ ...durable, votes: false });
  t.deepEqual(broadcasts(election.receive({ kind: "look", reason: "started" })), []);
  const vote = election.receive({
    kind: "received",
    from: server(2),
    sender: senderOf(2),
    message: {
      kind: "vote",
      round: 1,
      state: "looking",
      leader: server(1),
      lastZxid: at(1, 0),
      epoch: epoch(1),
    },
  });
  t.deepEqual(vote, []);
  election.receive({ ...durable, votes: true });
  t.is(broadcasts(election.receive({ kind: "look", reason: "votes again" })).length, 1);
});
