/** The change feed of real nodes over a real nats-server with the users of nats.conf, heard by a program that knows plain NATS only. */
import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { createInterface } from "node:readline";
import test from "ava";
import { projectNatsConfig, startNatsServer } from "../support/nats-server.ts";
import { ZkClient } from "../support/zk-client.ts";
import { create, remove, setAcl, setData } from "../support/zk-operations.ts";
import { startZooid } from "../support/zooid.ts";

/** The three lines that docs/feed.md has for telnet. */
async function subscribe(port: number, subject: string): Promise<Socket> {
  const socket = connectSocket({ host: "127.0.0.1", port });
  await once(socket, "data");
  const connect = { user: "client", pass: "change-me-client", verbose: false };
  socket.write(`CONNECT ${JSON.stringify(connect)}\r\nSUB ${subject} 1\r\nPING\r\n`);
  return socket;
}

type Heard = {
  readonly subject: string;
  readonly kind: string;
  readonly text?: string;
  readonly path: string;
};

test("a program that knows plain NATS hears the changes that ZooKeeper's clients make, and none that are guarded", async (t) => {
  const nats = await startNatsServer({ config: await projectNatsConfig() });
  t.teardown(nats.stop);
  const url = nats.url.replace("//", "//node:change-me-node@");
  const node = await startZooid({ lines: [`zooid.nats=${url}`] });
  t.teardown(node.stop);
  const socket = await subscribe(nats.port, "zooid.zooid.changes.config.>");
  t.teardown(() => socket.destroy());
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => String((await lines.next()).value);
  while ((await line()) !== "PONG");

  const client = await ZkClient.connect({ port: node.port });
  const auth = [{ perms: 31, scheme: "ip", id: "10.0.0.1" }];
  await client.request(create("/config"));
  await client.request(create("/other"));
  await client.request(create("/config/a.b", "1"));
  await client.request(setData("/config/a.b", "zwei ü"));
  await client.request(create("/config/secret", "canary"));
  await client.request(setAcl("/config/secret", auth));
  await client.request(setData("/config/secret", "canary 2"));
  await client.request(remove("/config/a.b"));

  const heard: Heard[] = [];
  while (heard.at(-1)?.kind !== "deleted") {
    const [word, subject = ""] = (await line()).split(" ");
    if (word !== "MSG") continue;
    heard.push({ subject, ...JSON.parse(await line()) } as Heard);
  }
  t.deepEqual(
    heard.map(({ subject, kind, path, text }) => [subject, kind, path, text]),
    [
      ["zooid.zooid.changes.config.a%2Eb", "created", "/config/a.b", "1"],
      ["zooid.zooid.changes.config.a%2Eb", "data", "/config/a.b", "zwei ü"],
      ["zooid.zooid.changes.config.secret", "created", "/config/secret", "canary"],
      ["zooid.zooid.changes.config.a%2Eb", "deleted", "/config/a.b", undefined],
    ],
  );
  client.socket.destroy();
});
