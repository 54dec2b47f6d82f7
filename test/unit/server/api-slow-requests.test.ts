/** What comes to the inbox of whoever asks all nodes for slow requests, and for latencies: anybody may publish there. */
import test from "ava";
import { heatText } from "../../../actors/admin/heat/heat.ts";
import type { SlowFacts, SlowRecordFacts } from "../../../actors/admin/slow/messages.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { heatIn } from "../../../server/admin/api/latencies.ts";
import { slowIn } from "../../../server/admin/api/slow-requests.ts";

const REQUEST: SlowFacts = {
  ...{ atMs: 5, session: "0x1", address: null, isWrite: true, operation: "create" },
  ...{ operations: 1, path: "/a", bytes: 9, answerBytes: 0, zxid: "0x2", tookMs: 7.5 },
  ...{ leads: null, stages: [{ stage: "log", fromMs: 0, toMs: 7 }] },
};
const RECORD: SlowRecordFacts = {
  ...{ atMs: 5, firstZxid: "0x1", lastZxid: "0x2", queueMs: 1, logMs: 2, quorumMs: 3 },
};
const ANSWER = { thresholdMs: 100, counted: 1, requests: [REQUEST], records: [RECORD] };

test("an answer is taken if all of its fields are what they should be", (t) => {
  t.deepEqual(slowIn(JSON.stringify({ node: 1, ...ANSWER })), ANSWER);
});

test("what is no answer is none, and breaks no page", (t) => {
  const request = (more: object): unknown => ({ ...ANSWER, requests: [{ ...REQUEST, ...more }] });
  const wrong: readonly unknown[] = [
    ...[null, [], {}, { ...ANSWER, thresholdMs: "1" }, { ...ANSWER, requests: null }],
    ...[
      { ...ANSWER, requests: [null] },
      { ...ANSWER, records: [{ ...RECORD, logMs: null }] },
    ],
    ...[request({ path: 5 }), request({ session: null }), request({ stages: [null] })],
    request({ stages: [{ stage: "<b>", fromMs: 0, toMs: 1 }] }),
    request({ stages: [{ stage: "log", fromMs: "0", toMs: 1 }] }),
  ];
  for (const each of wrong) t.is(slowIn(JSON.stringify(each)), undefined, JSON.stringify(each));
  t.is(slowIn("slow is not executed because it is not in the whitelist.\n"), undefined);
});

test("a node that counts nothing by path has its map all the same, and what is no prefix is no answer", (t) => {
  const { prefixes, ...older } = JSON.parse(heatText(1 as ServerId, [])) as Record<string, unknown>;
  t.deepEqual(prefixes, []);
  t.deepEqual(heatIn(JSON.stringify(older))?.prefixes, []);
  const good = { prefix: "/a", counts: [[1, 2]] };
  t.deepEqual(heatIn(JSON.stringify({ ...older, prefixes: [good] }))?.prefixes, [good]);
  for (const each of [5, [null], [{ prefix: 5, counts: [] }], [{ prefix: "", counts: [[1]] }]]) {
    t.is(heatIn(JSON.stringify({ ...older, prefixes: each })), undefined, JSON.stringify(each));
  }
});
