/** `zooid transfer-leadership`: asks the leader to hand over, and says how long it took or why it did not. */
import type { ServerId } from "../../protocol/ids.ts";
import { EXIT_FAILED, EXIT_MISUSED, EXIT_OK, type Command } from "../command.ts";
import type { Nodes, Status } from "./nodes.ts";
import { serverId } from "../../server/config/values.ts";
import { NODE_FLAGS, nobodyText, withNodes } from "./settings.ts";

const NAME = "transfer-leadership";

export function leaderIn(statuses: readonly Status[]): Status | undefined {
  return statuses
    .filter(({ role }) => role === "leading")
    .toSorted((one, other) => other.epoch - one.epoch)[0];
}

async function transfer(nodes: Nodes, to: ServerId | undefined): Promise<number> {
  const statuses = await nodes.statuses();
  const leader = leaderIn(statuses);
  if (leader === undefined) {
    const roles = statuses.map(({ node, role }) => `node ${node} is ${role}`).join(", ");
    const why = statuses.length === 0 ? nobodyText(nodes) : `nobody leads: ${roles}`;
    console.error(`zooid ${NAME}: ${why}`);
    return EXIT_FAILED;
  }
  const answer = await nodes.transferLeadership(leader, to);
  if (answer.kind === "transferred") {
    console.log(transferredText(answer));
    return EXIT_OK;
  }
  const reason = answer.kind === "refused" ? answer.reason : "its answer is none";
  console.error(`zooid ${NAME}: node ${leader.node} did not hand over: ${reason}`);
  return EXIT_FAILED;
}

export function transferredText(of: {
  readonly from: number;
  readonly to: number;
  readonly tookMs: number;
  readonly pausedMs: number;
}): string {
  const { from, to, tookMs, pausedMs } = of;
  if (from === to) return `node ${to} leads already`;
  const took = `${Math.round(tookMs)} ms`;
  return `node ${from} has handed over to node ${to} in ${took}; writes waited for ${Math.round(pausedMs)} ms of them`;
}

/** Undefined: the text is no number of a node. */
export function nodeOf(text: string): ServerId | undefined {
  const reading = serverId(text);
  return reading.kind === "read" ? reading.value : undefined;
}

async function run(flags: ReadonlyMap<string, string>): Promise<number> {
  const text = flags.get("to");
  const to = text === undefined ? undefined : nodeOf(text);
  if (text !== undefined && to === undefined) {
    console.error(`zooid ${NAME}: --to is the number of a node, not ${text}`);
    return EXIT_MISUSED;
  }
  return withNodes(NAME, flags, (nodes) => transfer(nodes, to));
}

export const transferLeadership: Command = {
  description: `Has the leader hand leadership over to another node, without an error for any client.

  zooid transfer-leadership --config /etc/zooid/zoo.cfg
  zooid transfer-leadership --to 2 --nats nats://10.0.0.1:4222 --nats-credentials-file node.creds

Without --to the follower that has the most takes over. Writes wait for some tens of milliseconds; if nobody has taken over
within a second the leader goes on. It needs the NATS credentials of a node, and the nodes' key if they have one.`,
  flags: [
    { name: "to", placeholder: "NODE", summary: "the number of the node that is to lead" },
    ...NODE_FLAGS,
  ],
  run,
};
