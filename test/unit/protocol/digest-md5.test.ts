/** DIGEST-MD5: RFC 2831's own example, and what a response may not be. */
import { createHash } from "node:crypto";
import test from "ava";
import {
  challengeOf,
  judge,
  type Judge,
  secretOf,
  type Service,
  type Verdict,
  ZOOKEEPER_SERVICE,
} from "../../../protocol/zookeeper/digest-md5.ts";
import { DigestClient } from "../../../protocol/zookeeper/digest-md5-client.ts";
import { type Attempt, responseTo, USERS } from "../../support/sasl.ts";

const md5 = (bytes: Uint8Array): Uint8Array => createHash("md5").update(bytes).digest();

function judging(service: Service, nonce: string, users: readonly Attempt[]): Judge {
  const secrets = new Map(
    users.map(({ user: name, password }) => [name, secretOf(md5, service, { name, password })]),
  );
  return { md5, service, nonce, secretOf: (user) => secrets.get(user) };
}

/** RFC 2831, section 4: IMAP. */
const IMAP: Service = { realm: "elwood.innosoft.com", uri: "imap/elwood.innosoft.com" };
const CHRIS: Attempt = { user: "chris", password: "secret" };
const IMAP_RESPONSE = [
  'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001',
  'cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com"',
  "response=d388dad90d4bbd760a152321f2143af7,qop=auth",
].join(",");

test("the RFC's example of a login is right, and so is its proof of the server's", (t) => {
  const verdict = judge(Buffer.from(IMAP_RESPONSE), judging(IMAP, "OA6MG9tEQGm2hh", [CHRIS]));
  t.is(verdict.kind, "proved");
  if (verdict.kind !== "proved") return;
  t.is(verdict.user, "chris");
  t.is(Buffer.from(verdict.proof).toString(), "rspauth=ea40f60335c427b5527b84dbabcdfffd");
});

test("a digest that differs in one letter is refused, whichever it is", (t) => {
  const at = IMAP_RESPONSE.indexOf("d388");
  for (let index = 0; index < 32; index += 1) {
    const letter = IMAP_RESPONSE.charAt(at + index) === "0" ? "1" : "0";
    const changed =
      IMAP_RESPONSE.slice(0, at + index) + letter + IMAP_RESPONSE.slice(at + index + 1);
    const verdict = judge(Buffer.from(changed), judging(IMAP, "OA6MG9tEQGm2hh", [CHRIS]));
    t.is(verdict.kind, "refused", changed);
  }
});

test("a client is challenged with the service's realm and the nonce", (t) => {
  t.is(
    Buffer.from(challengeOf(ZOOKEEPER_SERVICE, "abc")).toString(),
    'realm="zk-sasl-md5",nonce="abc",charset=utf-8,algorithm=md5-sess',
  );
});

function verdictOn(attempt: Attempt, nonce = "n"): Verdict {
  const { response } = responseTo("n", attempt);
  return judge(response, judging(ZOOKEEPER_SERVICE, nonce, Object.values(USERS)));
}

test("each user is known by the own password, of any letters, and by no other's", (t) => {
  for (const { user, password } of Object.values(USERS)) {
    for (const other of Object.values(USERS)) {
      const { kind } = verdictOn({ user: other.user, password });
      t.is(kind, other.user === user ? "proved" : "refused", `${other.user} with ${user}'s`);
    }
  }
});

test("a user that there is not is refused with every password, that of no bytes too", (t) => {
  const { bob } = USERS;
  t.is(verdictOn({ user: "BOB", password: bob.password }).kind, "refused");
  // ZooKeeper takes the password of whoever logged in before for that of a user that it does not know.
  t.is(verdictOn({ user: "mallory", password: bob.password }).kind, "refused");
  t.is(verdictOn({ user: "mallory", password: "" }).kind, "refused");
  t.is(verdictOn({ user: "", password: "" }).kind, "refused");
});

test("what is hashed for a user that there is not lets nobody in", (t) => {
  const secret = Buffer.alloc(16);
  t.is(verdictOn({ user: "mallory", password: "", secret }).kind, "refused");
});

test("a response to another challenge is refused", (t) => {
  t.is(verdictOn(USERS.bob).kind, "proved");
  t.is(verdictOn(USERS.bob, "other").kind, "refused");
});

test("whoever asks to act as another is the user whose password it was", (t) => {
  const verdict = verdictOn({ ...USERS.bob, sent: { authzid: "super" } });
  t.is(verdict.kind === "proved" ? verdict.user : undefined, "bob");
});

test("a number that is none cannot be read", (t) => {
  for (const name of ["maxbuf", "nonce-count"]) {
    t.is(verdictOn({ ...USERS.bob, sent: { [name]: "x" } }).kind, "unreadable", name);
  }
});

function client(user: string, password: string): DigestClient {
  return new DigestClient({ name: user, password, cnonce: "OA6MHXh6VqTrRk", md5 });
}

test("a client answers as one that was written from the RFC alone, for names of all kinds", (t) => {
  for (const { user, password } of Object.values(USERS)) {
    const step = client(user, password).answer(challengeOf(ZOOKEEPER_SERVICE, "nonce"));
    const { response, proof } = responseTo("nonce", {
      user,
      password,
      sent: { cnonce: "OA6MHXh6VqTrRk" },
    });
    if (step.kind !== "token") return t.fail();
    const directives = (text: string): string[] => text.split(/,(?=[a-z-]+=)/).toSorted();
    t.deepEqual(
      directives(Buffer.from(step.token).toString()).map((each) => each.replaceAll(/["\\]/g, "")),
      directives(response.toString()).map((each) => each.replaceAll(/["\\]/g, "")),
    );
    const verdict = judge(step.token, judging(ZOOKEEPER_SERVICE, "nonce", [{ user, password }]));
    t.is(verdict.kind, "proved");
    if (verdict.kind === "proved") t.is(Buffer.from(verdict.proof).toString(), proof);
  }
});

test("a client takes only the proof of a server that knows the password", (t) => {
  const { user, password } = USERS.bob;
  const challenge = challengeOf(ZOOKEEPER_SERVICE, "nonce");
  const right = client(user, password);
  const step = right.answer(challenge);
  if (step.kind !== "token") return t.fail();
  const verdict = judge(step.token, judging(ZOOKEEPER_SERVICE, "nonce", [USERS.bob]));
  if (verdict.kind !== "proved") return t.fail();
  t.deepEqual(right.answer(verdict.proof), { kind: "done" });
  const other = client(user, "another password");
  other.answer(challenge);
  t.is(other.answer(verdict.proof).kind, "failed");
  t.is(client(user, password).answer(Buffer.from("rspauth=00")).kind, "failed");
});
