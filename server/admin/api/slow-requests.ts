/**
 * The last slow requests of every member of the ensemble, and where their time went. What a follower served has waited for the leader, which says what
 * became of its records there.
 */
import {
  SLOW_STAGES,
  type SlowAnswer,
  type SlowFacts,
  type SlowRecordFacts,
  type StageSpan,
} from "../../../actors/admin/slow/messages.ts";
import { type AllNodes, answersOf } from "./all-nodes.ts";
import { answerIn } from "./other-nodes.ts";

export async function slowRequests(nodes: AllNodes): Promise<object> {
  const { config } = nodes;
  const { slowRequestMs: thresholdMs } = config;
  const seen = await answersOf<Omit<SlowAnswer, "node">>(nodes, {
    ...{ word: "slow", read: slowIn },
    own: ({ slow, metrics }) => ({ ...slow, thresholdMs, counted: metrics.slowRequests }),
  });
  const published = [...seen].flatMap(([node, { records }]) =>
    records.map((record) => ({ node, record })),
  );
  const members = config.members.map((id) => {
    const answer = seen.get(id);
    const about = { id, isThis: id === config.id };
    if (answer === undefined) return { ...about, thresholdMs: null, counted: null, requests: null };
    const { thresholdMs: ownMs, counted, requests } = answer;
    const shown = requests.map((request) => ({
      ...request,
      atLeader: request.leads === true ? null : atLeader(request, id, published),
    }));
    return { ...about, thresholdMs: ownMs, counted, requests: shown };
  });
  return { ensemble: config.ensemble, node: config.id, stages: SLOW_STAGES, nodes: members };
}

type Published = { readonly node: number; readonly record: SlowRecordFacts };

/** What another node has published with the write among it. Null: none that has answered has, or it was quick. */
function atLeader(
  { zxid, stages }: SlowFacts,
  servedBy: number,
  published: readonly Published[],
): object | null {
  if (zxid === null || stages.length === 0) return null;
  const number = Number(zxid);
  const found = published.find(({ node, record: { firstZxid, lastZxid } }) => {
    return node !== servedBy && Number(firstZxid) <= number && number <= Number(lastZxid);
  });
  if (found === undefined) return null;
  const { queueMs, logMs, quorumMs } = found.record;
  return { node: found.node, queueMs, logMs, quorumMs };
}

/** Undefined: the node does not know the word, as one of an earlier version; or what came is none of its answers. */
export function slowIn(text: string): Omit<SlowAnswer, "node"> | undefined {
  const answer = answerIn<SlowAnswer>(text);
  if (answer === undefined) return undefined;
  const { thresholdMs, counted, requests, records } = answer;
  if (typeof thresholdMs !== "number" || typeof counted !== "number") return undefined;
  if (!Array.isArray(requests) || !requests.every(isRequest)) return undefined;
  if (!Array.isArray(records) || !records.every(isRecord)) return undefined;
  return { thresholdMs, counted, requests, records };
}

type Kinds = Readonly<Record<string, readonly ("string" | "number" | "boolean" | "null")[]>>;

const REQUEST: Kinds = {
  ...{ atMs: ["number"], session: ["string"], address: ["string", "null"] },
  ...{ isWrite: ["boolean"], operation: ["string"], operations: ["number"] },
  ...{ path: ["string", "null"], bytes: ["number"], answerBytes: ["number"] },
  ...{ zxid: ["string", "null"], tookMs: ["number"], leads: ["boolean", "null"] },
};
const RECORD: Kinds = {
  ...{ atMs: ["number"], firstZxid: ["string"], lastZxid: ["string"] },
  ...{ queueMs: ["number"], logMs: ["number"], quorumMs: ["number"] },
};
const SPAN: Kinds = { stage: ["string"], fromMs: ["number"], toMs: ["number"] };

function isRequest(request: Partial<SlowFacts> | null): boolean {
  if (!hasFields(request, REQUEST)) return false;
  const { stages } = request as Partial<SlowFacts>;
  return Array.isArray(stages) && stages.every(isSpan);
}

function isSpan(span: Partial<StageSpan> | null): boolean {
  return hasFields(span, SPAN) && SLOW_STAGES.some((stage) => stage === span?.stage);
}

function isRecord(record: Partial<SlowRecordFacts> | null): boolean {
  return hasFields(record, RECORD);
}

function hasFields(value: object | null, kinds: Kinds): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(kinds).every(([name, allowed]) => {
    const field: unknown = (value as Readonly<Record<string, unknown>>)[name];
    const kind = field === null ? "null" : typeof field;
    return allowed.some((each) => each === kind);
  });
}
