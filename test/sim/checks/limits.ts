/** What one client may make a node keep for it, however much it asks for and however little it reads. */
import type { ZooKeeperGatewayMessage } from "../../../actors/gateway/messages.ts";
import type { State as GatewayState } from "../../../actors/gateway/zookeeper/gateway.ts";
import {
  CONNECTION_REQUESTS_MAX,
  CONNECTION_UNSENT_BYTES_SOFT_MAX,
  PACKET_BYTES_MAX,
} from "../../../protocol/limits.ts";
import { must } from "./violation.ts";

/** Below the soft limit one more reply may be written, of any size. */
const UNREAD_BYTES_MAX: number = CONNECTION_UNSENT_BYTES_SOFT_MAX + PACKET_BYTES_MAX;

/** After each step of a gateway: of the connection that it was about. */
export function checkRequests(state: GatewayState, message: ZooKeeperGatewayMessage): void {
  if (message.kind !== "bytes") return;
  const waiting = state.connections.get(message.connection)?.queue.length ?? 0;
  must(waiting <= CONNECTION_REQUESTS_MAX, "limits", () => {
    return `${waiting} requests of connection ${message.connection} wait`;
  });
}

/** After each write to a connection. */
export function checkUnread(client: string, bytes: number): void {
  must(bytes <= UNREAD_BYTES_MAX, "limits", () => {
    return `${client} has ${bytes} bytes that it does not read`;
  });
}
