/** What the log of a node says of quotas that are exceeded. Only the node whose client wrote says it, so that it is said once. */
import { logEvent } from "../../log-event.ts";
import type { TreeTurn } from "../state.ts";

/** To be called once the operations of a record are applied; `own`: they came from this lane. */
export function tellExcesses({ state, effects }: TreeTurn, own: boolean): void {
  const { quotas } = state;
  if (quotas.excesses.length === 0) return;
  const excesses = quotas.excesses;
  quotas.excesses = [];
  if (!own) return;
  for (const { path, of, is, limit, refused } of excesses) {
    const detail = { path, of, is: String(is), limit: String(limit), refused };
    effects.push(logEvent("quotaExceeded", detail));
  }
}
