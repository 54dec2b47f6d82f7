/** A snapshot is not wanted any more, or cannot be had for now. */
import { formatZxid } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import { log, type LogSyncState } from "./state.ts";

/** After a failure. */
const FETCH_AGAIN_MS = 1000;

/** The log came as far by appends. */
export function dropPassedFetch(state: LogSyncState): void {
  const { fetch } = state;
  if (fetch === undefined || fetch.step === "installing") return;
  if (fetch.snapshot.zxid <= state.committed) dropFetch(state, 0, "no longer behind");
}

export function dropFetch(state: LogSyncState, nowMs: number, reason: string): void {
  const zxid = formatZxid(state.fetch?.snapshot.zxid ?? state.committed);
  log(state, "info", "snapshot dropped", { zxid, reason });
  state.fetch = undefined;
  state.fetchAfterMs = nowMs + FETCH_AGAIN_MS;
  state.effects.push(tell("log", { kind: "dropParts" }));
}
