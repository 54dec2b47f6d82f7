/**
 * What a user has asked of a client over ZooKeeper's protocol, and what the client may answer: a write is asked for once, and when it has
 * no answer `maybeApplied` says rightly what is known of it.
 */
import type { Outcome } from "../../../../client/session/messages.ts";
import { Code } from "../../../../protocol/codes.ts";
import type { MaybeApplied } from "../../../../protocol/errors.ts";
import type { NativeRequest, NativeResult } from "../../../../protocol/native-packing.ts";
import type { ClientOperation } from "../../../../protocol/operations.ts";
import { formatZxid, type Zxid } from "../../../../protocol/zxid.ts";
import { statProblem } from "../../checks/replies.ts";
import { isSameOperation, type Truth } from "../../checks/truth.ts";
import { must } from "../../checks/violation.ts";
import type { SimWho } from "../identities.ts";
import { checkNativeRead, nativeWriteProblem, requestText } from "../native-requests.ts";
import type { Question } from "../user.ts";
import type { Said } from "./witness.ts";

export type Asked = Question & {
  /** Where a write was asked for, the last time last. */
  readonly said: Said[];
};

/** What became of requests. `found`: creates whose connection was lost, and which were found to be done. */
export type CallCounts = {
  answered: number;
  found: number;
  unknown: number;
  denied: number;
  applied: number;
};

export type Asker = { readonly name: string; readonly who: SimWho; readonly truth: Truth };

type Write = Extract<NativeRequest, { readonly kind: "write" }>;

/** A deadline is noticed when the timer runs, and clocks change their rates while timers run. */
const LATE_MS = 150;

/** Whether this is what was asked for, and may be asked for now. */
export function maySay({ request, said }: Asked, now: Said): boolean {
  if (request.kind !== "write" || now.request.kind !== "write") return false;
  if (!isSameOperation(asSaid(request.operation), now.request.operation)) return false;
  const last = said.at(-1);
  if (last === undefined) return true;
  if (isSync(request)) return last.answer === undefined && last.connection !== now.connection;
  return wasNotDone(request, last);
}

/** A create that may find the znode there is asked for as any other. */
function asSaid(operation: ClientOperation): ClientOperation {
  if (operation.kind !== "create") return operation;
  const { unlessExists: _, ...create } = operation;
  return create;
}

function isSync({ operation }: Write): boolean {
  return operation.kind === "sync";
}

/** The server has said that it did nothing, and the client may ask again. */
function wasNotDone({ operation }: Write, { answer }: Said): boolean {
  const code = answer?.header.code;
  const mayExist = operation.kind === "create" && operation.unlessExists === true;
  return code === Code.sessionMoved || (mayExist && code === Code.nodeExists);
}

/** The outcome is what was answered, or says rightly whether the request may have been done. */
export function checkOutcome(
  asker: Asker,
  asked: Asked,
  outcome: Outcome,
  { nowMs, counts }: { readonly nowMs: number; readonly counts: CallCounts },
): void {
  const { request, askedMs, timeoutMs } = asked;
  const what = (): string => `${asker.name}: ${requestText(request)}`;
  const tookMs = nowMs - askedMs;
  must(tookMs <= timeoutMs + LATE_MS, "liveness", () => `${what()} took ${tookMs} ms`);
  if (outcome.kind === "answered") {
    counts.answered += 1;
    if (request.kind === "write") checkWritten(asker, asked, request, { outcome, counts });
    else {
      const { name, who } = asker;
      const reader = { name, who, session: undefined };
      checkNativeRead(asker.truth.model, reader, request, outcome.answer);
    }
    return;
  }
  const { failure, maybeApplied } = outcome;
  checkMaybe(asker, asked, maybeApplied, counts);
  if (failure.kind !== "timedOut") return;
  must(tookMs >= timeoutMs - LATE_MS, "liveness", () => `${what()} has ${tookMs} ms only`);
}

/** "no": nobody has done it. "yes": it is done. "unknown": it was sent, and nothing was answered. */
function checkMaybe(
  { name, truth }: Asker,
  { request, said }: Asked,
  maybeApplied: MaybeApplied,
  counts: CallCounts,
): void {
  const last = said.at(-1);
  const isWrite = request.kind === "write" && !isSync(request);
  const isInDoubt = isWrite && last !== undefined && !wasNotDone(request, last);
  const what = (): string => {
    const where =
      last === undefined ? "never said" : `said, answered: ${last.answer?.header.code ?? "not"}`;
    return `${name}: ${requestText(request)}, ${where}, fails, maybeApplied ${maybeApplied}`;
  };
  must((maybeApplied === "no") !== isInDoubt, "maybe applied", what);
  if (maybeApplied === "no") {
    counts.denied += 1;
  } else if (maybeApplied === "yes") {
    const done = last === undefined ? undefined : resultOf(truth, last)?.kind;
    must(done !== undefined && done !== "error", "maybe applied", what);
    counts.applied += 1;
  } else {
    must(last?.answer === undefined, "maybe applied", what);
    counts.unknown += 1;
  }
}

/** What was said not to be done has not been done since. */
export function checkDenied({ name, truth }: Asker, { request, said }: Asked): void {
  if (request.kind !== "write" || isSync(request)) return;
  for (const each of said) {
    const result = resultOf(truth, each);
    const isUndone = result === undefined || result.kind === "error" || isFailed(result);
    must(isUndone, "maybe applied", () => {
      return `${name}: ${requestText(request)} was said not to be done, and is`;
    });
  }
}

function isFailed(result: { readonly kind: string; readonly failed?: boolean }): boolean {
  return result.kind === "multi" && result.failed === true;
}

function resultOf(
  truth: Truth,
  { connection, place }: Said,
): ReturnType<typeof resultAt> | undefined {
  const zxid = connection.attachment.committed[place];
  return zxid === undefined ? undefined : resultAt(truth, zxid);
}

function resultAt(
  truth: Truth,
  zxid: Zxid,
): NonNullable<ReturnType<Truth["operationAt"]>>["result"] {
  const applied = truth.operationAt(zxid);
  if (applied === undefined) throw new Error("a write is committed at a zxid of none");
  return applied.result;
}

type Answered = Extract<Outcome, { readonly kind: "answered" }>;

function checkWritten(
  asker: Asker,
  asked: Asked,
  { operation }: Write,
  { outcome, counts }: { readonly outcome: Answered; readonly counts: CallCounts },
): void {
  const { name, truth } = asker;
  const { zxid, result } = outcome.answer;
  const problemIs = (problem: string | undefined): void => {
    must(problem === undefined, "true replies", () => {
      return `${name}: ${requestText(asked.request)} at ${formatZxid(zxid)}: ${problem}`;
    });
  };
  const last = asked.said.at(-1);
  if (last === undefined) {
    const isUnknown = operation.kind === "removeRecursive" && codeOf(result) === Code.unimplemented;
    return problemIs(isUnknown ? undefined : "answered, and never asked for");
  }
  const { answer } = last;
  if (answer === undefined) {
    const isDone = last.connection.attachment.committed[last.place] === zxid;
    if (!isDone) return problemIs("found, and not done");
    counts.found += 1;
    return problemIs(nativeWriteProblem(result, resultAt(truth, zxid)));
  }
  const { header, body } = answer;
  if (header.code === Code.nodeExists && operation.kind === "create" && operation.unlessExists) {
    const there = truth.model.at(operation.path, zxid)?.stat;
    if (result.kind !== "created" || there === undefined) return problemIs("it is there");
    return problemIs(statProblem(result.stat, there));
  }
  if (zxid !== header.zxid) return problemIs(`answered at ${formatZxid(header.zxid)}`);
  if (header.code !== Code.ok && body.kind === "nothing") {
    return problemIs(codeOf(result) === header.code ? undefined : `code ${header.code}`);
  }
  const applied = resultAt(truth, zxid);
  problemIs(nativeWriteProblem(withTimes(result, applied), applied));
}

function codeOf(result: NativeResult): Code {
  return result.kind === "error" ? result.code : Code.ok;
}

type Applied = NonNullable<ReturnType<Truth["operationAt"]>>["result"];

/** When the znodes of a transaction were created is not told if the client could not ask for that any more. */
function withTimes(result: NativeResult, applied: Applied): NativeResult {
  if (result.kind !== "multi" || applied.kind !== "multi") return result;
  const results = result.results.map((each, index) => {
    const done = applied.results[index];
    if (each.kind !== "created" || each.stat.ctime !== 0 || done?.kind !== "created") return each;
    const { ctime, mtime } = done.stat;
    return { ...each, stat: { ...each.stat, ctime, mtime } };
  });
  return { ...result, results };
}
