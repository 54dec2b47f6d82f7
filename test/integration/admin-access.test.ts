/**
 * Who may ask the admin server for what, and who may change what: every endpoint of the API, by the list of them, so that one that is added is asked too.
 * Real nodes, asked as programs and as web pages ask.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { PATH_LENGTH_MAX } from "../../protocol/limits.ts";
import { COMMANDS } from "../../server/admin/commands.ts";
import { type Endpoint, ENDPOINTS } from "../../server/admin/api/endpoints.ts";
import { launchNode } from "../../server/node.ts";
import type { RunningNode } from "../../server/running-node.ts";
import type { Fields } from "../support/admin.ts";
import { type Flags, memoryConfig, stopAll } from "../support/running-nodes.ts";

type Name = Endpoint["name"];
type Shared = {
  /** On loopback without a token; where others reach it, without one; with a token that may not write; with one that may. */
  readonly nodes: Readonly<Record<"own" | "open" | "reading" | "writing", RunningNode>>;
  readonly folder: string;
};
const test = anyTest as TestFn<Shared>;

const TOKEN = "0123456789abcdef0123456789abcdef";
const BEARER = { authorization: `Bearer ${TOKEN}` };
const JSON_TYPE = { "content-type": "application/json" };
/** Not the address of loopback that programs of this machine use, and on loopback nevertheless: a test lets nobody else in. */
const OTHER_ADDRESS = "127.0.0.2";
const started = new AsyncDisposableStack();

test.before(async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-access-"));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, TOKEN);
  const token = { "admin-token-file": tokenFile };
  const writes = { "admin-writes": "true", "admin-audit-file": join(folder, "audit.jsonl") };
  const launch = (name: string, flags: Flags): Promise<RunningNode> =>
    launchNode(memoryConfig({ "data-dir": join(folder, name), ...flags }));
  const launching = [
    launch("own", {}),
    launch("open", { "admin-address": "0.0.0.0" }),
    launch("reading", { ...token, "admin-address": "0.0.0.0" }),
    launch("writing", { ...token, ...writes, "admin-changes": "true" }),
  ];
  started.defer(() => stopAll(launching));
  const [own, open, reading, writing] = await Promise.all(launching);
  if (own === undefined || open === undefined) throw new Error("no nodes");
  if (reading === undefined || writing === undefined) throw new Error("no nodes");
  const nodes = { own, open, reading, writing };
  await Promise.all(Object.values(nodes).map((node) => node.ready));
  t.context = { nodes, folder };
});

test.after.always(() => started.disposeAsync());

type Headers = Readonly<Record<string, string | undefined>>;
type Told = { readonly status: number; readonly body: Fields; readonly headers: Fields };

type Ask = {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Headers;
  readonly body?: string;
  /** Default: the one of the node's URL. */
  readonly host?: string;
};

function ask(
  node: RunningNode,
  { path, method = "GET", headers = {}, body, host }: Ask,
): Promise<Told> {
  const { hostname, port } = new URL(node.adminUrl ?? "");
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const all = Object.entries({ ...length, ...headers }).filter(([, value]) => value !== undefined);
  const to = { host: host ?? hostname.replace("0.0.0.0", "127.0.0.1"), port, path, method };
  return new Promise((resolve, reject) => {
    const asked = request(
      { ...to, agent: false, headers: Object.fromEntries(all) as Record<string, string> },
      (response) => {
        const told = { status: response.statusCode ?? 0, headers: response.headers };
        if (response.headers["content-type"] === "text/event-stream") {
          response.destroy();
          resolve({ ...told, body: {} });
          return;
        }
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.once("end", () => {
          const isJson = response.headers["content-type"] === "application/json";
          resolve({ ...told, body: isJson ? (JSON.parse(text) as Fields) : { text } });
        });
      },
    );
    asked.once("error", reject);
    asked.end(body);
  });
}

function codeOf({ status, body }: Told): readonly unknown[] {
  return [status, (body["error"] as Fields | undefined)?.["code"]];
}

const READS = ENDPOINTS.filter(({ method }) => method === "GET");
const WRITES = ENDPOINTS.filter(({ method }) => method === "POST");

/** What each read is asked with, where it must be asked with something. */
const QUERIES: Partial<Record<Name, string>> = {
  session: "id=0x1",
  "session-ephemerals": "id=0x1",
  "znode-at": "path=/&zxid=0x0",
  "children-at": "path=/&zxid=0x0",
  diff: "from=0x0&to=0x0",
  find: "pattern=/*",
};

const pathOf = (name: Name): string => `/api/v1/${name}?${QUERIES[name] ?? ""}`;

/** What each write is asked with to change something at or below the path. A new one has to say that here. */
const BODIES: Readonly<Record<string, (path: string, zxid: string) => object>> = {
  create: (path) => ({ path: `${path}/made`, text: "secret value" }),
  set: (path) => ({ path, text: "secret value" }),
  delete: (path) => ({ path: `${path}/leaf` }),
  "delete-all": (path) => ({ path: `${path}/below`, znodes: 5 }),
  "bring-back": (path, zxid) => ({ path: `${path}/gone`, zxid }),
};

function write(
  node: RunningNode,
  name: string,
  body: object,
  headers: Headers = {},
): Promise<Told> {
  const sent = { ...JSON_TYPE, ...BEARER, ...headers };
  const text = JSON.stringify(body);
  return ask(node, { path: `/api/v1/${name}`, method: "POST", headers: sent, body: text });
}

function auditOf(folder: string): readonly Fields[] {
  const lines = readFileSync(join(folder, "audit.jsonl"), "utf8").trim().split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Fields);
}

/** Makes what the writes need below a path. Returns a zxid of a tree in which all of it was there. */
async function prepare(t: ExecutionContext<Shared>, path: string): Promise<string> {
  const { writing } = t.context.nodes;
  let zxid = "";
  for (const each of ["", "/leaf", "/below", "/below/one", "/gone", "/gone/child"]) {
    const made = await write(writing, "create", { path: path + each, text: "x" });
    t.is(made.status, 200, JSON.stringify(made.body));
    zxid = String(made.body["zxid"]);
  }
  t.is((await write(writing, "delete-all", { path: `${path}/gone`, znodes: 2 })).status, 200);
  return zxid;
}

/** All that a change at the path would change. */
async function treeOf(node: RunningNode, path = "/"): Promise<unknown> {
  const [count, znode] = await Promise.all(
    [`count?path=/`, `znode?path=${path}`].map((name) =>
      ask(node, { path: `/api/v1/${name}`, headers: BEARER }),
    ),
  );
  return [count?.body["znodes"], znode?.body["stat"], znode?.body["base64"]];
}

test.serial("each endpoint that changes something is known here", (t) => {
  t.deepEqual(Object.keys(BODIES).toSorted(), WRITES.map(({ name }) => name).toSorted());
});

test.serial(
  "without a token nobody but who is on the machine reads, and nobody writes",
  async (t) => {
    const { own, open } = t.context.nodes;
    const host = OTHER_ADDRESS;
    for (const { name } of READS) {
      t.deepEqual(
        codeOf(await ask(open, { path: pathOf(name), host })),
        [403, "ZOOID_NO_PROOF"],
        name,
      );
      const { status } = await ask(own, { path: pathOf(name) });
      t.true(status !== 401 && status !== 403, `${name}: ${status}`);
      // A node on loopback is not there for others.
      await t.throwsAsync(ask(own, { path: pathOf(name), host }), { code: "ECONNREFUSED" });
    }
    for (const { name } of WRITES) {
      const body = JSON.stringify(BODIES[name]?.("/none", "0x0") ?? {});
      const asked = { path: `/api/v1/${name}`, method: "POST", headers: JSON_TYPE, body };
      t.deepEqual(codeOf(await ask(open, { ...asked, host })), [403, "ZOOID_NO_PROOF"], name);
      t.deepEqual(codeOf(await ask(own, asked)), [403, "ZOOID_READ_ONLY"], name);
    }
    for (const { names, access } of COMMANDS) {
      const { status } = await ask(open, { path: `/commands/${names[0]}`, host });
      // What is told tells of no client and no znode.
      if (access === "open") t.not(status, 403, names[0]);
      else t.is(status, 403, names[0]);
    }
  },
);

test.serial(
  "who has not the token is told nothing, and who has one that may not write changes nothing",
  async (t) => {
    const { reading } = t.context.nodes;
    const host = OTHER_ADDRESS;
    const before = await treeOf(reading);
    for (const headers of [
      {},
      { authorization: `Bearer ${TOKEN}0` },
      { authorization: `Basic ${TOKEN}` },
    ]) {
      for (const { name } of READS) {
        t.is((await ask(reading, { path: pathOf(name), host, headers })).status, 401, name);
      }
      for (const { name } of WRITES) {
        const asked = {
          path: `/api/v1/${name}`,
          method: "POST",
          headers: { ...JSON_TYPE, ...headers },
        };
        t.is((await ask(reading, { ...asked, body: "{}", host })).status, 401, name);
      }
      for (const path of ["/metrics", ...COMMANDS.map(({ names }) => `/commands/${names[0]}`)]) {
        t.is((await ask(reading, { path, host, headers })).status, 401, path);
      }
    }
    for (const { name } of READS) {
      const { status } = await ask(reading, { path: pathOf(name), host, headers: BEARER });
      t.true(status !== 401 && status !== 403, `${name}: ${status}`);
    }
    for (const { name } of WRITES) {
      const body = BODIES[name]?.("/", "0x0") ?? {};
      t.deepEqual(codeOf(await write(reading, name, body)), [403, "ZOOID_READ_ONLY"], name);
    }
    for (const { names, access } of COMMANDS) {
      const { status } = await ask(reading, { path: `/commands/${names[0]}`, headers: BEARER });
      t.is(status === 403, access === "changing", names[0]);
    }
    t.deepEqual(await treeOf(reading), before);
  },
);

test.serial(
  "the audit log has every change with who, what, where and its zxid, and no value",
  async (t) => {
    const { nodes, folder } = t.context;
    const { writing } = nodes;
    const zxid = await prepare(t, "/audited");
    for (const { name } of WRITES) {
      const before = auditOf(folder).length;
      const body = (BODIES[name]?.("/audited", zxid) ?? {}) as Fields;
      const told = await write(writing, name, body);
      t.is(told.status, 200, `${name}: ${JSON.stringify(told.body)}`);
      const [asked, answered, ...others] = auditOf(folder).slice(before);
      t.deepEqual(others, [], name);
      const { path } = body;
      t.like(asked, { phase: "asked", what: name, path, who: "token", address: "127.0.0.1" }, name);
      t.like(answered, { phase: "answered", what: name, path, result: "done" }, name);
      t.is(asked?.["change"], answered?.["change"], name);
      t.regex(String(answered?.["zxid"]), /^0x[0-9a-f]+$/, name);
      t.is(answered?.["zxid"], told.body["zxid"], name);
      // What is refused by the tree is in it, too.
      const failed = await write(writing, name, { ...body, path: "/nowhere/at/all" });
      const code = (failed.body["error"] as Fields | undefined)?.["code"];
      if (failed.status === 200) continue;
      t.like(auditOf(folder).at(-1), { phase: "answered", what: name, result: code }, name);
    }
    t.false(readFileSync(join(folder, "audit.jsonl"), "utf8").includes("secret value"));
  },
);

test.serial(
  "a page of somebody else's changes nothing, whatever a browser lets it send",
  async (t) => {
    const { nodes, folder } = t.context;
    const { writing } = nodes;
    const zxid = await prepare(t, "/page");
    const before = [await treeOf(writing, "/page"), auditOf(folder).length];
    const own = writing.adminUrl ?? "";
    // The token stands for what a browser adds by itself, such as a certificate.
    const pages: readonly (readonly [status: number, headers: Headers])[] = [
      [403, { origin: "http://evil.example" }],
      [403, { origin: "null" }],
      [403, { origin: own.replace("127.0.0.1", "localhost") }],
      [403, { origin: own.replace(/\d+$/, "1") }],
      [403, { origin: own.replace("http:", "https:") }],
      [403, { "sec-fetch-site": "cross-site" }],
      [403, { "sec-fetch-site": "same-site" }],
      [415, { "content-type": "text/plain" }],
      [415, { "content-type": "application/x-www-form-urlencoded" }],
      [415, { "content-type": "multipart/form-data; boundary=x" }],
      [415, { "content-type": "text/plain; application/json" }],
      [415, { "content-type": undefined }],
      // Names that point here while a page is open: a browser asks by the name.
      ...["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhost."].map(
        (host) => [421, { host }] as const,
      ),
    ];
    for (const { name } of WRITES) {
      const body = BODIES[name]?.("/page", zxid) ?? {};
      for (const [status, headers] of pages) {
        const told = await write(writing, name, body, headers);
        t.is(told.status, status, `${name} ${JSON.stringify(headers)}`);
      }
      // No form's body is JSON by chance, and no image, script or link is a POST.
      const form = `${JSON.stringify(body)}=`;
      const text = { ...BEARER, "content-type": "text/plain" };
      const asked = { path: `/api/v1/${name}`, method: "POST", headers: text, body: form };
      t.is((await ask(writing, asked)).status, 415);
      t.is((await ask(writing, { path: `/api/v1/${name}`, headers: BEARER })).status, 404);
    }
    t.deepEqual([await treeOf(writing, "/page"), auditOf(folder).length], before);
  },
);

test.serial(
  "no page of somebody else's is let to read what is told, or asked beforehand",
  async (t) => {
    const { own } = t.context.nodes;
    const origin = { origin: "http://evil.example" };
    const allowsOther = (headers: Fields): boolean =>
      Object.keys(headers).some((name) => name.startsWith("access-control-"));
    for (const { name, method } of ENDPOINTS) {
      const preflight = { ...origin, "access-control-request-method": method };
      const asked = { path: pathOf(name), method: "OPTIONS", headers: preflight };
      const { status, headers } = await ask(own, asked);
      t.is(status, 405, name);
      t.false(allowsOther(headers), name);
    }
    for (const { name } of READS) {
      const { headers } = await ask(own, { path: pathOf(name), headers: origin });
      t.false(allowsOther(headers), name);
      t.is(headers["x-content-type-options"], "nosniff", name);
      t.is(headers["cache-control"], "no-store", name);
      for (const host of ["evil.example", "evil.example:8080", "127.0.0.1.evil.example"]) {
        t.is((await ask(own, { path: pathOf(name), headers: { host } })).status, 421, name);
      }
    }
  },
);

test.serial(
  "bodies that are too long, wrong or hostile change nothing, and the node goes on",
  async (t) => {
    const { nodes, folder } = t.context;
    const { writing } = nodes;
    const before = [await treeOf(writing), auditOf(folder).length];
    const raw = async (name: string, body: string, headers: Headers = {}): Promise<number> => {
      const all = { ...JSON_TYPE, ...BEARER, ...headers };
      return (await ask(writing, { path: `/api/v1/${name}`, method: "POST", headers: all, body }))
        .status;
    };
    const nested = "[".repeat(100_000);
    const wrong: readonly (readonly [status: number, body: string, headers?: Headers])[] = [
      [413, "x", { "content-length": String(1536 * 1024 + 1) }],
      [413, "x", { "content-length": "9007199254740993" }],
      [411, "x", { "content-length": undefined, "transfer-encoding": "chunked" }],
      [400, ""],
      [400, nested],
      [400, `${nested}${"]".repeat(100_000)}`],
      [400, `{"path":${nested}`],
      [400, "\u{feff}{}"],
      [400, '{"path":"/a","path":5}'],
      [400, '{"__proto__":{"path":"/a"}}'],
      [400, '{"constructor":{"prototype":{}}}'],
      [400, JSON.stringify({ path: `/${"x".repeat(PATH_LENGTH_MAX)}` })],
      [400, JSON.stringify({ path: "/a\0b" })],
      [400, JSON.stringify({ path: "/a/../b" })],
      [400, JSON.stringify({ path: "" })],
    ];
    for (const { name } of WRITES) {
      for (const [status, body, headers] of wrong) {
        t.is(await raw(name, body, headers), status, `${name}: ${body.slice(0, 60)}`);
      }
    }
    t.is(await raw("set", '{"path":"/","text":"x","version":1e999}'), 400);
    t.is(await raw("delete-all", '{"path":"/","znodes":1e999}'), 400);
    t.is(await raw("bring-back", '{"path":"/","zxid":"0xffffffffffffffff"}'), 400);
    t.deepEqual([await treeOf(writing), auditOf(folder).length], before);
    t.is((await ask(writing, { path: pathOf("access"), headers: BEARER })).status, 200);
  },
);
