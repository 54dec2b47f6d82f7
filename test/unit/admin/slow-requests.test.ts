/** What a node remembers of slow requests, and answers to `slow`. */
import test from "ava";
import type {
  SlowAnswer,
  SlowFacts,
  SlowRequest,
  Stamps,
} from "../../../actors/admin/slow/messages.ts";
import {
  newSlow,
  type Slow,
  slowText,
  takeSlow,
} from "../../../actors/admin/slow/slow-requests.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import {
  SLOW_RECORDS_MAX,
  SLOW_REQUESTS_LAST,
  SLOW_REQUESTS_SLOWEST,
  SLOW_REQUESTS_SLOWEST_MS,
} from "../../../protocol/limits.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

const GATEWAY = "zookeeper/1";

function request(number: number, more: Partial<SlowRequest> = {}): SlowRequest {
  return {
    ...{ number, session: "0x100000001", address: "10.0.0.1:1", isWrite: true },
    ...{ operation: "setData", operations: 1, path: "/a", bytes: 200, answerBytes: 0 },
    ...{ zxid: (0x1_0000_0000 + number) as Zxid, tookMs: 100, startedMs: 5, answeredMs: 105 },
    ...more,
  };
}

function take(slow: Slow, one: SlowRequest, wallMs = 1000): void {
  takeSlow(slow, { kind: "slowRequests", from: GATEWAY, requests: [one] }, wallMs);
}

function stages(slow: Slow, number: number, stamps: Stamps, leads?: boolean): void {
  const about = leads === undefined ? {} : { leads };
  const each = { number, stamps, ...about };
  takeSlow(slow, { kind: "slowStages", from: GATEWAY, stages: [each] }, 0);
}

function told(slow: Slow): SlowAnswer {
  const about = { node: 2 as ServerId, thresholdMs: 100, counted: 7 };
  return JSON.parse(slowText(slow, about)) as SlowAnswer;
}

/** `stage from-to` of the latest request. */
function spans(slow: Slow): readonly string[] {
  const { stages: of = [] } = told(slow).requests[0] ?? {};
  return of.map(({ stage, fromMs, toMs }) => `${stage} ${fromMs}-${toMs}`);
}

test("a slow write is told with its stages, wherever each was measured", (t) => {
  const slow = newSlow();
  take(slow, request(1));
  t.like(told(slow), { node: 2, thresholdMs: 100, counted: 7, records: [] });
  t.like(told(slow).requests[0], {
    ...{ atMs: 1000, session: "0x100000001", address: "10.0.0.1:1", operation: "setData" },
    ...{ path: "/a", bytes: 200, zxid: "0x100000001", tookMs: 100, leads: null, stages: [] },
  });
  stages(slow, 1, { started: 5000, made: 5001, applying: 5090, applied: 5092, replied: 5103 });
  t.deepEqual(spans(slow), ["gateway 0-1", "apply 90-92", "reply 92-103"]);
  stages(slow, 1, { published: 5004, logged: 5060.126, committed: 5089 }, true);
  t.deepEqual(spans(slow), [
    ...["gateway 0-1", "queue 1-4", "log 4-60.13", "quorum 4-89", "deliver 89-90"],
    ...["apply 90-92", "reply 92-103"],
  ]);
  t.like(told(slow).requests[0], { tookMs: 103, leads: true });
});

test("what another node has published was on its way to the leader and back", (t) => {
  const slow = newSlow();
  take(slow, request(1));
  // The threads tell in any order.
  stages(slow, 1, { published: 40, logged: 50, committed: 60 }, false);
  t.deepEqual(spans(slow), [], "nothing says that it has waited for that");
  stages(slow, 1, { started: 0, made: 10, applying: 61, applied: 62, replied: 70 });
  t.deepEqual(spans(slow).slice(0, 3), ["gateway 0-10", "leader 10-40", "log 40-50"]);
  t.false(told(slow).requests[0]?.leads);
});

test("a read that waited behind a batch begins when it came, and one that did not has no stages", (t) => {
  const slow = newSlow();
  take(slow, request(1, { isWrite: false, operation: "getData" }));
  stages(slow, 1, { started: 100, made: 80, applying: 150, applied: 151, replied: 200 });
  stages(slow, 1, { published: 90, logged: 140, committed: 150 }, true);
  // What was over before it came is none of its stages.
  t.deepEqual(spans(slow), [
    ...["log 0-40", "quorum 0-50", "deliver 50-50", "apply 50-51", "reply 51-100"],
  ]);
  take(slow, request(2, { isWrite: false }));
  stages(slow, 2, { started: 100, replied: 200 });
  stages(slow, 2, { published: 90, logged: 140, committed: 150 }, true);
  t.deepEqual(spans(slow), []);
  t.like(told(slow).requests[0], { leads: null, tookMs: 100 });
});

test("stages of a request that is not remembered, or of another gateway, are nobody's", (t) => {
  const slow = newSlow();
  take(slow, request(1));
  stages(slow, 2, { started: 0, made: 1, replied: 2 });
  const stamps = { started: 0, made: 1, replied: 2 };
  takeSlow(slow, { kind: "slowStages", from: "nats/1", stages: [{ number: 1, stamps }] }, 0);
  t.deepEqual(spans(slow), []);
});

test("the last ones are remembered, and of those before the slowest of an hour", (t) => {
  const slow = newSlow();
  const many = 5 * SLOW_REQUESTS_LAST;
  for (let number = 1; number <= many; number += 1) {
    const tookMs = number % 17 === 0 ? 5000 + number : 100;
    take(slow, request(number, { tookMs, startedMs: 0, answeredMs: tookMs }), number);
  }
  const { requests } = told(slow);
  t.is(requests.length, SLOW_REQUESTS_LAST + SLOW_REQUESTS_SLOWEST);
  const times = requests.map(({ atMs }) => atMs);
  t.deepEqual(times.slice(0, 3), [many, many - 1, many - 2]);
  const before = requests.slice(SLOW_REQUESTS_LAST);
  const slowest = (all: readonly SlowFacts[]): number =>
    all.filter(({ tookMs }) => tookMs > 5000).length;
  t.is(slowest(before), Math.floor((many - SLOW_REQUESTS_LAST) / 17));
  t.deepEqual(
    before.map(({ atMs }) => atMs),
    before.map(({ atMs }) => atMs).toSorted((a, b) => b - a),
  );
  // An hour later.
  const late = many + 2 * SLOW_REQUESTS_SLOWEST_MS;
  take(slow, request(many + 1), late);
  t.is(told(slow).requests.length, SLOW_REQUESTS_LAST);
});

test("records that took long are told, the latest first, and the oldest go", (t) => {
  const slow = newSlow();
  for (let number = 1; number <= SLOW_RECORDS_MAX + 5; number += 1) {
    const firstZxid = (0x2_0000_0000 + number) as Zxid;
    const zxids = { firstZxid, lastZxid: firstZxid };
    takeSlow(
      slow,
      { kind: "slowRecord", ...zxids, queueMs: 1.005, logMs: 20, quorumMs: 30 },
      number,
    );
  }
  const { records } = told(slow);
  t.is(records.length, SLOW_RECORDS_MAX);
  t.like(records[0], { atMs: SLOW_RECORDS_MAX + 5, logMs: 20, quorumMs: 30 });
  t.is(records.at(-1)?.firstZxid, "0x200000006");
});
