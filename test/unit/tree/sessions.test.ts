/** Sessions as replicated state, and batches that come twice. */
import { crc32 } from "node:zlib";
import test from "ava";
import { encodeCbor } from "../../../protocol/cbor.ts";
import { Code } from "../../../protocol/codes.ts";
import type { ServerId, SessionId } from "../../../protocol/ids.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import { encodeRecord } from "../../../protocol/record.ts";
import type { TreeMetrics, TreeReply } from "../../../actors/tree/messages.ts";
import { type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import {
  appliedOf,
  client,
  create,
  multi,
  PASSWORD,
  remove,
  Replica,
  sessionsOf,
  setData,
} from "../../support/replica.ts";

test("a session's id is the zxid that created it", (t) => {
  const replica = new Replica();
  const [result] = replica.results({ kind: "createSession", timeoutMs: 4000, password: PASSWORD });
  t.like(result, {
    kind: "session",
    session: replica.lastZxid,
    attachedAt: replica.lastZxid,
    timeoutMs: 4000,
  });
});

test("attaching moves the session, and what comes through the old connection is refused", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const [attached] = replica.results({
    kind: "attachSession",
    session,
    timeoutMs: 9000,
    password: PASSWORD,
  });
  const attachedAt = replica.lastZxid;
  t.like(attached, { kind: "session", session, timeoutMs: 9000, attachedAt });
  const moved = { kind: "error", code: Code.sessionMoved } as const;
  t.deepEqual(replica.do(session, create("/old")), moved);
  t.deepEqual(replica.do(session, { kind: "closeSession" }), moved);
  const [taken] = replica.results(client(session, create("/new"), attachedAt));
  t.is(taken?.kind, "created");
  t.deepEqual(replica.children("/"), ["new", "zookeeper"]);
});

test("a wrong password, an unknown session and a closed one are all expired", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const attach = (id: SessionId, password: Uint8Array): unknown =>
    replica.results({ kind: "attachSession", session: id, timeoutMs: 1, password })[0];
  const expired = { kind: "error", code: Code.sessionExpired } as const;
  t.deepEqual(attach(session, new Uint8Array(16)), expired);
  t.deepEqual(attach(session, PASSWORD.subarray(1)), expired);
  t.deepEqual(attach(77 as SessionId, PASSWORD), expired);
  replica.do(session, { kind: "closeSession" });
  t.deepEqual(attach(session, PASSWORD), expired);
  t.deepEqual(replica.do(session, create("/a")), expired);
});

test("a session's password is told right from wrong without a record; one that is not known yet waits until it is applied", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const check = (id: number, password = PASSWORD): string[] => {
    const question = { kind: "checkSession", from: "nats/1", client: 1 } as const;
    return verdicts(replica.receive({ ...question, session: id as SessionId, password }));
  };
  const before = replica.lastZxid;
  t.deepEqual(check(session), ["right"]);
  t.deepEqual(check(session, new Uint8Array(16)), ["wrong"]);
  t.deepEqual(check(session, PASSWORD.subarray(1)), ["wrong"]);
  t.deepEqual(check(session - 1), ["unknown"]);
  t.is(replica.lastZxid, before);
  const next = before + 1;
  t.deepEqual(check(next), [], "it may be created there");
  t.deepEqual(check(next + 1), []);
  t.deepEqual(
    verdicts(replica.commit({ kind: "createSession", timeoutMs: 1, password: PASSWORD })),
    ["right"],
  );
  const forget = { kind: "forget", from: "nats/1", client: 1 } as const;
  replica.receive(forget);
  t.deepEqual(
    verdicts(replica.commit({ kind: "createSession", timeoutMs: 1, password: PASSWORD })),
    [],
  );
  for (let waiting = 0; waiting < 1_000; waiting += 1) t.deepEqual(check(2 ** 50), []);
  t.deepEqual(check(2 ** 50), ["behind"], "no more of them wait");
});

function verdicts(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== "tell" || effect.to !== "nats/1") return [];
    const reply = effect.message as TreeReply;
    return reply.kind === "sessionChecked" ? [reply.verdict] : [];
  });
}

test("closing a session deletes its ephemerals and no one else's, at one zxid", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const other = replica.session();
  replica.do(session, create("/p"));
  for (const path of ["/p/b", "/p/a"]) replica.do(session, create(path, { ephemeral: true }));
  replica.do(other, create("/p/other", { ephemeral: true }));
  t.like(replica.data("/p/a"), { stat: { ephemeralOwner: session } });
  replica.do(session, { kind: "closeSession" });
  t.deepEqual(replica.children("/p"), ["other"]);
  t.like(replica.data("/p"), { stat: { pzxid: replica.lastZxid, cversion: 5 } });
});

test("expireSession does nothing to a session that was attached again", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const createdAt = session as number as Zxid;
  replica.do(session, create("/e", { ephemeral: true }));
  replica.commit({ kind: "attachSession", session, timeoutMs: 1, password: PASSWORD });
  const attachedAt = replica.lastZxid;
  t.deepEqual(replica.results({ kind: "expireSession", session, attachedAt: createdAt }), [
    { kind: "done" },
  ]);
  t.deepEqual(replica.children("/"), ["e", "zookeeper"]);
  const effects = replica.commit({ kind: "expireSession", session, attachedAt });
  t.deepEqual(replica.children("/"), ["zookeeper"]);
  t.deepEqual(sessionsOf(effects), [{ kind: "sessionChanges", attached: [], closed: [session] }]);
});

test("sessions$ tells what became of the sessions of a message, and nothing when none changed", (t) => {
  const replica = new Replica();
  const session = replica.session(5000);
  const effects = replica.commit(
    { kind: "createSession", timeoutMs: 7000, password: PASSWORD },
    client(session, { kind: "closeSession" }),
  );
  const created = (replica.lastZxid - 1) as Zxid;
  t.deepEqual(sessionsOf(effects), [
    {
      kind: "sessionChanges",
      attached: [{ session: created as number as SessionId, timeoutMs: 7000, attachedAt: created }],
      closed: [session],
    },
  ]);
  t.deepEqual(sessionsOf(replica.commit(client(session, create("/a")))), []);
});

test("the metrics are those of what has been applied when they are asked for", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const before = replica.metrics();
  replica.commit(client(session, create("/abc", { ephemeral: true, data: new Uint8Array(10) })));
  t.like(replica.metrics(), {
    zxid: replica.lastZxid,
    znodes: 5,
    ephemerals: 1,
    watches: 0,
    dataBytes: before.dataBytes + 14,
  });
});

test("the metrics are what they were once everything is deleted or undone", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const after = (...operations: readonly ClientOperation[]): TreeMetrics => {
    replica.commit(...operations.map((each) => client(session, each)));
    return { ...replica.metrics(), zxid: ZXID_NONE };
  };
  const before = after();
  const ephemeral = create("/e", { ephemeral: true, data: new Uint8Array(100) });
  const longer = setData("/e", new Uint8Array(3000));
  t.notDeepEqual(after(ephemeral, longer), before);
  t.deepEqual(after(remove("/e")), before);
  t.deepEqual(after(multi(ephemeral, longer, remove("/e"), remove("/e"))), before);
  const closed = after(ephemeral, longer, { kind: "closeSession" });
  const { znodes, dataBytes, ephemerals, treeBytes } = before;
  t.like(closed, { znodes, dataBytes, ephemerals, sessions: 0 });
  t.true(closed.treeBytes < treeBytes, "the session is gone too");
});

test("a batch that comes again is skipped and not answered again", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  const set = client(session, setData("/a", null));
  const first = replica.record([set]);
  const again = replica.record([set], { seq: replica.lastSeq });
  const effects = replica.receive({ kind: "committed", records: [first, again] });
  t.is(appliedOf(effects).length, 1);
  t.like(replica.data("/a"), { stat: { version: 1 } });
  t.is(replica.metrics().zxid, replica.lastZxid);
});

test("a newer incarnation takes the place of an older one, whose batches are then skipped", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const write = (path: string, incarnation: number, seq: number): void => {
    const submitter = { ...replica.submitter, incarnation };
    const record = replica.record([client(session, create(path))], { submitter, seq });
    replica.receive({ kind: "committed", records: [record] });
  };
  write("/new", 2, 1);
  write("/old", 1, 9);
  write("/repeated", 2, 1);
  write("/next", 2, 2);
  t.deepEqual(replica.children("/"), ["new", "next", "zookeeper"]);
});

test("batches of other lanes and of the leader are applied without an answer", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const foreign = { server: 2 as ServerId, lane: 0, incarnation: 1 };
  for (const [path, submitter] of [
    ["/foreign", foreign],
    ["/lane", { ...replica.submitter, lane: 1 }],
    ["/leader", undefined],
  ] as const) {
    const record = replica.record([client(session, create(path))], { submitter, seq: 1 });
    t.deepEqual(appliedOf(replica.receive({ kind: "committed", records: [record] })), []);
  }
  t.deepEqual(replica.children("/"), ["foreign", "lane", "leader", "zookeeper"]);
});

test("a barrier takes its zxid and changes nothing else", (t) => {
  const replica = new Replica();
  replica.session();
  const zxid = (2 ** 32 + replica.lastZxid) as Zxid;
  const barrier = encodeRecord(
    {
      kind: "barrier",
      firstZxid: zxid,
      lastZxid: zxid,
      prevZxid: replica.lastZxid,
      timeMs: replica.timeMs,
      submitter: undefined,
      seq: 0,
    },
    encodeCbor(1),
    crc32,
  );
  const effects = replica.receive({ kind: "committed", records: [barrier] });
  t.deepEqual(effects, []);
  t.like(replica.metrics(), { zxid, znodes: 4 });
});

test("a record that does not follow the one before it stops the replica", (t) => {
  const replica = new Replica();
  replica.session();
  const gap = replica.record([], { prevZxid: 7 as Zxid, firstZxid: 9 as Zxid });
  t.throws(() => replica.receive({ kind: "committed", records: [gap] }), { message: /follows/ });
  const other = new Replica();
  const session = other.session();
  const repeated = other.record([client(session, create("/a"))], {
    prevZxid: other.lastZxid,
    firstZxid: other.lastZxid,
  });
  t.throws(() => other.receive({ kind: "committed", records: [repeated] }), { message: /grow/ });
});
