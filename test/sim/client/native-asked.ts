/** What a native client's user has asked for and waits for, and what the client may answer. */
import type { NativeRequest } from "../../../protocol/native-packing.ts";
import type { Outcome } from "../../../client/session/messages.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import { isSameOperation } from "../checks/truth.ts";
import { must } from "../checks/violation.ts";
import { requestText } from "./native-requests.ts";
import type { Sent } from "./native-witness.ts";

export type Asked = {
  readonly request: NativeRequest;
  /** By the client's own clock. */
  readonly askedMs: number;
  /** How long it may take. */
  readonly timeoutMs: number;
  /** Where it was said last; undefined: nowhere yet. */
  sent: Sent | undefined;
};

/** A deadline is noticed at the next tick, and clocks change their rates while timers run. */
const LATE_MS = 150;

/** The client says the request once on each connection. */
export function checkSaid(who: string, asked: Asked, sent: Sent): void {
  const [wanted, said] = [requestText(asked.request), requestText(sent.request)];
  must(isWanted(asked.request, sent.request), "exactly once", () => {
    return `${who}: says ${said}, asked for ${wanted}`;
  });
  const isOther = asked.sent?.attachment !== sent.attachment;
  must(isOther, "exactly once", () => `${who}: says ${said} twice on one connection`);
}

function isWanted(asked: NativeRequest, said: NativeRequest): boolean {
  if (asked.kind !== "write" || said.kind !== "write")
    return requestText(asked) === requestText(said);
  return isSameOperation(asked.operation, said.operation);
}

/** The outcome is what was answered, and when there was no answer it says rightly whether the request may have been done. */
export function checkOutcome(
  who: string,
  { request, sent, askedMs, timeoutMs }: Asked,
  outcome: Outcome,
  nowMs: number,
): void {
  const what = (): string => `${who}: ${requestText(request)}`;
  const tookMs = nowMs - askedMs;
  must(tookMs <= timeoutMs + LATE_MS, "liveness", () => `${what()} took ${tookMs} ms`);
  if (outcome.kind === "answered") {
    const { zxid, result } = outcome.answer;
    const told = sent?.told;
    const isRight = told !== undefined && told.zxid === zxid && told.result.kind === result.kind;
    must(isRight, "true replies", () => {
      return `${what()} is answered at ${formatZxid(zxid)}, which no gateway said`;
    });
    return;
  }
  const { failure, maybeApplied } = outcome;
  const isInDoubt = request.kind === "write" && sent !== undefined;
  must((maybeApplied === "unknown") === isInDoubt, "maybe applied", () => {
    const where = sent === undefined ? "never said" : `said, answered: ${sent.told !== undefined}`;
    return `${what()}, ${where}, fails with ${failure.kind}, maybeApplied ${maybeApplied}`;
  });
  if (failure.kind !== "timedOut") return;
  must(tookMs >= timeoutMs - LATE_MS, "liveness", () => `${what()} has ${tookMs} ms only`);
}
