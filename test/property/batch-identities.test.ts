/** Identities go with the operations that have them, through any batch. */
import test from "ava";
import fc from "fast-check";
import {
  BATCH_HEAD_BYTES,
  decodeBatch,
  encodeBatch,
  encodePacked,
  packOperation,
} from "../../protocol/batch.ts";
import { batchFault } from "../../protocol/batch-check.ts";
import { encodeCbor } from "../../protocol/cbor.ts";
import type { SessionId } from "../../protocol/ids.ts";
import { IDENTITIES_MAX } from "../../protocol/limits.ts";
import type { Operation } from "../../protocol/operations.ts";
import type { Zxid } from "../../protocol/zxid.ts";

const identity = fc.record({
  scheme: fc.constantFrom("digest", "super", "x509"),
  id: fc.oneof(fc.string({ maxLength: 5 }), fc.string({ unit: "grapheme", maxLength: 30 })),
});
const identities = fc.array(identity, { maxLength: 3 });
/** Few, so that some are alike. */
const few = fc.array(identities, { minLength: 1, maxLength: 4 });

function operation(
  session: number,
  of: readonly { readonly scheme: string; readonly id: string }[] | undefined,
): Operation {
  const asked = { kind: "sync", path: "/a" } as const;
  const client = { kind: "client", session: session as SessionId, attachedAt: 7 as Zxid } as const;
  if (of === undefined || of.length === 0) return { ...client, operation: asked };
  return { ...client, identities: of, operation: asked };
}

const batch = few.chain((sets) =>
  fc
    .array(fc.tuple(fc.nat(1000), fc.option(fc.nat(sets.length - 1), { nil: undefined })), {
      minLength: 1,
      maxLength: 30,
    })
    .map((asked) =>
      asked.map(([session, which]) =>
        operation(session, which === undefined ? undefined : sets[which]),
      ),
    ),
);

test("each operation comes back with its own identities, and the check takes the batch", (t) => {
  fc.assert(
    fc.property(batch, (operations) => {
      const bytes = encodeBatch(operations);
      t.deepEqual(decodeBatch(bytes), operations);
      t.is(batchFault(bytes, operations.length), undefined);
      const packed = operations.map(packOperation);
      t.deepEqual(Buffer.from(encodePacked(packed)), Buffer.from(bytes));
      const most = packed.reduce((sum, each) => sum + each.bytes, 0);
      t.true(bytes.length <= most + 3 * BATCH_HEAD_BYTES + operations.length);
    }),
  );
});

test("operations without identities are a batch as it always was", (t) => {
  const plain = [operation(1, undefined), operation(2, [])];
  t.is(encodeBatch(plain)[1], 0x84, "a list of operations, each a list of four");
  t.deepEqual(decodeBatch(encodeBatch(plain)), plain);
});

test("what is no batch with identities is refused by the check, and by nobody applied", (t) => {
  const sync = [9, 1, 1, "/a"];
  const refused: readonly unknown[] = [
    [3, [["digest", "a:b"]], [sync], [1]],
    [2, [["digest"]], [sync], [1]],
    [2, [["digest", 5]], [sync], [1]],
    [2, [["digest", "a:b"]], [sync], [2]],
    [2, [["digest", "a:b"]], [sync], [-1]],
    [2, [["digest", "a:b"]], [sync], []],
    [2, [["digest", "a:b"]], [sync, sync], [1]],
    [2, [["digest", "a:b"]], [sync]],
    [2, [Array.from({ length: 2 * IDENTITIES_MAX + 4 }, () => "x")], [sync], [1]],
    [2],
    [2, 1, 1, 1],
  ];
  for (const each of refused) t.truthy(batchFault(encodeCbor(each), 1), JSON.stringify(each));
  t.is(batchFault(encodeCbor([2, [["digest", "a:b"]], [sync], [0]]), 1), undefined);
});

test("a session has an address or none", (t) => {
  const password = new Uint8Array(16);
  const sessions: readonly Operation[] = [
    { kind: "createSession", timeoutMs: 1, password },
    { kind: "createSession", timeoutMs: 1, password, address: "10.0.0.1" },
    { kind: "attachSession", session: 5 as SessionId, timeoutMs: 1, password },
    { kind: "attachSession", session: 5 as SessionId, timeoutMs: 1, password, address: "::1" },
  ];
  const bytes = encodeBatch(sessions);
  t.is(batchFault(bytes, sessions.length), undefined);
  t.deepEqual(
    decodeBatch(bytes).map((each) => ("address" in each ? each.address : undefined)),
    [undefined, "10.0.0.1", undefined, "::1"],
  );
  t.truthy(batchFault(encodeCbor([[-10, 1, password, 5]]), 1), "an address is a text");
});
