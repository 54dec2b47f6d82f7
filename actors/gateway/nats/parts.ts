/** What the gateway of native clients knows for four-letter words: its counts, its sessions, and what is asked of it. */
import { formatSession } from "../../../protocol/ids.ts";
import type {
  BusyQuestion,
  MetricsQuestion,
  NativeSessionsQuestion,
  Part,
  SessionFacts,
} from "../../admin/messages.ts";
import { tell } from "../../inboxes.ts";
import { Listing } from "../../listing.ts";
import { servedBy } from "../attachment.ts";
import { takeBusy } from "../busy.ts";
import { reportOf, resetMetrics } from "../metrics.ts";
import type { Turn } from "./state.ts";
import { streamCounts } from "./streams.ts";

const NOTHING = { groups: [], omitted: 0 } as const;

function answer(
  { state, effects }: Turn,
  question: number,
  content: Pick<Part, "groups" | "omitted" | "busy">,
): void {
  effects.push(tell("admin", { kind: "part", question, from: state.name, ...content }));
}

export function report({ state, effects }: Turn): void {
  effects.push(tell("admin", { ...reportOf(state, []), streams: streamCounts(state) }));
}

/** Tells what `srvr` counts. */
export function answerMetrics(turn: Turn, { kind, question }: MetricsQuestion): void {
  if (kind === "resetMetrics") resetMetrics(turn.state.metrics);
  report(turn);
  answer(turn, question, NOTHING);
}

/** Tells what is asked of it, and by whom. */
export function answerBusy(turn: Turn, { question }: BusyQuestion): void {
  answer(turn, question, { ...NOTHING, busy: takeBusy(turn.state, turn.nowMs) });
}

/** The sessions that have a connection. Where NATS carries it the address of a client is not known. */
export function answerSessions(turn: Turn, { question, bytesMax }: NativeSessionsQuestion): void {
  const { connections } = turn.state;
  const listing = new Listing(bytesMax);
  let looked = 0;
  for (const connection of connections.values()) {
    if (listing.isFull) break;
    looked += 1;
    const served = servedBy(connection);
    if (served === undefined) continue;
    const { received, sent, queue, streams } = connection;
    const facts: SessionFacts = {
      session: formatSession(served.session),
      address: null,
      timeoutMs: served.timeoutMs,
      ...{ received, sent },
      outstanding: queue.length,
      watches: streams.size,
      lastZxid: null,
      lastOperation: null,
    };
    listing.add("", JSON.stringify(facts));
  }
  listing.omit(connections.size - looked);
  answer(turn, question, listing.content);
}
