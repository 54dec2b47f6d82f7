/** Counting against a node of zooid. */
import test from "ava";
import type { Client } from "../../../client/client.ts";
import { Counter } from "../../../client/recipes/counter.ts";
import { ConnectionLossError } from "../../../protocol/errors.ts";
import { changedClient, sharedClients } from "../../support/recipes.ts";

let one: Client;
let two: Client;

test.before(async () => {
  [one, two] = await sharedClients();
});

/** The write after the next `skipped` ones loses its connection; `isDone`: it is done all the same, and `then` happens. */
function losing(client: Client, isDone: boolean, then?: () => Promise<unknown>): Client {
  let isLost = false;
  return changedClient(client, {
    request: async (request, options) => {
      const isFirst = request.kind === "write" && !isLost;
      if (!isFirst) return client.wire.request(request, options);
      isLost = true;
      if (isDone) await client.wire.request(request, options);
      await then?.();
      throw new ConnectionLossError("of a test");
    },
  });
}

test("clients that count at once lose nothing, and each sees another number", async (t) => {
  const counters = [one.counter("/counts/many"), two.counter("/counts/many")];
  const seen = await Promise.all(
    counters.flatMap((counter) => Array.from({ length: 10 }, async () => counter.add())),
  );
  t.is(new Set(seen).size, 20);
  t.is(await counters[0]?.value({ consistency: "linearizable" }), 20n);
});

test("a counter that nobody has begun is 0, and counts down", async (t) => {
  const counter = one.counter("/counts/none");
  t.is(await counter.value(), 0n);
  t.is(await counter.add(-3), -3n);
});

test("the znode holds eight bytes as Curator has them, or digits as kazoo has them", async (t) => {
  await one.counter("/counts/long").set(-2n);
  const { data } = await one.get("/counts/long");
  t.deepEqual([...(data ?? [])], [255, 255, 255, 255, 255, 255, 255, 254]);
  await one.counter("/counts/digits", { layout: "kazoo" }).set(41);
  await two.counter("/counts/digits", { layout: "kazoo" }).add();
  await one.sync();
  t.deepEqual((await one.get("/counts/digits")).data, new TextEncoder().encode("42"));
});

test("another layout than that of the znode is told by name and changes nothing", async (t) => {
  await one.create("/counts/text", "12.5", { parents: true });
  const error = await t.throwsAsync(one.counter("/counts/text").add());
  t.like(error, { code: "ZOOID_INVALID_VALUE", which: "stored" });
  await t.throwsAsync(one.counter("/counts/text", { layout: "kazoo" }).add(), {
    code: "ZOOID_INVALID_VALUE",
  });
  t.throws(() => one.counter("/counts/text", { layout: "other" as "kazoo" }), {
    code: "ZOOID_BAD_ARGUMENTS",
  });
});

test("a counter refuses to leave its 64 bits rather than wrap", async (t) => {
  const counter = one.counter("/counts/full");
  await counter.set(2n ** 63n - 1n);
  await t.throwsAsync(counter.add(), { code: "ZOOID_BAD_ARGUMENTS" });
  await t.throwsAsync(counter.add(0.5), { code: "ZOOID_BAD_ARGUMENTS" });
  t.is(await counter.value(), 2n ** 63n - 1n);
});

test("compareAndSet sets only what it expects", async (t) => {
  const counter = one.counter("/counts/set");
  t.true(await counter.compareAndSet({ from: 0, to: 5 }));
  t.false(await counter.compareAndSet({ from: 0, to: 6 }));
  t.is(await counter.value(), 5n);
});

test("a write that was lost before it was done is done once", async (t) => {
  await one.counter("/counts/lost").set(7);
  t.is(await new Counter(losing(one, false), "/counts/lost").add(), 8n);
});

test("a write that may have been done is not done again", async (t) => {
  await one.counter("/counts/doubt").set(7);
  const error = await t.throwsAsync(new Counter(losing(one, true), "/counts/doubt").add());
  t.like(error, { code: "ZOOID_CONNECTION_LOSS", maybeApplied: "unknown" });
  t.is(await one.counter("/counts/doubt").value(), 8n);
});

test("a look that fails after a lost write leaves it unknown whether the write was done", async (t) => {
  await one.counter("/counts/look").set(7);
  const stop = new AbortController();
  const losing = changedClient(one, {
    request: async (request, options) => {
      const answer = await one.wire.request(request, options);
      if (request.kind !== "write") return answer;
      stop.abort();
      throw new ConnectionLossError("of a test");
    },
  });
  const added = losing.counter("/counts/look").add(1, { signal: stop.signal });
  t.like(await t.throwsAsync(added), { code: "ZOOID_ABORTED", maybeApplied: "unknown" });
  t.is(await one.counter("/counts/look").value(), 8n);
});

test("a lost write is done when what others wrote instead shows that it was not", async (t) => {
  await one.counter("/counts/other").set(7);
  const other = async (): Promise<void> => one.counter("/counts/other").set(100);
  t.is(await new Counter(losing(one, false, other), "/counts/other").add(), 101n);
});

test("a create that may have been done is not done again", async (t) => {
  await t.throwsAsync(new Counter(losing(one, true), "/first").add(), {
    code: "ZOOID_CONNECTION_LOSS",
  });
  t.is(await one.counter("/first").value(), 1n);
  t.is(await new Counter(losing(one, false), "/second").add(), 1n);
});
