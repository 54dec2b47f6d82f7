/** Requests of native clients are taken or refused, handed on, and answered. */
import { assert, unreachable } from "../../../protocol/assert.ts";
import { Code } from "../../../protocol/codes.ts";
import {
  CONNECTION_REQUEST_BYTES_MAX,
  CONNECTION_REQUESTS_MAX,
  KEPT_RESULTS_IDLE_MAX,
} from "../../../protocol/limits.ts";
import type {
  MemberResult,
  NativeRequest,
  NativeResult,
  NativeWrite,
} from "../../../protocol/native-packing.ts";
import { requestBytes } from "../../../protocol/native-size.ts";
import type { OperationResult } from "../../../protocol/operations.ts";
import type { ReadResult } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { servedWrite } from "../acls.ts";
import { enterClosing } from "../attachment.ts";
import { nativeRefusal, type Refusal } from "../checks.ts";
import { dispatch } from "../lane.ts";
import { countAnswered } from "../metrics.ts";
import { shownIdentities } from "../shown-identities.ts";
import { noteSlow } from "../slow-requests.ts";
import { end, forget, outputBytesLeft, push } from "./output.ts";
import type { Connection, Entry, Turn } from "./state.ts";

/**
 * Takes a request. A connection that has too much under way is ended, since what NATS brings cannot be left unread. When the
 * gateway as a whole holds too much, the request alone is refused, and certainly not done.
 */
export function request(
  turn: Turn,
  connection: Connection,
  id: number,
  asked: NativeRequest,
): void {
  const { state } = turn;
  const { queue } = connection;
  if (isNumbered(asked) && id <= connection.before.last) {
    return answerAgain(turn, connection, id);
  }
  const refusal = nativeRefusal(asked, state.options);
  if (refusal !== undefined) {
    return answerAtOnce(turn, connection, id, resultOfRefusal(asked, refusal));
  }
  const bytes = requestBytes(asked);
  // One request alone always fits.
  const tooLarge = queue.length > 0 && queue.bytes + bytes > CONNECTION_REQUEST_BYTES_MAX;
  if (tooLarge || queue.length >= CONNECTION_REQUESTS_MAX) return end(turn, connection, "limit");
  if (state.requestBytes + bytes > state.options.heldBytesMax) {
    return refuseRequest(turn, connection, id, Code.throttled);
  }
  state.metrics.received += 1;
  state.requestBytes += bytes;
  if (isNumbered(asked)) {
    const { answered, lastWrite, keptAtMost } = connection;
    connection.keptAtMost = (answered >= lastWrite ? 0 : keptAtMost) + 1;
    connection.lastWrite = id;
  }
  queue.push(served(turn, connection, asked), id, bytes, turn.nowMs, connection.who);
}

/** Whether the log holds the number of such a request. */
function isNumbered(asked: NativeRequest): boolean {
  return asked.kind === "write" && asked.operation.kind !== "closeSession";
}

/**
 * A write with such a number was done before the connection was attached, and its result is known; or it was refused by another gateway,
 * and is not done. It is handed on to nobody, so it can be answered whatever the ensemble takes by now.
 */
function answerAgain(turn: Turn, connection: Connection, id: number): void {
  const { kept } = connection.before;
  const known = kept.get(id);
  kept.delete(id);
  turn.state.metrics.received += 1;
  if (known === undefined) {
    return reply(turn, connection, id, turn.state.zxid, { kind: "error", code: Code.throttled });
  }
  reply(turn, connection, id, known.zxid, resultOf(known.result));
}

/** The client has had its answers up to this number. */
export function takeAnswered(connection: Connection, number: number): void {
  if (number > connection.answered) connection.answered = number;
}

/** Whether the session keeps results that its client has had, and the client has no write under way that would tell the log so. */
export function keepsInVain({
  keptAtMost,
  lastWrite,
  answered,
  queue,
  phase,
}: Connection): boolean {
  if (phase.kind !== "attached" || keptAtMost <= KEPT_RESULTS_IDLE_MAX) return false;
  return answered >= lastWrite && queue.length === 0;
}

/** Has it logged that the client has had its answers, by what changes nothing and has the number of no request. */
export function logAnswered(turn: Turn, connection: Connection): void {
  const nothing = { kind: "write", operation: { kind: "sync", path: "/" } } as const;
  connection.queue.push(nothing, NO_REQUEST, 0, turn.nowMs, connection.who);
  pump(turn, connection);
  connection.keptAtMost = 0;
}

/** No client's request has this number. */
const NO_REQUEST = 0;

/** A write has its access control lists as they are to be stored. */
function served(turn: Turn, { who }: Connection, asked: NativeRequest): NativeRequest {
  if (asked.kind !== "write") return asked;
  const operation = servedWrite(asked.operation, who, turn.state.options.schemes);
  return operation === asked.operation
    ? asked
    : { kind: "write", operation: operation as NativeWrite };
}

/** Answers a request that is not taken. */
export function refuseRequest(turn: Turn, connection: Connection, id: number, code: Code): void {
  answerAtOnce(turn, connection, id, { kind: "error", code });
}

function answerAtOnce(turn: Turn, connection: Connection, id: number, result: NativeResult): void {
  turn.state.metrics.received += 1;
  reply(turn, connection, id, turn.state.zxid, result);
}

/** Where one operation of a multi is wrong, the result says which. */
function resultOfRefusal(asked: NativeRequest, { code, failedAt }: Refusal): NativeResult {
  if (failedAt === undefined || asked.kind !== "write" || asked.operation.kind !== "multi") {
    return { kind: "error", code };
  }
  const results = asked.operation.operations.map((_, index): MemberResult => {
    const failed = index === failedAt ? code : Code.runtimeInconsistency;
    return { kind: "error", code: index < failedAt ? Code.ok : failed };
  });
  return { kind: "multi", failed: true, results };
}

/** Hands on the requests that may go now. Those behind a closeSession never do. */
export function pump(turn: Turn, connection: Connection): void {
  const { state } = turn;
  if (connection.phase.kind !== "attached") return;
  const writes = dispatch(turn, connection, outputBytesLeft(state, connection), true);
  if (writes.at(-1)?.kind === "closeSession") enterClosing(state.sessions, connection);
  replyAnswered(turn, connection);
}

/** Results of requests have come. The answer to a closeSession is the last. */
export function takeAnswers(turn: Turn, connection: Connection): void {
  replyAnswered(turn, connection);
  const { phase, queue } = connection;
  if (phase.kind === "closing" && queue.writesOut === 0) forget(turn, connection);
  else pump(turn, connection);
}

/** Replies carry the client's numbers, so that they leave as they come. */
function replyAnswered(turn: Turn, connection: Connection): void {
  const { state, nowMs } = turn;
  const { queue } = connection;
  const bytesBefore = queue.bytes;
  const answered = queue.takeAnswered();
  state.requestBytes -= bytesBefore - queue.bytes;
  for (const entry of answered) {
    if (entry.id === NO_REQUEST) continue;
    const result = nativeResult(entry);
    // NATS carries it, so nobody knows the client's address.
    if (countAnswered(state.metrics, entry, nowMs)) noteSlow(turn, connection, entry, null);
    const isOfTree = entry.state !== "refused" && entry.result !== undefined;
    const zxid = isOfTree ? entry.zxid : state.zxid;
    reply(turn, connection, entry.id, zxid, result);
    if (result.kind !== "error") continue;
    if (result.code === Code.sessionMoved) return end(turn, connection, "moved");
    if (result.code === Code.sessionExpired) return end(turn, connection, "expired");
  }
}

function reply(
  turn: Turn,
  connection: Connection,
  id: number,
  zxid: Zxid,
  result: NativeResult,
): void {
  push(turn, connection, { kind: "result", id, zxid, result }, payloadBytes(result));
}

function payloadBytes(result: NativeResult): number {
  switch (result.kind) {
    case "data":
      return result.data?.length ?? 0;
    case "children":
    case "page":
      return result.children.reduce((bytes, name) => bytes + name.length + 2, 0);
    case "changed":
      return result.paths.reduce((bytes, path) => bytes + path.length + 2, 0);
    case "stats":
      return STAT_BYTES * result.stats.length;
    case "multi":
      return result.results.reduce((bytes, each) => bytes + memberBytes(each), 0);
    case "acl":
      return result.acl.reduce((bytes, { scheme, id }) => bytes + scheme.length + id.length, 0);
    default:
      return 0;
  }
}

/** What a Stat takes in a frame, about. */
const STAT_BYTES = 60;

function memberBytes(result: MemberResult): number {
  if (!("stat" in result)) return 2;
  return STAT_BYTES + ("path" in result ? result.path.length : 0);
}

function nativeResult({ request, result, who }: Entry): NativeResult {
  if (request.kind === "whoAmI") {
    assert(who !== undefined, "a request has its client");
    return { kind: "identities", identities: shownIdentities(who) };
  }
  assert(result !== undefined, "what is answered has a result");
  return resultOf(result);
}

function resultOf(result: OperationResult | ReadResult): NativeResult {
  switch (result.kind) {
    case "error":
    case "done":
    case "created":
    case "stat":
    case "data":
    case "children":
    case "page":
    case "stats":
    case "changed":
    case "acl":
      return result;
    case "multi": {
      const { failed, results } = result;
      return { kind: "multi", failed, results: results.map(memberResult) };
    }
    case "session":
    case "listed":
    case "multiRead":
    case "paths":
    case "count":
      return unasked(result);
    default:
      return unreachable(result);
  }
}

function memberResult(result: OperationResult): MemberResult {
  switch (result.kind) {
    case "error":
    case "done":
    case "created":
    case "stat":
      return result;
    default:
      return unasked(result);
  }
}

function unasked({ kind }: OperationResult | ReadResult): never {
  throw new Error(`a native client cannot have asked for a result of kind ${kind}`);
}
