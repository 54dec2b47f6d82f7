/** How the clients of a node that is about to stop are moved: native ones are told, connections of ZooKeeper's are closed when nothing is on its way. */
import test from "ava";
import type { Effect } from "../../../runtime/effects.ts";
import { GatewayDriver, replyHeaders, requestFrame } from "../../support/gateway-driver.ts";
import { ended, get, INBOX, NativeGatewayHarness, opened } from "../../support/native-gateway.ts";
import { connectFrame } from "../../support/zookeeper-client/client.ts";
import { getData, ping, setData } from "../../support/zookeeper-client/operations.ts";

function attached(...connections: readonly number[]): GatewayDriver {
  const gateway = new GatewayDriver();
  gateway.leadership("following");
  for (const connection of connections) gateway.attach(connection, { timeoutMs: 10_000 });
  return gateway;
}

function look(gateway: GatewayDriver, afterMs: number): void {
  gateway.nowMs += afterMs;
  gateway.timer("retire");
}

/** How often it was told that no client is left. */
function timesGone({ effects }: { readonly effects: readonly Effect[] }): number {
  return effects.filter((effect) => {
    return effect.kind === "tell" && (effect.message as { kind: string }).kind === "clientsGone";
  }).length;
}

test("a connection with a request is closed right behind the answer", (t) => {
  const gateway = attached(1);
  gateway.bytes(1, requestFrame(1, setData("/a", "x")));
  gateway.tell({ kind: "retire" });
  t.false(gateway.closed(1));
  gateway.serve();
  t.like(replyHeaders(gateway.written(1)), [{ xid: 1, code: 0 }]);
  t.true(gateway.closed(1));
});

test("a connection that asks for nothing is served once more, a ping for one, and then closed", (t) => {
  const gateway = attached(1, 2);
  gateway.tell({ kind: "retire" });
  look(gateway, 100);
  gateway.bytes(1, requestFrame(0, ping()));
  t.like(replyHeaders(gateway.written(1)), [{ xid: -2 }]);
  t.true(gateway.closed(1));
  t.false(gateway.closed(2));
  look(gateway, 200);
  t.true(gateway.closed(2));
});

test("from a client that always has requests under way nothing is taken any more, and what was taken is answered", (t) => {
  const gateway = attached(1);
  gateway.bytes(1, requestFrame(1, setData("/a", "x")));
  gateway.tell({ kind: "retire" });
  gateway.bytes(1, requestFrame(2, getData("/a")));
  look(gateway, 300);
  gateway.bytes(1, requestFrame(3, setData("/a", "y")));
  t.false(gateway.closed(1));
  gateway.serve();
  look(gateway, 20);
  t.deepEqual(
    replyHeaders(gateway.written(1)).map(({ xid }) => xid),
    [1, 2],
  );
  t.true(gateway.closed(1));
});

test("a connection whose requests are not answered is closed all the same, after a second", (t) => {
  const gateway = attached(1);
  gateway.bytes(1, requestFrame(1, setData("/a", "x")));
  gateway.tell({ kind: "retire" });
  look(gateway, 999);
  t.false(gateway.closed(1));
  look(gateway, 1);
  t.true(gateway.closed(1));
});

test("who has no session yet is closed at once, and when nobody is left that is told", (t) => {
  const gateway = attached();
  gateway.open(1);
  gateway.bytes(1, connectFrame({ port: 0, timeoutMs: 10_000 }));
  gateway.tell({ kind: "retire" });
  t.true(gateway.closed(1));
  t.is(timesGone(gateway), 1);
});

test("native clients are told that the node stops, and no others come", (t) => {
  const gateway = opened();
  gateway.say(get(1));
  gateway.published();
  gateway.give({ kind: "retire" });
  t.deepEqual(gateway.published(), [ended("stopping")]);
  gateway.ask(0);
  t.deepEqual(gateway.published(), [ended("stopping")], INBOX);
  t.is(timesGone(gateway), 1);
});

test("a node without native clients has none to wait for", (t) => {
  const gateway = new NativeGatewayHarness({});
  gateway.give({ kind: "retire" });
  gateway.give({ kind: "retire" });
  t.is(timesGone(gateway), 1);
});
