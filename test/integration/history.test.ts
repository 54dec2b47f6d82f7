/**
 * A node that runs tells of its past while it is written to, cuts snapshots and purges its log; and a wrong delete is undone by what it tells.
 * What operators do is done here by the command line's own commands.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import { askAdmin } from "../support/admin.ts";
import { run } from "../support/console.ts";
import { until } from "../support/until.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import {
  auth,
  create,
  createContainer,
  getAcl,
  getData,
  multi,
  remove,
  setAcl,
  setData,
} from "../support/zookeeper-client/operations.ts";
import { startZooid, type ZooidNode } from "../support/zooid.ts";
import { runZooid } from "../support/zooid-command.ts";

type Shared = {
  readonly folder: string;
  readonly node: ZooidNode;
  readonly url: string;
  /** The flags by which a command asks the admin server. */
  readonly remote: readonly string[];
  readonly client: ZkClient;
};
const test = anyTest as TestFn<Shared>;

const TOKEN = "0123456789abcdef0123456789abcdef";

/** Stops whatever was started, the last first. */
const started = new AsyncDisposableStack();

test.before(async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "zooid-history-"));
  started.defer(() => rmSync(folder, { recursive: true, force: true }));
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, TOKEN);
  const admin = [
    ...["admin.serverPort=0", `zooid.adminTokenFile=${tokenFile}`],
    ...["zooid.adminWrites=true", "znode.container.checkIntervalMs=200"],
  ];
  const lines = [...admin, "zooid.snapshotEveryBytes=65536", "tickTime=5000"];
  const node = await startZooid({ folder, lines });
  started.defer(() => node.stop());
  const client = await ZkClient.connect({ port: node.port, timeoutMs: 60_000 });
  started.defer(() => client.close());
  const url = await node.adminUrl();
  const remote = ["--admin", url, "--token-file", tokenFile];
  t.context = { folder, node, url, remote, client };
});

test.after.always(() => started.disposeAsync());

type Json = Readonly<Record<string, unknown>>;

async function ask(url: string, path: string): Promise<Json & { readonly status: number }> {
  const { status, text } = await askAdmin(url, `/api/v1/${path}`, TOKEN);
  return { ...(JSON.parse(text) as Json), status };
}

/** The past ends with what trees have reported that they have applied, which they do now and then. */
async function untilKnown(url: string, zxid: bigint): Promise<void> {
  const isKnown = async (): Promise<boolean> =>
    BigInt(String((await ask(url, "span"))["to"])) >= zxid;
  await until(isKnown, `the past reaches ${hex(zxid)}`);
}

function hex(zxid: bigint): string {
  return `0x${zxid.toString(16)}`;
}

/** Written again and again, so that segments of the log are filled, and purged when there are two snapshots behind them. */
const FILLING = Buffer.alloc(900_000, "f");
const FILLED_MAX = 200;

test.serial(
  "what is told of the past is what was written, while snapshots are cut and the log is purged",
  async (t) => {
    const { url, client } = t.context;
    await client.request(create("/counter", "0"));
    await client.request(create("/filled"));
    /** Each value of the counter, with the zxid since which it has it. */
    const written: (readonly [zxid: bigint, value: string])[] = [];
    let isPurged = false;
    const writing = (async () => {
      for (let count = 1; !isPurged && count < FILLED_MAX; count += 1) {
        const { zxid } = await client.request(setData("/counter", String(count)));
        written.push([zxid, String(count)]);
        await client.request(setData("/filled", FILLING));
      }
    })();
    let asked = 0;
    // On a machine with other work the log is purged before anything could be asked: then it is asked of what is left.
    while (!isPurged || asked === 0) {
      const span = await ask(url, "span");
      t.is(span.status, 200, JSON.stringify(span["error"]));
      const begin = BigInt(String(span["from"]));
      isPurged = begin > 0n || written.length >= FILLED_MAX;
      const last = BigInt(String(span["to"]));
      const kept = written.filter(([zxid]) => zxid >= begin && zxid <= last);
      const [zxid, value] = kept[(asked * 7) % Math.max(1, kept.length)] ?? [];
      if (zxid === undefined) continue;
      const then = await ask(url, `znode-at?path=/counter&zxid=${hex(zxid)}`);
      // It may have been purged since, which is said.
      if (then.status === 410) continue;
      t.deepEqual([then.status, then["text"]], [200, value], JSON.stringify(then["error"]));
      asked += 1;
    }
    await writing;
    t.true(asked > 0);
    t.true(written.length < FILLED_MAX, "the log was purged");

    await untilKnown(url, written.at(-1)?.[0] ?? 0n);
    const history = await ask(url, "history?path=/counter&limit=500");
    const begin = BigInt(String((history["known"] as Json)["from"]));
    const kept = written.filter(([zxid]) => zxid > begin);
    const changes = (history["changes"] as readonly Json[]).map(({ zxid, base64 }) => [
      BigInt(String(zxid)),
      Buffer.from(String(base64), "base64").toString(),
    ]);
    t.deepEqual(
      changes.toReversed(),
      kept.map((each) => [...each]),
    );
    const gone = await ask(url, `znode-at?path=/counter&zxid=${hex(begin - 1n)}`);
    t.deepEqual([gone.status, (gone["error"] as Json)["code"]], [410, "ZOOID_ZXID_GONE"]);
  },
);

const APP: Readonly<Record<string, string>> = {
  "/app": "",
  "/app/db": "primary",
  "/app/db/url": "postgres://db1",
  "/app/flags": "\u{2713}",
};

test.serial("a wrong delete of a subtree is undone by looking back", async (t) => {
  const { folder, node, url, remote, client } = t.context;
  for (const [path, value] of Object.entries(APP)) await client.request(create(path, value));
  const paths = Object.keys(APP).toReversed();
  const { zxid } = await client.request(multi(...paths.map((path) => remove(path))));
  await untilKnown(url, zxid);

  const local = ["--data-dir", join(folder, "data"), "--server", `127.0.0.1:${node.port}`];
  const history = await runZooid("history", "-R", "/app", "--json", ...local);
  t.is(history.code, 0, history.stderr);
  t.regex(history.stderr, /what is kept begins at 0x/);
  const changes = history.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Json);
  const deleted = changes.filter(({ kind }) => kind === "deleted");
  t.deepEqual(
    deleted.map(({ path }) => path),
    paths.toReversed(),
  );
  const session = hex(client.grant.sessionId);
  for (const { by } of deleted) {
    t.like(by as Json, { operation: "multi", session, address: "127.0.0.1", node: 1 });
  }

  const before = hex(BigInt(String(deleted[0]?.["zxid"])) - 1n);
  const diff = await run(["diff", before, String(deleted[0]?.["zxid"]), "/", ...remote]);
  t.deepEqual([diff.code, diff.stderr], [0, ""]);
  t.deepEqual(
    diff.stdout
      .trim()
      .split("\n")
      .map((line) => line.split(" ").slice(0, 2).join(" ")),
    Object.keys(APP).map((path) => `deleted ${path}`),
  );
  for (const [path, value] of Object.entries(APP)) {
    const then = await ask(url, `znode-at?path=${path}&zxid=${before}`);
    t.is(then["text"], value);
    await client.request(create(path, Buffer.from(String(then["base64"]), "base64")));
  }
  const listed = await run(["at", before, "ls", "/app", ...remote]);
  t.deepEqual([listed.code, listed.stdout], [0, "db\nflags\n"]);
  const bookkeeping = await run(["at", before, "stat", "/app/db/url", "--json", ...remote]);
  t.like(JSON.parse(bookkeeping.stdout), { path: "/app/db/url", stat: { dataLength: 14 } });
  const found = await run(["find", "/app", "--value", "//db1", "--at", before, ...remote]);
  t.deepEqual([found.code, found.stdout], [0, '/app/db/url "postgres://db1"\n'], found.stderr);
  const nothing = await run(["find", "--pattern", "/app/**/flag", ...remote]);
  t.deepEqual([nothing.code, nothing.stdout], [0, ""], nothing.stderr);
  const got = await runZooid("at", before, "get", "/app/db/url", ...local);
  t.deepEqual([got.code, got.stdout, got.stderr], [0, "postgres://db1", ""]);
  const reply = await client.request(getData("/app/flags"));
  t.is(reply.code, 0);
});

/** Who knows ann's secret. */
const ANN = `ann:${createHash("sha1").update("ann:secret").digest("base64")}`;

test.serial(
  "what is gone is made again as it was, with its list and its lifetime, and what is there stays",
  async (t) => {
    const { node, url, client } = t.context;
    const acl = [
      { perms: 1, scheme: "world", id: "anyone" },
      { perms: 31, scheme: "digest", id: ANN },
    ];
    const shut = acl.slice(1);
    await client.request(create("/back", "then"));
    await client.request(createContainer("/back/jobs"));
    await client.request(create("/back/listed", "x"));
    await client.request(setAcl("/back/listed", acl));
    await client.request(create("/back/shut", "x"));
    await client.request(setAcl("/back/shut", shut));
    const { zxid: before } = await client.request(create("/back/stays", "then"));
    const gone = ["/back/jobs", "/back/listed", "/back/shut"];
    await client.request(multi(...gone.map((path) => remove(path))));
    await client.request(setData("/back/stays", "today"));
    const bringBack = async (body: object, token = TOKEN): Promise<Json> => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const asked = { method: "POST", headers, body: JSON.stringify(body) };
      const answer = await fetch(`${url}/api/v1/bring-back`, asked);
      return { ...((await answer.json().catch(() => ({}))) as Json), status: answer.status };
    };
    const body = { path: "/back", zxid: hex(before) };
    t.is((await bringBack(body, "a-token-of-somebody-else"))["status"], 401);
    t.is((await bringBack({ path: "/back" }))["status"], 400);
    t.is((await bringBack({ ...body, path: "/nowhere" }))["status"], 404);
    t.is((await bringBack({ ...body, after: "/back" }))["status"], 400);
    t.like(await bringBack(body), { status: 200, made: 2, present: 2, left: [], closed: 1 });
    t.like(await bringBack(body), { status: 200, made: 0, present: 4, zxid: null });
    t.like(await ask(url, "znode?path=/back/stays"), { text: "today" });
    t.is((await ask(url, "znode?path=/back/shut")).status, 404);
    // Its owner sees the hash that nobody else is shown.
    const ann = await ZkClient.connect({ port: node.port, timeoutMs: 60_000 });
    await ann.request(auth("digest", "ann:secret"));
    const { text } = await ann.request(getAcl("/back/listed"));
    await ann.close();
    t.true(text.map(String).join("").includes(ANN));
    t.false(JSON.stringify(await ask(url, "znode?path=/back/listed")).includes(ANN));
    // Containers come back as such: this one goes when its last child has gone.
    await client.request(create("/back/jobs/one"));
    await client.request(remove("/back/jobs/one"));
    await until(
      async () => (await ask(url, "znode?path=/back/jobs")).status === 404,
      "the container is gone",
    );
  },
);

test.serial("nothing is told of the past of a znode that is closed today", async (t) => {
  const { url, client } = t.context;
  const { zxid: from } = await client.request(create("/then"));
  for (const name of ["a", "b"]) await client.request(create(`/then/${name}`, "x"));
  const { zxid: open } = await client.request(create("/then/gone", "x"));
  const ann = [{ perms: 31, scheme: "digest", id: "ann:QmFzZTY0IG9mIFNIQTE=" }];
  for (const name of ["a", "b"]) await client.request(setAcl(`/then/${name}`, ann));
  const { zxid: to } = await client.request(remove("/then/gone"));
  await untilKnown(url, to);
  // Another lane's tree may come to it later.
  const isClosed = async (): Promise<boolean> =>
    (await ask(url, "znode?path=/then/b")).status === 403;
  await until(isClosed, "the admin server's own client finds it closed");

  const paths = async (query: string): Promise<readonly unknown[]> =>
    ((await ask(url, query))["changes"] as readonly Json[]).map(({ path }) => path);
  const all = await paths("history?path=/then&recursive=true");
  t.deepEqual(all, ["/then/gone", "/then/gone", "/then"]);
  t.deepEqual(await paths("history?path=/then/a"), []);
  const diff = `diff?path=/then&from=${hex(from - 1n)}&to=${hex(open)}`;
  // What does not exist today goes by the list that it had.
  t.deepEqual(await paths(diff), ["/then", "/then/gone"]);
  const page = await ask(url, `${diff}&limit=2`);
  t.false(JSON.stringify(page).includes("/then/a"));
  t.deepEqual(await paths(`${diff}&limit=2&after=${String(page["next"])}`), ["/then/gone"]);
  for (const name of ["znode-at", "children-at"]) {
    const answer = await ask(url, `${name}?path=/then/a&zxid=${hex(open)}`);
    t.deepEqual([answer.status, (answer["error"] as Json)["code"]], [403, "ZOOID_NO_AUTH"], name);
    t.is((await ask(url, `${name}?path=/then/gone&zxid=${hex(open)}`)).status, 200, name);
  }
  // Names are there for whoever may list them.
  const { children } = await ask(url, `children-at?path=/then&zxid=${hex(open)}`);
  const names = (children as readonly Json[]).map(({ name }) => name);
  t.deepEqual(names, ["a", "b", "gone"]);
});

test.serial("what is asked wrongly is answered with a code", async (t) => {
  const wrong: readonly (readonly [string, number, string])[] = [
    ["history?path=a", 400, "ZOOID_BAD_ARGUMENTS"],
    ["history?path=/&order=random", 400, "ZOOID_BAD_ARGUMENTS"],
    ["history?path=/&limit=501", 400, "ZOOID_BAD_ARGUMENTS"],
    ["history?path=/&after=0x1", 400, "ZOOID_BAD_ARGUMENTS"],
    ["history?path=/nowhere", 404, "ZOOID_NO_HISTORY"],
    ["znode-at?path=a&zxid=0x100000001", 400, "ZOOID_BAD_ARGUMENTS"],
    ["znode-at?path=/", 400, "ZOOID_BAD_ARGUMENTS"],
    ["znode-at?path=/&zxid=0x0", 410, "ZOOID_ZXID_GONE"],
    ["children-at?path=/&zxid=0xffffffffff", 404, "ZOOID_ZXID_AHEAD"],
    ["diff?from=0x2&to=0x1", 400, "ZOOID_BAD_ARGUMENTS"],
    ["diff?from=0x1&to=0x2&after=/a", 400, "ZOOID_BAD_ARGUMENTS"],
    ["find", 400, "ZOOID_BAD_ARGUMENTS"],
    ["find?pattern=a", 400, "ZOOID_BAD_ARGUMENTS"],
    ["find?hex=abc", 400, "ZOOID_BAD_ARGUMENTS"],
    ["find?hex=ab&value=x", 400, "ZOOID_BAD_ARGUMENTS"],
    ["find?value=", 400, "ZOOID_BAD_ARGUMENTS"],
    ["find?pattern=/**&after=0x1", 400, "ZOOID_BAD_ARGUMENTS"],
    ["find?pattern=/**&path=/nowhere", 404, "ZOOID_NO_NODE"],
    ["find?pattern=/**&zxid=0x0", 410, "ZOOID_ZXID_GONE"],
  ];
  for (const [path, status, code] of wrong) {
    const answer = await ask(t.context.url, path);
    t.deepEqual([answer.status, (answer["error"] as Json)["code"]], [status, code], path);
  }
});

test.serial("no web page of somebody else's asks for the past", async (t) => {
  const headers = { origin: "http://evil.example", authorization: `Bearer ${TOKEN}` };
  const { status } = await fetch(`${t.context.url}/api/v1/span`, { headers });
  t.is(status, 403);
});

test.serial("a command says why it has no answer", async (t) => {
  const { folder, node, url, remote } = t.context;
  const local = ["--data-dir", join(folder, "data"), "--server", `127.0.0.1:${node.port}`];
  const ended = await Promise.all([
    run(["at", "0xfffffffff", "ls", "/", ...remote]),
    run(["diff", "0x1", "now"]),
    run(["at", "0x1", "set", "/"]),
    run(["history", "/app"]),
    run(["find", ...remote]),
    run(["find", "--hex", "abc", ...remote]),
    run(["find", "--pattern", "app", ...remote]),
    run(["history", "/app", "--admin", "http://127.0.0.1:1"]),
    run(["history", "/app", "--admin", url]),
    run(["history", "", ...remote]),
    runZooid("at", "0x1", "stat", "/", ...local),
    runZooid("history", "/nowhere", ...local),
    runZooid("history", "/app", "--data-dir", join(folder, "data"), "--server", "127.0.0.1:1"),
  ]);
  t.deepEqual(
    ended.map(({ code }) => code),
    [4, 2, 2, 2, 2, 2, 2, 6, 5, 2, 4, 3, 6],
  );
  const said = [
    /0xfffffffff is ahead: the last zxid that is known is 0x1/,
    /to now: it is a zxid such as/,
    /knows ls, get, stat, not set/,
    /say where the past is read: --data-dir/,
    /say what to find: --pattern/,
    /two hexadecimal digits for each/,
    /begins with \//,
    /http:\/\/127.0.0.1:1 does not answer/,
    /asks who you are\n {2}--token-file names the file/,
    /a path is not empty/,
    /0x1 is no longer kept: what is kept begins at 0x1/,
    /there was no \/nowhere from 0x1/,
    /only that node knows what of it is committed/,
  ];
  for (const [index, { stderr }] of ended.entries()) t.regex(stderr, said[index] ?? /nothing/);
});

test.serial("the folder of a node that was stopped tells the same", async (t) => {
  const { folder, node, client } = t.context;
  await client.close();
  await node.stop();
  const { code, stdout, stderr } = await runZooid(
    ...["history", "/app/db/url", "--data-dir", join(folder, "data"), "--limit", "1"],
  );
  t.is(code, 0, stderr);
  t.regex(
    stdout,
    /^0x1\w{8} \d{4}-.* created \/app\/db\/url "postgres:\/\/db1" version=0 bytes=14 /,
  );
});
