/** Real processes that are started as they must not be: what is acknowledged stays, and the mistake is named. */
import { cp } from "node:fs/promises";
import test, { type ExecutionContext } from "ava";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { decodeGatewayFrame, encodeClientFrame } from "../../protocol/native.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, getChildren, sync } from "../support/zookeeper-client/operations.ts";
import { ZooidProcesses } from "../support/zooid-processes.ts";

/** A process that is silent for five times the timeout may be replaced. */
const FLAGS = ["--peer-timeout-ms", "500", "--heartbeat-interval-ms", "50"];
const WRITES = 30;

async function withEnsemble(
  t: ExecutionContext,
  run: (ensemble: ZooidProcesses) => Promise<void>,
): Promise<void> {
  const ensemble = await ZooidProcesses.start(FLAGS);
  try {
    await run(ensemble);
  } catch (error) {
    t.log(ensemble.output().split("\n").slice(-80).join("\n"));
    throw error;
  } finally {
    await ensemble.stop();
  }
}

/** Through this node; gives back what was acknowledged, all of it. */
async function write(ensemble: ZooidProcesses, node: number, name: string): Promise<string[]> {
  const client = await ZkClient.connect({ port: ensemble.portOf(node) });
  const names: string[] = [];
  for (let number = 0; number < WRITES; number += 1) {
    const reply = await client.request(create(`/${name}-${number}`));
    if (reply.code === 0) names.push(`${name}-${number}`);
  }
  await client.close();
  return names;
}

async function holds(
  t: ExecutionContext,
  ensemble: ZooidProcesses,
  node: number,
  written: readonly string[],
): Promise<void> {
  const client = await ZkClient.connect({ port: ensemble.portOf(node) });
  await client.request(sync("/"));
  const children = await client.request(getChildren("/"));
  const text = JSON.stringify(children.text);
  t.deepEqual(
    written.filter((name) => !text.includes(name)),
    [],
    `node ${node} holds all`,
  );
  await client.close();
}

for (const { title, members } of [
  { title: "without --members", members: undefined },
  { title: "with other members", members: "2,4,5" },
]) {
  test.serial(`a member that is started ${title} does not start, and loses nothing`, async (t) => {
    await withEnsemble(t, async (ensemble) => {
      const before = await write(ensemble, 1, "before");
      await ensemble.kill(2);
      const wrong = ensemble.startOther({ id: 2, members, folder: "2" });
      await wrong.exited;
      t.regex(
        wrong.output(),
        new RegExp(`members 1,2,3 in the folder, ${members ?? "2"} in this start`),
      );
      const during = await write(ensemble, 1, "during");
      await ensemble.startNode(2);
      t.is(before.length + during.length, 2 * WRITES);
      for (const node of ensemble.ids) await holds(t, ensemble, node, [...before, ...during]);
    });
  });
}

test.serial("a second ensemble of the same name does not mix with the first", async (t) => {
  await withEnsemble(t, async (ensemble) => {
    const before = await write(ensemble, 1, "before");
    const others = ensemble.ids.map((id) =>
      ensemble.startOther({ id, members: "1,2,3", folder: `second-${id}` }),
    );
    await Promise.all(
      others.map(async (other) => {
        await other.line(/numberTaken/);
        // One of them has the number of the leader, which hears it as another process of its own.
        await other.line(/joinRefused|refusedByPeer .*reason=twin/);
      }),
    );
    await Promise.all(
      ensemble.ids.map((id) => ensemble.processOf(id).line(/anotherProcessWithThisId/)),
    );
    const during = await write(ensemble, 2, "during");
    t.is(before.length + during.length, 2 * WRITES);
    for (const node of ensemble.ids) await holds(t, ensemble, node, [...before, ...during]);
    for (const other of others) t.notRegex(other.output(), /log-sync (establishing|following)/);
  });
});

test.serial(
  "of two processes with one id only the one whose folder has the number counts",
  async (t) => {
    await withEnsemble(t, async (ensemble) => {
      const before = await write(ensemble, 1, "before");
      const twin = ensemble.startOther({ id: 3, members: "1,2,3", folder: "twin" });
      // The leader says the one, unless the number is its own.
      await twin.line(/joinRefused|refusedByPeer .*reason=twin/);
      await ensemble.processOf(3).line(/anotherProcessWithThisId/);
      const during = await write(ensemble, 3, "during");
      t.is(before.length + during.length, 2 * WRITES);
      t.notRegex(twin.output(), /votesAgain|log-sync (establishing|following)/);
      await twin.stop();
      for (const node of ensemble.ids) await holds(t, ensemble, node, [...before, ...during]);
    });
  },
);

/** What native clients of a node are told who have no connection to it: one word of each process that hears them. */
async function answersOf(nats: NatsConnection, node: number): Promise<readonly string[]> {
  const inbox = `zooid.test.client.asks-${node}.1`;
  const answers: string[] = [];
  const subscription = nats.subscribe(inbox, {
    callback: (_, { data, headers }) => {
      const items = data.length === 0 ? [] : decodeGatewayFrame(data).items;
      answers.push(headers?.code === 503 ? "nobody" : JSON.stringify(items));
    },
  });
  const ping = encodeClientFrame({ sequence: 5, items: [{ kind: "ping" }] });
  nats.publish(`zooid.test.gateway.${node}.1`, ping, { reply: inbox });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  subscription.unsubscribe();
  return answers;
}

test.serial(
  "a process that the ensemble does not take in does not speak to native clients",
  async (t) => {
    await withEnsemble(t, async (ensemble) => {
      const twin = ensemble.startOther({ id: 3, members: "1,2,3", folder: "twin" });
      await twin.line(/joinRefused|refusedByPeer .*reason=twin/);
      const nats = await connect({ servers: ensemble.natsUrl });
      t.deepEqual(await answersOf(nats, 3), ['[{"kind":"ended","reason":"unknown"}]']);
      await ensemble.kill(3);
      let answers = await answersOf(nats, 3);
      // The NATS server may notice a little later that the process is gone.
      while (answers.length === 0) answers = await answersOf(nats, 3);
      t.deepEqual(answers, ["nobody"]);
      await nats.close();
      await twin.stop();
    });
  },
);

test.serial(
  "an empty folder takes the number of one that is gone, and its vote counts",
  async (t) => {
    await withEnsemble(t, async (ensemble) => {
      const before = await write(ensemble, 1, "before");
      await ensemble.kill(3);
      await ensemble.startNode(3, "replacement");
      await ensemble.processOf(3).line(/votesAgain/);
      await ensemble.kill(1);
      const after = await write(ensemble, 3, "after");
      t.is(before.length + after.length, 2 * WRITES);
      await holds(t, ensemble, 3, [...before, ...after]);
      const old = ensemble.startOther({ id: 3, members: "1,2,3", folder: "3" });
      await old.exited;
      t.regex(old.output(), /node 3 was replaced while it was away/);
      await ensemble.startNode(1);
      for (const node of ensemble.ids) await holds(t, ensemble, node, [...before, ...after]);
    });
  },
);

test.serial(
  "an old copy of a folder that is put back has no vote until it is repaired",
  async (t) => {
    await withEnsemble(t, async (ensemble) => {
      await ensemble.kill(3);
      await cp(ensemble.folderOf(3), ensemble.folderOf(3, "copy"), { recursive: true });
      await ensemble.startNode(3);
      const before = await write(ensemble, 3, "before");
      await ensemble.kill(3);
      const old = ensemble.startOther({ id: 3, members: "1,2,3", folder: "copy" });
      await old.exited;
      t.regex(old.output(), /folderOlderThanRemembered/);
      await ensemble.startNode(3, "copy");
      await ensemble.processOf(3).line(/votesAgain/);
      const after = await write(ensemble, 3, "after");
      t.is(before.length + after.length, 2 * WRITES);
      for (const node of ensemble.ids) await holds(t, ensemble, node, [...before, ...after]);
    });
  },
);
