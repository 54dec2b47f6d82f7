/**
 * ClickHouse Keeper's operations, asked of a follower of an ensemble of three by a client that is written from the description of Keeper's
 * format. What is expected is what Keeper's sources say (docs/operations/clickhouse.md); no Keeper can be asked here.
 */
import { once } from "node:events";
import { connect } from "node:net";
import anyTest, { type TestFn } from "ava";
import { Code } from "../../protocol/codes.ts";
import {
  checkNotExists,
  checkStat,
  createIfNotExists,
  filteredList,
  ListType,
  listRecursive,
  listWithStatsAndData,
  removeRecursive,
  tryRemove,
  withEntries,
} from "../support/keeper-operations.ts";
import { startFollower, type Server } from "../support/pair.ts";
import { connectFrame, type ConnectOptions, ZkClient } from "../support/zookeeper-client/client.ts";
import {
  create,
  create2,
  exists,
  getChildren,
  getData,
  Mode,
  multi,
  multiRead,
  type Operation,
  ping,
  setData,
} from "../support/zookeeper-client/operations.ts";

const test = anyTest as TestFn<{ client: ZkClient }>;
let server: Server | undefined;

test.before(async () => {
  server = await startFollower();
});

test.after.always(() => server?.stop());

test.beforeEach(async (t) => {
  t.context.client = await open();
});

test.afterEach.always((t) => t.context.client.close());

function open(options: Partial<ConnectOptions> = {}): Promise<ZkClient> {
  if (server === undefined) throw new Error("the ensemble has not started");
  return ZkClient.connect({ host: server.host, port: server.port, ...options });
}

/** What is answered: the body, or the code of an error. */
async function ask(client: ZkClient, ...operations: readonly Operation[]): Promise<string[]> {
  const replies = await client.pipeline(operations);
  return replies.map(({ code, text }) => (code === 0 ? text.map(String).join("") : `${code}`));
}

const ephemeral = { mode: Mode.ephemeral };

test("a client finds what the server can do, and a list of the root does not show where", async (t) => {
  const { client } = t.context;
  const [flags, version, absent, children] = await ask(
    client,
    getData("/keeper/feature_flags"),
    getData("/keeper/api_version"),
    exists("/keeper/other"),
    getChildren("/"),
  );
  // The two bytes of the flags are no text.
  t.true(flags?.startsWith('"\ufffd\ufffd" '));
  t.true(version?.startsWith('"3" '));
  t.is(absent, `${Code.noNode}`);
  t.notRegex(children ?? "", /[[ ]keeper/);
});

test("createIfNotExists makes a node once, and checkNotExists tells whether it is there", async (t) => {
  const { client } = t.context;
  t.deepEqual(
    await ask(
      client,
      checkNotExists("/cine"),
      createIfNotExists("/cine", "1"),
      createIfNotExists("/cine", "2"),
      checkNotExists("/cine"),
      checkNotExists("/cine", 7),
      createIfNotExists("/cine/absent/x"),
      createIfNotExists("/cine/s-", "", { mode: Mode.persistentSequential }),
    ),
    ["ok", "/cine", "/cine", `${Code.nodeExists}`, "ok", `${Code.noNode}`, `${Code.badArguments}`],
  );
  const [data] = await ask(client, getData("/cine"));
  t.regex(data ?? "", /1/);
});

test("removeRecursive keeps to its limit, also in a multi that fails behind it", async (t) => {
  const { client } = t.context;
  const make = ["/rr", "/rr/a", "/rr/a/b", "/rr/c"].map((path) => create(path));
  await ask(client, ...make, create("/rr/e", "", ephemeral));
  t.deepEqual(
    await ask(
      client,
      removeRecursive("/rr", 4),
      withEntries(multi(removeRecursive("/rr", 5), create("/rr"), create("/rr"))),
      listRecursive("/rr", 100),
      withEntries(multi(checkNotExists("/rr/x"), removeRecursive("/rr/a", 2), tryRemove("/rr/c"))),
      listRecursive("/rr", 100),
      removeRecursive("/rr", -1),
      removeRecursive("/rr", 0),
      exists("/rr"),
    ),
    [
      `${Code.notEmpty}`,
      `-1:0(0); -1:0(0); -1:${Code.nodeExists}(${Code.nodeExists})`,
      "[/rr/a /rr/c /rr/e /rr/a/b]",
      "501:0; 503:0; 505:0",
      "[/rr/e]",
      "ok",
      "ok",
      `${Code.noNode}`,
    ],
  );
});

test("tryRemove and checkStat", async (t) => {
  const { client } = t.context;
  t.deepEqual(
    await ask(
      client,
      create("/try"),
      create("/try/a"),
      checkStat("/try", { version: 0, numChildren: 1, dataLength: 0 }),
      checkStat("/try", { numChildren: 2 }),
      checkStat("/try", {}, 3),
      checkStat("/absent", {}),
      tryRemove("/try"),
      tryRemove("/try/a", 4),
      getChildren("/try"),
      tryRemove("/try/a", 0),
      tryRemove("/try/a"),
      tryRemove("/try"),
      exists("/try"),
    ),
    [
      ...["/try", "/try/a", "ok", `${Code.badVersion}`, `${Code.badVersion}`, `${Code.noNode}`],
      ...["ok", "ok", "[a]", "ok", "ok", "ok", `${Code.noNode}`],
    ],
  );
});

test("lists of one sort, and with Stats and data", async (t) => {
  const { client } = t.context;
  await ask(client, create("/ls"), create("/ls/p", "1"), create("/ls/e", "2", ephemeral));
  t.deepEqual(
    await ask(
      client,
      setData("/ls/p", "3"),
      filteredList("/ls", ListType.all),
      filteredList("/ls", ListType.persistent),
      filteredList("/ls", ListType.ephemeral),
      listWithStatsAndData("/ls"),
      listWithStatsAndData("/ls", { type: ListType.persistent, withStat: false }),
      listWithStatsAndData("/ls", { withData: false, withStat: false }),
      listWithStatsAndData("/ls/p"),
      listRecursive("/ls", 1),
      filteredList("/absent", ListType.all),
    ).then((answers) => answers.slice(1)),
    [
      "[e p] numChildren=2",
      "[p] numChildren=2",
      "[e] numChildren=2",
      "[e=2@0 p=3@1] 2 2",
      "[p=3] 0 1",
      "[e p] 0 0",
      "[] 0 0",
      "[/ls/p]",
      `${Code.noNode}`,
    ],
  );
});

test("the watch of a list with data hears of another's change of the data of a child", async (t) => {
  const { client } = t.context;
  const other = await open();
  await ask(client, create("/w"), create("/w/a"), create("/w/a/b"));
  await other.barrier();
  await ask(client, listWithStatsAndData("/w", { watch: true }));
  await ask(other, setData("/w/a/b", "deeper"), setData("/w/a", "x"), setData("/w/a", "y"));
  await client.barrier();
  t.deepEqual(
    (await client.events(1)).map(({ type, path }) => ({ type, path })),
    [{ type: 4, path: "/w" }],
  );
  await ask(client, filteredList("/w", ListType.all, true));
  await ask(other, setData("/w/a", "z"), create("/w/c"));
  t.deepEqual((await client.events(2)).at(-1)?.path, "/w");
  await client.barrier();
  t.is((await client.events(2)).length, 2);
  await other.close();
});

test("a multiRead of a client of Keeper's takes more kinds of reads, and leaves watches", async (t) => {
  const { client } = t.context;
  await ask(client, create("/mr", "1"), create("/mr/a"), getData("/keeper/feature_flags"));
  const reads = multiRead(
    getData("/mr", true),
    exists("/mr/absent"),
    exists("/mr"),
    getChildren("/mr"),
    filteredList("/mr", ListType.ephemeral),
    listWithStatsAndData("/mr"),
  );
  t.deepEqual(await ask(client, withEntries(reads)), [
    `4:0 1 version=0; -1:${Code.noNode}(${Code.noNode}); 3:0 version=0; 8:0 [a]; 12:0 [] numChildren=1; 506:0 [a=@0] 1 1`,
  ]);
  await ask(client, setData("/mr", "2"));
  t.is((await client.events(1))[0]?.path, "/mr");
  t.deepEqual(await ask(client, withEntries(multi(create2("/mr/c2")))), [
    "15:0 /mr/c2 numChildren=0",
  ]);
});

test("with version 11 of the protocol a session works as any other, and is attached again", async (t) => {
  const client = await open({ version: 11 });
  t.is(client.grant.protocolVersion, 11);
  t.is(client.grant.readOnly, undefined);
  t.deepEqual(
    await ask(client, create("/v11"), createIfNotExists("/v11"), exists("/v11/absent", true)),
    ["/v11", "/v11", `${Code.noNode}`],
  );
  await ask(client, create("/v11/absent"));
  t.is((await client.events(1))[0]?.path, "/v11/absent");
  t.deepEqual(await ask(client, ping()), ["ok"]);
  const { sessionId, password } = client.grant;
  await client.cut();
  const again = await open({ version: 11, sessionId, password });
  t.is(again.grant.sessionId, sessionId);
  await again.close();
});

for (const options of [
  { version: 10 },
  { version: 11, compressed: true },
  { version: 12 },
] as const) {
  test(`version ${options.version}${"compressed" in options ? " with compression" : ""} of the protocol is closed without an answer`, async (t) => {
    if (server === undefined) throw new Error("the ensemble has not started");
    const socket = connect({ host: server.host, port: server.port });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.write(connectFrame({ port: server.port, ...options }));
    await once(socket, "close");
    t.is(Buffer.concat(chunks).length, 0);
  });
}
