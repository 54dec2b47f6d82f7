/** What the past of a folder tells: who has changed something, what is hidden, and what it says when it does not know. */
import test from "ava";
import { snapshotName } from "../../../actors/log/format/files.ts";
import { HISTORY_VALUE_BYTES_MAX } from "../../../server/history/limits.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { diffOf } from "../../../server/history/diff.ts";
import { withPast } from "../../../server/history/past.ts";
import type { PastReader } from "../../../server/history/answers.ts";
import type { Question } from "../../../server/history/questions.ts";
import { FolderChanged } from "../../../server/offline/read-only-folder.ts";
import { PastFolderMaker, pastOf, readerOf } from "../../support/past-folder.ts";
import { bytes, client, create, multi, remove, setData } from "../../support/replica.ts";

type Json = Readonly<Record<string, unknown>>;

async function ask(reader: PastReader, question: Question, hidesClosed = false): Promise<Json> {
  return (await reader.answer({ question, hidesClosed })) as Json;
}

async function codeOf(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

function history(
  path: string,
  change: Partial<Extract<Question, { kind: "history" }>> = {},
): Question {
  return { kind: "history", path, recursive: false, order: "newest", limit: 100, ...change };
}

function changesIn(answer: Json): readonly Json[] {
  return answer["changes"] as readonly Json[];
}

test("a change says by which session it was made, from which address, and what its client had proved", async (t) => {
  const maker = new PastFolderMaker();
  const session = maker.session("10.0.0.7");
  const identities = [{ scheme: "digest", id: "alice:hash" }];
  maker.commit({ ...client(session, create("/a")), identities });
  maker.commit(client(session, multi(create("/a/b"), setData("/a", bytes("two")))));
  const changes = changesIn(await ask(readerOf(maker.files), history("/a", { recursive: true })));
  t.deepEqual(
    changes.map(({ kind, path, index }) => [kind, path, index]),
    [
      ["data", "/a", 1],
      ["created", "/a/b", 0],
      ["created", "/a", 0],
    ],
  );
  const by = { session: formatZxid(session as number as Zxid), address: "10.0.0.7", node: 1 };
  t.deepEqual(changes[0]?.["by"], { ...by, operation: "multi", identities: [] });
  const alice = [{ scheme: "digest", id: "alice:x" }];
  t.deepEqual(changes[2]?.["by"], { ...by, operation: "create", identities: alice });
  t.regex(String(changes[2]?.["time"]), /^2023-11-14T22:13:20\.\d{3}Z$/);
});

test("a session that moves writes from its other address, and one that ends is still known by its last", async (t) => {
  const maker = new PastFolderMaker();
  const session = maker.session("10.0.0.7");
  maker.commit(client(session, create("/a", { ephemeral: true })));
  const [timeoutMs, password] = [10_000, new Uint8Array(16).fill(5)];
  const attach = { kind: "attachSession", session, timeoutMs, password } as const;
  maker.commit({ ...attach, address: "10.0.0.8" });
  const attachedAt = maker.replica.lastZxid;
  maker.commit(client(session, setData("/a", bytes("two")), attachedAt));
  maker.commit({ kind: "expireSession", session, attachedAt });
  const changes = changesIn(await ask(readerOf(maker.files), history("/a")));
  const causes = changes.map(({ kind, by }) => {
    const { operation, address } = by as Json;
    return [kind, operation, address];
  });
  t.deepEqual(causes, [
    ["deleted", "expireSession", "10.0.0.8"],
    ["data", "setData", "10.0.0.8"],
    ["created", "create", "10.0.0.7"],
  ]);
});

test("the address of a session that is older than the log is in the snapshot", async (t) => {
  const maker = new PastFolderMaker(100);
  const session = maker.session("10.0.0.7");
  const zxid = maker.snapshot();
  maker.commit(client(session, create("/a")));
  // The record that began the session is before what is read for this.
  const newest = await ask(readerOf(maker.files), history("/a", { from: zxid }));
  t.like(changesIn(newest)[0]?.["by"], { address: "10.0.0.7" });
});

test("what was refused is no change", async (t) => {
  const maker = new PastFolderMaker();
  const session = maker.session();
  maker.commit(client(session, create("/a")), client(session, setData("/a", bytes("no"), 7)));
  maker.commit(client(session, multi(setData("/a", bytes("no")), remove("/nowhere"))));
  const changes = changesIn(await ask(readerOf(maker.files), history("/a")));
  t.deepEqual(
    changes.map(({ kind }) => kind),
    ["created"],
  );
});

/** A subtree that is deleted by mistake at `deletedAt`. */
function mistake(): { readonly maker: PastFolderMaker; readonly deletedAt: Zxid } {
  const maker = new PastFolderMaker();
  const session = maker.session("10.0.0.9");
  const made = ["/app", "/app/db", "/app/db/url", "/app/db/user", "/apple"];
  for (const path of made) maker.commit(client(session, create(path, { data: bytes(path) })));
  maker.commit(client(session, { kind: "removeRecursive", path: "/app", znodesMax: 10 }));
  return { maker, deletedAt: maker.replica.lastZxid };
}

test("of a subtree that was deleted: what, when, by whom, and what each value was", async (t) => {
  const { maker, deletedAt } = mistake();
  const reader = readerOf(maker.files);
  const changes = changesIn(await ask(reader, history("/app", { recursive: true, limit: 4 })));
  t.deepEqual(
    changes.map(({ kind, path, zxid }) => [kind, path, zxid].join(" ")).toSorted(),
    ["/app", "/app/db", "/app/db/url", "/app/db/user"].map(
      (path) => `deleted ${path} ${formatZxid(deletedAt)}`,
    ),
  );
  t.like(changes[0]?.["by"], { operation: "removeRecursive", address: "10.0.0.9" });
  const zxid = (deletedAt - 1) as Zxid;
  for (const { path } of changes) {
    const znode = await ask(reader, { kind: "znode", zxid, path: String(path) });
    t.is(znode["text"], path);
  }
  const between = { from: zxid, to: deletedAt, path: "/app", after: "", limit: 2 } as const;
  const first = await ask(reader, { kind: "diff", ...between });
  const second = await ask(reader, { kind: "diff", ...between, after: String(first["next"]) });
  t.deepEqual(
    [...changesIn(first), ...changesIn(second)].map(({ kind, path }) => [kind, path]),
    ["/app", "/app/db", "/app/db/url", "/app/db/user"].map((path) => ["deleted", path]),
  );
  t.is(second["next"], null);
  t.is(
    await codeOf(ask(reader, { kind: "znode", zxid: deletedAt, path: "/app" })),
    "ZOOID_NO_NODE",
  );
});

test("nothing is told of what is ahead, of what is no longer kept, or of what was never there", async (t) => {
  const maker = new PastFolderMaker();
  const session = maker.session();
  for (let index = 0; index < 60; index += 1) {
    maker.commit(client(session, create(`/a${index}`, { data: new Uint8Array(200) })));
    if (index % 15 === 14) maker.snapshot();
  }
  const reader = readerOf(maker.files);
  const span = await ask(reader, { kind: "span" });
  const [from, to] = [Number(span["from"]), Number(span["to"])];
  t.true(from > 2 ** 32, "the log was purged");
  t.deepEqual((span["snapshots"] as readonly string[])[0], span["from"]);
  t.is((span["snapshots"] as readonly string[]).length, 2);
  const at = (zxid: number, path = "/"): Promise<unknown> =>
    codeOf(ask(reader, { kind: "znode", zxid: zxid as Zxid, path }));
  t.is(await at(to + 1), "ZOOID_ZXID_AHEAD");
  t.is(await at(from - 1), "ZOOID_ZXID_GONE");
  t.is(await at(to, "/nowhere"), "ZOOID_NO_NODE");
  t.is(await at(to, "nowhere"), "ZOOID_BAD_ARGUMENTS");
  t.is(await codeOf(ask(reader, history("/nowhere"))), "ZOOID_NO_HISTORY");
  t.is(await codeOf(ask(reader, history("/", { to: (to + 1) as Zxid }))), "ZOOID_ZXID_AHEAD");
  const order = { from: to as Zxid, to: from as Zxid };
  t.is(await codeOf(ask(reader, history("/", order))), "ZOOID_BAD_ARGUMENTS");
  const diff = { kind: "diff", ...order, path: "/", after: "", limit: 1 } as const;
  t.is(await codeOf(ask(reader, diff)), "ZOOID_BAD_ARGUMENTS");
  // It is there, and was made before what is kept.
  const old = await ask(reader, history("/a0"));
  t.deepEqual([changesIn(old), (old["known"] as Json)["from"]], [[], span["from"]]);
});

/** A znode that is closed from the beginning, one that is closed in between, and one that everybody may read. */
function guarded(): { readonly maker: PastFolderMaker; readonly from: Zxid; readonly to: Zxid } {
  const maker = new PastFolderMaker();
  const session = maker.session();
  const acl = [{ permissions: 31, scheme: "digest", id: "alice:hash" }];
  const identities = [{ scheme: "digest", id: "alice:hash" }];
  const as = (operation: Parameters<typeof client>[1]): ReturnType<typeof client> => ({
    ...client(session, operation),
    identities,
  });
  const from = maker.replica.lastZxid;
  maker.commit(as(create("/closed", { acl, data: bytes("secret") })));
  maker.commit(as(create("/shut", { data: bytes("open") })));
  const listed = [{ permissions: 1, scheme: "world", id: "anyone" }, ...acl];
  maker.commit(as(create("/open", { acl: listed, data: bytes("open") })));
  maker.commit(as(setData("/closed", bytes("secret"))));
  maker.commit(as({ kind: "setAcl", path: "/shut", acl, version: -1 }));
  maker.commit(as(create("/zipped", { acl })));
  maker.commit(as(remove("/zipped")));
  return { maker, from, to: maker.replica.lastZxid };
}

test("nothing is told to who is nobody in particular of what happened to a znode while its list did not let everybody read", async (t) => {
  const { maker, from, to } = guarded();
  const reader = readerOf(maker.files);
  const shown = await ask(reader, history("/", { recursive: true, limit: 2 }), true);
  t.deepEqual(
    changesIn(shown).map(({ kind, path }) => [kind, path]),
    [
      ["created", "/open"],
      ["created", "/shut"],
    ],
  );
  t.is(shown["next"], null, "what is left out takes no place of a page");
  t.deepEqual(changesIn(await ask(reader, history("/closed"), true)), []);
  const gone = await t.throwsAsync(ask(reader, history("/zipped"), true), { name: "HistoryError" });
  t.regex(gone?.message ?? "", /no \/zipped that everybody might read/);
  for (const path of ["/closed", "/shut"]) {
    const znode = { kind: "znode", zxid: to, path } as const;
    t.is(await codeOf(ask(reader, znode, true)), "ZOOID_NO_AUTH");
    const children = { kind: "children", zxid: to, path, after: "", limit: 1 } as const;
    t.is(await codeOf(ask(reader, children, true)), "ZOOID_NO_AUTH");
  }
  const open = await ask(reader, { kind: "znode", zxid: to, path: "/open" }, true);
  t.like(open, { text: "open", acl: [{ id: "anyone" }, { id: "alice:x" }] });
  const diff = { kind: "diff", from, to, path: "/", after: "", limit: 9 } as const;
  const differences = changesIn(await ask(reader, diff, true));
  t.deepEqual(
    differences.map(({ path }) => path),
    ["/open"],
  );
});

test("whoever reads the folder is told the values, and the lists as they can be given again", async (t) => {
  const { maker, from, to } = guarded();
  const reader = readerOf(maker.files);
  const secret = Buffer.from("secret").toString("base64");
  const all = changesIn(await ask(reader, history("/closed")));
  t.deepEqual(
    all.map(({ base64 }) => base64),
    [secret, secret],
  );
  const znode = { kind: "znode", zxid: to, path: "/closed" } as const;
  t.like(await ask(reader, znode), { text: "secret", acl: [{ id: "alice:hash" }] });
  const diff = { kind: "diff", from, to, path: "/closed", after: "", limit: 9 } as const;
  const [difference] = changesIn(await ask(reader, diff));
  t.like(difference, { path: "/closed", after: { acl: [{ id: "alice:hash" }] } });
});

test("a page of differences goes on where the one before has said, and nowhere else", async (t) => {
  const { maker, from, to } = guarded();
  const reader = readerOf(maker.files);
  const diff = { kind: "diff", from, to, path: "/", after: "", limit: 1 } as const;
  const first = await ask(reader, diff);
  t.false(String(first["next"]).includes("closed"), "the name may be one that is left out");
  const second = await ask(reader, { ...diff, after: String(first["next"]) });
  const paths = [...changesIn(first), ...changesIn(second)].map(({ path }) => path);
  t.deepEqual(paths, ["/closed", "/open"]);
  t.is(await codeOf(ask(reader, { ...diff, after: "/closed" })), "ZOOID_BAD_ARGUMENTS");
});

test("values are shown as far as they are small", async (t) => {
  const maker = new PastFolderMaker();
  const session = maker.session();
  const data = new Uint8Array(HISTORY_VALUE_BYTES_MAX);
  maker.commit(client(session, create("/a", { data })));
  maker.commit(client(session, setData("/a", new Uint8Array(HISTORY_VALUE_BYTES_MAX + 1))));
  maker.commit(client(session, setData("/a", null)));
  const changes = changesIn(await ask(readerOf(maker.files), history("/a")));
  const small = Buffer.from(data).toString("base64");
  t.deepEqual(
    changes.map((each) => each["base64"]),
    [null, undefined, small],
  );
});

test("a damaged snapshot is done without", async (t) => {
  const maker = new PastFolderMaker(100);
  const session = maker.session();
  maker.commit(client(session, create("/a")));
  const zxid = maker.snapshot();
  maker.commit(client(session, setData("/a", bytes("two"))));
  const { files } = maker;
  const snapshot = files[snapshotName(zxid)];
  snapshot?.set([255], snapshot.length - 1);
  const reader = readerOf(files);
  const znode = { kind: "znode", zxid: maker.replica.lastZxid, path: "/a" } as const;
  t.is((await ask(reader, znode))["text"], "two");
  t.is(changesIn(await ask(reader, history("/a"))).length, 2);
});

test("a log that is damaged is said to be, and not taken for a shorter one", async (t) => {
  const { maker, deletedAt } = mistake();
  const { files } = maker;
  const log = Object.keys(files).find((name) => name.startsWith("log.0"));
  const segment = files[log ?? ""];
  segment?.set([1, 2, 3], 300);
  const committed = (): Promise<Zxid> => Promise.resolve(deletedAt);
  const question = { kind: "znode", zxid: deletedAt, path: "/apple" } as const;
  t.is(await codeOf(ask(readerOf(files, { committed }), question)), "ZOOID_HISTORY_UNREADABLE");
  t.is(await codeOf(ask(readerOf(files), question)), "ZOOID_HISTORY_UNREADABLE");
});

test("whichever bit of a log or a snapshot is flipped, the answer is the same, or says that it cannot be given", async (t) => {
  const maker = new PastFolderMaker(100);
  const session = maker.session();
  for (let index = 0; index < 12; index += 1) {
    maker.commit(client(session, create(`/a${index}`, { data: new Uint8Array(300) })));
    if (index % 5 === 4) maker.snapshot();
  }
  const { files } = maker;
  const all = history("/", { recursive: true });
  const expected = changesIn(await ask(readerOf(files), all));
  let refused = 0;
  for (const name of Object.keys(files).filter((each) => /^(?:log|snapshot)\.0/.test(each))) {
    for (let at = 3; at < (files[name]?.length ?? 0); at += 211) {
      const flipped = structuredClone(files);
      flipped[name]?.set([(files[name]?.[at] ?? 0) ^ 0x10], at);
      const answer = await codeOf(ask(readerOf(flipped), all));
      if (typeof answer === "string") {
        t.is(answer, "ZOOID_HISTORY_UNREADABLE");
        refused += 1;
        continue;
      }
      // Damage to the very last write looks like a write that a crash has cut short.
      const changes = changesIn(answer as Json);
      t.true(changes.length >= expected.length - 1, `${name} ${at}`);
      t.deepEqual(changes, expected.slice(-changes.length), `${name} ${at}`);
    }
  }
  t.true(refused > 0);
});

test("only what is committed is told of the folder of a node that runs", async (t) => {
  const { maker, deletedAt } = mistake();
  const committed = (): Promise<Zxid> => Promise.resolve((deletedAt - 1) as Zxid);
  const reader = readerOf(maker.files, { committed });
  t.is((await ask(reader, { kind: "span" }))["to"], formatZxid((deletedAt - 1) as Zxid));
  t.is(changesIn(await ask(reader, history("/app"))).length, 1);
});

test("what a snapshot holds is committed, though its node has said so only of less", async (t) => {
  const maker = new PastFolderMaker();
  const session = maker.session();
  const first = maker.replica.lastZxid;
  maker.commit(client(session, create("/a")));
  const zxid = maker.snapshot();
  maker.commit(client(session, create("/b")));
  const reader = readerOf(maker.files, { committed: () => Promise.resolve(first) });
  t.is((await ask(reader, { kind: "span" }))["to"], formatZxid(zxid));
  t.is(changesIn(await ask(reader, history("/", { recursive: true }))).length, 1);
});

test("a folder that is purged while it is read is read again", async (t) => {
  const { maker } = mistake();
  const past = pastOf(maker.files);
  let opened = 0;
  const open: typeof past.open = () => {
    opened += 1;
    const folder = past.open();
    let reads = 0;
    const mayRead = opened > 3;
    return {
      ...folder,
      perform: (operation) => {
        reads += 1;
        if (!mayRead && reads > opened) throw new FolderChanged("log.1 is gone");
        return folder.perform(operation);
      },
    };
  };
  const answer = await ask(readerOf(maker.files, { open }), history("/app"));
  t.deepEqual([changesIn(answer).length, opened], [2, 4]);
});

test("a difference of more znodes than may be remembered is refused", async (t) => {
  const { maker, deletedAt } = mistake();
  const from = (deletedAt - 1) as Zxid;
  const diff = (znodesMax: number): Promise<unknown> =>
    withPast(pastOf(maker.files), (past) =>
      diffOf(past, { from, to: deletedAt, path: "/", znodesMax, hidesClosed: true }),
    );
  t.is(await codeOf(diff(3)), "ZOOID_HISTORY_TOO_LARGE");
  t.is(((await diff(4)) as readonly unknown[]).length, 4);
});

test("an empty folder has nothing to tell but the first tree", async (t) => {
  const maker = new PastFolderMaker();
  const reader = readerOf(maker.files);
  t.like(await ask(reader, { kind: "span" }), { from: "0x0", to: "0x0", snapshots: [] });
  t.is(await codeOf(ask(reader, history("/a"))), "ZOOID_NO_HISTORY");
  t.like(await ask(reader, { kind: "znode", zxid: 0 as Zxid, path: "/zookeeper" }), { text: "" });
});
