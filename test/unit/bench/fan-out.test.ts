/** Waves of writes and what subscribers have received of them; and what tree-apply says of lanes. */
import test from "ava";
import { Received } from "../../../bench/profiles/fan-out/audience.ts";
import { WaveRunner } from "../../../bench/profiles/fan-out/waves.ts";
import { pathsOf } from "../../../bench/profiles/fan-out/writers.ts";
import { limitText } from "../../../bench/profiles/tree-apply.ts";

test("a wave is over when the last subscriber has received all of it", async (t) => {
  const received = new Received(3);
  const runner = new WaveRunner(received, 5);
  let writes = 0;
  const write = async (): Promise<void> => {
    writes += 1;
    t.is(received.least, (writes - 1) * 5, "no wave begins before the one before is received");
    received.add(0, 5);
    setImmediate(() => received.add(1, 5));
    setTimeout(() => received.add(2, 5), 2);
  };
  const { waves } = await runner.run([write], 20, new AbortController().signal);
  t.is(waves, writes);
  t.is(received.total, writes * 15);
});

test("a subscriber that fails ends the run with its reason", async (t) => {
  const received = new Received(2);
  const write = async (): Promise<void> => received.fail(new Error("gone"));
  const run = new WaveRunner(received, 1).run([write], 1000, new AbortController().signal);
  await t.throwsAsync(run, { message: "gone" });
});

test("writers have znodes of their own", (t) => {
  const plan = { root: "/r", writers: 2, waveSize: 2, valueBytes: 1 };
  t.deepEqual(
    [...pathsOf(plan, 0), ...pathsOf(plan, 1)],
    ["/r/w0-0", "/r/w0-1", "/r/w1-0", "/r/w1-1"],
  );
});

test("lanes scale, or stop at what is busy", (t) => {
  const applied = { lanes: 2, batchSize: 4, appliedPerSecond: 1, batchUs: 1, hopUs: 1 };
  const said = (speedUp: number, mainBusy: number, processorsBusy: number): string =>
    limitText({ ...applied, speedUp, mainBusy, processorsBusy, machineBusy: processorsBusy });
  t.regex(said(1.9, 1, 1), /1\.90 x .*: scales$/m);
  t.regex(said(1.1, 0.2, 0.99), /stops at the processors$/m);
  t.regex(said(1.1, 0.99, 0.5), /stops at the main thread/);
  t.regex(said(1.1, 0.3, 0.5), /stops at the hops/);
  const shared = { ...applied, speedUp: 1.1, mainBusy: 0.2, processorsBusy: 0.2, machineBusy: 1 };
  t.regex(limitText(shared), /says nothing$/m);
});
