/** The check of batches that come from peers: it takes what a submitter makes, and nothing that a tree could not apply. */
import test from "ava";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { decodeBatch, encodeBatch } from "../../../protocol/batch.ts";
import { batchFault } from "../../../protocol/batch-check.ts";
import { encodeCbor } from "../../../protocol/cbor.ts";
import { Code } from "../../../protocol/codes.ts";
import { CONTAINER, type Lifetime, TTL_MS_MAX } from "../../../protocol/lifetime.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { ClientOperation, Operation } from "../../../protocol/operations.ts";
import { REMOVE_RECURSIVE_MAX } from "../../../protocol/limits.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { SeededRandomness } from "../../../runtime/testing/virtual-clock.ts";

const session = (3 * 2 ** 32 + 7) as SessionId;
const attachedAt = (3 * 2 ** 32 + 9) as Zxid;
const password = new Uint8Array(16);
const mode = { ephemeral: true, sequential: true };
const data = new Uint8Array(300);
const create = { kind: "create", path: "/a", data: null, acl: OPEN_ACL, mode } as const;
const STAT: Stat = {
  ...{ czxid: attachedAt, mzxid: -2 as Zxid, ctime: -1, mtime: Number.MAX_SAFE_INTEGER },
  ...{ version: -(2 ** 31), cversion: 2 ** 31 - 1, aversion: 0, ephemeralOwner: -1 },
  ...{ dataLength: 7, numChildren: -1, pzxid: 0 as Zxid },
};
const parts = [
  create,
  { kind: "delete", path: "/a", version: -1 },
  { kind: "setData", path: "/ä", data, version: 3 },
  { kind: "check", path: "/a", version: 2 ** 31 - 1 },
  { kind: "checkNotExists", path: "/a", version: -(2 ** 31) },
  { kind: "tryRemove", path: "/a", version: 0 },
  { kind: "removeRecursive", path: "/a", znodesMax: REMOVE_RECURSIVE_MAX },
  { kind: "checkStat", path: "/a", version: -1, stat: STAT },
  { ...create, unlessExists: true },
] as const;
const lasting = { ephemeral: false, sequential: true };
const lifetimes = [CONTAINER, 1 as Lifetime, TTL_MS_MAX as Lifetime].map(
  (lifetime) => ({ ...create, mode: { ...lasting, lifetime } }) as const,
);
const refusal = { kind: "refusal", path: "/a", code: Code.badArguments } as const;
const ofClients: readonly ClientOperation[] = [
  ...parts,
  ...lifetimes,
  ...lifetimes.map((each) => ({ ...each, unlessExists: true }) as const),
  { kind: "multi", operations: [...lifetimes, refusal] },
  { kind: "setAcl", path: "/a", acl: OPEN_ACL, version: 0 },
  { kind: "multi", operations: parts },
  { kind: "sync", path: "/" },
  { kind: "closeSession" },
];
const ALL: readonly Operation[] = [
  { kind: "createSession", timeoutMs: 30_000, password },
  { kind: "attachSession", session, timeoutMs: 4_000, password },
  { kind: "expireSession", session, attachedAt },
  { kind: "deleteContainer", path: "/a", unusedMs: 0 },
  ...ofClients.map((operation) => ({ kind: "client", session, attachedAt, operation }) as const),
  ...ofClients.map((operation, index) => {
    const request = { number: Number.MAX_SAFE_INTEGER - index, answered: index };
    return { kind: "client", session, attachedAt, request, operation } as const;
  }),
];

test("every operation that a submitter makes is taken, alone and together", (t) => {
  for (const operation of ALL) {
    t.is(batchFault(encodeBatch([operation]), 1), undefined, operation.kind);
  }
  t.is(batchFault(encodeBatch(ALL), ALL.length), undefined);
});

test("every operation is read from a batch as it was written, with nothing that it did not have", (t) => {
  for (const operation of ALL) {
    // A clone has plain bytes where what is read has Buffers.
    const read = structuredClone(decodeBatch(encodeBatch([operation])));
    t.deepEqual(read, [operation], operation.kind);
  }
});

test("a batch of another count, cut short, with something behind it, or of unknown operations is refused", (t) => {
  const whole = encodeBatch(ALL);
  t.truthy(batchFault(whole, ALL.length + 1));
  t.truthy(batchFault(Buffer.concat([whole, new Uint8Array(1)]), ALL.length));
  for (let length = 0; length < whole.length; length += 1) {
    t.truthy(batchFault(whole.subarray(0, length), ALL.length));
  }
  for (const wrong of [
    [99, 1, 1, "/a"],
    [1, 1, 1, "/a", null, [], 4],
    [1, 1, 1, 5, null, [], 0],
    [1, 1, 1, "/a", "text", [], 0],
    [19, 1, 1, "/a", null, [], 1],
    [19, 1, 1, "/a", null, [], 4],
    [20, "/a"],
    [20, "/a", -1],
    [21, 1, 1, "/a", null, [], 0, 0],
    [21, 1, 1, "/a", null, [], 0, 2 ** 40],
    [21, 1, 1, "/a", null, [], 3, 7],
    [21, 1, 1, "/a", null, [], 0],
    [-22, 1, 1, "/a", -8],
    [14, 1, 1, [[-22, 0, 0, "/a", 0]]],
    [14, 1, 1, [[20, "/a", 0]]],
    [2, 1, 1, "/a", 2 ** 40],
    [2, 1, 1, "/a"],
    [2, -1, 1, "/a", 1],
    [2, 1, [1, 2], "/a", 1],
    [2, 1, [1, 2, -1], "/a", 1],
    [2, 1, [1, 2, 3, 4], "/a", 1],
    [2, [1, 2, 3], 1, "/a", 1],
    [14, 1, 1, [[2, 0, [0, 1, 1], "/a", 1]]],
    [-10, [1, 2, 3], new Uint8Array(16)],
    [-23, 1, 1, "/a", null, [], 1],
    [-24, 1, 1, "/a", null, [], 0, 0],
    [14, 1, 1, [[14, 0, 0, []]]],
    [14, 1, 1, [[-11, 0, 0]]],
    [-10, 1, new Uint8Array(4)],
    ["1", 1, 1, "/a"],
    {},
    null,
  ]) {
    t.truthy(batchFault(encodeCbor([wrong]), 1), JSON.stringify(wrong));
  }
});

test("whatever bytes are changed, what is taken is decoded to as many operations", (t) => {
  const random = new SeededRandomness(1);
  const whole = encodeBatch(ALL);
  let taken = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = new Uint8Array(whole);
    bytes[Math.floor(random.random() * bytes.length)] = Math.floor(random.random() * 256);
    if (batchFault(bytes, ALL.length) !== undefined) continue;
    taken += 1;
    t.is(decodeBatch(bytes).length, ALL.length);
  }
  t.true(taken > 100);
});
