/** Checks how much memory of a node one client can take, however much it asks for and however little it reads. */
import type { ZooKeeperGatewayMessage } from "../../../actors/gateway/messages.ts";
import type { State as GatewayState } from "../../../actors/gateway/zookeeper/gateway.ts";
import {
  CONNECTION_ANSWER_BYTES_SOFT_MAX,
  CONNECTION_REQUESTS_MAX,
  CONNECTION_UNSENT_BYTES_SOFT_MAX,
  PACKET_BYTES_MAX,
} from "../../../protocol/limits.ts";
import { ZNODE_BYTES } from "../../../actors/tree/store/znodes.ts";
import type { TreeState } from "../../../actors/tree/tree.ts";
import type { Plan } from "../plan.ts";
import { must } from "./violation.ts";

/** Below the soft limit one more reply may be written, of any size. */
const UNREAD_BYTES_MAX: number = CONNECTION_UNSENT_BYTES_SOFT_MAX + PACKET_BYTES_MAX;

/** Below the soft limit one more read may be answered, with data as large as a packet or a list of names. */
const ANSWER_BYTES_MAX: number = CONNECTION_ANSWER_BYTES_SOFT_MAX + 2 * PACKET_BYTES_MAX;
/** The runtime does not report that a client has read fewer bytes than this. */
const UNTOLD_BYTES_MAX = 256 * 1024;

/** After each step of a gateway: of the connection that it was about, and of the sum over all. */
export function checkRequests(state: GatewayState, message: ZooKeeperGatewayMessage): void {
  checkHeld(state);
  if (message.kind !== "bytes") return;
  const waiting = state.connections.get(message.connection)?.queue.length ?? 0;
  must(waiting <= CONNECTION_REQUESTS_MAX, "limits", () => {
    return `${waiting} requests of connection ${message.connection} wait`;
  });
}

/** What the gateway counts is what it holds. */
function checkHeld({ connections, heldBytes }: GatewayState): void {
  let held = 0;
  for (const { number, phase, queue, unsentBytes } of connections.values()) {
    if (!("attachedAt" in phase)) continue;
    held += queue.bytes + queue.answerBytes + (unsentBytes > UNTOLD_BYTES_MAX ? unsentBytes : 0);
    must(queue.answerBytes <= ANSWER_BYTES_MAX, "limits", () => {
      return `${queue.answerBytes} bytes of answers wait for connection ${number}`;
    });
  }
  must(held === heldBytes, "limits", () => `${held} bytes are held and ${heldBytes} are counted`);
}

/**
 * Called after each step of a tree. The znodes exceed the limit of the tree by no more than what clients have under way. Sessions do not
 * count, since they are not refused.
 */
export function checkTree(who: string, tree: TreeState, underWayBytes: number): void {
  const { znodes, options } = tree;
  const { bytes } = znodes;
  const bytesMax = options.limits.bytesMax + underWayBytes;
  must(bytes <= bytesMax, "limits", () => `${who} takes ${bytes} bytes, at most ${bytesMax}`);
}

/** By a connection and the one before it, whose requests may still be on their way. */
export function underWayBytes({ clients, natives, zookeepers }: Plan): number {
  let bytes = 0;
  const all = [...clients, ...natives.clients, ...zookeepers.clients];
  for (const { outstandingMax, flood, hog, dataBytes } of all) {
    const outstanding = hog
      ? 2 * CONNECTION_REQUESTS_MAX
      : Math.max(outstandingMax, flood ? 100 : 0);
    bytes += 2 * outstanding * CREATES_PER_WRITE * (CREATE_GROWTH_BYTES + dataBytes);
  }
  return bytes;
}

/** The multis of a simulated client create at most so many znodes. */
const CREATES_PER_WRITE = 2;
/** The most that a create grows the tree beside its data. */
const CREATE_GROWTH_BYTES: number = ZNODE_BYTES + 80;

/** After each write to a connection. */
export function checkUnread(client: string, bytes: number): void {
  must(bytes <= UNREAD_BYTES_MAX, "limits", () => {
    return `${client} has ${bytes} bytes that it does not read`;
  });
}
