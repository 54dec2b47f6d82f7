/** Native clients prove identities: for what is behind the proof, on their own connection. */
import { createHash } from "node:crypto";
import test from "ava";
import type { Digests } from "../../../actors/gateway/digests.ts";
import { Code } from "../../../protocol/codes.ts";
import type { Identity, Who } from "../../../protocol/identities.ts";
import { IDENTITIES_MAX } from "../../../protocol/limits.ts";
import type { ClientItem, GatewayItem } from "../../../protocol/native.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { ended, get, item, NativeGatewayHarness, set } from "../../support/native-gateway.ts";

const hash = (bytes: Uint8Array): Uint8Array => createHash("sha1").update(bytes).digest();
const ANN: Identity = { scheme: "digest", id: "ann:7RJfAeIvrl4zdj6sS2fXrQHDvHM=" };
const DIGESTS: Digests = { hash, superDigest: undefined };

const prove = (text: string): ClientItem => ({ kind: "auth", data: Buffer.from(text) });

function started(digests: Digests = DIGESTS): NativeGatewayHarness {
  const harness = new NativeGatewayHarness({ digests });
  harness.open();
  return harness;
}

type Asked = { readonly who?: Who; readonly operations?: readonly object[] };

function readers(harness: NativeGatewayHarness, kind: string): readonly Identity[] {
  return (harness.lastTold(kind) as Asked).who?.identities ?? [];
}

function writers(harness: NativeGatewayHarness): unknown {
  const [operation] = (harness.lastTold("write") as Asked).operations ?? [];
  return operation === undefined ? undefined : (operation as { identities?: object }).identities;
}

test("requests and streams have the identities that were proved before them", (t) => {
  const harness = started();
  harness.say(get(1));
  t.deepEqual(readers(harness, "read"), []);
  harness.tells();
  harness.say(set(2), prove("ann:secret"));
  t.is(writers(harness), undefined, "the write came before the proof");
  harness.written(11, { kind: "done" });
  harness.tells();
  harness.say(set(3));
  t.deepEqual(writers(harness), [ANN]);
  const stream = { kind: "openStream", stream: 1, path: "/", recursive: true } as const;
  harness.say({ ...stream, after: 10 as Zxid, credits: 1 });
  t.deepEqual(readers(harness, "openStream"), [ANN]);
  t.deepEqual(harness.published(), [], "a proof is not answered");
});

test("whoAmI tells what was proved before it, in its turn, without the hashes of passwords", (t) => {
  const harness = started();
  harness.say(item(1, { kind: "whoAmI" }), prove("ann:secret"), item(2, { kind: "whoAmI" }));
  const results = [[], [{ scheme: "digest", id: "ann" }]].map((identities, index) => ({
    ...{ kind: "result", id: index + 1, zxid: 10 as Zxid },
    result: { kind: "identities", identities },
  }));
  t.deepEqual(harness.published(), results as GatewayItem[]);
});

test("a list that stands for what the client has proved is written with that", (t) => {
  const harness = started();
  const acl = [{ permissions: 31, scheme: "auth", id: "" }];
  const setAcl = { kind: "setAcl", path: "/a", acl, version: -1 } as const;
  harness.say(prove("ann:secret"), item(1, { kind: "write", operation: setAcl }));
  const { operations } = harness.lastTold("write") as Asked;
  t.like(operations?.[0], { operation: { acl: [{ permissions: 31, ...ANN }] } });
});

test("a multi with one operation that cannot be is answered for each of them, and goes no further", (t) => {
  const harness = started();
  harness.tells();
  const operations = ["/a", "b", "/c"].map(
    (path) => ({ kind: "check", path, version: -1 }) as const,
  );
  harness.say(item(1, { kind: "write", operation: { kind: "multi", operations } }));
  const codes = [Code.ok, Code.badArguments, Code.runtimeInconsistency];
  t.like(harness.published(), [
    { id: 1, result: { failed: true, results: codes.map((code) => ({ kind: "error", code })) } },
  ]);
  t.deepEqual(harness.tells(), []);
});

test("the identities of one connection are nobody else's", (t) => {
  const harness = started();
  harness.say(prove("ann:secret"));
  const inbox = harness.openAnother(2);
  harness.tells();
  harness.frame(1, [set(1)], inbox);
  t.is(writers(harness), undefined);
});

test("what proves nothing ends the connection", (t) => {
  const without = started({ hash: undefined, superDigest: undefined });
  without.say(prove("ann:secret"), set(1));
  t.deepEqual(without.published(), [ended("authFailed")] as GatewayItem[]);
  t.deepEqual(without.tells(), [], "nothing behind it is done");
  const many = started();
  many.say(...Array.from({ length: IDENTITIES_MAX }, (_, index) => prove(`u${index}:p`)));
  t.deepEqual(many.published(), []);
  many.say(prove("one:more"));
  t.deepEqual(many.published(), [ended("authFailed")] as GatewayItem[]);
});

test("the superuser may do everything", (t) => {
  const harness = started({ hash, superDigest: ANN.id });
  harness.say(prove("ann:secret"), set(1));
  t.deepEqual(writers(harness), [{ scheme: "super", id: "" }, ANN]);
});
