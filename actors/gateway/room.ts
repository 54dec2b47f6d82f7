/** Which writes of clients are refused while there is no room for them on the disk. None that is refused is handed on. */
import type { ClientOperation } from "../../protocol/operations.ts";
import type { Room } from "../log-sync/messages.ts";

/**
 * What is left when room is low is for sessions and for `sync`, which writes next to nothing. Without any, a sync would not
 * come back either; the end of a session waits.
 */
export function isRefused(operation: ClientOperation, room: Room): boolean {
  if (room === "enough" || operation.kind === "closeSession") return false;
  return room === "none" || operation.kind !== "sync";
}
