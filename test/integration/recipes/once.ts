/** Work that runs once, and work by the clock, against a node of zooid. */
import test from "ava";
import { filter, firstValueFrom } from "rxjs";
import type { Client } from "../../../client/client.ts";
import { oncePer } from "../../../client/recipes/once.ts";
import { ConnectionLossError } from "../../../protocol/errors.ts";
import { ttlOf } from "../../../protocol/lifetime.ts";
import type { NativeWrite } from "../../../protocol/native-packing.ts";
import { changedClient, HandClock, sharedClients, sharedHost } from "../../support/recipes.ts";

let one: Client;
let two: Client;

test.before(async () => {
  [one, two] = await sharedClients();
});

test("the work runs once, and all get its result", async (t) => {
  let runs = 0;
  const work = async (): Promise<{ readonly run: number }> => {
    runs += 1;
    return { run: runs };
  };
  const asked = [one, two, one, two].map(async (client) => client.once("/runs/once", work));
  t.deepEqual(
    await Promise.all(asked),
    Array.from({ length: 4 }, () => ({ run: 1 })),
  );
  t.deepEqual(await one.once("/runs/once", work), { run: 1 });
});

test("a runner that dies is followed by another one with a larger fence, and its result is refused", async (t) => {
  const dying = await (await sharedHost()).connect();
  const begun = Promise.withResolvers<void>();
  const going = Promise.withResolvers<string>();
  const fences: bigint[] = [];
  const first = dying.once("/runs/dies", async ({ fence }) => {
    fences.push(fence);
    begun.resolve();
    return going.promise;
  });
  await begun.promise;
  const second = two.once("/runs/dies", ({ fence }) => {
    fences.push(fence);
    return "second";
  });
  await dying.close();
  t.is(await second, "second");
  going.resolve("first");
  await t.throwsAsync(first);
  t.is(await one.once("/runs/dies", () => "third"), "second");
  t.true((fences[1] ?? 0n) > (fences[0] ?? 0n));
});

test("a run whose turn was taken away stores nothing", async (t) => {
  const run = one.once("/runs/taken", async () => {
    const { children } = await two.children("/runs/taken");
    await two.delete(`/runs/taken/${children[0]}`);
    t.is(await two.once("/runs/taken", () => "other"), "other");
    return "mine";
  });
  await t.throwsAsync(run, { code: "ZOOID_CLAIM_LOST" });
  t.is(await one.once("/runs/taken", () => "third"), "other");
});

test("work that throws is not kept, and a caller that waits no longer is told so", async (t) => {
  const failing = one.once("/runs/throws", () => {
    throw new Error("of the work");
  });
  await t.throwsAsync(failing, { message: "of the work" });
  const going = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<void>();
  const run = one.once("/runs/throws", async () => {
    begun.resolve();
    return going.promise;
  });
  await begun.promise;
  await t.throwsAsync(
    two.once("/runs/throws", () => "no", { waitMs: 0 }),
    {
      code: "ZOOID_NOT_ACQUIRED",
    },
  );
  going.resolve("yes");
  t.is(await run, "yes");
});

test("a result that is kept for a time is a znode with that time to live", async (t) => {
  const modes: unknown[] = [];
  const seen = changedClient(one, {
    request: async (request, options) => {
      const { operation } = request as { operation?: NativeWrite };
      if (operation?.kind === "create" && operation.path === "/runs/ttl")
        modes.push(operation.mode);
      return one.wire.request(request, options);
    },
  });
  await seen.once("/runs/ttl", () => 1, { keepResultMs: 86_400_000 });
  t.like(modes.at(-1), { lifetime: ttlOf(86_400_000) });
});

test("an end whose answer was lost is found to be done", async (t) => {
  let multis = 0;
  const losing = changedClient(one, {
    request: async (request, options) => {
      const answer = await one.wire.request(request, options);
      if (request.kind !== "write" || request.operation.kind !== "multi") return answer;
      multis += 1;
      throw new ConnectionLossError("of a test");
    },
  });
  t.is(await losing.once("/runs/lost", () => "done"), "done");
  t.is(multis, 2);
  t.is(await two.once("/runs/lost", () => "again"), "done");
});

test("each tick runs once, and one that comes late is left out", async (t) => {
  const run = async (client: Client, tick: number): Promise<unknown> =>
    oncePer(client, { path: "/runs/ticks", tick }, () => tick);
  t.like(await run(one, 1), { kind: "done", result: 1, ranHere: true });
  t.like(await run(two, 1), { kind: "done", result: 1, ranHere: false });
  t.like(await run(two, 3), { kind: "done", result: 3, ranHere: true });
  t.like(await run(one, 2), { kind: "overtaken" });
  await t.throwsAsync(
    one.once("/runs/ticks", () => 0),
    { code: "ZOOID_BAD_ARGUMENTS" },
  );
});

test("work by the clock runs on one of all instances, at each planned time in the time zone", async (t) => {
  const startMs = Date.parse("2026-03-28T12:00:00Z");
  const clock = new HandClock();
  const wallMs = (): number => startMs + clock.nowMs();
  const ran: number[] = [];
  const jobs = [one, two].map((client) =>
    changedClient(client, { clock, validUntilMs: Infinity }).cron(
      "/runs/cron",
      "0 3 * * *",
      () => void ran.push(wallMs()),
      { timeZone: "Europe/Berlin", wallMs },
    ),
  );
  // In the night to March 29th the clocks of Berlin go from 2:00 to 3:00.
  t.is(jobs[0]?.next?.toISOString(), "2026-03-29T01:00:00.000Z");
  for (const hours of [13, 24]) {
    const seen = jobs.map(async ({ runs$ }) => firstValueFrom(runs$));
    clock.advance(hours * 3_600_000);
    const kinds = (await Promise.all(seen)).map(({ kind }) => kind);
    t.deepEqual(kinds.toSorted(), ["elsewhere", "ran"]);
  }
  t.is(ran.length, 2);
  for (const job of jobs) await job[Symbol.asyncDispose]();
});

test("work by the clock that throws does not run again for that time", async (t) => {
  const clock = new HandClock();
  const changed = changedClient(one, { clock, validUntilMs: Infinity });
  let runs = 0;
  const work = (): void => {
    runs += 1;
    throw new Error("of the work");
  };
  await using job = changed.cron("/runs/fails", "* * * * *", work, { wallMs: clock.nowMs });
  const seen = firstValueFrom(job.runs$.pipe(filter(({ kind }) => kind === "failed")));
  clock.advance(60_000);
  t.like(await seen, { kind: "failed", error: { message: "of the work" } });
  t.like(await oncePer(two, { path: "/runs/fails", tick: 60_000 }, work), { ranHere: false });
  t.is(runs, 1);
});

test("a pattern or a time zone that does not exist is refused", (t) => {
  const refused = { code: "ZOOID_BAD_ARGUMENTS" };
  t.throws(() => one.cron("/runs/bad", "61 * * * *", () => 0), refused);
  t.throws(() => one.cron("/runs/bad", "* * * * *", () => 0, { timeZone: "Mars/Base" }), refused);
});
