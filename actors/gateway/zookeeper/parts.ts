/** What the gateway knows for four-letter words that list or reset: its connections, and whose the watches of its lane are. */
import { formatSession } from "../../../protocol/ids.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import { Listing, wholeSecondMs } from "../../listing.ts";
import type {
  BusyQuestion,
  ConnectionFacts,
  ConnectionsQuestion,
  MetricsQuestion,
  Part,
  SessionFacts,
  WatchesQuestion,
} from "../../admin/messages.ts";
import type { WatchList } from "../../tree/messages.ts";
import { servedBy } from "../attachment.ts";
import { takeBusy } from "../busy.ts";
import { withheldUntilMs } from "../contact.ts";
import { resetMetrics } from "../metrics.ts";
import { clientLine, isRead, reportNow } from "./report.ts";
import type { Connection, State, Turn } from "./state.ts";
import { newStatistics, statisticsFacts, statisticsText } from "./statistics.ts";

const NOTHING = { groups: [], omitted: 0 } as const;

function answer(
  { state, effects }: Turn,
  question: number,
  content: Pick<Part, "groups" | "omitted" | "watches" | "busy">,
): void {
  effects.push(tell("admin", { kind: "part", question, from: state.name, ...content }));
}

/** Tells what `srvr` counts, and who is connected. */
export function answerMetrics(turn: Turn, { kind, question }: MetricsQuestion): void {
  if (kind === "resetMetrics") resetMetrics(turn.state.metrics);
  reportNow(turn);
  answer(turn, question, NOTHING);
}

/** Tells what is asked of it, and by whom. */
export function answerBusy(turn: Turn, { question }: BusyQuestion): void {
  answer(turn, question, { ...NOTHING, busy: takeBusy(turn.state, turn.nowMs) });
}

export function answerConnections(turn: Turn, asked: ConnectionsQuestion): void {
  const { connections } = turn.state;
  if (asked.kind === "resetConnections") {
    for (const connection of connections.values()) {
      connection.received = 0;
      connection.sent = 0;
      connection.statistics = newStatistics(connection.statistics.sinceWallMs);
    }
    answer(turn, asked.question, NOTHING);
    return;
  }
  const { question, word, bytesMax } = asked;
  const listing = new Listing(bytesMax);
  let looked = 0;
  for (const connection of connections.values()) {
    if (listing.isFull) break;
    looked += 1;
    // Its socket is still to be closed.
    if (connection.phase.kind === "ended") continue;
    if (word === "cons") listing.add("", detailedLine(connection));
    else if (word === "connections") listing.add(...factsEntry(connection));
    else listing.add(endsMs(turn, connection), addressLine(connection));
  }
  listing.omit(connections.size - looked);
  answer(turn, question, listing.content);
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

/** The sessions that have a connection, with the numbers of their watches. */
function answerSessions(turn: Turn, { question, bytesMax, byClient }: WatchList): void {
  const { connections } = turn.state;
  const watches = new Map(byClient);
  const listing = new Listing(bytesMax);
  let looked = 0;
  for (const connection of connections.values()) {
    if (listing.isFull) break;
    looked += 1;
    const served = servedBy(connection);
    if (served === undefined) continue;
    const { remoteAddress, queue, received, sent, repliedZxid, statistics } = connection;
    const facts: SessionFacts = {
      session: formatSession(served.session),
      address: remoteAddress,
      timeoutMs: served.timeoutMs,
      ...{ received, sent },
      outstanding: queue.length,
      watches: watches.get(connection.number) ?? 0,
      lastZxid: formatZxid(repliedZxid),
      lastOperation: statistics.operation,
    };
    listing.add("", JSON.stringify(facts));
  }
  listing.omit(connections.size - looked);
  answer(turn, question, listing.content);
}

/** A connection that has ended meanwhile has no watches any more. */
export function answerWatches(turn: Turn, list: WatchList): void {
  const { question, word, bytesMax, counts: watches, pairs, omitted } = list;
  if (word === "sess") {
    answerSessions(turn, list);
    return;
  }
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
  answer(turn, question, { ...listing.content, watches });
}
