/** What is asked of servers: what waits to be sent, and what was sent and has no answer yet. Answers come in the order of the numbers. */
import { Code } from "../../../protocol/codes.ts";
import { CONNECTION_REQUEST_BYTES_MAX } from "../../../protocol/limits.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import {
  type Ask,
  changesSomething,
  codeOf,
  isNewer,
  NEWER_CODES,
  numbered,
  type Reply,
  withOpCode,
} from "./asks.ts";
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
    calls: new Map(),
    nextDeadlineMs: Infinity,
    known: new Set(),
    unknown: new Set(),
  };
}

/**
 * Takes what may be sent now, as frames. A server that does not know an op code says so at once, before it answers what came earlier, and
 * closes the connection (UnimplementedRequestProcessor). So a request with a newer one waits until nothing else is under way, unless the
 * server is known to know it. No write follows until it is answered, since the outcome of that would not be known; and nothing at all
 * follows one that writes, since it is asked in an older way then and has to stay before what was asked after it.
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
  for (const each of requests.waiting) {
    if (isOver(each)) {
      taken += 1;
      continue;
    }
    const pending = requests.unknown.has(OpCode.create2) ? inOlderWords(each) : each;
    if (requests.unknown.has(codeOf(pending.ask))) {
      refused.push(pending);
      taken += 1;
      continue;
    }
    if (!mayFollow(requests, pending)) break;
    frames.push(numbered(pending.frame, requests.nextXid));
    sent.push(pending);
    const underWay = { ...pending, sentAtMs: nowMs, isProbe: isProbe(requests, pending.ask) };
    requests.underWayBytes += pending.frame.length;
    requests.underWay.set(requests.nextXid, underWay);
    takeXid(requests);
    taken += 1;
  }
  if (taken > 0) requests.waiting = requests.waiting.slice(taken);
  return { frames, sent, refused };
}

/** Every server knows the create that is answered without a Stat. */
function inOlderWords(pending: Pending): Pending {
  const { ask: asked, frame } = pending;
  if (asked.kind !== "write" || codeOf(asked) !== OpCode.create2) return pending;
  return {
    ...pending,
    ask: { ...asked, withStat: false },
    frame: withOpCode(frame, OpCode.create),
  };
}

/** The numbers below zero have meanings of their own. */
export function takeXid(requests: Requests): number {
  const xid = requests.nextXid;
  requests.nextXid = xid === XID_MAX ? 1 : xid + 1;
  return xid;
}

const XID_MAX = 0x7fff_ffff;

function mayFollow(requests: Requests, { ask: asked, frame }: Pending): boolean {
  const { underWay, underWayBytes } = requests;
  const [first] = underWay.values();
  if (first === undefined) return true;
  if (underWayBytes + frame.length > UNDER_WAY_BYTES_MAX || underWay.size >= UNDER_WAY_MAX) {
    return false;
  }
  if (isProbe(requests, asked)) return false;
  return !first.isProbe || (!changesSomething(asked) && !changesSomething(first.ask));
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
  requests.underWayBytes -= pending.frame.length;
  return pending;
}

/** Notes which op codes servers know. Returns whether the server closes the connection behind this answer. */
export function learn({ known, unknown }: Requests, asked: Ask, reply: Reply): boolean {
  const code = codeOf(asked);
  if (!isNewer(code)) return false;
  const isRefused = reply.kind === "error" && reply.code === Code.unimplemented;
  // A server that knows TTLs refuses them in the same words where its configuration has none, and stays.
  const isByRule = code === OpCode.createTtl && known.has(OpCode.create2);
  if (!isRefused || isByRule) {
    known.add(code);
    return false;
  }
  for (const each of code === OpCode.create2 ? NEWER_CODES : [code]) unknown.add(each);
  return true;
}

/** Empties what is under way, in its order: its connection is lost. */
export function takeUnderWay(requests: Requests): readonly Pending[] {
  const lost = [...requests.underWay.values()];
  requests.underWay.clear();
  requests.underWayBytes = 0;
  requests.known.clear();
  return lost;
}
