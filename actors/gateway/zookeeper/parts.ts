/** What the gateway knows for four-letter words that list or reset: its connections, and whose the watches of its lane are. */
import { formatSession } from "../../../protocol/ids.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import { Listing, wholeSecondMs } from "../../listing.ts";
import type {
  ConnectedSessionsQuestion,
  ConnectionFacts,
  ConnectionsQuestion,
  MetricsQuestion,
  FindWatchesQuestion,
  WatchesQuestion,
  WatchFacts,
} from "../../admin/messages.ts";
import type { ClientWatches, FoundWatches, WatchList } from "../../tree/messages.ts";
import { servedBy } from "../attachment.ts";
import { withheldUntilMs } from "../contact.ts";
import { resetMetrics } from "../metrics.ts";
import { answerPart, listed, listedSessions, NOTHING } from "../parts.ts";
import { clientLine, isRead, reportNow } from "./report.ts";
import type { Connection, State, Turn } from "./state.ts";
import { newStatistics, statisticsFacts, statisticsText } from "./statistics.ts";

/** Tells what `srvr` counts, and who is connected. */
export function answerMetrics(turn: Turn, { kind, question }: MetricsQuestion): void {
  if (kind === "resetMetrics") resetMetrics(turn.state.metrics);
  reportNow(turn);
  answerPart(turn, question, NOTHING);
}

export function answerConnections(turn: Turn, asked: ConnectionsQuestion): void {
  const { connections } = turn.state;
  if (asked.kind === "resetConnections") {
    for (const connection of connections.values()) {
      connection.received = 0;
      connection.sent = 0;
      connection.statistics = newStatistics(connection.statistics.sinceWallMs);
    }
    answerPart(turn, asked.question, NOTHING);
    return;
  }
  const { question, word, bytesMax } = asked;
  const content = listed(connections, bytesMax, (connection) => {
    // Its socket is still to be closed.
    if (connection.phase.kind === "ended") return undefined;
    if (word === "cons") return ["", detailedLine(connection)];
    if (word === "connections") return factsEntry(connection);
    return [endsMs(turn, connection), addressLine(connection)];
  });
  answerPart(turn, question, content);
}

/** As `stat` prints it, with what is known of the session and its requests. */
function detailedLine(connection: Connection): string {
  const line = clientLine(connection);
  const served = servedBy(connection);
  if (served === undefined) return `${line})`;
  const { session, timeoutMs } = served;
  return `${line},sid=${formatSession(session)},${statisticsText(connection.statistics, timeoutMs)})`;
}

/** For programs. The group says whether the client speaks TLS. */
function factsEntry(connection: Connection): readonly [group: string, entry: string] {
  const { remoteAddress, isSecure, queue, received, sent, statistics } = connection;
  const facts: ConnectionFacts = {
    remote_socket_address: remoteAddress,
    interest_ops: isRead(connection) ? 1 : 0,
    outstanding_requests: queue.length,
    packets_received: received,
    packets_sent: sent,
  };
  const served = servedBy(connection);
  const session = served && {
    session_id: served.session,
    ...statisticsFacts(statistics, served.timeoutMs),
  };
  return [isSecure ? "secure" : "", JSON.stringify({ ...facts, ...session })];
}

function addressLine(connection: Connection): string {
  return `ip: /${connection.remoteAddress} sessionId: ${formatSession(servedBy(connection)?.session ?? 0)}`;
}

/** When the gateway closes the connection if it hears nothing, by the wall clock and in whole seconds. */
function endsMs({ state, nowMs, wallMs }: Turn, connection: Connection): number {
  return wholeSecondMs(wallMs + endsInMs(state, connection, nowMs));
}

function endsInMs(state: State, connection: Connection, nowMs: number): number {
  const served = servedBy(connection);
  const dueMs =
    served === undefined
      ? state.handshakes.get(connection)
      : withheldUntilMs(connection.leaderHeardMs, served.timeoutMs);
  return dueMs === undefined ? state.options.failoverGraceMs : dueMs - nowMs;
}

/** The tree knows the watches by the gateway's numbers of connections. */
export function askWatches({ state, effects }: Turn, asked: WatchesQuestion): void {
  const from = `zookeeper/${state.lane}` as const;
  effects.push(tell(`tree/${state.lane}`, { ...asked, from }));
}

/** The sessions that have a connection are listed when the tree has told how many watches they have. */
export function askClientWatches(
  { state, effects }: Turn,
  { question, bytesMax }: ConnectedSessionsQuestion,
): void {
  const from = `zookeeper/${state.lane}` as const;
  const message = { kind: "countClientWatches", from, question, bytesMax } as const;
  effects.push(tell(`tree/${state.lane}`, message));
}

export function answerSessions(turn: Turn, { question, bytesMax, byClient }: ClientWatches): void {
  const { connections } = turn.state;
  const watches = new Map(byClient);
  // Whoever has the most watches has a place, however many there are.
  const byWatches = byClient.toSorted(([, left], [, right]) => right - left);
  const first = byWatches.flatMap(([client]) => {
    const connection = connections.get(client);
    return connection === undefined ? [] : [[client, connection] as const];
  });
  const ordered = new Map([...first, ...connections]);
  const content = listedSessions(ordered, bytesMax, (connection) => ({
    address: connection.remoteAddress,
    watches: watches.get(connection.number) ?? 0,
    lastZxid: formatZxid(connection.repliedZxid),
    lastOperation: connection.statistics.operation,
  }));
  answerPart(turn, question, content);
}

/** The tree knows watches of a znode, or those of the session's connection, if it is one of this gateway. */
export function askFoundWatches(turn: Turn, asked: FindWatchesQuestion): void {
  const { state, effects } = turn;
  const { question, argument, bytesMax } = asked;
  const holder =
    argument.kind === "session" ? state.sessions.holders.get(argument.session) : undefined;
  if (argument.kind === "session" && holder === undefined) {
    answerPart(turn, question, NOTHING);
    return;
  }
  const from = `zookeeper/${state.lane}` as const;
  const of = argument.kind === "znode" ? argument : { client: holder?.number ?? 0 };
  effects.push(tell(`tree/${state.lane}`, { kind: "findWatches", from, question, of, bytesMax }));
}

export function answerFoundWatches(turn: Turn, message: FoundWatches): void {
  const { question, bytesMax, found, omitted } = message;
  const listing = new Listing(bytesMax);
  for (const { client, path, watches } of found) {
    const connection = turn.state.connections.get(client);
    const session = connection === undefined ? undefined : servedBy(connection)?.session;
    if (connection === undefined || session === undefined) continue;
    const address = connection.remoteAddress;
    const facts: WatchFacts = { session: formatSession(session), address, path, watches };
    if (listing.isFull) listing.omit(1);
    else listing.add("", JSON.stringify(facts));
  }
  listing.omit(omitted);
  answerPart(turn, question, listing.content);
}

/** A connection that has ended meanwhile has no watches any more. */
export function answerWatches(turn: Turn, list: WatchList): void {
  const { question, word, bytesMax, counts: watches, pairs, omitted } = list;
  const listing = new Listing(bytesMax);
  for (const { client, path } of pairs) {
    const connection = turn.state.connections.get(client);
    const session = connection === undefined ? undefined : servedBy(connection)?.session;
    if (session === undefined) continue;
    if (listing.isFull) listing.omit(1);
    else if (word === "wchc") listing.add(formatSession(session), path);
    else listing.add(path, formatSession(session));
  }
  listing.omit(omitted);
  answerPart(turn, question, { ...listing.content, watches });
}
