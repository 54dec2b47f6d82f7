/**
 * The sessions of the whole ensemble, put together from what each member tells by `sess` of the clients that are connected to it. One list is made for
 * all who ask within a moment, and each is told a page of it.
 */
import type { SessionFacts } from "../../../actors/admin/messages.ts";
import { type SessionsAnswer, sessionsText } from "../../../actors/admin/own-words.ts";
import {
  API_RATE_MS_MAX,
  API_SESSIONS_FILTER_MAX,
  API_SESSIONS_MAX,
} from "../../../protocol/limits.ts";
import type { HttpReply } from "../http-server.ts";
import { type AllNodes, type Answered, answeredOf, answersOf } from "./all-nodes.ts";
import { errorReply, jsonReply } from "./json.ts";
import { answerIn } from "./other-nodes.ts";
import { SharedAnswer } from "./shared-answer.ts";

/** Null: no node that has answered knows it, as of a session whose client is not connected. */
export type SessionRow = Omit<SessionFacts, "received" | "sent" | "outstanding" | "watches"> & {
  /** To which its client is connected. */
  readonly node: number | null;
  /** In how many milliseconds it ends if nothing more comes from its client. */
  readonly endsInMs: number | null;
  readonly ephemerals: number | null;
  readonly watches: number | null;
  readonly received: number | null;
  readonly sent: number | null;
  readonly outstanding: number | null;
  /** What came from its client in a second, since the list before this one. Null also if there was none a minute ago or less. */
  readonly perSecond: number | null;
};

export type SessionTable = {
  readonly nodes: Answered;
  readonly rows: readonly SessionRow[];
};

/** Told at what time of the monotonic clock, and how much had come from the client of each session by then. */
type Before = { readonly atMs: number; readonly received: ReadonlyMap<string, number> };

const SESSIONS_DEFAULT = 100;
const SESSION = /^0x[0-9a-f]{1,14}$/;

export class EnsembleSessions {
  readonly #nodes: AllNodes;
  readonly #table: SharedAnswer<SessionTable>;
  #before: Before = { atMs: 0, received: new Map() };

  constructor(nodes: AllNodes) {
    this.#nodes = nodes;
    this.#table = new SharedAnswer(async () => await this.#made());
  }

  async page(query: URLSearchParams): Promise<HttpReply> {
    const wish = wishIn(query);
    if (typeof wish === "string") return errorReply(400, "ZOOID_BAD_ARGUMENTS", wish);
    const { nodes, rows } = await this.#table.get();
    const { ids, filter } = wish;
    const meant = rows
      .filter((row) => (ids?.has(row.session) ?? true) && isMeant(row, filter))
      .toSorted(ORDERS[wish.sort]);
    const sessions = meant.slice(wish.skip, wish.skip + wish.limit);
    return jsonReply(200, { nodes, total: rows.length, matching: meant.length, sessions });
  }

  /** Undefined: no node that has answered knows it. */
  async row(session: string): Promise<SessionRow | undefined> {
    const { rows } = await this.#table.get();
    return rows.find((row) => row.session === session);
  }

  async #made(): Promise<SessionTable> {
    const answers = await answersOf(this.#nodes, {
      ...{ word: "sess", gather: "sess", read: sessionsIn },
      own: ({ metrics: { server, mode }, parts }) =>
        sessionsIn(sessionsText({ server, mode, nowMs: 0 }, parts)),
    });
    const nodes = answeredOf(this.#nodes.config, answers);
    return { nodes, rows: this.#withRates(rowsOf(answers)) };
  }

  #withRates(rows: readonly SessionRow[]): readonly SessionRow[] {
    const atMs = performance.now();
    const before = this.#before;
    const ms = atMs - before.atMs;
    const received = new Map<string, number>();
    const rated = rows.map((row) => {
      if (row.received === null) return row;
      // A client that has gone to another node is counted from nothing there.
      const key = `${row.session} ${row.node}`;
      received.set(key, row.received);
      const earlier = before.received.get(key);
      if (earlier === undefined || earlier > row.received || ms > API_RATE_MS_MAX) return row;
      return { ...row, perSecond: Math.round((row.received - earlier) / (ms / 10_000)) / 10 };
    });
    this.#before = { atMs, received };
    return rated;
  }
}

/** One row for each session. All nodes know all sessions; two may have the client's connection while it goes from one to the other. */
export function rowsOf(answers: ReadonlyMap<number, SessionsAnswer>): readonly SessionRow[] {
  const rows = new Map<string, SessionRow>();
  const row = (session: string): SessionRow => rows.get(session) ?? { ...UNKNOWN, session };
  for (const { known } of answers.values()) {
    for (const [session, timeoutMs, ephemerals] of known) {
      rows.set(session, { ...row(session), timeoutMs, ephemerals });
    }
  }
  for (const [node, { connected }] of answers) {
    for (const facts of connected) {
      const before = row(facts.session);
      if (Number(before.lastZxid ?? -1) > Number(facts.lastZxid ?? 0)) continue;
      rows.set(facts.session, { ...before, ...facts, node });
    }
  }
  for (const { ends } of answers.values()) {
    for (const [session, endsInMs] of ends) {
      const known = rows.get(session);
      if (known !== undefined) rows.set(session, { ...known, endsInMs });
    }
  }
  return [...rows.values()];
}

const UNKNOWN: SessionRow = {
  ...{ session: "", node: null, address: null, identities: [], timeoutMs: 0, endsInMs: null },
  ...{ ephemerals: null, watches: null, received: null, sent: null, outstanding: null },
  ...{ perSecond: null, lastZxid: null, lastOperation: null },
};

type Order = (left: SessionRow, right: SessionRow) => number;

/** The most are the first; those of which nothing is known are the last. */
function most(of: (row: SessionRow) => number | null): Order {
  return (left, right) => (of(right) ?? -1) - (of(left) ?? -1) || bySession(left, right);
}

const bySession: Order = (left, right) => Number(left.session) - Number(right.session);

const ORDERS = {
  watches: most(({ watches }) => watches),
  ephemerals: most(({ ephemerals }) => ephemerals),
  rate: most(({ perSecond }) => perSecond),
  /** Those that end soonest. */
  ends: (left, right) =>
    (left.endsInMs ?? Infinity) - (right.endsInMs ?? Infinity) || bySession(left, right),
  session: bySession,
} as const satisfies Readonly<Record<string, Order>>;

type Wish = {
  readonly sort: keyof typeof ORDERS;
  readonly filter: string;
  /** Undefined: whichever sessions. */
  readonly ids: ReadonlySet<string> | undefined;
  readonly skip: number;
  readonly limit: number;
};

/** What is asked for, or what is wrong with it. */
function wishIn(query: URLSearchParams): Wish | string {
  const sort = query.get("sort") ?? "watches";
  const filter = query.get("filter") ?? "";
  const limit = wholeIn(query.get("limit") ?? String(SESSIONS_DEFAULT));
  const skip = wholeIn(query.get("skip") ?? "0");
  if (!Object.hasOwn(ORDERS, sort)) return `sort is one of ${Object.keys(ORDERS).join(", ")}`;
  if (filter.length > API_SESSIONS_FILTER_MAX) {
    return `filter has at most ${API_SESSIONS_FILTER_MAX} characters`;
  }
  if (limit === undefined || limit < 1 || limit > API_SESSIONS_MAX) {
    return `limit must be a whole number from 1 to ${API_SESSIONS_MAX}`;
  }
  if (skip === undefined) return "skip must be a whole number of seven digits at most";
  const ids = query.get("ids")?.split(",");
  if (ids?.every((id) => SESSION.test(id)) === false || (ids?.length ?? 0) > API_SESSIONS_MAX) {
    return `ids are ${API_SESSIONS_MAX} sessions at most, such as 0x100000001, with commas between`;
  }
  const about = { filter: filter.toLowerCase(), ids: ids === undefined ? ids : new Set(ids) };
  return { sort: sort as Wish["sort"], ...about, skip, limit };
}

function wholeIn(text: string): number | undefined {
  return /^\d{1,7}$/.test(text) ? Number(text) : undefined;
}

function isMeant(row: SessionRow, filter: string): boolean {
  if (filter === "") return true;
  const { session, node, address, identities, lastOperation } = row;
  const texts = [session, address ?? "", lastOperation ?? "", ...identities];
  if (node !== null) texts.push(`node ${node}`);
  return texts.some((text) => text.toLowerCase().includes(filter));
}

/** Undefined: the node serves nobody, or what came is none of its answers: anybody may publish to an inbox. */
export function sessionsIn(text: string): SessionsAnswer | undefined {
  const answer = answerIn<SessionsAnswer>(text);
  if (answer === undefined) return undefined;
  // A node of an earlier version does not say when sessions end.
  const { node = 0, connected, known, ends = [], omitted } = answer;
  if (!Array.isArray(connected) || !Array.isArray(known) || !Array.isArray(ends)) return undefined;
  if (!connected.every(isFacts) || !known.every(isOf(3)) || !ends.every(isOf(2))) return undefined;
  if (typeof omitted !== "number") return undefined;
  const all = connected.map((facts) => ({ ...facts, identities: facts.identities ?? [] }));
  return { node, connected: all, known, ends, omitted };
}

const NUMBERS = ["timeoutMs", "received", "sent", "outstanding", "watches"] as const;
const TEXTS = ["address", "lastZxid", "lastOperation"] as const;

function isFacts(facts: Partial<SessionFacts> | null): boolean {
  if (facts === null || typeof facts !== "object") return false;
  const { session, identities = [] } = facts;
  return (
    isSession(session) &&
    NUMBERS.every((name) => typeof facts[name] === "number") &&
    TEXTS.every((name) => facts[name] === null || typeof facts[name] === "string") &&
    Array.isArray(identities) &&
    identities.every((each) => typeof each === "string")
  );
}

/** A session, and numbers. */
function isOf(length: number): (entry: unknown) => boolean {
  return (entry) => {
    if (!Array.isArray(entry) || entry.length !== length) return false;
    const [session, ...numbers] = entry as readonly unknown[];
    return isSession(session) && numbers.every((each) => typeof each === "number");
  };
}

function isSession(session: unknown): boolean {
  return typeof session === "string" && SESSION.test(session);
}
