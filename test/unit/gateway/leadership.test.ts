/** Without a leader: connections wait for a while, then go. And what the heartbeat and admin actors hear. */
import test from "ava";
import { WatchEventType } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { WORDS } from "../../../protocol/zookeeper/words.ts";
import { GatewayDriver, replyHeaders, requestFrame } from "../../support/gateway-driver.ts";
import { connectFrame } from "../../support/zookeeper-client/client.ts";
import { getData, ping, setData } from "../../support/zookeeper-client/operations.ts";

function attached(timeoutMs = 10_000): GatewayDriver {
  const gateway = new GatewayDriver();
  gateway.leadership("following");
  gateway.attach(1, { timeoutMs });
  return gateway;
}

function graceTimer(effects: readonly Effect[]): number | undefined {
  const timer = effects.find((effect) => effect.kind === "startTimer" && effect.timer === "grace");
  return timer?.kind === "startTimer" ? timer.afterMs : undefined;
}

test("writes wait for a leader, and go out when there is one", (t) => {
  const gateway = attached();
  gateway.leadership("looking");
  gateway.bytes(1, requestFrame(1, setData("/a", "x")));
  t.deepEqual(gateway.told, []);
  gateway.leadership("leading");
  t.is(gateway.told.length, 1);
  gateway.serve();
  t.like(replyHeaders(gateway.written(1)), [{ xid: 1, code: 0 }]);
});

test("reads and pings are answered without a leader, pings also before a waiting write", (t) => {
  const gateway = attached();
  gateway.leadership("looking");
  gateway.bytes(1, requestFrame(1, getData("/a")));
  gateway.serve();
  gateway.bytes(1, requestFrame(2, ping()));
  gateway.bytes(1, requestFrame(2, setData("/a", "x")));
  gateway.bytes(1, requestFrame(0, ping()));
  const xids = replyHeaders(gateway.written(1)).map(({ xid }) => xid);
  t.deepEqual(xids, [1, -2, -2]);
});

test("a ping behind an unanswered write is answered when the leader is lost", (t) => {
  const gateway = attached();
  gateway.bytes(1, requestFrame(1, setData("/a", "x")));
  gateway.bytes(1, requestFrame(0, ping()));
  t.is(gateway.written(1).length, 0);
  gateway.leadership("looking");
  t.deepEqual(
    replyHeaders(gateway.written(1)).map(({ xid }) => xid),
    [-2],
  );
  gateway.leadership("following");
  gateway.serve();
  t.deepEqual(
    replyHeaders(gateway.written(1)).map(({ xid }) => xid),
    [1],
  );
});

for (const [timeoutMs, graceMs] of [
  [40_000, 2_000],
  [4_000, 1_333],
] as const) {
  test(`with a session timeout of ${timeoutMs} ms a connection is kept for ${graceMs} ms`, (t) => {
    const gateway = attached(timeoutMs);
    t.is(graceTimer(gateway.leadership("looking")), graceMs);
    gateway.nowMs += graceMs - 1;
    t.is(graceTimer(gateway.timer("grace")), 1);
    t.false(gateway.closed(1));
    gateway.nowMs += 1;
    gateway.timer("grace");
    t.true(gateway.closed(1));
  });
}

test("a leader in time keeps the connections", (t) => {
  const gateway = attached();
  gateway.leadership("looking");
  gateway.nowMs += 1_999;
  t.true(gateway.leadership("following").some((effect) => effect.kind === "stopTimer"));
  gateway.nowMs += 10_000;
  gateway.timer("grace");
  t.false(gateway.closed(1));
});

test("a handshake waits for a leader within the grace, and is refused after it", (t) => {
  const gateway = new GatewayDriver();
  gateway.open(1);
  t.is(graceTimer(gateway.bytes(1, connectFrame({ port: 0 }))), 2_000);
  t.deepEqual(gateway.told, []);
  gateway.nowMs += 1_000;
  gateway.leadership("following");
  gateway.serve();
  t.is(gateway.written(1).length, 41);

  gateway.leadership("looking");
  gateway.nowMs += 5_000;
  gateway.open(2);
  gateway.bytes(2, connectFrame({ port: 0 }));
  t.true(gateway.closed(2));
  t.deepEqual(gateway.logged(), ["connectionRefused no leader is known"]);
});

test("thousands of connections closed for want of a leader give one line", (t) => {
  const gateway = new GatewayDriver();
  gateway.leadership("following");
  for (let connection = 1; connection <= 2_000; connection += 1) gateway.attach(connection);
  gateway.leadership("looking");
  gateway.nowMs += 2_000;
  gateway.timer("grace");
  const lines = gateway.effects.filter((effect) => effect.kind === "log");
  t.is(lines.length, 1);
  t.is(lines[0]?.detail["connections"], 2_000);
});

test("sessions heard of are told to the heartbeat actor together, not once a message", (t) => {
  const gateway = attached();
  const session = 0x1_0000_0001;
  gateway.timer("touch"); // of the handshake
  const timers = [1, 2, 3].flatMap((xid) => gateway.bytes(1, requestFrame(xid, getData("/a"))));
  t.is(timers.filter((effect) => effect.kind === "startTimer").length, 1);
  const receipt = { gateway: "zookeeper/1", turn: 2 };
  t.deepEqual(gateway.timer("touch"), [
    { kind: "tell", to: "heartbeat", message: { kind: "touched", sessions: [session], receipt } },
  ]);
  t.deepEqual(gateway.timer("touch"), []);
});

test("an answer waits when the leader may not have heard of the session for a third of its timeout", (t) => {
  const gateway = attached(9_000);
  gateway.timer("touch");
  gateway.nowMs += 2_999;
  gateway.bytes(1, requestFrame(0, ping()));
  t.is(replyHeaders(gateway.written(1)).length, 1);
  gateway.nowMs += 1;
  gateway.bytes(1, requestFrame(0, ping()));
  gateway.bytes(1, requestFrame(2, getData("/a")));
  gateway.serve();
  t.is(gateway.written(1).length, 0);
  gateway.tell({ kind: "leaderHeard", turns: { "zookeeper/2": [1], "zookeeper/1": [] } });
  t.is(gateway.written(1).length, 0);
  gateway.timer("touch");
  gateway.tell({ kind: "leaderHeard", turns: { "zookeeper/1": [2] } });
  t.deepEqual(
    replyHeaders(gateway.written(1)).map(({ xid }) => xid),
    [-2, 2],
  );
});

test("a watch event waits like an answer, in its order", (t) => {
  const gateway = attached(9_000);
  gateway.timer("touch");
  gateway.nowMs += 3_000;
  const events = [{ type: WatchEventType.nodeDeleted, path: "/a", zxid: 7 as Zxid }] as const;
  gateway.tell({ kind: "watchEvents", client: 1, events });
  gateway.bytes(1, requestFrame(2, getData("/a")));
  gateway.serve();
  t.is(gateway.written(1).length, 0);
  gateway.timer("touch");
  gateway.tell({ kind: "leaderHeard", turns: { "zookeeper/1": [2] } });
  t.deepEqual(
    replyHeaders(gateway.written(1)).map(({ xid }) => xid),
    [-1, 2],
  );
});

test("a connection whose answers wait is closed before the leader can end its session", (t) => {
  const gateway = attached(9_000);
  gateway.nowMs += 3_000;
  const effects = gateway.bytes(1, requestFrame(0, ping()));
  const timer = effects.find(
    (effect) => effect.kind === "startTimer" && effect.timer === "withheld",
  );
  t.like(timer, { afterMs: 4_500 });
  gateway.nowMs += 4_499;
  gateway.timer("withheld");
  t.false(gateway.closed(1));
  gateway.nowMs += 1;
  gateway.timer("withheld");
  t.true(gateway.closed(1));
  t.is(gateway.written(1).length, 0);
});

test("a request after a silence as long as that closes its connection at once", (t) => {
  const gateway = attached(9_000);
  gateway.nowMs += 7_500;
  gateway.bytes(1, requestFrame(0, ping()));
  t.true(gateway.closed(1));
  t.deepEqual(gateway.logged(), [
    "connectionRefused the leader may no longer count on its session",
  ]);
});

test("sessions heard of without a leader are told once there is one", (t) => {
  const gateway = attached();
  gateway.leadership("looking");
  t.deepEqual(
    gateway.bytes(1, requestFrame(0, ping())).filter((effect) => effect.kind === "startTimer"),
    [],
  );
  gateway.leadership("following");
  t.is(gateway.timer("touch").length, 1);
});

test("the report comes once a second, and only when something changed", (t) => {
  const gateway = attached();
  const reports = (effects: readonly Effect[]): number =>
    effects.filter((effect) => effect.kind === "tell" && effect.to === "admin").length;
  t.is(reports(gateway.timer("report")), 1);
  t.is(reports(gateway.timer("report")), 0);
  gateway.bytes(1, requestFrame(0, ping()));
  const effects = gateway.timer("report");
  t.is(reports(effects), 1);
  t.like(effects[1], {
    message: {
      kind: "gatewayReport",
      gateway: "zookeeper/1",
      connections: 1,
      received: 2,
      sent: 2,
      clients: [" /10.0.0.1:1[1](queued=0,recved=2,sent=2)"],
    },
  });
  t.deepEqual(effects.at(-1), { kind: "startTimer", timer: "report", afterMs: 1_000 });
});

test("a four-letter word is asked of the admin actor and its answer ends the connection", (t) => {
  const gateway = new GatewayDriver();
  gateway.open(1);
  gateway.bytes(1, Buffer.from("ru"));
  gateway.bytes(1, Buffer.from("ok\n"));
  t.is(gateway.told.at(-1)?.message.kind, "reportMetrics");
  t.deepEqual(gateway.endOfTurn().at(-1), {
    kind: "tell",
    to: "admin",
    message: { kind: "fourLetterWord", from: "zookeeper/1", client: 1, word: "ruok" },
  });
  gateway.tell({ kind: "adminAnswer", client: 1, text: "imok" });
  t.is(gateway.written(1).toString(), "imok");
  t.true(gateway.closed(1));
});

test("a word outside the whitelist is answered with ZooKeeper's text, and * allows all", (t) => {
  const gateway = new GatewayDriver({ fourLetterWords: ["ruok"] });
  gateway.open(1);
  gateway.bytes(1, Buffer.from("mntr"));
  t.is(gateway.written(1).toString(), "mntr is not executed because it is not in the whitelist.\n");
  t.true(gateway.closed(1));
  const open = new GatewayDriver({ fourLetterWords: ["*"] });
  open.open(1);
  open.bytes(1, Buffer.from("mntr"));
  t.false(open.closed(1));
});

test("srvr is answered whatever the whitelist says, and by default no word that lists or changes anything", (t) => {
  const none = new GatewayDriver({ fourLetterWords: [] });
  none.open(1);
  none.bytes(1, Buffer.from("srvr"));
  t.false(none.closed(1));
  const byDefault = new GatewayDriver();
  const isAnswered = (word: string, connection: number): boolean => {
    byDefault.open(connection);
    byDefault.bytes(connection, Buffer.from(word));
    return !byDefault.closed(connection);
  };
  const words = WORDS.filter((word, index) => isAnswered(word, index + 1));
  t.deepEqual(words, ["ruok", "srvr", "stat", "mntr", "isro", "envi"]);
});

test("stmk waits for its mask, which may come in pieces", (t) => {
  const gateway = new GatewayDriver({ fourLetterWords: ["*"] });
  gateway.open(1);
  gateway.bytes(1, Buffer.from("stmk"));
  gateway.bytes(1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
  gateway.endOfTurn();
  t.false(gateway.closed(1));
  gateway.bytes(1, Buffer.from([0xfe]));
  const message = { kind: "fourLetterWord", from: "zookeeper/1", client: 1, word: "stmk" };
  t.deepEqual(gateway.endOfTurn().at(-1), {
    kind: "tell",
    to: "admin",
    message: { ...message, mask: -2n },
  });
});

test("a client that has closed its half of the connection still gets its word's answer", (t) => {
  const gateway = new GatewayDriver();
  gateway.open(1);
  gateway.bytes(1, Buffer.from("ruok"));
  gateway.tell({ kind: "ended", connection: 1 });
  t.false(gateway.closed(1));
  gateway.endOfTurn();
  gateway.tell({ kind: "adminAnswer", client: 1, text: "imok" });
  t.is(gateway.written(1).toString(), "imok");
  t.true(gateway.closed(1));
});

test("a client that ends its stream without a word is closed, with or without a session", (t) => {
  const gateway = new GatewayDriver();
  gateway.leadership("leading");
  gateway.open(1);
  gateway.tell({ kind: "ended", connection: 1 });
  t.true(gateway.closed(1));
  gateway.attach(2);
  gateway.tell({ kind: "ended", connection: 2 });
  t.true(gateway.closed(2));
});

test("a word that is never answered is closed when a handshake would have been", (t) => {
  const gateway = new GatewayDriver({ handshakeTimeoutMs: 1000 });
  gateway.open(1);
  gateway.bytes(1, Buffer.from("ruok"));
  gateway.nowMs += 1000;
  gateway.timer("handshake");
  t.true(gateway.closed(1));
});
