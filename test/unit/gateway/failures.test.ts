/** What a gateway does about a failure of its own, also when the turn that failed had changed its state and nothing of it was performed. */
import test from "ava";
import type { Effect } from "../../../runtime/effects.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import { GatewayDriver, requestFrame, STAT } from "../../support/gateway-driver.ts";
import { NativeGatewayHarness } from "../../support/native-gateway.ts";
import { getData, ping } from "../../support/zookeeper-client/operations.ts";

function kindsOf(effects: readonly Effect[]): string[] {
  return effects.map((effect) => {
    if (effect.kind === "startTimer") return `startTimer ${effect.timer}`;
    return effect.kind === "tell" && "kind" in effect.message
      ? `tell ${effect.to} ${String(effect.message.kind)}`
      : effect.kind;
  });
}

function attached(): GatewayDriver {
  const gateway = new GatewayDriver();
  gateway.leadership("following");
  gateway.attach(1);
  return gateway;
}

test("a word that was asked in a turn that failed does not keep later words from being passed on", (t) => {
  const gateway = new GatewayDriver();
  gateway.open(1);
  const message = { kind: "bytes", connection: 1, bytes: Buffer.from("ruok") } as const;
  gateway.tell(message);
  t.true(kindsOf(gateway.recover(message)).includes("endOfTurn"));
  gateway.endOfTurn();
  gateway.open(2);
  t.true(kindsOf(gateway.bytes(2, Buffer.from("ruok"))).includes("endOfTurn"));
});

test("a connection whose end was heard in a turn that failed is forgotten, also by the tree", (t) => {
  for (const isDecided of [false, true]) {
    const gateway = attached();
    const message = { kind: "closed", connection: 1 } as const;
    if (isDecided) gateway.tell(message);
    t.true(kindsOf(gateway.recover(message)).includes("tell tree/1 forget"));
    t.deepEqual(gateway.tell({ kind: "drained", connection: 1 }), []);
  }
});

test("a connection that was closed in a turn that failed is closed again", (t) => {
  const gateway = attached();
  const message = { kind: "ended", connection: 1 } as const;
  gateway.tell(message);
  t.true(kindsOf(gateway.recover(message)).includes("close"));
});

test("a failure over what may have answered everybody closes everybody", (t) => {
  const gateway = attached();
  gateway.attach(2);
  const effects = gateway.recover({ kind: "leaderHeard", turns: {} });
  const closed = effects.flatMap((effect) => (effect.kind === "close" ? [effect.connection] : []));
  t.deepEqual(closed, [1, 2]);
});

test("timers that a turn that failed began are started again", (t) => {
  const gateway = attached();
  const message = { kind: "bytes", connection: 1, bytes: requestFrame(-2, ping()) } as const;
  gateway.tell(message);
  t.true(kindsOf(gateway.recover(message)).includes("startTimer touch"));
  const waiting = new GatewayDriver();
  waiting.open(1);
  const kinds = kindsOf(waiting.recover({ kind: "timer", timer: "report" }));
  t.true(kinds.includes("startTimer handshake"));
  t.true(kinds.includes("startTimer report"));
});

test("metrics are reported again after a while without a change: who asks for them may have been started again", (t) => {
  const gateway = attached();
  const reports = (): number =>
    kindsOf(gateway.timer("report")).filter((kind) => kind === "tell admin gatewayReport").length;
  t.is(reports(), 1);
  t.is(reports(), 0);
  gateway.nowMs += 5_000;
  t.is(reports(), 1);
});

function openStream(harness: NativeGatewayHarness, stream: number): number {
  harness.say({
    kind: "openStream",
    stream,
    path: "/",
    recursive: true,
    after: ZXID_NONE,
    credits: 9,
  });
  return lastOpened(harness);
}

/** The number of the tree's stream that was asked for last. */
function lastOpened(harness: NativeGatewayHarness): number {
  return Number((harness.lastTold("openStream") as { readonly stream: unknown }).stream);
}

test("a change stream whose opening was lost in a failure keeps no other from being opened", (t) => {
  const harness = new NativeGatewayHarness();
  harness.open();
  openStream(harness, 1);
  const number = openStream(harness, 2);
  t.is(number, 1, "the second waits for the first");
  harness.recover({ kind: "timer", timer: "tick" });
  const other = harness.openAnother(2);
  harness.effects = [];
  const item = { kind: "openStream", stream: 1, path: "/", recursive: true, after: 0, credits: 9 };
  harness.frame(1, [item as never], other);
  t.is(lastOpened(harness), 2);
});

test("changes for a connection that is gone have the tree forget it", (t) => {
  const harness = new NativeGatewayHarness();
  harness.effects = [];
  harness.give({ kind: "changes", client: 7, stream: 1, through: 5 as Zxid, changes: [] });
  t.deepEqual(kindsOf(harness.effects), ["tell submitter/1 forget", "tell tree/1 forget"]);
});

test("what waits to go out is flushed after any failure", (t) => {
  const harness = new NativeGatewayHarness();
  harness.open();
  harness.say({ kind: "ping" });
  harness.effects = [];
  harness.recover({ kind: "treeMemory", full: false, sessionsFull: false });
  t.true(kindsOf(harness.effects).includes("endOfTurn"));
});

test("a failed tick of the native gateway ends every connection: what it handed on for them may be lost", (t) => {
  const harness = new NativeGatewayHarness();
  harness.open();
  harness.effects = [];
  harness.recover({ kind: "timer", timer: "tick" });
  t.true(kindsOf(harness.effects).includes("publish"));
  t.true(kindsOf(harness.effects).includes("startTimer tick"));
});

test("a lane says again that it serves when the failure was over that", (t) => {
  const harness = new NativeGatewayHarness();
  harness.recover({ kind: "leadership" } as never);
  harness.effects = [];
  harness.lead(true);
  t.deepEqual(kindsOf(harness.effects), ["emit"]);
});

test("a connection that was no longer throttled in a turn that failed is closed: its answers may be lost", (t) => {
  const gateway = new GatewayDriver({ heldBytesMax: 4 * 1024 * 1024 });
  gateway.leadership("following");
  for (const connection of [1, 2, 3]) gateway.attach(connection);
  for (const connection of [1, 2]) {
    gateway.bytes(connection, requestFrame(1, getData("/a")));
    const data = new Uint8Array(3 * 1024 * 1024);
    const results = [{ kind: "data", data, stat: STAT }] as const;
    gateway.tell({ kind: "readDone", client: connection, zxid: 0x1_0000_0001 as Zxid, results });
  }
  const two = Buffer.concat([requestFrame(1, getData("/a")), requestFrame(2, getData("/a"))]);
  gateway.bytes(3, two);
  const closesThird = (connection: number): boolean => {
    const message = { kind: "closed", connection } as const;
    gateway.tell(message);
    const effects = gateway.recover(message);
    return effects.some((effect) => effect.kind === "close" && effect.connection === 3);
  };
  t.false(closesThird(1), "the gateway still holds too much");
  t.true(closesThird(2));
});

test("sessions whose touches a failed turn was to report are reported with the next", (t) => {
  const gateway = attached();
  gateway.bytes(1, requestFrame(-2, ping()));
  const touchesIn = (effects: readonly Effect[]): unknown[] =>
    effects.flatMap((effect) =>
      effect.kind === "tell" && effect.to === "heartbeat"
        ? [(effect.message as { readonly sessions: readonly number[] }).sessions.length]
        : [],
    );
  t.deepEqual(touchesIn(gateway.timer("touch")), [1]);
  gateway.recover({ kind: "timer", timer: "touch" });
  t.deepEqual(touchesIn(gateway.timer("touch")), [1]);
});
