/** The samples of all servers as text and as JSON. */
import { grouped } from "../../counted.ts";
import { type Column, tableLines } from "../table.ts";
import type { Rate, Sample } from "./sampler.ts";

const SERVER_COLUMNS: readonly Column[] = [
  { name: "server", align: "left" },
  { name: "mode", align: "left" },
  { name: "requests/s", align: "right" },
  { name: "mean ms", align: "right" },
  { name: "p50 ms", align: "right" },
  { name: "p99 ms", align: "right" },
  { name: "waiting", align: "right" },
  { name: "clients", align: "right" },
  { name: "zxid", align: "left" },
];

const RATE_COLUMNS: readonly Column[] = [
  { name: "requests/s", align: "right" },
  { name: "reads/s", align: "right" },
  { name: "writes/s", align: "right" },
];

/** The busiest of all servers. Undefined: none tells. */
export type Busiest = {
  readonly paths: readonly Rate[] | undefined;
  readonly sessions: readonly Rate[] | undefined;
};

export function busiestOf(samples: readonly Sample[], rows: number): Busiest {
  return {
    paths: together(samples, ({ paths }) => paths)?.slice(0, rows),
    sessions: together(samples, ({ sessions }) => sessions)?.slice(0, rows),
  };
}

function together(
  samples: readonly Sample[],
  of: (sample: Sample) => readonly Rate[] | undefined,
): readonly Rate[] | undefined {
  const all = samples.flatMap((sample) => of(sample) ?? []);
  if (samples.every((sample) => of(sample) === undefined)) return undefined;
  const rates = new Map<string, Rate>();
  for (const rate of all) {
    const { key, total, reads, writes } = rate;
    const before = rates.get(key) ?? { key, total: 0, reads: undefined, writes: undefined };
    rates.set(key, {
      key,
      total: before.total + total,
      reads: sum(before.reads, reads),
      writes: sum(before.writes, writes),
    });
  }
  return [...rates.values()].sort((a, b) => b.total - a.total);
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : a + (b ?? 0);
}

export async function textOfSamples(
  samples: readonly Sample[],
  { paths, sessions }: Busiest,
  shown: (text: string) => string,
): Promise<readonly string[]> {
  const lines = [...(await tableLines(SERVER_COLUMNS, samples.map(rowOf)))];
  for (const [name, rates] of [
    ["busiest paths", paths],
    ["busiest sessions", sessions],
  ] as const) {
    if (rates === undefined) continue;
    const columns = [...RATE_COLUMNS, { name, align: "left" } as const];
    lines.push("", ...(await tableLines(columns, rates.map(rateRow))));
  }
  return lines.map(shown);
}

function rowOf(sample: Sample): readonly string[] {
  const { name, mode, because, requests, meanMs, p50Ms, p99Ms, waiting, clients, zxid } = sample;
  return [
    ...[name, mode ?? `down: ${because ?? "unknown"}`, rateText(requests)],
    ...[meanMs, p50Ms, p99Ms].map((ms) => (ms === undefined ? "-" : ms.toFixed(2))),
    ...[waiting, clients, zxid].map((value) => String(value ?? "-")),
  ];
}

function rateRow({ key, total, reads, writes }: Rate): readonly string[] {
  return [...[total, reads, writes].map(rateText), key];
}

/** What is rare has a fraction. */
function rateText(rate: number | undefined): string {
  if (rate === undefined) return "-";
  return rate < 10 ? rate.toFixed(1) : grouped(Math.round(rate));
}

export function jsonOfSamples(samples: readonly Sample[], { paths, sessions }: Busiest): object {
  const servers = samples.map((sample) => {
    const { name, mode, because, requests, meanMs, p50Ms, p99Ms } = sample;
    const { waiting, clients, zxid } = sample;
    return {
      ...{ server: name, mode: mode ?? null, because: because ?? null, requests: requests ?? null },
      ...{ meanMs: meanMs ?? null, p50Ms: p50Ms ?? null, p99Ms: p99Ms ?? null },
      ...{ waiting: waiting ?? null, clients: clients ?? null, zxid: zxid ?? null },
    };
  });
  const rates = (all: readonly Rate[] | undefined, name: string): object[] | null =>
    all?.map(({ key, total, reads = null, writes = null }) => {
      return { [name]: key, requests: total, reads, writes };
    }) ?? null;
  return {
    at: new Date().toISOString(),
    servers,
    paths: rates(paths, "path"),
    sessions: rates(sessions, "session"),
    missing: [...new Set(samples.flatMap(({ missing }) => missing))],
  };
}
