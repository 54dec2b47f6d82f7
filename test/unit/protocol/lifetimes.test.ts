/** What requests for containers and znodes with a TTL become, in both protocols. */
import test from "ava";
import { checkedMode } from "../../../protocol/arguments.ts";
import { Code } from "../../../protocol/codes.ts";
import { BadArgumentsError } from "../../../protocol/errors.ts";
import { JuteReader } from "../../../protocol/jute.ts";
import { CONTAINER, isOver, type Lifetime, TTL_MS_MAX, ttlOf } from "../../../protocol/lifetime.ts";
import { packRequest, unpackRequest } from "../../../protocol/native-packing.ts";
import type { CreateMode } from "../../../protocol/operations.ts";
import { readRequest, type Request } from "../../../protocol/zookeeper/requests.ts";
import { requestFrame } from "../../support/gateway-driver.ts";
import { create as createOperation } from "../../support/replica.ts";
import {
  create,
  createContainer,
  createTtl,
  getChildren,
  getData,
  multi,
  multiRead,
  type Operation,
} from "../../support/zookeeper-client/operations.ts";

function read(operation: Operation, extendedTypes = true): Request {
  return readRequest(new JuteReader().reset(requestFrame(5, operation), 4), { extendedTypes });
}

/** The mode of what it makes, or the code that it is answered with. */
function modeOf(operation: Operation, extendedTypes = true): CreateMode | number | undefined {
  const request = read(operation, extendedTypes);
  if (request.kind === "refused") return request.code;
  if (request.kind !== "write" || request.operation.kind !== "create") return undefined;
  return request.operation.mode;
}

const lasting = { ephemeral: false, sequential: false };

test("where TTLs are switched off, they are refused with Unimplemented, and containers are not", (t) => {
  t.is(modeOf(createTtl("/a", 1000n), false), Code.unimplemented);
  t.is(modeOf(createTtl("/a", 0n), false), Code.unimplemented);
  t.is(modeOf(create("/a", "", { mode: 6 }), false), Code.unimplemented);
  t.deepEqual(modeOf(createContainer("/a"), false), { ...lasting, lifetime: CONTAINER });
  const request = read(multi(createTtl("/a", 1000n)), false);
  const refusal = { kind: "refusal", path: "/a", code: Code.unimplemented } as const;
  t.like(request, { kind: "write", operation: { kind: "multi", operations: [refusal] } });
});

test("a TTL beside flags that know none is refused, also where ZooKeeper's server would not survive it", (t) => {
  for (const mode of [0, 1, 2, 3, 4]) {
    t.is(modeOf(createTtl("/a", 1000n, mode)), Code.badArguments);
    t.is(modeOf(createTtl("/a", -1n, mode)), Code.badArguments);
  }
  t.deepEqual(modeOf(createTtl("/a", 1000n)), { ...lasting, lifetime: ttlOf(1000) });
});

test("a multiRead becomes its reads without watches, and what is no such read refuses it", (t) => {
  const reads = [getData("/a", true), getChildren("/b")];
  t.deepEqual(read(multiRead(...reads)), {
    ...{ kind: "read", xid: 5, opCode: 22 },
    read: {
      kind: "multiRead",
      reads: [
        { kind: "getData", path: "/a", watch: false },
        { kind: "getChildren", path: "/b", watch: false },
      ],
    },
  });
  t.like(read(multiRead(getData("/a"), create("/b"))), { code: Code.marshallingError });
  const nameless = { ...getData("/"), body: Buffer.from("ffffffff00", "hex") };
  t.like(read(multiRead(getData("/a"), nameless)), { code: Code.marshallingError });
});

test("a native create says what ends its znode, and one that says two things at once is refused", (t) => {
  for (const lifetime of [undefined, CONTAINER, ttlOf(1), ttlOf(TTL_MS_MAX)]) {
    for (const sequential of [false, true]) {
      const mode = {
        ephemeral: false,
        sequential,
        ...(lifetime === undefined ? {} : { lifetime }),
      };
      const operation = { ...createOperation("/a"), mode };
      const packed = packRequest({ kind: "write", operation });
      t.like(unpackRequest(packed, 0), { kind: "write", operation: { mode } });
    }
  }
  for (const [flags, ttlMs] of [
    [5, undefined],
    [8, undefined],
    [8, 0],
    [8, TTL_MS_MAX + 1],
    [8, 1.5],
    [9, 1000],
    [12, 1000],
    [64, undefined],
    [-1, undefined],
  ]) {
    t.is(unpackRequest([1, "/a", null, flags, ttlMs], 0), Code.badArguments, `${flags} ${ttlMs}`);
  }
});

test("callers give one thing that ends a znode, and a TTL within its range", (t) => {
  t.deepEqual(checkedMode({}), lasting);
  t.deepEqual(checkedMode({ container: true }), { ...lasting, lifetime: CONTAINER });
  t.deepEqual(checkedMode({ ttlMs: 7, sequential: true }), {
    ...{ ephemeral: false, sequential: true },
    lifetime: 7 as Lifetime,
  });
  const anything = (value: unknown): never => value as never;
  for (const options of [
    { container: true, ttlMs: 7 },
    { container: true, ephemeral: true },
    { ephemeral: true, ttlMs: 7 },
    { ttlMs: 0 },
    { ttlMs: TTL_MS_MAX + 1 },
    { ttlMs: 0.5 },
    { ttlMs: anything("7") },
    { container: anything("yes") },
  ]) {
    t.throws(() => checkedMode(options), { instanceOf: BadArgumentsError });
  }
});

test("a lifetime is over as ZooKeeper's ContainerManager has it", (t) => {
  const about = { numChildren: 0, creates: 0, mtime: 1000 };
  const container = { ...about, lifetime: CONTAINER };
  const aged = { ...about, lifetime: 50 as Lifetime };
  t.false(isOver(container, 10_000, 0), "it was never used");
  t.true(isOver({ ...container, creates: 1 }, 1000, 0));
  t.false(isOver({ ...container, creates: 1, numChildren: 1 }, 10_000, 0));
  t.false(isOver(container, 1500, 500));
  t.true(isOver(container, 1501, 500));
  t.false(isOver(aged, 1050, 0));
  t.true(isOver(aged, 1051, 0));
  t.false(isOver({ ...aged, numChildren: 1 }, 10_000, 0));
});
