/** Access control lists: which are valid, how they are stored and shown, and what each operation needs. */
import type { Scenario, Stage } from "../../support/conformance.ts";
import type { ZkClient } from "../../support/zookeeper-client/client.ts";
import {
  type AclEntry,
  addWatch,
  auth,
  check,
  create,
  create2,
  exists,
  getAcl,
  getChildren,
  getChildren2,
  getData,
  Mode,
  multi,
  OPEN,
  remove,
  setAcl,
  setData,
  setWatches,
  sync,
  whoAmI,
} from "../../support/zookeeper-client/operations.ts";

const NONE = 0;
const READ = 1;
const WRITE = 2;
const CREATE = 4;
const DELETE = 8;
const ADMIN = 16;
const ALL = 31;

const SECRET = "ann:secret";
/** What ZooKeeper makes of the secret. */
const ANN = "ann:7RJfAeIvrl4zdj6sS2fXrQHDvHM=";

function anyone(perms: number): AclEntry {
  return { perms, scheme: "world", id: "anyone" };
}

function ip(id: string, perms = ALL): AclEntry {
  return { perms, scheme: "ip", id };
}

function digest(id: string, perms = ALL): AclEntry {
  return { perms, scheme: "digest", id };
}

const AUTH: AclEntry = { perms: ALL, scheme: "auth", id: "" };

/** One client that has proved who it is, and one that has not. */
async function two(stage: Stage): Promise<{ readonly ann: ZkClient; readonly bob: ZkClient }> {
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  await ann.request(auth("digest", SECRET));
  return { ann, bob };
}

const validity: Readonly<Record<string, Scenario>> = {
  "addresses in lists are those of IPv4, with a prefix or without": async (stage) => {
    const a = await stage.connect("a");
    await a.request(create("/ips"));
    const ids = [
      ...["127.0.0.1", "127.0.0.1/32", "127.0.0.1/0", "10.0.0.0/8", "0.0.0.0/0", "256.0.0.1"],
      ...["1.2.3", "1.2.3.4.5", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/", "1.2.3.4/8/8", "/8", ""],
      ...["+1.2.3.4", "-1.2.3.4", "-0.0.0.1", "001.2.3.0000000004", " 1.2.3.4", "1.2.3.4 "],
      ...["::1", "::", "::1/128", "fe80::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "localhost"],
    ];
    for (const [index, id] of ids.entries()) {
      const path = `/ips/${index}`;
      await stage.steps(a, create(path, "", { acl: [ip(id)] }), exists(path), getAcl(path));
    }
  },

  "digests in lists are a user and something else": async (stage) => {
    const a = await stage.connect("a");
    await a.request(create("/ids"));
    const ids = [
      "u:h",
      "u",
      "u:",
      ":h",
      ":",
      "u:h:",
      "u:h::",
      "u::h",
      "a:b:c",
      "",
      ":::",
      "u:h\n:x",
    ];
    for (const [index, id] of ids.entries()) {
      const path = `/ids/${index}`;
      await stage.steps(a, create(path, "", { acl: [digest(id), anyone(READ)] }), getAcl(path));
    }
  },

  "other schemes are not served": async (stage) => {
    const a = await stage.connect("a");
    const entries: readonly AclEntry[] = [
      anyone(NONE),
      anyone(-1),
      anyone(999),
      { perms: ALL, scheme: "world", id: "" },
      { perms: ALL, scheme: "x509", id: "CN=a" },
      { perms: ALL, scheme: "sasl", id: "a" },
      { perms: ALL, scheme: "super", id: "" },
      { perms: ALL, scheme: "host", id: "localhost" },
      { perms: ALL, scheme: "", id: "" },
      { perms: ALL, scheme: "auth", id: "" },
      { perms: ALL, scheme: "auth", id: "ann" },
    ];
    for (const [index, entry] of entries.entries()) {
      const path = `/schemes-${index}`;
      await stage.steps(
        a,
        create(path, "", { acl: [entry] }),
        create2(`${path}-second`, "", { acl: [anyone(ALL), entry] }),
        getAcl(path),
        getAcl(`${path}-second`),
      );
    }
  },

  "what is in a list twice is stored once": async (stage) => {
    const a = await stage.connect("a");
    const list = [
      anyone(READ),
      ip("127.0.0.1"),
      anyone(READ),
      anyone(ALL),
      ip("127.0.0.1"),
      anyone(ALL),
    ];
    await stage.steps(
      a,
      create("/twice", "", { acl: list }),
      getAcl("/twice"),
      setAcl("/twice", [...OPEN, ...OPEN]),
      getAcl("/twice"),
      setAcl("/twice", [...list, ...list], 1),
      setAcl("/twice", OPEN, 1),
      getAcl("/twice"),
      exists("/twice"),
    );
  },
};

const identities: Readonly<Record<string, Scenario>> = {
  "a connection is known by its address, and by what it proves": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      whoAmI(),
      auth("digest", SECRET),
      whoAmI(),
      auth("digest", SECRET),
      auth("ip", ""),
      auth("digest", "bob:b"),
      auth("digest", "nocolon"),
      auth("digest", ""),
      auth("digest", "a:b:c"),
      auth("digest", "ünï:cödé"),
      whoAmI(),
    );
  },

  "each identity is the connection's own, and another connection of the session begins anew":
    async (stage) => {
      const { ann, bob } = await two(stage);
      await stage.steps(ann, create("/own", "", { acl: [AUTH] }), getData("/own"), getAcl("/own"));
      await stage.steps(bob, whoAmI(), getData("/own"), getAcl("/own"), setData("/own", "x"));
      await ann.cut();
      const again = await stage.reconnect("again", ann);
      await stage.steps(again, whoAmI(), getData("/own"), setData("/own", "x"));
      await stage.steps(again, auth("digest", SECRET), getData("/own"), setData("/own", "y"));
    },

  "an unknown scheme, and one without a proof, end the connection": async (stage) => {
    for (const [scheme, id] of [
      ["world", "anyone"],
      ["nosuchscheme", "x"],
      ["", ""],
      ["auth", "x"],
      ["super", ""],
      ["x509", "CN=a"],
      ["sasl", "a"],
    ] as const) {
      const a = await stage.connect(`a with ${scheme}`);
      await a.request(auth(scheme, id));
      await a.closed;
    }
  },

  "auth in a list stands for all that the client has proved": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/proved", "", { acl: [AUTH] }),
      auth("digest", SECRET),
      create("/proved", "", { acl: [AUTH] }),
      getAcl("/proved"),
      auth("digest", "bob:b"),
      auth("digest", "carl:c"),
      auth("digest", "dora:d"),
      create2("/proved/more", "", {
        acl: [{ ...AUTH, perms: READ | ADMIN, id: "ignored" }, ip("10.0.0.1")],
      }),
      getAcl("/proved/more"),
      setAcl("/proved/more", [digest(ANN), AUTH, anyone(READ)]),
      getAcl("/proved/more"),
      multi(create("/proved/multi", "", { acl: [AUTH] }), check("/proved/more", 0)),
      getAcl("/proved/multi"),
    );
  },

  "requests that were sent before a proof do not have it": async (stage) => {
    const { ann } = await two(stage);
    await ann.request(create("/before", "secret", { acl: [digest(ANN)] }));
    const late = await stage.connect("late");
    await late.pipeline([getData("/before"), setData("/before", "x"), getData("/before")]);
    await late.request(auth("digest", SECRET));
    await late.pipeline([getData("/before"), setData("/before", "y"), getData("/before")]);
  },
};

/** What one client may do at a znode where the other is given these permissions. */
async function tryAll(stage: Stage, name: string, perms: number): Promise<void> {
  const ann = await stage.connect(`${name}, owner`);
  const bob = await stage.connect(`${name}, other`);
  await ann.request(auth("digest", SECRET));
  const path = `/${name}`;
  await stage.steps(
    ann,
    create(path, "data", { acl: [digest(ANN), anyone(perms)] }),
    create(`${path}/child`, "c", { acl: [digest(ANN), anyone(perms)] }),
    create(`${path}/free`, "f"),
    create(`${path}/free/below`, "f"),
  );
  await stage.steps(
    bob,
    exists(path, true),
    exists(`${path}/none`, true),
    getData(path, true),
    getChildren(path, true),
    getChildren2(path),
    getAcl(path),
    sync(path),
    addWatch(path, 0),
    create(`${path}/made`),
    create2(`${path}/made-`, "", { mode: Mode.ephemeralSequential }),
    create(`${path}/child`),
    create(`${path}/none/none`),
    create(`${path}/made`, "", { acl: [] }),
    setData(path, "x"),
    setData(path, "x", 7),
    setData(`${path}/none`, "x"),
    setAcl(path, [digest(ANN), anyone(perms), anyone(NONE)]),
    setAcl(path, [], 7),
    setAcl(path, OPEN, 7),
    remove(`${path}/none`),
    remove(`${path}/free`),
    remove(`${path}/free/below`),
    remove(`${path}/free`, 7),
    remove(`${path}/free`),
    remove(`${path}/child`, 7),
    multi(check(path, 99)),
    multi(check(path, -1), setData(`${path}/child`, "x")),
    multi(create(`${path}/m1`), create(`${path}/m2`), remove(`${path}/m1`)),
    multi(setData(`${path}/child`, "x"), remove(`${path}/child`)),
    remove(path),
  );
  await stage.steps(ann, getData(path), getChildren2(path), getAcl(path));
}

const enforcement: Readonly<Record<string, Scenario>> = Object.fromEntries(
  [NONE, READ, WRITE, CREATE, DELETE, ADMIN, READ | WRITE, READ | CREATE | DELETE, ALL].map(
    (perms): readonly [string, Scenario] => [
      `each operation needs its permission: ${perms} of them`,
      (stage) => tryAll(stage, `allowed-${perms}`, perms),
    ],
  ),
);

const more: Readonly<Record<string, Scenario>> = {
  "addresses are matched by their prefix": async (stage) => {
    const { ann, bob } = await two(stage);
    for (const [index, id] of [
      "127.0.0.1",
      "127.0.0.1/32",
      "127.0.0.2",
      "127.0.0.0/24",
      "127.255.255.255/8",
      "128.0.0.0/1",
      "0.0.0.0/1",
      "255.255.255.255/0",
    ].entries()) {
      const path = `/prefix-${index}`;
      await stage.steps(ann, create(path, "", { acl: [digest(ANN), ip(id, READ | WRITE)] }));
      await stage.steps(bob, getData(path), setData(path, "x"), setAcl(path, OPEN));
    }
  },

  "hashes are shown to administrators only": async (stage) => {
    const { ann, bob } = await two(stage);
    const list = [digest(ANN), digest("x:y"), ip("127.0.0.1", READ)];
    await stage.steps(ann, create("/masked", "", { acl: list }), getAcl("/masked"));
    await stage.steps(bob, getAcl("/masked"));
    await stage.steps(ann, setAcl("/masked", [digest("x:y", ADMIN), ip("127.0.0.1", READ)]));
    await stage.steps(ann, getAcl("/masked"));
    await stage.steps(ann, setAcl("/masked", OPEN));
  },

  "the list of the root holds for what is made and deleted below it": async (stage) => {
    const { ann, bob } = await two(stage);
    await stage.steps(ann, create("/of-root"), setAcl("/", [digest(ANN), anyone(READ)]));
    await stage.steps(bob, create("/of-root-2"), remove("/of-root"), remove("/none"), remove("/"));
    await stage.steps(bob, getChildren("/of-root"), setData("/", "x"), setAcl("/", OPEN));
    await stage.steps(ann, remove("/of-root"), setAcl("/", OPEN), setData("/", ""));
    await stage.steps(bob, create("/of-root-2"), remove("/of-root-2"));
  },

  "an ephemeral goes with its session, whatever its parent's list says": async (stage) => {
    const { ann, bob } = await two(stage);
    await stage.steps(ann, create("/held"));
    await stage.steps(bob, create("/held/e", "", { mode: Mode.ephemeral }));
    await stage.steps(ann, setAcl("/held", [digest(ANN)]));
    await stage.steps(bob, remove("/held/e"));
    await bob.close();
    await stage.steps(ann, getChildren("/held"));
  },

  "who may not read a znode hears nothing of it, and the watch is gone": async (stage) => {
    const { ann, bob } = await two(stage);
    await stage.steps(ann, create("/unheard"), create("/unheard/a"), create("/unheard/b"));
    await stage.steps(
      bob,
      getData("/unheard/a", true),
      getChildren("/unheard", true),
      exists("/unheard/b", true),
      exists("/unheard/new", true),
      addWatch("/unheard", 1),
    );
    await stage.steps(
      ann,
      setAcl("/unheard", [digest(ANN)]),
      setAcl("/unheard/a", [digest(ANN)]),
      setData("/unheard/a", "secret"),
      setData("/unheard/b", "open"),
      create("/unheard/new", "", { acl: [digest(ANN)] }),
      remove("/unheard/new"),
      remove("/unheard/a"),
      remove("/unheard/b"),
    );
    await bob.barrier();
    await stage.steps(ann, setAcl("/unheard", OPEN), create("/unheard/late"), create("/unheard/a"));
    await bob.barrier();
  },

  "who has proved who it is hears what it may read, also if it did so after it set the watch":
    async (stage) => {
      const { ann, bob } = await two(stage);
      await stage.steps(bob, exists("/heard", true), addWatch("/heard", 0));
      await bob.request(auth("digest", SECRET));
      await stage.steps(ann, create("/heard", "", { acl: [AUTH] }), setData("/heard", "x"));
      await bob.events(2);
      await bob.barrier();
    },

  "watches that are set again tell of changes": async (stage) => {
    const { ann, bob } = await two(stage);
    const made = await ann.request(create("/reset"));
    await stage.steps(ann, create("/reset/a"), setAcl("/reset", [digest(ANN)]));
    await stage.steps(
      bob,
      setWatches(made.zxid, { data: ["/reset", "/reset/none"], child: ["/reset"] }),
    );
    await bob.barrier();
    await stage.steps(ann, setData("/reset", "x"));
    await bob.barrier();
  },
};

export const aclScenarios: Readonly<Record<string, Scenario>> = {
  ...validity,
  ...identities,
  ...enforcement,
  ...more,
};
