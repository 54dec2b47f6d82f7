/** Logins by SASL, compared with Apache ZooKeeper: both have the same users, from the same JAAS file, and the same lines. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { runJavaSasl, runKazooSasl } from "./clients/clients.ts";
import { play, type Scenario } from "../support/conformance.ts";
import {
  askChallenge,
  type Attempt,
  logIn,
  respond,
  saslToken,
  USERS,
  writeJaas,
} from "../support/sasl.ts";
import type { ZkClient } from "../support/zookeeper-client/client.ts";
import {
  type AclEntry,
  auth,
  create,
  exists,
  getAcl,
  getData,
  multi,
  OPEN,
  ping,
  remove,
  setAcl,
  setData,
  whoAmI,
} from "../support/zookeeper-client/operations.ts";
import { startZooid } from "../support/zooid.ts";
import { startZookeeper } from "../support/zookeeper-server.ts";

const folder = mkdtempSync(join(tmpdir(), "zooid-sasl-"));
const jaas = writeJaas(join(folder, "jaas.conf"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const { bob, ann, eve } = USERS;
const AUTH: readonly AclEntry[] = [{ perms: 31, scheme: "auth", id: "" }];
const listed = (...ids: readonly string[]): readonly AclEntry[] =>
  ids.map((id) => ({ perms: 31, scheme: "sasl", id }));

/** A path for what is listed under an id, which may have any letters. */
const pathOf = (index: number): string => `/id-${index}`;

const lists: Scenario = async (stage) => {
  const a = await stage.connect("a");
  const b = await stage.connect("b");
  await stage.steps(a, whoAmI(), create("/none", "", { acl: AUTH }));
  await logIn(a, "bob", bob);
  await stage.steps(
    a,
    whoAmI(),
    create("/bob", "1", { acl: AUTH }),
    getAcl("/bob"),
    getData("/bob", true),
    create("/bob/of-ann", "2", { acl: listed("ann") }),
    getData("/bob/of-ann"),
    auth("digest", "u:p"),
    whoAmI(),
    setAcl("/bob", AUTH),
    getAcl("/bob"),
    multi(setData("/bob", "3"), create("/bob/both", "", { acl: AUTH })),
  );
  await stage.steps(b, getData("/bob"), getAcl("/bob"), setData("/bob", "x"), exists("/bob"));
  await logIn(b, "ann", ann);
  await stage.steps(b, getData("/bob"), getData("/bob/of-ann"), remove("/bob/of-ann"), whoAmI());
  const ids = [
    "",
    "a/b",
    "a@b",
    "a/b@c",
    "a@b@c",
    "a/b/c@d",
    "@",
    "a@b/c",
    "ä@日",
    "a\n@b",
    "a/b/c",
  ];
  for (const [index, id] of ids.entries()) {
    await stage.steps(a, create(pathOf(index), "", { acl: listed(id) }));
  }
  await stage.steps(a, setAcl("/bob", OPEN), remove("/bob/both"));
};

const everyUser: Scenario = async (stage) => {
  const a = await stage.connect("a");
  const root = await stage.connect("root");
  await stage.steps(
    a,
    remove("/bob/of-ann"),
    remove("/bob"),
    create("/ann", "", { acl: listed("ann") }),
  );
  const digest = [{ perms: 31, scheme: "digest", id: "u:h" }];
  await stage.steps(a, create("/digest", "", { acl: digest }));
  await stage.steps(a, create("/bob", "", { acl: [{ perms: 1, scheme: "sasl", id: "bob" }] }));
  await logIn(root, "super", { user: "super", password: "apart" });
  await stage.steps(root, whoAmI(), getData("/ann"), setData("/ann", "x"), create("/ann/x"));
  await stage.steps(root, getData("/digest"), getData("/bob"), setData("/bob", "x"));
  await stage.steps(root, remove("/ann/x"), create("/mine", "", { acl: AUTH }), getAcl("/mine"));
};

const passwords: Scenario = async (stage) => {
  for (const user of [bob, ann, eve]) {
    const right = await stage.connect(user.user);
    await logIn(right, user.user, user);
    await stage.steps(right, whoAmI());
  }
};

/** Each of these responses on a connection of its own, which ends or goes on. */
const ATTEMPTS: readonly (readonly [label: string, attempt: Attempt])[] = [
  ["wrong password", { ...bob, password: "wrong" }],
  ["no password", { ...bob, password: "" }],
  ["unknown user", { user: "mallory", password: "x" }],
  ["no user", { ...bob, sent: { username: undefined } }],
  ["as another", { ...bob, sent: { authzid: "ann" } }],
  ["as another that is not hashed", { ...bob, sent: { authzid: "ann" }, hashed: {} }],
  ["another realm", { ...bob, sent: { realm: "other" } }],
  ["no realm", { ...bob, sent: { realm: undefined }, hashed: { realm: "" } }],
  ["another nonce", { ...bob, sent: { nonce: "x" } }],
  ["no nonce", { ...bob, sent: { nonce: undefined } }],
  ["no cnonce", { ...bob, sent: { cnonce: undefined } }],
  ["empty cnonce", { ...bob, sent: { cnonce: "" } }],
  ["second nonce count", { ...bob, sent: { nc: "00000002" } }],
  ["second nonce count that is not hashed", { ...bob, sent: { nc: "00000002" }, hashed: {} }],
  ["nonce-count of 1", { ...bob, sent: { "nonce-count": "1" } }],
  ["nonce-count of 2", { ...bob, sent: { "nonce-count": "2" } }],
  ["nonce-count that is none", { ...bob, sent: { "nonce-count": "x" } }],
  ["maxbuf", { ...bob, sent: { maxbuf: "1000" } }],
  ["maxbuf that is none", { ...bob, sent: { maxbuf: "1e3" } }],
  ["maxbuf above all", { ...bob, sent: { maxbuf: "2147483648" } }],
  ["no qop", { ...bob, sent: { qop: undefined }, hashed: {} }],
  ["integrity", { ...bob, sent: { qop: "auth-int" } }],
  ["no such qop", { ...bob, sent: { qop: "x" } }],
  ["another charset", { ...bob, sent: { charset: "latin1" } }],
  ["no charset", { ...ann, sent: { charset: undefined } }],
  ["another host", { ...bob, sent: { "digest-uri": "zookeeper/localhost" } }],
  ["host in capitals", { ...bob, sent: { "digest-uri": "ZooKeeper/ZK-SASL-MD5" } }],
  ["odd capitals", { ...bob, sent: { "digest-uri": "zoo\u212aeeper/zk-\u017fasl-md5" } }],
  ["no host", { ...bob, sent: { "digest-uri": undefined } }],
  ["no response", { ...bob, sent: { response: undefined } }],
  ["short response", { ...bob, sent: { response: "00" } }],
  ["response in capitals", { ...bob, change: (text) => text.toUpperCase() }],
  ["keys in capitals", { ...bob, change: (text) => text.replace("username", "UserName") }],
  ["a key twice", { ...bob, change: (text) => `${text},username="bob"` }],
  ["an unknown key twice", { ...bob, change: (text) => `${text},x=1,x="2"` }],
  ["spaces", { ...bob, change: (text) => ` ${text.replaceAll(",", " ,\r\n\t")} , ` }],
  ["spaces at equals", { ...bob, change: (text) => text.replaceAll("=", " = ") }],
  ["escapes", { ...bob, change: (text) => text.replace('"bob"', '"b\\ob"') }],
  ["a quote that is open", { ...bob, change: (text) => `${text},x="y` }],
  ["an escape at the end", { ...bob, change: (text) => `${text},x="y\\` }],
  ["a letter behind a quote", { ...bob, change: (text) => `${text},x="y"z` }],
  ["no equals", { ...bob, change: (text) => `${text},x` }],
  ["no equals in between", { ...bob, change: (text) => `x,${text}` }],
  ["no value", { ...bob, change: (text) => `${text},x=` }],
  ["no key", { ...bob, change: (text) => `${text},=x` }],
  ["an authzid without equals", { ...bob, change: (text) => `${text},authzid` }],
  ["nothing", { ...bob, change: () => "" }],
  ["no text", { ...bob, change: () => "\0\u00ff" }],
  ["too long", { ...bob, change: (text) => `${text},x=${"y".repeat(4096)}` }],
  ["as long as may be", { ...bob, change: (text) => `${text},x=`.padEnd(4096, "y") }],
];

async function attempt(client: ZkClient, label: string, each: Attempt): Promise<void> {
  await logIn(client, label, each).catch(() => undefined);
  await client.request(whoAmI()).catch(() => undefined);
}

const attempts: Scenario = async (stage) => {
  for (const [label, each] of ATTEMPTS) await attempt(await stage.connect(label), label, each);
};

const steps: Scenario = async (stage) => {
  const ask = (): ReturnType<typeof saslToken> => saslToken("asks", Buffer.alloc(0));
  const early = await stage.connect("early");
  await early.request(saslToken("begins with a token", Buffer.from("x"))).catch(() => undefined);
  await early.request(whoAmI()).catch(() => undefined);
  const long = await stage.connect("long");
  await long.request(saslToken("a long token", Buffer.alloc(4097))).catch(() => undefined);
  await long.request(ask()).catch(() => undefined);
  const without = await stage.connect("without");
  await without.request(saslToken("null", null)).catch(() => undefined);
  const again = await stage.connect("again");
  await logIn(again, "bob", bob);
  await again.request(ask()).catch(() => undefined);
  await again.request(whoAmI()).catch(() => undefined);
  // What is challenged is one connection: neither another, nor the next of its session.
  const one = await stage.connect("one");
  const other = await stage.connect("other");
  const nonce = await askChallenge(one);
  await askChallenge(other);
  await respond(other, "to the challenge of one", nonce, bob).catch(() => undefined);
  await stage.steps(one, whoAmI());
  await respond(one, "bob", nonce, bob);
  await stage.steps(one, whoAmI(), create("/one", "", { acl: AUTH }));
  await one.cut();
  const next = await stage.reconnect("next", one);
  await stage.steps(next, whoAmI(), getData("/one"));
  await respond(next, "to the challenge before", nonce, bob).catch(() => undefined);
  await next.request(whoAmI()).catch(() => undefined);
  const packet = await stage.connect("packet");
  await packet.request(auth("sasl", "bob:x")).catch(() => undefined);
  const piped = await stage.connect("piped");
  await piped.pipeline([saslToken("asks", Buffer.alloc(0)), whoAmI()]);
};

const required: Scenario = async (stage) => {
  for (const [index, request] of [create("/e"), ping(), whoAmI()].entries()) {
    const stranger = await stage.connect(`stranger ${index}`);
    await stranger.request(request);
    await stranger.closed;
  }
  const digest = await stage.connect("digest");
  await stage.steps(digest, auth("digest", "a:a"));
  await digest.request(exists("/")).catch(() => undefined);
  const halfway = await stage.connect("halfway");
  await askChallenge(halfway);
  await halfway.request(exists("/")).catch(() => undefined);
  await attempt(await stage.connect("wrong"), "wrong", { ...bob, password: "x" });
  await attempt(await stage.connect("right"), "bob", bob);
};

const failing: Scenario = async (stage) => {
  for (const label of ["wrong password", "maxbuf that is none", "too long"]) {
    const each = ATTEMPTS.find(([name]) => name === label)?.[1];
    if (each !== undefined) await attempt(await stage.connect(label), label, each);
  }
};

const superUser: Scenario = async (stage) => {
  const root = await stage.connect("root");
  const digest = [{ perms: 31, scheme: "digest", id: "u:h" }];
  await stage.steps(root, create("/d", "", { acl: digest }), getData("/d"));
  await logIn(root, "eve", eve);
  await stage.steps(root, whoAmI(), getData("/d"), getAcl("/d"), setAcl("/d", OPEN), remove("/d"));
  await attempt(await stage.connect("super"), "super", { user: "super", password: "apart" });
  await attempt(await stage.connect("before"), "super", USERS.super);
};

const SASL_SCHEME = "authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider";

type Setting = {
  readonly title: string;
  readonly lines: readonly string[];
  readonly scenarios: readonly Scenario[];
  /** Clients that others wrote; each prints what it sees. */
  readonly clients?: readonly Client[];
};

type Client = (connectString: string) => Promise<string[]>;

const kazoo: Client = (connectString) => runKazooSasl(connectString, bob.password);
const java: Client = (connectString) => runJavaSasl(connectString, { file: jaas, section: "bob" });

const SETTINGS: readonly Setting[] = [
  {
    title: "a user of SASL has logged in when the exchange is whole, and lists can name the user",
    lines: ["superUser=eve", "SASLAuthenticationProvider.superPassword=apart"],
    scenarios: [lists, everyUser, passwords, attempts, steps, superUser],
    clients: [kazoo, java],
  },
  {
    title: "with allowSaslFailedClients who fails to log in goes on without the identity",
    lines: ["allowSaslFailedClients=true"],
    scenarios: [failing, steps],
  },
  {
    title: "with sessionRequireClientSASLAuth nobody else is served, and no login may fail",
    lines: ["sessionRequireClientSASLAuth=true", "allowSaslFailedClients=true"],
    scenarios: [required],
  },
];

for (const { title, lines, scenarios, clients = [] } of SETTINGS) {
  test.serial(title, async (t) => {
    const users = `java.security.auth.login.config=${jaas}`;
    const all = [SASL_SCHEME, ...lines];
    const [zookeeper, zooid] = await Promise.all([
      startZookeeper({ lines: all, javaOptions: [`-D${users}`] }),
      startZooid({ lines: [...all, users] }),
    ]);
    t.teardown(() => zookeeper.stop());
    t.teardown(() => zooid.stop());
    for (const scenario of scenarios) {
      const [expected, actual] = await Promise.all([
        play(scenario, zookeeper),
        play(scenario, zooid),
      ]);
      t.true(expected.length > 3);
      t.deepEqual(actual, expected);
    }
    for (const client of clients) {
      const reference = await client(`127.0.0.1:${zookeeper.port}`);
      t.regex(reference.join("\n"), /sasl.*bob/);
      t.deepEqual(await client(`127.0.0.1:${zooid.port}`), reference);
    }
    t.notRegex(zooid.output(), /secret|apart|wörd|quoted/);
  });
}
