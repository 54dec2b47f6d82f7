/**
 * What changes in the tree while the page is looked at: one stream of summaries for the tab, twice a second at most. While it is paused,
 * changes are counted, and what is shown stays as it is.
 */
import { type Signal, signal } from "@preact/signals";
import { authorization, errorOf, urlOf } from "./api.ts";
import { parseEvents } from "./format/events.ts";
import { piecesOf } from "./pieces.ts";

export type Summary = {
  readonly zxid: string;
  readonly changes: number;
  readonly paths: readonly string[];
  /** How many paths have changed beside these. */
  readonly unlisted: number;
};

export type LiveState = "off" | "connecting" | "live" | "lost";

const EVERY_MS = 500;
const AGAIN_MS = 2000;

export const liveState: Signal<LiveState> = signal<LiveState>("off");
export const isPaused: Signal<boolean> = signal(false);
/** Changes since what is shown was read. */
export const missed: Signal<number> = signal(0);

type Listener = (summary: Summary) => void;
const listeners = new Set<Listener>();
let pending: Summary | undefined;
let stop: AbortController | undefined;

const ALL: Summary = { zxid: "0x0", changes: 1, paths: [], unlisted: 1 };

/** Calls the listener with each summary, or with all together at the end of a pause. Returns how to end that. */
export function onChanges(listener: Listener): () => void {
  listeners.add(listener);
  start();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) end();
  };
}

export function setPaused(paused: boolean): void {
  isPaused.value = paused;
  if (!paused) flush();
}

function start(): void {
  // A tab that nobody looks at takes no stream: there are 16, and a browser has six connections for all its tabs.
  if (stop !== undefined || listeners.size === 0 || document.hidden) return;
  stop = new AbortController();
  void follow(stop.signal);
}

function end(): void {
  stop?.abort();
  stop = undefined;
  liveState.value = "off";
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) end();
  else start();
});

async function follow(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    liveState.value = "connecting";
    await readStream(signal).catch(() => undefined);
    if (signal.aborted) return;
    liveState.value = "lost";
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function readStream(signal: AbortSignal): Promise<void> {
  const query = { path: "/", recursive: "true", every: EVERY_MS };
  const response = await fetch(urlOf("changes", query), { headers: authorization(), signal });
  if (!response.ok || response.body === null) throw errorOf(response.status, await response.text());
  liveState.value = "live";
  // The stream begins now, which all dashboards of a node share: what has changed since what is shown was read is not known.
  take(ALL);
  let text = "";
  for await (const piece of piecesOf(response.body.pipeThrough(new TextDecoderStream()))) {
    const { events, rest } = parseEvents(text + piece);
    text = rest;
    for (const { name, data } of events) {
      if (name === "summary") take(JSON.parse(data) as Summary);
      if (name === "gap") take(ALL);
    }
  }
}

function take(summary: Summary): void {
  pending = pending === undefined ? summary : together(pending, summary);
  missed.value += summary.changes;
  if (!isPaused.value) flush();
}

function flush(): void {
  const summary = pending;
  pending = undefined;
  missed.value = 0;
  if (summary === undefined) return;
  for (const listener of listeners) listener(summary);
}

const PATHS_MAX = 1000;

function together(one: Summary, other: Summary): Summary {
  const paths = [...new Set([...one.paths, ...other.paths])];
  const unlisted = one.unlisted + other.unlisted + Math.max(paths.length - PATHS_MAX, 0);
  return {
    zxid: other.zxid,
    changes: one.changes + other.changes,
    paths: paths.slice(0, PATHS_MAX),
    unlisted,
  };
}
