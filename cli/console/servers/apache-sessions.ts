/**
 * What Apache ZooKeeper tells of sessions, by three four-letter words: `cons`, the connections; `dump`, the sessions and their ephemerals;
 * `wchc`, the watches of each. Source: ServerCnxn, SessionTrackerImpl, DataTree and WatchManager of ZooKeeper 3.8.
 */
import type { Answer } from "../../srvr.ts";
import { nameOf, type Server } from "./servers.ts";
import { type Session, type Report, UNKNOWN_SESSION } from "./session.ts";
import { refusalOf, textOf } from "./words.ts";

const WORDS = ["cons", "dump", "wchc"] as const;

export async function apacheSessions(server: Server): Promise<Report> {
  const answers: Answer[] = [];
  // One after the other: a server may allow an address few connections.
  for (const word of WORDS) answers.push(await server.ask(word));
  const [cons, dump, wchc] = answers.map(textOf);
  const missing = WORDS.flatMap((word, index) => {
    const answer = answers[index];
    return answer === undefined || textOf(answer) !== undefined
      ? []
      : [refusalOf(server, word, answer)];
  });
  const ephemerals = dump === undefined ? undefined : entriesBySession(ephemeralsOf(dump));
  const watches = wchc === undefined ? undefined : entriesBySession(wchc);
  const name = server.id === undefined ? nameOf(server) : String(server.id);
  const more = (session: string): Pick<Session, "ephemerals" | "watches"> => ({
    ephemerals: ephemerals === undefined ? null : (ephemerals.get(session) ?? 0),
    watches: watches === undefined ? null : (watches.get(session) ?? 0),
  });
  const connected = connectionsOf(cons ?? "").map((each) => ({
    ...each,
    ...more(each.session),
    server: name,
  }));
  // Only the server with the connection has its watches.
  const known = knownSessions(dump ?? "").map((session) => ({
    ...{ ...UNKNOWN_SESSION, session, ephemerals: more(session).ephemerals },
  }));
  return { sessions: [...connected, ...known], missing };
}

/** Lines as ` /127.0.0.1:5432[1](queued=0,recved=5,sent=5,sid=0x1000,lop=GETD,…)`. A connection without a session has no `sid`. */
export function connectionsOf(text: string): readonly Session[] {
  return text.split("\n").flatMap((line) => {
    const [, address, list = ""] = /^ ?\/(\S+)\[\d+\]\((.*)\)$/.exec(line) ?? [];
    if (address === undefined) return [];
    const fields = new Map(
      list.split(",").map((field): [string, string] => {
        const at = field.indexOf("=");
        return [field.slice(0, at), field.slice(at + 1)];
      }),
    );
    const session = sessionOf(fields.get("sid") ?? "");
    if (session === undefined) return [];
    const number = (name: string): number | null => {
      const value = fields.get(name) ?? "";
      return /^\d{1,15}$/.test(value) ? Number(value) : null;
    };
    return [
      {
        ...{ ...UNKNOWN_SESSION, session, address },
        timeoutMs: number("to"),
        received: number("recved"),
        outstanding: number("queued"),
        lastZxid: zxidOf(fields.get("lzxid")),
        lastOperation: fields.get("lop") ?? null,
      },
    ];
  });
}

/** The numbers that stand below the times at which sessions end, or, of a follower, before their timeouts. */
function knownSessions(dump: string): readonly string[] {
  const [sessions = ""] = dump.split("ephemeral nodes dump:", 1);
  return sessions
    .split("\n")
    .flatMap((line) => sessionOf(/^\t?(0x[\da-f]+)\b/.exec(line)?.[1]) ?? []);
}

function ephemeralsOf(dump: string): string {
  const [, behind = ""] = dump.split("ephemeral nodes dump:");
  return behind.split("Connections dump:", 1)[0] ?? "";
}

/** How many lines, each behind a tabulator, stand below each session. */
function entriesBySession(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  let session: string | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("\t")) {
      if (session !== undefined) counts.set(session, (counts.get(session) ?? 0) + 1);
      continue;
    }
    session = sessionOf(/^(0x[\da-f]+):?$/.exec(line)?.[1]);
  }
  return counts;
}

/** With the digits that it needs. Undefined: it is no number of a session. */
function sessionOf(text: string | undefined): string | undefined {
  if (text === undefined || !/^0x[\da-f]{1,16}$/.test(text)) return undefined;
  return `0x${BigInt(text).toString(16)}`;
}

/** An unset zxid, -1, is printed as an unsigned number. */
function zxidOf(text: string | undefined): string | null {
  return text === undefined || text === "0xffffffffffffffff" ? null : text;
}
