/** The answers to zooid's own four-letter words: JSON of one line, for the console. */
import { formatSession, type ServerId } from "../../protocol/ids.ts";
import type { Mode } from "./four-letter-words.ts";
import type {
  BusyAnswer,
  BusyCounts,
  BusyWindow,
  Hitter,
  Part,
  SessionFacts,
  WatchFacts,
} from "./messages.ts";

export type About = {
  readonly server: ServerId;
  readonly mode: Mode | undefined;
  readonly nowMs: number;
};

/** The answer to `sess`. */
export type SessionsAnswer = {
  readonly node: number;
  /** The sessions of clients that are connected to this node. */
  readonly connected: readonly SessionFacts[];
  /** All sessions of the ensemble: which, the timeout in milliseconds, how many ephemerals. */
  readonly known: readonly (readonly [session: string, timeoutMs: number, ephemerals: number])[];
  /** In how many milliseconds a session ends that is not heard of. Only a leader knows: empty of the others. */
  readonly ends: readonly (readonly [session: string, inMs: number])[];
  /** How many of all three have no place in the answer. */
  readonly omitted: number;
};

/** The answer to `wtch`. */
export type WatchesAnswer = {
  readonly node: number;
  readonly watches: readonly WatchFacts[];
  /** How many have no place in the answer. */
  readonly omitted: number;
};

/** Gateways, the tree and the sessions actor have made JSON of each session themselves, so as to count the bytes. */
export function sessionsText({ server }: About, parts: readonly Part[]): string {
  const isTree = ({ from }: Part): boolean => from.startsWith("tree/");
  const isSessions = ({ from }: Part): boolean => from === "sessions";
  const connected = entriesOf(parts.filter((part) => !isTree(part) && !isSessions(part)));
  const known = entriesOf(parts.filter(isTree));
  const ends = entriesOf(parts.filter(isSessions));
  const lists = `"connected":[${connected}],"known":[${known}],"ends":[${ends}]`;
  return `{"node":${server},${lists},"omitted":${omittedOf(parts)}}\n`;
}

/** The gateways have made JSON of each watch. */
export function watchesText({ server }: About, parts: readonly Part[]): string {
  const watches = entriesOf(parts);
  return `{"node":${server},"watches":[${watches}],"omitted":${omittedOf(parts)}}\n`;
}

function entriesOf(parts: readonly Part[]): string {
  return parts.flatMap(({ groups }) => groups.flatMap((group) => group.entries)).join(",");
}

function omittedOf(parts: readonly Part[]): number {
  return parts.reduce((total, part) => total + part.omitted, 0);
}

export function busyText({ server, mode, nowMs }: About, parts: readonly Part[]): string {
  const all = parts.flatMap(({ busy }) => (busy === undefined ? [] : [busy]));
  const sum = (of: (counts: BusyCounts) => number): number =>
    all.reduce((total, { counts }) => total + of(counts), 0);
  const windows = all.flatMap(({ window }) => (window === undefined ? [] : [window]));
  const answer: BusyAnswer = {
    ...{ node: server, mode, atMs: nowMs },
    connections: sum((counts) => counts.connections),
    received: sum((counts) => counts.received),
    sent: sum((counts) => counts.sent),
    answered: sum((counts) => counts.answered),
    totalMs: sum((counts) => counts.totalMs),
    outstanding: sum((counts) => counts.outstanding),
    window: windows.length === 0 ? null : together(windows),
  };
  return `${JSON.stringify(answer)}\n`;
}

/** All gateways of a node are asked at the same time, so that their windows are about as long. */
function together(windows: readonly BusyWindow[]): NonNullable<BusyAnswer["window"]> {
  const latencies = new Map<number, number>();
  for (const window of windows) {
    for (const [upToMs, count] of window.latencies) {
      latencies.set(upToMs, (latencies.get(upToMs) ?? 0) + count);
    }
  }
  return {
    ms: Math.max(...windows.map(({ ms }) => ms)),
    requests: windows.reduce((total, { requests }) => total + requests, 0),
    paths: added(windows.flatMap(({ paths }) => paths)),
    sessions: added(
      windows.flatMap(({ sessions }) =>
        sessions.map(({ key, ...counts }) => ({ key: formatSession(key), ...counts })),
      ),
    ),
    latencies: [...latencies].sort(([a], [b]) => a - b),
  };
}

function added(hitters: readonly Hitter<string>[]): readonly Hitter<string>[] {
  const all = new Map<string, Hitter<string>>();
  for (const { key, reads, writes } of hitters) {
    const before = all.get(key) ?? { key, reads: 0, writes: 0 };
    all.set(key, { key, reads: before.reads + reads, writes: before.writes + writes });
  }
  return [...all.values()].sort((a, b) => b.reads + b.writes - a.reads - a.writes);
}
