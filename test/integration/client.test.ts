/** The native client against real nodes and a real nats-server. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { filter, firstValueFrom, take, toArray } from "rxjs";
import {
  type Client,
  connect,
  type ConnectOptions,
  type SessionState,
} from "../../client/connect.ts";
import type { ZooidError } from "../../protocol/errors.ts";
import { Child } from "../support/child.ts";
import { type NatsServer, projectNatsConfig, startNatsServer } from "../support/nats-server.ts";
import { CHECKOUT, COMMAND_LINE } from "../support/zooid-command.ts";

type Nodes = {
  readonly url: string;
  readonly nats: NatsServer;
  readonly nodes: Map<number, Child>;
};

/** The node alone that tests share, each with znodes of its own. */
const test = anyTest as TestFn<Pick<Nodes, "url">>;

const shared = new AsyncDisposableStack();

test.before(async (t) => {
  t.context = await nodes({ teardown: (end) => shared.defer(end) }, 1);
});

test.after.always(() => shared.disposeAsync());

type Ending = { readonly teardown: (end: () => Promise<void>) => void };

/** So many nodes over a nats-server of their own. */
async function nodes(t: Ending, count: number, config?: string): Promise<Nodes> {
  const nats = await startNatsServer(config === undefined ? {} : { config });
  t.teardown(nats.stop);
  const folder = await mkdtemp(join(tmpdir(), "zooid-client-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  const url = config === undefined ? nats.url : nats.url.replace("//", "//node:change-me-node@");
  const started = new Map<number, Child>();
  for (const id of ids) {
    const flags = {
      id,
      members: ids.join(","),
      nats: url,
      "client-port": 0,
      "client-port-address": "127.0.0.1",
      "data-dir": join(folder, String(id)),
    };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = new Child({
      command: process.execPath,
      args: [COMMAND_LINE, "serve", ...args],
      cwd: folder,
    });
    started.set(id, child);
    t.teardown(() => child.stop());
  }
  await Promise.all([...started.values()].map((child) => child.line(/^node \d+ /)));
  return { url: nats.url, nats, nodes: started };
}

async function client(
  t: ExecutionContext,
  url: string,
  options: ConnectOptions = {},
): Promise<Client> {
  // On a machine with other work a program may stand still for longer than the default of 10 s.
  const patience = { connectTimeoutMs: 60_000, sessionTimeoutMs: 40_000 };
  const connected = await connect(url, { ...patience, ...options });
  t.teardown(() => connected.close());
  return connected;
}

const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => "done",
    (error: ZooidError) => error.code,
  );

const read = (bytes: Uint8Array | null): string =>
  bytes === null ? "" : new TextDecoder().decode(bytes);

type Connected = Extract<SessionState, { readonly kind: "connected" }>;

/** The state that comes next, or is, with this kind. */
function reaches<Kind extends SessionState["kind"]>(
  of: Client,
  kind: Kind,
): Promise<Extract<SessionState, { readonly kind: Kind }>> {
  const isIt = (state: SessionState): state is Extract<SessionState, { readonly kind: Kind }> =>
    state.kind === kind;
  return firstValueFrom(of.state$.pipe(filter(isIt)));
}

test.serial(
  "nodes are created, read, changed and deleted, and every refusal has its code",
  async (t) => {
    const { url } = t.context;
    const one = await client(t, url);
    const { path, stat } = await one.create("/a", "first");
    t.is(path, "/a");
    const got = await one.get("/a");
    t.is(read(got.data), "first");
    t.deepEqual(got.stat, stat);
    t.is((await one.set("/a", "second", { version: 0 })).version, 1);
    t.is(await codeOf(one.set("/a", "third", { version: 0 })), "ZOOID_BAD_VERSION");
    t.is(await codeOf(one.create("/a")), "ZOOID_NODE_EXISTS");
    t.is(await codeOf(one.create("/no/parent")), "ZOOID_NO_NODE");
    t.is(await codeOf(one.get("/none")), "ZOOID_NO_NODE");
    t.is(await codeOf(one.get("none")), "ZOOID_BAD_ARGUMENTS");
    t.is(await codeOf(one.set("/a", new Uint8Array(1_048_576))), "ZOOID_BAD_ARGUMENTS");
    t.is((await one.exists("/none")).stat, undefined);
    const numbered = await one.create("/a/", "x", { sequential: true, ephemeral: true });
    t.is(numbered.path, "/a/0000000000");
    t.is(await codeOf(one.create("/a/0000000000/b")), "ZOOID_NO_CHILDREN_FOR_EPHEMERALS");
    t.deepEqual((await one.children("/a")).children, ["0000000000"]);
    await Promise.all(["x", "y", "z"].map((name) => one.create(`/a/${name}`)));
    const pages: number[] = [];
    const paged: string[] = [];
    for await (const { children, stat } of one.childrenPages("/a", { size: 3 })) {
      pages.push(children.length);
      paged.push(...children);
      t.is(stat.numChildren, 4);
    }
    t.deepEqual(pages, [3, 1]);
    t.deepEqual(paged.toSorted(), ["0000000000", "x", "y", "z"]);
    t.is(await codeOf(one.childrenPages("/absent").next()), "ZOOID_NO_NODE");
    await Promise.all(["x", "y", "z"].map((name) => one.delete(`/a/${name}`)));
    t.is(await codeOf(one.delete("/a")), "ZOOID_NOT_EMPTY");
    await one.delete("/a/0000000000");
    await one.delete("/a", { version: 1 });
    t.is((await one.exists("/a")).stat, undefined);
  },
);

test.serial("values up to the limit pass a nats-server with its default limit", async (t) => {
  const { url } = t.context;
  const one = await client(t, url);
  const value = new Uint8Array(1_048_500).fill(65);
  await one.create("/large", value);
  const changes = firstValueFrom(one.changes("/large"));
  await one.set("/large", value.fill(66));
  t.deepEqual((await one.get("/large")).data, value);
  const change = await changes;
  t.is(change.kind === "data" ? change.data?.length : undefined, value.length);
});

test.serial("an ephemeral node goes when its client closes, and others hear of it", async (t) => {
  const { url } = t.context;
  const [one, two] = [await client(t, url), await client(t, url)];
  await two.create("/lock", null, { ephemeral: true });
  await one.sync();
  const gone = firstValueFrom(one.changes("/lock").pipe(filter(({ kind }) => kind === "deleted")));
  await two.close();
  t.like(await gone, { path: "/lock" });
});

test.serial(
  "what was asked at once is done in order, and a read sees the client's own writes",
  async (t) => {
    const { url } = t.context;
    const one = await client(t, url);
    await one.create("/order");
    const rounds = Array.from({ length: 300 }, (_, index) => index);
    const seen = await Promise.all(
      rounds.map(async (index) => {
        void one.set("/order", String(index));
        return read((await one.get("/order")).data);
      }),
    );
    t.deepEqual(seen, rounds.map(String));
  },
);

test.serial(
  "when a client's own node dies it goes on with its session at another, its stream without a gap",
  async (t) => {
    const { url, nodes: running } = await nodes(t, 3);
    const one = await client(t, url);
    await one.create("/ephemeral", null, { ephemeral: true });
    await one.create("/a");
    const { session, server = 0 } = await reaches(one, "connected");
    const heard = firstValueFrom(one.changes("/a").pipe(take(200), toArray()));
    const two = await client(t, url);
    const writing = (async () => {
      for (let index = 0; index < 200; index += 1) {
        if (index === 50) running.get(server)?.kill("SIGKILL");
        // Done twice, or not at all, it would be refused, or the next one would.
        await two.set("/a", String(index), { version: index });
      }
    })();
    // A write that fails ends the wait.
    await Promise.race([running.get(server)?.exited, writing]);
    const after = await firstValueFrom(
      one.state$.pipe(
        filter(
          (state): state is Connected => state.kind === "connected" && state.server !== server,
        ),
      ),
    );
    t.is(after.session, session);
    await writing;
    const changes = await heard;
    t.deepEqual(
      changes.map((each) => (each.kind === "data" ? read(each.data ?? null) : each.kind)),
      Array.from({ length: 200 }, (_, index) => String(index)),
    );
    t.not((await one.exists("/ephemeral")).stat, undefined);
  },
);

test.serial("a stream is resumed from a zxid at another node, by another client", async (t) => {
  const { url } = await nodes(t, 3);
  const one = await client(t, url);
  await one.create("/a");
  const from = (await one.get("/a")).zxid;
  for (let index = 0; index < 10; index += 1) await one.set("/a", String(index));
  for (let number = 0; number < 3; number += 1) {
    const other = await client(t, url);
    const changes = await firstValueFrom(other.changes("/a", { from }).pipe(take(10), toArray()));
    t.deepEqual(
      changes.map((change) => (change.kind === "data" ? change.stat.version : change.kind)),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
  }
});

test.serial("a restart of the nats-server costs no session and no change", async (t) => {
  const { url, nats } = await nodes(t, 1);
  const one = await client(t, url);
  await one.create("/ephemeral", null, { ephemeral: true });
  await one.create("/a");
  const { session } = await reaches(one, "connected");
  const heard = firstValueFrom(one.changes("/a").pipe(take(2), toArray()));
  await one.set("/a", "before");
  await nats.kill();
  await reaches(one, "reconnecting");
  const waiting = one.set("/a", "after");
  const again = await startNatsServer({ port: nats.port });
  t.teardown(again.stop);
  await waiting;
  t.is((await reaches(one, "connected")).session, session);
  t.not((await one.exists("/ephemeral")).stat, undefined);
  t.deepEqual(
    (await heard).map((each) => (each.kind === "data" ? read(each.data ?? null) : each.kind)),
    ["before", "after"],
  );
});

test.serial("the project's nats.conf lets its client user use an ensemble", async (t) => {
  const { url } = await nodes(t, 1, await projectNatsConfig());
  const one = await client(t, url.replace("//", "//client:change-me-client@"));
  await one.create("/a", "x");
  const changed = firstValueFrom(one.changes("/a"));
  await one.set("/a", "y");
  t.is((await changed).kind, "data");
});

test.serial("connect says what is missing: the nats-server, or the nodes", async (t) => {
  const nats = await startNatsServer();
  const noNodes = await t.throwsAsync(connect(nats.url, { connectTimeoutMs: 5000 }));
  t.regex(noNodes.message, /no node of this ensemble/);
  await nats.stop();
  const noServer = await t.throwsAsync(connect(nats.url));
  t.true(noServer.message.includes(nats.url), noServer.message);
  t.is(await codeOf(connect("http://localhost")), "ZOOID_BAD_ARGUMENTS");
});

test.serial("the example follows its configuration node", async (t) => {
  const { url } = t.context;
  const example = new Child({
    command: process.execPath,
    args: ["--conditions=source", "examples/watch-config.ts", url],
    cwd: CHECKOUT,
  });
  t.teardown(() => example.stop());
  await example.line(/^now: greeting=hello$/);
  const one = await client(t, url);
  await one.set("/config", "greeting=moin");
  await example.line(/^changed: greeting=moin$/);
  await one.delete("/config");
  await example.exited;
  t.is(example.output(), "now: greeting=hello\nchanged: greeting=moin");
});
