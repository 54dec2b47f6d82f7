/** What clients may ask of either gateway: what is refused, how it is answered, and that it reaches neither tree nor log. */
import test from "ava";
import { nativeRefusal, readRefusal, writeRefusal } from "../../../actors/gateway/checks.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import {
  ACL_ENTRIES_MAX,
  IDENTITY_LENGTH_MAX,
  MULTI_OPERATIONS_MAX,
  PACKET_BYTES_MAX,
  PATH_COMPONENTS_MAX,
  PATH_LENGTH_MAX,
  WATCHES_PER_REQUEST_MAX,
} from "../../../protocol/limits.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import { NO_WATCHES } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { GatewayDriver, replyHeaders, requestFrame } from "../../support/gateway-driver.ts";
import { JuteReader } from "../../support/jute.ts";
import { check, create as createOperation, multi, remove, setData } from "../../support/replica.ts";
import * as zk from "../../support/zookeeper-client/operations.ts";

function attached(): GatewayDriver {
  const gateway = new GatewayDriver();
  gateway.leadership("following");
  gateway.attach(1);
  return gateway;
}

/** The code of the answer to one request that goes no further than the gateway. */
function refusedWith(request: zk.Operation): number | undefined {
  const gateway = attached();
  gateway.bytes(1, requestFrame(1, request));
  return gateway.told.length === 0 ? replyHeaders(gateway.written(1))[0]?.code : undefined;
}

/** The one write that the gateway hands on. */
function handedOn(request: zk.Operation): ClientOperation | undefined {
  const gateway = attached();
  gateway.bytes(1, requestFrame(1, request));
  const message = gateway.told[0]?.message;
  const operation = message?.kind === "write" ? message.operations[0] : undefined;
  return operation?.kind === "client" ? operation.operation : undefined;
}

const long = `/${"a".repeat(PATH_LENGTH_MAX)}`;
const longest = `/${"a".repeat(PATH_LENGTH_MAX - 1)}`;
const deep = "/a".repeat(PATH_COMPONENTS_MAX + 1);

test("a path above the limits is no node to a read, and is refused in a write", (t) => {
  for (const path of [long, deep]) {
    t.is(refusedWith(zk.exists(path, true)), Code.noNode);
    t.is(refusedWith(zk.getData(path)), Code.noNode);
    t.is(refusedWith(zk.getChildren(path, true)), Code.noNode);
    t.is(refusedWith(zk.getAcl(path)), Code.noNode);
    for (const write of [zk.create(path), zk.setData(path, "x"), zk.remove(path), zk.sync(path)]) {
      t.is(refusedWith(write), Code.badArguments);
    }
    t.is(refusedWith(zk.setAcl(path, zk.OPEN)), Code.badArguments);
  }
  for (const path of [longest, "/a".repeat(PATH_COMPONENTS_MAX)]) {
    t.is(refusedWith(zk.create(path)), undefined);
    t.is(refusedWith(zk.exists(path)), undefined);
  }
});

test("a sequential node's number counts into the length of its path", (t) => {
  const { persistentSequential: mode } = zk.Mode;
  t.is(refusedWith(zk.create(longest, "", { mode })), Code.badArguments);
  t.is(refusedWith(zk.create(longest.slice(0, -10), "", { mode })), undefined);
});

test("an access control list that is not valid reaches the log as the empty one", (t) => {
  const lists: readonly (readonly zk.AclEntry[] | null)[] = [
    null,
    [],
    [{ perms: 31, scheme: "world", id: "somebody" }],
    [{ perms: 31, scheme: "digest", id: ":".repeat(1_000_000) }],
    [{ perms: 31, scheme: "digest", id: `user:${"h".repeat(IDENTITY_LENGTH_MAX)}` }],
    [{ perms: 31, scheme: "auth", id: "" }],
    [{ perms: 31, scheme: "sasl", id: "user" }],
    [...zk.OPEN, { perms: 1, scheme: "ip", id: "::1" }],
    Array.from({ length: ACL_ENTRIES_MAX + 1 }, () => zk.OPEN[0] as zk.AclEntry),
    Array.from({ length: 45_000 }, (_, index) => ({ perms: index, scheme: "ip", id: "1.2.3.4" })),
  ];
  for (const acl of lists) {
    t.like(handedOn(zk.create("/a", "", { acl })), { acl: [] });
    t.like(handedOn(zk.setAcl("/a", acl)), { acl: [] });
    const several = zk.multi(zk.create("/a"), zk.create("/b", "", { acl }));
    t.like(handedOn(several), { operations: [{ acl: OPEN_ACL }, { acl: [] }] });
  }
  for (const acl of [
    [{ perms: 1, scheme: "world", id: "anyone" }],
    [{ perms: 31, scheme: "digest", id: "user:hash" }],
    [...zk.OPEN, { perms: 1, scheme: "ip", id: "127.0.0.1" }],
  ]) {
    const stored = acl.map(({ perms, scheme, id }) => ({ permissions: perms, scheme, id }));
    t.like(handedOn(zk.create("/a", "", { acl })), { acl: stored });
    t.like(handedOn(zk.setAcl("/a", acl)), { acl: stored });
  }
  t.like(handedOn(zk.create("/a")), { acl: OPEN_ACL });
  t.like(handedOn(zk.setAcl("/a", zk.OPEN)), { acl: OPEN_ACL });
});

test("what is at /zookeeper or below it is handed on: the tree knows what may be written there", (t) => {
  for (const path of ["/zookeeper", "/zookeeper/quota", "/zookeeper/config", "/zookeeper/other"]) {
    t.is(refusedWith(zk.setData(path, "x")), undefined);
    t.is(refusedWith(zk.create(`${path}/a`)), undefined);
    t.is(refusedWith(zk.remove(path)), undefined);
    t.is(nativeRefusal({ kind: "write", operation: setData(path, null) }), undefined);
    t.is(nativeRefusal({ kind: "write", operation: remove(path) }), undefined);
  }
});

test("a multi of which one operation is refused is answered operation by operation", (t) => {
  const gateway = attached();
  const request = zk.multi(zk.create("/a"), zk.setData(long, "x"), zk.create("/b"));
  gateway.bytes(1, requestFrame(1, request));
  t.deepEqual(gateway.told, []);
  const reader = new JuteReader(gateway.written(1).subarray(4 + 16));
  const codes = Array.from({ length: 3 }, () => {
    t.is(reader.int(), -1);
    t.false(reader.bool());
    t.is(reader.int(), reader.int());
    return undefined;
  });
  t.is(codes.length, 3);
  t.deepEqual([reader.int(), reader.bool(), reader.int()], [-1, true, -1]);
  const refusal = writeRefusal(multi(createOperation("/a"), setData(long, null)));
  t.deepEqual(refusal, { code: Code.badArguments, failedAt: 1 });
});

test("a multi of more operations than the limit is refused as a whole", (t) => {
  const most = multi(...Array.from({ length: MULTI_OPERATIONS_MAX }, () => check("/a")));
  t.is(writeRefusal(most), undefined);
  const more = multi(...Array.from({ length: MULTI_OPERATIONS_MAX + 1 }, () => check("/a")));
  t.deepEqual(writeRefusal(more), { code: Code.badArguments });
});

test("a request sets no more watches than the limit", (t) => {
  const most = Array.from({ length: WATCHES_PER_REQUEST_MAX }, () => "/");
  const none = { kind: "setWatches", relativeZxid: 0 as Zxid, ...NO_WATCHES } as const;
  for (const list of ["data", "exist", "child", "persistent", "persistentRecursive"] as const) {
    t.is(readRefusal({ ...none, [list]: most }), undefined);
    t.is(readRefusal({ ...none, data: ["/"], [list]: [...most, "/"] }), Code.badArguments);
    t.is(readRefusal({ ...none, data: ["/"], [list]: [deep] }), Code.badArguments);
  }
  t.is(readRefusal({ kind: "addWatch", path: deep, mode: "persistent" }), Code.badArguments);
  t.is(readRefusal({ kind: "removeWatches", path: deep, watcher: "any" }), Code.noWatcher);
});

test("who cannot authenticate is told so, and the connection ends with a line in the log", (t) => {
  const gateway = attached();
  const body = Buffer.concat([Buffer.alloc(4), text("digest"), text("user:secret")]);
  const auth: zk.Operation = { ...zk.ping(), type: 100, xid: -4, body };
  gateway.bytes(1, Buffer.concat([requestFrame(1, auth), requestFrame(2, zk.create("/a"))]));
  t.deepEqual(
    gateway.told.map(({ message }) => message.kind),
    ["forget", "forget"],
  );
  const headers = replyHeaders(gateway.written(1)).map(({ xid, code }) => [xid, code]);
  t.deepEqual(headers, [[-4, Code.authFailed]]);
  t.true(gateway.closed(1));
  t.regex(gateway.logged().join(), /connectionRefused it cannot authenticate \(scheme "digest"\)/);
  t.notRegex(gateway.logged().join(), /secret/);
});

test("a native client is held to the same limits, and to the rules for paths also in reads", (t) => {
  const read = (path: string): number | undefined =>
    nativeRefusal({ kind: "read", read: { kind: "exists", path, watch: false } })?.code;
  t.is(read("a"), Code.badArguments);
  t.is(read(long), Code.noNode);
  t.is(read("/a"), undefined);
  const stats = (path: string, ...names: string[]): number | undefined =>
    nativeRefusal({ kind: "read", read: { kind: "childStats", path, names } })?.code;
  t.is(stats("/a", "b", "..c"), undefined);
  t.is(stats("a", "b"), Code.badArguments);
  t.is(stats(long, "b"), Code.noNode);
  for (const name of ["", "b/c", "/", ".", "..", "b\0"]) {
    t.is(stats("/a", "b", name), Code.badArguments, JSON.stringify(name));
  }
  const write = createOperation(long);
  t.deepEqual(nativeRefusal({ kind: "write", operation: write }), { code: Code.badArguments });
  const good = createOperation("/a");
  t.is(nativeRefusal({ kind: "write", operation: good }), undefined);
  const operations = [good, { kind: "check", path: "a", version: -1 } as const];
  t.deepEqual(nativeRefusal({ kind: "write", operation: { kind: "multi", operations } }), {
    code: Code.badArguments,
    failedAt: 1,
  });
  const large = { ...good, data: new Uint8Array(PACKET_BYTES_MAX / 2) };
  const several = { kind: "multi", operations: [large, large, large] } as const;
  t.deepEqual(nativeRefusal({ kind: "write", operation: several }), { code: Code.badArguments });
});

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
