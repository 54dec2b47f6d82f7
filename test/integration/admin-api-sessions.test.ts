/** What the JSON API tells of sessions: what they hold, what they watch, and how much comes from them. */
import anyTest, { type TestFn } from "ava";
import { SESSION_EPHEMERALS_PAGE } from "../../protocol/limits.ts";
import { MemoryDisk } from "../../runtime/testing/memory-disk.ts";
import { launchNode } from "../../server/node.ts";
import { askAdmin, type Fields } from "../support/admin.ts";
import { memoryConfig } from "../support/running-nodes.ts";
import { found, until } from "../support/until.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import {
  auth,
  create,
  exists,
  getChildren,
  remove,
} from "../support/zookeeper-client/operations.ts";

type Shared = { readonly client: ZkClient; readonly url: string };
const test = anyTest as TestFn<Shared>;
const started = new AsyncDisposableStack();

test.before(async (t) => {
  const node = await launchNode(memoryConfig({}), { inMemory: { disk: new MemoryDisk() } });
  started.defer(() => node.stop());
  await node.ready;
  const client = await ZkClient.connect({ port: node.clientPort ?? 0 });
  started.defer(() => client.close());
  t.context = { client, url: node.adminUrl ?? "" };
  // The node's own client has a session from the first znode on that is asked for.
  await ask(node.adminUrl ?? "", "znode?path=/");
});

test.after.always(() => started.disposeAsync());

async function ask(url: string, path: string): Promise<Fields & { readonly status: number }> {
  const { status, text } = await askAdmin(url, `/api/v1/${path}`);
  return { ...(JSON.parse(text) as Fields), status };
}

/** The row of the test's own client. Those who ask within a moment share a list, which may be of the time before. */
async function own(url: string, isMeant: (row: Fields) => boolean): Promise<Fields> {
  return await found(async () => {
    const { sessions } = await ask(url, "sessions?filter=127.0.0.1:&limit=1");
    return (sessions as readonly Fields[]).find(isMeant);
  }, "the row says so");
}

const NODES = [{ id: 1, isThis: true, answered: true, omitted: 0 }];

test.serial("a session is told with who it is, what it holds and what it watches", async (t) => {
  const { url, client } = t.context;
  await client.request(auth("digest", "ada:secret"));
  await client.request(create("/mine", "x", { mode: 1 }));
  for (const path of ["/mine", "/absent"]) await client.request(exists(path, true));
  await client.request(getChildren("/", true));
  const row = await own(url, ({ watches }) => watches === 3);
  const { session, address } = row;
  t.like(row, { node: 1, ephemerals: 1, watches: 3, outstanding: 0, lastOperation: "GETC" });
  t.deepEqual(row["identities"], ["digest:ada"]);
  t.true(Number(row["endsInMs"]) > 0 && Number(row["endsInMs"]) <= Number(row["timeoutMs"]));
  t.regex(String(address), /^127\.0\.0\.1:\d+$/);
  t.false(JSON.stringify(row).includes("secret"));
  const one = await ask(url, `session?id=${String(session)}`);
  t.like(one["session"], { session, node: 1, ephemerals: 1 });
  t.deepEqual(one["nodes"], NODES);
  t.deepEqual(one["watches"], [
    { path: "/mine", watches: "data" },
    { path: "/absent", watches: "data" },
    { path: "/", watches: "children" },
  ]);
  const watchers = await ask(url, "znode-watchers?path=/mine");
  t.deepEqual(watchers["watches"], [{ session, address, path: "/mine", watches: "data", node: 1 }]);
  t.deepEqual((await ask(url, "znode-watchers?path=/mine/below"))["watches"], []);
});

test.serial("sessions are found by a text, and come in the order that is asked for", async (t) => {
  const { url, client } = t.context;
  const { session } = await own(url, () => true);
  const list = async (query: string): Promise<Fields> => await ask(url, `sessions?${query}`);
  const all = await list("sort=watches");
  t.deepEqual(all["nodes"], NODES);
  const sessions = all["sessions"] as readonly Fields[];
  t.is(sessions[0]?.["session"], session);
  // The node's own client has one, too.
  t.true(sessions.length > 1);
  t.like(await list(`filter=${String(session).toUpperCase()}`), { matching: 1 });
  t.like(await list("filter=DIGEST:ada"), { matching: 1 });
  t.like(await list("filter=node%201&limit=1&skip=1"), { matching: sessions.length });
  t.like(await list(`ids=0x7,${String(session)}`), { matching: 1 });
  t.like(await list("filter=nobody"), { matching: 0, sessions: [] });
  for (const sort of ["ephemerals", "rate", "ends", "session"]) {
    t.is((await list(`sort=${sort}`))["matching"], sessions.length);
  }
  await until(async () => {
    await client.request(exists("/mine"));
    const row = ((await list("sort=rate"))["sessions"] as readonly Fields[])[0];
    return row?.["session"] === session && Number(row?.["perSecond"]) > 0;
  }, "the client that asks most is the first");
});

test.serial("the ephemerals of a session come by pages", async (t) => {
  const { url, client } = t.context;
  const many = Array.from({ length: SESSION_EPHEMERALS_PAGE }, (_, index) => `/many-${index}`);
  await Promise.all(many.map((path) => client.request(create(path, "", { mode: 1 }))));
  const isMeant = ({ ephemerals }: Fields): boolean => Number(ephemerals) > many.length;
  const { session } = await own(url, isMeant);
  const page = async (after = ""): Promise<Fields & { readonly status: number }> =>
    await ask(url, `session-ephemerals?id=${String(session)}${after}`);
  const first = await page();
  t.is((first["paths"] as readonly string[]).length, SESSION_EPHEMERALS_PAGE);
  t.is(first["left"], 1);
  t.like(await page(`&after=${String(first["next"])}`), {
    paths: [many.at(-1)],
    next: null,
    left: 0,
  });
  await client.request(remove(String(first["next"])));
  t.like(await page(`&after=${String(first["next"])}`), { status: 409 });
});

test.serial("what is asked wrongly of sessions is answered with a code", async (t) => {
  const { url } = t.context;
  const wrong: readonly (readonly [string, number, string])[] = [
    ["sessions?sort=age", 400, "ZOOID_BAD_ARGUMENTS"],
    ["sessions?ids=0x1,2", 400, "ZOOID_BAD_ARGUMENTS"],
    ["sessions?limit=501", 400, "ZOOID_BAD_ARGUMENTS"],
    ["sessions?limit=0", 400, "ZOOID_BAD_ARGUMENTS"],
    ["sessions?skip=-1", 400, "ZOOID_BAD_ARGUMENTS"],
    [`sessions?filter=${"x".repeat(257)}`, 400, "ZOOID_BAD_ARGUMENTS"],
    ["session", 400, "ZOOID_BAD_ARGUMENTS"],
    ["session?id=/a", 400, "ZOOID_BAD_ARGUMENTS"],
    ["session?id=0x1%20/a", 400, "ZOOID_BAD_ARGUMENTS"],
    ["session?id=0xffffffffffffff", 400, "ZOOID_BAD_ARGUMENTS"],
    ["session?id=0x7", 404, "ZOOID_NO_SESSION"],
    ["session-ephemerals?id=7", 400, "ZOOID_BAD_ARGUMENTS"],
    ["session-ephemerals?id=0x7&after=a", 400, "ZOOID_BAD_ARGUMENTS"],
    ["session-ephemerals?id=0x7&after=/a", 409, "ZOOID_PAGE_LOST"],
    ["znode-watchers?path=a", 400, "ZOOID_BAD_ARGUMENTS"],
  ];
  for (const [path, status, code] of wrong) {
    const told = await ask(url, path);
    t.deepEqual([told.status, (told["error"] as Fields)["code"]], [status, code], path);
  }
});
