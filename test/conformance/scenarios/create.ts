/** Creating and deleting nodes. Each scenario works below a node of its own. */
import type { Scenario } from "../../support/conformance.ts";
import {
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

const { ephemeral, ephemeralSequential, persistentSequential } = Mode;

export const createScenarios: Readonly<Record<string, Scenario>> = {
  "every mode of create and create2 answers with the path and makes the Stat of a new node": async (
    stage,
  ) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/modes"),
      create("/modes/persistent", "data"),
      getData("/modes/persistent"),
      create2("/modes/persistent2", "more data"),
      create("/modes/ephemeral", "e", { mode: ephemeral }),
      getData("/modes/ephemeral"),
      create2("/modes/ephemeral2", "e2", { mode: ephemeral }),
      create("/modes/p-", "", { mode: persistentSequential }),
      create2("/modes/p-", "", { mode: persistentSequential }),
      create("/modes/e-", "", { mode: ephemeralSequential }),
      create2("/modes/e-", "x", { mode: ephemeralSequential }),
      getData("/modes/p-0000000004"),
      getData("/modes/e-0000000006"),
      getChildren2("/modes"),
    );
  },

  "a sequence number counts the children ever created, not those that are left": async (stage) => {
    const a = await stage.connect("a");
    const sequential = create("/counts/n", "", { mode: persistentSequential });
    await stage.steps(
      a,
      create("/counts"),
      sequential,
      sequential,
      remove("/counts/n0000000000"),
      sequential,
      create("/counts/plain"),
      sequential,
      create("/counts/plain"),
      sequential,
      remove("/counts/plain"),
      remove("/counts/n0000000001"),
      create("/counts/", "", { mode: persistentSequential }),
      create("/counts/other-", "", { mode: ephemeralSequential }),
      create("/counts/plain/none-", "", { mode: persistentSequential }),
      getChildren2("/counts"),
    );
  },

  "a multi that fails gives its sequence numbers back": async (stage) => {
    const a = await stage.connect("a");
    const sequential = create("/rolled/n", "", { mode: persistentSequential });
    await stage.steps(
      a,
      create("/rolled"),
      sequential,
      multi(sequential, sequential, remove("/rolled/absent")),
      sequential,
      multi(sequential, sequential),
      getChildren2("/rolled"),
    );
  },

  "create refuses a missing parent, a node that exists and a child of an ephemeral": async (
    stage,
  ) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(
      a,
      create("/refused"),
      create("/refused/absent/child"),
      create2("/refused/absent/child"),
      create("/refused"),
      create2("/refused", "other"),
      create("/"),
      create("/zookeeper"),
      create("/refused/e", "", { mode: ephemeral }),
      create("/refused/e/child"),
      create("/refused/e/child", "", { mode: ephemeral }),
      create("/refused/e/child-", "", { mode: persistentSequential }),
      create("/refused/e", "", { mode: ephemeral }),
    );
    await stage.steps(
      b,
      create("/refused/e", "", { mode: ephemeral }),
      create("/refused/e/child"),
      getChildren2("/refused"),
    );
  },

  "create refuses ACLs that say nothing and modes that do not exist": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/invalid"),
      create("/invalid/a", "", { acl: [] }),
      create("/invalid/a", "", { acl: null }),
      create("/invalid/a", "", { acl: [{ perms: 31, scheme: "world", id: "somebody" }] }),
      create("/invalid/a", "", { acl: [{ perms: 31, scheme: "nosuchscheme", id: "x" }] }),
      create2("/invalid/a", "", { acl: [] }),
      create("/invalid/a", "", { mode: 99 }),
      create("/invalid/a", "", { mode: -1 }),
      create2("/invalid/a", "", { mode: 99 }),
      create("/invalid/absent/a", "", { acl: [] }),
      create("/invalid", "", { acl: [] }),
      getChildren("/invalid"),
    );
  },

  "delete refuses absent nodes, wrong versions, nodes with children and the root": async (
    stage,
  ) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/deleted"),
      create("/deleted/child"),
      remove("/deleted/absent"),
      remove("/deleted/absent/child"),
      remove("/deleted"),
      remove("/deleted", 0),
      remove("/deleted", 7),
      remove("/deleted/child", 1),
      setData("/deleted/child", "x"),
      remove("/deleted/child", 0),
      remove("/deleted/child", -2),
      remove("/deleted/child", 1),
      remove("/deleted/child", 1),
      exists("/deleted/child"),
      exists("/deleted"),
      remove("/"),
      remove("/", 0),
      remove("/zookeeper"),
      remove("/deleted", 0),
      exists("/deleted"),
    );
  },

  "a node created again starts from a new Stat": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/again"),
      create("/again/x", "one"),
      setData("/again/x", "two"),
      create("/again/x/child"),
      remove("/again/x/child"),
      remove("/again/x"),
      create("/again/x", "three"),
      getData("/again/x"),
      create("/again/x/n", "", { mode: persistentSequential }),
      exists("/again"),
    );
  },

  "no data and empty data are two things": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/empty", null),
      getData("/empty"),
      setData("/empty", ""),
      getData("/empty"),
      setData("/empty", null),
      getData("/empty"),
      create2("/empty/none", null),
      create2("/empty/zero", ""),
      getData("/empty/zero"),
    );
  },
};
