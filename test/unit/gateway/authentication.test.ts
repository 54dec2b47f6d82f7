/** How a gateway takes on identities, what it hands on with them, and what it keeps from who has none. */
import { createHash } from "node:crypto";
import test from "ava";
import type { Authentication } from "../../../actors/gateway/messages.ts";
import { addressIdentity } from "../../../actors/gateway/zookeeper/authentication.ts";
import { DEFAULT_SCHEMES } from "../../../protocol/access.ts";
import type { Acl } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import type { Who } from "../../../protocol/identities.ts";
import { IDENTITIES_MAX, IDENTITY_LENGTH_MAX } from "../../../protocol/limits.ts";
import { WatchEventType } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { GatewayDriver, replyHeaders, requestFrame } from "../../support/gateway-driver.ts";
import * as zk from "../../support/zookeeper-client/operations.ts";

const sha1 = (bytes: Uint8Array): Uint8Array => createHash("sha1").update(bytes).digest();
const ANN = { scheme: "digest", id: "ann:7RJfAeIvrl4zdj6sS2fXrQHDvHM=" };
const AUTHENTICATION: Authentication = {
  hash: sha1,
  superDigest: ANN.id,
  sasl: undefined,
  requiredSchemes: [],
  schemes: DEFAULT_SCHEMES,
  skipsAcl: false,
};

function attached(authentication: Partial<Authentication> = {}): GatewayDriver {
  const gateway = new GatewayDriver({ authentication: { ...AUTHENTICATION, ...authentication } });
  gateway.leadership("following");
  gateway.attach(1);
  return gateway;
}

function send(gateway: GatewayDriver, ...requests: readonly zk.Operation[]): void {
  const frames = requests.map((request, index) => requestFrame(request.xid ?? index + 1, request));
  gateway.bytes(1, Buffer.concat(frames));
}

function codes(gateway: GatewayDriver): readonly (readonly number[])[] {
  return replyHeaders(gateway.written(1)).map(({ xid, code }) => [xid, code]);
}

type Asked = { readonly kind: string; readonly who: Who | undefined; readonly count: number };

/** What was handed on, and for whom. */
function handedOn(gateway: GatewayDriver): readonly Asked[] {
  return gateway.told.flatMap(({ message }): Asked[] => {
    if (message.kind === "read") {
      return [{ kind: "read", who: message.who, count: message.reads.length }];
    }
    if (message.kind !== "write") return [];
    const identities = message.operations.map((each) =>
      each.kind === "client" ? each.identities : undefined,
    );
    const [first = []] = identities;
    const who = { identities: first, address: undefined };
    return [{ kind: "write", who, count: message.operations.length }];
  });
}

test("a digest is taken on, and goes with what is asked from then on", (t) => {
  const gateway = attached({ superDigest: undefined });
  send(gateway, zk.setData("/a", ""), zk.auth("digest", "ann:secret"), zk.setData("/a", ""));
  t.deepEqual(
    handedOn(gateway).map(({ who, count }) => [who?.identities, count]),
    [
      [[], 1],
      [[ANN], 1],
    ],
  );
  gateway.serve();
  t.deepEqual(codes(gateway), [
    [1, Code.ok],
    [-4, Code.ok],
    [3, Code.ok],
  ]);
});

test("a read has the identities that its connection had when it came", (t) => {
  const gateway = attached({ superDigest: undefined });
  send(gateway, zk.getData("/a"), zk.auth("digest", "ann:secret"), zk.getData("/a"));
  const asked = handedOn(gateway);
  t.deepEqual(
    asked.map(({ who }) => who?.identities),
    [[], [ANN]],
  );
  t.true(asked.every(({ who }) => who?.address === "10.0.0.1"));
});

test("the superuser has an identity more, and no password is written to the log", (t) => {
  const gateway = attached();
  send(gateway, zk.auth("digest", "ann:secret"), zk.setData("/a", ""));
  const [asked] = handedOn(gateway);
  t.deepEqual(asked?.who?.identities, [{ scheme: "super", id: "" }, ANN]);
  send(gateway, zk.auth("nosuchscheme", "ann:secret"));
  gateway.serve();
  const text = gateway.logged().join();
  t.regex(text, /nosuchscheme/);
  t.notRegex(text, /secret|7RJf/);
});

test("a connection proves no more than the limit, and nothing that is too long", (t) => {
  const many = Array.from({ length: IDENTITIES_MAX }, (_, index) =>
    zk.auth("digest", `u${index}:p`),
  );
  const gateway = attached();
  send(gateway, ...many);
  t.true(codes(gateway).every(([, code]) => code === Code.ok));
  send(gateway, zk.auth("digest", "u0:p"), zk.auth("digest", "another:p"));
  t.deepEqual(codes(gateway).slice(-2), [
    [-4, Code.ok],
    [-4, Code.authFailed],
  ]);
  t.true(gateway.closed(1));
  const long = attached();
  send(long, zk.auth("digest", "u".repeat(IDENTITY_LENGTH_MAX)));
  t.deepEqual(codes(long), [[-4, Code.authFailed]]);
});

test("who has to authenticate is told so with any request, and served after it has", (t) => {
  const requiredSchemes = ["digest"];
  for (const request of [zk.ping(), zk.exists("/"), zk.create("/a"), zk.closeSession()]) {
    const gateway = attached({ requiredSchemes });
    send(gateway, request, zk.create("/b"));
    t.deepEqual(handedOn(gateway), []);
    t.deepEqual(codes(gateway), [[request.xid ?? 1, Code.authRequired]]);
    t.true(gateway.closed(1));
  }
  const gateway = attached({ requiredSchemes });
  send(gateway, zk.auth("digest", "ann:secret"), zk.create("/a"));
  t.is(handedOn(gateway).length, 1);
  t.is(attached({ requiredSchemes: ["ip"] }).closed(1), false);
});

test("where lists are not checked, everybody is taken for who may do everything, and does not see it", (t) => {
  const gateway = attached({ skipsAcl: true });
  send(gateway, zk.setData("/a", ""), zk.whoAmI());
  t.deepEqual(handedOn(gateway)[0]?.who?.identities, [{ scheme: "super", id: "unchecked" }]);
  gateway.serve();
  t.false(gateway.written(1).includes("unchecked"));
});

const OWNED: readonly Acl[] = [{ permissions: 31, ...ANN }];

test("an event goes to who may read, with what he has proved by then", (t) => {
  const gateway = attached({ superDigest: undefined });
  const event = { type: WatchEventType.nodeDataChanged, path: "/a", zxid: 9 as Zxid };
  const tell = (acl?: readonly Acl[]): number => {
    gateway.written(1);
    const events = [acl === undefined ? event : { ...event, acl }];
    gateway.tell({ kind: "watchEvents", client: 1, events });
    return gateway.written(1).length;
  };
  t.true(tell() > 0);
  t.is(tell(OWNED), 0);
  t.is(tell([{ ...OWNED[0], permissions: 30 } as Acl]), 0);
  send(gateway, zk.auth("digest", "ann:secret"));
  t.true(tell(OWNED) > 0);
});

test("an address is written as Java writes it", (t) => {
  t.is(addressIdentity("10.0.0.1:4711"), "10.0.0.1");
  t.is(addressIdentity("[::1]:4711"), "0:0:0:0:0:0:0:1");
  t.is(addressIdentity("[::]:4711"), "0:0:0:0:0:0:0:0");
  t.is(addressIdentity("[fe80::1%eth0]:4711"), "fe80:0:0:0:0:0:0:1%eth0");
  t.is(addressIdentity("[2001:db8:0:1:02:3:4:5]:1"), "2001:db8:0:1:2:3:4:5");
});
