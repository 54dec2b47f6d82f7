/** The end of a session: nothing is asked, told or waited for any more. */
import type { Failure, SessionState, StreamEnd } from "./messages.ts";
import { failRequests } from "./requests.ts";
import type { Turn } from "./state.ts";
import { endStreams } from "./streams.ts";

/** Once the caller has closed the session, it does not end again. */
export function end(turn: Turn, failure: Failure): void {
  const { state, effects } = turn;
  const { requests, streams } = state;
  if (state.over?.kind === "closed") return;
  state.over = failure;
  state.validUntilMs = -Infinity;
  state.closing = undefined;
  state.connection += 1;
  state.link = { kind: "none", retryAtMs: Infinity };
  effects.push({ kind: "closeChannel" });
  failRequests(requests, failure, effects);
  const last: StreamEnd =
    failure.kind === "closed" ? { kind: "completed" } : { kind: "failed", failure };
  endStreams({ streams, effects, say: () => undefined }, last);
  const kind: SessionState["kind"] = failure.kind === "expired" ? "expired" : "closed";
  effects.push({ kind: "stateChanged", state: { kind } });
}
