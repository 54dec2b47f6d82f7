/** The session that the JSON API has for znodes, at a node that ends. */
import { mock } from "node:test";
import test, { type ExecutionContext } from "ava";
import { MemoryDisk } from "../../runtime/testing/memory-disk.ts";
import { ApiSession } from "../../server/admin/api/session.ts";
import { launchNode } from "../../server/node.ts";
import type { RunningNode } from "../../server/running-node.ts";
import { askAdmin } from "../support/admin.ts";
import { memoryConfig } from "../support/running-nodes.ts";

const ROOT = "/api/v1/znode?path=/";

/** A node alone, whose API has a session. */
async function launched(t: ExecutionContext): Promise<RunningNode> {
  const node = await launchNode(memoryConfig({}), { inMemory: { disk: new MemoryDisk() } });
  t.teardown(() => node.stop());
  await node.ready;
  t.is((await askAdmin(node.adminUrl ?? "", ROOT)).status, 200);
  return node;
}

/** How often a session of an API is ended. */
function endings(t: ExecutionContext): () => number {
  const closes = mock.method(ApiSession.prototype, "close");
  t.teardown(() => closes.mock.restore());
  return () => closes.mock.callCount();
}

test.serial("it ends before the node's actors stop, who would not hear of it", async (t) => {
  const node = await launched(t);
  const ended = endings(t);
  let endedBefore = 0;
  node.leadership$.subscribe({
    complete: () => {
      endedBefore = ended();
    },
  });
  await node.stop();
  t.is(endedBefore, 1);
});

test.serial("it ends when the node goes out of service, and no other one is made", async (t) => {
  const node = await launched(t);
  const ended = endings(t);
  await node.retire();
  t.is(ended(), 1);
  const { status, text } = await askAdmin(node.adminUrl ?? "", ROOT);
  t.deepEqual([status, text.includes("ZOOID_NODE_STOPPED")], [503, true]);
});
