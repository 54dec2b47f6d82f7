/** The examples of recipes do what they say, all against one node. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { startNode } from "../../server/start.ts";
import { Child } from "../support/child.ts";
import { startNatsServer } from "../support/nats-server.ts";

/** Each example, with what it prints. */
const EXAMPLES: readonly (readonly [name: string, lines: readonly string[]])[] = [
  ["lock", ["import 1 with a fence: true"]],
  [
    "read-write-lock",
    [
      "readers together: true",
      "a writer meanwhile: ZOOID_NOT_ACQUIRED",
      "then a writer alone: true",
    ],
  ],
  ["semaphore", ["at most two at a time: true"]],
  ["election", ["elected, as all can see: scheduler-1"]],
  [
    "barrier",
    ["a worker begins, migrated: true", "a worker begins, migrated: true", "all have left"],
  ],
];

const stops: (() => Promise<unknown>)[] = [];
let url = "";

test.before(async () => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-recipes-"));
  const nats = await startNatsServer({});
  stops.push(nats.stop, () => rm(folder, { recursive: true, force: true }));
  const node = await startNode({ dataDir: folder, natsUrls: [nats.url], clientPort: 0 });
  stops.unshift(() => node.stop());
  await node.ready;
  url = nats.url;
});

test.after.always("the node and nats-server stop", async () => {
  for (const stop of stops) await stop();
});

for (const [name, lines] of EXAMPLES) {
  test.serial(`the example of a ${name} does what it says`, async (t) => {
    const child = new Child({
      command: process.execPath,
      args: [
        "--conditions=source",
        fileURLToPath(new URL(`../../examples/recipes/${name}.ts`, import.meta.url)),
        url,
      ],
    });
    await child.exited;
    t.is(child.process.exitCode, 0, child.output());
    t.deepEqual(child.lines, lines);
  });
}
