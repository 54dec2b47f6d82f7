/** A snapshot took the place of the lane's state: both gateways close what relied upon it, and go on. */
import test from "ava";
import { natsGatewayActor } from "../../../actors/gateway/nats/gateway.ts";
import { NATIVE_VERSION, decodeGatewayFrame, encodeClientFrame } from "../../../protocol/native.ts";
import { SESSION_NONE } from "../../../protocol/ids.ts";
import { GatewayDriver, requestFrame } from "../../support/gateway-driver.ts";
import { Driven, server } from "../../support/plain-calls.ts";
import { connectFrame } from "../../support/zookeeper-client/client.ts";
import { getData, setData } from "../../support/zookeeper-client/operations.ts";

test("the ZooKeeper gateway closes every connection, with one line in the log", (t) => {
  const gateway = new GatewayDriver();
  gateway.leadership("following");
  gateway.attach(1);
  gateway.attach(2);
  gateway.open(3);
  gateway.bytes(3, connectFrame({ port: 0 }));
  gateway.open(4);
  const effects = gateway.tell({ kind: "treeReset" });
  for (const connection of [1, 2, 3, 4]) t.true(gateway.closed(connection));
  const lines = effects.filter(({ kind }) => kind === "log");
  t.like(lines, [{ level: "warn", event: "closedForSnapshot", detail: { connections: 4 } }]);
  t.is(lines.length, 1);
  const again = gateway.tell({ kind: "treeReset" });
  t.false(again.some(({ kind }) => kind === "close"));
});

test("results that come after the reset are nobody's, and a new connection is served", (t) => {
  const gateway = new GatewayDriver();
  gateway.leadership("following");
  gateway.attach(1);
  gateway.bytes(1, requestFrame(1, setData("/a", "x")));
  gateway.bytes(1, requestFrame(2, getData("/a")));
  gateway.tell({ kind: "treeReset" });
  gateway.serve();
  t.is(gateway.written(1).length, 0);
  gateway.attach(2);
  gateway.bytes(2, requestFrame(1, getData("/a")));
  gateway.serve();
  t.true(gateway.written(2).length > 0);
});

test("the gateway of native clients ends every connection, and takes them again", (t) => {
  const timeouts = { minSessionTimeoutMs: 4000, maxSessionTimeoutMs: 40_000 };
  const gateway = new Driven(
    natsGatewayActor({ server: server(1), lane: 1, ensemble: "test", ...timeouts }),
  );
  gateway.receive({
    kind: "leadership",
    role: "following",
    epoch: 1 as never,
    leader: undefined,
    admission: "all",
  });
  const password = new Uint8Array(16);
  const open = { kind: "open", version: NATIVE_VERSION, password, timeoutMs: 10_000 } as const;
  const bytes = encodeClientFrame({ sequence: 0, items: [{ ...open, session: SESSION_NONE }] });
  const ask = (client: string): readonly { readonly kind: string }[] =>
    gateway.receive({
      kind: "clientMessage",
      subject: "zooid.test.gateway",
      reply: `zooid.test.client.${client}`,
      bytes,
    });
  ask("one");
  ask("other");
  const effects = gateway.receive({ kind: "treeReset" });
  const ended = effects.flatMap((effect) =>
    effect.kind === "publish" ? [[effect.subject, ...decodeGatewayFrame(effect.bytes).items]] : [],
  );
  t.deepEqual(ended, [
    ["zooid.test.client.one", { kind: "ended", reason: "unknown" }],
    ["zooid.test.client.other", { kind: "ended", reason: "unknown" }],
  ]);
  const lines = effects.filter(({ kind }) => kind === "log");
  t.like(lines, [{ event: "closedForSnapshot", detail: { connections: 2 } }]);
  t.true(ask("one").some(({ kind }) => kind === "tell"));
});
