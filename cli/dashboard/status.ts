/** How the servers of an ensemble are, for the dashboard: by `mntr` where it is allowed, else by `srvr`, which Apache ZooKeeper answers always. */
import { stateIn } from "../../server/admin/api/status.ts";
import type { Server, Servers } from "../console/servers/servers.ts";
import { statusOf } from "../console/servers/statuses.ts";
import type { ServerStatus } from "../srvr.ts";

export async function statuses(servers: Servers, at: string): Promise<object> {
  const nodes = await Promise.all(
    servers.all.map(async (server, index) => ({
      // Who only has an address is numbered in the order of the URL.
      id: server.id ?? index + 1,
      host: server.address ?? null,
      client: null,
      isThis: false,
      state: await stateOf(server),
    })),
  );
  return { ensemble: at, node: 0, nodes };
}

/** Null: it does not answer. */
async function stateOf(server: Server): Promise<object | null> {
  const [status, monitored] = await Promise.all([statusOf(server), server.ask("mntr")]);
  const text = monitored.kind === "answered" ? monitored.text : "";
  if (status.mode === undefined && !isMonitored(text)) return null;
  const state = stateIn(text);
  // ZooKeeper's mntr has no zxid.
  return {
    ...(isMonitored(text) ? state : { ...state, ...fieldsOf(status) }),
    zxid: zxidOf(status),
  };
}

function isMonitored(text: string): boolean {
  return text.includes("zk_server_state\t");
}

function zxidOf({ zxid }: ServerStatus): string | null {
  return zxid ?? null;
}

function fieldsOf({
  mode,
  version,
  clients,
  outstanding,
  znodes,
  received,
  latencyMs,
}: ServerStatus): object {
  const [min = null, average = null, max = null] = (latencyMs ?? "").split("/").map(numberIn);
  return {
    serves: mode !== undefined,
    role: mode ?? null,
    version: version ?? null,
    connections: clients ?? null,
    outstanding: outstanding ?? null,
    znodes: znodes ?? null,
    received: received ?? null,
    latencyMs: { min, average, max },
  };
}

function numberIn(text: string): number | null {
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : null;
}
