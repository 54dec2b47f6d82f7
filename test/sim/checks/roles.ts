/**
 * What belongs to a role ends with it: when all is well again, a node that does not lead keeps nothing of the time when it led, and the
 * leader nothing of the time when it followed. It would be a leak, or be taken for the present when the role comes again.
 */
import type { AdminState } from "../../../actors/admin/admin.ts";
import type { HeartbeatState } from "../../../actors/heartbeat/heartbeat.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import type { ReaperState } from "../../../actors/reaper/reaper.ts";
import type { SessionsState } from "../../../actors/sessions/sessions.ts";
import type { SimNode } from "../sim-node.ts";
import { must } from "./violation.ts";

export function checkRoles(nodes: readonly SimNode[], lanes: number): void {
  for (const node of nodes) {
    const left = node.leads ? leftOfFollower(node) : leftOfLeader(node, lanes);
    must(left === undefined, "roles", () => {
      return `node ${node.id}, which ${node.leads ? "leads" : "follows"}, still has ${left}`;
    });
  }
}

function leftOfFollower(node: SimNode): string | undefined {
  const { snapshots } = node.stateOf("log-sync") as LogSyncState;
  return snapshots.transfer === undefined ? undefined : "a leader's snapshot to fetch";
}

function leftOfLeader(node: SimNode, lanes: number): string | undefined {
  for (let lane = 1; lane <= lanes; lane += 1) {
    if (node.tree(lane)?.reapWalk !== undefined) return `a walk for its reaper in lane ${lane}`;
  }
  const { leads, asked, goesOn } = node.stateOf("reaper") as ReaperState;
  if (leads || asked !== undefined || goesOn) return "a reaper at work";
  if ((node.stateOf("sessions") as SessionsState).leading) return "sessions whose time runs";
  const { alive } = node.stateOf("heartbeat") as HeartbeatState;
  if (alive.length > 0) return "nodes that its heartbeat says are alive";
  const { alive: shown } = node.stateOf("admin") as AdminState;
  return shown.length > 0 ? "nodes that it shows as alive" : undefined;
}
