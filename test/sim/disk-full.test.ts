/**
 * Disks that stay full for long, with nothing else amiss: reads go on, writes are refused, sessions live, and it ends by itself.
 */
import test, { type ExecutionContext } from "ava";
import { Cluster } from "./cluster.ts";
import { Coverage } from "./coverage.ts";
import { Nemesis } from "./faults/nemesis.ts";
import { fillDisk, freeDisk } from "./faults/disk-space.ts";
import { ENSEMBLE_WIDE_MS, quietPlan } from "./quiet.ts";
import { Random } from "./random.ts";
import { Trace } from "./trace.ts";

const FULL_MS = 20_000;
/** In each of which there must be reads and refusals. */
const STEP_MS = 2000;
const SEEDS = 1;

/** By default what is prepared is enough for what is under way when a disk becomes full. */
function begin(seed: number, nodes: number, segmentBytes = 64 * 1024, syncRead = 0): Cluster {
  const plan = quietPlan(seed, { nodes, segmentBytes, syncRead, requestsMax: 100_000 });
  const makeTrace = (clock: Cluster["clock"]): Trace => new Trace(() => clock.nowMs(), false);
  const cluster = new Cluster(
    plan,
    (clock) => makeTrace(clock as Cluster["clock"]),
    new Coverage(),
  );
  new Nemesis(cluster, new Random(seed)).begin();
  cluster.run(ENSEMBLE_WIDE_MS);
  return cluster;
}

/** Fills the disks of that many nodes while they write, and then frees them. */
function fillAndFree(t: ExecutionContext, seed: number, of: { nodes: number; full: number }): void {
  const cluster = begin(seed, of.nodes);
  const { counts } = cluster;
  t.true(counts.acknowledged > 0, `seed ${seed}: writes are acknowledged before`);
  const leader = cluster.nodes.find((node) => node.leads);
  const others = cluster.nodes.filter((node) => node !== leader);
  const full = [...(leader === undefined ? [] : [leader]), ...others].slice(0, of.full);
  for (const node of full) fillDisk(node, 0);
  // What was prepared is used first.
  cluster.run(15_000);
  const before = { ...counts };
  for (let atMs = 0; atMs < FULL_MS; atMs += STEP_MS) {
    const { reads, refused } = counts;
    cluster.run(STEP_MS);
    t.true(counts.reads > reads, `seed ${seed}: reads are answered`);
    t.true(counts.refused > refused, `seed ${seed}: writes are refused`);
  }
  t.is(counts.expired, 0, `seed ${seed}: no session ends`);
  t.is(counts.reconnects, before.reconnects, `seed ${seed}: no connection ends`);
  t.is(counts.acknowledged, before.acknowledged, `seed ${seed}: no write is taken`);
  for (const node of full) freeDisk(node);
  cluster.run(5000);
  t.true(counts.acknowledged > before.acknowledged, `seed ${seed}: writes are taken again`);
  const { refused } = counts;
  cluster.run(2000);
  t.is(counts.refused, refused, `seed ${seed}: none is refused any more`);
  t.is(counts.expired, 0, `seed ${seed}: no session has ended`);
  t.is(counts.reconnects, before.reconnects, `seed ${seed}: nor a connection`);
}

test("a node alone on a full disk reads, refuses and keeps its sessions, and writes when there is room", (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) fillAndFree(t, seed, { nodes: 1, full: 1 });
});

test("so do three nodes all of whose disks are full", (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) fillAndFree(t, seed, { nodes: 3, full: 3 });
});

test("so do three nodes of which two have full disks, the leader among them", (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) fillAndFree(t, seed, { nodes: 3, full: 2 });
});

test("with nothing left to write to, connections and sessions live on, and what was under way is done when there is room", (t) => {
  for (const nodes of [1, 3]) {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const cluster = begin(seed, nodes, 4096, 1); // syncs use up what is prepared
      const { counts } = cluster;
      for (const node of cluster.nodes) fillDisk(node, 0);
      cluster.run(3000);
      const { reconnects } = counts;
      cluster.run(FULL_MS);
      const { acknowledged } = counts;
      cluster.run(STEP_MS);
      const admissions = cluster.nodes.map((node) => node.gateway(1)?.admission);
      t.true(admissions.includes("none"), `seed ${seed}: ${admissions.join(" ")}`);
      t.is(counts.expired, 0, `seed ${seed} of ${nodes}: no session ends`);
      t.is(counts.reconnects, reconnects, `seed ${seed} of ${nodes}: no connection ends`);
      t.is(counts.acknowledged, acknowledged, `seed ${seed} of ${nodes}: no write is taken`);
      for (const node of cluster.nodes) freeDisk(node);
      cluster.run(5000);
      t.true(counts.acknowledged > acknowledged, `seed ${seed} of ${nodes}: writes are taken`);
      t.is(counts.expired, 0, `seed ${seed} of ${nodes}: no session has ended`);
    }
  }
});

test("while one disk of three is full, the leader's, writes go on under another leader", (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const cluster = begin(seed, 3);
    const leader = cluster.nodes.find((node) => node.leads);
    if (leader === undefined) throw new Error(`seed ${seed}: nobody leads`);
    fillDisk(leader, 0);
    cluster.run(15_000);
    const { acknowledged } = cluster.counts;
    cluster.run(3000);
    t.false(leader.leads, `seed ${seed}: it has given up leading`);
    t.true(cluster.counts.acknowledged > acknowledged, `seed ${seed}: writes are acknowledged`);
  }
});
