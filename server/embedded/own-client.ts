/** A client of a node in the node's own process, over the port that it has for clients: it may what everybody may, and is bounded as everybody is. */
import { isIPv6 } from "node:net";
import { type Client, connect } from "../../client/connect.ts";

const EVERY_ADDRESS: ReadonlySet<string> = new Set(["::", "0.0.0.0"]);
const CONNECT_MS_MAX = 5_000;
const OPERATION_MS_MAX = 9_000;
const SESSION_MS = 30_000;

export type OwnClient = Client;

/** Rejects with UnreachableError while the node serves nobody. */
export async function connectToOwnNode(address: string, port: number): Promise<Client> {
  const host = EVERY_ADDRESS.has(address) ? "127.0.0.1" : address;
  return await connect(`zk://${isIPv6(host) ? `[${host}]` : host}:${port}`, {
    connectTimeoutMs: CONNECT_MS_MAX,
    operationTimeoutMs: OPERATION_MS_MAX,
    sessionTimeoutMs: SESSION_MS,
  });
}
