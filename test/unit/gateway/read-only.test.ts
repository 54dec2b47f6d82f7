/** Without a leader for too long: clients that ask for it are served reads, by the gateway's own sessions or by those they have. */
import test from "ava";
import { GatewayDriver, replyHeaders, requestFrame } from "../../support/gateway-driver.ts";
import { connectFrame, type ConnectOptions } from "../../support/zookeeper-client/client.ts";
import { closeSession, getData, ping, setData } from "../../support/zookeeper-client/operations.ts";

const GRACE_MS = 2000;
const TIMEOUT_MS = 10_000;

function withoutLeader(options: { readonly readOnlyMode?: boolean } = {}): GatewayDriver {
  const gateway = new GatewayDriver({ readOnlyMode: true, ...options });
  gateway.verdict = undefined;
  gateway.leadership("looking");
  gateway.nowMs += GRACE_MS;
  return gateway;
}

function connect(
  gateway: GatewayDriver,
  number: number,
  options: Partial<ConnectOptions> = {},
): void {
  gateway.open(number);
  gateway.bytes(
    number,
    connectFrame({ port: 0, timeoutMs: TIMEOUT_MS, readOnly: true, ...options }),
  );
}

/** The last byte of a handshake's answer says whether the server only reads. */
function isReadOnlyAnswer(bytes: Buffer): boolean {
  return bytes.length === 4 + 37 && bytes.at(-1) === 1;
}

test("a client that asks for it is served reads, pings and refusals, and tells nobody that its session lives", (t) => {
  const gateway = withoutLeader();
  connect(gateway, 1);
  gateway.checked(1, "unknown");
  t.true(isReadOnlyAnswer(gateway.written(1)));
  gateway.bytes(1, requestFrame(1, getData("/a")));
  gateway.serve();
  gateway.bytes(1, requestFrame(2, setData("/a", "x")));
  gateway.bytes(1, requestFrame(-2, ping()));
  t.like(replyHeaders(gateway.written(1)), [
    { xid: 1, code: 0 },
    { xid: 2, code: -119 },
    { xid: -2, code: 0 },
  ]);
  t.deepEqual(gateway.told, [], "the write went nowhere");
  const touched = gateway.effects.filter(
    (effect) => effect.kind === "tell" && effect.to === "heartbeat",
  );
  t.deepEqual(touched, []);
  gateway.bytes(1, requestFrame(3, closeSession()));
  t.like(replyHeaders(gateway.written(1)), [{ xid: 3, code: 0 }]);
  t.true(gateway.closed(1));
});

test("one that waits in its handshake is served when the grace is over", (t) => {
  const gateway = new GatewayDriver({ readOnlyMode: true });
  gateway.verdict = undefined;
  gateway.leadership("looking");
  connect(gateway, 1);
  connect(gateway, 2, { readOnly: false });
  t.is(gateway.written(1).length, 0);
  gateway.nowMs += GRACE_MS;
  gateway.timer("grace");
  gateway.checked(1, "unknown");
  t.true(isReadOnlyAnswer(gateway.written(1)));
  t.true(gateway.closed(2));
});

test("without the setting, or without the wish, the connection is closed", (t) => {
  const without = withoutLeader({ readOnlyMode: false });
  connect(without, 1);
  t.true(without.closed(1));
  const gateway = withoutLeader();
  connect(gateway, 1, { readOnly: false });
  connect(gateway, 2, { readOnly: "absent" });
  t.true(gateway.closed(1) && gateway.closed(2));
});

test("a session that is there needs its password, and cannot be closed", (t) => {
  const gateway = withoutLeader();
  const sessionId = 0x1_0000_0001n;
  const password = Buffer.alloc(16, 7);
  connect(gateway, 1, { sessionId, password });
  gateway.checked(1, "wrong");
  t.true(gateway.closed(1));
  connect(gateway, 2, { sessionId, password });
  gateway.checked(2, "right");
  t.true(isReadOnlyAnswer(gateway.written(2)));
  gateway.bytes(2, requestFrame(1, closeSession()));
  t.like(replyHeaders(gateway.written(2)), [{ xid: 1, code: -119 }]);
  t.false(gateway.closed(2));
});

test("with a leader the connection ends", (t) => {
  const gateway = withoutLeader();
  connect(gateway, 1);
  gateway.checked(1, "unknown");
  connect(gateway, 2);
  t.false(gateway.closed(1));
  gateway.leadership("following");
  t.true(gateway.closed(1));
  t.true(gateway.closed(2), "also one whose session is being looked up");
});

test("a client that is silent for its timeout is given up, one that pings is kept", (t) => {
  const gateway = withoutLeader();
  for (const number of [1, 2]) {
    connect(gateway, number);
    gateway.checked(number, "unknown");
  }
  gateway.nowMs += TIMEOUT_MS - 1;
  gateway.bytes(2, requestFrame(-2, ping()));
  gateway.nowMs += 1;
  gateway.timer("grace");
  t.true(gateway.closed(1));
  t.false(gateway.closed(2));
});
