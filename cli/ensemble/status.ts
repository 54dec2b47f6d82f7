/** Asks nodes for their roles on their client ports. */
import { setTimeout as wait } from "node:timers/promises";
import type { NodeLine } from "../node-line.ts";
import { askServer, parseStatus } from "../srvr.ts";

const ANSWER_WITHIN_MS = 1000;
const ASK_EVERY_MS = 50;
/** How often it is looked whether any node is there. */
const LOOK_EVERY_MS = 1000;
const EPOCH_BITS = 32n;

type Role = { readonly mode: string; readonly epoch: number };

/** The role that an answer to `srvr` names; undefined if the node does not serve or the text is no such answer. */
export function roleIn(text: string): Role | undefined {
  const { mode, zxid } = parseStatus(text);
  if (mode === undefined || zxid === undefined || !/^0x[0-9a-f]+$/.test(zxid)) return undefined;
  return { mode, epoch: Number(BigInt(zxid) >> EPOCH_BITS) };
}

/** What the node answers; nothing if it is not there. A node without a leader answers as well. */
async function ask({ host, port }: NodeLine): Promise<string> {
  const answer = await askServer({ host, port }, { timeoutMs: ANSWER_WITHIN_MS });
  return answer.kind === "answered" ? answer.text : "";
}

async function askRole(node: NodeLine): Promise<Role | undefined> {
  return roleIn(await ask(node));
}

/** Resolves when no node has answered for so long, or when `signal` aborts. */
export async function untilSilent(
  nodes: readonly NodeLine[],
  forMs: number,
  signal: AbortSignal,
): Promise<void> {
  let silentSinceMs = performance.now();
  while (!signal.aborted && performance.now() - silentSinceMs < forMs) {
    const answers = await Promise.all(nodes.map(ask));
    if (answers.some((text) => text !== "")) silentSinceMs = performance.now();
    await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

export type Leader = { readonly id: number; readonly epoch: number };

/** Resolves with the leader when every running node serves under the same one; with undefined if `signal` aborts first. */
export async function waitForLeader(
  nodes: () => readonly NodeLine[],
  signal: AbortSignal,
): Promise<Leader | undefined> {
  while (!signal.aborted) {
    const asked = nodes();
    const roles = await Promise.all(asked.map(askRole));
    const index = roles.findIndex((role) => role?.mode === "leader" || role?.mode === "standalone");
    const [node, role] = [asked[index], roles[index]];
    if (node !== undefined && role !== undefined && !roles.includes(undefined)) {
      return { id: node.id, epoch: role.epoch };
    }
    await wait(ASK_EVERY_MS);
  }
  return undefined;
}
