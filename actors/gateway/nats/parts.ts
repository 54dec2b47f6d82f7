/** What the gateway of native clients tells for four-letter words: its counts and its sessions. */
import { formatSession } from "../../../protocol/ids.ts";
import type { Recursive } from "../../../protocol/changes.ts";
import { isAtOrBelow, parentOf } from "../../../protocol/paths.ts";
import type {
  ConnectedSessionsQuestion,
  MetricsQuestion,
  FindWatchesQuestion,
  WatchFacts,
} from "../../admin/messages.ts";
import { tell } from "../../inboxes.ts";
import { reportOf, resetMetrics } from "../metrics.ts";
import { Listing } from "../../listing.ts";
import { servedBy } from "../attachment.ts";
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

/** The streams of a session, or those that hear of a znode. */
export function answerFoundWatches(
  turn: Turn,
  { question, argument, bytesMax }: FindWatchesQuestion,
): void {
  const { connections, sessions } = turn.state;
  const listing = new Listing(bytesMax);
  const holder = argument.kind === "session" ? sessions.holders.get(argument.session) : undefined;
  const asked =
    argument.kind === "znode" ? connections.values() : holder === undefined ? [] : [holder];
  for (const connection of asked) {
    const served = servedBy(connection);
    if (served === undefined) continue;
    const session = formatSession(served.session);
    for (const { path, recursive } of connection.streams.values()) {
      if (argument.kind === "znode" && !hears(argument.path, path, recursive)) continue;
      const watches = recursive === false ? "stream" : "subtreeStream";
      const facts: WatchFacts = { session, address: null, path, watches };
      if (listing.isFull) listing.omit(1);
      else listing.add("", JSON.stringify(facts));
    }
  }
  answerPart(turn, question, listing.content);
}

function hears(path: string, top: string, recursive: Recursive): boolean {
  if (recursive === "children") return path === top || parentOf(path) === top;
  return recursive ? isAtOrBelow(path, top) : path === top;
}
