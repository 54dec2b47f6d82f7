/** Data, ACLs and what each kind of change does to the Stat of a node and of its parent. */
import type { Scenario } from "../../support/conformance.ts";
import {
  create,
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
  sync,
} from "../../support/zookeeper-client/operations.ts";

export const statScenarios: Readonly<Record<string, Scenario>> = {
  "each kind of change shows in the Stats of the node and of its parent": async (stage) => {
    const a = await stage.connect("a");
    const both = [exists("/stats"), exists("/stats/n")];
    await stage.steps(
      a,
      create("/stats", "root"),
      exists("/stats"),
      create("/stats/n", "one"),
      ...both,
      setData("/stats/n", "three"),
      ...both,
      setAcl("/stats/n", OPEN),
      ...both,
      create("/stats/n/child"),
      ...both,
      create("/stats/n/other", "", { mode: Mode.ephemeral }),
      ...both,
      setData("/stats/n/child", "x"),
      ...both,
      remove("/stats/n/child"),
      ...both,
      remove("/stats/n/other"),
      ...both,
      create("/stats/n/s-", "", { mode: Mode.persistentSequential }),
      ...both,
      remove("/stats/n/s-0000000002"),
      remove("/stats/n"),
      exists("/stats"),
    );
  },

  "a request that fails changes no Stat": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/unchanged", "x"),
      create("/unchanged/child"),
      create("/unchanged/child"),
      setData("/unchanged", "y", 3),
      setAcl("/unchanged", OPEN, 3),
      remove("/unchanged"),
      multi(setData("/unchanged", "y"), create("/unchanged/new"), remove("/absent")),
      getData("/unchanged"),
      getChildren2("/unchanged"),
    );
  },

  "setData counts versions and refuses the wrong one": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/versions", "0"),
      setData("/versions", "1", 0),
      setData("/versions", "1", 0),
      setData("/versions", "2", 1),
      setData("/versions", "3", -1),
      setData("/versions", "4", -2),
      setData("/versions", "4", 4),
      getData("/versions"),
      setData("/versions/absent", "x"),
      setData("/versions/absent", "x", 5),
      getData("/versions/absent"),
      exists("/versions/absent"),
      getChildren("/versions/absent"),
      getChildren2("/versions/absent"),
      getAcl("/versions/absent"),
      setAcl("/versions/absent", OPEN),
      sync("/versions/absent"),
      sync("/versions"),
    );
  },

  "ACLs are stored, counted and read back": async (stage) => {
    const a = await stage.connect("a");
    const twice = [...OPEN, ...OPEN];
    await stage.steps(
      a,
      create("/acl"),
      getAcl("/acl"),
      setAcl("/acl", OPEN, 0),
      setAcl("/acl", OPEN, 0),
      setAcl("/acl", twice, 1),
      getAcl("/acl"),
      setAcl("/acl", [], -1),
      setAcl("/acl", null, -1),
      setAcl("/acl", [{ perms: 31, scheme: "world", id: "nobody" }], -1),
      setAcl("/acl", [{ perms: 31, scheme: "nosuchscheme", id: "x" }], -1),
      setAcl("/acl", [...OPEN, ...OPEN], -1),
      getAcl("/acl"),
      create("/acl/child", "", { acl: twice }),
      getAcl("/acl/child"),
      exists("/acl/child"),
      exists("/acl"),
    );
  },
};
