/** Each placement of a node's actors on threads, as processes: clients, words, a full stop, and a start on the same folder. */
import test from "ava";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fourLetters } from "../support/four-letters.ts";
import { startZooid } from "../support/zooid.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, getData, setData } from "../support/zookeeper-client/operations.ts";

for (const { lanes, threads } of [
  { lanes: 0, threads: "one" },
  { lanes: 1, threads: "own" },
  { lanes: 2, threads: "own" },
]) {
  test.serial(
    `with lanes=${lanes} a node serves, tells its placement, and finds its data again`,
    async (t) => {
      const folder = await mkdtemp(join(tmpdir(), "zooid-placement-"));
      const options = { folder, lines: [`zooid.lanes=${lanes}`] };
      let node = await startZooid(options);
      try {
        t.regex(await node.line(/ placement /), new RegExp(`threads=${threads}`));
        const client = await ZkClient.connect({ port: node.port, timeoutMs: 10_000 });
        t.is((await client.request(create("/kept", "one"))).code, 0);
        const sets = Array.from({ length: 300 }, (_, index) => setData("/kept", String(index)));
        const replies = await client.pipeline(sets);
        t.true(replies.every(({ code }) => code === 0));
        await client.close();
        t.regex(
          await fourLetters({ port: node.port }, "mntr"),
          /zk_zooid_lane_1_heap_used_bytes\t\d/,
        );
        await node.stop();
        node = await startZooid(options);
        const again = await ZkClient.connect({ port: node.port, timeoutMs: 10_000 });
        const kept = await again.request(getData("/kept"));
        t.is(kept.text[0], '"299"');
        await again.close();
      } finally {
        await node.stop();
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
}
