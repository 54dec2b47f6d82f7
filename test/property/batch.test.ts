/** The bytes of a batch are known before it is encoded, for every kind of operation. */
import test from "ava";
import fc from "fast-check";
import {
  BATCH_HEAD_BYTES,
  encodeBatch,
  encodePacked,
  packOperation,
} from "../../protocol/batch.ts";
import { batchFault } from "../../protocol/batch-check.ts";
import { cborBytes } from "../../protocol/cbor-bytes.ts";
import { encodeCbor } from "../../protocol/cbor.ts";
import { Code } from "../../protocol/codes.ts";
import type { SessionId } from "../../protocol/ids.ts";
import { type Lifetime, TTL_MS_MAX } from "../../protocol/lifetime.ts";
import { PACKET_BYTES_MAX, REMOVE_RECURSIVE_MAX } from "../../protocol/limits.ts";
import { JuteReader, JuteWriter } from "../../protocol/jute.ts";
import type { ClientOperation, Operation, ZnodeOperation } from "../../protocol/operations.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { OpCode } from "../../protocol/zookeeper/codes.ts";
import { readRequest } from "../../protocol/zookeeper/requests.ts";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** Around the lengths at which a head grows by a byte. */
const length = fc.oneof(
  fc.nat(40),
  fc.constantFrom(23, 24, 31, 32, 63, 64, 65, 255, 256, 65_535, 65_536),
);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  // Halves of surrogate pairs too, which no client can send.
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 70 })
    .map((units) => String.fromCharCode(...units)),
  fc.tuple(length, fc.constantFrom("a", "é", "€", "😀")).map(([count, unit]) => unit.repeat(count)),
);
const data = fc.oneof(
  fc.constant(null),
  length.map((count) => new Uint8Array(count).fill(7)),
);
const acl = fc.array(fc.record({ permissions: int32, scheme: text, id: text }), { maxLength: 30 });
const lifetime = fc.constantFrom(0, 1, 2 ** 32, TTL_MS_MAX).map((ms) => ms as Lifetime);
const mode = fc.oneof(
  fc.record({ ephemeral: fc.boolean(), sequential: fc.boolean() }),
  fc.record({ ephemeral: fc.constant(false), sequential: fc.boolean(), lifetime }),
);
const znodeOperation: fc.Arbitrary<ZnodeOperation> = fc.oneof(
  fc.record({ kind: fc.constant("create" as const), path: text, data, acl, mode }),
  fc.record({ kind: fc.constant("delete" as const), path: text, version: int32 }),
  fc.record({ kind: fc.constant("setData" as const), path: text, data, version: int32 }),
  fc.record({ kind: fc.constant("check" as const), path: text, version: int32 }),
  fc.record({ kind: fc.constant("checkNotExists" as const), path: text, version: int32 }),
  fc.record({ kind: fc.constant("tryRemove" as const), path: text, version: int32 }),
  fc.record({
    kind: fc.constant("removeRecursive" as const),
    path: text,
    znodesMax: fc.nat(REMOVE_RECURSIVE_MAX),
  }),
);
const refusal = fc.record({
  kind: fc.constant("refusal" as const),
  path: text,
  code: fc.constantFrom(Code.badArguments, Code.unimplemented),
});
const clientOperation: fc.Arbitrary<ClientOperation> = fc.oneof(
  znodeOperation,
  fc.record({ kind: fc.constant("setAcl" as const), path: text, acl, version: int32 }),
  fc.record({
    kind: fc.constant("multi" as const),
    operations: fc.array(
      fc.oneof({ weight: 9, arbitrary: znodeOperation }, { weight: 1, arbitrary: refusal }),
      { maxLength: 300 },
    ),
  }),
  fc.record({ kind: fc.constant("sync" as const), path: text }),
  fc.constant({ kind: "closeSession" as const }),
);
const zxid = fc.maxSafeNat().map((value) => value as Zxid);
const session = fc.maxSafeNat().map((value) => value as SessionId);
const timeoutMs = fc.nat(10_000_000);
const password = fc.uint8Array({ minLength: 16, maxLength: 16 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("client" as const),
      session,
      attachedAt: zxid,
      operation: clientOperation,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("createSession" as const), timeoutMs, password }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("attachSession" as const),
      session,
      timeoutMs,
      password,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("expireSession" as const),
      session,
      attachedAt: zxid,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("deleteContainer" as const),
      path: text,
      unusedMs: fc.nat(TTL_MS_MAX),
    }),
  },
);

test("a batch has the bytes of its operations and of its head, to the byte", (t) => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
      const packed = operations.map(packOperation);
      const payload = encodePacked(packed);
      const bytes = packed.reduce((sum, each) => sum + each.bytes, 0);
      const head = payload.length - bytes;
      t.true(head >= 1);
      t.true(head <= BATCH_HEAD_BYTES);
      t.deepEqual(Buffer.from(payload), Buffer.from(encodeBatch(operations)));
    }),
    { numRuns: 25 },
  );
});

test("numbers and lengths at every border have the bytes that are said", (t) => {
  const borders = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
  for (const at of borders) {
    for (const value of [at, -at, at + 1, -at - 1])
      t.is(cborBytes(value), encodeCbor(value).length);
  }
  for (const count of [0, 23, 24, 255, 256, 65_535, 65_536, 70_000]) {
    for (const value of [
      "a".repeat(count),
      new Uint8Array(count),
      Array.from({ length: count }, () => 1),
    ]) {
      t.is(cborBytes(value), encodeCbor(value).length);
    }
  }
});

test("a packet of a client becomes an operation that is no larger, but for its session", (t) => {
  const field = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const entry = Buffer.concat([field(-1), field(0), field(0)]);
  const member = Buffer.concat([field(13), Buffer.from([0]), field(-1), field(0), field(-1)]);
  const many = (each: Buffer, beside: number): Buffer[] =>
    Array.from({ length: Math.floor((PACKET_BYTES_MAX - beside) / each.length) }, () => each);
  const entries = many(entry, 100);
  const packets = [
    // setACL of the smallest entries there can be, and a multi of the smallest operations.
    Buffer.concat([
      field(1),
      field(7),
      field(1),
      Buffer.from("/"),
      field(entries.length),
      ...entries,
      field(-1),
    ]),
    Buffer.concat([
      field(1),
      field(14),
      ...many(member, 100),
      field(-1),
      Buffer.from([1]),
      field(-1),
    ]),
  ];
  for (const packet of packets) {
    t.true(packet.length <= PACKET_BYTES_MAX);
    const request = readRequest(new JuteReader().reset(packet));
    if (request.kind !== "write") return t.fail(request.kind);
    const asked = { kind: "client", session: 1 as SessionId, attachedAt: 1 as Zxid } as const;
    const { bytes } = packOperation({ ...asked, operation: request.operation });
    t.true(bytes <= packet.length, `${bytes} bytes of ${packet.length}`);
  }
});

test("a packet of checks of Stats becomes an operation that is larger by less than half", (t) => {
  const writer = new JuteWriter();
  const members = Math.floor(PACKET_BYTES_MAX / 86) - 1;
  writer.int32(1).int32(OpCode.multi);
  for (let left = members; left > 0; left -= 1) {
    writer.int32(OpCode.checkStat).bool(false).int32(-1).string("/").int32(-1);
    for (let field = 0; field < 4; field += 1) writer.int64(Number.MAX_SAFE_INTEGER);
    for (let field = 0; field < 3; field += 1) writer.int32(2 ** 31 - 1);
    writer
      .int64(Number.MAX_SAFE_INTEGER)
      .int32(2 ** 31 - 1)
      .int32(2 ** 31 - 1);
    writer.int64(Number.MAX_SAFE_INTEGER);
  }
  writer.int32(-1).bool(true).int32(-1);
  const packet = Buffer.from(writer.take());
  t.true(packet.length <= PACKET_BYTES_MAX && packet.length > 0.9 * PACKET_BYTES_MAX);
  const request = readRequest(new JuteReader().reset(packet));
  if (request.kind !== "write") return t.fail(request.kind);
  const asked = { kind: "client", session: 1 as SessionId, attachedAt: 1 as Zxid } as const;
  const { bytes } = packOperation({ ...asked, operation: request.operation });
  t.true(bytes < 1.5 * packet.length, `${bytes} bytes of ${packet.length}`);
});

test("whatever a submitter makes of what clients ask is a batch to every other node, wrong paths and all", (t) => {
  // Both protocols' texts are UTF-8, so none has half a surrogate pair.
  const known = operation
    .filter((each) => !/\\ud[89a-f]/i.test(JSON.stringify(each)))
    .map((each) => withKnownIds(each));
  fc.assert(
    fc.property(fc.array(known, { minLength: 1, maxLength: 8 }), (operations) => {
      t.is(batchFault(encodeBatch(operations), operations.length), undefined);
    }),
  );
  t.pass();
});

/** Sessions and zxids are this ensemble's own in what a gateway hands on. */
function withKnownIds(each: Operation): Operation {
  if (each.kind === "createSession" || each.kind === "deleteContainer") return each;
  const session = 7 as SessionId;
  return each.kind === "attachSession"
    ? { ...each, session }
    : { ...each, session, attachedAt: 9 as Zxid };
}
