/** Asks a node for its role with the four-letter word `srvr` on its client port, as any operator can. */
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { NodeLine } from "../node-line.ts";

const ANSWER_WITHIN_MS = 1000;
const ASK_EVERY_MS = 50;
const EPOCH_BITS = 32n;

export type NodeStatus = { readonly mode: string; readonly epoch: number };

/** Reads an answer to `srvr`; undefined if the node does not serve or the text is no such answer. */
export function parseStatus(text: string): NodeStatus | undefined {
  const mode = /^Mode: (\w+)$/m.exec(text)?.[1];
  const zxid = /^Zxid: (0x[0-9a-f]+)$/m.exec(text)?.[1];
  if (mode === undefined || zxid === undefined) return undefined;
  return { mode, epoch: Number(BigInt(zxid) >> EPOCH_BITS) };
}

function askStatus({ host, port }: NodeLine): Promise<NodeStatus | undefined> {
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
    socket.once("close", () => resolve(parseStatus(text)));
  });
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
