/**
 * What callers ask for. Most of it is one request. Servers answer some requests with less than callers are told: a second request
 * follows then. And a create whose connection was lost is looked for on the next one (`doubts.ts`).
 */
import { Code } from "../../../protocol/codes.ts";
import { PACKET_BYTES_MAX } from "../../../protocol/limits.ts";
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { MultiEntry } from "../../../protocol/zookeeper/client-replies.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Ask, Reply } from "./asks.ts";
import { encodeAsk } from "./asks.ts";
import type { Call, Stage } from "./call.ts";
import { ownPath, wholeOperation, wholePath } from "./chroot.ts";
import { lookedFor } from "./doubts.ts";
import type {
  MemberResult,
  NativeRequest,
  NativeResult,
} from "../../../protocol/native-packing.ts";
import type { Pending } from "./requests.ts";
import { ask, done, fail } from "./settling.ts";
import { ownerNumber, type Turn } from "./state.ts";

type Create = Extract<ZnodeOperation, { readonly kind: "create" }>;

export function addCall(
  turn: Turn,
  of: {
    readonly id: number;
    readonly request: NativeRequest;
    readonly timeoutMs?: number | undefined;
  },
): void {
  const { state, nowMs, effects } = turn;
  const { requests, options } = state;
  const timeoutMs = of.timeoutMs ?? options.operationTimeoutMs;
  const { request } = of;
  const whole =
    request.kind === "write" ? wholeOperation(options.chroot, request.operation) : undefined;
  const call: Call = {
    ...{ id: of.id, operation: whole, timeoutMs, deadlineMs: nowMs + timeoutMs },
    ...{ maybeApplied: "no", known: undefined, settled: false },
  };
  if (state.over !== undefined) return fail(turn, call, state.over);
  const asked = whole === undefined ? readOf(options.chroot, request) : writeOf(whole);
  if (asked === undefined) {
    const answer = {
      zxid: state.lastZxid,
      result: { kind: "error", code: Code.unimplemented },
    } as const;
    effects.push({ kind: "settle", id: of.id, outcome: { kind: "answered", answer } });
    return;
  }
  const bytes = encodeAsk(state.writer, asked).length;
  if (bytes > PACKET_BYTES_MAX) return fail(turn, call, { kind: "tooLarge", bytes });
  requests.calls.set(call.id, call);
  requests.nextDeadlineMs = Math.min(requests.nextDeadlineMs, call.deadlineMs);
  ask(turn, asked, { kind: "call", call, stage: { kind: "first" } }, "last");
}

function readOf(chroot: string, request: NativeRequest): Ask | undefined {
  if (request.kind === "whoAmI") return request;
  if (request.kind === "write") return undefined;
  const { read } = request;
  switch (read.kind) {
    case "childrenPage":
    case "childStats":
    case "changedPaths":
      return undefined;
    case "getAcl":
      return { kind: "getAcl", path: wholePath(chroot, read.path) };
    default:
      return { kind: read.kind, path: wholePath(chroot, read.path), watch: false };
  }
}

/** What is an operation of its own with some servers only is asked for as ZooKeeper's. */
function writeOf(operation: ClientOperation): Ask | undefined {
  switch (operation.kind) {
    case "create": {
      const { unlessExists: _, ...create } = operation;
      return { kind: "write", operation: create, withStat: true };
    }
    case "removeRecursive":
    case "tryRemove":
    case "refusal":
      return undefined;
    case "check":
    case "checkNotExists":
    case "checkStat":
      return multiOf(operation);
    default:
      return { kind: "write", operation, withStat: false };
  }
}

function multiOf(operation: ZnodeOperation): Ask {
  return { kind: "write", operation: { kind: "multi", operations: [operation] }, withStat: false };
}

/** Takes an answer for a call. */
export function callAnswered(
  turn: Turn,
  { purpose, ask: asked }: Pending,
  reply: Reply,
  zxid: Zxid,
): void {
  if (purpose.kind !== "call") return;
  const { call, stage } = purpose;
  if (call.settled) return;
  switch (stage.kind) {
    case "first":
      return firstAnswered(turn, call, asked, reply, zxid);
    case "times": {
      const isIt = reply.kind === "stat" && reply.stat.czxid === stage.zxid;
      const timeMs = isIt ? reply.stat.ctime : 0;
      return done(turn, call, { zxid: stage.zxid, result: withTime(stage.result, timeMs) });
    }
    case "existing":
      return existingAnswered(turn, call, reply, zxid);
    case "proof":
      return lookedFor(turn, call, stage.doubt, reply);
    default:
      stage satisfies never;
  }
}

function firstAnswered(turn: Turn, call: Call, asked: Ask, reply: Reply, zxid: Zxid): void {
  const { operation } = call;
  if (reply.kind === "created" && operation?.kind === "create") {
    return createdAnswered(turn, call, operation, { ...reply, zxid });
  }
  if (
    operation?.kind === "create" &&
    isCode(reply, Code.nodeExists) &&
    operation.unlessExists === true
  ) {
    call.maybeApplied = "no";
    return askNext(turn, call, operation.path, { kind: "existing" });
  }
  if (operation?.kind === "create" && isCode(reply, Code.unimplemented) && isWithStat(asked)) {
    // The server has done nothing. It is asked again without the Stat, before what was asked after it.
    call.maybeApplied = "no";
    return ask(turn, asked, { kind: "call", call, stage: { kind: "first" } }, "first");
  }
  if (reply.kind === "multi" && asked.kind === "write" && asked.operation.kind === "multi") {
    const { operations } = asked.operation;
    return multiAnswered(turn, call, operations, { zxid, entries: reply.entries });
  }
  if (reply.kind === "error" && asked.kind === "write" && hasNewerMembers(asked.operation)) {
    const code = reply.code === Code.marshallingError ? Code.unimplemented : reply.code;
    return done(turn, call, { zxid, result: { kind: "error", code } });
  }
  if (reply.kind === "paths" || reply.kind === "created" || reply.kind === "multi") {
    return done(turn, call, { zxid, result: { kind: "error", code: Code.systemError } });
  }
  done(turn, call, { zxid, result: reply });
}

function isCode(reply: Reply, code: Code): boolean {
  return reply.kind === "error" && reply.code === code;
}

/** A create of a znode with a lifetime has an op code of its own, and always a Stat. */
function isWithStat(asked: Ask): boolean {
  if (asked.kind !== "write" || asked.operation.kind !== "create") return false;
  return asked.withStat && asked.operation.mode.lifetime === undefined;
}

function createdAnswered(
  turn: Turn,
  call: Call,
  operation: Create,
  {
    path,
    stat,
    zxid,
  }: { readonly path: string; readonly stat: Stat | undefined; readonly zxid: Zxid },
): void {
  const own = ownPath(turn.state.options.chroot, path);
  if (stat !== undefined)
    return done(turn, call, { zxid, result: { kind: "created", path: own, stat } });
  const made = statOfCreate(turn, operation, zxid);
  const result: NativeResult = { kind: "created", path: own, stat: made };
  call.known = { zxid, result };
  askNext(turn, call, path, { kind: "times", zxid, result });
}

function existingAnswered(turn: Turn, call: Call, reply: Reply, zxid: Zxid): void {
  const { operation } = call;
  if (operation?.kind !== "create") return;
  if (isCode(reply, Code.noNode)) {
    // It was deleted in between: the caller's create begins again.
    const { unlessExists: _, ...create } = operation;
    const asked: Ask = { kind: "write", operation: create, withStat: true };
    return ask(turn, asked, { kind: "call", call, stage: { kind: "first" } }, "last");
  }
  const path = ownPath(turn.state.options.chroot, operation.path);
  const result: NativeResult =
    reply.kind === "stat" ? { kind: "created", path, stat: reply.stat } : errorOf(reply);
  done(turn, call, { zxid, result });
}

function errorOf(reply: Reply): MemberResult {
  return { kind: "error", code: reply.kind === "error" ? reply.code : Code.systemError };
}

/** Creates in a multi are told without a Stat by most servers. All znodes of a multi are created at one time. */
function multiAnswered(
  turn: Turn,
  call: Call,
  operations: readonly ZnodeOperation[],
  { zxid, entries }: { readonly zxid: Zxid; readonly entries: readonly MultiEntry[] },
): void {
  if (call.operation?.kind !== "multi") {
    const [entry] = entries;
    const code = (entry?.kind === "error" ? entry.code : Code.ok) as Code;
    const result: NativeResult = code === Code.ok ? { kind: "done" } : { kind: "error", code };
    return done(turn, call, { zxid, result });
  }
  const { chroot } = turn.state.options;
  let timeMs: number | undefined;
  let withoutStat: string | undefined;
  const results = entries.map((entry, index): MemberResult => {
    const operation = operations[index];
    if (entry.kind === "error") return { kind: "error", code: entry.code as Code };
    if (entry.kind === "stat") timeMs = entry.stat.mtime;
    if (entry.kind !== "created" || operation?.kind !== "create") {
      return entry.kind === "created" ? { kind: "done" } : entry;
    }
    if (entry.stat !== undefined) timeMs = entry.stat.ctime;
    else withoutStat ??= entry.path;
    const stat = entry.stat ?? statOfCreate(turn, operation, zxid);
    return { kind: "created", path: ownPath(chroot, entry.path), stat };
  });
  const failed = results.some(({ kind }) => kind === "error");
  const result: NativeResult = { kind: "multi", failed, results };
  if (failed || withoutStat === undefined) return done(turn, call, { zxid, result });
  if (timeMs !== undefined) return done(turn, call, { zxid, result: withTime(result, timeMs) });
  call.known = { zxid, result };
  askNext(turn, call, withoutStat, { kind: "times", zxid, result });
}

/** What the Stat of a znode is when it has just been created, but for the time. */
function statOfCreate({ state }: Turn, { mode, data }: Create, zxid: Zxid): Stat {
  return {
    ...{ czxid: zxid, mzxid: zxid, ctime: 0, mtime: 0, version: 0, cversion: 0, aversion: 0 },
    ephemeralOwner: mode.ephemeral ? ownerNumber(state.session, state.session) : 0,
    ...{ dataLength: data?.length ?? 0, numChildren: 0, pzxid: zxid },
  };
}

/** Puts the time into the Stats that lack one. */
function withTime(result: NativeResult, timeMs: number): NativeResult {
  if (result.kind === "multi") {
    const results = result.results.map((each) => withTime(each, timeMs) as MemberResult);
    return { ...result, results };
  }
  if (result.kind !== "created" || result.stat.ctime !== 0) return result;
  return { ...result, stat: { ...result.stat, ctime: timeMs, mtime: timeMs } };
}

function askNext(turn: Turn, call: Call, path: string, stage: Stage): void {
  ask(turn, { kind: "exists", path, watch: false }, { kind: "call", call, stage }, "first");
}

const KEEPER_KINDS: readonly string[] = [
  "checkNotExists",
  "checkStat",
  "tryRemove",
  "removeRecursive",
];

/**
 * Whether the operation has members that not every server can read: those of ClickHouse Keeper and zooid, and containers and TTLs, which
 * ZooKeeper 3.4 does not know.
 */
function hasNewerMembers(operation: ClientOperation): boolean {
  if (operation.kind !== "multi") return false;
  return operation.operations.some((each) => {
    if (each.kind !== "create") return KEEPER_KINDS.includes(each.kind);
    return each.unlessExists === true || each.mode.lifetime !== undefined;
  });
}

/** Fails calls that are out of time. One that is done is answered with what is known. */
export function expireCalls(turn: Turn): void {
  const { state, nowMs } = turn;
  const { requests } = state;
  if (nowMs < requests.nextDeadlineMs) return;
  requests.nextDeadlineMs = Infinity;
  for (const call of requests.calls.values()) {
    if (call.deadlineMs > nowMs) {
      requests.nextDeadlineMs = Math.min(requests.nextDeadlineMs, call.deadlineMs);
    } else if (call.known !== undefined) {
      done(turn, call, call.known);
    } else {
      fail(turn, call, { kind: "timedOut", timeoutMs: call.timeoutMs });
    }
  }
}
