/** multi and check. */
import type { Scenario } from "../../support/conformance.ts";
import {
  check,
  create,
  create2,
  exists,
  getChildren,
  getChildren2,
  getData,
  Mode,
  multi,
  remove,
  setData,
} from "../../support/zookeeper-client/operations.ts";

export const multiScenarios: Readonly<Record<string, Scenario>> = {
  "a multi answers each operation with its own result at one zxid": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/multi"),
      multi(
        create("/multi/a", "one"),
        create("/multi/b", "two"),
        create("/multi/e", "", { mode: Mode.ephemeral }),
        create("/multi/s-", "", { mode: Mode.persistentSequential }),
        create("/multi/s-", "", { mode: Mode.ephemeralSequential }),
        setData("/multi/a", "three", 0),
        setData("/multi/a", "four", 1),
        check("/multi/a", 2),
        check("/multi", -1),
        remove("/multi/b", 0),
      ),
      getData("/multi/a"),
      exists("/multi/b"),
      exists("/multi/e"),
      getChildren2("/multi"),
    );
  },

  "a create2 inside a multi is answered as a create": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(a, multi(create2("/second", "x")), getData("/second"));
  },

  "a multi of one operation and a multi of none succeed": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      multi(),
      create("/few"),
      multi(create("/few/one")),
      multi(check("/few", 0)),
      multi(),
      getChildren2("/few"),
    );
  },

  "a multi that fails says which operation failed and changes nothing": async (stage) => {
    const a = await stage.connect("a");
    const good = create("/fails/good");
    await stage.steps(
      a,
      create("/fails"),
      create("/fails/n"),
      multi(remove("/fails/absent")),
      multi(good, remove("/fails/absent"), good),
      multi(good, create("/fails/n"), setData("/fails/n", "x")),
      multi(good, setData("/fails/n", "x", 9), good),
      multi(good, check("/fails/n", 9), good),
      multi(good, check("/fails/absent", -1), good),
      multi(good, check("/fails/absent", 0), good),
      multi(good, good),
      multi(good, remove("/fails"), good),
      multi(good, create("relative"), good),
      multi(good, create("/fails/x", "", { acl: [] }), good),
      multi(good, remove("/"), good),
      multi(good, create("/fails/absent/x"), good),
      multi(remove("/fails/absent"), remove("/fails/absent"), remove("/fails/absent")),
      multi(create("/fails/e", "", { mode: Mode.ephemeral }), create("/fails/e/child")),
      getChildren2("/fails"),
      exists("/fails/n"),
    );
  },

  "an operation of a multi sees what those before it did": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      multi(create("/sees"), create("/sees/a"), create("/sees/a/b"), setData("/sees/a/b", "x", 0)),
      getChildren2("/sees"),
      multi(remove("/sees/a/b", 1), remove("/sees/a"), create("/sees/a", "again")),
      getData("/sees/a"),
      multi(create("/sees/x"), remove("/sees/x"), create("/sees/x"), remove("/sees/x")),
      getChildren2("/sees"),
      multi(remove("/sees/a"), remove("/sees")),
      exists("/sees"),
    );
  },

  "sequence numbers count on inside a multi": async (stage) => {
    const a = await stage.connect("a");
    const sequential = create("/inside/n", "", { mode: Mode.persistentSequential });
    await stage.steps(
      a,
      create("/inside"),
      multi(sequential, sequential, remove("/inside/n0000000000"), sequential),
      sequential,
      getChildren("/inside"),
    );
  },
};
