/** The gateway of native clients, by plain calls. */
import test from "ava";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import type { NatsGatewayMessage } from "../../../actors/gateway/messages.ts";
import { Code } from "../../../protocol/codes.ts";
import { NATIVE_UNTAKEN_BYTES_SOFT_MAX } from "../../../protocol/limits.ts";
import {
  type ClientItem,
  decodeGatewayFrame,
  type GatewayItem,
  NATIVE_VERSION,
} from "../../../protocol/native.ts";
import type { Change } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import {
  ended,
  get,
  INBOX,
  item,
  NativeGatewayHarness,
  opened,
  SESSION,
  set,
  STAT,
} from "../../support/native-gateway.ts";

const list = (id: number): ClientItem =>
  item(id, { kind: "read", read: { kind: "getChildren", path: "/a", watch: false } });

test("a client without a session gets a new one", (t) => {
  const harness = new NativeGatewayHarness();
  harness.ask(0);
  t.like(harness.lastTold("write"), { client: 1, operations: [{ kind: "createSession" }] });
  harness.open();
  harness.say({ kind: "ping" });
  t.deepEqual(harness.published(), [{ kind: "pong", zxid: 10 as Zxid }]);
});

test("a client with a session is attached to it, and refused when it has expired", (t) => {
  const harness = new NativeGatewayHarness();
  harness.ask(SESSION);
  t.like(harness.lastTold("write"), {
    operations: [{ kind: "attachSession", session: SESSION, timeoutMs: 10_000 }],
  });
  harness.written(11, { kind: "error", code: Code.sessionExpired });
  t.deepEqual(harness.published(), [ended("expired")] as GatewayItem[]);
});

test("an open with a wrong password ends nothing but itself, and nothing is logged of it", (t) => {
  const harness = opened();
  harness.verdict = undefined;
  const other = "zooid.test.client.thief.1";
  harness.ask(SESSION, NATIVE_VERSION, other);
  t.deepEqual(harness.published(), [], "the owner hears nothing");
  t.deepEqual(harness.tells(), ["tree/1 checkSession"]);
  harness.checked(2, "wrong");
  t.deepEqual(harness.published(), [ended("expired")] as GatewayItem[]);
  harness.tells();
  harness.say(set(1));
  t.deepEqual(harness.tells(), ["submitter/1 write"], "the owner writes on");
  harness.tick(1_000);
  t.true(
    harness.effects.some((effect) => effect.kind === "log" && effect.event === "wrongPassword"),
  );
});

test("an open with the right password ends the connection that had the session", (t) => {
  const harness = opened();
  harness.ask(SESSION, NATIVE_VERSION, "zooid.test.client.owner.2");
  t.deepEqual(harness.published(), [ended("moved")] as GatewayItem[]);
  t.deepEqual(harness.tells(), ["submitter/1 write"]);
});

test("without a leader, with another version or an unknown connection a client is turned away", (t) => {
  const harness = new NativeGatewayHarness();
  harness.ask(0, NATIVE_VERSION + 1);
  t.deepEqual(harness.published(), [ended("version")] as GatewayItem[]);
  harness.lead(false);
  harness.ask(0);
  t.deepEqual(harness.published(), [ended("noLeader")] as GatewayItem[]);
  harness.frame(1, [{ kind: "ping" }]);
  t.deepEqual(harness.published(), [ended("unknown")] as GatewayItem[]);
});

test("nothing is ever published to a subject that is no client's inbox", (t) => {
  const harness = new NativeGatewayHarness();
  harness.ask(0, NATIVE_VERSION + 1, "zooid.test.peer.1.log-sync");
  harness.ask(0, NATIVE_VERSION, "zooid.test.peer.1.log-sync");
  t.deepEqual(harness.published(), []);
  t.deepEqual(harness.tells(), []);
});

test("bytes that are no frame end the connection and no other", (t) => {
  const harness = opened();
  const bytes = new Uint8Array([1, 2, 3]);
  harness.give({ kind: "clientMessage", subject: "zooid.test.gateway", reply: INBOX, bytes });
  t.deepEqual(harness.published(), [ended("badFrame")] as GatewayItem[]);
});

test("a read of a znode goes with the connection's writes, another waits for them, and what comes behind waits too", (t) => {
  const harness = opened();
  const results = [{ kind: "error", code: Code.noNode }] as const;
  harness.say(get(1), set(2), get(3), list(4), set(5));
  t.deepEqual(harness.tells(), ["tree/1 read", "submitter/1 write"]);
  harness.give({ kind: "readDone", client: 1, zxid: 10 as Zxid, results });
  t.deepEqual(harness.tells(), []);
  harness.give({ kind: "readDone", client: 1, zxid: 11 as Zxid, results });
  t.deepEqual(harness.tells(), []);
  harness.written(11, { kind: "stat", stat: STAT });
  t.deepEqual(harness.tells(), ["tree/1 read"]);
  harness.give({ kind: "readDone", client: 1, zxid: 12 as Zxid, results });
  t.deepEqual(harness.tells(), ["submitter/1 write"]);
});

test("reads that the tree did not answer are asked again, before what came behind them", (t) => {
  const harness = opened();
  harness.say(list(1), get(2), set(3));
  harness.tells();
  const results = [{ kind: "error", code: Code.noNode }] as const;
  harness.give({ kind: "readDone", client: 1, zxid: 10 as Zxid, results });
  t.deepEqual(harness.tells(), ["tree/1 read", "submitter/1 write"]);
  harness.give({ kind: "readDone", client: 1, zxid: 10 as Zxid, results });
  t.deepEqual(harness.tells(), []);
  t.is(harness.published().length, 2);
});

test("no read is begun while a client has not taken what was sent, and output that is held is bounded", (t) => {
  const harness = opened();
  const data = new Uint8Array(NATIVE_UNTAKEN_BYTES_SOFT_MAX);
  const results = [{ kind: "data", data, stat: STAT }] as const;
  harness.say(list(1), list(2));
  harness.give({ kind: "readDone", client: 1, zxid: 10 as Zxid, results });
  t.deepEqual(harness.tells(), ["tree/1 read"], "what was asked at first");
  harness.say({ kind: "ping" });
  t.deepEqual(harness.tells(), []);
  harness.say({ kind: "taken", sequence: 2 });
  t.deepEqual(harness.tells(), ["tree/1 read"]);
});

test("without room in memory a write that grows the tree is refused, another is done", (t) => {
  const harness = opened();
  harness.lead(true, "noGrowth");
  const create = {
    kind: "create",
    path: "/b",
    data: null,
    acl: [],
    mode: { ephemeral: false, sequential: false },
  } as const;
  harness.say(
    set(1),
    set(2),
    get(3),
    item(4, { kind: "write", operation: { ...create, acl: OPEN_ACL } }),
  );
  t.deepEqual(harness.tells(), ["tree/1 read"], "the tree is asked of both");
  const results = [
    { kind: "growth", grows: true },
    { kind: "growth", grows: false },
  ] as const;
  harness.give({ kind: "readDone", client: 1, zxid: 10 as Zxid, results });
  t.deepEqual(harness.tells(), ["submitter/1 write"], "the read goes with it");
  harness.written(11, { kind: "stat", stat: STAT });
  const refused = { kind: "error", code: Code.quotaExceeded } as const;
  t.like(
    harness.published().filter(({ kind }) => kind === "result"),
    [
      { id: 1, result: refused },
      { id: 4, result: refused },
      { id: 2, result: { kind: "stat" } },
    ],
  );
});

test("results carry the client's ids and their zxids", (t) => {
  const harness = opened();
  harness.say(set(1), set(2), get(3));
  harness.written(11, { kind: "stat", stat: STAT }, { kind: "error", code: Code.badVersion });
  harness.give({
    kind: "readDone",
    client: 1,
    zxid: 12 as Zxid,
    results: [{ kind: "data", data: new Uint8Array([1]), stat: STAT }],
  });
  t.like(harness.published(), [
    { kind: "result", id: 1, zxid: 11 as Zxid, result: { kind: "stat", stat: STAT } },
    { id: 2, zxid: 12 as Zxid, result: { kind: "error", code: Code.badVersion } },
    { id: 3, zxid: 12 as Zxid, result: { kind: "data", stat: STAT } },
  ]);
});

test("without room writes are refused and handed to nobody, reads go on, and nobody new is taken", (t) => {
  const harness = opened();
  harness.lead(true, "sessionsOnly");
  harness.say(set(1), get(2));
  t.deepEqual(harness.tells(), ["tree/1 read"]);
  t.like(
    harness.published().filter(({ kind }) => kind === "result"),
    [{ id: 1, result: { kind: "error", code: Code.notReadOnly } }],
  );
  harness.lead(true, "none");
  harness.ask(0, NATIVE_VERSION, "zooid.test.client.other.1");
  t.like(harness.published(), [{ kind: "ended", reason: "noLeader" }]);
  harness.lead(true);
  const results = [{ kind: "error", code: Code.noNode }] as const;
  harness.give({ kind: "readDone", client: 1, zxid: 10 as Zxid, results });
  harness.say(set(3));
  t.deepEqual(harness.tells(), ["submitter/1 write"]);
});

test("a bad path is refused without a transaction", (t) => {
  const harness = opened();
  harness.say(get(1, "no/slash"), set(2, "/a/"));
  t.deepEqual(harness.tells(), []);
  harness.say({ kind: "ping" });
  const results = harness.published().filter(({ kind }) => kind === "result");
  t.like(results, [
    { id: 1, result: { kind: "error", code: Code.badArguments } },
    { id: 2, result: { kind: "error", code: Code.badArguments } },
  ]);
});

test("a lost frame of the client ends the connection", (t) => {
  const harness = opened();
  harness.say({ kind: "ping" });
  harness.published();
  harness.frame(3, [set(1)]);
  t.deepEqual(harness.published(), [ended("gap")] as GatewayItem[]);
  t.deepEqual(harness.tells(), []);
  harness.frame(4, [set(2)]);
  t.deepEqual(harness.published(), [ended("unknown")] as GatewayItem[]);
});

test("frames to the client are numbered without a gap", (t) => {
  const harness = opened();
  harness.effects = [];
  harness.say({ kind: "ping" });
  harness.give({ kind: "endOfTurn" });
  harness.say({ kind: "ping" });
  harness.give({ kind: "endOfTurn" });
  const frames = harness.effects.filter((effect) => effect.kind === "publish");
  t.deepEqual(
    frames.map(({ bytes }) => decodeGatewayFrame(bytes).sequence),
    [2, 3],
  );
});

test("closeSession is answered before the session's end is heard of, and ends the connection", (t) => {
  const harness = opened();
  harness.say(item(1, { kind: "write", operation: { kind: "closeSession" } }), set(2));
  t.like(harness.lastTold("write"), {
    operations: [{ operation: { kind: "closeSession" }, attachedAt: 10 as Zxid }],
  });
  harness.give({ kind: "sessionChanges", attached: [], closed: [SESSION] });
  harness.written(11, { kind: "done" });
  const done = { kind: "result", id: 1, zxid: 11 as Zxid, result: { kind: "done" } };
  t.deepEqual(harness.published(), [done] as GatewayItem[]);
  harness.say({ kind: "ping" });
  t.deepEqual(harness.published(), [ended("unknown")] as GatewayItem[]);
});

test("a session that expires or is attached elsewhere ends its connection", (t) => {
  const expired = opened();
  expired.give({ kind: "sessionChanges", attached: [], closed: [SESSION] });
  t.deepEqual(expired.published(), [ended("expired")] as GatewayItem[]);
  const moved = opened();
  const attached = (attachedAt: number): NatsGatewayMessage => ({
    kind: "sessionChanges",
    attached: [{ session: SESSION, timeoutMs: 10_000, attachedAt: attachedAt as Zxid }],
    closed: [],
  });
  moved.give(attached(10));
  t.deepEqual(moved.published(), [], "its own");
  moved.give(attached(12));
  t.deepEqual(moved.published(), [ended("moved")] as GatewayItem[]);
});

test("sessions that are heard of are reported, and silent clients are forgotten", (t) => {
  const harness = opened();
  harness.say({ kind: "ping" });
  harness.nowMs += 200;
  harness.give({ kind: "timer", timer: "tick" });
  t.like(harness.lastTold("touched"), { sessions: [SESSION] });
  harness.tells();
  harness.tick(200);
  t.deepEqual(harness.tells(), [], "not heard of again");
  harness.tick(10_000);
  harness.published();
  harness.say({ kind: "ping" });
  t.deepEqual(harness.published(), [ended("unknown")] as GatewayItem[]);
});

test("connections outlive a short time without a leader and not a long one", (t) => {
  const harness = opened();
  harness.lead(false);
  harness.tick(900);
  harness.lead(true);
  harness.lead(false);
  harness.tick(900);
  t.deepEqual(harness.published(), []);
  harness.tick(200);
  t.deepEqual(harness.published(), [ended("noLeader")] as GatewayItem[]);
});

const change = (zxid: number, size = 0): Change => ({
  zxid: zxid as Zxid,
  index: 0,
  kind: "data",
  path: "/a",
  stat: STAT,
  data: new Uint8Array(size),
});

function streaming(credits: number): NativeGatewayHarness {
  const harness = opened();
  const stream = { kind: "openStream", stream: 5, path: "/a", recursive: true } as const;
  harness.say({ ...stream, after: 10 as Zxid, credits });
  return harness;
}

test("changes go out while there are credits, in whole portions, and on when more are granted", (t) => {
  const harness = streaming(1);
  t.like(harness.lastTold("openStream"), {
    stream: 1,
    path: "/a",
    recursive: true,
    after: 10 as Zxid,
  });
  const changes = (through: number, ...list: Change[]): void =>
    harness.give({
      kind: "changes",
      client: 1,
      stream: 1,
      changes: list,
      through: through as Zxid,
    });
  changes(12, change(11), change(12));
  changes(13, change(13));
  t.like(harness.published(), [{ kind: "changes", stream: 5, through: 12 as Zxid }]);
  harness.say({ kind: "credit", stream: 5, credits: 1 });
  t.deepEqual(harness.published(), [], "two were sent for one credit");
  harness.say({ kind: "credit", stream: 5, credits: 1 });
  t.like(harness.published(), [{ kind: "changes", stream: 5, through: 13 as Zxid }]);
});

test("changes that many streams share are encoded once in a turn, and each stream is sent them under its own number", (t) => {
  const harness = opened();
  const inbox = harness.openAnother(2);
  const open = { kind: "openStream", path: "/a", recursive: true, after: 10 as Zxid } as const;
  const told = (client: number, stream: number, changes: readonly Change[], through: number) =>
    harness.give({ kind: "changes", client, stream, changes, through: through as Zxid });
  harness.say({ ...open, stream: 5, credits: 10 }, { ...open, stream: 6, credits: 0 });
  harness.frame(1, [{ ...open, stream: 7, credits: 10 }], inbox);
  const treeStreams = [
    [1, 1],
    [1, 2],
    [2, 3],
  ] as const;
  for (const [client, stream] of treeStreams) told(client, stream, [], 10);
  harness.published();
  let reads = 0;
  const counted: Change = {
    ...change(11),
    get stat() {
      reads += 1;
      return STAT;
    },
  };
  const list = [counted];
  for (const [client, stream] of treeStreams) told(client, stream, list, 11);
  const sent = (stream: number): unknown => ({ kind: "changes", stream, through: 11 as Zxid });
  t.like(harness.published(), [sent(5), sent(7)]);
  t.is(reads, 1);
  harness.say({ kind: "credit", stream: 6, credits: 1 });
  t.like(harness.published(), [sent(6)]);
  t.is(reads, 2, "what waited was not kept encoded");
});

test("a stream whose client is slow pauses at the tree and goes on without a gap", (t) => {
  const harness = streaming(0);
  harness.tells();
  const large = Array.from({ length: 5 }, (_, index) => change(11 + index, 1024 * 1024));
  harness.give({ kind: "changes", client: 1, stream: 1, changes: large, through: 15 as Zxid });
  t.deepEqual(harness.tells(), ["tree/1 closeStream"]);
  harness.give({
    kind: "changes",
    client: 1,
    stream: 1,
    changes: [change(16)],
    through: 16 as Zxid,
  });
  harness.say({ kind: "credit", stream: 5, credits: 100 });
  harness.say({ kind: "taken", sequence: 100 });
  t.like(harness.lastTold("openStream"), { stream: 2, after: 15 as Zxid });
  const throughs = harness.published().map((each) => (each as { through?: number }).through);
  t.deepEqual(throughs, [11, 12, 13, 14, 15], "cut between zxids, none twice");
  harness.give({ kind: "compacted", client: 1, stream: 2, oldest: 20 as Zxid });
  t.deepEqual(harness.published(), [{ kind: "compacted", stream: 5, oldest: 20 as Zxid }]);
});

test("a closed stream is closed at the tree, a gone client's are forgotten there", (t) => {
  const closed = streaming(1);
  closed.tells();
  closed.say({ kind: "closeStream", stream: 5 });
  t.deepEqual(closed.tells(), ["tree/1 closeStream"]);
  const gone = streaming(1);
  gone.tells();
  gone.give({ kind: "sessionChanges", attached: [], closed: [SESSION] });
  t.deepEqual(gone.tells(), ["submitter/1 forget", "tree/1 forget"]);
});

test("streams are opened at the tree one at a time, and connections take turns", (t) => {
  const harness = opened();
  const open = (stream: number, path: string): ClientItem => ({
    kind: "openStream",
    stream,
    path,
    recursive: false,
    after: 10 as Zxid,
    credits: 1,
  });
  const answer = (client: number, stream: number): void =>
    harness.give({ kind: "changes", client, stream, changes: [], through: 11 as Zxid });
  const inbox = harness.openAnother(2);
  harness.tells();
  harness.say(open(1, "/a"), open(2, "/b"), open(3, "/c"), open(4, "/d"));
  harness.frame(1, [open(1, "/other")], inbox);
  t.deepEqual(harness.tells(), ["tree/1 openStream"]);
  answer(1, 77);
  t.deepEqual(harness.tells(), [], "an answer for another stream");
  answer(1, 1);
  t.like(harness.lastTold("openStream"), { client: 1, stream: 2, path: "/b" });
  harness.say({ kind: "closeStream", stream: 2 }, { kind: "closeStream", stream: 3 });
  answer(1, 2);
  t.like(harness.lastTold("openStream"), { client: 2, stream: 3, path: "/other" });
  answer(2, 3);
  t.like(harness.lastTold("openStream"), { client: 1, stream: 4, path: "/d" });
  harness.tells();
  harness.say(open(5, "/e"));
  harness.give({ kind: "sessionChanges", attached: [], closed: [SESSION] });
  harness.give({ kind: "compacted", client: 1, stream: 4, oldest: 20 as Zxid });
  t.deepEqual(
    harness.tells(),
    ["submitter/1 forget", "tree/1 forget"],
    "what waited of a gone client is not opened",
  );
});

test("an answer waits when the leader may not have heard of the session for a third of its timeout", (t) => {
  const gateway = new NativeGatewayHarness();
  gateway.open();
  gateway.tick(3_000);
  gateway.say({ kind: "ping" });
  t.like(gateway.published(), [{ kind: "pong" }]);
  gateway.tick(334);
  gateway.say({ kind: "ping" });
  t.deepEqual(gateway.published(), []);
  gateway.give({ kind: "leaderHeard", turns: { "nats/1": [1] } });
  t.like(gateway.published(), [{ kind: "pong" }]);
});

test("a connection whose answers wait ends before the leader can end its session", (t) => {
  const gateway = new NativeGatewayHarness();
  gateway.open();
  gateway.tick(3_400);
  gateway.say({ kind: "ping" });
  gateway.tick(4_600);
  t.deepEqual(gateway.published(), []);
  gateway.tick(200);
  t.like(gateway.published(), [{ kind: "ended", reason: "noLeader" }]);
});

test("a flush that fails costs the connection that it failed of, and the others are flushed", (t) => {
  const harness = opened();
  const other = harness.openAnother(2);
  harness.effects = [];
  harness.say({ kind: "ping" });
  harness.frame(1, [{ kind: "ping" }], other);
  harness.spoil(1);
  harness.giveSupervised({ kind: "endOfTurn" });
  t.true(harness.effects.some((effect) => effect.kind === "endOfTurn"));
  harness.giveSupervised({ kind: "endOfTurn" });
  const heard = harness.effects.flatMap((effect) =>
    effect.kind === "publish"
      ? [[effect.subject, decodeGatewayFrame(effect.bytes).items[0]?.kind]]
      : [],
  );
  t.deepEqual(heard, [
    [INBOX, "ended"],
    [other, "pong"],
  ]);
});

test("a failure over a message that concerns every connection ends them all", (t) => {
  for (const message of [{ kind: "treeReset" }, { kind: "sessionChanges" }] as const) {
    const harness = opened();
    harness.recover(message as never);
    t.deepEqual(harness.published(), [ended("unknown")] as GatewayItem[]);
  }
});
