/** Asks a node for its role with the four-letter word `srvr` on its client port, as any operator can. */
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { NodeLine } from "../node-line.ts";

const ANSWER_WITHIN_MS = 1000;
const ASK_EVERY_MS = 50;
/** How often it is looked whether any node is there. */
const LOOK_EVERY_MS = 1000;
const EPOCH_BITS = 32n;

export type NodeStatus = { readonly mode: string; readonly epoch: number };

/** Reads an answer to `srvr`; undefined if the node does not serve or the text is no such answer. */
export function parseStatus(text: string): NodeStatus | undefined {
  const mode = /^Mode: (\w+)$/m.exec(text)?.[1];
  const zxid = /^Zxid: (0x[0-9a-f]+)$/m.exec(text)?.[1];
  if (mode === undefined || zxid === undefined) return undefined;
  return { mode, epoch: Number(BigInt(zxid) >> EPOCH_BITS) };
}

async function askStatus(node: NodeLine): Promise<NodeStatus | undefined> {
  return parseStatus(await ask(node));
}

/** What the node answers; nothing if it is not there. A node without a leader answers as well. */
function ask({ host, port }: NodeLine): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let text = "";
    socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy());
    socket.setEncoding("utf8");
    socket.once("connect", () => socket.write("srvr"));
    socket.on("data", (part: string) => {
      text += part;
    });
    socket.on("error", () => undefined); // `close` follows.
    socket.once("close", () => resolve(text));
  });
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
    const statuses = await Promise.all(asked.map(askStatus));
    const index = statuses.findIndex(
      (status) => status?.mode === "leader" || status?.mode === "standalone",
    );
    const [node, status] = [asked[index], statuses[index]];
    if (node !== undefined && status !== undefined && !statuses.includes(undefined)) {
      return { id: node.id, epoch: status.epoch };
    }
    await wait(ASK_EVERY_MS);
  }
  return undefined;
}
