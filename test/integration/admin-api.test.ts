/** The JSON API of three nodes' admin servers, asked over HTTP as a dashboard asks it. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { get, request } from "node:http";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import { ENDPOINTS } from "../../server/admin/api/endpoints.ts";
import { loadConfig } from "../../server/config/load.ts";
import type { RunningNode } from "../../server/running-node.ts";
import { askAdmin, type Fields } from "../support/admin.ts";
import { Events } from "../support/api-events.ts";
import { MemoryEnsemble } from "../support/running-nodes.ts";
import { found } from "../support/until.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, remove, setData } from "../support/zookeeper-client/operations.ts";

type Shared = {
  readonly nodes: readonly RunningNode[];
  readonly url: string;
  readonly client: ZkClient;
  readonly folder: string;
};
const test = anyTest as TestFn<Shared>;

const TOKEN = "0123456789abcdef0123456789abcdef";

/** The settings of the node through which znodes may be changed. */
function writing(folder: string): Readonly<Record<string, string>> {
  writeFileSync(join(folder, "token"), TOKEN);
  return {
    "admin-token-file": join(folder, "token"),
    "admin-writes": "true",
    "admin-audit-file": join(folder, "audit.jsonl"),
  };
}

/** Stops whatever was started, the last first. */
const started = new AsyncDisposableStack();

test.before(async (t) => {
  const ensemble = await MemoryEnsemble.launch((id, folder) => (id === "3" ? writing(folder) : {}));
  started.defer(() => ensemble.stop());
  const nodes = await ensemble.ready();
  const client = await ZkClient.connect({ port: nodes[0]?.clientPort ?? 0 });
  started.defer(() => client.close());
  t.context = { nodes, folder: ensemble.folder, client, url: nodes[0]?.adminUrl ?? "" };
});

test.after.always(() => started.disposeAsync());

/** The number of one that there is. */
async function aSession(url: string): Promise<string> {
  const { sessions } = (await ask(url, "sessions?limit=1")) as unknown as {
    readonly sessions: readonly Fields[];
  };
  return String(sessions[0]?.["session"]);
}

async function ask(url: string, path: string): Promise<Fields & { readonly status: number }> {
  const { status, text } = await askAdmin(url, `/api/v1/${path}`, TOKEN);
  return { ...(JSON.parse(text) as Fields), status };
}

test.serial("a znode is told with its value, its Stat and its list", async (t) => {
  const { url, client } = t.context;
  await client.request(create("/read", "caf\u{e9}"));
  await client.request(setData("/read", "more"));
  const told = await ask(url, "znode?path=/read");
  t.is(told.status, 200);
  t.deepEqual([told["text"], told["base64"]], ["more", Buffer.from("more").toString("base64")]);
  t.like(told["stat"], { version: 1, dataLength: 4, numChildren: 0, ephemeralOwner: null });
  t.deepEqual(told["acl"], [{ permissions: 31, scheme: "world", id: "anyone" }]);
  t.regex(String((told["stat"] as Fields)["mzxid"]), /^0x1[0-9a-f]{8}$/);
});

test.serial(
  "children come by pages, in order, each with its Stat, whatever goes meanwhile",
  async (t) => {
    const { url, client } = t.context;
    await client.request(create("/list"));
    for (const name of ["b", "d", "a", "c", "\u{e9}"])
      await client.request(create(`/list/${name}`, name));
    type Page = {
      readonly children: readonly { name: string; stat: Fields }[];
      readonly next: string;
    };
    const page = async (query: string): Promise<Page> =>
      (await ask(url, `children?path=/list&limit=2${query}`)) as unknown as Page;
    const first = await page("");
    t.deepEqual(
      first.children.map(({ name }) => name),
      ["a", "b"],
    );
    t.is(first.children[0]?.stat["dataLength"], 1);
    await client.request(remove("/list/b"));
    const second = await page(`&after=${first.next}`);
    t.deepEqual(
      second.children.map(({ name }) => name),
      ["c", "d"],
    );
    const last = await page(`&after=${second.next}`);
    t.deepEqual([last.children.map(({ name }) => name), last.next], [["\u{e9}"], null]);
  },
);

test.serial("the ensemble and its nodes are told", async (t) => {
  const { nodes } = t.context;
  const leaders = new Set<unknown>();
  for (const [index, node] of nodes.entries()) {
    const told = await ask(node.adminUrl ?? "", "ensemble");
    t.like(told, { ensemble: "zooid", node: index + 1 });
    const { nodes: listed } = (await ask(node.adminUrl ?? "", "nodes")) as unknown as {
      readonly nodes: readonly Fields[];
    };
    t.deepEqual(
      listed.map((each) => each["host"]),
      ["db1", "db2", "db3"],
    );
    const leading = listed.filter((each) => each["isLeader"] === true).map((each) => each["id"]);
    t.deepEqual(leading, [told["leader"]]);
    leaders.add(told["leader"]);
  }
  t.is(leaders.size, 1);
});

test.serial("what is asked wrongly is answered with a code", async (t) => {
  const { url } = t.context;
  const wrong: readonly (readonly [string, number, string])[] = [
    ["", 404, "ZOOID_NO_ENDPOINT"],
    ["znode?path=/nowhere", 404, "ZOOID_NO_NODE"],
    ["children?path=/nowhere", 404, "ZOOID_NO_NODE"],
    ["znode?path=nowhere", 400, "ZOOID_BAD_ARGUMENTS"],
    ["znode?pth=/", 400, "ZOOID_BAD_ARGUMENTS"],
    ["children?path=/&limit=501", 400, "ZOOID_BAD_ARGUMENTS"],
    ["children?path=/&limit=-1", 400, "ZOOID_BAD_ARGUMENTS"],
    ["changes?path=/&from=yesterday", 400, "ZOOID_BAD_ARGUMENTS"],
    ["changes?path=/&recursive=maybe", 400, "ZOOID_BAD_ARGUMENTS"],
    ["changes?path=a", 400, "ZOOID_BAD_ARGUMENTS"],
    ["changes?path=/&every=249", 400, "ZOOID_BAD_ARGUMENTS"],
    ["changes?path=/&every=soon", 400, "ZOOID_BAD_ARGUMENTS"],
    ["count?path=/nowhere", 404, "ZOOID_NO_NODE"],
  ];
  for (const [path, status, code] of wrong) {
    const told = await ask(url, path);
    t.deepEqual([told.status, (told["error"] as Fields)["code"]], [status, code], path);
  }
});

test.serial("a stream of changes goes on where a client comes again", async (t) => {
  const { url, client } = t.context;
  await client.request(create("/live"));
  const stream = new Events(url, "path=/live&recursive=true");
  await stream.opened();
  for (const name of ["one", "two", "three"]) await client.request(create(`/live/${name}`, name));
  const seen = [await stream.next(), await stream.next(), await stream.next()];
  t.deepEqual(
    seen.map(({ data }) => [data["kind"], data["path"]]),
    [
      ["created", "/live/one"],
      ["created", "/live/two"],
      ["created", "/live/three"],
    ],
  );
  t.false(JSON.stringify(seen).includes('"data":"'));
  await stream.close();
  await client.request(create("/live/four"));
  const again = new Events(url, "path=/live&recursive=true", String(seen[1]?.data["zxid"]));
  t.deepEqual(
    [(await again.next()).data["path"], (await again.next()).data["path"]],
    ["/live/three", "/live/four"],
  );
  await again.close();
  // The id of an event is a zxid before it, up to which everything has been sent.
  t.is(seen[2]?.id, String(seen[1]?.data["zxid"]));
});

test.serial("a stream of summaries tells where there were changes, and how many", async (t) => {
  const { url, client } = t.context;
  await client.request(create("/busy"));
  const stream = new Events(url, "path=/busy&recursive=true&every=250");
  await stream.opened();
  const changes = Array.from({ length: 300 }, (_, number) =>
    client.request(number < 250 ? create(`/busy/${number}`) : setData("/busy/0", "x")),
  );
  await Promise.all(changes);
  const seen: Fields[] = [];
  const sum = (name: string): number => seen.reduce((all, each) => all + Number(each[name]), 0);
  while (sum("changes") < 300) seen.push((await stream.next("summary")).data);
  t.is(sum("changes"), 300);
  const paths = seen.flatMap((each) => each["paths"] as readonly string[]);
  t.is(new Set(paths).size + sum("unlisted"), 250);
  t.true(seen.every((each) => (each["paths"] as readonly string[]).length <= 200));
  t.true(seen.every((each) => /^0x1[0-9a-f]{8}$/.test(String(each["zxid"]))));
  await stream.close();
});

test.serial("there are only so many streams, and one that ends makes way", async (t) => {
  const { url } = t.context;
  const streams = Array.from({ length: 16 }, () => new Events(url, "path=/live"));
  await Promise.all(streams.map((stream) => stream.opened()));
  const refused = await ask(url, "changes?path=/live");
  t.is((refused["error"] as Fields)["code"], "ZOOID_TOO_MANY_STREAMS");
  await streams[0]?.close();
  // The server notices that the connection was closed a moment later.
  const more = await found(async () => {
    const status = await askHead(url);
    return status === 503 ? undefined : status;
  }, "another stream is not refused");
  t.is(more, 200);
  await Promise.all(streams.map((stream) => stream.close()));
});

function askHead(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`${url}/api/v1/changes?path=/live`, { agent: false }, (response) => {
      response.destroy();
      resolve(response.statusCode ?? 0);
    }).once("error", reject);
  });
}

type Told = { readonly status: number; readonly body: Fields };

/** A POST as a program sends one, unless something of it is changed. */
function post(
  node: RunningNode | undefined,
  name: string,
  body: unknown,
  headers: Readonly<Record<string, string | undefined>> = {},
): Promise<Told> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const all = {
    "content-type": "application/json",
    authorization: `Bearer ${TOKEN}`,
    "content-length": String(Buffer.byteLength(text)),
    ...headers,
  };
  const sent = Object.entries(all).filter(([, value]) => value !== undefined);
  return new Promise((resolve, reject) => {
    const asked = request(
      `${node?.adminUrl}/api/v1/${name}`,
      { method: "POST", agent: false, headers: Object.fromEntries(sent) },
      (response) => {
        let answer = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          answer += chunk;
        });
        response.once("end", () => {
          const isJson = response.headers["content-type"] === "application/json";
          const told = isJson ? (JSON.parse(answer) as Fields) : { text: answer };
          resolve({ status: response.statusCode ?? 0, body: told });
        });
      },
    );
    asked.once("error", reject);
    asked.end(text);
  });
}

function codeOf({ status, body }: Told): readonly unknown[] {
  return [status, (body["error"] as Fields | undefined)?.["code"]];
}

function auditOf(folder: string): readonly Fields[] {
  const lines = readFileSync(join(folder, "audit.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Fields);
}

test.serial(
  "who shows the token changes znodes, and each change is in the audit log without its value",
  async (t) => {
    const { nodes, folder } = t.context;
    const [, , node] = nodes;
    const made = await post(node, "create", {
      path: "/jobs/job-",
      text: "hush",
      sequential: true,
      parents: true,
    });
    t.is(made.status, 200, JSON.stringify(made.body));
    t.like(made.body, { path: "/jobs/job-0000000000", version: 0 });
    const path = "/jobs/job-0000000000";
    const base64 = Buffer.from([0, 255, 7]).toString("base64");
    const set = await post(node, "set", { path, base64, version: 0 });
    t.like(set, { status: 200, body: { path, version: 1 } });
    const told = await ask(node?.adminUrl ?? "", `znode?path=${path}`);
    t.deepEqual([told["base64"], told["text"]], [base64, null]);
    t.deepEqual(codeOf(await post(node, "delete", { path, version: 7 })), [
      409,
      "ZOOID_BAD_VERSION",
    ]);
    t.deepEqual(codeOf(await post(node, "delete", { path: "/jobs" })), [409, "ZOOID_NOT_EMPTY"]);
    const removed = await post(node, "delete", { path, version: 1 });
    t.is(removed.status, 200);
    t.is((await ask(node?.adminUrl ?? "", `znode?path=${path}`)).status, 404);
    const audit = auditOf(folder);
    t.deepEqual(
      audit.map(({ phase, what, path: of, version, result, zxid }) => [
        phase,
        what,
        of,
        version,
        result,
        zxid,
      ]),
      [
        ["asked", "create", "/jobs/job-", undefined, undefined, undefined],
        ["answered", "create", path, undefined, "done", made.body["zxid"]],
        ["asked", "set", path, 0, undefined, undefined],
        ["answered", "set", path, 0, "done", set.body["zxid"]],
        ["asked", "delete", path, 7, undefined, undefined],
        ["answered", "delete", path, 7, "ZOOID_BAD_VERSION", undefined],
        ["asked", "delete", "/jobs", undefined, undefined, undefined],
        ["answered", "delete", "/jobs", undefined, "ZOOID_NOT_EMPTY", undefined],
        ["asked", "delete", path, 1, undefined, undefined],
        ["answered", "delete", path, 1, "done", removed.body["zxid"]],
      ],
    );
    for (const line of audit) t.like(line, { who: "token", address: "127.0.0.1" });
    t.false(JSON.stringify(audit).includes("hush") || JSON.stringify(audit).includes(base64));
    t.is(statSync(join(folder, "audit.jsonl")).mode & 0o777, 0o600);
  },
);

test.serial("nobody else changes anything, and no web page of somebody else's does", async (t) => {
  const { nodes, folder } = t.context;
  const [first, , node] = nodes;
  const before = auditOf(folder).length;
  const body = { path: "/page", text: "x" };
  const own = node?.adminUrl ?? "";
  type Case = readonly [
    status: number,
    code: string | undefined,
    headers: Parameters<typeof post>[3],
  ];
  const cases: readonly Case[] = [
    [401, undefined, { authorization: undefined }],
    [401, undefined, { authorization: `Bearer ${TOKEN}0` }],
    [403, "ZOOID_FOREIGN_PAGE", { origin: "http://evil.example" }],
    [403, "ZOOID_FOREIGN_PAGE", { origin: "null" }],
    [403, "ZOOID_FOREIGN_PAGE", { origin: own.replace(/\d+$/, "1") }],
    [403, "ZOOID_FOREIGN_PAGE", { "sec-fetch-site": "cross-site" }],
    [421, undefined, { host: "evil.example" }],
    [415, "ZOOID_BAD_ARGUMENTS", { "content-type": "text/plain" }],
    [415, "ZOOID_BAD_ARGUMENTS", { "content-type": undefined }],
    [411, "ZOOID_BAD_ARGUMENTS", { "content-length": undefined, "transfer-encoding": "chunked" }],
  ];
  for (const [status, code, headers] of cases) {
    t.deepEqual(
      codeOf(await post(node, "create", body, headers)),
      [status, code],
      JSON.stringify(headers),
    );
  }
  t.deepEqual(codeOf(await post(first, "create", body)), [403, "ZOOID_READ_ONLY"]);
  const wrong: readonly unknown[] = [
    "no JSON",
    [],
    { text: "x" },
    { path: "/page", txt: "x" },
    { path: "/page", text: 1 },
    { path: "/page", text: "x", base64: "eA==" },
    { path: "/page", base64: "e" },
    { path: "/page", ["__proto__"]: {} },
    { path: "page" },
    { path: "/page//one", text: "x" },
    { path: "/page/", sequential: false },
  ];
  for (const each of wrong) {
    t.deepEqual(
      codeOf(await post(node, "create", each)),
      [400, "ZOOID_BAD_ARGUMENTS"],
      JSON.stringify(each),
    );
  }
  for (const wrongly of [{}, { text: "x", version: 0.5 }, { text: "x", version: 2 ** 31 }]) {
    const told = await post(node, "set", { path: "/page", ...wrongly });
    t.deepEqual(codeOf(told), [400, "ZOOID_BAD_ARGUMENTS"]);
  }
  t.is((await ask(own, "create")).status, 404);
  t.is((await post(node, "znode", {})).status, 404);
  t.is((await ask(own, "znode?path=/page")).status, 404);
  t.is(auditOf(folder).length, before);
  t.is(
    (await post(node, "create", body, { origin: own, "sec-fetch-site": "same-origin" })).status,
    200,
  );
});

test.serial(
  "a body that is too long is not read, and a value of the largest size is taken",
  async (t) => {
    const [, , node] = t.context.nodes;
    const tooLong = await post(node, "create", "x", { "content-length": String(1536 * 1024 + 1) });
    t.is(tooLong.status, 413);
    const base64 = Buffer.alloc(1_000_000, 7).toString("base64");
    t.is((await post(node, "create", { path: "/large", base64 })).status, 200);
  },
);

test.serial(
  "a znode is deleted with all below it, if these are no more than were counted",
  async (t) => {
    const { nodes } = t.context;
    const [, , node] = nodes;
    const url = node?.adminUrl ?? "";
    for (const path of ["/whole/a/b", "/whole/c"]) {
      t.is((await post(node, "create", { path, parents: true })).status, 200);
    }
    t.like(await ask(url, "count?path=/whole"), { znodes: 4, ephemerals: 0, isWhole: true });
    t.is((await post(node, "create", { path: "/whole/more" })).status, 200);
    const path = "/whole";
    t.deepEqual(codeOf(await post(node, "delete-all", { path, znodes: 4 })), [
      409,
      "ZOOID_NOT_EMPTY",
    ]);
    t.like(await ask(url, "count?path=/whole"), { znodes: 5 });
    for (const znodes of [undefined, 0, 1.5, 10_001]) {
      t.is((await post(node, "delete-all", { path, znodes })).status, 400, String(znodes));
    }
    t.is((await post(node, "delete-all", { path, znodes: 5 })).status, 200);
    t.is((await ask(url, "znode?path=/whole")).status, 404);
    t.deepEqual(codeOf(await post(node, "delete-all", { path, znodes: 5 })), [
      404,
      "ZOOID_NO_NODE",
    ]);
  },
);

test.serial("every endpoint that there is answers", async (t) => {
  const { nodes, url } = t.context;
  const [, , node] = nodes;
  const read = async (path: string): Promise<number> => (await ask(url, path)).status;
  const change = async (name: string, body: Fields): Promise<number> =>
    (await post(node, name, { path: "/every", ...body })).status;
  const now = String((await ask(url, "span"))["to"]);
  const asking: Readonly<Record<(typeof ENDPOINTS)[number]["name"], () => Promise<number>>> = {
    access: () => read("access"),
    ensemble: () => read("ensemble"),
    status: () => read("status"),
    elections: () => read("elections"),
    latencies: () => read("latencies"),
    "slow-requests": () => read("slow-requests"),
    count: () => read("count?path=/"),
    nodes: () => read("nodes"),
    sessions: () => read("sessions"),
    session: async () => await read(`session?id=${await aSession(url)}`),
    "session-ephemerals": async () => await read(`session-ephemerals?id=${await aSession(url)}`),
    "znode-watchers": () => read("znode-watchers?path=/"),
    znode: () => read("znode?path=/"),
    children: () => read("children?path=/"),
    changes: () => askHead(url),
    span: () => read("span"),
    history: () => read("history?path=/read"),
    "znode-at": () => read(`znode-at?path=/read&zxid=${now}`),
    "children-at": () => read(`children-at?path=/&zxid=${now}`),
    diff: () => read(`diff?from=0x0&to=${now}`),
    find: () => read("find?pattern=/*"),
    create: () => change("create", {}),
    set: () => change("set", { text: "x" }),
    delete: () => change("delete", {}),
    "delete-all": async () => {
      await change("create", {});
      return await change("delete-all", { znodes: 1 });
    },
    "bring-back": () => change("bring-back", { path: "/read", zxid: now }),
  };
  t.deepEqual(Object.keys(asking).toSorted(), ENDPOINTS.map(({ name }) => name).toSorted());
  for (const { name } of ENDPOINTS) t.is(await asking[name](), 200, name);
});

test.serial("what cannot be written into the audit log is not done", async (t) => {
  const { nodes, folder } = t.context;
  const [, , node] = nodes;
  rmSync(join(folder, "audit.jsonl"));
  mkdirSync(join(folder, "audit.jsonl"));
  const told = await post(node, "create", { path: "/unseen" });
  t.deepEqual(codeOf(told), [503, "ZOOID_NO_AUDIT"]);
  t.is((await ask(node?.adminUrl ?? "", "znode?path=/unseen")).status, 404);
});

test.serial("changes need somebody who can prove who he is, and their log needs changes", (t) => {
  const fields = (flags: Readonly<Record<string, string>>): readonly string[] => {
    const loaded = loadConfig({ transport: "memory", flags: new Map(Object.entries(flags)) });
    return loaded.kind === "invalid" ? loaded.problems.map(({ field }) => field) : [];
  };
  t.deepEqual(fields({ "admin-writes": "true" }), ["adminWrites"]);
  t.deepEqual(fields({ "admin-audit-file": "/nowhere/audit" }), [
    "adminAuditFile",
    "adminAuditFile",
  ]);
});
