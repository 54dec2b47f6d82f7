/** What a node's admin actor answers, against what the node's other actors hold. */
import { must } from "../checks/violation.ts";
import type { SimNode } from "../sim-node.ts";
import { REPORTED, type Scene } from "./scene.ts";

const WITHIN_MS = 3000;
const UPTIME_SLACK_S = 2;

/** While nobody writes. */
export function checkAdmin(scene: Scene, node: SimNode): void {
  const { everyone } = scene.cluster;
  for (const client of everyone) client.quiet = true;
  const { clock } = scene.cluster;
  const untilMs = clock.nowMs() + WITHIN_MS;
  for (;;) {
    const problem = problemOf(node, scene.ask("mntr").get(node) ?? "");
    if (problem === undefined) break;
    must(clock.nowMs() < untilMs, "true replies", () => `mntr of node ${node.id}: ${problem}`);
  }
  for (const client of everyone) client.quiet = false;
}

function problemOf(node: SimNode, text: string): string | undefined {
  const told = new Map(
    text.split("\n").map((line) => line.split("\t", 2) as [string, string | undefined]),
  );
  const uptimeS = (node.incarnation?.clock.nowMs() ?? 0) / 1000;
  for (const [key, value] of Object.entries(expected(node))) {
    if (told.get(key) !== String(value)) return `${key} is ${told.get(key)}, not ${value}`;
  }
  const toldS = Number(told.get("zk_uptime")) / 1000;
  return toldS < uptimeS - UPTIME_SLACK_S ? `zk_uptime is ${toldS} s, not ${uptimeS}` : undefined;
}

function expected(node: SimNode): Readonly<Record<string, string | number>> {
  const tree = node.tree(1);
  const role = node.logSync?.role;
  const leading = role?.kind === "leading";
  const followers = { zk_learners: 2, zk_followers: 2, zk_synced_followers: 2 };
  const native = node.natsGateway(1);
  return {
    zk_server_state: leading ? "leader" : "follower",
    zk_quorum_size: 3,
    ...(leading ? followers : {}),
    zk_znode_count: tree?.znodes.size ?? 0,
    zk_zooid_sessions: tree?.sessions.size ?? 0,
    zk_zooid_applied_zxid: tree?.lastApplied ?? 0,
    zk_zooid_leader: role?.kind === "following" ? role.leader : node.id,
    zk_packets_received: (node.gateway(1)?.metrics.received ?? 0) + (native?.metrics.received ?? 0),
    zk_open_file_descriptor_count: REPORTED.openFiles,
    zk_zooid_peer_messages_refused: REPORTED.refused,
    zk_zooid_lane_1_heap_used_bytes: REPORTED.heapUsedBytes,
  };
}
