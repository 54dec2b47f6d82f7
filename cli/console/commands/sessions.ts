/** `zooid sessions`: lists the sessions of the whole ensemble. */
import { EXIT_FAILED, EXIT_OK } from "../../command.ts";
import { counted } from "../../counted.ts";
import type { Context } from "../context.ts";
import { EXIT_UNREACHABLE } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { serversOfContext } from "../servers/servers.ts";
import type { Session } from "../servers/session.ts";
import { sessionsOf } from "../servers/sessions.ts";
import { type Column, tableLines } from "../table.ts";

const COLUMNS: readonly Column[] = [
  { name: "session", align: "left" },
  { name: "server", align: "left" },
  { name: "client", align: "left" },
  { name: "timeout ms", align: "right" },
  { name: "ephemerals", align: "right" },
  { name: "watches", align: "right" },
  { name: "requests", align: "right" },
  { name: "waiting", align: "right" },
  { name: "last zxid", align: "left" },
  { name: "last", align: "left" },
];

export async function run(_given: Given, context: Context): Promise<number> {
  const { output } = context;
  await using servers = await serversOfContext(context);
  const { sessions, missing, serving } = await sessionsOf(servers);
  if (output.isJson) for (const session of sessions) await output.json(session);
  else {
    const rows = sessions.map((session) => rowOf(session).map((cell) => output.shown(cell)));
    await output.lines(await tableLines(COLUMNS, rows));
  }
  for (const each of missing) output.note(each);
  const servedAt = sessions.filter(({ server }) => server !== null).length;
  output.note(`${counted(sessions.length, "session")}, ${servedAt} of them connected`);
  if (serving === 0) return EXIT_UNREACHABLE;
  return missing.length === 0 ? EXIT_OK : EXIT_FAILED;
}

function rowOf(session: Session): readonly string[] {
  const { server, address, timeoutMs, ephemerals, watches } = session;
  const { received, outstanding, lastZxid, lastOperation } = session;
  return [
    session.session,
    ...[server, server !== null && address === null ? "by NATS" : address, timeoutMs].map(shown),
    ...[ephemerals, watches, received, outstanding, lastZxid, lastOperation].map(shown),
  ];
}

function shown(value: string | number | null): string {
  return value === null ? "-" : String(value);
}
