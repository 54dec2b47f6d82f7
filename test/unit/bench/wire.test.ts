import { Buffer } from "node:buffer";
import fc from "fast-check";
import test from "ava";
import {
  closeSessionFrame,
  connectFrame,
  addWatchFrame,
  createFrame,
  deleteFrame,
  getChildrenFrame,
  getDataFrame,
  multiFrame,
  parseConnectReply,
  patchDigits,
  patchXid,
  ReplyReader,
  setDataFrame,
  WireError,
} from "../../../bench/load/zookeeper/wire.ts";

function hex(...parts: readonly string[]): string {
  return parts.join("").replaceAll(" ", "");
}

test("a connect frame asks for a new session with an empty password", (t) => {
  t.is(
    connectFrame(30_000).toString("hex"),
    hex(
      "0000002d", // length 45
      "00000000 0000000000000000", // protocol version, lastZxidSeen
      "00007530 0000000000000000", // timeout, session id
      "00000010 00000000000000000000000000000000", // password
      "00", // readOnly
    ),
  );
});

test("a create frame is a persistent node with the open ACL", (t) => {
  t.is(
    createFrame("/a", Buffer.from("xy")).toString("hex"),
    hex(
      "00000033 00000000 00000001", // length 51, xid, create
      "00000002 2f61 00000002 7879", // path, data
      "00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65", // 31, world, anyone
      "00000000", // persistent
    ),
  );
});

test("setData and delete frames name no version", (t) => {
  t.is(
    setDataFrame("/a", Buffer.from("x")).toString("hex"),
    hex("00000017 00000000 00000005 00000002 2f61 00000001 78 ffffffff"),
  );
  t.is(deleteFrame("/a").toString("hex"), hex("00000012 00000000 00000002 00000002 2f61 ffffffff"));
});

test("a getData frame sets no watch and a closeSession frame has no body", (t) => {
  t.is(getDataFrame("/a").toString("hex"), hex("0000000f 00000000 00000004 00000002 2f61 00"));
  t.is(closeSessionFrame().toString("hex"), hex("00000008 00000000 fffffff5"));
});

test("an xid is patched into its own frame of several", (t) => {
  const one = closeSessionFrame();
  const frames = Buffer.concat([one, one, one]);
  patchXid(frames, one.length, 0x7fabcdef);
  t.is(frames.readInt32BE(4), 0);
  t.is(frames.readInt32BE(one.length + 4), 0x7fabcdef);
  t.is(frames.readInt32BE(2 * one.length + 4), 0);
});

test("patched digits are the number with leading zeros", (t) => {
  const frame = Buffer.from("/c1-0000000000/");
  patchDigits(frame, 14, { digits: 10, value: 1_234_567 });
  t.is(frame.toString(), "/c1-0001234567/");
  patchDigits(frame, 14, { digits: 10, value: 9_999_999_999 });
  t.is(frame.toString(), "/c1-9999999999/");
});

test("a connect reply is read with and without its last byte", (t) => {
  const body = Buffer.alloc(37);
  body.writeInt32BE(4000, 4);
  body.writeBigInt64BE(-2n, 8);
  t.deepEqual(parseConnectReply(body), { timeoutMs: 4000, sessionId: -2n });
  t.deepEqual(parseConnectReply(body.subarray(0, 36)), { timeoutMs: 4000, sessionId: -2n });
  t.throws(() => parseConnectReply(body.subarray(0, 20)), { instanceOf: WireError });
});

function replyFrame(xid: number, error: number, bodyBytes: number): Buffer {
  const frame = Buffer.alloc(20 + bodyBytes, 0xee);
  frame.writeInt32BE(16 + bodyBytes, 0);
  frame.writeInt32BE(xid, 4);
  frame.writeInt32BE(error, 16);
  return frame;
}

test("replies are the same however their bytes are chunked", (t) => {
  const reply = fc.record({
    xid: fc.integer({ min: -8, max: 2 ** 31 - 1 }),
    error: fc.constantFrom(0, -101, -110),
    bodyBytes: fc.integer({ min: 0, max: 60 }),
  });
  const chunkLengths = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(reply), chunkLengths, (replies, lengths) => {
      const bytes = Buffer.concat(replies.map((r) => replyFrame(r.xid, r.error, r.bodyBytes)));
      const seen: [number, number][] = [];
      const reader = new ReplyReader((xid, error) => seen.push([xid, error]));
      const readBuffer = Buffer.alloc(64); // reused, as a socket's is
      let offset = 0;
      for (let turn = 0; offset < bytes.length; turn += 1) {
        const length = Math.min(lengths[turn % lengths.length] ?? 1, bytes.length - offset);
        readBuffer.fill(0xff);
        bytes.copy(readBuffer, 0, offset, offset + length);
        reader.push(readBuffer, length);
        offset += length;
      }
      t.deepEqual(
        seen,
        replies.map(({ xid, error }) => [xid, error]),
      );
    }),
  );
});

test("a reply that is shorter than its header or absurdly long is refused", (t) => {
  for (const length of [-1, 0, 15, 2 ** 31 - 1]) {
    const frame = replyFrame(1, 0, 0);
    frame.writeInt32BE(length, 0);
    const reader = new ReplyReader(() => {});
    t.throws(() => reader.push(frame, frame.length), { instanceOf: WireError }, `${length}`);
  }
});

test("a create frame can ask for an ephemeral and sequential znode", (t) => {
  const flags = (frame: Buffer): number => frame.readInt32BE(frame.length - 4);
  t.is(flags(createFrame("/a", Buffer.alloc(0), { ephemeral: true, sequential: true })), 3);
  t.is(flags(createFrame("/a", Buffer.alloc(0), { sequential: true })), 2);
});

test("a multi frame has a header before each operation and one behind the last", (t) => {
  const data = Buffer.from("x");
  t.is(
    multiFrame([{ kind: "set", path: "/a", data }]).toString("hex"),
    hex(
      "00000029 00000000 0000000e", // length 41, xid, multi
      "00000005 00 ffffffff", // set, not done, no error
      "00000002 2f61 00000001 78 ffffffff", // path, data, any version
      "ffffffff 01 ffffffff", // done
    ),
  );
});

test("reads of children set no watch, reads of data do if asked, and a persistent watch has its mode", (t) => {
  t.is(getChildrenFrame("/a").toString("hex").slice(16), hex("00000008 00000002 2f61 00"));
  t.is(getDataFrame("/a", true).at(-1), 1);
  t.is(addWatchFrame("/a").toString("hex").slice(16), hex("0000006a 00000002 2f61 00000001"));
});
