/** Which requests a gateway calls slow, and what it tells of them. */
import test from "ava";
import type { SlowRequest, SlowRequests } from "../../../actors/admin/slow/messages.ts";
import { newMetrics, countAnswered, resetMetrics } from "../../../actors/gateway/metrics.ts";
import { SLOW_PATH_LENGTH_MAX, SLOW_REQUESTS_PER_SECOND } from "../../../protocol/limits.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { GatewayDriver, requestFrame } from "../../support/gateway-driver.ts";
import { create, getData, multi, ping } from "../../support/zookeeper-client/operations.ts";

function toldIn(effects: readonly Effect[]): readonly SlowRequest[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== "tell" || effect.to !== "admin") return [];
    const message = effect.message as SlowRequests;
    return message.kind === "slowRequests" ? message.requests : [];
  });
}

function served(slowRequestMs?: number): GatewayDriver {
  const gateway = new GatewayDriver(slowRequestMs === undefined ? {} : { slowRequestMs });
  gateway.leadership("leading");
  return gateway;
}

/** What is told at the end of the turn, of a request that is answered so late. */
function asked(
  gateway: GatewayDriver,
  request: Parameters<typeof requestFrame>[1],
  tookMs: number,
): readonly SlowRequest[] {
  gateway.bytes(1, requestFrame(1, request));
  gateway.nowMs += tookMs;
  gateway.serve();
  return toldIn(gateway.tell({ kind: "endOfTurn" }));
}

test("a request whose answer takes as long as is said is told of, with whose it was and where it went", (t) => {
  const gateway = served(100);
  const session = gateway.attach(1);
  t.deepEqual(asked(gateway, create("/a/b", "value"), 99), []);
  const begun = gateway.nowMs;
  const [slow, ...others] = asked(gateway, create("/a/c", "value"), 100);
  t.deepEqual(others, []);
  t.like(slow, {
    ...{ session: `0x${session.toString(16)}`, address: "10.0.0.1:1", isWrite: true },
    ...{ operation: "create", operations: 1, path: "/a/c", tookMs: 100, answerBytes: 0 },
    ...{ startedMs: begun, answeredMs: begun + 100 },
  });
  t.true((slow?.bytes ?? 0) > 5 && (slow?.zxid ?? 0) > 0);
  const [read] = asked(gateway, getData("/a"), 3000);
  t.like(read, { isWrite: false, operation: "getData", path: "/a", tookMs: 3000 });
  t.not(read?.number, slow?.number);
  t.deepEqual(toldIn(gateway.tell({ kind: "endOfTurn" })), [], "each is told of once");
});

test("pings are not slow, and none is where no time is said", (t) => {
  const gateway = served(1);
  gateway.attach(1);
  gateway.bytes(1, requestFrame(1, create("/a")));
  gateway.bytes(1, requestFrame(-2, ping()));
  gateway.nowMs += 50;
  gateway.serve();
  t.deepEqual(
    toldIn(gateway.tell({ kind: "endOfTurn" })).map(({ operation }) => operation),
    ["create"],
  );
  const other = served();
  other.attach(1);
  t.deepEqual(asked(other, create("/a"), 1e9), []);
});

test("a multi is told of by its first path and how many operations it had, and a long path is cut", (t) => {
  const gateway = served(1);
  gateway.attach(1);
  const [slow] = asked(gateway, multi(create("/first"), create("/second")), 5);
  t.like(slow, { operation: "multi", operations: 2, path: "/first" });
  const [long] = asked(gateway, getData(`/${"x".repeat(SLOW_PATH_LENGTH_MAX)}`), 5);
  t.is(long?.path?.length, SLOW_PATH_LENGTH_MAX);
});

test("of many in a second so many are told of, all are counted, and the next second has its own", (t) => {
  const gateway = served(10);
  gateway.attach(1);
  const many = SLOW_REQUESTS_PER_SECOND + 5;
  const burst = (): number => {
    for (let xid = 1; xid <= many; xid += 1) gateway.bytes(1, requestFrame(xid, getData("/a")));
    gateway.nowMs += 10;
    gateway.serve();
    return toldIn(gateway.tell({ kind: "endOfTurn" })).length;
  };
  t.is(burst(), SLOW_REQUESTS_PER_SECOND);
  gateway.nowMs += 1000;
  t.is(burst(), SLOW_REQUESTS_PER_SECOND);
  const report = gateway.tell({ kind: "tellMetrics", question: 1 }).find((effect) => {
    return effect.kind === "tell" && (effect.message as { kind: string }).kind === "gatewayReport";
  });
  t.like(report, { message: { slow: 2 * many } });
});

test("what the tree held the turn up for counts in that turn alone", (t) => {
  const gateway = served(100);
  gateway.attach(1);
  gateway.bytes(1, requestFrame(1, getData("/a")));
  gateway.nowMs += 10;
  for (const ms of [40, 50]) gateway.tell({ kind: "heldUp", ms });
  gateway.serve();
  const [slow] = toldIn(gateway.tell({ kind: "endOfTurn" }));
  t.is(slow?.tookMs, 100);
  t.deepEqual(asked(gateway, getData("/a"), 10), []);
});

test("what is set back leaves the count of slow requests and their time", (t) => {
  const metrics = newMetrics(5);
  const read = { kind: "read", read: { kind: "getData", path: "/", watch: false } } as const;
  t.true(countAnswered(metrics, { request: read, startedMs: 0 }, 5));
  resetMetrics(metrics);
  t.true(countAnswered(metrics, { request: read, startedMs: 0 }, 5));
  t.deepEqual([metrics.slow, metrics.answered], [2, 1]);
});
