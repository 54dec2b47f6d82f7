/** Real processes whose data lies on file systems that are filled to the last byte, and emptied again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/connect.ts";
import { Child } from "../support/child.ts";
import { untilAnswer } from "../support/four-letters.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { reservePorts } from "../support/ports.ts";
import { SmallDisk } from "../support/small-disk.ts";
import { firstText } from "../support/writer.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import {
  create,
  exists,
  getData,
  Mode,
  setData,
  sync,
} from "../support/zookeeper-client/operations.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";

const NOT_READ_ONLY = -119;
/** A few of these, and a segment is full enough for the next one to be prepared. */
const MUCH = "x".repeat(700_000);

class Nodes {
  readonly ids: readonly number[];
  readonly disks: readonly SmallDisk[];
  readonly #folder: string;
  readonly #firstPort: number;
  readonly #args: readonly string[];
  readonly #running = new Map<number, Child>();

  constructor(folder: string, firstPort: number, count: number, args: readonly string[]) {
    this.#folder = folder;
    this.#firstPort = firstPort;
    this.#args = args;
    this.ids = Array.from({ length: count }, (_, index) => index + 1);
    this.disks = this.ids.map((id) => new SmallDisk(join(folder, String(id))));
  }

  hasEnded(id: number): boolean {
    return this.#running.get(id)?.ended ?? true;
  }

  portOf(id: number): number {
    return this.#firstPort + id - 1;
  }

  async start(id: number): Promise<void> {
    const child = new Child({
      command: process.execPath,
      args: [
        ...[COMMAND_LINE, "serve", "--id", String(id), "--members", this.ids.join(",")],
        ...["--client-port", String(this.portOf(id)), "--client-port-address", "127.0.0.1"],
        ...["--data-dir", join(this.#folder, String(id), "data"), "--ensemble", "test"],
        ...this.#args,
      ],
      cwd: this.#folder,
    });
    this.#running.set(id, child);
    const serves = (answer: string): boolean => answer.includes("Mode:");
    await untilAnswer({ port: this.portOf(id) }, "srvr", serves, () => child.ended);
  }

  async startAll(): Promise<void> {
    await Promise.all(this.ids.map((id) => this.start(id)));
  }

  async killAll(): Promise<void> {
    for (const child of this.#running.values()) child.kill("SIGKILL");
    await Promise.all([...this.#running.values()].map((child) => child.exited));
    this.#running.clear();
  }

  /** Whether the node reports that it refuses writes. */
  async until(id: number, refuses: boolean): Promise<void> {
    const line = `zk_zooid_writes_refused\t${refuses ? 1 : 0}\n`;
    const child = this.#running.get(id);
    const ended = (): boolean => child?.ended ?? true;
    await untilAnswer({ port: this.portOf(id) }, "mntr", (answer) => answer.includes(line), ended);
  }

  output(): string {
    return [...this.#running.values()].map((child) => child.output()).join("\n");
  }

  async stop(): Promise<void> {
    await this.killAll();
    for (const disk of this.disks) disk.unmount();
  }
}

/** Counts in `/a`, with much beside it, until a write is refused. Gives back what was acknowledged last. */
async function countUntilRefused(client: ZkClient): Promise<string> {
  let last = "";
  for (let number = 0; ; number += 1) {
    const count = await client.request(setData("/a", String(number)));
    if (count.code === 0) last = JSON.stringify(String(number));
    const much = count.code === 0 ? await client.request(setData("/much", MUCH)) : count;
    if (much.code === NOT_READ_ONLY) return last;
    if (much.code !== 0) throw new Error(`a write was answered with ${much.code}`);
  }
}

async function countAt(client: ZkClient): Promise<string> {
  return firstText(await client.request(getData("/a")));
}

async function fillAndFree(t: ExecutionContext, nodes: Nodes): Promise<void> {
  await nodes.startAll();
  const client = await ZkClient.connect({ port: nodes.portOf(1), timeoutMs: 8000 });
  const { sessionId } = client.grant;
  await client.pipeline([create("/a"), create("/much")]);
  const live = await client.request(create("/live", "", { mode: Mode.ephemeral }));
  t.is(live.code, 0);
  for (const disk of nodes.disks) disk.fill();
  let last = await countUntilRefused(client);
  for (const id of nodes.ids) {
    // A leader whose disk is full may have just given way to another. Until a node knows the new one it serves nobody.
    const says = /Mode: \w+\n[^]*Writes: refused, no space on the disk\n/;
    const port = nodes.portOf(id);
    await untilAnswer(
      { port },
      "srvr",
      (answer) => says.test(answer),
      () => nodes.hasEnded(id),
    );
  }
  t.is(await countAt(client), last, "reads go on");
  t.is((await client.request(create("/b"))).code, NOT_READ_ONLY, "every write is refused");
  const other = await ZkClient.connect({ port: nodes.portOf(nodes.ids.length) });
  t.is((await other.request(sync("/"))).code, 0, "a new session is given, and synced");
  t.is((await other.request(exists("/b"))).code, -101, "what was refused has not happened");
  t.is((await other.request(exists("/live"))).code, 0, "the session lives");
  t.is(await countAt(other), last);

  for (const disk of nodes.disks) disk.free();
  for (const id of nodes.ids) await nodes.until(id, false);
  t.is((await client.request(setData("/much", MUCH))).code, 0, "writes are taken again");
  t.is(client.grant.sessionId, sessionId);
  t.is((await client.request(exists("/live"))).code, 0, "by the same session");

  for (const disk of nodes.disks) disk.fill();
  last = await countUntilRefused(client);
  await nodes.killAll();
  // What a node tried to prepare when it was killed may have left some room.
  for (const disk of nodes.disks) disk.fill();
  await t.throwsAsync(nodes.start(1), { message: /ended before it answered/ });
  t.regex(nodes.output(), /did not start: the disk of the data folder .* is full: make room/);
  for (const disk of nodes.disks) disk.free();
  await nodes.startAll();
  const survivor = await ZkClient.connect({ port: nodes.portOf(1) });
  await survivor.request(sync("/"));
  t.is(await countAt(survivor), last, "what was acknowledged outlives kill -9 on a full disk");
  t.is((await survivor.request(setData("/a", "y"))).code, 0);
  await Promise.all([survivor.close(), other.cut()]);
}

async function withNodes(
  t: ExecutionContext,
  of: { readonly count: number; readonly args: readonly string[] },
  body: (nodes: Nodes) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-full-"));
  const block = await reservePorts();
  const nodes = new Nodes(folder, block.first, of.count, of.args);
  try {
    await body(nodes);
  } catch (error) {
    t.log(nodes.output().split("\n").slice(-60).join("\n"));
    throw error;
  } finally {
    await nodes.stop();
    block.release();
    await rm(folder, { recursive: true, force: true });
  }
}

test.serial(
  "a node alone on a full disk refuses writes, serves reads, keeps sessions, and loses nothing",
  async (t) => {
    await withNodes(t, { count: 1, args: [] }, (nodes) => fillAndFree(t, nodes));
  },
);

test.serial(
  "three nodes on full disks refuse writes, serve reads, keep sessions, and lose nothing",
  async (t) => {
    const nats = await startNatsServer();
    try {
      await withNodes(t, { count: 3, args: ["--nats", nats.url] }, (nodes) =>
        fillAndFree(t, nodes),
      );
    } finally {
      await nats.stop();
    }
  },
);

test.serial("a native client learns by the error's code that the disk is full", async (t) => {
  const nats = await startNatsServer();
  const body = async (nodes: Nodes): Promise<void> => {
    await nodes.startAll();
    const writer = await ZkClient.connect({ port: nodes.portOf(1) });
    await writer.pipeline([create("/a"), create("/much")]);
    for (const disk of nodes.disks) disk.fill();
    const client = await connect(nats.url, { ensemble: "test" });
    t.teardown(() => client.close());
    await countUntilRefused(writer);
    // Its gateway may be another node's, which hears of it a little later.
    const refusal = await refusalOf(() => client.set("/a", "y"));
    t.like(refusal, { code: "ZOOID_DISK_FULL" });
    t.true(await client.exists("/a").then(({ stat }) => stat !== undefined));
    await writer.close();
  };
  try {
    await withNodes(t, { count: 3, args: ["--nats", nats.url] }, body);
  } finally {
    await nats.stop();
  }
});

/** Asks again until it is refused. */
async function refusalOf(ask: () => Promise<unknown>): Promise<unknown> {
  for (;;) {
    try {
      await ask();
    } catch (error) {
      return error;
    }
  }
}
