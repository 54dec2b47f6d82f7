/** What a load consists of, and how it is written in the protocols' terms. */
import test from "ava";
import {
  prefixEnd,
  putRequest,
  rangeRequest,
  statusLeads,
  txnRequest,
  txnSucceeded,
  watchEvents,
} from "../../../bench/load/etcd/messages.ts";
import { keyOf } from "../../../bench/load/jetstream/client.ts";
import { Layout } from "../../../bench/load/layout.ts";
import { type Cycle, cycleOf, WORK_NAMES } from "../../../bench/load/work.ts";
import { canFsync } from "../../../bench/targets/jetstream.ts";

function kindsOf(cycle: Cycle): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of cycle) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

test("a mix is exact, and connections begin at different places of it", (t) => {
  t.deepEqual(kindsOf(cycleOf("mixed 90/10", 0, 128)), { set: 1, get: 9 });
  t.deepEqual(kindsOf(cycleOf("mixed 50/50", 3, 128)), { set: 1, get: 1 });
  t.not(cycleOf("mixed 50/50", 0, 128)[0]?.kind, cycleOf("mixed 50/50", 1, 128)[0]?.kind);
});

test("Keeper's mixes have the published weights", (t) => {
  t.deepEqual(kindsOf(cycleOf("keeper read", 1, 0)), { get: 90, list: 10 });
  t.deepEqual(kindsOf(cycleOf("keeper prod-mix", 1, 0)), {
    ...{ get: 38, create: 17, delete: 17, multi: 11, set: 9, list: 4 },
  });
  for (const step of cycleOf("keeper large-payload", 1, 0)) {
    if ("valueBytes" in step) t.true(step.valueBytes >= 1024 && step.valueBytes <= 4096);
  }
  for (const step of cycleOf("keeper multi-large", 2, 0)) {
    const size = step.kind === "multi" ? step.sets + step.creates : 0;
    t.true(size >= 10 && size <= 30);
  }
});

test("a cycle is the same in each run, deletes only what it has created before, and creates nothing twice", (t) => {
  for (const work of WORK_NAMES) {
    const cycle = cycleOf(work, 5, 128);
    t.deepEqual(cycleOf(work, 5, 128), cycle);
    const created: number[] = [];
    for (const step of cycle) {
      if (step.kind === "delete") t.true(created.includes(step.branch), work);
      if (step.kind !== "create" && step.kind !== "multi") continue;
      t.false(created.includes(step.branch), work);
      created.push(step.branch);
    }
  }
});

test("created names differ by connection, branch, place and repetition, and are equally long", (t) => {
  const layout = new Layout("/root", 7);
  t.is(layout.created(2), "/root/churn/c7-b2-i0-0000000000");
  t.is(layout.createdIn(31, 2, 4), "/root/churn/c7-b2-i4-0000000031");
  t.is(keyOf(layout.own), "root.own-7");
});

test("etcd's requests are protobuf as its rpc.proto has it", (t) => {
  t.is(putRequest("k", Buffer.from("v")).toString("hex"), "0a016b120176");
  t.is(rangeRequest("k", { serializable: true }).toString("hex"), "0a016b3801");
  const txn = txnRequest(["k"], [putRequest("k", Buffer.from("v"))]);
  t.is(txn.toString("hex"), "0a0908001001" + "1a016b" + "2800" + "12081206" + "0a016b120176");
  t.is(prefixEnd("/a/"), "/a0");
});

test("etcd's answers are read, also past fields that are not known", (t) => {
  t.true(txnSucceeded(Buffer.from("0a021001" + "1001", "hex")));
  t.false(txnSucceeded(Buffer.from("0a021001", "hex")));
  t.is(watchEvents(Buffer.from("0a00" + "5a00" + "5a021001", "hex")), 2);
  t.true(statusLeads(Buffer.from("0a021005" + "2005", "hex")));
  t.false(statusLeads(Buffer.from("0a021005" + "2006", "hex")));
  t.is(statusLeads(Buffer.from("0a021005", "hex")), undefined);
});

test("nats-server can fsync each write from 2.10 on", (t) => {
  t.false(canFsync("2.9.10"));
  t.true(canFsync("2.10.0"));
  t.true(canFsync("3.0.0"));
});
