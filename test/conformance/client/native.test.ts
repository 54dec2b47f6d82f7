/** The client's suite over NATS: a node of zooid, and a nats-server. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { connect } from "../../../client/connect.ts";
import { startNode } from "../../../server/start.ts";
import { startNatsServer } from "../../support/nats-server.ts";
import { suite } from "./suite.ts";

const stops: (() => Promise<unknown>)[] = [];
const target = suite({ name: "nats:// to zooid", lacks: [] });

test.before(async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-suite-"));
  const nats = await startNatsServer({});
  stops.push(nats.stop, () => rm(folder, { recursive: true, force: true }));
  const node = await startNode({
    dataDir: folder,
    natsUrls: [nats.url],
    clientPort: 0,
    clientPortAddress: "127.0.0.1",
  });
  stops.unshift(() => node.stop());
  target.connect = (options) => connect(nats.url, { connectTimeoutMs: 30_000, ...options });
  await node.ready;
  t.pass();
});

test.after.always("the node and nats-server stop", async () => {
  for (const stop of stops) await stop();
});
