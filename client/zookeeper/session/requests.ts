/** What is asked of servers: what waits to be sent, and what was sent and has no answer yet. Answers come in the order of the numbers. */
import { Code } from "../../../protocol/codes.ts";
import { CONNECTION_REQUEST_BYTES_MAX } from "../../../protocol/limits.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import { type Ask, changesSomething, codeOf, isNewer, numbered, type Reply } from "./asks.ts";
import type { Call, Stage } from "./call.ts";
import type { StreamAsk } from "./streams/asks.ts";

/** For whom the answer is. */
export type Purpose =
  | { readonly kind: "call"; readonly call: Call; readonly stage: Stage }
  | { readonly kind: "stream"; readonly asked: StreamAsk };

export type Pending = {
  readonly purpose: Purpose;
  readonly ask: Ask;
  readonly frame: Uint8Array;
  readonly sentAtMs: number;
  /** It was sent to a server that may not know its op code. */
  readonly isProbe: boolean;
};

export type Requests = {
  waiting: Pending[];
  nextXid: number;
  /** By their numbers, in the order in which they were sent. */
  readonly underWay: Map<number, Pending>;
  underWayBytes: number;
  /** How many of those under way change something. */
  writesUnderWay: number;
  /** How many of those under way have an op code that the server may not know. */
  probesUnderWay: number;
  /** Calls that are not settled. */
  readonly calls: Map<number, Call>;
  /** No call is out of time before. */
  nextDeadlineMs: number;
  /** Newer op codes that the server of this connection knows. */
  readonly known: Set<number>;
  /** Newer op codes that a server of this session did not know. */
  readonly unknown: Set<number>;
};

/** How many requests may be under way. A server reads no more from a client for which it has many to do. */
const UNDER_WAY_MAX = 2048;
const UNDER_WAY_BYTES_MAX = CONNECTION_REQUEST_BYTES_MAX / 2;

export function newRequests(): Requests {
  return {
    waiting: [],
    nextXid: 1,
    underWay: new Map(),
    underWayBytes: 0,
    writesUnderWay: 0,
    probesUnderWay: 0,
    calls: new Map(),
    nextDeadlineMs: Infinity,
    known: new Set(),
    unknown: new Set(),
  };
}

/**
 * Takes what may be sent now, as frames. A server that does not know an op code closes the connection behind its answer, so a request
 * with a newer one goes without writes beside it until the server is known to know it: their outcome would not be known.
 */
export function takeFrames(
  requests: Requests,
  nowMs: number,
): {
  readonly frames: Uint8Array[];
  /** They are under way from now on. */
  readonly sent: readonly Pending[];
  /** Those whose op code no server is asked for any more. */
  readonly refused: readonly Pending[];
} {
  const frames: Uint8Array[] = [];
  const sent: Pending[] = [];
  const refused: Pending[] = [];
  let taken = 0;
  for (const pending of requests.waiting) {
    if (isOver(pending)) {
      taken += 1;
      continue;
    }
    const code = codeOf(pending.ask);
    if (requests.unknown.has(code)) {
      refused.push(pending);
      taken += 1;
      continue;
    }
    if (!mayFollow(requests, pending)) break;
    frames.push(numbered(pending.frame, requests.nextXid));
    sent.push(pending);
    const underWay = { ...pending, sentAtMs: nowMs, isProbe: isProbe(requests, pending.ask) };
    count(requests, underWay, 1);
    requests.underWay.set(requests.nextXid, underWay);
    takeXid(requests);
    taken += 1;
  }
  if (taken > 0) requests.waiting = requests.waiting.slice(taken);
  return { frames, sent, refused };
}

/** The numbers below zero have meanings of their own. */
export function takeXid(requests: Requests): number {
  const xid = requests.nextXid;
  requests.nextXid = xid === XID_MAX ? 1 : xid + 1;
  return xid;
}

const XID_MAX = 0x7fff_ffff;

function mayFollow(requests: Requests, { ask: asked, frame }: Pending): boolean {
  const { underWay, underWayBytes, writesUnderWay, probesUnderWay } = requests;
  const overBytes = underWay.size > 0 && underWayBytes + frame.length > UNDER_WAY_BYTES_MAX;
  if (overBytes || underWay.size >= UNDER_WAY_MAX) return false;
  if (isProbe(requests, asked) && writesUnderWay > 0) return false;
  return !changesSomething(asked) || probesUnderWay === 0;
}

function isProbe({ known }: Requests, asked: Ask): boolean {
  const code = codeOf(asked);
  return isNewer(code) && !known.has(code);
}

/** The caller waits no longer, so there is nothing to send. */
function isOver({ purpose }: Pending): boolean {
  return purpose.kind === "call" && purpose.call.settled;
}

/** Takes the request that the answer is for. Undefined: it is not the one whose answer is next. */
export function takeAnswered(requests: Requests, xid: number): Pending | undefined {
  const [first] = requests.underWay.keys();
  const pending = requests.underWay.get(xid);
  if (first !== xid || pending === undefined) return undefined;
  requests.underWay.delete(xid);
  count(requests, pending, -1);
  return pending;
}

/** Notes which op codes servers know. Returns whether the server closes the connection behind this answer. */
export function learn(requests: Requests, asked: Ask, reply: Reply): boolean {
  const code = codeOf(asked);
  if (!isNewer(code)) return false;
  if (reply.kind !== "error" || reply.code !== Code.unimplemented) {
    requests.known.add(code);
    return false;
  }
  // A server that knows it refuses it in the same words where its configuration has no TTLs, and stays.
  if (code === OpCode.createTtl) return false;
  requests.unknown.add(code);
  return true;
}

/** Empties what is under way, in its order: its connection is lost. */
export function takeUnderWay(requests: Requests): readonly Pending[] {
  const lost = [...requests.underWay.values()];
  requests.underWay.clear();
  requests.underWayBytes = 0;
  requests.writesUnderWay = 0;
  requests.probesUnderWay = 0;
  requests.known.clear();
  return lost;
}

function count(
  requests: Requests,
  { ask: asked, frame, isProbe: wasProbe }: Pending,
  by: 1 | -1,
): void {
  requests.underWayBytes += by * frame.length;
  if (changesSomething(asked)) requests.writesUnderWay += by;
  if (wasProbe) requests.probesUnderWay += by;
}
