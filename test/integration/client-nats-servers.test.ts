/** Native clients and their NATS servers: which one is taken, one that hangs, dies, or falls silent. As nats-start.test.ts of nodes. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { filter, firstValueFrom } from "rxjs";
import { type Client, connect, type ConnectOptions } from "../../client/connect.ts";
import type { ZooidError } from "../../protocol/errors.ts";
import { Child } from "../support/child.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";

/** A nats-server and a node that serves native clients over it. */
async function served(t: ExecutionContext, config?: string): Promise<NatsServer> {
  const nats = await startNatsServer(config === undefined ? {} : { config });
  t.teardown(nats.stop);
  const folder = await mkdtemp(join(tmpdir(), "zooid-client-servers-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const node = new Child({
    command: process.execPath,
    args: [
      COMMAND_LINE,
      ...["serve", "--client-port", "0", "--client-port-address", "127.0.0.1"],
      ...["--nats", nats.url, "--data-dir", folder],
    ],
    cwd: folder,
    env: { ZOOID_NATS_USER: "node", ZOOID_NATS_PASSWORD: "n0de" },
  });
  t.teardown(() => node.stop());
  await node.line(/^node 1 {2}pid/);
  return nats;
}

async function client(
  t: ExecutionContext,
  urls: readonly string[],
  options: ConnectOptions = {},
): Promise<Client> {
  const connected = await connect(urls.join(","), options);
  t.teardown(() => connected.close());
  return connected;
}

async function hungServer(t: ExecutionContext): Promise<NatsProxy & { readonly url: string }> {
  const hung = new NatsProxy(undefined);
  const url = await hung.listen(t.teardown);
  return Object.assign(hung, { url });
}

test.serial("the first server of a client's list is taken while it is there", async (t) => {
  const nats = await served(t);
  const hung = await hungServer(t);
  for (let times = 0; times < 8; times += 1) await client(t, [nats.url, hung.url]);
  t.is(hung.accepted, 0);
});

test.serial(
  "servers that accept a client's connection and say nothing are passed over within its time to connect",
  async (t) => {
    const nats = await served(t);
    const [first, second] = [await hungServer(t), await hungServer(t)];
    const connectTimeoutMs = 3_000;
    const startedMs = performance.now();
    const one = await client(t, [first.url, second.url, nats.url], { connectTimeoutMs });
    await one.create("/reached");
    t.deepEqual([first.accepted, second.accepted], [1, 1]);
    t.log(`connected after ${Math.round(performance.now() - startedMs)} ms`);
    const problem = await t.throwsAsync<ZooidError>(client(t, [first.url], { connectTimeoutMs }));
    t.is(problem?.code, "ZOOID_UNREACHABLE");
  },
);

for (const word of ["CONNECT ", "SUB ", "PUB "]) {
  test.serial(
    `a server that dies when a client says ${word.trim()} is no failed start`,
    async (t) => {
      const nats = await served(t);
      const dying = new NatsProxy(nats.port);
      dying.endAt = word;
      const one = await client(t, [await dying.listen(t.teardown), nats.url]);
      await one.create("/reached");
      t.is(dying.accepted, 1, "it is not dialled first again");
    },
  );
}

test.serial(
  "a client leaves a server that falls silent before its session ends, and does not dial it first",
  async (t) => {
    const nats = await served(t);
    const proxy = new NatsProxy(nats.port);
    const one = await client(t, [await proxy.listen(t.teardown), nats.url]);
    await one.create("/lock", null, { ephemeral: true });
    const lost = firstValueFrom(one.state$.pipe(filter(({ kind }) => kind !== "connected")));
    proxy.silent = true;
    t.like(await lost, { kind: "reconnecting", reason: "the NATS server is gone" });
    t.not((await one.exists("/lock")).stat, undefined, "the session lives");
    t.is(proxy.accepted, 1);
  },
);

test.serial("a client whose only server hangs can be closed", async (t) => {
  const nats = await served(t);
  const proxy = new NatsProxy(nats.port);
  const one = await client(t, [await proxy.listen(t.teardown)]);
  proxy.silent = true;
  await one.close();
  t.pass();
});

test.serial(
  "a client's credentials are those of its options, else of its URLs, a token among them",
  async (t) => {
    const users = `users: [{ user: "node", password: "n0de" }, { user: "one", password: "s3cret" }]`;
    const nats = await served(t, `authorization { ${users} }`);
    const at = (credentials: string): string => nats.url.replace("//", `//${credentials}@`);
    await client(t, [at("one:s3cret")]);
    await client(t, [at("one")], { password: "s3cret" });
    await client(t, [at("two:wrong")], { user: "one", password: "s3cret" });
    const problem = await t.throwsAsync(client(t, [at("one:wr0ng")]));
    t.regex(problem?.message ?? "", /refuses these credentials/);
    t.false(problem?.message.includes("wr0ng"));
  },
);
