/** Containers and nodes with a time to live. The servers look for those that are over several times a second. */
import type { Scenario } from "../../support/conformance.ts";
import {
  addWatch,
  check,
  create,
  create2,
  createContainer,
  createTtl,
  exists,
  getChildren,
  getChildren2,
  getData,
  Mode,
  multi,
  remove,
  setData,
} from "../../support/zookeeper-client/operations.ts";

/** Longer than a scenario takes. */
const LONG_MS = 3_600_000n;
/** The mode of a watch that stays. */
const STAYS = 0;
const FLAGS = [0, 1, 2, 3, 4, 5, 6, 7, -1] as const;

export const lifetimeScenarios: Readonly<Record<string, Scenario>> = {
  "createContainer and createTTL make nodes whose Stat has no owner": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/made"),
      createContainer("/made/container"),
      createTtl("/made/ttl", LONG_MS),
      createTtl("/made/t-", LONG_MS, Mode.persistentSequentialTtl),
      createTtl("/made/largest", 0xff_ffff_ffffn),
      getData("/made/container"),
      getData("/made/ttl"),
      setData("/made/ttl", "x"),
      getData("/made/t-0000000002"),
      createContainer("/made/container"),
      createTtl("/made/ttl", LONG_MS),
      createContainer("/made/absent/x"),
      createTtl("/made/absent/x", LONG_MS),
      getChildren2("/made"),
    );
  },

  "a container and a node with a TTL may have children of every kind": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      createContainer("/parents"),
      createTtl("/parents/ttl", LONG_MS),
      create("/parents/ttl/child"),
      create("/parents/ttl/e", "", { mode: Mode.ephemeral }),
      createContainer("/parents/ttl/c"),
      create("/parents/n-", "", { mode: Mode.persistentSequential }),
      create("/parents/e-", "", { mode: Mode.ephemeralSequential }),
      remove("/parents/ttl"),
      remove("/parents"),
      getChildren2("/parents"),
      getChildren2("/parents/ttl"),
      create("/parents/e", "", { mode: Mode.ephemeral }),
      createContainer("/parents/e/c"),
      createTtl("/parents/e/t", LONG_MS),
    );
  },

  "the op code says what is made, and the flags what it is like": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/flags"),
      ...FLAGS.map((mode) => create("/flags/create", "", { mode })),
      ...FLAGS.map((mode) => create2("/flags/create2", "", { mode })),
      ...FLAGS.map((mode) => createContainer("/flags/container", mode)),
      ...FLAGS.map((mode) => createTtl("/flags/ttl", LONG_MS, mode)),
      getChildren2("/flags"),
    );
  },

  "a TTL is from one millisecond to forty bits of them": async (stage) => {
    const a = await stage.connect("a");
    const limits = [0n, -1n, -(2n ** 63n), 0x100_0000_0000n, 2n ** 62n];
    await stage.steps(
      a,
      create("/limits"),
      ...limits.map((ttl) => createTtl("/limits/t", ttl)),
      ...limits.map((ttl) => createTtl("/limits/t-", ttl, Mode.persistentSequentialTtl)),
      createTtl("relative", 0n),
      createTtl("/limits/absent/x", 0n),
      createTtl("/limits", 0n),
      createTtl("relative", LONG_MS),
      createContainer("relative"),
      createContainer("/limits/"),
      getChildren2("/limits"),
    );
  },

  "a container is deleted when its last child is gone, and one that was never used stays": async (
    stage,
  ) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(b, addWatch("/reaped/used", STAYS));
    await stage.steps(
      a,
      create("/reaped"),
      createContainer("/reaped/unused"),
      createContainer("/reaped/busy"),
      create("/reaped/busy/child"),
      createContainer("/reaped/used"),
      create("/reaped/used/child"),
      remove("/reaped/used/child"),
    );
    // It was made, had a child, lost it, and is deleted.
    await b.events(4);
    await stage.steps(b, getChildren("/reaped"), exists("/reaped/used"));
  },

  "a container whose ephemeral child ends with its session is deleted": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(a, addWatch("/locks", STAYS), addWatch("/locks/one", STAYS));
    await stage.steps(a, createContainer("/locks"), createContainer("/locks/one"));
    await stage.steps(b, create("/locks/one/e-", "", { mode: Mode.ephemeralSequential }));
    await b.close();
    // Each was made, had a child, lost it, and is deleted.
    await a.events(8);
    await stage.steps(a, exists("/locks"));
  },

  "a node with a TTL is deleted when nobody has set its data for so long, unless it has children":
    async (stage) => {
      const a = await stage.connect("a");
      const b = await stage.connect("b");
      await stage.steps(b, addWatch("/aged/parent", STAYS), addWatch("/aged/old", STAYS));
      await stage.steps(
        a,
        create("/aged"),
        multi(createTtl("/aged/parent", 1n), create("/aged/parent/child")),
        createTtl("/aged/old", 1n),
        createTtl("/aged/young", LONG_MS),
      );
      // The one was made with a child, the other was made and is deleted.
      await b.events(4);
      await stage.steps(a, remove("/aged/parent/child"));
      await b.events(6);
      await stage.steps(b, getChildren("/aged"));
    },

  "watches tell of the end of a container": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/watched"),
      createContainer("/watched/c"),
      create("/watched/c/child"),
      getChildren("/watched", true),
      getData("/watched/c", true),
      remove("/watched/c/child"),
    );
    await a.events(2);
  },

  "members of a multi go by their flags, and those with a lifetime are answered with their Stat":
    async (stage) => {
      const a = await stage.connect("a");
      await stage.steps(
        a,
        create("/members"),
        multi(
          createContainer("/members/c"),
          createTtl("/members/t", LONG_MS),
          createTtl("/members/t-", LONG_MS, Mode.persistentSequentialTtl),
          create("/members/plain-c", "", { mode: Mode.container }),
          create2("/members/plain-c2", "", { mode: Mode.container }),
          createContainer("/members/by-flags", Mode.persistent),
          createTtl("/members/ttl-by-flags", LONG_MS, Mode.persistent),
          createTtl("/members/ttl-container", LONG_MS, Mode.container),
          create2("/members/p2"),
          create("/members/c/child"),
          setData("/members/t", "x", 0),
          check("/members/t", 1),
          remove("/members/plain-c2"),
        ),
        getChildren2("/members"),
        getData("/members/t"),
        getData("/members/c"),
      );
    },

  "a multi that fails makes no container and no node with a TTL": async (stage) => {
    const a = await stage.connect("a");
    const good = createContainer("/unmade/c");
    await stage.steps(
      a,
      create("/unmade"),
      multi(good, createTtl("/unmade/t", LONG_MS), remove("/unmade/absent")),
      multi(good, createTtl("/unmade/t", 0n), good),
      multi(good, createTtl("/unmade/t", -1n), good),
      multi(good, createTtl("/unmade/t", 0x100_0000_0000n), good),
      multi(good, create("/unmade/t", "", { mode: 99 }), good),
      multi(good, create2("/unmade/t", "", { mode: -1 }), good),
      multi(good, createContainer("/unmade/t", 7), good),
      multi(good, createTtl("/unmade/t", LONG_MS, 7), good),
      multi(remove("/unmade/absent"), create("/unmade/t", "", { mode: 99 })),
      multi(good, create("/unmade/t", "", { mode: Mode.persistentTtl }), good),
      multi(good, create2("/unmade/t", "", { mode: Mode.persistentTtl }), good),
      getChildren2("/unmade"),
    );
  },
};
