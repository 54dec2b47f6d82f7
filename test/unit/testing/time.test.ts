/** How virtual time moves for a test, and when it stands still. And that a seed decides everything. */
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { type InspectionEvent, startTestEnsemble } from "../../../testing/ensemble.ts";
import { acquire } from "./lock.ts";

/** A little of all that an ensemble can do, as text. */
async function traceOf(seed: number): Promise<string> {
  const lines: unknown[] = [];
  const onInspection = (event: InspectionEvent): void => void lines.push(event);
  await using ensemble = await startTestEnsemble({ seed, onInspection });
  const note = (what: unknown): void => void lines.push([ensemble.nowMs, what]);
  const [first, second] = [await ensemble.connect(), await ensemble.connect()];
  await first.create("/locks");
  first.changes("/locks", { recursive: true }).subscribe({ next: note, error: note });
  await acquire(first, "/locks");
  const waiting = acquire(second, "/locks").then(note);
  await ensemble.advance(1_000);
  await ensemble.kill("leader");
  note(await first.children("/locks"));
  await ensemble.partition([first]);
  await ensemble.until(waiting);
  await ensemble.heal();
  note(await first.get("/locks").catch(String));
  return JSON.stringify(lines, undefined, 1);
}

test("the same seed gives the same, to the last digit of a time, and another seed does not", async (t) => {
  const [one, again, other] = [await traceOf(7), await traceOf(7), await traceOf(8)];
  t.true(one.length > 5_000);
  t.is(one, again);
  t.not(one, other);
});

test("what was done reaches everybody, then an idle ensemble stands still, however much time goes by", async (t) => {
  await using ensemble = await startTestEnsemble();
  const client = await ensemble.connect();
  const seen: string[] = [];
  for (const other of [client, await ensemble.connect(), await ensemble.connect()]) {
    other.changes("/", { recursive: true }).subscribe(({ kind }) => seen.push(kind));
  }
  await client.create("/a");
  const createdMs = ensemble.nowMs;
  let idleMs = createdMs;
  for (let beforeMs = -1; idleMs !== beforeMs; idleMs = ensemble.nowMs) {
    beforeMs = ensemble.nowMs;
    for (let turns = 0; turns < 50; turns += 1) await turn();
  }
  t.true(idleMs > createdMs && idleMs <= createdMs + 500, `${createdMs} ${idleMs}`);
  t.deepEqual(seen, ["created", "created", "created"]);
  await sleep(20);
  t.is(ensemble.nowMs, idleMs);
});

test("advance moves time by just so much, whatever else waits", async (t) => {
  await using ensemble = await startTestEnsemble();
  const client = await ensemble.connect();
  await ensemble.partition([client]);
  const fails = t.throwsAsync(client.get("/"), { name: "OperationTimeoutError" });
  const startedMs = ensemble.nowMs;
  await ensemble.advance(1_000);
  t.is(ensemble.nowMs, startedMs + 1_000);
  await Promise.all([ensemble.advance(700), ensemble.advance(300)]);
  t.is(ensemble.nowMs, startedMs + 1_700);
  await ensemble.advance(0);
  t.is(ensemble.nowMs, startedMs + 1_700);
  await fails;
});

test("what comes of a change is there when time was advanced over it, promises of the test among it", async (t) => {
  await using ensemble = await startTestEnsemble();
  const client = await ensemble.connect();
  const steps: string[] = [];
  const work = async (): Promise<void> => {
    for (const path of ["/a", "/a/b", "/a/b/c"]) {
      await client.create(path);
      await Promise.resolve();
      steps.push(path);
    }
  };
  const working = work();
  await ensemble.advance(100);
  t.deepEqual(steps, ["/a", "/a/b", "/a/b/c"]);
  await working;
});

test("without automatic time nothing moves until time is advanced", async (t) => {
  await using ensemble = await startTestEnsemble({ autoAdvance: false });
  const client = await ensemble.connect();
  const startedMs = ensemble.nowMs;
  let isDone = false;
  const creating = client.create("/a").then(() => {
    isDone = true;
  });
  await sleep(20);
  t.false(isDone);
  t.is(ensemble.nowMs, startedMs);
  await ensemble.advance(100);
  t.true(isDone);
  await creating;
  t.is((await ensemble.until(client.get("/a"))).stat.version, 0);
});

test.serial("fake timers of the test itself do not stop it", async (t) => {
  const { setImmediate: immediate, setTimeout: timeout } = globalThis;
  const never = (): never => ({}) as never;
  Object.assign(globalThis, { setImmediate: never, setTimeout: never });
  try {
    const ensemble = await startTestEnsemble();
    const client = await ensemble.connect();
    await client.create("/a");
    await ensemble.advance(30_000);
    t.is((await client.get("/a")).stat.version, 0);
    await ensemble.close();
  } finally {
    Object.assign(globalThis, { setImmediate: immediate, setTimeout: timeout });
  }
});
