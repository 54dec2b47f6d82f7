/**
 * What the clients of a gateway ask for most, and who asks most: for the four-letter word `busy`. It is counted while somebody has asked
 * lately. Sessions are counted by the batch. For paths some requests are looked at, all of them where they are few, at a distance that differs
 * from one to the next, so that no rhythm of a client hides a path.
 */
import type { SessionId } from "../../protocol/ids.ts";
import type { BusyCounts, BusyPart, BusyWindow } from "../admin/messages.ts";
import { HeavyHitters } from "./heavy-hitters.ts";
import { listedLatencies, newLatencies } from "./latencies.ts";
import { type Metrics, outstandingOf } from "./metrics.ts";
import { ownedText } from "../owned-text.ts";
import { pathOf } from "./request-path.ts";
import type { Run } from "./request-queue.ts";
import { nextDistance, type Sampling } from "./sampling.ts";

/** How long it is counted after somebody has asked. */
const COUNTED_MS = 30_000;
/** Who asks sooner after another one is told the same. */
const WINDOW_MS_MIN = 500;
const LISTED = 20;
/** About so many requests a second are looked at, or, if those are more, one in SAMPLED_EVERY_MAX. */
const SAMPLES_PER_SECOND = 500;
const SAMPLED_EVERY_MAX = 64;
/** Before it is known how many come. */
const SAMPLED_EVERY_FIRST = 16;
/** Longer paths are counted together. */
const PATH_CHARACTERS_MAX = 512;
const LONG_PATHS = "(longer paths)";

type Window = {
  readonly sinceMs: number;
  requests: number;
  readonly paths: HeavyHitters<string>;
  readonly sessions: HeavyHitters<SessionId>;
};

export type Busy = Sampling & {
  untilMs: number;
  window: Window;
  /** What was counted between the two questions before. */
  last: BusyWindow | undefined;
  /** How many requests go by before one is looked at. */
  distance: number;
};

/** What counting needs of a gateway's state. `busy` is undefined while nobody has asked lately. */
type Counting = { busy: Busy | undefined; readonly metrics: Metrics };

/** Counts what goes out at once for a session. Called while somebody has asked lately. */
export function countRun(state: Counting, session: SessionId, run: Run, nowMs: number): void {
  const { busy } = state;
  if (busy === undefined) return;
  if (nowMs > busy.untilMs) {
    end(state);
    return;
  }
  const { reads, writes, travelling } = run;
  let readCount = reads.length;
  for (const behind of travelling) readCount += behind.reads.length;
  const count = readCount + writes.length;
  if (count === 0) return;
  const { window } = busy;
  window.requests += count;
  window.sessions.add(session, readCount, writes.length);
  while (busy.distance <= count) {
    sample(window, run, busy.distance - 1, busy.every);
    busy.distance += nextDistance(busy);
  }
  busy.distance -= count;
}

/** The requests of a run in the order: reads, writes, reads that travel. */
function sample(
  { paths }: Window,
  { reads, writes, travelling }: Run,
  index: number,
  weight: number,
): void {
  const read = reads[index];
  if (read !== undefined) {
    countPath(paths, pathOf(read), weight, 0);
    return;
  }
  const write = writes[index - reads.length];
  if (write !== undefined) {
    countPath(paths, pathOf(write), 0, weight);
    return;
  }
  let left = index - reads.length - writes.length;
  for (const behind of travelling) {
    const behindRead = behind.reads[left];
    if (behindRead !== undefined) {
      countPath(paths, pathOf(behindRead), weight, 0);
      return;
    }
    left -= behind.reads.length;
  }
}

function countPath(
  paths: HeavyHitters<string>,
  path: string | undefined,
  reads: number,
  writes: number,
): void {
  if (path === undefined) return;
  paths.add(path.length > PATH_CHARACTERS_MAX ? LONG_PATHS : path, reads, writes);
}

/** Tells what was counted since the question before, and goes on. The first question only begins it. */
export function takeBusy(
  state: Counting & { readonly connections: ReadonlyMap<number, Queued> },
  nowMs: number,
): BusyPart {
  const busy = begun(state, nowMs);
  const { window } = busy;
  const ms = nowMs - window.sinceMs;
  if (ms >= WINDOW_MS_MIN) {
    busy.last = {
      ms,
      requests: window.requests,
      paths: window.paths.top(LISTED),
      sessions: window.sessions.top(LISTED),
      latencies: takeLatencies(state.metrics),
    };
    busy.every = everyOf((window.requests * 1000) / ms);
    busy.window = newWindow(nowMs);
  }
  busy.untilMs = nowMs + COUNTED_MS;
  return { counts: countsOf(state), window: busy.last };
}

function everyOf(requestsPerSecond: number): number {
  const every = Math.ceil(requestsPerSecond / SAMPLES_PER_SECOND);
  return Math.min(Math.max(every, 1), SAMPLED_EVERY_MAX);
}

function begun(state: Counting, nowMs: number): Busy {
  const { busy } = state;
  if (busy !== undefined && nowMs <= busy.untilMs) return busy;
  const begins: Busy = {
    untilMs: nowMs + COUNTED_MS,
    window: newWindow(nowMs),
    last: undefined,
    every: SAMPLED_EVERY_FIRST,
    distance: 1,
    seed: 1,
  };
  state.busy = begins;
  state.metrics.latencies = newLatencies();
  return begins;
}

function end(state: Counting): void {
  state.busy = undefined;
  state.metrics.latencies = undefined;
}

function newWindow(sinceMs: number): Window {
  return {
    sinceMs,
    requests: 0,
    // A path may be a piece of a whole message.
    paths: new HeavyHitters(ownedText),
    sessions: new HeavyHitters((session) => session),
  };
}

type Queued = { readonly queue: { readonly length: number } };

function countsOf({
  connections,
  metrics,
}: Counting & { readonly connections: ReadonlyMap<number, Queued> }): BusyCounts {
  const outstanding = outstandingOf(connections);
  const { received, sent, answered, totalMs } = metrics;
  return { connections: connections.size, received, sent, answered, totalMs, outstanding };
}

function takeLatencies(metrics: Metrics): BusyWindow["latencies"] {
  const { latencies } = metrics;
  if (latencies === undefined) return [];
  metrics.latencies = newLatencies();
  return listedLatencies(latencies);
}
