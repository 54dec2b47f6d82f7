/** An operation that a bug keeps every tree from applying: the nodes name it and stop, and an operator gets past it. */
import test from "ava";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "../support/child.ts";
import { untilAnswer } from "../support/four-letters.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { reservePorts } from "../support/ports.ts";
import { until } from "../support/until.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, exists, getChildren, getData } from "../support/zookeeper-client/operations.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";

const POISON = new URL("../support/poisoned-tree.ts", import.meta.url).href;
const FAILED = /the operation with zxid (0x[0-9a-f]+) \(create of "\/poison", in the record/;

class Node {
  readonly #args: readonly string[];
  readonly port: number;
  child: Child;

  constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
    this.child = this.#spawn([]);
  }

  #spawn(more: readonly string[]): Child {
    const own = ["--client-port", String(this.port), "--client-port-address", "127.0.0.1"];
    const args = ["--import", POISON, COMMAND_LINE, "serve", ...this.#args, ...own, ...more];
    return new Child({ command: process.execPath, args });
  }

  start(...more: readonly string[]): void {
    this.child = this.#spawn(more);
  }

  serves(): Promise<void> {
    const { child, port } = this;
    const isServing = (answer: string): boolean => /Mode: \w+/.test(answer);
    return untilAnswer({ port }, "srvr", isServing, () => child.ended);
  }

  /** The zxid that the node named when it stopped. */
  async failed(): Promise<string> {
    await this.child.exited;
    return FAILED.exec(this.child.output())?.[1] ?? `nothing:\n${this.child.output()}`;
  }
}

async function poisoned(port: number): Promise<void> {
  const client = await ZkClient.connect({ port, timeoutMs: 20_000 });
  await client.request(create("/fine", "x"));
  await client.request(create("/poison", "x")).catch(() => undefined);
  await client.closed;
}

test.serial(
  "a node alone names the operation, stops at each start, and goes on when it is to skip it",
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "zooid-skip-"));
    const block = await reservePorts();
    const node = new Node(block.first, ["--data-dir", folder]);
    t.teardown(async () => {
      await node.child.stop();
      block.release();
      await rm(folder, { recursive: true, force: true });
    });
    await node.serves();
    await poisoned(node.port);
    const zxid = await node.failed();
    t.regex(zxid, /^0x1[0-9a-f]{8}$/);
    t.regex(
      node.child.output(),
      /operationFailed zxid=0x[0-9a-f]+ file=\S+\/log\.[0-9a-f]{16} look="zooid inspect/,
    );
    t.is(node.child.process.exitCode, 1);

    node.start();
    t.is(await node.failed(), zxid);
    t.regex(node.child.output(), new RegExp(`operationFailedBefore zxid=${zxid} isSkipped=false`));

    node.start("--skip-zxid", "0x100000001");
    await node.child.exited;
    t.regex(node.child.output(), /0x100000001 has not failed on this node, so it is not skipped/);
    node.start("--skip-zxid", "poison");
    await node.child.exited;
    t.is(node.child.process.exitCode, 2);

    for (const more of [["--skip-zxid", zxid], []]) {
      node.start(...more);
      await node.serves();
      const client = await ZkClient.connect({ port: node.port });
      t.is((await client.request(getData("/fine"))).code, 0);
      t.is((await client.request(exists("/poison"))).code, -101);
      await client.close();
      await node.child.stop();
    }
  },
);

test.serial(
  "an ensemble whose nodes all skip the operation goes on, and they hold the same",
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "zooid-skip-"));
    const block = await reservePorts();
    const nats = await startNatsServer();
    const common = ["--members", "1,2,3", "--nats", nats.url, "--tick-time-ms", "2000"];
    const nodes = [1, 2, 3].map(
      (id) =>
        new Node(block.first + id, [
          ...["--id", String(id), "--data-dir", join(folder, String(id))],
          ...common,
        ]),
    );
    t.teardown(async () => {
      await Promise.all(nodes.map(({ child }) => child.stop()));
      await nats.stop();
      block.release();
      await rm(folder, { recursive: true, force: true });
    });
    await Promise.all(nodes.map((node) => node.serves()));
    await poisoned(nodes[0]?.port ?? 0);

    // Two are enough to commit it; the third may have to hear of them first, when they go on.
    const zxid = await Promise.race(nodes.map((node) => node.failed()));
    t.regex(zxid, /^0x/);
    for (const node of nodes) {
      void node.child.exited.then(() => node.start("--skip-zxid", zxid));
    }
    await Promise.all(
      nodes.map(async (node) => {
        const hasSkipped = async (): Promise<boolean> => {
          const served = await node.serves().then(
            () => true,
            () => false,
          );
          return served && node.child.output().includes(`zxid=${zxid} isSkipped=true`);
        };
        await until(hasSkipped, "each node serves, and has skipped it");
      }),
    );
    const writer = await ZkClient.connect({ port: nodes[0]?.port ?? 0 });
    t.is((await writer.request(create("/after"))).code, 0);
    await writer.close();
    for (const { port } of nodes) {
      const client = await ZkClient.connect({ port });
      t.is((await client.request(create(`/after/${port}`))).code, 0);
      t.is((await client.request(exists("/poison"))).code, -101);
      t.is((await client.request(getChildren("/after"))).code, 0);
      await client.close();
    }
  },
);
