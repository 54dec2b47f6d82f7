/** What the works of `zooid bench` do, and how they are measured. */
import type { Client } from "../../../client/connect.ts";
import { LatencyHistogram } from "../../latency-histogram.ts";
import { CREATED_MAX, FAILURES_MAX, VALUES_BYTES_MAX, VALUES_MAX } from "./limits.ts";

/** How many znodes are made at a time before the measurement. */
const PREPARED_AT_ONCE = 64;
/** One operation of `mixed` in so many is a set. */
const SET_EVERY = 10;
const MICROSECONDS = 1000;

export type Load = {
  readonly clients: readonly Client[];
  /** On each client. */
  readonly outstanding: number;
  readonly seconds: number;
  readonly value: Uint8Array;
  /** The znode of this bench. */
  readonly root: string;
  readonly signal: AbortSignal;
};

/** Undefined: there is nothing more to do. */
type Operation = (client: Client, number: number) => Promise<unknown> | undefined;

export type Measured = {
  readonly work: string;
  readonly operations: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
  /** Why the first of those failed. */
  readonly because: unknown;
};

/** Makes the znodes that set, get and mixed work on. */
export async function prepare({
  clients,
  outstanding,
  value,
  root,
  signal,
}: Load): Promise<readonly string[]> {
  const [client] = clients;
  if (client === undefined) return [];
  const fitting = Math.max(1, Math.floor(VALUES_BYTES_MAX / value.length));
  const count = Math.min(clients.length * outstanding, VALUES_MAX, fitting);
  const paths = Array.from({ length: count }, (_, index) => `${root}/value-${index}`);
  for (let from = 0; from < count; from += PREPARED_AT_ONCE) {
    const some = paths.slice(from, from + PREPARED_AT_ONCE);
    await Promise.all(some.map((path) => client.create(path, value, { signal })));
  }
  return paths;
}

export function operationOf(work: string, load: Load, paths: readonly string[]): Operation {
  const { value, root, signal } = load;
  const pathOf = (number: number): string => paths[number % paths.length] ?? root;
  const set: Operation = (client, number) => client.set(pathOf(number), value, { signal });
  const get: Operation = (client, number) => client.get(pathOf(number), { signal });
  switch (work) {
    case "create":
      return (client, number) =>
        number < CREATED_MAX
          ? client.create(`${root}/created-${number}`, value, { signal })
          : undefined;
    case "set":
      return set;
    case "get":
      return get;
    case "mixed":
      return (client, number) => (number % SET_EVERY === 0 ? set : get)(client, number);
    default:
      throw new Error(`no work ${work}`);
  }
}

/** Keeps `outstanding` operations in flight on each client until the time is over. `onProgress` hears after each. */
export async function measure(
  work: string,
  operation: Operation,
  { clients, outstanding, seconds, signal }: Load,
  onProgress: (operations: number, atSeconds: number) => void,
): Promise<Measured> {
  const latencies = new LatencyHistogram();
  const startedMs = performance.now();
  const untilMs = startedMs + seconds * 1000;
  let lastMs = startedMs;
  let number = 0;
  let failed = 0;
  let because: unknown;
  const lane = async (client: Client): Promise<void> => {
    for (;;) {
      const beganMs = performance.now();
      if (beganMs >= untilMs || signal.aborted || failed >= FAILURES_MAX) return;
      const running = operation(client, number);
      if (running === undefined) return;
      number += 1;
      try {
        await running;
      } catch (error) {
        if (signal.aborted) return;
        failed += 1;
        because ??= error;
        continue;
      }
      lastMs = performance.now();
      latencies.record((lastMs - beganMs) * MICROSECONDS);
      onProgress(latencies.total, (lastMs - startedMs) / 1000);
    }
  };
  await Promise.all(
    clients.flatMap((client) => Array.from({ length: outstanding }, () => lane(client))),
  );
  signal.throwIfAborted();
  const elapsed = Math.max(lastMs - startedMs, 1) / 1000;
  return {
    ...{ work, operations: latencies.total, seconds: elapsed, failed, because },
    perSecond: latencies.total / elapsed,
    p50Ms: latencies.percentileUs(0.5) / MICROSECONDS,
    p99Ms: latencies.percentileUs(0.99) / MICROSECONDS,
  };
}
