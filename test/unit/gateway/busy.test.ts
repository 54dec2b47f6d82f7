/** What a gateway counts while somebody asks what is busy: exact by session, sampled by path, and never more than has a place. */
import fc from "fast-check";
import test from "ava";
import type { BusyWindow } from "../../../actors/admin/messages.ts";
import { type Busy, countRun, takeBusy } from "../../../actors/gateway/busy.ts";
import { HeavyHitters } from "../../../actors/gateway/heavy-hitters.ts";
import { countAnswered, newMetrics } from "../../../actors/gateway/metrics.ts";
import type { Run } from "../../../actors/gateway/request-queue.ts";
import { quantileOf } from "../../../cli/console/top/latencies.ts";
import { ANYONE } from "../../../protocol/identities.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import type { ZnodeRead } from "../../../protocol/reads.ts";

const SESSION = 7 as SessionId;

type Counting = {
  busy: Busy | undefined;
  readonly metrics: ReturnType<typeof newMetrics>;
  readonly connections: ReadonlyMap<number, { readonly queue: { readonly length: number } }>;
};

function counting(): Counting {
  const connections = new Map([[1, { queue: { length: 3 } }]]);
  return { busy: undefined, metrics: newMetrics(), connections };
}

const PING = { kind: "ping" } as const;
const get = (path: string): ZnodeRead => ({ kind: "getData", path, watch: false });
const set = (path: string): ClientOperation => {
  return { kind: "setData", path, data: null, version: -1 };
};

function runOf(of: Partial<Pick<Run, "reads" | "writes" | "travelling">>): Run {
  const none = { reads: [], writes: [], travelling: [], numbers: [] };
  return { ...none, who: ANYONE, goesOn: false, mayCut: false, ...of };
}

function windowOf(state: Counting, nowMs: number): BusyWindow {
  const { window } = takeBusy(state, nowMs);
  if (window === undefined) throw new Error("no window");
  return window;
}

test("nothing is counted before somebody asks, and no longer than 30 s after", (t) => {
  const state = counting();
  countRun(state, SESSION, runOf({ reads: [get("/a")] }), 0);
  t.is(state.busy, undefined);
  t.is(takeBusy(state, 1000).window, undefined, "it has only begun");
  countRun(state, SESSION, runOf({ reads: [get("/a")] }), 31_000);
  t.not(state.busy, undefined);
  countRun(state, SESSION, runOf({ reads: [get("/a")] }), 31_001);
  t.is(state.busy, undefined);
  t.is(state.metrics.latencies, undefined);
});

test("sessions are counted exactly, and what was counted before the last question is gone", (t) => {
  const state = counting();
  takeBusy(state, 0);
  const travelling = [{ after: 1, who: ANYONE, reads: [get("/c"), get("/d")] }];
  countRun(state, SESSION, runOf({ reads: [get("/a")], writes: [set("/b")], travelling }), 1);
  countRun(state, 8 as SessionId, runOf({ writes: [set("/b")] }), 1);
  const { ms, requests, sessions } = windowOf(state, 1000);
  t.deepEqual([ms, requests], [1000, 5]);
  t.deepEqual(sessions, [
    { key: SESSION, reads: 3, writes: 1 },
    { key: 8, reads: 0, writes: 1 },
  ]);
  t.is(windowOf(state, 1400).requests, 5, "who asks right behind is told the same");
  t.is(windowOf(state, 2000).requests, 0);
});

test("a path is estimated near what was asked of it, whatever the rhythm of requests is", (t) => {
  for (const rhythm of [1, 2, 16, 31]) {
    const state = counting();
    takeBusy(state, 0);
    const paths = Array.from({ length: rhythm }, (_, index) => `/${index}`);
    const asked = 128_000;
    for (let number = 0; number < asked; number += 4) {
      const of = (at: number): string => paths[(number + at) % rhythm] ?? "";
      const run = runOf({
        reads: [get(of(0)), get(of(1))],
        writes: [set(of(2))],
        travelling: [{ after: 1, who: ANYONE, reads: [get(of(3))] }],
      });
      countRun(state, SESSION, run, 1);
    }
    const { paths: told } = windowOf(state, 1000);
    t.is(told.length, Math.min(rhythm, 20));
    for (const { key, reads, writes } of told) {
      const share = asked / rhythm;
      t.true(Math.abs(reads + writes - share) < 0.35 * share, `${rhythm}: ${key}`);
    }
  }
});

test("where few requests come each is looked at, and where many come some are", (t) => {
  const state = counting();
  takeBusy(state, 0);
  const [path] = windowOf(state, 1000).paths;
  t.is(path, undefined);
  for (let number = 0; number < 400; number += 1) {
    countRun(state, SESSION, runOf({ reads: [get(`/${number % 3}`)] }), 1000);
  }
  t.deepEqual(
    windowOf(state, 2000).paths.map(({ reads }) => reads),
    [134, 133, 133],
  );
  const many = runOf({ reads: Array.from({ length: 100_000 }, () => get("/a")) });
  countRun(state, SESSION, many, 2000);
  windowOf(state, 3000);
  t.is(state.busy?.every, 64);
});

test("a transaction counts for its first path, and what is about no path for none", (t) => {
  const state = counting();
  takeBusy(state, 0);
  const multi = { kind: "multi", operations: [set("/first"), set("/second")] } as ClientOperation;
  const sets = runOf({ writes: Array.from({ length: 400 }, () => multi) });
  countRun(state, SESSION, sets, 1);
  const none = { kind: "closeSession" } as const;
  countRun(state, SESSION, runOf({ writes: Array.from({ length: 400 }, () => none) }), 1);
  const long = `/${"x".repeat(100_000)}`;
  countRun(state, SESSION, runOf({ reads: Array.from({ length: 400 }, () => get(long)) }), 1);
  const paths = windowOf(state, 1000).paths.map(({ key }) => key);
  t.deepEqual(paths.toSorted(), ["(longer paths)", "/first"]);
});

test("the busiest of tens of thousands of keys are found in the place of some hundreds", (t) => {
  const property = fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (start) => {
    const hitters = new HeavyHitters<number>((key) => key);
    let seed = start;
    for (let number = 0; number < 50_000; number += 1) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      // One in ten is one of five, the others are met once or twice.
      const key = number % 10 === 0 ? -1 - (seed % 5) : seed;
      hitters.add(key, 1, 0);
    }
    const [...top] = hitters.top(5);
    t.deepEqual(
      top.map(({ key }) => key).toSorted((a, b) => a - b),
      [-5, -4, -3, -2, -1],
    );
    t.true(hitters.top(1000).length <= 512);
  });
  fc.assert(property, { numRuns: 5 });
});

test("a key that comes again and again is found, though others were often once and many come once", (t) => {
  const hitters = new HeavyHitters<number>((key) => key);
  for (let key = 0; key < 128; key += 1) hitters.add(key, 100, 0);
  const [late, rounds] = [-1, 50];
  for (let round = 1; round <= rounds; round += 1) {
    hitters.add(late, 0, 99);
    for (let once = 0; once < 400; once += 1) hitters.add(1000 * round + once, 1, 0);
  }
  const [first] = hitters.top(1);
  t.is(first?.key, late);
  const all = 128 * 100 + rounds * (99 + 400);
  t.true((first?.writes ?? 0) >= 99 * rounds - all / 128 && (first?.writes ?? 0) <= 99 * rounds);
});

test("latencies are known within a fifth, those that take no time and those without an end too", (t) => {
  const state = counting();
  takeBusy(state, 0);
  for (const tookMs of [0, Number.MAX_VALUE])
    countAnswered(state.metrics, { request: PING, startedMs: 0 }, tookMs);
  t.is(windowOf(state, 1000).latencies.length, 2);
  for (let number = 1; number <= 100; number += 1)
    countAnswered(state.metrics, { request: PING, startedMs: 0 }, number);
  const { latencies } = windowOf(state, 2000);
  for (const quantile of [0.5, 0.9, 0.99]) {
    const estimated = quantileOf(latencies, quantile) ?? 0;
    t.true(Math.abs(estimated - 100 * quantile) < 20 * quantile, `${quantile}: ${estimated}`);
  }
  t.is(quantileOf([], 0.5), undefined);
});
