/** Where a stream over ZooKeeper's protocol cannot say what was there, for whoever begins again or after a lost connection. */
import test, { type ExecutionContext } from "ava";
import type { Zxid } from "../../../protocol/zxid.ts";
import { follow, reads, reconnect, remove } from "../../support/zookeeper-client/follow.ts";
import { created, GET, started, type Started } from "../../support/zookeeper-client/wire.ts";

/** These znodes are there, and a stream that has ended with a gap, which whoever has read them may take over. From now on a test lets things pass. */
async function afterGap(t: ExecutionContext, paths: readonly string[]): Promise<Started> {
  const of = await started();
  const { ensemble, channel, pass } = of;
  for (const path of [...paths, "/a/gone"]) ensemble.write(created(path));
  ensemble.write(remove("/a/gone"));
  const late = follow(of, { after: 1 as Zxid });
  await pass();
  t.is(late.ends[0]?.kind, "compacted");
  channel.automatic = false;
  return of;
}

test("a znode that only an event of a lost connection has told of, and that is gone after it, is a gap", async (t) => {
  const of = await started();
  const { ensemble, channel, pass } = of;
  const [all, gone] = [follow(of), follow(of, { path: "/b" })];
  await pass(200);
  channel.automatic = false;
  for (const path of ["/a/stays", "/a/goes"]) ensemble.write(created(path));
  ensemble.write(created("/b"));
  while (channel.deliverOne()) await pass();
  await reconnect(of, () => ensemble.write(remove("/a/goes")));
  t.deepEqual(all.told, []);
  t.is(all.ends[0]?.kind, "compacted");
  t.deepEqual([gone.told, gone.ends], [["created /b"], []]);
});

test("whoever begins again after a gap is not told of a deletion from before its read", async (t) => {
  const of = await afterGap(t, ["/a/b"]);
  const { ensemble, channel, pass, wire } = of;
  ensemble.write(remove("/a/b"));
  void wire.request(GET);
  await pass();
  channel.handleOne();
  while (channel.deliverOne()) await pass();
  const again = follow(of);
  await reconnect(of, () => ensemble.write(created("/a/d")));
  t.deepEqual([again.told, again.ends], [["created /a/d"], []]);
});

test("a znode that may have been replaced is a gap, also where the next connection is lost too before it was looked at", async (t) => {
  const of = await afterGap(t, []);
  const { ensemble, channel, pass } = of;
  ensemble.write(created("/a/b"));
  const after = ensemble.zxid;
  ensemble.write(remove("/a/b"));
  while (channel.deliverOne()) await pass();
  const again = follow(of, { after });
  channel.cut();
  ensemble.write(created("/a/b"));
  for (let step = 0; step < 500; step += 1) {
    channel.handleOne();
    if (reads(of).includes("getChildren /a/b")) break;
    channel.deliverOne();
    await pass();
  }
  t.true(reads(of).includes("getChildren /a/b"));
  await reconnect(of, () => undefined);
  t.deepEqual([again.told, again.ends[0]?.kind], [[], "compacted"]);
});

test("a znode that came and went between two looks of a stream without a subscriber is a gap for whoever has read it", async (t) => {
  const of = await afterGap(t, ["/a/b"]);
  const { ensemble, channel, pass } = of;
  ensemble.write(remove("/a/b"));
  ensemble.write(created("/a/b"));
  const after = ensemble.zxid;
  for (const write of [remove("/a/b"), created("/a/b")]) ensemble.write(write);
  while (channel.deliverOne()) await pass();
  channel.automatic = true;
  for (let step = 0; step < 10; step += 1) {
    channel.handleOne();
    channel.deliverOne();
    await pass();
  }
  const again = follow(of, { after });
  await pass();
  t.deepEqual([again.told, again.ends[0]?.kind], [[], "compacted"]);
});
