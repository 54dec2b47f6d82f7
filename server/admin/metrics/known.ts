/** What metrics are made of. */
import type { MetricsNames } from "../../config/node-config.ts";
import type { Metrics } from "../../../actors/admin/four-letter-words.ts";

export type Known = {
  readonly metrics: Metrics;
  readonly process: ProcessFacts;
  /** Under which names of ZooKeeper's releases it is told. */
  readonly names: MetricsNames;
};

/** What Node knows of the process. */
export type ProcessFacts = {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  /** Seconds since 1970. */
  readonly startedSeconds: number;
};

const STARTED_SECONDS = (Date.now() - process.uptime() * 1000) / 1000;
const MICROSECONDS = 1_000_000;

export function processFacts(): ProcessFacts {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    cpuSeconds: (user + system) / MICROSECONDS,
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    startedSeconds: STARTED_SECONDS,
  };
}
