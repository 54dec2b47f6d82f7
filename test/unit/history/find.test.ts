/** Search in the tree of a folder, what is brought back of it, and which zxids there are, beside a plain list of what was made. */
import test from "ava";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import type { PastReader } from "../../../server/history/answers.ts";
import type { SubtreePage } from "../../../server/history/subtree.ts";
import type { Asked, Question } from "../../../server/history/questions.ts";
import { PastFolderMaker, readerOf } from "../../support/past-folder.ts";
import { bytes, client, create, remove, setData } from "../../support/replica.ts";

type Json = Readonly<Record<string, unknown>>;
type Found = { readonly path: string; readonly excerpt?: string };
type Page = {
  readonly zxid: string;
  readonly looked: number;
  readonly found: readonly Found[];
  readonly next: string | null;
};
type Find = Extract<Question, { kind: "find" }>;

async function ask(
  reader: PastReader,
  question: Asked["question"],
  hidesClosed = true,
): Promise<unknown> {
  return await reader.answer({ question, hidesClosed });
}

async function find(reader: PastReader, change: Partial<Find>, hidesClosed = true): Promise<Page> {
  const question = { kind: "find", path: "/", after: "", limit: 100, ...change } as const;
  return (await ask(reader, question, hidesClosed)) as Page;
}

function hex(text: string): string {
  return Buffer.from(text).toString("hex");
}

function pathsOf({ found }: { readonly found: readonly Found[] }): readonly string[] {
  return found.map(({ path }) => path);
}

const VALUES: Readonly<Record<string, string>> = {
  "/shop": "",
  "/shop/eu": "limit",
  "/shop/eu/limits": "perSecond=100",
  "/shop/eu-west": "no",
  "/shop/eu-west/limits": "perSecond=200",
  "/shopping": "perSecond=7",
};

function shop(): PastFolderMaker {
  const maker = new PastFolderMaker(100);
  const session = maker.session();
  for (const [path, value] of Object.entries(VALUES)) {
    maker.commit(client(session, create(path, { data: bytes(value) })));
  }
  return maker;
}

test("znodes are found by the pattern of their path, by their value, and by both", async (t) => {
  const reader = readerOf(shop().files);
  const limits = ["/shop/eu/limits", "/shop/eu-west/limits"];
  t.deepEqual(pathsOf(await find(reader, { pattern: "/shop/**/limits" })), limits);
  const value = hex("perSecond");
  t.deepEqual(pathsOf(await find(reader, { value })), [...limits, "/shopping"]);
  t.deepEqual(pathsOf(await find(reader, { value, path: "/shop" })), limits);
  const both = await find(reader, { value: hex("=2"), pattern: "/shop/*/limits" });
  t.deepEqual(pathsOf(both), ["/shop/eu-west/limits"]);
  t.is(both.found[0]?.excerpt, "perSecond=200");
  t.is(both.next, null);
});

test("by pages, and by a reader that has to build the tree again, each is found once", async (t) => {
  const maker = shop();
  const all = pathsOf(await find(readerOf(maker.files), { pattern: "/**" }));
  const own = ["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"];
  t.deepEqual(all.toSorted(), [...own, ...Object.keys(VALUES)].toSorted());
  for (const isSame of [true, false]) {
    const kept = readerOf(maker.files);
    const paths: string[] = [];
    const looked: number[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const reader = isSame ? kept : readerOf(maker.files);
      const page: Page = await find(reader, { pattern: "/**", after, limit: 2 });
      paths.push(...pathsOf(page));
      looked.push(page.looked);
      after = page.next;
    }
    t.deepEqual(paths, all);
    t.deepEqual(
      looked.toSorted((one, other) => one - other),
      looked,
    );
    t.is(looked.at(-1), all.length);
  }
});

test("a search that goes on is of the tree that it began in", async (t) => {
  const maker = shop();
  const first = await find(readerOf(maker.files), { pattern: "/shop/**", limit: 1 });
  maker.commit(client(maker.session(), create("/shop/new")));
  const rest = await find(readerOf(maker.files), {
    pattern: "/shop/**",
    after: String(first.next),
  });
  t.is(rest.zxid, first.zxid);
  t.false(pathsOf(rest).includes("/shop/new"));
  const again = await find(readerOf(maker.files), { pattern: "/shop/new" });
  t.deepEqual(pathsOf(again), ["/shop/new"]);
});

test("the tree of an earlier zxid is looked through as well", async (t) => {
  const maker = shop();
  const session = maker.session();
  const before = maker.replica.lastZxid;
  maker.commit(client(session, remove("/shopping")));
  const reader = readerOf(maker.files);
  t.deepEqual(pathsOf(await find(reader, { pattern: "/shopping" })), []);
  t.deepEqual(pathsOf(await find(reader, { pattern: "/shopping", zxid: before })), ["/shopping"]);
});

test("what a value has is found as bytes, and shown with what stands around it", async (t) => {
  const maker = new PastFolderMaker();
  const session = maker.session();
  const long = `${"é".repeat(50)}needle${"ü".repeat(50)}`;
  maker.commit(client(session, create("/long", { data: bytes(long) })));
  maker.commit(client(session, create("/raw", { data: new Uint8Array([0, 255, 254, 1]) })));
  maker.commit(client(session, create("/null", { data: null })));
  const reader = readerOf(maker.files);
  const [found] = (await find(reader, { value: hex("needle") })).found;
  t.regex(found?.excerpt ?? "", /^…é+needleü+…$/);
  t.deepEqual(pathsOf(await find(reader, { value: "fffe" })), ["/raw"]);
});

test("what is closed is not found, and no page ends with it, today's list counting for the past too", async (t) => {
  const maker = new PastFolderMaker(100);
  const session = maker.session();
  const acl = [{ permissions: 31, scheme: "digest", id: "alice:hash" }];
  const who = [{ scheme: "digest", id: "alice:hash" }];
  maker.commit(client(session, create("/a", { acl, data: bytes("secret") })));
  maker.commit(client(session, create("/b", { data: bytes("secret") })));
  maker.commit(client(session, create("/c", { data: bytes("secret") })));
  const before = maker.replica.lastZxid;
  const shut = { kind: "setAcl", path: "/b", acl, version: -1 } as const;
  maker.commit({ ...client(session, shut), identities: who });
  const reader = readerOf(maker.files);
  const value = hex("secret");
  for (const zxid of [undefined, before]) {
    const page = await find(reader, { value, zxid, limit: 1 });
    t.deepEqual(pathsOf(page), ["/c"]);
    const right = await find(reader, { value: hex("wrong!"), zxid });
    t.deepEqual(pathsOf(right), []);
    t.regex(String(page.next), /^0x[0-9a-f]+\.\d+$/, "no name is in it");
  }
  const folder = await find(reader, { value, zxid: before }, false);
  t.deepEqual(pathsOf(folder), ["/a", "/b", "/c"]);
});

test("what cannot be asked is said", async (t) => {
  const reader = readerOf(shop().files);
  const codeOf = async (change: Partial<Find>): Promise<unknown> =>
    await find(reader, change).catch((error: { readonly code?: string }) => error.code);
  t.is(await codeOf({ pattern: "shop" }), "ZOOID_BAD_ARGUMENTS");
  t.is(await codeOf({ pattern: "/**", after: "x" }), "ZOOID_BAD_ARGUMENTS");
  t.is(await codeOf({ pattern: "/**", path: "/nowhere" }), "ZOOID_NO_NODE");
  t.is(await codeOf({ pattern: "/**", zxid: 0xff_0000_0000 as Zxid }), "ZOOID_ZXID_AHEAD");
});

test("a subtree that was deleted has all that it needs to be made again, parents first", async (t) => {
  const maker = new PastFolderMaker();
  const session = maker.session();
  const acl = [
    { permissions: 1, scheme: "world", id: "anyone" },
    { permissions: 31, scheme: "digest", id: "deploy:hash" },
  ];
  const closed = [{ permissions: 31, scheme: "digest", id: "deploy:hash" }];
  const made = [
    create("/app", { data: null }),
    create("/app/db", { acl, data: bytes("db") }),
    create("/app/mine", { ephemeral: true }),
    create("/app/secret", { acl: closed }),
    create("/application"),
  ];
  for (const each of made) maker.commit(client(session, each));
  const zxid = maker.replica.lastZxid;
  maker.commit(client(session, setData("/app/db", bytes("later"))));
  maker.commit(client(session, { kind: "removeRecursive", path: "/app", znodesMax: 10 }));
  for (const limit of [100, 1]) {
    const reader = readerOf(maker.files);
    const pages: SubtreePage[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const question = { kind: "subtree", path: "/app", zxid, after, limit } as const;
      const page = (await ask(reader, question)) as SubtreePage;
      pages.push(page);
      after = page.next;
    }
    const base64 = Buffer.from("db").toString("base64");
    const znodes = pages.flatMap((page) => page.znodes);
    t.deepEqual(
      znodes.map((each) => each.path),
      ["/app", "/app/db"],
    );
    t.like(znodes[0], { base64: null, lifetime: null });
    t.deepEqual(znodes[1], { path: "/app/db", base64, acl, lifetime: null });
    t.deepEqual(
      pages.flatMap(({ ephemerals }) => ephemerals),
      ["/app/mine"],
    );
    t.is(
      pages.reduce((sum, page) => sum + page.closed, 0),
      1,
    );
  }
});

test("a tree says what its last transaction was, and the span which zxids there are", async (t) => {
  const maker = shop();
  const reader = readerOf(maker.files);
  const last = maker.replica.lastZxid;
  const then = (await ask(reader, { kind: "znode", path: "/shop", zxid: last })) as Json;
  t.like(then["last"], { zxid: formatZxid(last) });
  t.regex(String((then["last"] as Json)["time"]), /^2023-11-14T22:13:/);
  const span = (await ask(reader, { kind: "span" })) as Json;
  // Before the first record there is nothing, in no epoch.
  t.deepEqual(span["epochs"], [
    { from: "0x0", to: "0x0" },
    { from: "0x100000001", to: formatZxid(last) },
  ]);
});

test("each epoch has its first and its last zxid, whether its segments are many or one has several", async (t) => {
  const maker = new PastFolderMaker(100);
  const ends: [from: Zxid, to: Zxid][] = [];
  for (const count of [3, 200, 1, 2]) {
    if (ends.length > 0) maker.nextEpoch();
    const session = maker.session();
    const from = maker.replica.lastZxid;
    for (let index = 0; index < count; index += 1) {
      maker.commit(client(session, create(`/e${ends.length}-`, { sequential: true })));
    }
    ends.push([from, maker.replica.lastZxid]);
  }
  const spans = ends.map(([from, to]) => ({ from: formatZxid(from), to: formatZxid(to) }));
  const { epochs } = (await ask(readerOf(maker.files), { kind: "span" })) as Json;
  t.deepEqual(epochs, [{ from: "0x0", to: "0x0" }, ...spans]);
  // What is not known to be committed is none.
  const committed = (): Promise<Zxid> => Promise.resolve(((ends[1]?.[0] ?? 0) + 5) as Zxid);
  const early = (await ask(readerOf(maker.files, { committed }), { kind: "span" })) as Json;
  const last = { ...spans[1], to: formatZxid(await committed()) };
  t.deepEqual(early["epochs"], [{ from: "0x0", to: "0x0" }, spans[0], last]);
});
