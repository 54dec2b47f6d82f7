/**
 * The gateway has to end the connections of some sessions again and again, for what their client sent. Each new connection of a
 * session is a record on every disk, so such a session is not attached again at once: it is refused, which costs nobody else
 * anything, for a time that doubles with each end. zooid/client waits by itself.
 */
import type { SessionId } from "../../../protocol/ids.ts";
import type { EndReason } from "../../../protocol/native.ts";

export type Offenders = Map<SessionId, { readonly ends: number; readonly lastMs: number }>;

/** The number of ends in a row that cost no time: a message may be lost, and a limit may be met by chance. */
const FREE_ENDS = 3;
const FIRST_WAIT_MS = 200;
const WAIT_MS_MAX = 10_000;
/** After this time without an end it is as if there had been none. */
const FORGIVEN_MS = 60_000;

const OFFENCES: ReadonlySet<EndReason> = new Set<EndReason>(["badFrame", "limit", "gap"]);

/** A connection whose client has proven to own the session was ended. */
export function noteEnd(
  offenders: Offenders,
  session: SessionId,
  reason: EndReason,
  nowMs: number,
): void {
  if (!OFFENCES.has(reason)) return;
  const ends = (offenders.get(session)?.ends ?? 0) + 1;
  offenders.set(session, { ends, lastMs: nowMs });
}

/** Whether the session is to wait before it is attached again. */
export function mustWait(offenders: Offenders, session: SessionId, nowMs: number): boolean {
  const offender = offenders.get(session);
  if (offender === undefined || offender.ends <= FREE_ENDS) return false;
  const doubled = FIRST_WAIT_MS * 2 ** Math.min(offender.ends - FREE_ENDS - 1, 16);
  return nowMs - offender.lastMs < Math.min(doubled, WAIT_MS_MAX);
}

export function forgive(offenders: Offenders, nowMs: number): void {
  for (const [session, { lastMs }] of offenders) {
    if (nowMs - lastMs >= FORGIVEN_MS) offenders.delete(session);
  }
}
