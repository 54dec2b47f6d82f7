/** How a folder comes to belong to an ensemble, and how one takes another's place: log-sync by plain calls. */
import type { LogSyncEffect } from "../../../actors/log-sync/state.ts";
import { crc32 } from "node:zlib";
import test from "ava";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage, LogSyncPeerMessage } from "../../../actors/log-sync/messages.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import {
  type Configuration,
  encodeConfiguration,
  foundedBy,
  identityOf,
  withIdentity,
} from "../../../protocol/configuration.ts";
import { encodeRecord, recordHeader } from "../../../protocol/record.ts";
import { epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { PeerSender } from "../../../runtime/transport.ts";
import { ensembleOf, folderOf, from, greeting, recoveredReport } from "../../support/peers.ts";
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

type LogSync = Driven<LogSyncState, LogSyncMessage, LogSyncEffect>;
const members = [1, 2, 3].map(server);

function start(report: Parameters<typeof recoveredReport>[0], voters = members): LogSync {
  const logSync = new Driven(
    logSyncActor({ server: server(1), nonce: 1, voters, lanes: 1, crc32, replaceAfterMs: 1000 }),
  );
  logSync.receive(recoveredReport(report));
  return logSync;
}

/** Node 1 with an empty folder that belongs to no ensemble. */
function newcomer(): LogSync {
  return start({ configuration: undefined, voteLoss: { reason: "new", epoch: epoch(0) } });
}

const NOBODY = { ensembleId: undefined, isVoter: false } as const;

function stored(effects: LogSync["effects"]): (Configuration | undefined)[] {
  return told(effects, "log").map(
    (message) => (message as { configuration?: Configuration }).configuration,
  );
}

test("an empty folder greets the others and takes part in nothing", (t) => {
  const logSync = newcomer();
  t.like(broadcasts(logSync.effects), [{ kind: "greeting", asks: true }]);
  t.deepEqual(told(logSync.effects, "election"), []);
  logSync.receive({ kind: "elected", leader: server(1) });
  t.is(logSync.state.role.kind, "looking");
  const asked = logSync.receive(
    from(2, { kind: "promiseRequest", epoch: epoch(9), candidate: server(2) }),
  );
  t.deepEqual(asked, []);
  const append = logSync.receive(
    from(2, {
      kind: "append",
      epoch: epoch(1),
      leader: server(2),
      prevZxid: ZXID_NONE,
      committed: ZXID_NONE,
      records: [record(at(1, 0), ZXID_NONE)],
      admission: "all",
    }),
  );
  t.deepEqual(append, [], "a leader it knows nothing of fills it with nothing");
});

/** What was there before it has had the time to answer it. */
function greeted(): LogSync {
  const logSync = newcomer();
  for (let count = 0; count < 2; count += 1) logSync.receive({ kind: "timer", timer: "greet" });
  return logSync;
}

test("a folder founds no ensemble before what is there has had the time to answer it, and says so", (t) => {
  const logSync = newcomer();
  t.like(broadcasts(logSync.effects), [{ mayFound: false }]);
  logSync.receive(from(2, greeting(), NOBODY));
  t.deepEqual(stored(logSync.receive(from(3, greeting(), NOBODY))), []);
  t.like(broadcasts(logSync.receive({ kind: "timer", timer: "greet" })), [{ mayFound: false }]);
  t.like(broadcasts(logSync.receive({ kind: "timer", timer: "greet" })), [{ mayFound: true }]);
  t.is(stored(logSync.receive(from(3, greeting(), NOBODY))).length, 1);
});

test("a folder that knows of an ensemble, or of two processes of one number, keeps the others from founding one", (t) => {
  for (const hears of [
    from(2, greeting({ configuration: strangers })),
    { kind: "twinHeard" } as const,
  ]) {
    const logSync = greeted();
    logSync.receive(hears);
    t.like(broadcasts(logSync.receive({ kind: "timer", timer: "greet" })), [{ mayFound: false }]);
    logSync.nowMs = 10_000;
    t.like(broadcasts(logSync.receive({ kind: "timer", timer: "greet" })), [{ mayFound: true }]);
  }
  const other = greeted();
  other.receive(from(2, greeting({ mayFound: false }), NOBODY));
  t.deepEqual(stored(other.receive(from(3, greeting(), NOBODY))), []);
  t.is(stored(other.receive(from(2, greeting(), NOBODY))).length, 1);
});

test("folders found an ensemble when all numbers have been heard, and belong to it when that is durable", (t) => {
  const logSync = greeted();
  t.deepEqual(told(logSync.receive(from(2, greeting(), NOBODY)), "log"), []);
  const effects = logSync.receive(from(3, greeting(), NOBODY));
  t.deepEqual(stored(effects), [ensembleOf(3)]);
  t.is(logSync.state.membership.settled, undefined);
  const belongs = logSync.receive({ kind: "configurationStored", configuration: ensembleOf(3) });
  t.like(emitted(belongs, "standing"), [{ ensembleId: ensembleOf(3).ensembleId, version: 1 }]);
  t.is(logSync.state.founding, undefined);
});

test("a node that was heard too long ago is no founder", (t) => {
  const logSync = greeted();
  logSync.receive(from(2, greeting(), NOBODY));
  logSync.nowMs = 2001;
  t.deepEqual(stored(logSync.receive(from(3, greeting(), NOBODY))), []);
  t.is(stored(logSync.receive(from(2, greeting(), NOBODY))).length, 1);
});

test("two folders that are heard under one number keep an ensemble from being founded while both are there", (t) => {
  const logSync = greeted();
  const twin = { ...NOBODY, identity: folderOf(9) };
  logSync.receive(from(2, greeting(), NOBODY));
  logSync.receive(from(2, greeting(), twin));
  t.deepEqual(stored(logSync.receive(from(3, greeting(), NOBODY))), []);
  logSync.nowMs = 10_000;
  logSync.receive(from(2, greeting(), twin));
  const effects = logSync.receive(from(3, greeting(), NOBODY));
  t.is(identityOf(stored(effects)[0] ?? ensembleOf(3), server(2)), folderOf(9));
});

test("another process with this node's own number keeps it from founding one too", (t) => {
  const logSync = greeted();
  logSync.receive({ kind: "twinHeard" });
  logSync.receive(from(2, greeting(), NOBODY));
  t.deepEqual(stored(logSync.receive(from(3, greeting(), NOBODY))), []);
});

test("nodes that were started with other members found no ensemble together", (t) => {
  const logSync = greeted();
  logSync.receive(from(2, greeting(), NOBODY));
  const other = greeting({ members: [1, 3, 4].map(server) });
  const effects = logSync.receive(from(3, other, NOBODY));
  t.deepEqual(stored(effects), []);
  t.like(effects, [{ kind: "log", event: "otherMembers" }]);
});

test("a founder that has missed the founding takes it from whoever knows it", (t) => {
  const logSync = newcomer();
  const effects = logSync.receive(from(2, greeting({ configuration: ensembleOf(3) })));
  t.deepEqual(stored(effects), [ensembleOf(3)]);
});

const strangers = foundedBy(members.map((id) => ({ id, identity: folderOf(id + 6) })));

test("beside an ensemble that does not know its folder a node founds none, and asks to be taken in", (t) => {
  const logSync = newcomer();
  logSync.receive(from(2, greeting({ configuration: strangers })));
  logSync.receive(from(2, greeting(), NOBODY));
  t.deepEqual(stored(logSync.receive(from(3, greeting(), NOBODY))), []);
  t.deepEqual(broadcasts(logSync.receive({ kind: "timer", timer: "join" })), [{ kind: "join" }]);
  const other = logSync.receive(
    from(2, { kind: "joinAnswer", identity: folderOf(5), configuration: strangers }),
  );
  t.deepEqual(stored(other), [], "an answer to another process of this number");
  const admitted = logSync.receive(
    from(2, { kind: "joinAnswer", identity: folderOf(1), configuration: strangers }),
  );
  t.like(told(admitted, "log"), [{ kind: "storeConfiguration", guest: true }]);
  logSync.receive({ kind: "configurationStored", configuration: strangers });
  t.is(logSync.state.repair?.loss.reason, "guest");
});

test("what a folder of no ensemble holds is not thrown away for one: it does not ask to be taken in", (t) => {
  const logSync = start({ configuration: undefined, lastZxids: [at(1, 0)] });
  logSync.receive(from(2, greeting({ configuration: strangers })));
  t.deepEqual(broadcasts(logSync.receive({ kind: "timer", timer: "join" })), []);
});

/** Node 1 leads epoch 1 of three with everything committed, at the time 0. */
function leader(): LogSync {
  const logSync = start({});
  logSync.receive({ kind: "elected", leader: server(1) });
  logSync.receive({ kind: "promised", promise: { epoch: epoch(1), candidate: server(1) } });
  logSync.receive(
    from(2, {
      kind: "promiseReply",
      folder: folderOf(1),
      epoch: epoch(1),
      granted: true,
      promise: { epoch: epoch(1), candidate: server(1) },
      lastZxid: ZXID_NONE,
    }),
  );
  logSync.receive({ kind: "endOfTurn" });
  logSync.receive({ kind: "appended", lastZxid: at(1, 0), truncations: 0 });
  logSync.receive(accepted(2, at(1, 0)));
  if (logSync.state.role.kind !== "leading") throw new Error("node 1 leads");
  return logSync;
}

function accepted(
  peer: number,
  zxid: Zxid,
  sender: Partial<PeerSender> = {},
  votes = true,
): LogSyncMessage {
  const of = { epoch: epoch(1), zxid, votes, diskSpace: "free", treeFull: false } as const;
  return from(peer, { kind: "accepted", ...of }, sender);
}

const guest = { identity: folderOf(9), isVoter: false } as const;

/** The folder 9 has caught up under number 3, whose old process is silent, and is being bound to it. */
function binding(): LogSync {
  const logSync = leader();
  logSync.nowMs = 1000;
  logSync.receive(accepted(3, at(1, 0), guest, false));
  logSync.receive(from(3, { kind: "join" }, guest));
  return logSync;
}

test("a leader takes no other folder in while the process of the old one is heard", (t) => {
  const logSync = leader();
  logSync.nowMs = 5000;
  logSync.receive(accepted(3, at(1, 0)));
  logSync.nowMs = 5999;
  const refused = logSync.receive(from(3, { kind: "join" }, { ...NOBODY, identity: folderOf(9) }));
  t.regex(JSON.stringify(sent(refused, 3)), /another process is node 3, and was heard 999 ms ago/);
  logSync.nowMs = 6000;
  const taken = logSync.receive(from(3, { kind: "join" }, { ...NOBODY, identity: folderOf(9) }));
  t.like(sent(taken, 3), [
    { kind: "joinAnswer", identity: folderOf(9), configuration: { version: 1 } },
  ]);
});

test("a guest is bound to its number only when it holds all that is committed", (t) => {
  const logSync = leader();
  logSync.nowMs = 1000;
  t.deepEqual(logSync.receive(from(3, { kind: "join" }, guest)), []);
  logSync.receive(accepted(3, at(1, 0), guest, false));
  logSync.receive(from(3, { kind: "join" }, guest));
  t.is(logSync.state.log.index.tail, at(1, 1));
  t.is(logSync.state.membership.logged[0]?.configuration.since, at(1, 1));
});

test("while a number is being bound to another folder it counts for neither of the two", (t) => {
  const logSync = binding();
  logSync.receive({ kind: "endOfTurn" });
  logSync.receive({ kind: "appended", lastZxid: at(1, 1), truncations: 0 });
  logSync.receive(accepted(3, at(1, 1)));
  logSync.receive(accepted(3, at(1, 1), guest));
  t.is(logSync.state.delivery.committed, at(1, 0));
  const effects = logSync.receive(accepted(2, at(1, 1)));
  t.is(logSync.state.delivery.committed, at(1, 1));
  t.like(told(effects, "log"), [{ kind: "storeConfiguration", guest: false }]);
  t.is(logSync.state.membership.counted.get(server(3)), folderOf(9));
});

test("a leader binds one number at a time", (t) => {
  const logSync = binding();
  const other = { identity: folderOf(8), isVoter: false } as const;
  logSync.nowMs = 3000;
  logSync.receive(accepted(2, at(1, 0), other, false));
  logSync.receive(from(2, { kind: "join" }, other));
  t.is(logSync.state.membership.logged.length, 1);
});

test("an ensemble of two replaces nobody: without the number there would be no majority", (t) => {
  const two = [1, 2].map(server);
  const logSync = start({ configuration: ensembleOf(2) }, two);
  logSync.receive({ kind: "elected", leader: server(1) });
  const promise = { epoch: epoch(1), candidate: server(1) };
  logSync.receive({ kind: "promised", promise });
  logSync.receive(
    from(2, {
      kind: "promiseReply",
      folder: folderOf(1),
      epoch: epoch(1),
      granted: true,
      promise,
      lastZxid: ZXID_NONE,
    }),
  );
  logSync.receive({ kind: "endOfTurn" });
  logSync.receive({ kind: "appended", lastZxid: at(1, 0), truncations: 0 });
  logSync.receive(accepted(2, at(1, 0)));
  logSync.nowMs = 60_000;
  const effects = logSync.receive(from(2, { kind: "join" }, guest));
  t.regex(JSON.stringify(sent(effects, 2)), /an ensemble of 2 cannot replace a node/);
});

function changed(
  of: Configuration,
  id: number,
  folder: number,
  zxid: Zxid,
  prevZxid: Zxid,
): Uint8Array {
  const next = withIdentity(of, { id: server(id), identity: folderOf(folder) }, zxid);
  return encodeRecord(
    {
      kind: "configuration",
      firstZxid: zxid,
      lastZxid: zxid,
      prevZxid,
      timeMs: 1,
      submitter: undefined,
      seq: 0,
    },
    encodeConfiguration(next),
    crc32,
  );
}

/** Node 2 of epoch 1 sends it this record, which follows the barrier. */
function follow(logSync: LogSync, change: Uint8Array, committed: Zxid): LogSync["effects"] {
  const promise = { epoch: epoch(1), candidate: server(2) };
  const records = [record(at(1, 0), ZXID_NONE), change];
  const append: LogSyncPeerMessage = {
    kind: "append",
    epoch: epoch(1),
    leader: server(2),
    prevZxid: ZXID_NONE,
    committed,
    records,
    admission: "all",
  };
  logSync.receive(from(2, append));
  logSync.receive({ kind: "promised", promise });
  logSync.receive(from(2, append));
  return logSync.receive({
    kind: "appended",
    lastZxid: recordHeader(change).lastZxid,
    truncations: 0,
  });
}

test("a node whose number is known to be bound to another folder stops, and says so", (t) => {
  const change = changed(ensembleOf(3), 1, 9, at(1, 1), at(1, 0));
  const open = start({});
  t.false(follow(open, change, at(1, 0)).some(({ kind }) => kind === "stopNode"));
  t.is(open.state.membership.counted.has(server(1)), false);
  const effects = follow(start({}), change, at(1, 1));
  const stop = effects.find(({ kind }) => kind === "stopNode");
  t.regex(JSON.stringify(stop), /node 1 was replaced while it was away/);
});

test("a change that is cut off the log again was never in force", (t) => {
  const logSync = start({});
  follow(logSync, changed(ensembleOf(3), 3, 9, at(1, 1), at(1, 0)), at(1, 0));
  t.false(logSync.state.membership.counted.has(server(3)));
  const promise = { epoch: epoch(2), candidate: server(3) };
  const append: LogSyncPeerMessage = {
    kind: "append",
    epoch: epoch(2),
    leader: server(3),
    prevZxid: at(1, 0),
    committed: at(1, 0),
    records: [record(at(2, 0), at(1, 0))],
    admission: "all",
  };
  logSync.receive(from(3, append));
  logSync.receive({ kind: "promised", promise });
  logSync.receive(from(3, append));
  t.is(logSync.state.membership.counted.get(server(3)), folderOf(3));
});

test("a guest votes from when it holds the record that binds its number, and knows it to be committed", (t) => {
  const known = foundedBy([
    { id: server(1), identity: folderOf(7) },
    { id: server(2), identity: folderOf(2) },
    { id: server(3), identity: folderOf(3) },
  ]);
  const change = changed(known, 1, 1, at(1, 1), at(1, 0));
  const of = { configuration: known, voteLoss: { reason: "guest", epoch: epoch(0) } } as const;
  const early = start(of);
  t.false(told(follow(early, change, at(1, 0)), "log").some(isRegain));
  const logSync = start(of);
  t.true(told(follow(logSync, change, at(1, 1)), "log").some(isRegain));
  const effects = logSync.receive({ kind: "voteRegained" });
  t.like(sent(effects, 2), [{ kind: "accepted", votes: true }]);
});

function isRegain(message: object): boolean {
  return (message as { readonly kind: string }).kind === "regainVote";
}

test("two folders without a vote do not ask each other what they have promised without end", (t) => {
  const logSync = start({ voteLoss: { reason: "guest", epoch: epoch(0) } });
  const survey: LogSyncPeerMessage = { kind: "survey", nonce: 1 };
  t.like(sent(logSync.receive(from(2, survey)), 2), [{ kind: "surveyed" }, { kind: "survey" }]);
  t.like(sent(logSync.receive(from(3, survey, guest)), 3), [{ kind: "surveyed" }]);
  t.is(sent(logSync.receive(from(3, survey, guest)), 3).length, 1);
});

test("a promise that another process with its number was given counts for no candidate", (t) => {
  const logSync = start({});
  logSync.receive({ kind: "elected", leader: server(1) });
  const promise = { epoch: epoch(1), candidate: server(1) };
  logSync.receive({ kind: "promised", promise });
  const reply = { kind: "promiseReply", epoch: epoch(1), granted: true, promise } as const;
  logSync.receive(from(2, { ...reply, folder: folderOf(9), lastZxid: ZXID_NONE }));
  t.is(logSync.state.role.kind, "candidate");
  logSync.receive(from(2, { ...reply, folder: folderOf(1), lastZxid: ZXID_NONE }));
  t.is(logSync.state.role.kind, "leading");
});

test("a node that is told that it was refused as of an older life loses its vote, durably, before it stops", (t) => {
  const logSync = start({ incarnation: 8 });
  const older = { kind: "refusedByPeer", from: server(2), reason: "olderIncarnation" } as const;
  t.deepEqual(
    logSync.receive({ ...older, incarnation: 7 }),
    [],
    "its own incarnation is the later one",
  );
  t.deepEqual(logSync.receive({ ...older, incarnation: 2 ** 50 }), [], "no folder starts so often");
  const effects = logSync.receive({ ...older, incarnation: 9 });
  t.deepEqual(told(effects, "log"), [{ kind: "loseVote", incarnation: 9 }]);
  t.like(emitted(effects, "durable"), [{ votes: false }]);
  const asked: LogSyncPeerMessage = {
    kind: "promiseRequest",
    epoch: epoch(5),
    candidate: server(2),
  };
  t.deepEqual(sent(logSync.receive(from(2, asked)), 2), []);
  const lost = logSync.receive({ kind: "voteLost" });
  t.regex(JSON.stringify(lost), /older than what the others remember/);
});
