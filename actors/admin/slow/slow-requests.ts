/**
 * What a node remembers of slow requests: what each was, and where its time went. Gateways tell of them, and the threads through which their batches
 * went tell when: each knows some of it.
 */
import {
  SLOW_RECORDS_MAX,
  SLOW_REQUESTS_LAST,
  SLOW_REQUESTS_SLOWEST,
  SLOW_REQUESTS_SLOWEST_MS,
} from "../../../protocol/limits.ts";
import { unreachable } from "../../../protocol/assert.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import type { GatewayName } from "../../gateway/messages.ts";
import type {
  SlowAnswer,
  SlowFacts,
  SlowRecord,
  SlowRecordFacts,
  SlowRequest,
  SlowRequests,
  SlowStage,
  SlowStages,
  SlowSummary,
  Stamp,
  Stamps,
  StageSpan,
} from "./messages.ts";

type Kept = {
  readonly from: GatewayName;
  readonly request: SlowRequest;
  stamps: Stamps;
  leads: boolean | undefined;
  facts: SlowFacts;
};

export type Slow = {
  /** The oldest first. */
  readonly last: Kept[];
  /** The slowest before those, by when they came. */
  readonly slowest: SlowFacts[];
  readonly records: SlowRecordFacts[];
};

export function newSlow(): Slow {
  return { last: [], slowest: [], records: [] };
}

/** `wallMs`: when it is told, in Unix milliseconds. */
export function takeSlow(
  slow: Slow,
  message: SlowRequests | SlowStages | SlowRecord,
  wallMs: number,
): void {
  switch (message.kind) {
    case "slowRequests":
      takeRequests(slow, message, wallMs);
      return;
    case "slowStages":
      takeStages(slow, message);
      return;
    case "slowRecord":
      takeRecord(slow, message, wallMs);
      return;
    default:
      unreachable(message);
  }
}

function takeRequests(slow: Slow, { from, requests }: SlowRequests, wallMs: number): void {
  const { last } = slow;
  for (const request of requests) {
    const about = { request, stamps: {}, leads: undefined };
    last.push({ from, ...about, facts: factsOf(about, wallMs) });
    if (last.length <= SLOW_REQUESTS_LAST) continue;
    const oldest = last.shift();
    if (oldest !== undefined) keepSlowest(slow.slowest, oldest.facts, wallMs);
  }
}

/** The list stays in the order in which they came, and the least slow goes. */
function keepSlowest(slowest: SlowFacts[], facts: SlowFacts, wallMs: number): void {
  slowest.push(facts);
  while ((slowest[0]?.atMs ?? wallMs) < wallMs - SLOW_REQUESTS_SLOWEST_MS) slowest.shift();
  if (slowest.length <= SLOW_REQUESTS_SLOWEST) return;
  const least = Math.min(...slowest.map(({ tookMs }) => tookMs));
  slowest.splice(
    slowest.findIndex(({ tookMs }) => tookMs === least),
    1,
  );
}

/** What is told of a request that is not remembered any more is nobody's. */
function takeStages({ last }: Slow, { from, stages }: SlowStages): void {
  for (const { number, stamps, leads } of stages) {
    const kept = last.findLast((each) => each.request.number === number && each.from === from);
    if (kept === undefined) continue;
    kept.stamps = { ...kept.stamps, ...stamps };
    kept.leads = leads ?? kept.leads;
    kept.facts = factsOf(kept, kept.facts.atMs);
  }
}

function takeRecord({ records }: Slow, record: SlowRecord, wallMs: number): void {
  const { firstZxid, lastZxid, queueMs, logMs, quorumMs } = record;
  records.push({
    atMs: wallMs,
    ...{ firstZxid: formatZxid(firstZxid), lastZxid: formatZxid(lastZxid) },
    ...{ queueMs: rounded(queueMs), logMs: rounded(logMs), quorumMs: rounded(quorumMs) },
  });
  if (records.length > SLOW_RECORDS_MAX) records.shift();
}

export function slowSummary({ last, slowest, records }: Slow): SlowSummary {
  const newest = last.map(({ facts }) => facts).toReversed();
  return { requests: [...newest, ...slowest.toReversed()], records: records.toReversed() };
}

export function slowText(
  slow: Slow,
  about: { readonly node: ServerId; readonly thresholdMs: number; readonly counted: number },
): string {
  const answer: SlowAnswer = { ...about, ...slowSummary(slow) };
  return `${JSON.stringify(answer)}\n`;
}

function factsOf(
  { request, stamps, leads }: Pick<Kept, "request" | "stamps" | "leads">,
  atMs: number,
): SlowFacts {
  const { number: _, zxid, startedMs, answeredMs, ...about } = request;
  const stages = spansOf(stamps, leads);
  const { started, replied } = stamps;
  const isKnown = started !== undefined && replied !== undefined;
  const tookMs = isKnown ? Math.max(replied - started, 0) : answeredMs - startedMs;
  return {
    atMs,
    ...about,
    zxid: zxid === null ? null : formatZxid(zxid),
    tookMs: rounded(tookMs),
    leads: stages.length === 0 ? null : (leads ?? null),
    stages,
  };
}

type Border = readonly [stage: SlowStage, from: Stamp, to: Stamp];

const BORDERS: readonly Border[] = [
  ["gateway", "started", "made"],
  ["log", "published", "logged"],
  ["quorum", "published", "committed"],
  ["deliver", "committed", "applying"],
  ["apply", "applying", "applied"],
  ["reply", "applied", "replied"],
];
/** At the leader: until it publishes. At another node: until what the leader has published is there. */
const AT_LEADER: Border = ["queue", "made", "published"];
const ELSEWHERE: Border = ["leader", "made", "published"];

/** A batch that a read has waited behind may have been made before the read came: its stages begin with that. */
function spansOf(stamps: Stamps, leads: boolean | undefined): readonly StageSpan[] {
  const { started, made } = stamps;
  // Without its batch nothing says that the request has waited for these records.
  if (started === undefined || made === undefined) return [];
  const [first, ...others] = BORDERS;
  const second = leads === true ? AT_LEADER : ELSEWHERE;
  const borders = first === undefined ? [] : [first, second, ...others];
  return borders.flatMap(([stage, from, to]) => {
    const [fromMs, toMs] = [stamps[from], stamps[to]];
    if (fromMs === undefined || toMs === undefined || toMs < started) return [];
    const begins = rounded(Math.max(fromMs - started, 0));
    return [{ stage, fromMs: begins, toMs: Math.max(rounded(toMs - started), begins) }];
  });
}

/** To a hundredth of a millisecond. */
function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
