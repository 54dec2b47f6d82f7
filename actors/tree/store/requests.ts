/**
 * What a session's numbered writes have come to: the number of the last one, and the results that its client may still wait for, so that a
 * client which asks again, through another node, is told what its write came to, and nothing is done twice (Raft dissertation, section
 * 6.3). It is part of the replicated state. Results are kept until the client is known to have had them; beyond the limits a write is
 * refused, since a result that was dropped could not be told.
 */
import { assert } from "../../../protocol/assert.ts";
import { Code } from "../../../protocol/codes.ts";
import {
  KEPT_RESULTS_ALL_BYTES_MAX,
  KEPT_RESULTS_BYTES_MAX,
  KEPT_RESULTS_MAX,
  KEPT_RESULTS_SHARE_BYTES,
} from "../../../protocol/limits.ts";
import type { KeptResult, RequestsSoFar, WriteResult } from "../../../protocol/operations.ts";
import type { RequestNumber } from "../../../protocol/request-number.ts";

export type Requests = {
  last: number;
  /** By rising numbers; those before `from` are forgotten. */
  kept: KeptResult[];
  from: number;
  /** What the kept results take, about. */
  bytes: number;
};

/** What the kept results of all sessions take, about. */
export type KeptTotal = { bytes: number };

/** The number of forgotten results that may stay in front before the array is cut. */
const FORGOTTEN_MAX = 64;
const RESULT_BYTES = 96;
const STAT_BYTES = 200;
const UNIT_BYTES = 2;

export function newRequests(last = 0): Requests {
  return { last, kept: [], from: 0, bytes: 0 };
}

/**
 * Takes a write's number: from now on it is the last one. Returns why the write may not be done, or undefined. A number that is not
 * above the last one is none that a client sends: of what was done already, its gateway knows the result.
 */
export function takeNumber(
  requests: Requests,
  { number, answered }: RequestNumber,
  total: KeptTotal,
): Code | undefined {
  forgetAnswered(requests, answered, total);
  if (number <= requests.last) return Code.badArguments;
  requests.last = number;
  const { bytes, kept, from } = requests;
  const beyondShare = bytes > KEPT_RESULTS_SHARE_BYTES && total.bytes > KEPT_RESULTS_ALL_BYTES_MAX;
  const isFull = kept.length - from >= KEPT_RESULTS_MAX || bytes > KEPT_RESULTS_BYTES_MAX;
  return isFull || beyondShare ? Code.throttled : undefined;
}

export function keepResult(requests: Requests, kept: KeptResult, total: KeptTotal): void {
  const bytes = resultBytes(kept.result);
  requests.kept.push(kept);
  requests.bytes += bytes;
  total.bytes += bytes;
}

function forgetAnswered(requests: Requests, answered: number, total: KeptTotal): void {
  const { kept } = requests;
  let freed = 0;
  let { from } = requests;
  for (
    let first = kept[from];
    first !== undefined && first.number <= answered;
    first = kept[from]
  ) {
    freed += resultBytes(first.result);
    from += 1;
  }
  requests.bytes -= freed;
  total.bytes -= freed;
  if (from === kept.length) requests.kept = [];
  else if (from > FORGOTTEN_MAX && from * 2 > kept.length) requests.kept = kept.slice(from);
  else {
    requests.from = from;
    return;
  }
  requests.from = 0;
}

/** The session has ended. */
export function dropRequests(
  { requests }: { readonly requests: Requests | undefined },
  total: KeptTotal,
): void {
  if (requests === undefined) return;
  total.bytes -= requests.bytes;
  assert(total.bytes >= 0, "what is kept is counted once");
}

/** As it is now: what is kept later is not in it. */
export function requestsSoFar({ last, kept, from }: Requests): RequestsSoFar {
  return { last, kept: kept.slice(from) };
}

function resultBytes(result: WriteResult): number {
  switch (result.kind) {
    case "created":
      return RESULT_BYTES + STAT_BYTES + UNIT_BYTES * result.path.length;
    case "stat":
      return RESULT_BYTES + STAT_BYTES;
    case "multi": {
      let bytes = RESULT_BYTES;
      for (const each of result.results) {
        bytes += each.kind === "session" ? 0 : resultBytes(each);
      }
      return bytes;
    }
    default:
      return RESULT_BYTES;
  }
}
