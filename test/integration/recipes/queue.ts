/** Queues against a node of zooid. */
import test from "ava";
import { firstValueFrom } from "rxjs";
import type { Client } from "../../../client/client.ts";
import type { Job, Queue } from "../../../client/recipes/queue.ts";
import { QueueView } from "../../../client/recipes/queue-view.ts";
import { json, key, text } from "../../../client/values.ts";
import { ConnectionLossError } from "../../../protocol/errors.ts";
import { changedClient, sharedClients, sharedHost } from "../../support/recipes.ts";

let one: Client;
let two: Client;

test.before(async () => {
  [one, two] = await sharedClients();
});

function texts(client: Client, path: string, tries?: number): Queue<string, string> {
  return client.queue(key(path, { codec: text }), { tries });
}

async function drained(queue: Queue<string, string>): Promise<readonly string[]> {
  const values: string[] = [];
  for (;;) {
    let job: Job<string>;
    try {
      job = await queue.take({ waitMs: 0 });
    } catch {
      return values;
    }
    values.push(job.value);
    await job.done();
  }
}

test("jobs come by priority, and in their order within one", async (t) => {
  using queue = texts(one, "/queues/order");
  await queue.put("late", { priority: 500 });
  await queue.put("first");
  await queue.put("second");
  await queue.put("urgent", { priority: 1 });
  t.is(await queue.length(), 4);
  t.deepEqual(await drained(queue), ["urgent", "first", "second", "late"]);
  t.is(await queue.length(), 0);
});

test("of many consumers each job is given to one", async (t) => {
  const queues = [texts(one, "/queues/many"), texts(two, "/queues/many")];
  const wanted = Array.from({ length: 20 }, (_, index) => `job ${index}`);
  await Promise.all(wanted.map(async (value) => queues[0]?.put(value)));
  const taken = await Promise.all(
    queues.flatMap((queue) => [queue, queue, queue]).map(async (queue) => drained(queue)),
  );
  t.deepEqual(taken.flat().toSorted(), wanted.toSorted());
  for (const queue of queues) queue[Symbol.dispose]();
});

test("a consumer waits for a job that comes later", async (t) => {
  using consumer = texts(two, "/queues/later");
  await t.throwsAsync(consumer.take({ waitMs: 0 }), { code: "ZOOID_NOT_ACQUIRED" });
  const taken = consumer.take();
  await texts(one, "/queues/later").put("now");
  t.is((await taken).value, "now");
  const stop = new AbortController();
  const never = consumer.take({ signal: stop.signal });
  stop.abort();
  await t.throwsAsync(never, { code: "ZOOID_ABORTED" });
});

test("a job goes to the next consumer when its holder dies, with a larger fence, and the dead one's result is refused", async (t) => {
  const dying = await (await sharedHost()).connect();
  await texts(one, "/queues/dies").put("work");
  const first = await texts(dying, "/queues/dies").take();
  using queue = texts(two, "/queues/dies");
  const next = queue.take();
  await dying.close();
  const second = await next;
  t.true(first.signal.aborted);
  t.deepEqual([first.tries, second.tries, second.name], [1, 2, first.name]);
  t.true(second.fence > first.fence);
  const late = one.transaction((make) => [make.create("/queues/never")]).if(first.isHeld);
  await t.throwsAsync(late.commit(), { code: "ZOOID_CONDITION_FAILED" });
  await second.done();
});

test("the result and the end of a job are one transaction", async (t) => {
  using queue = texts(one, "/queues/result");
  await queue.put("a");
  const job = await queue.take();
  const results = await job.done((make) => [make.create("/queues/result/of-a", "done")]);
  t.is(results?.[0].path, "/queues/result/of-a");
  await queue.put("b");
  const lost = await queue.take();
  await lost.release();
  await t.throwsAsync(
    lost.done((make) => [make.create("/queues/result/of-b")]),
    { code: "ZOOID_CONDITION_FAILED" },
  );
  t.is((await one.exists("/queues/result/of-b")).stat, undefined);
  t.is((await queue.take()).tries, 2);
});

test("a job that was tried in vain is a dead letter, as is one whose value is not valid", async (t) => {
  using queue = one.queue(key("/queues/dead", { codec: json }), { tries: 2 });
  await queue.put({ poison: true });
  await one.create("/queues/dead/items/100-x-", "{", { sequential: true });
  for (const tries of [1, 2]) {
    await using job = await queue.take();
    t.is(job.tries, tries);
  }
  await t.throwsAsync(queue.take({ waitMs: 200 }), { code: "ZOOID_NOT_ACQUIRED" });
  const letters = await queue.deadLetters();
  t.deepEqual(
    letters.map(({ data }) => new TextDecoder().decode(data ?? new Uint8Array())).toSorted(),
    ["{", '{"poison":true}'],
  );
  t.is(await queue.length(), 0);
});

/** The nth write of that kind is done, and its answer is lost. */
function losing(client: Client, kind: "create" | "multi", nth = 1): Client {
  let count = 0;
  return changedClient(client, {
    request: async (request, options) => {
      const answer = await client.wire.request(request, options);
      const isMeant = request.kind === "write" && request.operation.kind === kind;
      if (!isMeant || answer.result.kind === "error") return answer;
      count += 1;
      if (count !== nth) return answer;
      throw new ConnectionLossError("of a test");
    },
  });
}

test("a put, a take and an end whose answers were lost are found to be done", async (t) => {
  const path = "/queues/lost";
  await texts(one, path).put("begun");
  t.is(await drained(texts(two, path)).then(({ length }) => length), 1);
  await texts(losing(one, "create"), path).put("once");
  using taker = texts(losing(one, "multi"), path);
  const job = await taker.take({ waitMs: 0 });
  t.deepEqual([job.value, job.tries], ["once", 1]);
  const { data, stat } = await one.get(`${path}/items/${job.name}`);
  t.deepEqual([new TextDecoder().decode(data ?? new Uint8Array()), stat.numChildren], ["once", 1]);
  await job.done();
  await texts(one, path).put("twice");
  using ender = texts(losing(two, "multi", 2), path);
  const other = await ender.take();
  t.is(await other.done(), undefined);
  t.is(await ender.length({}), 0);
});

test("a put whose queue is made with it, and is lost on the way, is made again", async (t) => {
  const before = changedClient(one, {
    request: async (request, options) => {
      if (request.kind !== "write" || request.operation.kind !== "create" || isLost)
        return one.wire.request(request, options);
      isLost = true;
      throw new ConnectionLossError("of a test");
    },
  });
  let isLost = false;
  await texts(before, "/queues/unmade").put("a");
  t.deepEqual(await drained(texts(two, "/queues/unmade")), ["a"]);
});

test("an end whose answer and whose job are lost at once is not said to be refused", async (t) => {
  const path = "/queues/doubt";
  await texts(one, path).put("a");
  const dying = await (await sharedHost()).connect();
  using ender = texts(losing(dying, "multi", 2), path);
  const job = await ender.take();
  const ended = job.done(() => {
    // The end is under way when the job is given back.
    void Promise.resolve().then(async () => job.release());
    return [];
  });
  const error = await t.throwsAsync(ended);
  t.like(error, { code: "ZOOID_CONNECTION_LOSS", maybeApplied: "unknown" });
  await dying.close();
});

test("a consumer waits no longer than its signal says, also while it begins to follow the queue", async (t) => {
  const silent = changedClient(one, {
    request: async () => Promise.withResolvers<never>().promise,
  });
  const stop = new AbortController();
  const taken = texts(silent, "/queues/silent").take({ signal: stop.signal });
  stop.abort();
  await t.throwsAsync(taken, { code: "ZOOID_ABORTED" });
});

test("a dead letter that somebody deletes while the letters are read is left out", async (t) => {
  using queue = texts(one, "/queues/letters", 1);
  for (const value of ["a", "b"]) {
    await queue.put(value);
    const job = await queue.take();
    await job.release();
  }
  await t.throwsAsync(queue.take({ waitMs: 200 }), { code: "ZOOID_NOT_ACQUIRED" });
  const [first] = await queue.deadLetters();
  const deleting = changedClient(one, {
    request: async (request, options) => {
      const answer = await one.wire.request(request, options);
      const isList = request.kind === "read" && request.read.kind !== "getData";
      if (isList && first !== undefined) await one.delete(first.path).catch(() => undefined);
      return answer;
    },
  });
  t.is((await texts(deleting, "/queues/letters").deadLetters()).length, 1);
});

test("a consumer that has moved a dead letter goes on with the first of the jobs", async (t) => {
  using queue = texts(one, "/queues/after", 1);
  for (let round = 0; round < 5; round += 1) {
    await queue.put("in vain", { priority: 1 });
    await using vain = await queue.take();
    t.is(vain.value, "in vain");
    for (const value of ["a", "b", "c"]) await queue.put(value);
    await vain.release();
    t.deepEqual(await drained(queue), ["a", "b", "c"]);
  }
});

test("what a late read says of a holder does not hide a job that was given back meanwhile", async (t) => {
  await one.create("/queues/view/items", null, { parents: true });
  const { path, zxid } = await one.create("/queues/view/items/100-g-", "x", { sequential: true });
  const view = new QueueView(one, "/queues/view/items");
  const name = path.slice(path.lastIndexOf("/") + 1);
  const changed = new Promise<void>((resolve) => {
    let changes = 0;
    view.changed$.subscribe({
      next: () => {
        changes += 1;
        if (view.free(1) === name && changes > 1) resolve();
      },
      error: () => undefined,
    });
  });
  await one.create(`${path}/holder`, null, { ephemeral: true });
  await one.delete(`${path}/holder`);
  await changed;
  view.held(name, zxid);
  t.is(view.free(1), name);
  view.held(name, one.lastZxid);
  t.is(view.free(1), undefined);
  const stopped = t.throwsAsync(firstValueFrom(view.changed$), { code: "ZOOID_ABORTED" });
  view.stop();
  await stopped;
});
