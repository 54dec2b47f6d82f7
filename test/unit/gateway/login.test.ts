/** How a connection logs in by SASL: what it has to have sent, and what no other connection has of it. */
import { createHash } from "node:crypto";
import test from "ava";
import type { Authentication, SaslLogin } from "../../../actors/gateway/messages.ts";
import { NO_AUTHENTICATION } from "../../../actors/gateway/zookeeper/authentication.ts";
import { DEFAULT_SCHEMES } from "../../../protocol/access.ts";
import { Code } from "../../../protocol/codes.ts";
import type { Identity } from "../../../protocol/identities.ts";
import { IDENTITIES_MAX, SASL_TOKEN_BYTES_MAX } from "../../../protocol/limits.ts";
import { secretOf, ZOOKEEPER_SERVICE } from "../../../protocol/zookeeper/digest-md5.ts";
import { GatewayDriver, requestFrame } from "../../support/gateway-driver.ts";
import { JuteReader } from "../../support/jute.ts";
import { type Attempt, responseTo, saslToken, USERS } from "../../support/sasl.ts";
import * as zk from "../../support/zookeeper-client/operations.ts";

const md5 = (bytes: Uint8Array): Uint8Array => createHash("md5").update(bytes).digest();
const LOGIN: SaslLogin = {
  md5,
  secrets: new Map(
    Object.values(USERS).map(({ user: name, password }) => [
      name,
      secretOf(md5, ZOOKEEPER_SERVICE, { name, password }),
    ]),
  ),
  superUser: "eve",
  keepsFailed: false,
};
const BOB: Identity = { scheme: "sasl", id: "bob" };
const SUPER: Identity = { scheme: "super", id: "" };

type Settings = Partial<Omit<Authentication, "sasl">> & { readonly sasl?: Partial<SaslLogin> };

function started({ sasl = {}, ...others }: Settings = {}): GatewayDriver {
  const schemes = new Set([...DEFAULT_SCHEMES, "sasl"]);
  const authentication = { ...NO_AUTHENTICATION, schemes, ...others, sasl: { ...LOGIN, ...sasl } };
  const gateway = new GatewayDriver({ authentication });
  gateway.leadership("following");
  gateway.attach(1);
  return gateway;
}

type Reply = { readonly code: number; readonly token: string | null };

/** Sends a token alone. Undefined: nothing was answered. */
function send(gateway: GatewayDriver, token: Buffer, connection = 1): Reply | undefined {
  gateway.bytes(connection, requestFrame(9, saslToken("", token)));
  gateway.serve();
  const bytes = gateway.written(connection);
  if (bytes.length === 0) return undefined;
  const reader = new JuteReader(bytes.subarray(4));
  if (reader.int() !== 9) throw new Error("a reply to another request");
  reader.long();
  const code = reader.int();
  return { code, token: reader.buffer()?.toString() ?? null };
}

function nonceOf(reply: Reply | undefined): string {
  return /nonce="([^"]*)"/.exec(reply?.token ?? "")?.[1] ?? "";
}

function logIn(gateway: GatewayDriver, attempt: Attempt, connection = 1): Reply | undefined {
  const nonce = nonceOf(send(gateway, Buffer.alloc(0), connection));
  return send(gateway, responseTo(nonce, attempt).response, connection);
}

/** What a write of the connection is handed on with. */
function identities(gateway: GatewayDriver, connection = 1): readonly Identity[] {
  gateway.bytes(connection, requestFrame(3, zk.setData("/a", "")));
  const last = gateway.told.at(-1)?.message;
  const operation = last?.kind === "write" ? last.operations.at(-1) : undefined;
  gateway.serve();
  gateway.written(connection);
  return (operation?.kind === "client" ? operation.identities : undefined) ?? [];
}

test("who responds rightly has the identity, from then on", (t) => {
  const gateway = started();
  t.deepEqual(identities(gateway), []);
  const challenge = send(gateway, Buffer.alloc(0));
  t.is(nonceOf(challenge).length, 40);
  t.deepEqual(identities(gateway), [], "a challenge proves nothing");
  const { response, proof } = responseTo(nonceOf(challenge), USERS.bob);
  t.deepEqual(send(gateway, response), { code: Code.ok, token: proof });
  t.deepEqual(identities(gateway), [BOB]);
});

test("who responds wrongly has no identity, is told so, and is closed", (t) => {
  for (const attempt of [
    { ...USERS.bob, password: "wrong" },
    { user: "mallory", password: "" },
  ]) {
    const gateway = started();
    t.deepEqual(logIn(gateway, attempt), { code: Code.authFailed, token: null });
    t.true(gateway.closed(1));
    const text = gateway.logged().join();
    t.regex(text, /cannot log in by SASL: its user is unknown or its password wrong/);
    t.notRegex(text, /mallory|secret/);
  }
});

test("a login that may fail leaves the connection, without an identity, and is the last", (t) => {
  const gateway = started({ sasl: { keepsFailed: true } });
  const nonce = nonceOf(send(gateway, Buffer.alloc(0)));
  const wrong = responseTo(nonce, { ...USERS.bob, password: "wrong" }).response;
  t.deepEqual(send(gateway, wrong), { code: Code.ok, token: null });
  const right = responseTo(nonce, USERS.bob).response;
  t.deepEqual(send(gateway, right), { code: Code.ok, token: null }, "a challenge is used once");
  t.deepEqual(send(gateway, Buffer.alloc(0)), { code: Code.ok, token: null });
  t.deepEqual(identities(gateway), []);
  t.false(gateway.closed(1));
});

test("a login that is required may not fail, whatever else is allowed", (t) => {
  const gateway = started({ requiredSchemes: ["sasl"], sasl: { keepsFailed: true } });
  const reply = logIn(gateway, { ...USERS.bob, password: "wrong" });
  t.deepEqual(reply, { code: Code.authRequired, token: null });
  t.true(gateway.closed(1));
});

test("who has to log in is served once the exchange is whole, and not before", (t) => {
  const gateway = started({ requiredSchemes: ["sasl"] });
  t.is(logIn(gateway, USERS.bob)?.code, Code.ok);
  t.deepEqual(identities(gateway), [BOB]);
  const early = started({ requiredSchemes: ["sasl"] });
  send(early, Buffer.alloc(0));
  t.deepEqual(identities(early), []);
  t.true(early.closed(1));
});

test("a login is the connection's own: neither another nor the session's next has it", (t) => {
  const gateway = started();
  const nonce = nonceOf(send(gateway, Buffer.alloc(0)));
  gateway.attach(2);
  t.is(send(gateway, responseTo(nonce, USERS.bob).response, 2)?.code, Code.ok, "it is challenged");
  t.deepEqual(identities(gateway, 2), []);
  t.is(send(gateway, responseTo(nonce, USERS.bob).response)?.code, Code.ok);
  t.deepEqual(identities(gateway), [BOB]);
  gateway.attach(4);
  send(gateway, Buffer.alloc(0), 4);
  t.deepEqual(identities(gateway, 4), []);
  gateway.attach(3, { sessionId: 0x1_0000_0001n, password: Buffer.alloc(16, 7) });
  t.deepEqual(identities(gateway, 3), []);
});

test("a token that is too long fails, and one that Java cannot read ends the connection", (t) => {
  const long = started();
  send(long, Buffer.alloc(0));
  t.is(send(long, Buffer.alloc(SASL_TOKEN_BYTES_MAX + 1))?.code, Code.authFailed);
  const odd = started();
  t.is(logIn(odd, { ...USERS.bob, sent: { maxbuf: "x" } }), undefined);
  t.true(odd.closed(1));
});

test("the superuser is who is named so, and a user beside it", (t) => {
  const gateway = started();
  logIn(gateway, USERS.eve);
  t.deepEqual(identities(gateway), [{ scheme: "sasl", id: "eve" }, SUPER]);
  const bob = started();
  logIn(bob, USERS.bob);
  t.false(identities(bob).some(({ scheme }) => scheme === "super"));
});

test("without the scheme a user is nobody that a list could name", (t) => {
  const gateway = started({ schemes: DEFAULT_SCHEMES });
  t.is(logIn(gateway, USERS.bob)?.code, Code.ok);
  t.deepEqual(identities(gateway), []);
  const eve = started({ schemes: DEFAULT_SCHEMES });
  logIn(eve, USERS.eve);
  t.deepEqual(identities(eve), [SUPER]);
});

test("without users a login is answered with nothing", (t) => {
  const gateway = new GatewayDriver({});
  gateway.leadership("following");
  gateway.attach(1);
  t.deepEqual(send(gateway, Buffer.alloc(0)), { code: Code.ok, token: null });
  t.deepEqual(send(gateway, Buffer.alloc(9000)), { code: Code.ok, token: null });
});

test("who has as many identities as may be cannot log in", (t) => {
  const hash = (bytes: Uint8Array): Uint8Array => createHash("sha1").update(bytes).digest();
  const gateway = started({ hash });
  const many = Array.from({ length: IDENTITIES_MAX }, (_, index) =>
    requestFrame(index, zk.auth("digest", `u${index}:p`)),
  );
  gateway.bytes(1, Buffer.concat(many));
  gateway.written(1);
  t.is(logIn(gateway, USERS.bob)?.code, Code.authFailed);
});
