/** Real processes that are killed while clients write: what was acknowledged stays, and only the dead node's clients notice. */
import test from "ava";
import { fourLetters } from "../support/four-letters.ts";
import { found } from "../support/until.ts";
import { firstText, Writer } from "../support/writer.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, getChildren, getData, sync } from "../support/zookeeper-client/operations.ts";
import { ZooidProcesses } from "../support/zooid-processes.ts";

const ROUNDS = 12;
const ROUND_MS = 3000;

test.serial(
  "what is acknowledged outlives kill -9 of nodes and leaders, and clients of other nodes notice nothing",
  async (t) => {
    const ensemble = await ZooidProcesses.start();
    try {
      const writers = await startWriters(ensemble);
      for (let round = 0; round < ROUNDS; round += 1) await killOne(ensemble, writers, round);
      for (const writer of writers) await writer.stop();
      for (const writer of writers) t.deepEqual(writer.complaints, [], writer.folder);
      const trees = await Promise.all(
        ensemble.ids.map((id) => readAll(ensemble.portOf(id), writers)),
      );
      t.deepEqual(trees[1], trees[0], "the tree of node 2 is that of node 1");
      t.deepEqual(trees[2], trees[0], "the tree of node 3 is that of node 1");
      for (const writer of writers) {
        t.true(writer.acknowledged.length > 100, `${writer.folder} wrote all along`);
        checkKept(t, writer, trees[0] ?? new Map());
      }
      t.log(`${writers.reduce((sum, each) => sum + each.acknowledged.length, 0)} writes`);
    } catch (error) {
      t.log(ensemble.output().split("\n").slice(-60).join("\n"));
      throw error;
    } finally {
      await ensemble.stop();
    }
  },
);

async function startWriters(ensemble: ZooidProcesses): Promise<readonly Writer[]> {
  const client = await ZkClient.connect({ port: ensemble.portOf(1) });
  const writers: Writer[] = [];
  for (const index of [0, 1, 2, 3]) {
    const folder = `/writer-${index}`;
    await client.request(create(folder));
    writers.push(new Writer(folder, (index % 3) + 1, (node) => ensemble.portOf(node)));
  }
  await client.close();
  for (const writer of writers) writer.start();
  return writers;
}

/** The leader in every other round, else any node. */
async function killOne(
  ensemble: ZooidProcesses,
  writers: readonly Writer[],
  round: number,
): Promise<void> {
  const began = performance.now();
  const victim =
    round % 2 === 0
      ? await leaderOf(ensemble)
      : Math.floor(Math.random() * ensemble.ids.length) + 1;
  for (const writer of writers) writer.expectDeath(victim);
  await ensemble.kill(victim);
  await new Promise((resolve) => setTimeout(resolve, ROUND_MS / 3));
  await ensemble.startNode(victim);
  for (const writer of writers) writer.backAgain(victim);
  const left = ROUND_MS - (performance.now() - began);
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
}

function leaderOf(ensemble: ZooidProcesses): Promise<number> {
  return found(async () => {
    for (const id of ensemble.ids) {
      const answer = await fourLetters({ port: ensemble.portOf(id) }, "srvr").catch(() => "");
      if (answer.includes("Mode: leader")) return id;
    }
    return undefined;
  }, "a node leads");
}

/** Path to data of all that the writers may have created, as one node has it after a sync. */
async function readAll(
  port: number,
  writers: readonly Writer[],
): Promise<ReadonlyMap<string, string>> {
  const client = await ZkClient.connect({ port });
  const tree = new Map<string, string>();
  await client.request(sync("/"));
  for (const { folder } of writers) {
    const listed = await client.request(getChildren(folder));
    const names = firstText(listed).slice(1, -1).split(" ");
    for (let from = 0; from < names.length; from += 500) {
      const part = names.slice(from, from + 500).map((name) => `${folder}/${name}`);
      const replies = await client.pipeline(part.map((path) => getData(path)));
      replies.forEach((reply, index) => {
        tree.set(part[index] ?? "", firstText(reply));
      });
    }
  }
  await client.close();
  return tree;
}

function checkKept(
  t: {
    readonly is: (a: unknown, b: unknown, message: string) => boolean;
    readonly true: (a: boolean, message: string) => boolean;
  },
  writer: Writer,
  tree: ReadonlyMap<string, string>,
): void {
  let lost = 0;
  let disordered = 0;
  let before = "";
  for (const { path, number } of writer.acknowledged) {
    if (tree.get(path) !== JSON.stringify(String(number))) lost += 1;
    if (path <= before) disordered += 1;
    before = path;
  }
  t.is(lost, 0, `${writer.folder} lost no acknowledged write`);
  t.is(disordered, 0, `${writer.folder} finds its writes in order`);
  const numbers = [...tree].filter(([path]) => path.startsWith(`${writer.folder}/`));
  t.is(
    new Set(numbers.map(([, data]) => data)).size,
    numbers.length,
    `${writer.folder}: none twice`,
  );
}
