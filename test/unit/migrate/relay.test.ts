/** What the relay sees in the bytes that pass through it. */
import test from "ava";
import {
  expiredAnswer,
  grantedSession,
  readHandshake,
  withNothingSeen,
} from "../../../cli/migrate/relay/handshake.ts";
import { Requests } from "../../../cli/migrate/relay/requests.ts";
import { FrameTap } from "../../../cli/migrate/relay/tap.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { JuteWriter } from "../../../protocol/jute.ts";
import { CONTAINER } from "../../../protocol/lifetime.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import {
  opCodeOf,
  writeConnectRequest,
  writeOperation,
} from "../../../protocol/zookeeper/client-requests.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

const MODE = { ephemeral: false, sequential: false };

function requestOf(operation: ClientOperation): Buffer {
  const writer = new JuteWriter();
  writer.int32(1).int32(opCodeOf(operation));
  writeOperation(writer, operation);
  return Buffer.from(writer.take());
}

function replyOf({
  xid = 1,
  zxid = 9,
  code = 0,
  path,
}: {
  xid?: number;
  zxid?: number;
  code?: number;
  path?: string;
}): Buffer {
  const writer = new JuteWriter();
  writer.int32(xid).int64(zxid).int32(code);
  if (path !== undefined) writer.string(path);
  return Buffer.from(writer.take());
}

test("frames are seen whole, however their bytes come", (t) => {
  const frames = ["", "a", "bc".repeat(300)].map((text) => Buffer.from(text));
  const bytes = Buffer.concat(
    frames.flatMap((frame) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(frame.length);
      return [length, frame];
    }),
  );
  for (const size of [1, 3, 7, bytes.length]) {
    const seen: string[] = [];
    const tap = new FrameTap((frame) => seen.push(frame.toString()));
    for (let at = 0; at < bytes.length; at += size) t.true(tap.take(bytes.subarray(at, at + size)));
    t.deepEqual(seen, frames.map(String));
  }
});

test("a frame that is longer than any request is passed over, and the next one is seen", (t) => {
  const long = Buffer.alloc(4 + 3 * 1024 * 1024);
  long.writeInt32BE(long.length - 4);
  const seen: number[] = [];
  const tap = new FrameTap((frame) => seen.push(frame.length));
  for (let at = 0; at < long.length; at += 65_536) tap.take(long.subarray(at, at + 65_536));
  tap.take(Buffer.from([0, 0, 0, 1, 42]));
  t.is(seen.length, 2);
  t.true((seen[0] ?? 0) < 1.2 * 1024 * 1024);
  t.is(seen[1], 1);
  t.false(tap.take(Buffer.from([255, 0, 0, 0])), "a negative length is none");
});

test("what a request has written is known when it is answered, and not before", (t) => {
  const requests = new Requests();
  const create = { kind: "create", path: "/a/b-", data: null, acl: OPEN_ACL } as const;
  requests.asked(
    requestOf({ ...create, mode: { ...MODE, sequential: true, lifetime: CONTAINER } }),
  );
  requests.asked(requestOf({ kind: "setAcl", path: "/c", acl: OPEN_ACL, version: -1 }));
  requests.asked(requestOf({ kind: "delete", path: "/d/e", version: -1 }));
  t.is(requests.underWay, 3);
  t.is(requests.replied(replyOf({ xid: -1 })), undefined, "the event of a watch answers nothing");
  t.deepEqual(requests.replied(replyOf({ path: "/a/b-0000000007" })), {
    paths: ["/a/b-0000000007", "/a"],
    created: [{ path: "/a/b-0000000007", czxid: 9 as Zxid, lifetime: CONTAINER }],
  });
  t.deepEqual(requests.replied(replyOf({ code: -101 })), { paths: [], created: [] });
  t.is(requests.underWay, 1);
  t.deepEqual(requests.left(), ["/d/e", "/d"]);
  t.is(requests.underWay, 0);
});

test("thousands of requests under way are answered in their order", (t) => {
  const requests = new Requests();
  for (let index = 0; index < 5_000; index += 1) {
    requests.asked(requestOf({ kind: "setData", path: `/${index}`, data: null, version: -1 }));
  }
  for (let index = 0; index < 5_000; index += 1) {
    t.deepEqual(requests.replied(replyOf({}))?.paths, [`/${index}`]);
  }
  t.is(requests.underWay, 0);
});

function handshake(version: number): Buffer {
  const writer = new JuteWriter();
  writeConnectRequest(writer, {
    ...{ lastZxidSeen: 77 as Zxid, timeoutMs: 10_000 },
    ...{ session: 0x1234_5678_9abc_def0n, password: new Uint8Array(16) },
  });
  const bytes = Buffer.from(writer.take());
  bytes.writeInt32BE(version, 4);
  return bytes.subarray(4);
}

test("a handshake names its session, and may be made to have seen nothing", (t) => {
  const frame = handshake(0);
  t.is(readHandshake(frame)?.session, 0x1234_5678_9abc_def0n);
  t.is(readHandshake(frame)?.request.lastZxidSeen, 77);
  const changed = readHandshake(withNothingSeen(frame));
  t.is(changed?.request.lastZxidSeen, 0);
  t.is(changed?.request.timeoutMs, 10_000);
  t.is(readHandshake(frame)?.request.lastZxidSeen, 77, "the frame itself stays as it is");
  t.is(readHandshake(handshake(10)), undefined, "Keeper's compression cannot be read");
  t.is(readHandshake(frame.subarray(0, 12)), undefined);
});

test("an expired session is answered as servers answer it", (t) => {
  const request = readHandshake(handshake(0))?.request;
  if (request === undefined) throw new Error("no handshake");
  const answer = Buffer.from(expiredAnswer(request));
  t.is(answer.readInt32BE(), answer.length - 4);
  t.is(grantedSession(answer.subarray(4)), 0n);
  t.is(answer.readInt32BE(8), 0, "its timeout is 0");
});
