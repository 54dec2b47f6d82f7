/** The change feed of real nodes over a real nats-server with the users of nats.conf, heard by the programs of docs/feed.md. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect as connectSocket, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import test from "ava";
import type { EventDetail } from "../../runtime/effects.ts";
import { connectNatsClients } from "../../runtime/nats/client-subjects.ts";
import { Child } from "../support/child.ts";
import { projectNatsConfig, startNatsServer } from "../support/nats-server.ts";
import { found, until } from "../support/until.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, remove, setAcl, setData } from "../support/zookeeper-client/operations.ts";
import { startZooid } from "../support/zooid.ts";
import { CHECKOUT } from "../support/zooid-command.ts";

/** Debian's own. */
const PYTHON = "/usr/bin/python3";
const PASSWORD = "change-me-client";

/** The block of docs/feed.md in that language, with a password and a port that are there. */
async function example(language: string, port: number): Promise<string> {
  const text = await readFile(join(CHECKOUT, "docs/feed.md"), "utf8");
  const [, block] = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "ms").exec(text) ?? [];
  if (block === undefined) throw new Error(`docs/feed.md has nothing in ${language}`);
  return block.replaceAll("PASSWORD", PASSWORD).replaceAll("4222", String(port));
}

async function say(port: number, text: string): Promise<Socket> {
  const socket = connectSocket({ host: "127.0.0.1", port });
  await once(socket, "data");
  socket.write(text.replaceAll("\n", "\r\n"));
  return socket;
}

type Heard = {
  readonly subject: string;
  readonly kind: string;
  readonly text?: string;
  readonly path: string;
};

/** What the socket is told, up to the deletion. */
async function heardBy(socket: Socket): Promise<readonly unknown[]> {
  const heard: Heard[] = [];
  let subject: string | undefined;
  for await (const line of createInterface({ input: socket })) {
    if (line.startsWith("MSG")) [, subject = ""] = line.split(" ");
    else if (subject !== undefined) {
      heard.push({ subject, ...JSON.parse(line) } as Heard);
      subject = undefined;
      if (heard.at(-1)?.kind === "deleted") break;
    }
  }
  return heard
    .filter(({ kind }) => kind !== "mark")
    .map((each) => [each.subject, each.kind, each.path, each.text]);
}

test.serial(
  "the examples of docs/feed.md hear the changes that ZooKeeper's clients make, and none that are guarded",
  async (t) => {
    const nats = await startNatsServer({ config: await projectNatsConfig() });
    t.teardown(nats.stop);
    const url = nats.url.replace("//", "//node:change-me-node@");
    const node = await startZooid({ lines: [`zooid.nats=${url}`, "zooid.changeFeed=true"] });
    t.teardown(node.stop);
    const client = await ZkClient.connect({ port: node.port });
    await client.request(create("/config"));
    await client.request(create("/other"));

    const code = await example("python", nats.port);
    const program = new Child({ command: PYTHON, args: ["-u", "-c", code], cwd: CHECKOUT });
    t.teardown(() => program.stop());
    await client.request(create("/config/begin"));
    const hears = async (): Promise<boolean> => {
      await client.request(setData("/config/begin", "x"));
      return program.output().includes("begin");
    };
    await until(hears, "the program hears of a change");
    t.regex(program.output(), /^something is missing/);

    const socket = await say(nats.port, await example("text", nats.port));
    t.teardown(() => socket.destroy());
    const hearing = heardBy(socket);
    await once(socket, "data");
    const auth = [{ perms: 31, scheme: "ip", id: "10.0.0.1" }];
    await client.request(create("/config/a.b", "1"));
    await client.request(create("/other/a", "1"));
    await client.request(setData("/config/a.b", "zwei ü"));
    await client.request(create("/config/secret", "canary"));
    await client.request(setAcl("/config/secret", auth));
    await client.request(setData("/config/secret", "canary 2"));
    await client.request(remove("/config/a.b"));

    t.deepEqual(await hearing, [
      ["zooid.zooid.changes.config.a%2Eb", "created", "/config/a.b", "1"],
      ["zooid.zooid.changes.config.a%2Eb", "data", "/config/a.b", "zwei ü"],
      ["zooid.zooid.changes.config.secret", "created", "/config/secret", "canary"],
      ["zooid.zooid.changes.config.a%2Eb", "deleted", "/config/a.b", undefined],
    ]);
    await program.line(/^deleted/);
    const printed = program.lines.slice(program.lines.findIndex((line) => line.includes("a.b")));
    t.deepEqual(printed, [
      "created /config/a.b 1",
      "data /config/a.b zwei ü",
      "created /config/secret canary",
      "deleted /config/a.b None",
    ]);
    client.socket.destroy();
  },
);

test.serial("what nats sub is shown to subscribe to is what the other examples do", async (t) => {
  const text = await readFile(join(CHECKOUT, "docs/feed.md"), "utf8");
  const [, subject] = /^nats sub '(.*)'$/m.exec(text) ?? [];
  t.truthy(subject);
  for (const language of ["text", "python"]) {
    t.true((await example(language, 4222)).includes(`SUB ${subject} 1`));
  }
});

test.serial(
  "what NATS does not take in time is dropped and told, what else is offered arrives as it was, and later offers do",
  async (t) => {
    const nats = await startNatsServer();
    t.teardown(nats.stop);
    const logged: (readonly [string, string, EventDetail])[] = [];
    const clients = await connectNatsClients({
      ...{ servers: [nats.url], name: "feed", sharedSubject: "shared", laneSubject: "lane" },
      onMessage: () => undefined,
      log: (...args) => logged.push(args),
    });
    t.teardown(() => clients.close());
    const socket = await say(nats.port, 'CONNECT {"verbose":false}\nSUB offered.> 1\nPING\n');
    t.teardown(() => socket.destroy());
    await once(socket, "data");
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    const next = async (): Promise<readonly [string, string]> => {
      for (;;) {
        const [word, subject = ""] = String((await lines.next()).value).split(" ");
        if (word === "MSG") return [subject, String((await lines.next()).value)];
      }
    };
    const large = "ü".repeat(256 * 1024);
    const messages = Array.from({ length: 20 }, (_, number) => {
      return { subject: `offered.${number}`, text: `${number} ${large}` };
    });
    clients.offer(messages);
    // Two bytes each, so fewer than 16 of half a mebibyte come to 8 MiB.
    for (const { subject, text } of messages.slice(0, 15))
      t.deepEqual(await next(), [subject, text]);
    const [first] = logged;
    t.deepEqual(first?.slice(0, 2), ["warn", "feedDropped"]);
    t.is(first?.[2]["messages"], 5);
    const again = next();
    const arrived = (): Promise<readonly [string, string] | undefined> => {
      clients.offer([{ subject: "offered.again", text: "small" }]);
      return Promise.race([again, wait(20, undefined)]);
    };
    t.deepEqual(await found(arrived, "a message arrives again"), ["offered.again", "small"]);
    // As long as NATS had not taken the first, those that were offered again were dropped, too.
    for (const entry of logged) t.deepEqual(entry.slice(0, 2), ["warn", "feedDropped"]);
  },
);
