/** How each server of an ensemble is, by `srvr`, which every server answers. */
import { parseStatus, type ServerStatus } from "../../srvr.ts";
import type { Server, Servers } from "./servers.ts";

export type Asked = { readonly server: Server; readonly status: ServerStatus };

export function statusesOf({ all }: Servers): Promise<readonly Asked[]> {
  return Promise.all(all.map(async (server) => ({ server, status: await statusOf(server) })));
}

export async function statusOf(server: Server): Promise<ServerStatus> {
  const answer = await server.ask("srvr");
  return answer.kind === "answered" ? parseStatus(answer.text) : unknownBecause(answer.because);
}

function unknownBecause(because: string): ServerStatus {
  return { ...parseStatus(""), because };
}

/** Whether it has the words of zooid. Others take what they do not know for the length of a frame, and log an error. */
export function isZooid({ version }: ServerStatus): boolean {
  return version?.includes("-zooid-") === true;
}
