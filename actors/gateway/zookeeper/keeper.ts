/**
 * Which connections are those of ClickHouse Keeper's clients. Where Keeper and ZooKeeper answer the same request in different ways, they are
 * answered as by Keeper; no client of ZooKeeper's asks for what tells them.
 */
import type { JuteWriter } from "../../../protocol/jute.ts";
import { type ConnectRequest, KeeperVersion } from "../../../protocol/zookeeper/handshake.ts";
import { KEEPER_PATH, KEEPER_ZNODES } from "../../../protocol/zookeeper/keeper.ts";
import type { Request, RequestOptions } from "../../../protocol/zookeeper/requests.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import type { Connection, State } from "./state.ts";

/** How requests of the connection are read. */
export function requestOptions(state: State, { isKeeper, wideXids }: Connection): RequestOptions {
  if (wideXids) return state.wideOptions;
  return isKeeper ? state.keeperOptions : state.options;
}

/** The writer for what is told to the connection. */
export function writerFor({ writer }: State, { wideXids }: Connection): JuteWriter {
  writer.wideXids = wideXids;
  return writer;
}

/** Why the version of the protocol that the client asks for is not served, with what its operator can do. */
export function unservedVersion({ version, compressed }: ConnectRequest): string | undefined {
  if (compressed) {
    return "it wants ClickHouse Keeper's compression, which is not served: set use_compression to false";
  }
  if (version !== KeeperVersion.traced) return undefined;
  return "it wants ClickHouse Keeper's traces, which are not served: set pass_opentelemetry_tracing_context to false";
}

export function noteVersion(connection: Connection, { version }: ConnectRequest): void {
  if (version !== KeeperVersion.wideXids) return;
  connection.isKeeper = true;
  connection.wideXids = true;
}

/** Such a client asks at first what the server can do, or uses an op code that only Keeper has. */
export function noteKeeper(connection: Connection, request: Request): void {
  if (connection.isKeeper) return;
  if (request.kind !== "read" && request.kind !== "write") return;
  if (request.opCode >= OpCode.filteredList) connection.isKeeper = true;
  if (request.kind !== "read" || !("path" in request.read)) return;
  const { path } = request.read;
  if (path.startsWith(KEEPER_PATH) && KEEPER_ZNODES.has(path)) connection.isKeeper = true;
}
