/** The frame around messages between nodes, byte for byte; and who belongs to an ensemble. */
import test from "ava";
import { decodeCbor, encodeCbor, PEER_CBOR } from "../../../protocol/cbor.ts";
import {
  checkedConfiguration,
  decodeConfiguration,
  encodeConfiguration,
  foundedBy,
  votersOfText,
  votersText,
  withIdentity,
} from "../../../protocol/configuration.ts";
import {
  decodeFrame,
  encodeFrame,
  encodeHeader,
  isSameHead,
  PEER_FRAME_HEAD_BYTES,
  type PeerFrameHeader,
} from "../../../protocol/peer-frame.ts";
import { folderOf } from "../../support/peers.ts";
import { at, server } from "../../support/plain-calls.ts";

const header: PeerFrameHeader = {
  server: server(258 - 100),
  ensembleId: "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
  identity: "000102030405060708090a0b0c0d0e0f",
  incarnation: 2 ** 40 + 3,
  nonce: Number.MAX_SAFE_INTEGER,
  configurationVersion: 7,
};
const GOLDEN: string =
  "825840" +
  "5a4603010000009e" +
  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf" +
  "000102030405060708090a0b0c0d0e0f" +
  "0000010000000003" +
  "001fffffffffffff" +
  "0000000700000000";

function frameOf(of: PeerFrameHeader, message: unknown = { kind: "join" }): Uint8Array {
  return new Uint8Array(encodeFrame(encodeHeader(of, "message"), message));
}

function changed(offset: number, value: number): Uint8Array {
  const bytes = frameOf(header);
  bytes[offset] = value;
  return bytes;
}

test("a frame begins with these bytes, is read from them, and is as a whole an array of CBOR", (t) => {
  const bytes = frameOf(header, [1, 2, 3]);
  t.is(Buffer.from(bytes.subarray(0, PEER_FRAME_HEAD_BYTES)).toString("hex"), GOLDEN);
  const body = encodeCbor([1, 2, 3]);
  t.deepEqual(decodeFrame(bytes), { kind: "message", header, body: new Uint8Array(body) });
  t.deepEqual((decodeCbor(bytes, PEER_CBOR) as unknown[])[1], [1, 2, 3]);
  const refusal = encodeFrame(encodeHeader(header, "refusal"), {});
  t.like(decodeFrame(refusal), { kind: "refusal" });
});

test("a sender that belongs to no ensemble says so with zeros", (t) => {
  const frame = decodeFrame(frameOf({ ...header, ensembleId: undefined }));
  t.is("fault" in frame ? frame.fault : frame.header.ensembleId, undefined);
});

test("what is no frame, of another version, or has a field that no node writes, is refused", (t) => {
  t.deepEqual(decodeFrame(new Uint8Array(0)), { fault: "notAFrame" });
  t.deepEqual(decodeFrame(frameOf(header).subarray(1)), { fault: "notAFrame" });
  for (const offset of [0, 1, 2, 3, 4]) {
    t.deepEqual(decodeFrame(changed(offset, 0xa1)), { fault: "notAFrame" });
  }
  for (const version of [0, 1, 2, 4]) {
    t.deepEqual(decodeFrame(changed(5, version)), { fault: "badVersion", version });
  }
  for (const [offset, value] of [
    [6, 0],
    [6, 3],
    [7, 1],
    [8, 1],
    [9, 1],
    [43, 0xff],
    [51, 0xff],
    [66, 1],
  ] as const) {
    t.deepEqual(decodeFrame(changed(offset, value)), { fault: "badField" }, `offset ${offset}`);
  }
});

test("frames of one process have the same header whatever their body, of another one they do not", (t) => {
  const head = frameOf(header).subarray(0, PEER_FRAME_HEAD_BYTES);
  t.true(isSameHead(head, frameOf(header, [9])));
  t.false(isSameHead(head, head.subarray(0, 66)));
  t.false(isSameHead(head, frameOf({ ...header, nonce: 1 })));
});

const founders = [3, 1, 2].map((id) => ({ id: server(id), identity: folderOf(id) }));

test("the same founders found the same ensemble, whatever their order; any other one another", (t) => {
  const { ensembleId, version, voters } = foundedBy(founders);
  t.is(version, 1);
  t.deepEqual(
    voters.map(({ id }) => id),
    [1, 2, 3].map(server),
  );
  t.is(foundedBy(founders.toReversed()).ensembleId, ensembleId);
  const ids = new Set([ensembleId]);
  for (let bit = 0; bit < 128; bit += 1) {
    const identity = (1n << BigInt(bit)).toString(16).padStart(32, "0");
    ids.add(foundedBy([...founders.slice(1), { id: server(3), identity }]).ensembleId);
  }
  t.is(ids.size, 1 + 128);
});

test("a configuration goes through its bytes and its text; the next one binds one number to another folder", (t) => {
  const first = foundedBy(founders);
  const next = withIdentity(first, { id: server(2), identity: folderOf(9) }, at(3, 7));
  t.like(next, { ensembleId: first.ensembleId, version: 2, since: at(3, 7) });
  t.is(votersText(next), `1:${folderOf(1)},2:${folderOf(9)},3:${folderOf(3)}`);
  t.deepEqual(decodeConfiguration(encodeConfiguration(next)), next);
  t.deepEqual(votersOfText(votersText(next)), next.voters);
});

test("what is no configuration is none", (t) => {
  const sound = foundedBy(founders);
  const [first] = sound.voters;
  for (const wrong of [
    undefined,
    null,
    1,
    {},
    { ...sound, version: 0 },
    { ...sound, version: 1.5 },
    { ...sound, since: -1 },
    { ...sound, ensembleId: "x" },
    { ...sound, voters: [] },
    { ...sound, voters: [first, first] },
    { ...sound, voters: [{ id: -1, identity: folderOf(1) }] },
    { ...sound, voters: [{ id: 1, identity: "ff" }] },
    { ...sound, voters: [null] },
  ]) {
    t.is(checkedConfiguration(wrong), undefined);
  }
  t.is(votersOfText(""), undefined);
  t.is(votersOfText(`1:${folderOf(1)}:2`), undefined);
});
