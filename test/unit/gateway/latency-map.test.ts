/** What a gateway keeps of how long requests took, and the answer to `heat`. */
import test from "ava";
import {
  countLatencyOf,
  latencyCells,
  type LatencyMap,
} from "../../../actors/gateway/latency-map.ts";
import type { Queueable } from "../../../actors/gateway/request-queue.ts";
import { heatOf } from "../../../actors/admin/heat/heat.ts";
import { LATENCY_BUCKETS, LATENCY_KINDS } from "../../../actors/admin/heat/messages.ts";
import type { Part } from "../../../actors/admin/messages.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { LATENCY_COLUMN_MS, LATENCY_COLUMNS } from "../../../protocol/limits.ts";

const GET: Queueable = { kind: "read", read: { kind: "getData", path: "/", watch: false } };
const SET: Queueable = {
  kind: "write",
  operation: { kind: "setData", path: "/", data: null, version: -1 },
};

function counted(
  ...requests: readonly (readonly [Queueable, from: number, to: number])[]
): LatencyMap {
  const map: LatencyMap = [];
  for (const [request, startedMs, nowMs] of requests) {
    countLatencyOf(map, request, { startedMs, nowMs });
  }
  return map;
}

const kind = (name: (typeof LATENCY_KINDS)[number]): number => LATENCY_KINDS.indexOf(name);

test("each kind has its own counts, in the ten seconds in which the answer went", (t) => {
  const later = 3 * LATENCY_COLUMN_MS;
  const map = counted([GET, 0, 1], [GET, 4, 5], [SET, 0, 8], [GET, later - 1, later]);
  t.deepEqual(latencyCells(map, later), [
    [3, kind("get"), 8, 2],
    [3, kind("set"), 14, 1],
    [0, kind("get"), 8, 1],
  ]);
});

test("a bucket holds times up to its bound, the first what takes no time and the last what takes longest", (t) => {
  const { upToMs } = heatOf(1 as ServerId, []);
  t.is(upToMs.length, LATENCY_BUCKETS);
  for (const [bucket, ms] of upToMs.entries()) {
    const [[, , found] = []] = latencyCells(counted([GET, 0, ms * 0.99]), 0);
    t.is(found, bucket, `${ms}`);
  }
  t.is(latencyCells(counted([GET, 0, 0]), 0)[0]?.[2], 0);
  t.is(latencyCells(counted([GET, 5, 0]), 0)[0]?.[2], 0, "a clock that went back");
  t.is(latencyCells(counted([GET, 0, 1e9]), 1e9)[0]?.[2], LATENCY_BUCKETS - 1);
});

test("pings are not counted, and what is older than ten minutes is gone, asked for or not", (t) => {
  t.deepEqual(counted([{ kind: "ping" }, 0, 1]), []);
  const map = counted([GET, 0, 1]);
  t.deepEqual(latencyCells(map, LATENCY_COLUMNS * LATENCY_COLUMN_MS), []);
  const many = Array.from({ length: 3 * LATENCY_COLUMNS }, (_, column) => {
    return [GET, 0, column * LATENCY_COLUMN_MS] as const;
  });
  t.is(counted(...many).length, LATENCY_COLUMNS);
});

test("the gateways of a node are counted together", (t) => {
  const part = (...latencies: NonNullable<Part["latencies"]>): Part => {
    return { kind: "part", question: 1, from: "nats/1", groups: [], omitted: 0, latencies };
  };
  const { cells } = heatOf(1 as ServerId, [part([0, 1, 2, 3], [1, 1, 2, 5]), part([0, 1, 2, 4])]);
  t.deepEqual(cells, [
    [0, 1, 2, 7],
    [1, 1, 2, 5],
  ]);
});
