/** `zooid/testing`, as its users write tests with it: of a lock that is theirs. */
import test from "ava";
import { type Client, startTestEnsemble, type TestEnsemble } from "../../../testing/ensemble.ts";
import { acquire } from "./lock.ts";

const FOLDER = "/locks";

async function withLocks(ensemble: TestEnsemble): Promise<readonly [Client, Client]> {
  const [first, second] = [await ensemble.connect(), await ensemble.connect()];
  await first.create(FOLDER);
  return [first, second];
}

/** Another node than the one that leads. */
function followerOf(ensemble: TestEnsemble): number {
  const follower = ensemble.nodes.find(({ role }) => role === "following");
  if (follower === undefined) throw new Error("no node follows");
  return follower.id;
}

test("an ensemble starts with a leader whom all others follow", async (t) => {
  await using ensemble = await startTestEnsemble({ nodes: 5 });
  t.is(ensemble.nodes.filter(({ role }) => role === "leading").length, 1);
  t.is(ensemble.nodes.filter(({ role }) => role === "following").length, 4);
  t.is(ensemble.nodes.find(({ id }) => id === ensemble.leader)?.role, "leading");
  t.true(ensemble.nodes.every(({ status }) => status === "running"));
});

test("calls of a client just work, and take a few milliseconds of virtual time", async (t) => {
  await using ensemble = await startTestEnsemble({ nodes: 1 });
  const client = await ensemble.connect();
  const startedMs = ensemble.nowMs;
  await client.create("/a", "one");
  await Promise.all([client.set("/a", "two"), client.create("/b"), client.get("/a")]);
  t.is(new TextDecoder().decode((await client.get("/a")).data ?? undefined), "two");
  await t.throwsAsync(client.get("/c"), { name: "NoNodeError" });
  t.true(ensemble.nowMs > startedMs && ensemble.nowMs < startedMs + 100);
});

test("a lock goes to the next who waits when it is released", async (t) => {
  await using ensemble = await startTestEnsemble();
  const [first, second] = await withLocks(ensemble);
  const lock = await acquire(first, FOLDER);
  let has = false;
  const waiting = acquire(second, FOLDER).then(() => {
    has = true;
  });
  await ensemble.advance(60_000);
  t.false(has);
  await lock.release();
  await waiting;
  t.true(has);
});

test("a holder that stands still for longer than its session loses the lock, and finds out when it goes on", async (t) => {
  await using ensemble = await startTestEnsemble();
  const [first, second] = await withLocks(ensemble);
  await acquire(first, FOLDER);
  const waiting = acquire(second, FOLDER);
  const pausedAtMs = ensemble.nowMs;
  await ensemble.pause(first, 30_000);
  await ensemble.until(waiting);
  const passedMs = ensemble.nowMs - pausedAtMs;
  t.true(passedMs > 6_000 && passedMs < 12_000, String(passedMs));
  await t.throwsAsync(first.get("/"), { name: "SessionExpiredError" });
  t.true(ensemble.nowMs >= pausedAtMs + 30_000);
});

test("a lock outlives its leader", async (t) => {
  await using ensemble = await startTestEnsemble();
  const [first, second] = await withLocks(ensemble);
  const lock = await acquire(first, FOLDER);
  const waiting = acquire(second, FOLDER);
  await ensemble.advance(100);
  const old = ensemble.leader;
  await ensemble.kill("leader");
  t.is(ensemble.leader, undefined);
  await ensemble.until(() => ensemble.leader);
  t.not(ensemble.leader, old);
  t.is((await first.children(FOLDER)).children.length, 2);
  await lock.release();
  await waiting;
  await ensemble.restart(old ?? 0);
  await ensemble.until(() => ensemble.nodes.every(({ role }) => role !== "looking"));
});

test("a client on the wrong side of a partition loses its session, one on the right side keeps it", async (t) => {
  await using ensemble = await startTestEnsemble();
  const [first, second] = await withLocks(ensemble);
  await acquire(first, FOLDER);
  const waiting = acquire(second, FOLDER);
  await ensemble.advance(100);
  await ensemble.partition(["leader", first]);
  const alone = ensemble.leader ?? 0;
  await ensemble.until(waiting);
  t.not(ensemble.leader, alone);
  const outcome = t.throwsAsync(first.get("/"), { name: "SessionExpiredError" });
  await ensemble.heal();
  await outcome;
});

test("an expired session is gone at the ensemble, and its client knows", async (t) => {
  await using ensemble = await startTestEnsemble();
  const [first, second] = await withLocks(ensemble);
  await acquire(first, FOLDER);
  await ensemble.expire(first);
  await t.throwsAsync(first.get("/"), { name: "SessionExpiredError" });
  t.deepEqual((await second.children(FOLDER)).children, []);
  await t.throwsAsync(ensemble.expire(first), { name: "BadArgumentsError" });
});

test("without a quorum calls fail as they do anywhere, in no time", async (t) => {
  await using ensemble = await startTestEnsemble();
  const client = await ensemble.connect({ operationTimeoutMs: 5_000 });
  const follower = followerOf(ensemble);
  await ensemble.kill("leader");
  await ensemble.kill(follower);
  await t.throwsAsync(client.create("/a"));
  await t.throwsAsync(client.create("/a"), { name: "OperationTimeoutError" });
  await ensemble.restart(follower);
  await client.create("/a");
});

test("a node that was killed has what it had written when it starts again", async (t) => {
  await using ensemble = await startTestEnsemble({ nodes: 1 });
  const client = await ensemble.connect();
  await client.create("/a", "kept");
  await ensemble.kill(1);
  t.deepEqual(ensemble.nodes, [{ id: 1, status: "down", role: "looking" }]);
  await ensemble.restart(1);
  t.is((await client.get("/a")).data?.length, 4);
});

test("a leader that stands still is replaced, and follows when it goes on", async (t) => {
  await using ensemble = await startTestEnsemble();
  const client = await ensemble.connect();
  const old = ensemble.leader ?? 0;
  await ensemble.pause(old, 10_000);
  t.is(ensemble.nodes[old - 1]?.status, "paused");
  await ensemble.until(() => ensemble.leader !== old);
  await client.get("/");
  await ensemble.advance(10_000);
  t.deepEqual(ensemble.nodes[old - 1], { id: old, status: "running", role: "following" });
});

test("a znode with a time to live is deleted when that is over", async (t) => {
  const settings = { containerCheckIntervalMs: 1_000 };
  await using ensemble = await startTestEnsemble({ nodes: 1, settings });
  const client = await ensemble.connect();
  await client.create("/hour", "", { ttlMs: 3_600_000 });
  await ensemble.advance(3_500_000);
  t.not((await client.exists("/hour")).stat, undefined);
  await ensemble.advance(200_000);
  t.is((await client.exists("/hour")).stat, undefined);
});

test("closing ends sessions and rejects what still waits", async (t) => {
  const ensemble = await startTestEnsemble();
  const client = await ensemble.connect();
  await ensemble.partition([client]);
  const waiting = t.throwsAsync(client.get("/"));
  await ensemble.close();
  await waiting;
  await t.throwsAsync(client.get("/"), { name: "ClosedError" });
  await t.throwsAsync(ensemble.connect(), { message: "the ensemble is closed" });
  await ensemble.close();
});

test("what cannot be done is refused in words", async (t) => {
  await using ensemble = await startTestEnsemble({ nodes: 1 });
  await using other = await startTestEnsemble({ nodes: 1 });
  const stranger = await other.connect();
  const refused = { name: "BadArgumentsError" };
  await t.throwsAsync(ensemble.kill(4), { ...refused, message: /no node 4.*1 to 1/ });
  await t.throwsAsync(ensemble.expire(stranger), { ...refused, message: /no client of this/ });
  await t.throwsAsync(ensemble.advance(-1), refused);
  await t.throwsAsync(ensemble.pause(1, Number.NaN), refused);
  await t.throwsAsync(ensemble.connect({ sessionTimeoutMs: -1 }), refused);
  await ensemble.kill(1);
  await t.throwsAsync(ensemble.kill(1), { ...refused, message: /node 1 is down/ });
  await t.throwsAsync(ensemble.kill("leader"), { ...refused, message: /no node leads/ });
  await t.throwsAsync(
    ensemble.until(() => false, 50),
    { code: "ZOOID_STILL_WAITING" },
  );
  await t.throwsAsync(startTestEnsemble({ nodes: 0 }), refused);
  await t.throwsAsync(startTestEnsemble({ settings: { tickTimeMs: -1 } }), {
    code: "ZOOID_CONFIGURATION",
  });
});
