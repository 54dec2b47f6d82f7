/** What a server has done since it was asked the time before: rates and latencies, busiest paths and sessions. */
import type { BusyAnswer, Hitter } from "../../../actors/admin/messages.ts";
import type { ServerStatus } from "../../srvr.ts";
import { connectionsOf } from "../servers/apache-sessions.ts";
import { nameOf, type Server } from "../servers/servers.ts";
import { isZooid, statusOf } from "../servers/statuses.ts";
import { ownAnswerOf, refusalOf, textOf } from "../servers/words.ts";
import { type Counted, meanBetween, quantileOf } from "./latencies.ts";

/** So many a second. Undefined: the server does not tell reads from writes. */
export type Rate = {
  readonly key: string;
  readonly total: number;
  readonly reads: number | undefined;
  readonly writes: number | undefined;
};

/** Undefined: the server does not tell it, or there was nothing. */
export type Sample = {
  readonly name: string;
  readonly mode: string | undefined;
  /** Why there is no mode. */
  readonly because: string | undefined;
  readonly requests: number | undefined;
  readonly meanMs: number | undefined;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly waiting: number | undefined;
  readonly clients: number | undefined;
  readonly zxid: string | undefined;
  readonly paths: readonly Rate[] | undefined;
  readonly sessions: readonly Rate[] | undefined;
  /** What it did not tell, and how it is brought to. */
  readonly missing: readonly string[];
};

/** What a server has told at one moment. */
type Report = {
  readonly atMs: number;
  readonly status: ServerStatus;
  readonly busy: BusyAnswer | undefined;
  /** How many requests were answered since the start, and how many milliseconds they took together. */
  readonly answered: Counted | undefined;
  /** What has come from each session. */
  readonly received: ReadonlyMap<string, number> | undefined;
  readonly missing: readonly string[];
};

export class Sampler {
  readonly #server: Server;
  #before: Report | undefined;

  constructor(server: Server) {
    this.#server = server;
  }

  /** The first time there are no rates. */
  async sample(): Promise<Sample> {
    const now = await this.#ask();
    const before = this.#before;
    this.#before = now;
    const { mode, because, outstanding: waiting, clients, zxid } = now.status;
    const name = this.#server.address ?? String(this.#server.id);
    const meanMs = meanBetween(before?.answered, now.answered);
    const rates = now.busy === undefined ? ratesBetween(before, now) : busyRates(now.busy);
    const { missing } = now;
    return { name, mode, because, waiting, clients, zxid, missing, meanMs, ...rates };
  }

  async #ask(): Promise<Report> {
    const status = await statusOf(this.#server);
    const silent: Report = {
      ...{ atMs: performance.now(), status, missing: [] },
      ...{ busy: undefined, answered: undefined, received: undefined },
    };
    if (status.mode === undefined) return silent;
    const ask = isZooid(status) ? askZooid : askApache;
    return { ...silent, ...(await ask(this.#server)) };
  }
}

async function askZooid(server: Server): Promise<Partial<Report>> {
  const answer = await server.ask("busy");
  const busy = ownAnswerOf<BusyAnswer>(answer, []);
  if (busy === undefined) return { missing: [refusalOf(server, "busy", answer)] };
  return { busy, answered: { count: busy.answered, total: busy.totalMs } };
}

/** By `mntr`, latencies of all requests; by `cons`, what each session has sent. */
async function askApache(server: Server): Promise<Partial<Report>> {
  const [mntr, cons] = [await server.ask("mntr"), await server.ask("cons")];
  const [metrics, connections] = [textOf(mntr), textOf(cons)];
  return {
    answered: metrics === undefined ? undefined : answeredOf(metrics),
    received: connections === undefined ? undefined : receivedOf(connections),
    missing: [
      `${nameOf(server)}: Apache ZooKeeper does not tell which paths are busy`,
      ...(metrics === undefined ? [refusalOf(server, "mntr", mntr)] : []),
      ...(connections === undefined ? [refusalOf(server, "cons", cons)] : []),
    ],
  };
}

function receivedOf(cons: string): ReadonlyMap<string, number> {
  return new Map(connectionsOf(cons).map(({ session, received }) => [session, received ?? 0]));
}

const LATENCY_SUMS = /^zk_(cnt|sum)_(?:read|update)latency\t(\d{1,15})$/gm;

/** Undefined: the server is older. Source: READ_LATENCY and UPDATE_LATENCY of ServerMetrics, ZooKeeper 3.6 and later. */
export function answeredOf(mntr: string): Counted | undefined {
  const sums = { cnt: 0, sum: 0 };
  let found = 0;
  for (const [, what, value] of mntr.matchAll(LATENCY_SUMS)) {
    sums[what === "cnt" ? "cnt" : "sum"] += Number(value);
    found += 1;
  }
  return found === 0 ? undefined : { count: sums.cnt, total: sums.sum };
}

type Rates = Pick<Sample, "requests" | "p50Ms" | "p99Ms" | "paths" | "sessions">;

const NO_RATES: Rates = {
  ...{ requests: undefined, p50Ms: undefined, p99Ms: undefined },
  ...{ paths: undefined, sessions: undefined },
};

/** By the packets that have come, which every server tells. */
function ratesBetween(before: Report | undefined, now: Report): Rates {
  const [first, second] = [before?.status.received, now.status.received];
  if (before === undefined || first === undefined || second === undefined) return NO_RATES;
  const seconds = (now.atMs - before.atMs) / 1000;
  const received = second - first;
  // It was started again, or its counters were set back.
  if (seconds <= 0 || received < 0) return NO_RATES;
  return {
    ...NO_RATES,
    requests: received / seconds,
    sessions: now.received && sessionRates(before.received ?? new Map(), now.received, seconds),
  };
}

function sessionRates(
  before: ReadonlyMap<string, number>,
  now: ReadonlyMap<string, number>,
  seconds: number,
): readonly Rate[] {
  return [...now].flatMap(([key, received]) => {
    const total = (received - (before.get(key) ?? 0)) / seconds;
    return total > 0 ? [{ key, total, reads: undefined, writes: undefined }] : [];
  });
}

/** By what zooid counts between two questions. */
function busyRates({ window }: BusyAnswer): Rates {
  if (window === null) return NO_RATES;
  const seconds = window.ms / 1000;
  const rateOf = ({ key, reads, writes }: Hitter<string>): Rate => {
    return {
      key,
      total: (reads + writes) / seconds,
      reads: reads / seconds,
      writes: writes / seconds,
    };
  };
  return {
    requests: window.requests / seconds,
    p50Ms: quantileOf(window.latencies, 0.5),
    p99Ms: quantileOf(window.latencies, 0.99),
    paths: window.paths.map(rateOf),
    sessions: window.sessions.map(rateOf),
  };
}
