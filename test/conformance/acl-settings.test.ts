/** The settings that are about identities and access control lists, compared with Apache ZooKeeper under the same lines. */
import test from "ava";
import { play, type Scenario } from "../support/conformance.ts";
import { startZooid } from "../support/zooid.ts";
import { startZookeeper } from "../support/zookeeper-server.ts";
import {
  type AclEntry,
  auth,
  check,
  closeSession,
  create,
  exists,
  getAcl,
  getChildren,
  getData,
  multi,
  OPEN,
  ping,
  remove,
  setAcl,
  setData,
  sync,
  whoAmI,
} from "../support/zookeeper-client/operations.ts";

/** By SHA1, of the password `secret`. */
const SUPER_SHA1 = "super:lK75jTNcA+U9vtVEw5vB51mj/w4=";
const CLOSED: readonly AclEntry[] = [{ perms: 0, scheme: "world", id: "anyone" }];
const AUTH: readonly AclEntry[] = [{ perms: 31, scheme: "auth", id: "" }];

const asSuper: Scenario = async (stage) => {
  const a = await stage.connect("a");
  const root = await stage.connect("root");
  await stage.steps(a, auth("digest", "a:a"), create("/x", "x", { acl: AUTH }), create("/x/y"));
  await stage.steps(a, setAcl("/x/y", CLOSED), getData("/x/y"), auth("digest", "super:wrong"));
  await stage.steps(a, getData("/x/y"), whoAmI());
  await stage.steps(root, getData("/x/y"), auth("digest", "super:secret"), whoAmI());
  await stage.steps(
    root,
    getData("/x"),
    getAcl("/x"),
    getData("/x/y"),
    setData("/x/y", "z"),
    getChildren("/x"),
    create("/x/y/z", "", { acl: AUTH }),
    getAcl("/x/y/z"),
    multi(check("/x/y", -1), remove("/x/y/z"), create("/x/w")),
    setAcl("/x/y", OPEN),
    remove("/x/y"),
  );
  await stage.steps(a, getAcl("/x"), remove("/x/w"), remove("/x"));
};

const unchecked: Scenario = async (stage) => {
  const a = await stage.connect("a");
  await stage.steps(
    a,
    whoAmI(),
    create("/s", "s", { acl: CLOSED }),
    create("/s/t", "t", { acl: [{ perms: 1, scheme: "digest", id: "u:hash" }] }),
    create("/s/u", "", { acl: AUTH }),
    create("/s/v", "", { acl: [] }),
    getData("/s", true),
    getChildren("/s", true),
    getAcl("/s/t"),
    setData("/s", "x"),
    multi(check("/s/t", 0), setData("/s/t", "y")),
    setAcl("/s", OPEN),
    setAcl("/s", AUTH),
    remove("/s/t"),
  );
  await a.barrier();
  await stage.steps(a, auth("digest", "a:a"), whoAmI(), setAcl("/s", AUTH), getAcl("/s"));
};

const enforced: Scenario = async (stage) => {
  const requests = [ping(), create("/e"), exists("/"), sync("/"), whoAmI(), closeSession()];
  for (const [index, request] of requests.entries()) {
    const stranger = await stage.connect(`stranger ${index}`);
    await stranger.request(request);
    await stranger.closed;
  }
  const known = await stage.connect("known");
  await stage.steps(known, auth("digest", "a:a"), create("/e"), ping(), exists("/e"), whoAmI());
  await stage.steps(known, auth("ip", ""), getAcl("/e"), remove("/e"));
};

const otherHash: Scenario = async (stage) => {
  const a = await stage.connect("a");
  await stage.steps(a, auth("digest", "a:a"), create("/h", "", { acl: AUTH }), getAcl("/h"));
};

const noDigests: Scenario = async (stage) => {
  const a = await stage.connect("a");
  const digests: readonly AclEntry[] = [{ perms: 31, scheme: "digest", id: "u:hash" }];
  await stage.steps(
    a,
    create("/n", "", { acl: digests }),
    create("/n", "", { acl: AUTH }),
    whoAmI(),
  );
  await a.request(auth("digest", "a:a"));
  await a.closed;
};

const SETTINGS: readonly (readonly [title: string, lines: readonly string[], play: Scenario])[] = [
  [
    "the superuser may do everything, and is no identity that auth stands for",
    [`DigestAuthenticationProvider.superDigest=${SUPER_SHA1}`],
    asSuper,
  ],
  ["with skipACL lists are kept and not enforced", ["skipACL=yes"], unchecked],
  [
    "with enforce.auth.enabled a client that has not authenticated is told so, and its connection ends",
    ["enforce.auth.enabled=true", "enforce.auth.schemes=digest"],
    enforced,
  ],
  [
    "an address is an identity that can be asked for",
    ["enforce.auth.enabled=true", "enforce.auth.schemes=digest, ip"],
    otherHash,
  ],
  [
    "passwords are hashed as the configuration says",
    ["DigestAuthenticationProvider.digestAlg=SHA-256"],
    otherHash,
  ],
  [
    "without digests nobody authenticates, and no list has one",
    ["DigestAuthenticationProvider.enabled=false"],
    noDigests,
  ],
];

for (const [title, lines, scenario] of SETTINGS) {
  test.serial(title, async (t) => {
    const [zookeeper, zooid] = await Promise.all([
      startZookeeper({ lines }),
      startZooid({ lines }),
    ]);
    t.teardown(() => zookeeper.stop());
    t.teardown(() => zooid.stop());
    const [expected, actual] = await Promise.all([
      play(scenario, zookeeper),
      play(scenario, zooid),
    ]);
    t.true(expected.length > 3);
    t.deepEqual(actual, expected);
  });
}
