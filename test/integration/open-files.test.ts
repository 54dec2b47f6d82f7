/** A limit of open files: connections stop at what it leaves, and what is left is enough for the log. */
import test, { type ExecutionContext } from "ava";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fourLetters, untilAnswer } from "../support/four-letters.ts";
import { ZooidEnsemble } from "../support/zooid.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, getData, setData } from "../support/zookeeper-client/operations.ts";

const OPEN_FILES_MAX = 256;
/** So many of these fill segments of the log, and new ones are opened. */
const WRITES = 60;
const MUCH = Buffer.alloc(700_000, "x");

async function openIdle(port: number, from: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = connect({ port, host: "127.0.0.1", localAddress: from });
    socket.on("error", () => undefined); // the node may refuse it
    socket.resume();
    await Promise.race([once(socket, "connect"), once(socket, "close")]);
    sockets.push(socket);
  }
  return sockets;
}

async function writeMuch(t: ExecutionContext, client: ZkClient): Promise<void> {
  for (let write = 0; write < WRITES; write += 1) {
    t.is((await client.request(setData("/much", MUCH))).code, 0);
  }
}

test.serial(
  "idle connections from several addresses stop no node whose limit of open files is 256",
  async (t) => {
    const ensemble = await ZooidEnsemble.start({ openFilesMax: OPEN_FILES_MAX });
    try {
      const client = await ZkClient.connect({ port: ensemble.port, timeoutMs: 30_000 });
      t.is((await client.request(create("/much"))).code, 0);
      const idle: Socket[] = [];
      for (const port of ensemble.ports) {
        for (const host of [1, 2, 3]) idle.push(...(await openIdle(port, `127.0.9.${host}`, 90)));
      }
      await writeMuch(t, client);
      const other = idle.splice(0);
      for (const socket of other) socket.destroy();
      for (const { id, port } of ensemble.nodes) {
        await untilAnswer(
          { port },
          "srvr",
          (answer) => /Mode: (leader|follower)/.test(answer),
          () => false,
        );
        const log = await ensemble.log(id);
        t.regex(log, /openFilesLow .*openFilesMax=256/, "it was said at the start");
        t.regex(
          log,
          /connectionRefused remoteAddress=127\.0\.9\.\d.* reason="more than \d+ connections/,
        );
        const [, refused] =
          /zk_connection_rejected\t(\d+)/.exec(await fourLetters({ port }, "mntr")) ?? [];
        t.true(Number(refused) > 0, `${refused} were refused`);
      }
      t.is((await client.request(getData("/much"))).code, 0);
      await client.close();
    } finally {
      await ensemble.stop();
    }
  },
);

test.serial(
  "a listener that finds no file for a connection does not spin, and serves when there are some again",
  async (t) => {
    const program = fileURLToPath(new URL("../support/listener-without-files.ts", import.meta.url));
    const limited = 'ulimit -n 60 && exec "$0" "$@"';
    const child = spawn("bash", ["-c", limited, process.execPath, program]);
    try {
      const lines = createInterface({ input: child.stdout });
      const [first] = (await once(lines, "line")) as [string];
      const port = Number(/^port (\d+)$/.exec(first)?.[1]);
      const refused = [1, 2, 3].map(() => connect({ port, host: "127.0.0.1" }));
      for (const socket of refused) socket.on("error", () => undefined).resume();
      const waitedMs = 2_000;
      await wait(waitedMs);
      child.stdin.write("go on\n");
      const [second] = (await once(lines, "line")) as [string];
      const cpuMs = Number(/^cpu (\d+) ms$/.exec(second)?.[1]);
      t.true(cpuMs < waitedMs / 2, second);
      for (const socket of refused) socket.destroy();
      let answer = "";
      while (answer !== "served") {
        const socket = connect({ port, host: "127.0.0.1" }).on("error", () => undefined);
        socket.write("anybody?");
        socket.once("data", (bytes: Buffer) => {
          answer = bytes.toString();
          socket.destroy();
        });
        await once(socket, "close");
      }
      t.is(answer, "served");
    } finally {
      child.kill();
    }
  },
);
