/** What one native client can cost the gateway and its neighbours: wrong requests, and how much may be under way. */
import test from "ava";
import { encodeCbor } from "../../../protocol/cbor.ts";
import { Code } from "../../../protocol/codes.ts";
import { CONNECTION_REQUEST_BYTES_MAX, GATEWAY_HELD_BYTES_MAX } from "../../../protocol/limits.ts";
import type { ClientItem } from "../../../protocol/native.ts";
import {
  ended,
  get,
  item,
  NativeGatewayHarness,
  opened,
  STAT,
} from "../../support/native-gateway.ts";

const RESULT = { kind: "stat", stat: STAT } as const;

function write(id: number, bytes: number): ClientItem {
  const data = new Uint8Array(bytes);
  const operation = { kind: "setData", path: "/a", data, version: -1 } as const;
  return item(id, { kind: "write", operation });
}

test("a wrong request among a hundred good ones costs none of them its answer", (t) => {
  const harness = opened();
  const good = Array.from({ length: 100 }, (_, index) => [3, 1 + index, 4, "/a"]);
  harness.sayRaw(
    ...good.slice(0, 50),
    [3, 1000, 4, 5],
    [4, 9, "/a", true, -1, 1],
    ...good.slice(50),
  );
  const { badArguments: arguments_, marshallingError } = Code;
  t.like(harness.published(), [
    { kind: "result", id: 1000, result: { kind: "error", code: marshallingError } },
    { kind: "streamRefused", stream: 9, code: arguments_ },
  ]);
  const results = good.map(() => RESULT);
  harness.give({ kind: "readDone", client: 1, zxid: STAT.mzxid, results });
  t.is(harness.published().length, 100);
});

test("a stream that is asked for wrongly is closed and said to be refused, and nothing else", (t) => {
  const harness = opened();
  const stream = { kind: "openStream", stream: 5, path: "/a", recursive: true } as const;
  harness.say({ ...stream, after: STAT.czxid, credits: 1 });
  harness.tells();
  harness.sayRaw([5, 5, -1]);
  t.deepEqual(harness.tells(), ["tree/1 closeStream"]);
});

test("bytes that are not zooid's CBOR end their own connection before they are decoded", (t) => {
  const harness = opened();
  const bytes = new Uint8Array(1024 * 1024).fill(0xff);
  // [1, [2(h'…')]]: a number of a million bytes, which takes minutes to build.
  bytes.set([0x82, 0x01, 0x81, 0xc2, 0x5a, 0x00, 0x0f, 0xff, 0xf7]);
  harness.bytes(bytes);
  t.deepEqual(harness.published(), [ended("badFrame")]);
});

test("a connection holds a limited number of bytes of requests", (t) => {
  const harness = opened();
  const most = Math.floor(CONNECTION_REQUEST_BYTES_MAX / 1_000_000);
  for (let id = 1; id <= most; id += 1) harness.say(write(id, 1_000_000));
  t.deepEqual(harness.published(), [], "the limit is not reached");
  harness.written(11, RESULT);
  harness.say(write(most + 1, 1_000_000));
  t.like(harness.published(), [{ kind: "result", id: 1 }], "what is answered counts no longer");
  harness.say(write(most + 2, 1_000_000));
  t.deepEqual(harness.published(), [ended("limit")]);
});

test("reads that wait behind a write count too", (t) => {
  const harness = opened();
  harness.say(write(1, 1_000_000));
  harness.say(write(2, 1_000_000));
  harness.say(write(3, 1_000_000));
  const path = `/${"a".repeat(8_000)}`;
  const most = Math.floor((CONNECTION_REQUEST_BYTES_MAX - 3_002_000) / 8_513);
  for (let id = 4; id < 4 + most; id += 1) harness.say(get(id, path));
  t.deepEqual(harness.published(), []);
  harness.say(get(4 + most, path));
  t.deepEqual(harness.published(), [ended("limit")]);
});

test("a gateway that holds too much refuses further requests, each for itself, until some are answered", (t) => {
  const harness = new NativeGatewayHarness();
  const each = 1_000_000;
  const connections = Math.ceil(GATEWAY_HELD_BYTES_MAX / (4 * each));
  for (let number = 1; number <= connections; number += 1) {
    const inbox = harness.openAnother(number);
    harness.frame(
      1,
      [1, 2, 3, 4].map((id) => write(id, each)),
      inbox,
    );
  }
  const refused = harness.published().filter(({ kind }) => kind === "result");
  t.true(refused.length > 0);
  t.like(refused[0], { result: { kind: "error", code: Code.throttled } });
  harness.written(1_000, RESULT, RESULT, RESULT, RESULT);
  harness.published();
  const inbox = harness.openAnother(connections + 1);
  harness.frame(1, [write(1, each)], inbox);
  t.deepEqual(harness.published(), []);
});

test("what an ended connection held counts no longer", (t) => {
  const harness = opened();
  harness.say(write(1, 1_000_000));
  harness.bytes(encodeCbor("nonsense"));
  harness.published();
  t.is(harness.heldBytes, 0);
});
