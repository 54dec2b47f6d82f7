/** `zooid status`: asks all servers of an ensemble how they are. */
import { isZooKeeperUrl } from "../../../client/zookeeper/url.ts";
import { EXIT_FAILED, EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import { EXIT_UNREACHABLE, MisusedError } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import type { ServerStatus } from "../../srvr.ts";
import { type Server, serversOfContext, type Which } from "../servers/servers.ts";
import { statusesOf } from "../servers/statuses.ts";
import { type Column, tableLines } from "../table.ts";

const COLUMNS: readonly Column[] = [
  { name: "server", align: "right" },
  { name: "address", align: "left" },
  { name: "mode", align: "left" },
  { name: "zxid", align: "left" },
  { name: "clients", align: "right" },
  { name: "waiting", align: "right" },
  { name: "latency ms", align: "right" },
  { name: "znodes", align: "right" },
  { name: "version", align: "left" },
];

export async function run(given: Given, context: Context): Promise<number> {
  const { output, target } = context;
  const which = given.has("named") ? "named" : "all";
  if (which === "named" && !isZooKeeperUrl(target?.url ?? "")) {
    throw new MisusedError("--named is for zk:// URLs: over NATS no server is named");
  }
  await using servers = await serversOfContext(context, which);
  const all = await statusesOf(servers);
  if (output.isJson) {
    for (const { server, status } of all) {
      await output.json({ id: server.id ?? null, address: server.address ?? null, ...status });
    }
  } else {
    const rows = all.map(({ server, status }) =>
      rowOf(server, status).map((cell) => output.shown(cell)),
    );
    await output.lines(await tableLines(COLUMNS, rows));
  }
  return verdictOf(
    all.map(({ status }) => status),
    which,
    context,
  );
}

function rowOf({ id, address }: Server, status: ServerStatus): readonly string[] {
  const { mode, because, zxid, clients, outstanding, latencyMs, znodes, version } = status;
  const shown = (value: string | number | undefined): string => String(value ?? "-");
  return [
    shown(id),
    shown(address),
    mode ?? `down: ${because ?? "unknown"}`,
    ...[zxid, clients, outstanding, latencyMs, znodes, version].map(shown),
  ];
}

/** 0 if all serve, and one of them leads if they are the whole ensemble. */
function verdictOf(all: readonly ServerStatus[], which: Which, { output }: Context): number {
  const serving = all.filter(({ mode }) => mode !== undefined);
  const leaders = serving.filter(({ mode }) => mode === "leader" || mode === "standalone");
  const isLed = which === "named" || leaders.length > 0;
  if (serving.length === all.length && isLed) return EXIT_OK;
  if (!isLed) output.note("no server that was asked leads");
  else output.note(`${serving.length} of ${all.length} servers serve`);
  return serving.length === 0 ? EXIT_UNREACHABLE : EXIT_FAILED;
}
