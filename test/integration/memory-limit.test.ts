/** A tree that comes to the limit of its node's memory: real processes. */
import test from "ava";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fourLetters, untilAnswer } from "../support/four-letters.ts";
import { startZooid, type ZooidNode } from "../support/zooid.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import {
  create,
  exists,
  getData,
  multi,
  remove,
  setData,
} from "../support/zookeeper-client/operations.ts";

const QUOTA_EXCEEDED = -125;
/** Enough for a tree of about 40,000 znodes. */
const TREE_BYTES = 4_000_000;
const BATCH = 1_000;
/** Far more than fit. */
const BATCHES = 400;

/** Creates znodes until one is refused, and gives back how many there are. */
async function fill(client: ZkClient): Promise<number> {
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const paths = Array.from({ length: BATCH }, (_, index) => `/full/${batch * BATCH + index}`);
    const replies = await client.pipeline(paths.map((path) => create(path, "1234")));
    const refused = replies.findIndex(({ code }) => code === QUOTA_EXCEEDED);
    if (refused >= 0) return batch * BATCH + refused;
  }
  throw new Error("no write was refused");
}

async function grow(node: ZooidNode, refused: boolean): Promise<void> {
  const line = `zk_zooid_growth_refused\t${refused ? 1 : 0}\n`;
  await untilAnswer(
    { port: node.port },
    "mntr",
    (answer) => answer.includes(line),
    () => false,
  );
}

test.serial(
  "a node whose tree is as large as it may be refuses what grows the tree, keeps the rest, starts again, and recovers",
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "zooid-memory-"));
    const lines = ["zooid.snapshotEveryBytes=1000000", `zooid.maxTreeBytes=${TREE_BYTES}`];
    const options = { folder, lines };
    let node = await startZooid(options);
    try {
      let client = await ZkClient.connect({ port: node.port, timeoutMs: 10_000 });
      t.is((await client.request(create("/full"))).code, 0);
      const count = await fill(client);
      t.true(count > 10_000, `${count} znodes`);
      await grow(node, true);
      t.regex(
        await fourLetters({ port: node.port }, "srvr"),
        /Writes: refused if they grow the tree/,
      );
      t.regex(await node.line(/treeFull/), / bytesMax=4000000/);
      const codes = async (): Promise<readonly number[]> => {
        const replies = await client.pipeline([
          getData("/full/0"),
          setData("/full/0", "4321"),
          setData("/full/0", "43210"),
          create("/more"),
          multi(remove("/full/1"), create("/more")),
          multi(create("/more"), create("/evenmore")),
          exists("/more"),
          remove("/more"),
          create("/full/1", "1234"),
        ]);
        return replies.map(({ code }) => code);
      };
      const refused = QUOTA_EXCEEDED;
      t.deepEqual(await codes(), [0, 0, refused, refused, 0, refused, 0, 0, refused]);
      const other = await ZkClient.connect({ port: node.port });
      t.is((await other.request(exists(`/full/${count - 1}`))).code, 0, "new sessions are given");
      await other.close();

      await node.stop();
      node = await startZooid(options);
      client = await ZkClient.connect({ port: node.port, timeoutMs: 10_000 });
      await grow(node, true);
      t.is((await client.request(exists(`/full/${count - 1}`))).code, 0, "nothing is lost");
      t.is((await client.request(create("/more"))).code, refused);

      for (let at = 2; at < count / 5; at += BATCH) {
        const paths = Array.from({ length: BATCH }, (_, index) => `/full/${at + index}`);
        await client.pipeline(paths.map((path) => remove(path)));
      }
      await grow(node, false);
      t.is((await client.request(create("/more"))).code, 0, "it goes on by itself");
      await client.close();
    } finally {
      await node.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
);

test.serial("mntr tells how much of its heap each lane uses", async (t) => {
  const node = await startZooid({ lines: ["zooid.lanes=2"] });
  t.teardown(() => node.stop());
  const heap = /^zk_zooid_lane_(\d)_heap_used_bytes\t(\d+)$/gm;
  let heaps: readonly RegExpMatchArray[] = [];
  await untilAnswer(
    { port: node.port },
    "mntr",
    (answer) => {
      heaps = [...answer.matchAll(heap)];
      return answer.includes("zk_server_state");
    },
    () => false,
  );
  t.deepEqual(
    heaps.map(([, lane]) => lane),
    ["1", "2"],
  );
  for (const [line, , bytes] of heaps) t.true(Number(bytes) > 1_000_000, line);
});
