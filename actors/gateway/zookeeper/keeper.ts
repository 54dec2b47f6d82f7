/**
 * Which connections are those of ClickHouse Keeper's clients. Where Keeper and ZooKeeper answer the same request in different ways, they are
 * answered as by Keeper; no client of ZooKeeper's asks for what tells them.
 */
import { KEEPER_PATH } from "../../../protocol/zookeeper/keeper.ts";
import type { Request, RequestOptions } from "../../../protocol/zookeeper/requests.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import type { Connection, State } from "./state.ts";

/** How requests of the connection are read. */
export function requestOptions(state: State, { isKeeper }: Connection): RequestOptions {
  return isKeeper ? state.keeperOptions : state.options;
}

/** Such a client asks at first what the server can do, or uses an op code that only Keeper has. */
export function noteKeeper(connection: Connection, request: Request): void {
  if (connection.isKeeper) return;
  if (request.kind !== "read" && request.kind !== "write") return;
  if (request.opCode >= OpCode.filteredList) connection.isKeeper = true;
  if (request.kind !== "read" || !("path" in request.read)) return;
  if (request.read.path.startsWith(`${KEEPER_PATH}/`)) connection.isKeeper = true;
}
