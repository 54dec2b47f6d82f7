/** URLs of ZooKeeper's protocol, and the options beside them: what is taken, and what an error says of the rest. */
import test from "ava";
import { parseZooKeeperUrl } from "../../../client/zookeeper/url.ts";
import { openZooKeeperWire, type ZooKeeperOptions } from "../../../client/zookeeper/wire.ts";

test("hosts, ports and a chroot are read", (t) => {
  t.deepEqual(parseZooKeeperUrl("zk://one:1,two,[::1]:3/app/x"), {
    tls: false,
    hosts: [
      { host: "one", port: 1 },
      { host: "two", port: 2181 },
      { host: "::1", port: 3 },
    ],
    chroot: "/app/x",
  });
  t.like(parseZooKeeperUrl("zks://one:2281/"), { tls: true, chroot: "" });
});

const WRONG: readonly (readonly [url: string, problem: RegExp])[] = [
  ["zookeeper://one", /begins with neither zk:\/\/ nor zks:\/\/.*A URL of ZooKeeper's protocol is/],
  ["zk://u:p@one", /`identities` or `sasl`/],
  ["zk://one,,two", /one of its hosts is empty/],
  ["zk://", /one of its hosts is empty/],
  ["zk://::1:2181", /stands in brackets/],
  ["zk://one:0", /0 is no port/],
  ["zk://one:65536", /65536 is no port/],
  ["zk://one:x", /is no host/],
  ["zks://one", /no usual one for TLS/],
  ["zk://one/a/", /a path does not end with \//],
  ["zk://one/a//b", /a path has no empty name/],
  ["zk://one/a?timeout=5", /settings are options/],
];

for (const [url, problem] of WRONG) {
  test(`${url} is refused, and the error says why`, (t) => {
    t.throws(() => parseZooKeeperUrl(url), { code: "ZOOID_BAD_ARGUMENTS", message: problem });
  });
}

const WRONG_OPTIONS: readonly (readonly [url: string, options: unknown, problem: RegExp])[] = [
  ["zk://one", null, /options is an object/],
  ["zk://one", { sessionTimeoutMs: 0 }, /`sessionTimeoutMs` is an integer/],
  ["zk://one", { identities: [{ user: "a:b", password: "" }] }, /ends at a colon/],
  ["zk://one", { sasl: { user: "u" } }, /`password` of `sasl` is a string/],
  ["zk://one", { tls: {} }, /with TLS it is zks/],
  ["zks://one:1", { tls: { certFile: "x" } }, /given together/],
  ["zks://one:1", { tls: { caFile: "/no/such/file" } }, /cannot be read.*no such file/],
];

for (const [url, options, problem] of WRONG_OPTIONS) {
  test(`with ${url}, ${JSON.stringify(options)} is refused`, async (t) => {
    const opening = openZooKeeperWire(url, options as ZooKeeperOptions);
    await t.throwsAsync(opening, { code: "ZOOID_BAD_ARGUMENTS", message: problem });
  });
}

test("URLs of one ensemble agree in what they share", async (t) => {
  const opening = openZooKeeperWire(["zk://one/a", "zk://two/b"]);
  await t.throwsAsync(opening, { code: "ZOOID_BAD_ARGUMENTS", message: /same scheme and chroot/ });
});

test("where nobody listens, the error says where and why", async (t) => {
  const opening = openZooKeeperWire("zk://127.0.0.1:1", { connectTimeoutMs: 300 });
  await t.throwsAsync(opening, {
    code: "ZOOID_UNREACHABLE",
    message: /zk:\/\/127.0.0.1:1 within 300 ms \(127.0.0.1:1: connect ECONNREFUSED/,
  });
});
