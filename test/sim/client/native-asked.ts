/** What a native client's user has asked for and waits for, and what the client may answer. */
import { Code } from "../../../protocol/codes.ts";
import type { NativeRequest } from "../../../protocol/native-packing.ts";
import type { Outcome } from "../../../client/session/messages.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import { must } from "../checks/violation.ts";
import { requestText } from "./native-requests.ts";
import type { Sent, Told } from "./native-witness.ts";

export type Asked = {
  readonly request: NativeRequest;
  /** By the client's own clock. */
  readonly askedMs: number;
  /** Where it was said last; undefined: nowhere yet. */
  sent: Sent | undefined;
};

/** A deadline is noticed at the next tick, and clocks change their rates while timers run. */
const LATE_MS = 150;

/** The client says the request on a connection: a write once, unless it knows that it was not done. */
export function checkSaid(who: string, asked: Asked, sent: Sent): void {
  const [wanted, said] = [requestText(asked.request), requestText(sent.request)];
  must(wanted === said, "exactly once", () => `${who}: says ${said}, asked for ${wanted}`);
  const before = asked.sent;
  const mayRepeat = asked.request.kind === "read" || before === undefined || isRefused(before.told);
  must(mayRepeat, "exactly once", () => `${who}: says ${said} again, which may have been done`);
}

/** The outcome is what was answered, and when there was no answer it says rightly whether the request may have been done. */
export function checkOutcome(
  who: string,
  { request, sent, askedMs }: Asked,
  outcome: Outcome,
  of: { readonly nowMs: number; readonly timeoutMs: number },
): void {
  const what = (): string => `${who}: ${requestText(request)}`;
  const tookMs = of.nowMs - askedMs;
  must(tookMs <= of.timeoutMs + LATE_MS, "liveness", () => `${what()} took ${tookMs} ms`);
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
  const isInDoubt = request.kind === "write" && sent !== undefined && !isRefused(sent.told);
  must((maybeApplied === "unknown") === isInDoubt, "maybe applied", () => {
    const where = sent === undefined ? "never said" : `said, answered: ${sent.told !== undefined}`;
    return `${what()}, ${where}, fails with ${failure.kind}, maybeApplied ${maybeApplied}`;
  });
  if (failure.kind !== "timedOut") return;
  must(tookMs >= of.timeoutMs - LATE_MS, "liveness", () => `${what()} has ${tookMs} ms only`);
}

/** The node refused it because the session is elsewhere. */
function isRefused(told: Told | undefined): boolean {
  return told?.result.kind === "error" && told.result.code === Code.sessionMoved;
}
