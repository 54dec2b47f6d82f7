/** The native protocol's frames: both ways, and against bytes that are none. */
import test from "ava";
import fc from "fast-check";
import { Code } from "../../../protocol/codes.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import {
  type ClientItem,
  decodeClientFrame,
  decodeGatewayFrame,
  encodeClientFrame,
  encodeGatewayFrame,
  type GatewayItem,
} from "../../../protocol/native.ts";
import { encodeCbor } from "../../../protocol/cbor.ts";
import { FieldError } from "../../../protocol/fields.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { CONTAINER, type Lifetime } from "../../../protocol/lifetime.ts";
import type { Stat } from "../../../protocol/stat.ts";
import { epoch, type Zxid, zxidOf } from "../../../protocol/zxid.ts";

const ZXID = zxidOf(epoch(2 ** 20), 2 ** 32 - 1);
const BYTES = new Uint8Array([1, 2, 3]);
const STAT: Stat = {
  czxid: 1 as Zxid,
  mzxid: ZXID,
  ctime: 1_700_000_000_000,
  mtime: 1_700_000_000_001,
  version: 3,
  cversion: 4,
  aversion: 5,
  ephemeralOwner: ZXID,
  dataLength: 7,
  numChildren: 8,
  pzxid: 9 as Zxid,
};

const LISTED = [
  { permissions: 1, scheme: "world", id: "anyone" },
  { permissions: 31, scheme: "digest", id: "ann:hash" },
];
const PLAIN = { ephemeral: false, sequential: false };
const TTL = 1000 as Lifetime;
const CREATE = { kind: "create", path: "/a", data: null, acl: OPEN_ACL, mode: PLAIN } as const;
const CREATES = [
  { ...CREATE, acl: LISTED },
  { ...CREATE, unlessExists: true },
  { ...CREATE, mode: { ...PLAIN, lifetime: CONTAINER }, unlessExists: true, acl: LISTED },
  { ...CREATE, mode: { ...PLAIN, lifetime: TTL }, acl: LISTED },
  { ...CREATE, mode: { ...PLAIN, lifetime: TTL } },
] as const;
const MEMBERS = [
  ...CREATES,
  { kind: "delete", path: "/a", version: 1 },
  { kind: "setData", path: "/a", data: BYTES, version: -1 },
  { kind: "check", path: "/a", version: 7 },
  { kind: "checkNotExists", path: "/b", version: -1 },
  { kind: "checkStat", path: "/a", version: -1, stat: STAT },
  { kind: "tryRemove", path: "/a", version: -1 },
  { kind: "removeRecursive", path: "/a", znodesMax: 10 },
] as const;

test("every item of a client comes back as it was", (t) => {
  const any = { path: "/ä/b", version: -1 };
  const mode = { ephemeral: true, sequential: false };
  const requests = [
    { kind: "write", operation: { kind: "create", path: "/a", data: BYTES, acl: OPEN_ACL, mode } },
    { kind: "write", operation: { kind: "delete", ...any } },
    { kind: "write", operation: { kind: "setData", data: null, ...any } },
    { kind: "write", operation: { kind: "sync", path: "/" } },
    { kind: "write", operation: { kind: "setAcl", path: "/a", acl: LISTED, version: 2 } },
    { kind: "write", operation: { kind: "removeRecursive", path: "/a", znodesMax: 100 } },
    { kind: "write", operation: { kind: "multi", operations: MEMBERS } },
    { kind: "write", operation: { kind: "multi", operations: [] } },
    ...CREATES.map((operation) => ({ kind: "write", operation }) as const),
    { kind: "whoAmI" },
    { kind: "read", read: { kind: "getAcl", path: "/a" } },
    { kind: "write", operation: { kind: "closeSession" } },
    { kind: "read", read: { kind: "exists", path: "/a", watch: false } },
    { kind: "read", read: { kind: "getData", path: "/a", watch: false } },
    { kind: "read", read: { kind: "getChildren", path: "/a", watch: false } },
    { kind: "read", read: { kind: "childrenPage", path: "/a", childrenMax: 5, after: undefined } },
    {
      kind: "read",
      read: { kind: "changedPaths", path: "/a", below: true, after: undefined, pathsMax: 0 },
    },
    {
      kind: "read",
      read: { kind: "changedPaths", path: "/a", below: false, after: ZXID, pathsMax: 1000 },
    },
    { kind: "read", read: { kind: "childStats", path: "/a", names: ["ä", "b"] } },
    {
      kind: "read",
      read: {
        kind: "childrenPage",
        path: "/a",
        childrenMax: 5,
        after: { names: ["b", "a"], zxid: 7 as Zxid, order: "1.1.0.0" },
      },
    },
  ] as const;
  const session = ZXID as number as SessionId;
  const stream = { path: "/a", recursive: true, after: ZXID, credits: 1024 };
  const items: ClientItem[] = [
    { kind: "open", version: 1, session, password: new Uint8Array(16).fill(7), timeoutMs: 10_000 },
    { kind: "ping" },
    { kind: "taken", sequence: 7 },
    ...requests.map((request, id): ClientItem => ({ kind: "request", id: id + 1, request })),
    { kind: "answered", number: 9 },
    { kind: "openStream", stream: 1, ...stream },
    { kind: "openStream", stream: 2, ...stream, recursive: "children" },
    { kind: "credit", stream: 1, credits: 512 },
    { kind: "closeStream", stream: 1 },
  ];
  t.deepEqual(decodeClientFrame(encodeClientFrame({ sequence: 12, items })), {
    sequence: 12,
    items,
  });
});

test("every item of a gateway comes back as it was", (t) => {
  const results = [
    { kind: "error", code: Code.noNode },
    { kind: "done" },
    { kind: "created", path: "/a0000000001", stat: STAT },
    { kind: "stat", stat: STAT },
    { kind: "data", data: BYTES, stat: STAT },
    { kind: "data", data: null, stat: STAT },
    { kind: "children", children: ["b", "a"], stat: STAT },
    { kind: "acl", acl: LISTED, stat: STAT },
    { kind: "acl", acl: LISTED, stat: STAT, lifetime: CONTAINER },
    { kind: "acl", acl: LISTED, stat: STAT, lifetime: 60_000 as Lifetime },
    { kind: "identities", identities: [{ scheme: "digest", id: "ann" }] },
    { kind: "multi", failed: false, results: [{ kind: "done" }, { kind: "stat", stat: STAT }] },
    { kind: "multi", failed: true, results: [{ kind: "error", code: Code.badVersion }] },
    { kind: "page", children: ["b", "a"], stat: STAT, order: "1.1.0.0", end: "more" },
    { kind: "stats", stats: [STAT, null] },
    { kind: "changed", through: ZXID, changes: 3, paths: ["/a"], unlisted: 1, end: "more" },
    { kind: "page", children: [], stat: STAT, order: "1.1.0.1", end: "lost" },
  ] as const;
  const change = { zxid: ZXID, path: "/a", stat: STAT };
  const items: GatewayItem[] = [
    {
      kind: "opened",
      session: ZXID as number as SessionId,
      password: new Uint8Array(16),
      timeoutMs: 4000,
      server: 3,
      lane: 2,
      zxid: ZXID,
    },
    { kind: "pong", zxid: ZXID },
    ...results.map((result, id): GatewayItem => ({ kind: "result", id, zxid: ZXID, result })),
    {
      kind: "changes",
      stream: 1,
      through: ZXID,
      changes: [
        { ...change, index: 0, kind: "created", data: BYTES },
        { ...change, index: 1, kind: "data", data: null },
        { ...change, index: 2, kind: "acl" },
        { ...change, index: 3, kind: "deleted" },
      ],
    },
    { kind: "compacted", stream: 1, oldest: ZXID },
    { kind: "streamRefused", stream: 2, code: Code.badArguments },
    { kind: "ended", reason: "noLeader" },
  ];
  t.deepEqual(decodeGatewayFrame(encodeGatewayFrame({ sequence: 1, items })), {
    sequence: 1,
    items,
  });
});

test("bytes that are no frame throw, whatever they are", (t) => {
  const decodes = (bytes: Uint8Array): void => {
    try {
      const { sequence, items } = decodeClientFrame(bytes);
      t.true(Number.isSafeInteger(sequence) && Array.isArray(items));
    } catch (error) {
      t.true(error instanceof Error);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), decodes), { seed: 1 });
  fc.assert(
    fc.property(fc.anything(), (value) => decodes(encodeCbor(value))),
    { seed: 1 },
  );
});

test("a request whose fields are wrong is refused alone", (t) => {
  const { marshallingError, unimplemented, badArguments } = Code;
  for (const [code, ...fields] of [
    [marshallingError, 4, 5],
    [marshallingError, 4],
    [marshallingError, 5, "/a", "text", -1],
    [marshallingError, 5, "/a", null, 1.5],
    [marshallingError, 2, "/a", 2 ** 31],
    [marshallingError, 1, "/a", null, null],
    [badArguments, 1, "/a", null, 5],
    [marshallingError, 1, "/a", null, 32, [[1, "world"]]],
    [marshallingError, 7, "/a", [[1, 2, "x"]], 0],
    [marshallingError, 6],
    [marshallingError, 14, "/a"],
    [marshallingError, 14, [[13, "/a", "x"]]],
    [unimplemented, 14, [[3, "/a", 0]]],
    [badArguments, 14, [[503, "/a", -1]]],
    [badArguments, 14, [[504, "/a", -1, Array(11).fill(-(2 ** 40))]]],
    [unimplemented, 999, "/a"],
    [unimplemented, null],
  ]) {
    const { items } = decodeClientFrame(encodeCbor([1, [[2], [3, 7, ...fields], [2]]]));
    t.deepEqual(items, [{ kind: "ping" }, { kind: "badRequest", id: 7, code }, { kind: "ping" }]);
  }
});

test("a stream whose fields are wrong is refused alone", (t) => {
  const code = Code.badArguments;
  for (const item of [
    [4, 9, "/a", true, 1.5, 1],
    [4, 9, "/a", true, -1, 1],
    [4, 9, 5, true, 0, 1],
    [4, 9, "/a", 1, 0, 1],
    [5, 9, -1],
    [5, 9],
  ]) {
    const { items } = decodeClientFrame(encodeCbor([1, [item]]));
    t.deepEqual(items, [{ kind: "badStream", stream: 9, code }], JSON.stringify(item));
  }
});

test("an item that nobody could be answered is no item", (t) => {
  for (const item of [
    [1, 1, 0, "no bytes", 1000],
    [3, -1, 4, "/a"],
    [3, 0, 4, "/a"],
    [9, -1],
    [4, "1", "/a", true, 1, 1],
    [99],
    "no list",
  ]) {
    t.throws(() => decodeClientFrame(encodeCbor([1, [item]])), undefined, JSON.stringify(item));
  }
});

test("fields of a gateway's frame are checked", (t) => {
  for (const item of [
    [11, 1, "no bytes", 4000, 1, 1, 1],
    [12, "1"],
    [13, 1, 1, 3, [1, 2]],
    [13, 1, 1, 5, Array(11).fill(1), ["a", 5]],
    [13, 1, 1, 10],
    [13, 1, 1, 7, false, [[4, Array(11).fill(1), null]]],
    [13, 1, 1, 8, Array(11).fill(1), [["x"]]],
    [13, 1, 1, 9, [["digest"]]],
    [14, 1, 1, [[1, 0, 7, "/a", Array(11).fill(1)]]],
    [14, 1, 1, "none"],
    [15, 1, -1],
    [16, 5],
    [17, 1, null],
    [99],
  ]) {
    const bytes = encodeCbor([1, [item]]);
    t.throws(() => decodeGatewayFrame(bytes), { instanceOf: FieldError }, JSON.stringify(item));
  }
});

test("data that was decoded does not keep the frame in memory", (t) => {
  const request = {
    kind: "write",
    operation: { kind: "setData", path: "/a", data: BYTES, version: -1 },
  } as const;
  const bytes = encodeClientFrame({ sequence: 1, items: [{ kind: "request", id: 1, request }] });
  const item = decodeClientFrame(bytes).items[0];
  if (item?.kind !== "request" || item.request.kind !== "write") return t.fail();
  const { operation } = item.request;
  t.is(operation.kind === "setData" ? operation.data?.buffer.byteLength : undefined, 3);
});
