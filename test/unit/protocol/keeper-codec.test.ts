/** ClickHouse Keeper's requests and replies, byte for byte as its format is defined. */
import test from "ava";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import { JuteReader, JuteWriter } from "../../../protocol/jute.ts";
import { REMOVE_RECURSIVE_MAX } from "../../../protocol/limits.ts";
import type { OperationResult, ZnodeOperation } from "../../../protocol/operations.ts";
import type { Stat } from "../../../protocol/stat.ts";
import {
  readConnectRequest,
  uncountedBytes,
  writeConnectResponse,
} from "../../../protocol/zookeeper/handshake.ts";
import { KEEPER_FLAGS, KEEPER_ZNODES } from "../../../protocol/zookeeper/keeper.ts";
import {
  writeHeaderReply,
  writeReadReply,
  writeWatchEvent,
  writeWriteReply,
} from "../../../protocol/zookeeper/replies.ts";
import { readRequest, type RequestOptions } from "../../../protocol/zookeeper/requests.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { connectFrame } from "../../support/zookeeper-client/client.ts";

/** A Stat on the wire: czxid 1, mzxid 2, ctime 3, mtime 4, version 5, cversion 6, aversion 7, owner 8, length 9, children 10, pzxid 11. */
const STAT_HEX =
  "0000000000000001 0000000000000002 0000000000000003 0000000000000004 00000005 00000006 00000007" +
  " 0000000000000008 00000009 0000000a 000000000000000b";
const STAT: Stat = {
  ...{ czxid: 1 as Zxid, mzxid: 2 as Zxid, ctime: 3, mtime: 4, version: 5, cversion: 6 },
  ...{ aversion: 7, ephemeralOwner: 8, dataLength: 9, numChildren: 10, pzxid: 11 as Zxid },
};
const ANY_HEX = STAT_HEX.replaceAll(/[0-9a-f]/g, "f");
const ANY: Stat = Object.fromEntries(Object.keys(STAT).map((field) => [field, -1])) as never;
const KEEPER: RequestOptions = { extendedTypes: true, keeper: true };

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}

function read(hex: string, options?: RequestOptions): ReturnType<typeof readRequest> {
  return readRequest(new JuteReader().reset(bytes(hex)), options);
}

function written(write: (writer: JuteWriter) => void): string {
  const writer = new JuteWriter();
  write(writer);
  return Buffer.from(writer.take()).toString("hex");
}

function hex(text: string): string {
  return text.replaceAll(" ", "");
}

const HEADER = (opCode: string): string => `00000007 ${opCode}`;
/** `/ab`. */
const PATH = "00000003 2f6162";
const create = {
  kind: "create",
  path: "/ab",
  data: bytes("6869"),
  acl: OPEN_ACL,
  mode: { ephemeral: true, sequential: false },
} as const;
const CREATE_HEX = `${PATH} 00000002 6869 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000001`;

const WRITES: readonly (readonly [string, string, ZnodeOperation])[] = [
  ["000001f5", `${PATH} 00000004`, { kind: "checkNotExists", path: "/ab", version: 4 }],
  ["000001f6", CREATE_HEX, { ...create, unlessExists: true }],
  ["000001f7", `${PATH} 00000064`, { kind: "removeRecursive", path: "/ab", znodesMax: 100 }],
  [
    "000001f7",
    `${PATH} ffffffff`,
    { kind: "removeRecursive", path: "/ab", znodesMax: REMOVE_RECURSIVE_MAX },
  ],
  [
    "000001f8",
    `${PATH} ffffffff ${STAT_HEX}`,
    { kind: "checkStat", path: "/ab", version: -1, stat: STAT },
  ],
  [
    "000001f8",
    `${PATH} 00000002 ${ANY_HEX}`,
    { kind: "checkStat", path: "/ab", version: 2, stat: ANY },
  ],
  ["000001f9", `${PATH} ffffffff`, { kind: "tryRemove", path: "/ab", version: -1 }],
];

test("the operations that are logged are read alone and in a multi", (t) => {
  for (const [opCode, body, operation] of WRITES) {
    const alone = read(`${HEADER(opCode)} ${body}`);
    t.deepEqual(alone, { kind: "write", xid: 7, opCode: Number(`0x${opCode}`), operation });
    const multi = read(`${HEADER("0000000e")} ${opCode} 00 ffffffff ${body} ffffffff 01 ffffffff`);
    const operations = [operation];
    t.deepEqual(multi, {
      ...{ kind: "write", xid: 7, opCode: 14 },
      operation: { kind: "multi", operations },
    } as const);
  }
});

test("a number that no znode can have is read as one that matches none", (t) => {
  const far = STAT_HEX.replace("0000000000000001", "7fffffffffffffff").replace(
    "0000000000000002",
    "fffffffffffffff0",
  );
  const request = read(`${HEADER("000001f8")} ${PATH} ffffffff ${far}`);
  const stat = { ...STAT, czxid: -2 as Zxid, mzxid: -2 as Zxid };
  t.like(request, { operation: { kind: "checkStat", stat } });
});

test("a request that is cut short is refused, whichever it is", (t) => {
  for (const [opCode, body] of WRITES) {
    const whole = bytes(`${HEADER(opCode)} ${body}`);
    for (let length = 8; length < whole.length; length += 1) {
      const request = readRequest(new JuteReader().reset(whole.subarray(0, length)));
      t.like(request, { kind: "refused", code: Code.marshallingError }, `${opCode} of ${length}`);
    }
  }
});

test("lists are read with their sort, their watch, and what is asked of the children", (t) => {
  const list = (type: string): unknown => read(`${HEADER("000001f4")} ${PATH} 01 ${type}`);
  const asked = { kind: "listChildren", path: "/ab", watch: true, having: undefined };
  t.like(list("00"), { opCode: 500, read: { ...asked, only: "all" } });
  t.like(list("01"), { read: { ...asked, only: "persistent" } });
  t.like(list("02"), { read: { ...asked, only: "ephemeral" } });
  t.like(list("07"), { read: { ...asked, only: "all" } });
  const having = { stats: true, values: false };
  t.like(read(`${HEADER("000001fa")} ${PATH} 00 02 01 00`), {
    opCode: 506,
    read: { ...asked, watch: false, only: "ephemeral", having },
  });
  t.like(read(`${HEADER("000001fb")} ${PATH} ffffffff`), {
    read: { kind: "listRecursive", path: "/ab", znodesMax: 2 ** 32 - 1 },
  });
});

test("replies have Keeper's bodies", (t) => {
  const head = "00000007 0000000000000009 00000000";
  const names = "00000002 00000001 61 00000001 62";
  const listed = { kind: "listed", children: ["a", "b"], stat: STAT } as const;
  const plain = written((writer) =>
    writeReadReply(writer, 7, 9 as Zxid, 500, { ...listed, having: undefined }),
  );
  t.is(plain.slice(8), hex(`${head} ${names} ${STAT_HEX}`));
  const values = [bytes("78"), null];
  const full = written((writer) =>
    writeReadReply(writer, 7, 9 as Zxid, 506, {
      ...listed,
      having: { stats: [STAT, STAT], values },
    }),
  );
  const stats = `00000002 ${STAT_HEX} ${STAT_HEX}`;
  t.is(full.slice(8), hex(`${head} ${names} ${STAT_HEX} ${stats} 00000002 00000001 78 ffffffff`));
  const none = written((writer) =>
    writeReadReply(writer, 7, 9 as Zxid, 506, {
      ...{ kind: "listed", children: [], stat: STAT },
      having: { stats: [], values: [] },
    }),
  );
  t.is(none.slice(8), hex(`${head} 00000000 ${STAT_HEX} 00000000 00000000`));
  const paths = written((writer) =>
    writeReadReply(writer, 7, 9 as Zxid, 507, { kind: "paths", paths: ["/ab"] }),
  );
  t.is(paths.slice(8), hex(`${head} 00000001 ${PATH}`));
  const done = { kind: "done" } as const;
  for (const [opCode, , operation] of WRITES) {
    if (operation.kind === "create") continue;
    const reply = written((writer) =>
      writeWriteReply(writer, 7, 9 as Zxid, Number(`0x${opCode}`), operation, done),
    );
    t.is(reply.slice(8), hex(head));
  }
  const made: OperationResult = { kind: "created", path: "/ab", stat: STAT };
  const reply = written((writer) =>
    writeWriteReply(writer, 7, 9 as Zxid, 502, { ...create, unlessExists: true }, made),
  );
  t.is(reply.slice(8), hex(`${head} ${PATH}`));
});

test("the results of a multi have the op codes of its members", (t) => {
  const operations = WRITES.map(([, , operation]) => operation);
  const results = operations.map(
    ({ kind }): OperationResult =>
      kind === "create" ? { kind: "created", path: "/ab", stat: STAT } : { kind: "done" },
  );
  const reply = written((writer) =>
    writeWriteReply(...([writer, 7, 9 as Zxid, 14, { kind: "multi", operations }] as const), {
      kind: "multi",
      failed: false,
      results,
    }),
  );
  const entries = WRITES.map(([opCode, , { kind }]) => {
    return `${opCode} 00 00000000 ${kind === "create" ? PATH : ""}`;
  });
  const head = "00000007 0000000000000009 00000000";
  t.is(reply.slice(8), hex(`${head} ${entries.join(" ")} ffffffff 01 ffffffff`));
});

test("only a client of Keeper's is told the Stat of a create2 within a multi", (t) => {
  const multi = `${HEADER("0000000e")} 0000000f 00 ffffffff ${CREATE_HEX} ffffffff 01 ffffffff`;
  const result: OperationResult = { kind: "created", path: "/ab", stat: STAT };
  const replyTo = (options: RequestOptions | undefined): string => {
    const request = read(multi, options);
    if (request.kind !== "write") return request.kind;
    const { operation } = request;
    return written((writer) =>
      writeWriteReply(...([writer, 7, 9 as Zxid, 14, operation] as const), {
        kind: "multi",
        failed: false,
        results: [result],
      }),
    ).slice(40);
  };
  const end = "ffffffff 01 ffffffff";
  t.is(replyTo(undefined), hex(`00000001 00 00000000 ${PATH} ${end}`));
  t.is(replyTo(KEEPER), hex(`0000000f 00 00000000 ${PATH} ${STAT_HEX} ${end}`));
});

test("members of a multiRead leave watches, and may be of more kinds, only for a client of Keeper's", (t) => {
  const members = (opCode: string): string =>
    `${HEADER("00000016")} ${opCode} 00 ffffffff ${PATH} 01 ffffffff 01 ffffffff`;
  const of = (kind: string, watch: boolean): object => ({
    read: { kind: "multiRead", reads: [{ kind, path: "/ab", watch }] },
  });
  t.like(read(members("00000004")), of("getData", false));
  t.like(read(members("00000004"), KEEPER), of("getData", true));
  t.like(read(members("00000008"), KEEPER), of("getChildren", true));
  t.like(read(members("00000003")), { kind: "refused", code: Code.marshallingError });
  t.like(read(members("00000003"), KEEPER), of("exists", true));
  const list = `${HEADER("00000016")} 000001f4 00 ffffffff ${PATH} 01 01 ffffffff 01 ffffffff`;
  t.like(read(list, KEEPER), {
    read: { reads: [{ kind: "listChildren", path: "/ab", watch: true, only: "persistent" }] },
  });
});

test("with Keeper's version 11, numbers of requests have 64 bits in both directions", (t) => {
  const wide = { ...KEEPER, wideXids: true };
  t.like(read(`0000000000000007 00000004 ${PATH} 00`, wide), { kind: "read", xid: 7 });
  t.like(read("fffffffffffffffe 0000000b", wide), { kind: "ping", xid: -2 });
  t.deepEqual(read("00000007 00000004", wide), { kind: "headless" });
  const writer = new JuteWriter();
  writer.wideXids = true;
  const reply = (write: () => void): string => {
    write();
    return Buffer.from(writer.take()).toString("hex");
  };
  t.is(
    reply(() => writeHeaderReply(writer, 7, 9 as Zxid, Code.noNode)),
    hex("00000014 0000000000000007 0000000000000009 ffffff9b"),
  );
  t.is(
    reply(() => writeWatchEvent(writer, { type: 4, path: "/ab", zxid: 9 as Zxid })),
    hex(`00000023 ffffffffffffffff 0000000000000009 00000000 00000004 00000003 ${PATH}`),
  );
  t.is(
    reply(() => writeReadReply(writer, -8, 9 as Zxid, 101, { kind: "done" })),
    hex("00000014 fffffffffffffff8 0000000000000009 00000000"),
  );
});

test("the handshake of version 11 has one byte more than its length says, and is answered with the version", (t) => {
  const frame = connectFrame({ port: 0, version: 11, timeoutMs: 10_000 });
  t.is(frame.length, 4 + 46);
  t.is(frame.readInt32BE(0), 45);
  t.is(uncountedBytes(frame.readBigInt64BE(0)), 1);
  const request = readConnectRequest(new JuteReader().reset(frame, 4));
  t.like(request, {
    ...{ kind: "connect", version: 11, compressed: false, timeoutMs: 10_000, session: 0 },
    ...{ hasReadOnly: false, canBeReadOnly: false },
  });
  const compressed = connectFrame({ port: 0, version: 11, compressed: true });
  t.like(readConnectRequest(new JuteReader().reset(compressed, 4)), { compressed: true });
  const password = new Uint8Array(16).fill(5);
  const answer = written((writer) =>
    writeConnectResponse(
      writer,
      { timeoutMs: 10_000, session: 9, password },
      { version: 11, hasReadOnly: false },
    ),
  );
  t.is(answer, hex(`00000024 0000000b 00002710 0000000000000009 00000010 ${"05".repeat(16)}`));
  const plain = connectFrame({ port: 0 });
  t.is(uncountedBytes(plain.readBigInt64BE(0)), 0);
  t.is(uncountedBytes(undefined), 0);
});

test("the flags are told as Keeper's clients look for them", (t) => {
  t.deepEqual([...(KEEPER_ZNODES.get("/keeper/feature_flags") ?? [])], [0xff, 0xe0]);
  t.is(KEEPER_FLAGS.indexOf("CHECK_STAT"), 6);
  t.is(KEEPER_FLAGS.indexOf("LIST_WITH_STAT_AND_DATA"), 10);
  t.is(Buffer.from(KEEPER_ZNODES.get("/keeper/api_version") ?? []).toString(), "3");
});
