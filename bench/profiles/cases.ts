/** The cases of the profiles that are plain loads: so many connections, so many requests under way, one work. */
import type { Protocol } from "../load/plan.ts";
import { KEEPER_WORKS, type WorkName } from "../load/work.ts";
import type { BenchOptions } from "../options.ts";
import type { Point } from "../report/measurement.ts";

export type LoadCase = {
  readonly name: string;
  readonly work: WorkName;
  readonly connections: number;
  readonly outstanding: number;
  readonly valueBytes: number;
  readonly ratePerSecond?: number;
  readonly points?: readonly Point[];
};

/** The connections of the profiles whose names do not say otherwise. */
const CONNECTIONS = 30;
const WINDOW = 64;
/** Keeper's harness has 640 requests under way. */
const KEEPER = { connections: 32, outstanding: 20 };
/** An open loop's connections may have so many unanswered requests. Beyond, requests are overdue. */
const OPEN_LOOP_WINDOW = 4096;
const OPEN_LOOP_RATES = [250, 500, 1000, 2000, 4000, 8000, 16_000];
const CONNECTION_COUNTS = [1, 10, 100, 1000, 5000];
const LARGE_VALUES = [
  { valueBytes: 1000, outstanding: 64 },
  { valueBytes: 100_000, outstanding: 2 },
];

export type LoadProfileName =
  | "lone"
  | "clients"
  | "write"
  | "create"
  | "read"
  | "mixed"
  | "multi"
  | "values"
  | "open-loop"
  | "connections"
  | "keeper"
  | "custom";

type MakeCases = (options: BenchOptions) => readonly LoadCase[];

export const LOAD_CASES: Readonly<Record<LoadProfileName, MakeCases>> = {
  lone: (options) => cases(options, ["set", "create", "get"], [[1, 1]]),
  clients: (options) => [
    ...cases(options, ["set", "create", "get"], [[CONNECTIONS, 1]]),
    ...cases(options, options.quick ? ["set"] : ["set", "create", "get"], [[300, 1]]),
  ],
  write: (options) =>
    cases(
      options,
      ["set"],
      options.quick
        ? [[CONNECTIONS, WINDOW]]
        : [
            [CONNECTIONS, WINDOW],
            [CONNECTIONS, 128],
          ],
    ),
  create: (options) => cases(options, ["create"], [[CONNECTIONS, WINDOW]]),
  read: (options) => cases(options, ["get"], [[CONNECTIONS, WINDOW]]),
  mixed: (options) => cases(options, ["mixed 90/10", "mixed 50/50"], [[CONNECTIONS, WINDOW]]),
  multi: (options) =>
    cases(
      options,
      ["multi"],
      [
        [CONNECTIONS, 1],
        [CONNECTIONS, 16],
      ],
    ),
  values: (options) =>
    LARGE_VALUES.flatMap(({ valueBytes, outstanding }) =>
      (["set", "get"] as const).map((work) => ({
        ...caseOf({ ...options, valueBytes }, work, [CONNECTIONS, outstanding]),
        name: `${work} of ${valueBytes / 1000} KB ${CONNECTIONS}x${outstanding}`,
      })),
    ),
  "open-loop": (options) => openLoop(options),
  connections: (options) =>
    (options.quick ? CONNECTION_COUNTS.slice(0, 4) : CONNECTION_COUNTS).flatMap((connections) =>
      (["set", "get"] as const).map((work) => {
        const each = caseOf(options, work, [connections, 1]);
        const point = { plot: `${work}, by connections`, axis: "connections", x: connections };
        return { ...each, points: [point] };
      }),
    ),
  keeper: (options) =>
    KEEPER_WORKS.map((work) => ({
      ...caseOf(options, work, [KEEPER.connections, KEEPER.outstanding]),
      name: work.slice("keeper ".length),
    })),
  custom: (options) => cases(options, options.works, [[options.connections, options.outstanding]]),
};

type Load = readonly [connections: number, outstanding: number];

function cases(
  options: BenchOptions,
  works: readonly WorkName[],
  loads: readonly Load[],
): readonly LoadCase[] {
  return loads.flatMap((load) => works.map((work) => caseOf(options, work, load)));
}

function caseOf(
  { valueBytes }: { readonly valueBytes: number },
  work: WorkName,
  [connections, outstanding]: Load,
): LoadCase {
  const x = connections * outstanding;
  const point = { plot: `${work}, by requests under way`, axis: "requests under way", x };
  return {
    name: `${work} ${connections}x${outstanding}`,
    ...{ work, connections, outstanding, valueBytes },
    points: [point],
  };
}

function openLoop(options: BenchOptions): readonly LoadCase[] {
  const rates = options.rates.length > 0 ? options.rates : OPEN_LOOP_RATES;
  return rates.map((ratePerSecond) => ({
    ...caseOf(options, "set", [CONNECTIONS, OPEN_LOOP_WINDOW]),
    name: `set at ${ratePerSecond}/s`,
    ratePerSecond,
    points: [{ plot: "set, open loop", axis: "requests/s asked for", x: ratePerSecond }],
  }));
}

/** Returns why servers of a protocol cannot do a work; undefined if they can. */
export function whyNotOffered(work: WorkName, protocol: Protocol): string | undefined {
  if (protocol !== "jetstream") return undefined;
  if (work === "multi" || /multi-large|write-multi|prod-mix|large-payload/.test(work)) {
    return "JetStream has no transaction over several keys";
  }
  if (/^keeper (?:read|read-multi|list-heavy)$/.test(work)) {
    return "JetStream lists keys only by a consumer";
  }
  return undefined;
}
