/**
 * A program that is a node of an ensemble itself: it shows who leads, and every change, from its own replica. Any ZooKeeper client
 * can connect to it.
 *
 *     node --conditions=source examples/embed-node.ts ./data
 */
import { startNode } from "zooid/server";

const [dataDir = "data"] = process.argv.slice(2);
const node = await startNode({ dataDir, clientPort: 0, clientPortAddress: "127.0.0.1" });
process.once("SIGINT", () => void node.stop());
console.log(`clients: 127.0.0.1:${node.clientPort}`);

node.leadership$.subscribe(({ role, epoch, leader }) => {
  console.log(`${role}: epoch ${epoch}, leader ${leader ?? "none"}`);
});

for await (const change of node.changes("/", { recursive: true })) {
  if (change.kind !== "progress" && change.kind !== "compacted") {
    console.log(`${change.kind} ${change.path}`);
  }
}
