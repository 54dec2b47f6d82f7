/** What the gateway of native clients tells for four-letter words: its counts and its sessions. */
import type { ConnectedSessionsQuestion, MetricsQuestion } from "../../admin/messages.ts";
import { tell } from "../../inboxes.ts";
import { reportOf, resetMetrics } from "../metrics.ts";
import { answerPart, listedSessions, NOTHING } from "../parts.ts";
import type { Turn } from "./state.ts";
import { streamCounts } from "./streams.ts";

export function report({ state, effects }: Turn): void {
  effects.push(tell("admin", { ...reportOf(state, []), streams: streamCounts(state) }));
}

/** Tells what `srvr` counts. */
export function answerMetrics(turn: Turn, { kind, question }: MetricsQuestion): void {
  if (kind === "resetMetrics") resetMetrics(turn.state.metrics);
  report(turn);
  answerPart(turn, question, NOTHING);
}

/** Where NATS carries it the address of a client is not known. */
export function answerSessions(
  turn: Turn,
  { question, bytesMax }: ConnectedSessionsQuestion,
): void {
  const unknown = { address: null, lastZxid: null, lastOperation: null };
  const content = listedSessions(turn.state.connections, bytesMax, ({ streams }) => {
    return { ...unknown, watches: streams.size };
  });
  answerPart(turn, question, content);
}
