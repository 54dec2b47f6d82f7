/** Arbitrary operations on a few paths, so that they meet: some that are there, some that are not, some that are not valid. */
import fc from "fast-check";
import type { ClientOperation, ZnodeOperation } from "../../protocol/operations.ts";
import type { Zxid } from "../../protocol/zxid.ts";

export const PATHS: readonly string[] = [
  "/a",
  "/b",
  "/a/x",
  "/a/y",
  "/a/x/1",
  "/b/x",
  "/b/s-",
  "/a/",
  "/",
  "/zookeeper/q",
];

export const path: fc.Arbitrary<string> = fc.constantFrom(...PATHS);
const version = fc.constantFrom(-1, -1, -1, 0, 1, 2);
const data = fc.oneof(
  fc.constant(null),
  fc
    .string({ maxLength: 12, unit: "grapheme-ascii" })
    .map((text) => new TextEncoder().encode(text)),
);
const OPEN = [{ permissions: 31, scheme: "world", id: "anyone" }];

export const znodeOperation: fc.Arbitrary<ZnodeOperation> = fc.oneof(
  { weight: 4, arbitrary: createOperation() },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), path, version }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("setData" as const), path, data, version }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("check" as const), path, version }) },
  { weight: 2, arbitrary: keeperOperation() },
);

/** Those of ClickHouse Keeper's, beside its create. */
function keeperOperation(): fc.Arbitrary<ZnodeOperation> {
  const few = fc.constantFrom(-1, -1, -1, 0, 1, 2);
  const zxid = fc.constant(-1 as Zxid);
  const stat = fc.record({
    ...{ czxid: zxid, mzxid: zxid, ctime: few, mtime: few, version: few, cversion: few },
    ...{ aversion: few, ephemeralOwner: few, dataLength: few, numChildren: few, pzxid: zxid },
  });
  const znodesMax = fc.constantFrom(0, 1, 2, 3, 10_000);
  return fc.oneof(
    fc.record({ kind: fc.constant("checkNotExists" as const), path, version }),
    fc.record({ kind: fc.constant("checkStat" as const), path, version, stat }),
    fc.record({ kind: fc.constant("tryRemove" as const), path, version }),
    fc.record({ kind: fc.constant("removeRecursive" as const), path, znodesMax }),
    createOperation().map((create) => ({ ...create, unlessExists: true as const })),
  );
}

function createOperation(): fc.Arbitrary<Extract<ZnodeOperation, { kind: "create" }>> {
  const mode = fc.record({ ephemeral: fc.boolean(), sequential: fc.boolean() });
  return fc.record({
    kind: fc.constant("create" as const),
    path,
    data,
    acl: fc.constant(OPEN),
    mode,
  });
}

export const clientOperation: fc.Arbitrary<ClientOperation> = fc.oneof(
  { weight: 10, arbitrary: znodeOperation },
  {
    weight: 4,
    arbitrary: fc
      .array(znodeOperation, { maxLength: 5 })
      .map((operations) => ({ kind: "multi" as const, operations })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("setAcl" as const),
      path: fc.constantFrom("/a", "/b", "/"),
      acl: fc.constant(OPEN),
      version: fc.constantFrom(-1, 0, 1),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "closeSession" as const }) },
);
