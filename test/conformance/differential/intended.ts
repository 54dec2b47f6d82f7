/**
 * Where zooid means to differ from ZooKeeper: each has its name and reason in docs/compatibility-differences.md, and a matcher that holds
 * for as little as can be. A matcher takes what one connection received in one step from ZooKeeper and from zooid, and makes of
 * either what has to be equal.
 */
import { areEqual, isEqual, type Line } from "./lines.ts";
import type { Bytes, Handshake, Request, Step } from "./program.ts";

export type Pair = { readonly theirs: readonly Line[]; readonly ours: readonly Line[] };

type Intended = {
  readonly name: string;
  /** Undefined: it has nothing to do with this. */
  readonly match: (pair: Pair, step: Step) => Pair | undefined;
  /** What comes after cannot be compared, since the connections differ. */
  readonly ends?: true;
};

const NO_AUTH = -102;
const NO_WATCHER = -121;
const MARSHALLING_ERROR = -5;
const UNIMPLEMENTED = -6;
const BAD_ARGUMENTS = -8;
const INVALID_ACL = -114;

/** The op codes of createSession, -10, and of deleteContainer, 20, in a frame behind its length and the xid. */
const OF_SERVERS: readonly Bytes[] = ["\u00ff\u00ff\u00ff\u00f6", "\u0000\u0000\u0000\u0014"];
/** ClickHouse Keeper's op codes. */
const KEEPER_MIN = 500;
const KEEPER_MAX = 599;
const CODE_AT = 8;

/** `jute.maxbuffer`, and the longest request above it that is answered. */
const PACKET_BYTES_MAX = 2 ** 20 - 1;
const OVERSIZED_BYTES_MAX = 2 ** 24;

/** A character beyond the basic plane, each half of its pair in three bytes. */
const PAIR = /\u00ed[\u00a0-\u00af][\u0080-\u00bf]\u00ed[\u00b0-\u00bf][\u0080-\u00bf]/g;

function asUtf8(pair: Bytes): Bytes {
  const half = (at: number): number => {
    return 0xd000 | ((pair.charCodeAt(at + 1) & 0x3f) << 6) | (pair.charCodeAt(at + 2) & 0x3f);
  };
  return Buffer.from(String.fromCharCode(half(0), half(3)), "utf8").toString("latin1");
}

function codeIs(line: Line | undefined, ...codes: readonly number[]): boolean {
  return line?.code !== undefined && codes.includes(line.code);
}

function isOfKeeper(frame: Bytes): boolean {
  const bytes = Buffer.from(frame, "latin1");
  if (bytes.length < CODE_AT + 4) return false;
  const code = bytes.readInt32BE(CODE_AT);
  return code >= KEEPER_MIN && code <= KEEPER_MAX;
}

function isTooLong(frame: Bytes): boolean {
  const length = frame.length < 4 ? 0 : Buffer.from(frame, "latin1").readInt32BE(0);
  return length > PACKET_BYTES_MAX && length <= OVERSIZED_BYTES_MAX;
}

function hasNullInAcl(request: Request | undefined): boolean {
  if (request?.acl?.some(({ scheme, id }) => scheme === null || id === null) === true) return true;
  return request?.members?.some((member) => hasNullInAcl(member)) === true;
}

/** A create whose flags ask for a TTL. */
function lacksTtl({ op, flags }: Request): boolean {
  return op !== "createTtl" && (flags === 5 || flags === 6);
}

function setsNull({ request }: Line): boolean {
  const isOne = request?.op === "setWatches" || request?.op === "setWatches2";
  return isOne && request.lists?.some((list) => list?.includes(null) !== false) === true;
}

/** Whether it sets watches again that stay. */
function setsStaying({ request }: Line): boolean {
  return (
    request?.op === "setWatches2" && request.lists?.slice(3).some((list) => list?.length) === true
  );
}

/** Takes out events that come directly before the answer to such a request, but for those that `theirs` has there, too. */
function withoutMissed({ theirs, ours }: Pair): readonly Line[] {
  const left: Line[] = [];
  let events: Line[] = [];
  for (const line of ours) {
    if (line.kind === "event") {
      events.push(line);
      continue;
    }
    const known = setsStaying(line) ? eventsBefore(theirs, line.request) : [...events];
    left.push(...events.filter((event) => take(known, event)), line);
    events = [];
  }
  return [...left, ...events];
}

/** Those between the answer to this request and the one before. */
function eventsBefore(lines: readonly Line[], request: Request | undefined): Line[] {
  const end = lines.findIndex((line) => line.request === request);
  const begin = lines.slice(0, Math.max(0, end)).findLastIndex(({ kind }) => kind !== "event");
  return lines.slice(begin + 1, Math.max(0, end));
}

/** Whether it is among them. Each is there for one. */
function take(known: Line[], event: Line): boolean {
  const at = known.findIndex((each) => isEqual(each, event));
  if (at >= 0) known.splice(at, 1);
  return at >= 0;
}

/** Whether it shows the session's own password, whole. */
function showsPassword({ password, cut }: Handshake): boolean {
  return password === "own" && cut === undefined;
}

function endsSession(step: Step): boolean {
  return (
    step.kind === "expire" || (step.kind === "send" && step.requests.at(-1)?.op === "closeSession")
  );
}

/** Sorts the events between two replies. */
function sortedEvents(lines: readonly Line[]): readonly Line[] {
  const sorted: Line[] = [];
  let events: Line[] = [];
  for (const line of [...lines, undefined]) {
    if (line?.kind === "event") events.push(line);
    else {
      sorted.push(...events.toSorted((left, right) => (left.text < right.text ? -1 : 1)));
      events = [];
      if (line !== undefined) sorted.push(line);
    }
  }
  return sorted;
}

/** Takes out of both what is answered to the same requests, where this holds for the two answers. */
function withoutAnswers(
  { theirs, ours }: Pair,
  isMeant: (their: Line, our: Line) => boolean,
): Pair | undefined {
  const meant = new Set<Request>();
  for (const their of theirs) {
    const our = ours.find(({ request }) => request !== undefined && request === their.request);
    if (our?.request === undefined || isEqual(their, our)) continue;
    if (isMeant(their, our)) meant.add(our.request);
  }
  if (meant.size === 0) return undefined;
  const isLeft = ({ request }: Line): boolean => request === undefined || !meant.has(request);
  return { theirs: theirs.filter(isLeft), ours: ours.filter(isLeft) };
}

/** What came before the first of such answers to one request: from there on the two have done other things. */
function before(
  { theirs, ours }: Pair,
  isMeant: (their: Line, our: Line) => boolean,
): Pair | undefined {
  for (const [at, their] of theirs.entries()) {
    const found = ours.findIndex(
      ({ request }) => request !== undefined && request === their.request,
    );
    const our = ours[found];
    if (our === undefined || isEqual(their, our) || !isMeant(their, our)) continue;
    return { theirs: theirs.slice(0, at), ours: ours.slice(0, found) };
  }
  return undefined;
}

export const INTENDED: readonly Intended[] = [
  {
    name: "check outside a multi",
    match: ({ theirs, ours }) => {
      const isMeant = ({ request, code }: Line): boolean =>
        request?.op === "check" && code === 0 && !theirs.some((line) => line.request === request);
      const left = ours.filter((line) => !isMeant(line));
      return left.length === ours.length ? undefined : { theirs, ours: left };
    },
  },
  {
    name: "null in an ACL",
    match: (pair) =>
      withoutAnswers(pair, (their, our) => {
        const isRefused = codeIs(our, INVALID_ACL) || our.text.includes(`,${INVALID_ACL}:`);
        return hasNullInAcl(our.request) && codeIs(their, MARSHALLING_ERROR) && isRefused;
      }),
  },
  {
    name: "null in setWatches",
    ends: true,
    match: ({ theirs, ours }) => {
      const isRefused = ours.some((line) => codeIs(line, MARSHALLING_ERROR) && setsNull(line));
      if (!isRefused) return undefined;
      // ZooKeeper has set some of the watches, or told of them, before it failed, if it did.
      const isLeft = (line: Line): boolean => line.kind !== "event" && !setsNull(line);
      return { theirs: theirs.filter(isLeft), ours: ours.filter(isLeft) };
    },
  },
  {
    name: "TTL without its field",
    match: (pair) =>
      withoutAnswers(pair, (their, our) => {
        const isOne = our.request?.members?.some(lacksTtl) === true;
        return isOne && codeIs(our, MARSHALLING_ERROR) && their.text.includes("(-1,-2:-2) done");
      }),
  },
  {
    name: "null path of a sync",
    match: (pair) =>
      withoutAnswers(pair, (their, our) => {
        const isOne = our.request?.op === "sync" && our.request.path === null;
        return isOne && codeIs(their, 0) && our.text === their.text.replace(/null$/, '""');
      }),
  },
  {
    name: "bytes behind an error",
    match: ({ theirs, ours }) => {
      const isOne = ({ request, code }: Line): boolean =>
        (request?.op === "multi" || request?.op === "multiRead") && code === MARSHALLING_ERROR;
      const end = / unreadable (?:[0-9a-f]{2})*ffffffff01ffffffff$/;
      const left = theirs.map((line) =>
        isOne(line) ? { ...line, text: line.text.replace(end, "") } : line,
      );
      return left.some((line, at) => line.text !== theirs[at]?.text)
        ? { theirs: left, ours }
        : undefined;
    },
  },
  {
    name: "characters beyond the basic plane",
    match: ({ theirs, ours }) => {
      const left = theirs.map((line) => ({ ...line, text: line.text.replace(PAIR, asUtf8) }));
      return left.some(({ text }, at) => text !== theirs[at]?.text)
        ? { theirs: left, ours }
        : undefined;
    },
  },
  {
    name: "order at the end of a session",
    match: ({ theirs, ours }, step) =>
      endsSession(step) ? { theirs: sortedEvents(theirs), ours: sortedEvents(ours) } : undefined,
  },
  {
    name: "op codes of servers",
    ends: true,
    match: ({ theirs, ours }, step) => {
      const code = step.kind === "raw" ? step.bytes.slice(CODE_AT, CODE_AT + 4) : "";
      const isRefused = theirs.length === 1 && codeIs(theirs[0], MARSHALLING_ERROR, BAD_ARGUMENTS);
      const isUnserved = codeIs(ours[0], UNIMPLEMENTED);
      return OF_SERVERS.includes(code) && isRefused && isUnserved
        ? { theirs: [], ours: [] }
        : undefined;
    },
  },
  {
    name: "op codes of ClickHouse Keeper",
    ends: true,
    match: ({ theirs }, step) => {
      const isOne = step.kind === "raw" && isOfKeeper(step.bytes);
      return isOne && codeIs(theirs[0], UNIMPLEMENTED) ? { theirs: [], ours: [] } : undefined;
    },
  },
  {
    name: "writes behind a setAcl in one packet",
    ends: true,
    match: (pair, step) => {
      if (step.kind !== "send" || !step.requests.some(({ op }) => op === "setAcl"))
        return undefined;
      return before(pair, (their, our) => codeIs(their, NO_AUTH) !== codeIs(our, NO_AUTH));
    },
  },
  {
    name: "the Stat of counts that are made",
    match: (pair) =>
      withoutAnswers(pair, (their, our) => {
        const isMade = our.request?.op === "create2" && codeIs(their, 0) && codeIs(our, 0);
        return isMade && our.request?.path?.endsWith("/zookeeper_stats") === true;
      }),
  },
  {
    name: "requests that are too long",
    ends: true,
    match: ({ theirs, ours }, step) => {
      const isOne = step.kind === "raw" && isTooLong(step.bytes);
      const isCut = theirs.length === 1 && theirs[0]?.kind === "closed";
      // A program breaks off before all of it has come.
      const isAwaited = ours.every(({ kind }) => kind === "silent");
      return isOne && isCut && isAwaited ? { theirs: [], ours: [] } : undefined;
    },
  },
  {
    name: "wrong password",
    ends: true,
    match: ({ theirs, ours }, step) => {
      const isWrong = step.kind === "open" && !showsPassword(step.handshake);
      const isAlone = ours.length === 0 && theirs.length === 1 && theirs[0]?.kind === "closed";
      return isWrong && isAlone ? { theirs: [], ours } : undefined;
    },
  },
  {
    name: "unknown session",
    match: ({ theirs, ours }, step) => {
      const isAhead = step.kind === "open" && step.handshake.seen === "future";
      const [told, ...left] = ours;
      const isTold = told?.kind === "handshake" && told.text.includes("no session");
      return isAhead && isTold ? { theirs, ours: left } : undefined;
    },
  },
  {
    name: "kinds of watchers",
    match: (pair) =>
      withoutAnswers(pair, (their, our) => {
        const isOne = (line: Line): boolean => codeIs(line, 0, NO_WATCHER, MARSHALLING_ERROR);
        return our.request?.op === "checkWatches" && isOne(their) && isOne(our);
      }),
  },
  {
    name: "kinds of watchers",
    ends: true,
    match: (pair) =>
      before(pair, (their, our) => {
        const isOne = (line: Line): boolean => codeIs(line, 0, NO_WATCHER, MARSHALLING_ERROR);
        return our.request?.op === "removeWatches" && isOne(their) && isOne(our);
      }),
  },
  {
    name: "missed events",
    match: ({ theirs, ours }) => {
      const left = withoutMissed({ theirs, ours });
      return left.length === ours.length ? undefined : { theirs, ours: left };
    },
  },
];

/** The answer behind which the two may hold different things without having told so, and what that is called. */
function parting(line: Line): string | undefined {
  if (!codeIs(line, MARSHALLING_ERROR)) return undefined;
  if (setsNull(line)) return "null in setWatches";
  const isCounted = line.request?.members?.some(lacksTtl) === true;
  return isCounted ? "TTL without its field" : undefined;
}

export function partsWays(theirs: readonly Line[]): string | undefined {
  return theirs.map(parting).find((name) => name !== undefined);
}

/** What came before the two parted. Events of the request itself are of what they did differently. */
function beforeParting(pair: Pair): Pair {
  const { request } = pair.theirs.find((line) => parting(line) !== undefined) ?? {};
  if (request === undefined) return pair;
  const cut = (lines: readonly Line[]): readonly Line[] => {
    const at = lines.findIndex((line) => line.request === request);
    if (at < 0) return lines;
    const last = lines.slice(0, at).findLastIndex(({ kind }) => kind !== "event");
    return lines.slice(0, last + 1);
  };
  return { theirs: cut(pair.theirs), ours: cut(pair.ours) };
}

/** Returns the intended differences that make the two equal, if there are such. */
export function explains(
  step: Step,
  pair: Pair,
): { readonly names: readonly string[]; readonly ends: boolean } | undefined {
  let left = beforeParting(pair);
  const names: string[] = [];
  let ends = false;
  if (areEqual(left.theirs, left.ours)) return { names, ends };
  for (const { name, match, ends: isEnd } of INTENDED) {
    const matched = match(left, step);
    if (matched === undefined) continue;
    left = matched;
    names.push(name);
    ends ||= isEnd === true;
    if (areEqual(left.theirs, left.ours)) return { names, ends };
  }
  return undefined;
}
