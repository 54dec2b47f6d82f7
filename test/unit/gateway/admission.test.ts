/** With a full disk, writes of clients are refused at once and certainly not done; everything else goes on. */
import test from "ava";
import { Code } from "../../../protocol/codes.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { GatewayDriver, replyHeaders, requestFrame } from "../../support/gateway-driver.ts";
import { connectFrame } from "../../support/zookeeper-client/client.ts";
import {
  closeSession,
  create,
  getData,
  multi,
  ping,
  remove,
  setAcl,
  setData,
  sync,
} from "../../support/zookeeper-client/operations.ts";

const NOT_READ_ONLY = Code.notReadOnly;

function attached(): GatewayDriver {
  const gateway = new GatewayDriver();
  gateway.leadership("leading");
  gateway.attach(1, {});
  return gateway;
}

function codes(gateway: GatewayDriver): readonly (readonly [number, number])[] {
  return replyHeaders(gateway.written(1)).map(({ xid, code }) => [xid, code]);
}

test("with little room every write is refused and handed to nobody; reads, syncs and pings are answered", (t) => {
  const gateway = attached();
  gateway.leadership("leading", "sessionsOnly");
  const writes = [
    create("/a"),
    remove("/a"),
    setData("/a", "x"),
    setAcl("/a", []),
    multi(create("/b")),
  ];
  writes.forEach((write, index) => gateway.bytes(1, requestFrame(index + 1, write)));
  t.deepEqual(gateway.told, []);
  t.deepEqual(
    codes(gateway),
    writes.map((_, index) => [index + 1, NOT_READ_ONLY]),
  );
  gateway.bytes(1, requestFrame(6, getData("/a")));
  gateway.bytes(1, requestFrame(7, sync("/a")));
  gateway.bytes(1, requestFrame(-2, ping()));
  gateway.serve();
  t.deepEqual(
    codes(gateway).toSorted(([a], [b]) => a - b),
    [
      [-2, 0],
      [6, 0],
      [7, 0],
    ],
  );
});

test("a refusal leaves behind the reply to an earlier write, and shows nothing newer than it", (t) => {
  const gateway = attached();
  gateway.bytes(1, requestFrame(1, setData("/a", "x")));
  gateway.leadership("leading", "sessionsOnly");
  gateway.bytes(1, requestFrame(2, setData("/a", "y")));
  t.deepEqual(codes(gateway), []);
  gateway.serve();
  const [first, second] = replyHeaders(gateway.written(1));
  t.like(first, { xid: 1, code: 0 });
  t.like(second, { xid: 2, code: NOT_READ_ONLY });
  t.is(second?.zxid, first?.zxid);
});

test("writes that wait for a leader are refused as soon as there is no room, and taken again with room", (t) => {
  const gateway = attached();
  gateway.leadership("looking");
  gateway.bytes(1, requestFrame(1, setData("/a", "x")));
  gateway.leadership("looking", "none");
  t.deepEqual(codes(gateway), [[1, NOT_READ_ONLY]]);
  gateway.leadership("leading", "all");
  gateway.bytes(1, requestFrame(2, setData("/a", "x")));
  gateway.serve();
  t.deepEqual(codes(gateway), [[2, 0]]);
});

test("pings are answered before writes that were handed on and wait for room", (t) => {
  const gateway = attached();
  gateway.bytes(1, requestFrame(1, setData("/a", "x")));
  gateway.bytes(1, requestFrame(-2, ping()));
  gateway.leadership("leading", "none");
  t.deepEqual(codes(gateway), [[-2, 0]]);
  gateway.bytes(1, requestFrame(-2, ping()));
  t.deepEqual(codes(gateway), [[-2, 0]]);
});

test("a ping that waits until the leader has heard of its session does not wait for room as well", (t) => {
  const gateway = new GatewayDriver();
  gateway.leadership("leading");
  gateway.attach(1, { timeoutMs: 9000 });
  gateway.bytes(1, requestFrame(1, setData("/a", "x")));
  gateway.leadership("leading", "none");
  gateway.timer("touch");
  gateway.nowMs += 3000;
  gateway.bytes(1, requestFrame(-2, ping()));
  t.deepEqual(codes(gateway), []);
  gateway.timer("touch");
  gateway.tell({ kind: "leaderHeard", turns: { "zookeeper/1": [2] } });
  t.deepEqual(codes(gateway), [[-2, 0]]);
});

test("with no room at all a sync is refused and nobody gets a session; one that ends waits", (t) => {
  const gateway = attached();
  gateway.leadership("leading", "none");
  gateway.bytes(1, requestFrame(1, sync("/")));
  t.deepEqual(codes(gateway), [[1, NOT_READ_ONLY]]);
  gateway.open(2);
  gateway.bytes(2, connectFrame({ port: 0 }));
  t.true(gateway.closed(2));
  t.deepEqual(gateway.logged(), ["connectionRefused no session: no space on the disk"]);
  gateway.bytes(1, requestFrame(2, closeSession()));
  t.is(gateway.told.length, 1);
});

test("with little room sessions are given", (t) => {
  const gateway = new GatewayDriver();
  gateway.leadership("leading", "sessionsOnly");
  gateway.attach(1, {});
  gateway.bytes(1, requestFrame(1, getData("/a")));
  gateway.serve();
  t.deepEqual(codes(gateway), [[1, 0]]);
});

test("without room in memory what grows the tree is refused, what may is asked of the tree, the rest is done", (t) => {
  const gateway = attached();
  gateway.leadership("leading", "noGrowth");
  const told = (): readonly string[] => gateway.told.map(({ message }) => message.kind);
  const judge = (...grows: readonly boolean[]): void => {
    gateway.told.shift();
    const results = grows.map((each) => ({ kind: "growth", grows: each }) as const);
    gateway.tell({ kind: "readDone", client: 1, zxid: 0x1_0000_0001 as Zxid, results });
  };
  gateway.bytes(1, requestFrame(1, create("/a")));
  t.deepEqual(codes(gateway), [[1, Code.quotaExceeded]]);
  gateway.bytes(1, requestFrame(2, remove("/a")));
  t.deepEqual(told(), ["write"]);
  gateway.serve();
  codes(gateway);
  gateway.bytes(
    1,
    Buffer.concat([
      requestFrame(3, setData("/a", "x")),
      requestFrame(4, multi(create("/b"), remove("/a"))),
      requestFrame(5, setData("/b", "y")),
      requestFrame(6, getData("/a")),
    ]),
  );
  t.deepEqual(told(), ["read"], "the tree is asked of the three");
  judge(false, true, false);
  t.deepEqual(told(), ["write"], "two of them, and the read waits for them");
  gateway.serve();
  t.deepEqual(codes(gateway), [
    [3, 0],
    [4, Code.quotaExceeded],
    [5, 0],
    [6, 0],
  ]);
});

test("a gateway whose replica has no room for a session gives none, and takes those there are", (t) => {
  const gateway = attached();
  gateway.tell({ kind: "treeMemory", full: false, sessionsFull: true });
  gateway.open(2);
  gateway.bytes(2, connectFrame({ port: 0 }));
  t.true(gateway.closed(2));
  t.regex(gateway.logged().join(), /as many as this node takes/);
  gateway.open(3);
  gateway.bytes(3, connectFrame({ port: 0, sessionId: 77n, password: Buffer.alloc(16) }));
  t.false(gateway.closed(3));
});
