/** The end of a session: nothing is asked, told or waited for any more. */
import { failCalls } from "./settling.ts";
import type { Failure, SessionState, StreamEnd } from "../../session/messages.ts";
import { takeUnderWay } from "./requests.ts";
import type { Turn } from "./state.ts";
import { endStreams } from "./streams/streams.ts";

/** Once the caller has closed the session, it does not end again. */
export function end(turn: Turn, failure: Failure): void {
  const { state, effects } = turn;
  if (state.over?.kind === "closed") return;
  state.over = failure;
  state.closing = undefined;
  state.connection += 1;
  state.confirmedAtMs = -Infinity;
  state.link = { kind: "none", retryAtMs: Infinity };
  effects.push({ kind: "closeChannel" });
  takeUnderWay(state.requests);
  state.requests.waiting = [];
  failCalls(turn, failure);
  const last: StreamEnd =
    failure.kind === "closed" ? { kind: "completed" } : { kind: "failed", failure };
  endStreams(turn, last);
  const kind: SessionState["kind"] = failure.kind === "expired" ? "expired" : "closed";
  effects.push({ kind: "stateChanged", state: { kind } });
}
