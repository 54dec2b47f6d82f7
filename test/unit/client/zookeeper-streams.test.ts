/** Change streams over ZooKeeper's protocol: what they tell, what they ask, and what a subscriber that is slow or late gets. */
import test from "ava";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { follow, reads, reconnect, remove, set } from "../../support/zookeeper-client/follow.ts";
import { created, GET, started, write } from "../../support/zookeeper-client/wire.ts";

for (const staying of [true, false]) {
  const how = staying ? "watches that stay" : "watches that fire once";
  const prepare: NonNullable<Parameters<typeof started>[0]>["prepare"] = ({ unknownCodes }) => {
    if (!staying) unknownCodes.add(OpCode.addWatch);
  };

  test(`with ${how}, what happens at and below a path is told with Stat, data and zxid`, async (t) => {
    const of = await started({ prepare });
    const { ensemble, pass } = of;
    const all = follow(of);
    const one = follow(of, { recursive: false });
    await pass(200);
    t.deepEqual(all.portions, [{ changes: [], through: ensemble.zxid }]);
    const writes = [
      created("/a/b", "1"),
      set("/a"),
      set("/a/b", "2"),
      created("/a/b/c"),
      created("/b"),
      remove("/a/b/c"),
      remove("/a/b"),
      created("/a/b", "3"),
    ];
    for (const each of writes) {
      ensemble.write(each);
      await pass();
    }
    const below = [
      "created /a/b",
      "data /a",
      "data /a/b",
      "created /a/b/c",
      "deleted /a/b/c",
      "deleted /a/b",
      "created /a/b",
    ];
    t.deepEqual(all.told, below);
    t.deepEqual(one.told, ["data /a"]);
    const changes = all.portions.flatMap((portion) => portion.changes);
    const told = ensemble.history.filter(({ path }) => path.startsWith("/a")).slice(1);
    t.deepEqual(
      changes.map(({ zxid, kind, path }) => ({ zxid, kind, path })),
      told as never,
    );
    t.is(Buffer.from(changes[2]?.data ?? []).toString(), "2");
    t.is(changes[4]?.data, undefined);
    t.deepEqual(changes.at(-1)?.stat, ensemble.znodes.get("/a/b")?.stat);
  });

  test(`with ${how}, changes of one transaction come in one portion, parents first`, async (t) => {
    const of = await started({ prepare });
    const { ensemble, pass } = of;
    const all = follow(of);
    await pass(200);
    ensemble.write({ kind: "multi", operations: [created("/a/x"), created("/a/x/y"), set("/a")] });
    await pass();
    const { changes = [] } = all.portions[1] ?? {};
    t.deepEqual(
      changes.map(({ zxid, index }) => [zxid, index]),
      [0, 1, 2].map((index) => [ensemble.zxid, index]),
    );
    t.deepEqual(all.told, ["data /a", "created /a/x", "created /a/x/y"]);
  });

  test(`with ${how}, what happened while there was no connection is told after it`, async (t) => {
    const of = await started({ prepare, hosts: [{ host: "one", port: 1 }] });
    const { ensemble, channel, pass } = of;
    ensemble.write(created("/a/gone"));
    ensemble.write(created("/a/again"));
    const all = follow(of);
    await pass(200);
    channel.listens = () => false;
    channel.cut();
    ensemble.write(remove("/a/gone"));
    ensemble.write(remove("/a/again"));
    ensemble.write(created("/a/again", "2"));
    ensemble.write(created("/a/new"));
    ensemble.write(set("/a"));
    channel.listens = () => true;
    await pass(2_000);
    t.deepEqual(all.told.toSorted(), [
      "created /a/again",
      "created /a/new",
      "data /a",
      "deleted /a/again",
      "deleted /a/gone",
    ]);
    t.true(all.told.indexOf("deleted /a/again") < all.told.indexOf("created /a/again"));
    t.deepEqual(all.ends, []);
  });
}

test("the watch is asked for before the first look, in the same write", async (t) => {
  const of = await started();
  void of.wire.request(GET);
  await of.pass();
  of.channel.sends.length = 0;
  follow(of);
  await of.pass();
  t.deepEqual(reads(of), ["getData /a", "addWatch /a", "getChildren /a"]);
  t.deepEqual(
    of.channel.sends.map(({ frames }) => frames),
    [2],
  );
});

test("a znode is not told to be created whose parent was gone before it was looked at", async (t) => {
  const of = await started();
  const { ensemble, channel, pass } = of;
  const all = follow(of, { after: undefined });
  await pass(200);
  channel.automatic = false;
  const come = [created("/a/b"), created("/a/b/c")];
  const go = [remove("/a/b/c"), remove("/a/b")];
  for (const write of come) ensemble.write(write);
  while (channel.deliverOne()) await pass();
  for (const write of go) ensemble.write(write);
  t.true(channel.handleOne());
  for (const write of come) ensemble.write(write);
  t.true(channel.handleOne());
  for (const write of go) ensemble.write(write);
  while (channel.deliverOne() || channel.handleOne()) await pass();
  t.deepEqual(reads(of).slice(-4), [
    "getData /a/b",
    "getData /a/b/c",
    "getData /a/b",
    "getData /a/b/c",
  ]);
  t.deepEqual(all.told, ["created /a"]);
});

test("whoever has read elsewhere what the session has not come to begins when it has", async (t) => {
  const of = await started();
  const { ensemble, channel, wire, pass } = of;
  channel.automatic = false;
  ensemble.write(set("/a"));
  const [read, ahead] = [ensemble.zxid, follow(of)];
  const away = follow(of);
  const never = follow(of, { after: (read + 1_000) as Zxid });
  away.close();
  await pass();
  t.true(wire.lastZxid < read);
  await reconnect(of, () => ensemble.write(created("/a/b")));
  t.deepEqual([ahead.told, ahead.ends], [["created /a/b"], []]);
  t.deepEqual(
    [away, never].flatMap(({ portions, ends }) => [portions, ends]),
    [[], [], [], []],
  );
  void wire.close();
  await pass();
  t.deepEqual(
    never.ends.map(({ kind }) => kind),
    ["completed"],
  );
  t.deepEqual(away.ends, []);
});

test("streams of one path share a watch, which goes with the last of them", async (t) => {
  const of = await started();
  const [first, second] = [follow(of), follow(of)];
  await of.pass();
  first.close();
  of.ensemble.write(set("/a"));
  await of.pass();
  t.deepEqual(first.told, []);
  t.deepEqual(second.told, ["data /a"]);
  second.close();
  await of.pass();
  const asked = reads(of);
  t.is(asked.filter((each) => each === "addWatch /a").length, 1);
  t.is(asked.filter((each) => each === "removeWatches /a").length, 1);
});

test("a znode that is not there is followed until it is", async (t) => {
  const of = await started();
  const one = follow(of, { path: "/later", recursive: false });
  await of.pass();
  of.ensemble.write(created("/later"));
  await of.pass();
  of.ensemble.write(remove("/later"));
  await of.pass();
  t.deepEqual(one.told, ["created /later", "deleted /later"]);
});

test("a subscriber that takes nothing is asked about nothing more, and then sees the last of many changes", async (t) => {
  const of = await started({ streamCredits: 2 });
  const slow = follow(of);
  const quick = follow(of);
  await of.pass();
  for (let round = 0; round < 10; round += 1) {
    of.ensemble.write(set("/a", String(round)));
    await of.pass();
    for (const taken of quick.taken.splice(0)) taken();
  }
  t.is(quick.told.length, 10);
  t.is(slow.told.length, 2);
  const before = reads(of).length;
  for (const taken of slow.taken.splice(0)) taken();
  await of.pass();
  t.is(reads(of).length, before + 1);
  t.is(slow.told.length, 3);
  const last = slow.portions.at(-1)?.changes[0];
  t.is(Buffer.from(last?.data ?? []).toString(), "9");
});

test("a stream from the past tells what is newer; where something may have been deleted it is compacted", async (t) => {
  const of = await started();
  const { ensemble, pass } = of;
  const before = ensemble.zxid;
  ensemble.write(created("/a/1"));
  ensemble.write(set("/a"));
  const all = follow(of, { after: before });
  await pass();
  t.deepEqual(all.told, ["created /a/1", "data /a"]);
  ensemble.write(remove("/a/1"));
  const gap = follow(of, { after: before });
  // One that relies on nothing is not told of a gap.
  const unknowing = follow(of, { after: undefined });
  await pass();
  t.deepEqual(gap.ends, [{ kind: "compacted", oldest: ensemble.zxid }]);
  t.deepEqual(unknowing.ends, []);
});

for (const eventZxids of [true, false]) {
  const events = eventZxids ? "events name zxids" : "events name none";
  test(`whoever reads and begins again after a gap misses nothing, also where znodes come and go all the time, if ${events}`, async (t) => {
    const of = await started({ prepare: (channel) => (channel.eventZxids = eventZxids) });
    const { ensemble, pass } = of;
    const before = ensemble.zxid;
    ensemble.write(created("/a/1"));
    ensemble.write(remove("/a/1"));
    ensemble.write(created("/a/2"));
    const gap = follow(of, { after: before });
    await pass();
    t.is(gap.ends[0]?.kind, "compacted");
    const read = ensemble.zxid;
    ensemble.write(remove("/a/2"));
    ensemble.write(created("/a/3"));
    await pass();
    const again = follow(of, { after: read });
    await pass();
    t.deepEqual(again.told, ["deleted /a/2", "created /a/3"]);
    t.deepEqual(again.ends, []);
    // Nobody begins again: what was kept for it goes, with its watch.
    again.close();
    const late = follow(of, { after: before });
    await pass();
    t.is(late.ends[0]?.kind, "compacted");
    await pass(60_000);
    t.is(reads(of).at(-1), "removeWatches /a");
  });
}

test("paths of streams are those below the chroot", async (t) => {
  const of = await started({ chroot: "/a" });
  const all = follow(of, { path: "/" });
  await of.pass();
  of.ensemble.write(created("/a/b"));
  of.ensemble.write(created("/ab"));
  await of.pass();
  t.deepEqual(all.told, ["created /b"]);
});

test("streams end with the session, and one that is closed is told nothing more", async (t) => {
  const of = await started();
  const [all, closed] = [follow(of), follow(of)];
  await of.pass();
  closed.close();
  of.channel.expire();
  of.channel.cut();
  await of.pass();
  t.deepEqual(all.ends, [{ kind: "failed", failure: { kind: "expired" } }]);
  t.deepEqual(closed.ends, []);
  t.like(follow(of).ends[0], { kind: "failed" });
});

test("an answer to somebody else does not let a change through whose znode is still to be looked at", async (t) => {
  const of = await started();
  const { ensemble, channel, pass, wire } = of;
  const all = follow(of);
  await pass();
  channel.automatic = false;
  ensemble.write(set("/a", "1"));
  ensemble.write(created("/a/b"));
  channel.deliverOne();
  const read = wire.request(GET);
  const other = wire.request(write(created("/other")));
  await pass();
  channel.handleOne();
  channel.handleOne();
  channel.handleOne();
  while (channel.deliverOne()) await pass();
  await read;
  const first = all.portions.at(-1);
  t.true(
    (first?.through ?? 0) < ensemble.zxid || all.told.includes("created /a/b"),
    all.told.join(),
  );
  channel.automatic = true;
  while (channel.handleOne() || channel.deliverOne()) await pass();
  await other;
  t.deepEqual(all.told, ["data /a", "created /a/b"]);
});

for (const isOneRead of [false, true]) {
  const how = isOneRead ? "in one read with the answer before it" : "after the answer before it";
  test(`a deletion has the zxid of its own event, and not of one that an earlier znode of the path had: ${how}`, async (t) => {
    const of = await started();
    const { ensemble, channel, pass } = of;
    const one = follow(of, { path: "/later", recursive: false });
    await pass();
    channel.automatic = false;
    ensemble.write(created("/later", "1"));
    channel.deliverOne();
    await pass();
    // The look is answered with another znode, behind the events of how it came to be there.
    for (const each of [remove("/later"), created("/later", "2")]) ensemble.write(each);
    channel.handleOne();
    ensemble.write(remove("/later"));
    const deletedAt = ensemble.zxid;
    while (channel.deliverOne()) if (!isOneRead) await pass();
    await pass();
    ensemble.write(created("/other"));
    while (channel.handleOne() || channel.deliverOne()) await pass();
    t.deepEqual(one.told, ["created /later", "deleted /later"]);
    t.is(one.portions.at(-1)?.changes.at(-1)?.zxid, deletedAt);
  });
}

for (const recursive of [true, false]) {
  const what = recursive ? "subtree" : "znode";
  test(`a subscriber of a ${what} hears how far its stream has come when others change other znodes`, async (t) => {
    const { ensemble, pass, wire, ...of } = await started();
    const all = follow({ ensemble, pass, wire, ...of }, { recursive });
    await pass(200);
    for (let turn = 0; turn < 3; turn += 1) {
      ensemble.write(created(`/other${turn}`));
      const read = wire.request(GET);
      await pass(200);
      await read;
      t.is(all.portions.at(-1)?.through, ensemble.zxid);
    }
    t.is(all.portions.length, 4);
    await pass(10_000);
    t.is(all.portions.length, 4, "without news nothing is said");
  });
}

test("without a connection no stream comes further than it has looked", async (t) => {
  const of = await started();
  const { wire, channel, ensemble, pass } = of;
  const one = follow(of);
  await pass(200);
  channel.automatic = false;
  const write = wire
    .request({ kind: "write", operation: set("/b", "1") as never })
    .catch(() => undefined);
  await pass();
  ensemble.write(created("/a/new"));
  // The event comes, and the answer to somebody else; what the event was about has not been looked at.
  for (let step = 0; step < 2; step += 1) {
    channel.handleOne();
    channel.deliverOne();
    channel.deliverOne();
  }
  await write;
  channel.listens = () => false;
  channel.cut();
  await pass(300);
  channel.listens = () => true;
  channel.automatic = true;
  await pass(2_000);
  t.deepEqual(one.told, ["created /a/new"]);
});

test("the Stat of a deletion is one that the znode had, also where a stream was begun again", async (t) => {
  const of = await started();
  const { ensemble, pass } = of;
  ensemble.write(created("/a/b", "1"));
  ensemble.write(created("/a/c"));
  ensemble.write(remove("/a/c"));
  const late = follow(of, { after: 1 as Zxid });
  await pass();
  const [end] = late.ends;
  t.is(end?.kind, "compacted");
  const after = end?.kind === "compacted" ? end.oldest : undefined;
  ensemble.write(set("/a/b", "2"));
  const stat = ensemble.znodes.get("/a/b")?.stat;
  await pass();
  const again = follow(of, { after });
  ensemble.write(remove("/a/b"));
  await pass();
  const deletion = again.portions
    .flatMap(({ changes }) => changes)
    .find((each) => each.kind === "deleted");
  t.deepEqual(deletion?.stat, stat);
});

test("a subscriber hears how far its stream has come also when a look without a change was all that held it back", async (t) => {
  const of = await started();
  const { wire, channel, ensemble, pass } = of;
  const one = follow(of);
  await pass(200);
  channel.automatic = false;
  const other = wire.request(write(created("/other")));
  await pass();
  for (const each of [created("/a/new"), remove("/a/new")]) ensemble.write(each);
  // The events come, and have the client look; then the answer to somebody else.
  for (let event = 0; event < 2; event += 1) t.true(channel.deliverOne());
  await pass();
  t.true(channel.handleOne() && channel.deliverOne());
  await other;
  const looks = reads(of).length;
  await pass(200);
  t.is(
    reads(of).length,
    looks,
    "no look has come to the server when it is due to say how far it has come",
  );
  t.true(channel.handleOne());
  t.is(reads(of).at(-1), "getData /a/new", "a look was under way");
  t.true((one.portions.at(-1)?.through ?? 0) < ensemble.zxid, "it held the stream back");
  channel.automatic = true;
  while (channel.handleOne() || channel.deliverOne()) await pass();
  await pass(200);
  t.deepEqual([one.told, one.portions.at(-1)?.through], [[], ensemble.zxid]);
});
