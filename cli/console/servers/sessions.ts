/** The sessions of an ensemble, put together from what each of its servers tells. */
import type { SessionsAnswer } from "../../../actors/admin/own-words.ts";
import { apacheSessions } from "./apache-sessions.ts";
import { nameOf, type Server, type Servers } from "./servers.ts";
import { type Asked, isZooid, statusesOf } from "./statuses.ts";
import { type Session, type Report, UNKNOWN_SESSION } from "./session.ts";
import { NOT_LISTED, ownAnswerOf, refusalOf } from "./words.ts";

export type AllSessions = {
  readonly sessions: readonly Session[];
  readonly missing: readonly string[];
  /** How many servers serve. */
  readonly serving: number;
};

export async function sessionsOf(servers: Servers): Promise<AllSessions> {
  const all = await statusesOf(servers);
  const reports = await Promise.all(all.map((asked) => sessionsAt(asked)));
  return {
    sessions: merged(reports.flatMap(({ sessions }) => sessions)),
    missing: reports.flatMap(({ missing }) => missing),
    serving: all.filter(({ status }) => status.mode !== undefined).length,
  };
}

async function sessionsAt({ server, status }: Asked): Promise<Report> {
  if (status.mode === undefined) {
    const because = status.because ?? "it does not serve";
    return { sessions: [], missing: [`${nameOf(server)}: ${because}`] };
  }
  return isZooid(status) ? zooidSessions(server) : apacheSessions(server);
}

async function zooidSessions(server: Server): Promise<Report> {
  const answer = await server.ask("sess");
  const own = ownAnswerOf<SessionsAnswer>(answer, ["connected", "known"]);
  if (own === undefined) return { sessions: [], missing: [refusalOf(server, "sess", answer)] };
  const name = String(server.id ?? own.node);
  const connected = own.connected.map((facts): Session => {
    const { session, address, timeoutMs, watches, received, outstanding } = facts;
    const { lastZxid, lastOperation } = facts;
    return {
      ...{ session, server: name, address, timeoutMs, ephemerals: null, watches },
      ...{ received, outstanding, lastZxid, lastOperation },
    };
  });
  const known = own.known.map(
    ([session, timeoutMs, ephemerals]): Session => ({
      ...{ ...UNKNOWN_SESSION, session, timeoutMs, ephemerals },
    }),
  );
  const missing = own.omitted === 0 ? [] : [`${nameOf(server)}: ${own.omitted} ${NOT_LISTED}`];
  return { sessions: [...connected, ...known], missing };
}

/**
 * One for each session. All servers know all sessions, and one has the connection. For a moment two may have: the one before has not
 * heard yet that the client has gone to another.
 */
function merged(all: readonly Session[]): readonly Session[] {
  const sessions = new Map<string, Session>();
  for (const each of all) {
    const before = sessions.get(each.session);
    sessions.set(each.session, before === undefined ? each : together(before, each));
  }
  return [...sessions.values()].sort((a, b) => Number(BigInt(a.session) - BigInt(b.session)));
}

function together(a: Session, b: Session): Session {
  const [first, second] = b.server !== null && isLater(b, a) ? [b, a] : [a, b];
  const fields = Object.entries(first).map(([name, value]) => [
    name,
    value ?? second[name as keyof Session],
  ]);
  return Object.fromEntries(fields) as Session;
}

function isLater(a: Session, b: Session): boolean {
  return b.server === null || Number(a.lastZxid ?? 0) > Number(b.lastZxid ?? 0);
}
