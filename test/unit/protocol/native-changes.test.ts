/** Frames of changes are written and read field by field: with the same bytes and the same result as the general codec. */
import test from "ava";
import fc from "fast-check";
import { decodeCbor, encodeCbor, GATEWAY_CBOR } from "../../../protocol/cbor.ts";
import {
  decodeGatewayFrame,
  encodeGatewayFrame,
  type GatewayItem,
} from "../../../protocol/native.ts";
import { encodeChanges, readChangesFrame } from "../../../protocol/native-changes.ts";
import { unpackChange } from "../../../protocol/native-packing.ts";
import type { Change } from "../../../protocol/reads.ts";
import { epoch, type Zxid, zxidOf } from "../../../protocol/zxid.ts";

const zxids = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 21 - 1 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
  .map(([of, counter]) => zxidOf(epoch(of), counter));
const integers = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.maxSafeInteger(),
  fc.constantFrom(-(2 ** 32) - 1, -(2 ** 32), 2 ** 32 - 1, 2 ** 32, 23, 24, 255, 256, 65_535),
);
const paths = fc.oneof(
  fc.string({ maxLength: 300 }).map((name) => `/${name}`),
  fc.string({ unit: "binary", maxLength: 40 }).map((name) => `/${name}`),
);
const stats = fc.record({
  ...{ czxid: zxids, mzxid: zxids, ctime: integers, mtime: integers, version: integers },
  ...{ cversion: integers, aversion: integers, ephemeralOwner: integers, dataLength: integers },
  ...{ numChildren: integers, pzxid: zxids },
});
const changeLists: fc.Arbitrary<Change[]> = fc.array(
  fc.record(
    {
      zxid: zxids,
      index: fc.nat(100_000),
      kind: fc.constantFrom("created", "deleted", "data", "acl"),
      path: paths,
      stat: stats,
      data: fc.oneof(fc.constant(null), fc.uint8Array({ maxLength: 2000 })),
    },
    { requiredKeys: ["zxid", "index", "kind", "path", "stat"] },
  ),
  { maxLength: 40 },
);
const streams = fc.array(fc.record({ stream: fc.nat(), through: zxids, changes: changeLists }), {
  maxLength: 3,
});
const RUNS = { seed: 1, numRuns: 40 };
const PONG: GatewayItem = { kind: "pong", zxid: 7 as Zxid };

type Stream = { readonly stream: number; readonly through: Zxid; readonly changes: Change[] };

const asItem = (stream: Stream): GatewayItem => ({ kind: "changes", ...stream });
const asEncoded = ({ stream, through, changes }: Stream) =>
  ({ kind: "encodedChanges", stream, through, list: encodeChanges(changes) }) as const;

test("a frame of changes that were encoded for many is the one of changes that were not", (t) => {
  fc.assert(
    fc.property(streams, fc.nat(), fc.boolean(), (list, sequence, more) => {
      const rest = more ? [PONG] : [];
      const shared = encodeGatewayFrame({ sequence, items: [...list.map(asEncoded), ...rest] });
      const own = encodeGatewayFrame({ sequence, items: [...list.map(asItem), ...rest] });
      t.deepEqual(Buffer.from(shared), Buffer.from(own));
    }),
    RUNS,
  );
});

test("a frame of changes is read as the general decoder reads it", (t) => {
  fc.assert(
    fc.property(streams, fc.nat(), (list, sequence) => {
      const bytes = encodeGatewayFrame({ sequence, items: list.map(asEncoded) });
      t.deepEqual(decodeGatewayFrame(bytes), { sequence, items: list.map(asItem) });
      const isAscii = list.every(({ changes }) =>
        changes.every(({ path }) => Buffer.byteLength(path) === path.length),
      );
      t.is(readChangesFrame(bytes) !== undefined, isAscii);
    }),
    RUNS,
  );
});

test("a frame that was damaged is read as the general decoder reads it, or left to that one", (t) => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 2 });
  fc.assert(
    fc.property(streams, damage, fc.nat(50), (list, places, cut) => {
      const whole = encodeGatewayFrame({ sequence: 1, items: list.map(asEncoded) });
      const bytes = whole.slice(0, cut < 5 ? whole.length - cut : whole.length);
      for (const [at, value] of places) bytes[at % Math.min(bytes.length, 200)] = value;
      const read = readChangesFrame(bytes);
      if (read === undefined) return;
      const [sequence, raw] = decodeCbor(bytes, GATEWAY_CBOR) as [number, unknown[][]];
      const items = raw.map(([code, stream, through, changes]) => {
        t.is(code, 14);
        return asItem({
          ...{ stream: stream as number, through: through as Zxid },
          changes: (changes as unknown[]).map(unpackChange),
        });
      });
      t.deepEqual(read as object, { sequence, items });
    }),
    { seed: 1, numRuns: 600 },
  );
});

test("fields that no gateway writes are left to the general decoder", (t) => {
  const stat = Array(11).fill(1);
  for (const item of [
    [14, -1, 1, []],
    [14, 1, 1.5, []],
    [14, 1, 2 ** 60, []],
    [14, 1, 1, "none"],
    [14, 1, 1, [[1, 0, 7, "/a", stat]]],
    [14, 1, 1, [[1, 0, 2, "/a", stat.slice(1)]]],
    [14, 1, 1, [[1, 0, 2, "/a", [...stat.slice(1), "1"]]]],
    [14, 1, 1, [[1, 0, 2, "/a", stat, null, null]]],
    [14, 1, 1, [[1, 0, 2, "/a"]]],
    [14, 1, 1, [], 1],
    [15, 1, 1, []],
  ]) {
    t.is(readChangesFrame(encodeCbor([1, [item]])), undefined, JSON.stringify(item));
  }
  const bytes = encodeCbor([1, [[14, 1, 1, []]]]);
  t.not(readChangesFrame(bytes), undefined);
  t.is(readChangesFrame(Buffer.concat([bytes, new Uint8Array(1)])), undefined, "more follows");
});

test("data of a change that was read keeps a few kilobytes in memory at most, and nothing of the frame", (t) => {
  const [change] =
    fc.sample(
      changeLists.filter(({ length }) => length > 0),
      RUNS,
    )[0] ?? [];
  if (change === undefined) return t.fail();
  const changes = Array.from({ length: 2000 }, (_, index) => ({
    ...change,
    path: "/a",
    data: new Uint8Array(index % 1500).fill(index),
  }));
  const item = asEncoded({ stream: 1, through: 1 as Zxid, changes });
  const bytes = encodeGatewayFrame({ sequence: 1, items: [item] });
  const read = readChangesFrame(bytes)?.items[0]?.changes ?? [];
  bytes.fill(0);
  t.deepEqual(read, changes);
  for (const { data } of read) t.true((data?.buffer.byteLength ?? 0) <= 8192);
});
