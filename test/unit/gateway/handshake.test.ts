/** The ZooKeeper gateway's handshake: who gets a session, and what is told to who does not. */
import test from "ava";
import { Code } from "../../../protocol/codes.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { Operation, OperationResult } from "../../../protocol/operations.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { GatewayDriver } from "../../support/gateway-driver.ts";
import { connectFrame } from "../../support/zookeeper-client/client.ts";
import { LONG_HANDSHAKES_MAX } from "../../../protocol/limits.ts";
import { create, setData } from "../../support/zookeeper-client/operations.ts";
import { requestFrame } from "../../support/gateway-driver.ts";

const PASSWORD = Buffer.alloc(16, 5);

function serving(): GatewayDriver {
  const gateway = new GatewayDriver();
  gateway.leadership("following");
  return gateway;
}

test("a new client's session is created through the log and answered with its id", (t) => {
  const gateway = serving();
  gateway.open(1);
  gateway.bytes(1, connectFrame({ port: 0, timeoutMs: 10_000 }));
  t.deepEqual(gateway.told[0]?.message, {
    kind: "write",
    from: "zookeeper/1",
    client: 1,
    operations: [
      {
        kind: "createSession",
        timeoutMs: 10_000,
        password: new Uint8Array(16).fill(7),
        address: "10.0.0.1",
      },
    ],
  });
  t.is(gateway.written(1).length, 0);
  gateway.serve();
  const answer = gateway.written(1);
  t.is(
    answer.toString("hex"),
    `000000250000000000002710000000010000000100000010${"07".repeat(16)}00`,
  );
});

test("a client that sends 44 bytes is answered with 36", (t) => {
  const gateway = serving();
  gateway.open(1);
  const bytes = connectFrame({ port: 0, readOnly: "absent" });
  t.is(bytes.length, 48);
  gateway.bytes(1, bytes);
  gateway.serve();
  t.is(gateway.written(1).length, 40);
});

for (const [asked, granted] of [
  [-1, 4_000],
  [0, 4_000],
  [12_345, 12_345],
  [2 ** 31 - 1, 40_000],
] as const) {
  test(`a timeout of ${asked} ms becomes ${granted}`, (t) => {
    const gateway = serving();
    gateway.open(1);
    gateway.bytes(1, connectFrame({ port: 0, timeoutMs: asked }));
    gateway.serve();
    t.is(gateway.written(1).readInt32BE(8), granted);
  });
}

test("a returning client's session is attached with its password", (t) => {
  const gateway = serving();
  gateway.open(1);
  gateway.bytes(1, connectFrame({ port: 0, sessionId: 77n, password: PASSWORD }));
  const told = gateway.told[0]?.message;
  t.like(told, { kind: "write", client: 1 });
  t.deepEqual(told?.kind === "write" ? told.operations : undefined, [
    {
      kind: "attachSession",
      session: 77 as SessionId,
      timeoutMs: 10_000,
      password: Uint8Array.from(PASSWORD),
      address: "10.0.0.1",
    },
  ]);
  gateway.serve();
  t.is(gateway.written(1).readBigInt64BE(12), 77n);
});

function isExpiredAnswer(bytes: Buffer): boolean {
  return bytes.toString("hex") === `00000025${"00".repeat(19)}10${"00".repeat(17)}`;
}

test("an expired session is answered with zeroes, then the connection closes", (t) => {
  const gateway = serving();
  gateway.open(1);
  gateway.bytes(1, connectFrame({ port: 0, sessionId: 77n, password: PASSWORD }));
  gateway.serve(() => ({ kind: "error", code: Code.sessionExpired }));
  t.true(isExpiredAnswer(gateway.written(1)));
  t.true(gateway.closed(1));
});

test("a session id that this ensemble never gives is expired without asking the log", (t) => {
  for (const sessionId of [-5n, 0x1000013319500002n]) {
    const gateway = serving();
    gateway.open(1);
    gateway.bytes(1, connectFrame({ port: 0, sessionId, password: PASSWORD }));
    t.deepEqual(gateway.told, []);
    t.true(isExpiredAnswer(gateway.written(1)));
    t.true(gateway.closed(1));
  }
});

test("a client that has seen the future is closed without an answer, its new session too", (t) => {
  const gateway = serving();
  gateway.open(1);
  gateway.bytes(1, connectFrame({ port: 0, lastZxidSeen: 0x1_0000_0002n }));
  const session = gateway.nextZxid;
  gateway.serve();
  t.is(gateway.written(1).length, 0);
  t.true(gateway.closed(1));
  t.is(gateway.nextZxid, session + 2); // created, and closed again
  t.true(gateway.logged()[0]?.includes("0x100000002"));
});

/** A connection has session 77, and another one asks for it whose client has seen more than this node has applied. */
function returningAhead(lastZxidSeen: bigint): GatewayDriver {
  const gateway = serving();
  for (const [number, seen] of [
    [1, 0n],
    [2, lastZxidSeen],
  ] as const) {
    gateway.open(number);
    const asked = { port: 0, sessionId: 77n, password: PASSWORD, lastZxidSeen: seen };
    gateway.bytes(number, connectFrame(asked));
    if (number === 1) gateway.serve();
  }
  return gateway;
}

const NO_SESSION = (): OperationResult => ({ kind: "error", code: Code.sessionExpired });

test("a client that has seen the future leaves the connection that its session has alone", (t) => {
  const gateway = returningAhead(0x1_0000_0063n);
  const { nextZxid } = gateway;
  const told = gateway.told.at(-1)?.message;
  t.like(told?.kind === "write" ? told.operations[0] : undefined, { session: 0 as SessionId });
  gateway.serve(NO_SESSION);
  t.is(gateway.nextZxid, nextZxid + 1);
  t.is(gateway.written(2).length, 0);
  t.true(gateway.closed(2));
  t.false(gateway.closed(1));
  t.true(gateway.logged()[0]?.includes("0x100000063"));
});

test("a client that has seen what this node has yet to apply gets its session once it has", (t) => {
  const gateway = returningAhead(BigInt(serving().nextZxid) + 1n);
  gateway.serve((operation) =>
    operation.kind === "attachSession" && operation.session === 0 ? NO_SESSION() : undefined,
  );
  t.is(gateway.written(2).readBigInt64BE(12), 77n);
  t.true(gateway.closed(1));
});

test("a client that has seen just what the ensemble has is served", (t) => {
  const gateway = serving();
  gateway.open(1);
  gateway.bytes(1, connectFrame({ port: 0, lastZxidSeen: 0x1_0000_0001n }));
  gateway.serve();
  t.is(gateway.written(1).length, 41);
});

test("long handshakes are read, a few at once", (t) => {
  const gateway = serving();
  const long = connectFrame({ port: 0, sessionId: 77n, password: Buffer.alloc(5000) });
  for (let number = 1; number <= LONG_HANDSHAKES_MAX + 1; number += 1) {
    gateway.open(number);
    gateway.bytes(number, long.subarray(0, -1));
    t.is(gateway.closed(number), number > LONG_HANDSHAKES_MAX);
  }
  gateway.bytes(1, long.subarray(-1));
  t.true(gateway.closed(1), "it is answered: no session has such a password");
  gateway.open(1000);
  gateway.bytes(1000, long.subarray(0, -1));
  t.false(gateway.closed(1000), "there is a place again");
});

const ahead = { port: 0, sessionId: 77n, password: PASSWORD, lastZxidSeen: 0x1_0000_0005n };
const expired = { kind: "error", code: Code.sessionExpired } as const;

test("a client that is ahead of the ensemble is closed, and its session is not attached", (t) => {
  const gateway = serving();
  gateway.open(1);
  gateway.bytes(1, connectFrame(ahead));
  const [first] = gateway.told;
  t.like(first?.message, { operations: [{ kind: "attachSession", session: 0 }] });
  gateway.serve(() => expired);
  t.is(gateway.written(1).length, 0);
  t.true(gateway.closed(1));
  t.true(gateway.logged()[0]?.includes("0x100000005"));
});

test("a client that is ahead of this node but not of the ensemble is attached", (t) => {
  const gateway = serving();
  gateway.open(1);
  gateway.bytes(1, connectFrame(ahead));
  gateway.nextZxid = 0x1_0000_0005;
  const isQuestion = (operation: Operation): boolean =>
    operation.kind === "attachSession" && operation.session === 0;
  gateway.serve((operation) => (isQuestion(operation) ? expired : undefined));
  t.is(gateway.written(1).readBigInt64BE(12), 77n);
  t.false(gateway.closed(1));
});

test("requests sent along with the handshake are served after it", (t) => {
  const gateway = serving();
  gateway.open(1);
  gateway.bytes(
    1,
    Buffer.concat([
      connectFrame({ port: 0 }),
      requestFrame(1, create("/a")),
      requestFrame(2, setData("/a", "x")),
    ]),
  );
  gateway.serve();
  const written = gateway.written(1);
  t.is(written.readInt32BE(0), 37);
  t.is(written.readInt32BE(41 + 4), 1);
  t.true(written.length > 41 + 20);
});

test("operations carry the session and the zxid at which this connection attached", (t) => {
  const gateway = serving();
  gateway.attach(1, { sessionId: 77n, password: PASSWORD });
  const attachedAt = gateway.nextZxid - 1;
  gateway.bytes(1, requestFrame(1, setData("/a", "x")));
  t.like(gateway.told[0]?.message, { kind: "write", operations: [{ session: 77, attachedAt }] });
});

test("a connection whose session is attached elsewhere is closed", (t) => {
  const gateway = serving();
  const session = gateway.attach(1);
  const attached = (attachedAt: number): void => {
    gateway.tell({
      kind: "sessionChanges",
      attached: [{ session, timeoutMs: 10_000, attachedAt: attachedAt as Zxid }],
      closed: [],
    });
  };
  attached(session); // its own
  t.false(gateway.closed(1));
  attached(session + 1);
  t.true(gateway.closed(1));
  t.deepEqual(gateway.told.at(-1)?.message, { kind: "forget", from: "zookeeper/1", client: 1 });
});

test("of two connections of this lane that attach one session the later keeps it", (t) => {
  const gateway = serving();
  gateway.attach(1, { sessionId: 77n, password: PASSWORD });
  gateway.attach(2, { sessionId: 77n, password: PASSWORD });
  t.true(gateway.closed(1));
  t.false(gateway.closed(2));
  gateway.tell({ kind: "closed", connection: 1 });
  gateway.bytes(2, requestFrame(1, setData("/a", "x")));
  gateway.serve();
  t.true(gateway.written(2).length > 0);
});

test("of two connections whose attaches were applied before either was answered only the later is served", (t) => {
  const gateway = serving();
  for (const number of [1, 2]) {
    gateway.open(number);
    gateway.bytes(number, connectFrame({ port: 0, sessionId: 77n, password: PASSWORD }));
  }
  const session = 77 as SessionId;
  const changed = { session, timeoutMs: 10_000, attachedAt: 6 as Zxid };
  gateway.tell({ kind: "sessionChanges", attached: [changed], closed: [] });
  gateway.tell({ kind: "closed", connection: 2 });
  const attachedAt = 5 as Zxid;
  const result = { kind: "session", session, attachedAt, timeoutMs: 10_000, password: PASSWORD };
  gateway.tell({ kind: "written", client: 1, zxids: [attachedAt], results: [result as never] });
  t.true(gateway.closed(1), "it is attached at another connection since");
});

test("a session moved on before the answer to its handshake came is not served here", (t) => {
  const gateway = serving();
  gateway.open(1);
  gateway.bytes(1, connectFrame({ port: 0, sessionId: 77n, password: PASSWORD }));
  const session = 77 as SessionId;
  const attachedAt = (gateway.nextZxid + 5) as Zxid;
  const attached = [{ session, timeoutMs: 10_000, attachedAt }];
  gateway.tell({ kind: "sessionChanges", attached, closed: [] });
  gateway.serve();
  t.is(gateway.written(1).length, 0);
  t.true(gateway.closed(1));
});

test("an expired session's connection is closed", (t) => {
  const gateway = serving();
  const session = gateway.attach(1);
  gateway.tell({ kind: "sessionChanges", attached: [], closed: [session] });
  t.true(gateway.closed(1));
});

test("a connection without a handshake in time is closed, an attached one is not", (t) => {
  const gateway = serving();
  gateway.open(1);
  gateway.attach(2);
  gateway.nowMs += 5_000;
  gateway.open(3);
  gateway.nowMs += 5_000;
  const effects = gateway.timer("handshake");
  t.true(gateway.closed(1));
  t.false(gateway.closed(2));
  t.false(gateway.closed(3));
  t.true(effects.some((effect) => effect.kind === "startTimer" && effect.afterMs === 5_000));
});

test("clients that are turned away are counted, with one line a second", (t) => {
  const gateway = new GatewayDriver();
  const reason = "more than 2 connections of this address";
  for (let port = 1; port <= 9_998; port += 1) {
    gateway.tell({ kind: "refused", remoteAddress: `10.0.0.1:${port}`, reason });
  }
  t.deepEqual(gateway.logged(), [`connectionRefused ${reason}`]);
  gateway.timer("notes");
  const last = gateway.effects.filter((effect) => effect.kind === "log").at(-1);
  t.is(last?.detail["count"], 9_997);
  gateway.timer("notes");
  t.is(gateway.logged().length, 2);
  gateway.timer("report");
  const report = gateway.effects.find((effect) => effect.kind === "tell" && effect.to === "admin");
  t.like(report, { message: { refused: 9_998 } });
});

test("a first frame that is no handshake closes the connection with one line", (t) => {
  const firsts = [
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    Buffer.from("7fffffff00", "hex"),
    Buffer.from("ffffffff00", "hex"),
    Buffer.from("0000000400000000", "hex"),
    Buffer.from("0010000000000000", "hex"),
  ];
  for (const first of firsts) {
    const gateway = serving();
    gateway.open(1);
    gateway.bytes(1, first);
    t.true(gateway.closed(1), first.toString("hex"));
    t.is(gateway.logged().length, 1);
  }
});

test("a wrong password, and a session that is over, are answered as expired without asking the log, and touch nobody", (t) => {
  for (const verdict of ["wrong", "unknown"] as const) {
    const gateway = serving();
    const session = gateway.attach(1);
    gateway.verdict = undefined;
    gateway.open(2);
    gateway.bytes(2, connectFrame({ port: 0, sessionId: BigInt(session), password: PASSWORD }));
    t.deepEqual(
      gateway.told.map(({ to, message }) => `${to} ${message.kind}`),
      ["tree/1 checkSession"],
    );
    gateway.checked(2, verdict);
    t.true(isExpiredAnswer(gateway.written(2)));
    t.true(gateway.closed(2));
    t.false(gateway.closed(1), "the owner is served");
    gateway.serve();
    gateway.bytes(1, requestFrame(1, setData("/a", "x")));
    t.like(gateway.told[0]?.message, { kind: "write", operations: [{ session }] });
    t.is(
      gateway.logged().some((line) => line.startsWith("wrongPassword")),
      verdict === "wrong",
    );
  }
});

test("a session of an epoch above the leader's is told to be over once the leader is known to have had a quorum since", (t) => {
  const gateway = serving();
  gateway.verdict = undefined;
  gateway.open(1);
  const sessionId = (7n << 32n) + 5n;
  gateway.bytes(1, connectFrame({ port: 0, sessionId, password: PASSWORD }));
  gateway.tell({ kind: "leaderHeard", turns: {} });
  t.false(gateway.closed(1), "a newer leader may have created it");
  const asked = gateway.timer("touch").at(-1);
  t.like(asked, { kind: "tell", to: "heartbeat", message: { kind: "touched", sessions: [] } });
  gateway.tell({ kind: "leaderHeard", turns: { "zookeeper/1": [1] } });
  t.true(isExpiredAnswer(gateway.written(1)));
  t.true(gateway.closed(1));
  t.false(gateway.told.some(({ message }) => message.kind === "write"));
});

test("a session of the leader's own epoch that this node does not know yet is not told to be over", (t) => {
  const gateway = serving();
  gateway.verdict = undefined;
  gateway.open(1);
  const sessionId = (1n << 32n) + 5n;
  gateway.bytes(1, connectFrame({ port: 0, sessionId, password: PASSWORD }));
  gateway.timer("touch");
  gateway.tell({ kind: "leaderHeard", turns: { "zookeeper/1": [1] } });
  t.false(gateway.closed(1));
});

test("a client whose session this node does not know yet waits, and is closed when it takes too long", (t) => {
  const gateway = serving();
  gateway.verdict = undefined;
  gateway.open(1);
  gateway.bytes(1, connectFrame({ port: 0, sessionId: 77n, password: PASSWORD }));
  gateway.nowMs += 9_000;
  gateway.timer("handshake");
  t.false(gateway.closed(1));
  gateway.nowMs += 1_001;
  gateway.timer("handshake");
  t.true(gateway.closed(1));
  t.is(gateway.written(1).length, 0, "it is not told that its session has expired");
  gateway.checked(1, "right");
  t.false(gateway.told.some(({ message }) => message.kind === "write"));
});

test("a password that is right is no use once the leader is lost: the client is held, and asked for again", (t) => {
  const gateway = serving();
  gateway.verdict = undefined;
  gateway.open(1);
  gateway.bytes(1, connectFrame({ port: 0, sessionId: 77n, password: PASSWORD }));
  gateway.leadership("looking");
  gateway.checked(1, "right");
  t.false(gateway.told.some(({ message }) => message.kind === "write"));
  gateway.leadership("following");
  gateway.checked(1, "right");
  t.true(gateway.told.some(({ message }) => message.kind === "write"));
});

test("the last byte of Keeper's version 11, which the length of its frame does not count, is waited for", (t) => {
  const gateway = serving();
  gateway.open(1);
  const bytes = connectFrame({ port: 0, version: 11 });
  gateway.bytes(1, bytes.subarray(0, -1));
  t.is(gateway.told.length, 0);
  gateway.bytes(1, bytes.subarray(-1));
  gateway.serve();
  t.is(gateway.written(1).toString("hex").slice(0, 16), "000000240000000b");
});

for (const [version, compressed, setting] of [
  [10, false, "use_compression"],
  [11, true, "use_compression"],
  [12, false, "pass_opentelemetry_tracing_context"],
] as const) {
  test(`Keeper's version ${version}${compressed ? " with compression" : ""} is refused, and the log says what to change`, (t) => {
    const gateway = serving();
    gateway.open(1);
    gateway.bytes(1, connectFrame({ port: 0, version, compressed }));
    t.is(gateway.written(1).length, 0);
    t.true(gateway.effects.some((effect) => effect.kind === "close"));
    t.true(JSON.stringify(gateway.effects).includes(setting));
  });
}
