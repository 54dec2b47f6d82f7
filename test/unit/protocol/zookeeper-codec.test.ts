/** Requests and replies against the bytes of Apache ZooKeeper. */
import test from "ava";
import { saslToken } from "../../support/sasl.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import { JuteReader, JuteWriter } from "../../../protocol/jute.ts";
import type { OperationResult } from "../../../protocol/operations.ts";
import { NO_WATCHES, type ReadResult } from "../../../protocol/reads.ts";
import type { Stat } from "../../../protocol/stat.ts";
import { readConnectRequest, writeConnectResponse } from "../../../protocol/zookeeper/handshake.ts";
import {
  writeHeaderReply,
  writeReadReply,
  writeWatchEvent,
  writeWriteReply,
} from "../../../protocol/zookeeper/replies.ts";
import { readRequest, type Request } from "../../../protocol/zookeeper/requests.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { GOLDEN, type GoldenName } from "../../support/golden-frames.ts";
import { JuteWriter as PlainWriter } from "../../support/jute.ts";
import { requestFrame } from "../../support/gateway-driver.ts";
import {
  addWatch,
  auth,
  checkWatches,
  create,
  getData,
  multi,
  type Operation,
  removeWatches,
  setWatches2,
  unknown,
  reconfig,
} from "../../support/zookeeper-client/operations.ts";

const CREATED_MS = 0x1a2_046f_6aa3;
const SET_MS = 0x1a2_046f_6ad4;

function stat(zxid: number, fields: Partial<Stat> = {}): Stat {
  return {
    czxid: zxid as Zxid,
    mzxid: zxid as Zxid,
    ctime: CREATED_MS,
    mtime: CREATED_MS,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: 0,
    dataLength: 0,
    numChildren: 0,
    pzxid: zxid as Zxid,
    ...fields,
  };
}

/** What ZooKeeper answered, or the first of several answers. */
function goldenReply(name: GoldenName, index = 0): string {
  return GOLDEN[name].replies[index] ?? "none";
}

function read(request: Buffer): Request {
  return readRequest(new JuteReader().reset(request, 4));
}

function golden(name: GoldenName): Request {
  return read(Buffer.from(GOLDEN[name].request, "hex"));
}

const one = Buffer.from("one");
const acl = OPEN_ACL;
const persistent = { ephemeral: false, sequential: false };
const SET = stat(2, { mzxid: 5 as Zxid, mtime: SET_MS, version: 1 });

const REQUESTS: readonly (readonly [GoldenName, Request])[] = [
  [
    "create",
    {
      kind: "write",
      xid: 1,
      opCode: 1,
      operation: { kind: "create", path: "/a", data: one, acl, mode: persistent },
    },
  ],
  [
    "create2 sequential",
    {
      kind: "write",
      xid: 2,
      opCode: 15,
      operation: {
        kind: "create",
        path: "/a-",
        data: Buffer.from("two"),
        acl,
        mode: { ephemeral: false, sequential: true },
      },
    },
  ],
  [
    "exists with watch",
    { kind: "read", xid: 4, opCode: 3, read: { kind: "exists", path: "/a", watch: true } },
  ],
  [
    "getData",
    { kind: "read", xid: 6, opCode: 4, read: { kind: "getData", path: "/a", watch: false } },
  ],
  [
    "setData null fires watch",
    {
      kind: "write",
      xid: 7,
      opCode: 5,
      operation: { kind: "setData", path: "/a", data: null, version: 0 },
    },
  ],
  ["getACL", { kind: "read", xid: 9, opCode: 6, read: { kind: "getAcl", path: "/a" } }],
  [
    "create child",
    {
      kind: "write",
      xid: 10,
      opCode: 1,
      operation: { kind: "create", path: "/a/grün", data: Buffer.alloc(0), acl, mode: persistent },
    },
  ],
  [
    "getChildren2",
    { kind: "read", xid: 12, opCode: 12, read: { kind: "getChildren", path: "/a", watch: false } },
  ],
  ["sync", { kind: "write", xid: 13, opCode: 9, operation: { kind: "sync", path: "/a" } }],
  [
    "multi failed",
    {
      kind: "write",
      xid: 15,
      opCode: 14,
      operation: {
        kind: "multi",
        operations: [
          { kind: "create", path: "/q", data: Buffer.from("q"), acl, mode: persistent },
          { kind: "check", path: "/m", version: 7 },
          { kind: "delete", path: "/m", version: -1 },
        ],
      },
    },
  ],
  [
    "setACL",
    {
      kind: "write",
      xid: 17,
      opCode: 7,
      operation: { kind: "setAcl", path: "/a", acl, version: -1 },
    },
  ],
  [
    "setWatches",
    {
      kind: "read",
      xid: -8,
      opCode: 101,
      read: {
        kind: "setWatches",
        relativeZxid: 1 as Zxid,
        ...NO_WATCHES,
        data: ["/a"],
        exist: ["/none"],
      },
    },
  ],
  ["ping", { kind: "ping", xid: -2 }],
  ["create flags 9", { kind: "refused", xid: 18, code: Code.badArguments }],
  ["closeSession", { kind: "write", xid: 20, opCode: -11, operation: { kind: "closeSession" } }],
];

for (const [name, expected] of REQUESTS) {
  test(`the request of "${name}" is read as what it asks`, (t) => {
    t.deepEqual(golden(name), expected);
  });
}

const done: OperationResult = { kind: "done" };

const WRITES: readonly (readonly [GoldenName, number, OperationResult])[] = [
  ["create", 2, { kind: "created", path: "/a", stat: stat(2) }],
  [
    "create2 sequential",
    3,
    {
      kind: "created",
      path: "/a-0000000001",
      stat: stat(3, { dataLength: 3, ctime: 0x1a2_046f_6ab7, mtime: 0x1a2_046f_6ab7 }),
    },
  ],
  ["create existing", 4, { kind: "error", code: Code.nodeExists }],
  ["create child", 6, { kind: "created", path: "/a/grün", stat: stat(6) }],
  ["sync", 6, done],
  [
    "multi",
    7,
    {
      kind: "multi",
      failed: false,
      results: [
        { kind: "created", path: "/m", stat: stat(7) },
        { kind: "created", path: "/n", stat: stat(7) },
        {
          kind: "stat",
          stat: stat(7, {
            ctime: 0x1a2_046f_6b0c,
            mtime: 0x1a2_046f_6b0c,
            version: 1,
            dataLength: 2,
          }),
        },
        done,
        done,
      ],
    },
  ],
  [
    "multi failed",
    8,
    {
      kind: "multi",
      failed: true,
      results: [
        { kind: "error", code: Code.ok },
        { kind: "error", code: Code.badVersion },
        { kind: "error", code: Code.runtimeInconsistency },
      ],
    },
  ],
  ["multi empty", 9, { kind: "multi", failed: false, results: [] }],
  [
    "setACL",
    10,
    { kind: "stat", stat: { ...SET, cversion: 1, aversion: 1, numChildren: 1, pzxid: 6 as Zxid } },
  ],
  ["delete", 12, done],
  ["closeSession", 13, done],
];

for (const [name, zxid, result] of WRITES) {
  test(`the reply to "${name}" has the bytes of ZooKeeper's`, (t) => {
    const request = golden(name);
    if (request.kind !== "write") return t.fail();
    const writer = new JuteWriter();
    writeWriteReply(writer, request.xid, zxid as Zxid, request.opCode, request.operation, result);
    t.is(Buffer.from(writer.take()).toString("hex"), goldenReply(name));
  });
}

const CHILDREN: ReadResult = {
  kind: "children",
  children: ["grün"],
  stat: { ...SET, cversion: 1, numChildren: 1, pzxid: 6 as Zxid },
};

const READS: readonly (readonly [GoldenName, number, ReadResult])[] = [
  ["exists with watch", 4, { kind: "stat", stat: stat(2, { dataLength: 3 }) }],
  ["exists missing", 4, { kind: "error", code: Code.noNode }],
  ["getData", 4, { kind: "data", data: one, stat: stat(2, { dataLength: 3 }) }],
  ["getData null", 5, { kind: "data", data: null, stat: SET }],
  ["getACL", 5, { kind: "acl", acl, stat: SET }],
  ["getChildren", 6, CHILDREN],
  ["getChildren2", 6, CHILDREN],
];

for (const [name, zxid, result] of READS) {
  test(`the reply to "${name}" has the bytes of ZooKeeper's`, (t) => {
    const request = golden(name);
    if (request.kind !== "read") return t.fail();
    const writer = new JuteWriter();
    writeReadReply(writer, request.xid, zxid as Zxid, request.opCode, result);
    t.is(Buffer.from(writer.take()).toString("hex"), goldenReply(name));
  });
}

test("a watch event and the reply to setWatches have the bytes of ZooKeeper's", (t) => {
  const writer = new JuteWriter();
  // ZooKeeper 3.8 gives -1; since 3.9 it is the zxid of the change.
  writeWatchEvent(writer, { type: 3, path: "/a", zxid: -1 as Zxid });
  t.is(Buffer.from(writer.take()).toString("hex"), goldenReply("setWatches"));
  writeReadReply(writer, -8, 10 as Zxid, 101, { kind: "done" });
  t.is(Buffer.from(writer.take()).toString("hex"), goldenReply("setWatches", 1));
});

test("a ping and a refusal have the bytes of ZooKeeper's", (t) => {
  const writer = new JuteWriter();
  writeHeaderReply(writer, -2, 10 as Zxid, Code.ok);
  t.is(Buffer.from(writer.take()).toString("hex"), goldenReply("ping"));
  writeHeaderReply(writer, 18, 11 as Zxid, Code.badArguments);
  t.is(Buffer.from(writer.take()).toString("hex"), goldenReply("create flags 9"));
});

test("a handshake is read, and answered with the bytes of ZooKeeper's", (t) => {
  const request = Buffer.from(GOLDEN.connect.request, "hex");
  t.deepEqual(readConnectRequest(new JuteReader().reset(request, 4)), {
    kind: "connect",
    version: 0,
    compressed: false,
    lastZxidSeen: 0,
    timeoutMs: 10_000,
    session: 0,
    password: new Uint8Array(16),
    hasReadOnly: true,
    canBeReadOnly: false,
  });
  const expected = Buffer.from(goldenReply("connect"), "hex");
  expected.fill(0, 12, 20); // ZooKeeper's session ids are not exact in a number
  expected[19] = 9;
  const writer = new JuteWriter();
  const password = expected.subarray(24, 40);
  writeConnectResponse(
    writer,
    { timeoutMs: 10_000, session: 9, password },
    { version: 0, hasReadOnly: true },
  );
  t.is(Buffer.from(writer.take()).toString("hex"), expected.toString("hex"));
  writeConnectResponse(
    writer,
    { timeoutMs: 10_000, session: 9, password },
    { version: 0, hasReadOnly: false },
  );
  t.is(writer.take().length, 40);
});

test("a token of SASL is read, and one that is null or cut is not answered", (t) => {
  const asked = read(requestFrame(5, saslToken("", Buffer.from("x"))));
  t.is(asked.kind === "sasl" ? Buffer.from(asked.token).toString() : undefined, "x");
  t.like(read(requestFrame(5, saslToken("", Buffer.alloc(0)))), { kind: "sasl", xid: 5 });
  t.deepEqual(read(requestFrame(5, saslToken("", null))), { kind: "headless" });
  t.deepEqual(read(requestFrame(5, unknown(102))), { kind: "headless" });
});

test("a change of the members is answered as by a server that does not do it", (t) => {
  const request = reconfig({ joining: "server.4=a:1:2;3", leaving: null, members: null });
  const expected = { kind: "refused", xid: 5, code: Code.reconfigDisabled } as const;
  t.deepEqual(read(requestFrame(5, request)), expected);
  const cut = { ...request, body: request.body.subarray(0, -1) };
  t.deepEqual(read(requestFrame(5, cut)), { ...expected, code: Code.marshallingError });
});

test("an op code that is none of ZooKeeper's ends the connection", (t) => {
  for (const opCode of [77, 508, -10, -1, 0]) {
    const expected = { kind: "refused", xid: 5, code: Code.unimplemented, ends: true } as const;
    t.deepEqual(read(requestFrame(5, unknown(opCode))), expected, String(opCode));
  }
});

test("a multi with a read in it cannot be read, and one with bad flags fails in its turn", (t) => {
  const refused = { kind: "refused", xid: 5, code: Code.marshallingError } as const;
  t.deepEqual(read(requestFrame(5, multi(create("/a"), getData("/a")))), refused);
  const bad = read(requestFrame(5, multi(create("/a"), create("/b", "", { mode: 9 }))));
  t.is(bad.kind, "write");
  const operation = bad.kind === "write" ? bad.operation : undefined;
  t.like(operation, {
    kind: "multi",
    operations: [{ path: "/a" }, { kind: "refusal", path: "/b", code: Code.badArguments }],
  });
});

test("a null path is a fault where ZooKeeper's server fails over it, in a multi always", (t) => {
  const refused = { kind: "refused", xid: 5, code: Code.marshallingError } as const;
  const nothing = new PlainWriter().int(-1);
  const withNull = (type: number, body: PlainWriter): Operation => ({
    ...{ type, label: `null ${type}`, write: true, decode: () => [] },
    body: body.bytes(),
  });
  const path = (): PlainWriter => new PlainWriter().raw(nothing.bytes());
  const removal = withNull(2, path().int(-1));
  const change = withNull(5, path().buffer(null).int(-1));
  const reads = [withNull(3, path().bool(true)), withNull(6, path()), withNull(104, path())];
  for (const each of [...reads, removal]) {
    t.deepEqual(read(requestFrame(5, each)), refused, each.label);
  }
  t.like(read(requestFrame(5, change)), { operation: { kind: "setData", path: "" } });
  t.deepEqual(read(requestFrame(5, multi(change))), refused);
});

test("setWatches2 brings watches that stay besides", (t) => {
  const body = new PlainWriter().long(3n).texts(["/a"]).texts([]).texts([]);
  const request = { ...setWatches2(3n, {}), body: body.texts(["/p"]).texts(["/r"]).bytes() };
  const lists = { data: ["/a"], persistent: ["/p"], persistentRecursive: ["/r"] };
  t.deepEqual(read(requestFrame(1, request)), {
    kind: "read",
    xid: -8,
    opCode: 105,
    read: { kind: "setWatches", relativeZxid: 3 as Zxid, ...NO_WATCHES, ...lists },
  });
});

test("an auth packet that cannot be read is not answered", (t) => {
  const whole = auth("digest", "user:secret");
  t.like(read(requestFrame(5, whole)), { kind: "auth", scheme: "digest" });
  const cut = { ...whole, body: whole.body.subarray(0, -1) };
  t.deepEqual(read(requestFrame(5, cut)), { kind: "headless" });
});

test("a list whose length is below zero is empty, but for the one that is null", (t) => {
  const { body } = setWatches2(3n, {});
  const withLength = (length: number): Operation => {
    return { ...setWatches2(3n, {}), body: Buffer.concat([body.subarray(0, 8), lengths(length)]) };
  };
  const lengths = (first: number): Buffer => {
    return Buffer.from(new PlainWriter().int(first).int(-2).int(0).int(0).int(0).bytes());
  };
  const read105 = { kind: "setWatches", relativeZxid: 3 as Zxid, ...NO_WATCHES };
  t.deepEqual(read(requestFrame(1, withLength(-2_147_483_648))), {
    ...{ kind: "read", xid: -8, opCode: 105 },
    read: read105,
  } as Request);
  const refused = { kind: "refused", xid: -8, code: Code.marshallingError } as const;
  for (const length of [-1, 1, 2_147_483_647]) {
    t.deepEqual(read(requestFrame(1, withLength(length))), refused, String(length));
  }
});

test("flags that there are not are refused before a path that is null", (t) => {
  const withFlags = (flags: number): Operation => {
    const body = new PlainWriter().int(-1).buffer(null).int(0).int(flags).bytes();
    return { ...create("/"), body };
  };
  t.like(read(requestFrame(5, withFlags(-1))), { code: Code.badArguments });
  t.like(read(requestFrame(5, withFlags(0))), { code: Code.marshallingError });
});

const WATCHER_TYPES = ["child", "data", "any", "persistent", "persistentRecursive"] as const;

test("addWatch has one of two modes, and removeWatches and checkWatches one of five types", (t) => {
  for (const [mode, name] of ["persistent", "persistentRecursive"].entries()) {
    const request = read(requestFrame(5, addWatch("/a", mode)));
    t.deepEqual(request, {
      ...{ kind: "read", xid: 5, opCode: 106 },
      read: { kind: "addWatch", path: "/a", mode: name as "persistent" },
    });
  }
  for (const [index, name] of WATCHER_TYPES.entries()) {
    for (const [kind, opCode] of [
      ["checkWatches", 17],
      ["removeWatches", 18],
    ] as const) {
      const make = kind === "checkWatches" ? checkWatches : removeWatches;
      t.deepEqual(read(requestFrame(5, make("/a", index + 1))), {
        ...{ kind: "read", xid: 5, opCode },
        read: { kind, path: "/a", watcher: name },
      });
    }
  }
  const refused = { kind: "refused", xid: 5, code: Code.marshallingError } as const;
  for (const number of [-1, 2, 2 ** 31 - 1]) {
    t.deepEqual(read(requestFrame(5, addWatch("/a", number))), refused);
  }
  for (const number of [-1, 0, 6]) {
    t.deepEqual(read(requestFrame(5, removeWatches("/a", number))), refused);
  }
});

test("a request cut short at any byte after its header is refused, before that it has no reply", (t) => {
  for (const name of ["create", "multi", "setACL", "setWatches", "getData", "delete"] as const) {
    const bytes = Buffer.from(GOLDEN[name].request, "hex");
    for (let length = 4; length < bytes.length; length += 1) {
      const request = readRequest(new JuteReader().reset(bytes, 4, length));
      if (length < 12) t.is(request.kind, "headless");
      else t.like(request, { kind: "refused", code: Code.marshallingError }, `${name} ${length}`);
    }
  }
});
