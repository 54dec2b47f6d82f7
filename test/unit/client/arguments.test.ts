/** Every argument of every call is checked before anything is sent, and a wrong one is named. */
import test, { type ExecutionContext } from "ava";
import { absent, Client, connect, type ConnectOptions, exists } from "../../../client/connect.ts";
import { type NativeChannel, NativeWire } from "../../../client/native-wire.ts";
import type { ChannelEvent } from "../../../client/session/messages.ts";
import { BadArgumentsError } from "../../../protocol/errors.ts";
import { decodeClientFrame, encodeGatewayFrame } from "../../../protocol/native.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { PATH_COMPONENTS_MAX, PATH_LENGTH_MAX } from "../../../protocol/limits.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

class Gateway implements NativeChannel {
  readonly up = true;
  readonly maxPayloadBytes = 1_000_000;
  /** Kinds of what the client said beside the opening. */
  readonly said: string[] = [];
  #happen: (event: ChannelEvent) => void = () => undefined;

  onEvent(handler: (event: ChannelEvent) => void): void {
    this.#happen = handler;
  }

  send(_subject: string, connection: number, bytes: Uint8Array): void {
    for (const { kind } of decodeClientFrame(bytes).items) {
      if (kind !== "open") this.said.push(kind);
      else queueMicrotask(() => this.#accept(connection));
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #accept(connection: number): void {
    const opened = {
      kind: "opened",
      session: 7 as SessionId,
      password: new Uint8Array(16),
      timeoutMs: 60_000,
      server: 1,
      lane: 1,
      zxid: 5 as Zxid,
    } as const;
    const bytes = encodeGatewayFrame({ sequence: 1, items: [opened] });
    this.#happen({ kind: "received", connection, bytes });
  }
}

async function connected(t: ExecutionContext): Promise<{ client: Client; gateway: Gateway }> {
  const gateway = new Gateway();
  const times = { sessionTimeoutMs: 60_000, operationTimeoutMs: 60_000 };
  const session = new NativeWire(gateway, { ensemble: "test", ...times });
  await new Promise((resolve) => setImmediate(resolve));
  t.is(session.state.kind, "connected");
  t.teardown(() => void session.close());
  return { client: new Client(session), gateway };
}

test("a URL whose password is not percent-encoded is a wrong argument, and the password is not told", async (t) => {
  for (const password of ["s3cret%", "s3cret/x"]) {
    const url = `nats://one:${password}@127.0.0.1:1`;
    const error = await t.throwsAsync(connect(url), { instanceOf: BadArgumentsError });
    t.false(error.message.includes("s3cret"), error.message);
  }
});

/** Whatever a caller without types may give. */
const anything = (value: unknown): never => value as never;

const PATHS: readonly unknown[] = [
  undefined,
  null,
  5,
  {},
  "",
  "a",
  "/a/",
  "/a//b",
  "/a/../b",
  `/${"a".repeat(PATH_LENGTH_MAX)}`,
  "/a".repeat(PATH_COMPONENTS_MAX + 1),
];
const DATA: readonly unknown[] = [5, true, {}, [1, 2], new Uint16Array(2), new ArrayBuffer(2)];
const VERSIONS: readonly unknown[] = [null, "1", 1.5, Number.NaN, 2 ** 31, -(2 ** 31) - 1, 1n, {}];
const BOOLEANS: readonly unknown[] = [null, 0, 1, "true", {}];
const ZXIDS: readonly unknown[] = [-1, 1.5, Number.NaN, Infinity, 2 ** 53, "5", 5n, null, {}];
const OPTIONS: readonly unknown[] = [null, 5, "x", true];

test("wrong arguments of operations are rejected and named, and nothing is said", async (t) => {
  const { client, gateway } = await connected(t);
  const bad = (error: unknown): boolean =>
    error instanceof BadArgumentsError && error.code === "ZOOID_BAD_ARGUMENTS";
  const rejected = async (asked: Promise<unknown>, about: string): Promise<void> => {
    const error = await t.throwsAsync(asked, undefined, about);
    t.true(bad(error), `${about}: ${String(error)}`);
  };
  for (const path of PATHS) {
    await rejected(client.create(anything(path)), "create");
    await rejected(client.get(anything(path)), "get");
    await rejected(client.set(anything(path), null), "set");
    await rejected(client.delete(anything(path)), "delete");
    await rejected(client.exists(anything(path)), "exists");
    await rejected(client.children(anything(path)), "children");
    // Without a path it is the root.
    if (path !== undefined) await rejected(client.sync(anything(path)), "sync");
    t.true(bad(t.throws(() => client.changes(anything(path)))));
  }
  for (const data of DATA) {
    await rejected(client.create("/a", anything(data)), "create's data");
    await rejected(client.set("/a", anything(data)), "set's data");
  }
  await rejected(client.set("/a", anything(undefined)), "set without data");
  for (const version of VERSIONS) {
    await rejected(client.set("/a", null, { version: anything(version) }), "set's version");
    await rejected(client.delete("/a", { version: anything(version) }), "delete's version");
  }
  for (const value of BOOLEANS) {
    await rejected(client.create("/a", null, { ephemeral: anything(value) }), "ephemeral");
    await rejected(client.create("/a", null, { sequential: anything(value) }), "sequential");
    t.true(bad(t.throws(() => client.changes("/a", { recursive: anything(value) }))));
    t.true(bad(t.throws(() => client.tree$("/a", { data: anything(value) }))));
  }
  for (const value of ["1", -1, Number.NaN, null]) {
    t.true(bad(t.throws(() => client.changes("/a", { progressMs: anything(value) }))));
    t.true(bad(t.throws(() => client.changes("/a", { onGap: anything(value) }))));
    t.true(bad(t.throws(() => client.value$("/a", { signal: anything(value) }))));
    t.true(bad(t.throws(() => client.children$("/a", { signal: anything(value) }))));
  }
  for (const options of OPTIONS) {
    await rejected(client.create("/a", null, anything(options)), "create's options");
    await rejected(client.set("/a", null, anything(options)), "set's options");
    await rejected(client.delete("/a", anything(options)), "delete's options");
    t.true(bad(t.throws(() => client.changes("/a", anything(options)))));
  }
  t.deepEqual(gateway.said, []);
});

const ACLS: readonly unknown[] = [
  null,
  "world",
  [5],
  [null],
  [{ permissions: 32, scheme: "world", id: "anyone" }],
  [{ permissions: "31", scheme: "world", id: "anyone" }],
  [{ permissions: 31, id: "anyone" }],
];
const CALLS: readonly unknown[] = [
  { timeoutMs: 0 },
  { timeoutMs: "5" },
  { signal: 5 },
  { signal: {} },
];

test("wrong lists, times, signals, quotas and steps are rejected and named, and nothing is said", async (t) => {
  const { client, gateway } = await connected(t);
  const rejected = async (asked: () => Promise<unknown>, about: string): Promise<void> => {
    const error = await t.throwsAsync(async () => asked(), undefined, about);
    t.true(error instanceof BadArgumentsError, `${about}: ${String(error)}`);
  };
  for (const acl of ACLS) {
    await rejected(() => client.setAcl("/a", anything(acl)), "setAcl");
    await rejected(() => client.create("/a", null, { acl: anything(acl) }), "create's list");
    await rejected(() => client.put("/a", null, { acl: anything(acl) }), "put's list");
  }
  for (const call of [...CALLS, ...OPTIONS]) {
    const options = anything(call);
    await rejected(() => client.get("/a", options), "get");
    await rejected(() => client.put("/a", null, options), "put");
    await rejected(() => client.update("/a", () => null, options), "update");
    await rejected(() => client.exists("/a", options), "exists");
    await rejected(() => client.children("/a", options), "children");
    await rejected(() => client.acl("/a", options), "acl");
    await rejected(() => client.sync("/a", options), "sync");
    await rejected(() => client.whoAmI(options), "whoAmI");
    await rejected(() => client.quota("/a", options), "quota");
    await rejected(() => client.transaction((tx) => [tx.delete("/a")]).commit(options), "commit");
  }
  await rejected(() => client.get("/a", { consistency: anything("strong") }), "consistency");
  for (const limits of [5, { znodes: -1 }, { bytes: "1" }, { bytesHard: 1.5 }]) {
    await rejected(() => client.setQuota("/a", anything(limits)), "setQuota");
  }
  await rejected(() => client.delete("/a", { recursive: true, version: 3 }), "recursive, version");
  await rejected(
    () => client.create("/a", null, { ifNotExists: true, sequential: true }),
    "ifNotExists, sequential",
  );
  for (const path of PATHS) {
    await rejected(async () => client.transaction((tx) => [tx.create(anything(path))]), "create");
    await rejected(async () => client.transaction((tx) => [tx.set(anything(path), "")]), "set");
    await rejected(async () => client.transaction((tx) => [tx.delete(anything(path))]), "delete");
    await rejected(async () => client.transaction((tx) => [tx.check(anything(path))]), "check");
    await rejected(async () => exists(anything(path)), "the condition exists");
    await rejected(async () => absent(anything(path)), "the condition absent");
  }
  await rejected(() => client.transaction(() => []).commit(), "an empty transaction");
  t.deepEqual(gateway.said, []);
});

test("a stream that is to begin at no zxid is not opened", async (t) => {
  const { client, gateway } = await connected(t);
  for (const from of ZXIDS) {
    const error = t.throws(() => client.changes("/a", { from: anything(from) }));
    t.true(error instanceof BadArgumentsError);
    t.regex(error?.message ?? "", /`from` is a zxid/);
  }
  await Promise.resolve();
  t.deepEqual(gateway.said, []);
  client.changes("/a", { from: 0 as Zxid }).subscribe();
  await Promise.resolve();
  t.deepEqual(gateway.said, ["openStream"]);
});

test("wrong arguments of connect are rejected before a server is asked", async (t) => {
  const url = "nats://127.0.0.1:1";
  const wrong: readonly unknown[] = [
    { ensemble: 5 },
    { ensemble: "a b" },
    { sessionTimeoutMs: 0 },
    { sessionTimeoutMs: Number.NaN },
    { operationTimeoutMs: 1.5 },
    { connectTimeoutMs: "10" },
    { connectTimeoutMs: Infinity },
    { user: 5 },
    { tls: 5 },
    { tls: { caFile: 5 } },
    { name: null },
    null,
    5,
  ];
  for (const options of wrong) {
    await t.throwsAsync(connect(url, options as ConnectOptions), { instanceOf: BadArgumentsError });
  }
  for (const each of [undefined, null, 5, "", "http://a:1", "nats://"]) {
    await t.throwsAsync(connect(anything(each)), { instanceOf: BadArgumentsError });
  }
});
