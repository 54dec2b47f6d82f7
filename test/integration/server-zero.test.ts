/** Three nodes from one zoo.cfg whose servers are numbered from 0, as ZooKeeper takes it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { startNatsServer } from "../../cli/ensemble/nats-server.ts";
import { Child } from "../support/child.ts";
import { fourLetters, untilAnswer } from "../support/four-letters.ts";
import { reservePorts } from "../support/ports.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, getData } from "../support/zookeeper-client/operations.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";

const IDS = [0, 1, 2] as const;

test.serial(
  "server.0 is a node as any other: it votes, leads, submits, and is found by its myid",
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "zooid-zero-"));
    const block = await reservePorts();
    const nats = await startNatsServer();
    const portOf = (id: number): number => block.first + id;
    t.teardown(async () => {
      await nats.stop();
      block.release();
      rmSync(folder, { recursive: true, force: true });
    });
    const start = (id: number): Child => {
      const dataDir = join(folder, String(id));
      mkdirSync(dataDir, { recursive: true });
      writeFileSync(join(dataDir, "myid"), `${id}\n`);
      const lines = [
        `dataDir=${dataDir}`,
        `zooid.nats=${nats.url}`,
        "clientPortAddress=127.0.0.1",
        ...IDS.map((each) => `server.${each}=127.0.0.1:2888:3888;${portOf(each)}`),
      ];
      const config = join(folder, `zoo-${id}.cfg`);
      writeFileSync(config, lines.join("\n"));
      const args = [COMMAND_LINE, "serve", "--config", config];
      const child = new Child({ command: process.execPath, args, cwd: folder });
      t.teardown(() => child.stop());
      return child;
    };
    const serves = /log-sync (leading|following) /;
    const nodes = new Map(IDS.map((id) => [id, start(id)]));
    const serving = (answer: string): boolean => /Mode: (leader|follower)/.test(answer);
    const zero = nodes.get(0);
    const others = [nodes.get(1), nodes.get(2)];
    if (zero === undefined) throw new Error("node 0 was started");
    await Promise.all([...nodes.values()].map((node) => node.line(serves)));
    const write = async (id: number, path: string): Promise<void> => {
      const client = await ZkClient.connect({ port: portOf(id) });
      t.is((await client.request(create(path, "x"))).code, 0);
      await client.close();
    };
    await write(0, "/by-zero");
    await write(1, "/by-one");
    // The two others are down for a moment: whoever leads then, node 0 has the longest log or the same, and has to take part.
    for (const other of others) await other?.stop();
    await untilAnswer(
      { port: portOf(0) },
      "srvr",
      (answer) => answer.includes("not currently serving"),
      () => zero.ended,
    );
    const again = start(1);
    for (const [id, node] of [
      [0, zero],
      [1, again],
    ] as const) {
      await untilAnswer({ port: portOf(id) }, "srvr", serving, () => node.ended);
    }
    await write(0, "/with-one-other");
    const client = await ZkClient.connect({ port: portOf(1) });
    t.is((await client.request(getData("/by-zero"))).code, 0);
    await client.close();
    t.regex(await fourLetters({ port: portOf(0) }, "mntr"), /^zk_zooid_leader\t[01]$/m);
  },
);
