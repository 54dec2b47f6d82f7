/** Quotas, and what is below `/zookeeper`. Each scenario must hold whether hard limits are enforced or not: both sides do the same. */
import type { Scenario, Stage } from "../../support/conformance.ts";
import {
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
  type Operation,
  reconfig,
  remove,
  setAcl,
  setData,
} from "../../support/zookeeper-client/operations.ts";
import type { ZkClient } from "../../support/zookeeper-client/client.ts";

const { ephemeral, persistentSequential } = Mode;

function quotaOf(path: string): string {
  return `/zookeeper/quota${path}`;
}

function limitsOf(path: string): string {
  return `${quotaOf(path)}/zookeeper_limits`;
}

function statsOf(path: string): string {
  return `${quotaOf(path)}/zookeeper_stats`;
}

/** The requests with which `setquota` makes a quota of a path below the root. */
function quota(path: string, limits: string): Operation[] {
  return [
    create(quotaOf(path), null),
    create(limitsOf(path), limits),
    create(statsOf(path), "count=0,bytes=0"),
    getData(statsOf(path)),
  ];
}

/** Each request, and the counts after it. */
async function counted(
  stage: Stage,
  client: ZkClient,
  path: string,
  ...operations: readonly Operation[]
): Promise<void> {
  for (const operation of operations) await stage.steps(client, operation, getData(statsOf(path)));
}

export const quotaScenarios: Readonly<Record<string, Scenario>> = {
  "the counts of a quota are those of its path and below": async (stage) => {
    const a = await stage.connect("a");
    const path = "/counted";
    await stage.steps(a, create(path, "123"), create(`${path}/b`, "45"), create(`${path}/n`, null));
    await stage.steps(a, ...quota(path, "count=-1,bytes=-1"));
    await counted(
      stage,
      a,
      path,
      create(`${path}/b/c`, "x"),
      create2(`${path}/s-`, "seq", { mode: persistentSequential }),
      setData(`${path}/b`, "longer than before"),
      setData(`${path}/b`, null),
      setData(path, ""),
      setData(`${path}/b`, "x", 77),
      remove(`${path}/b/c`),
      remove(`${path}/b`, 77),
      create(`${path}/absent/c`, "x"),
      create("/counted-beside", "not under it"),
      multi(create(`${path}/m`, "12"), setData(`${path}/m`, "3456"), remove(`${path}/n`)),
      multi(create(`${path}/r`, "12"), setData(path, "3456"), check("/absent", 0)),
    );
    const b = await stage.connect("b");
    await counted(stage, b, path, create(`${path}/e`, "ephemeral", { mode: ephemeral }));
    await b.close();
    await stage.steps(a, getData(statsOf(path)), getChildren(path));
  },

  "a quota that is deleted counts no more, and one that is made again counts anew": async (
    stage,
  ) => {
    const a = await stage.connect("a");
    const path = "/again-counted";
    await stage.steps(a, create(path, "1"), ...quota(path, "count=5,bytes=10"));
    await stage.steps(
      a,
      create(`${path}/x`, "2"),
      remove(limitsOf(path)),
      create(`${path}/y`, "3"),
    );
    await stage.steps(a, getData(statsOf(path)), remove(statsOf(path)));
    await stage.steps(a, create(statsOf(path), "x"), getData(statsOf(path)));
    await stage.steps(a, create(limitsOf(path), "count=5,bytes=10"), create(`${path}/z`, "4"));
    await stage.steps(a, getData(statsOf(path)), remove(statsOf(path)), create(`${path}/w`, "5"));
    await stage.steps(a, remove(limitsOf(path)), remove(quotaOf(path)), getChildren(quotaOf("")));
  },

  "of quotas above each other the nearest counts": async (stage) => {
    const a = await stage.connect("a");
    const [above, below] = ["/near", "/near/by"];
    await stage.steps(a, create(above, "1"), create(below, "23"));
    await stage.steps(a, ...quota(above, "count=-1,bytes=-1"));
    await stage.steps(a, ...quota(below, "count=-1,bytes=-1"));
    await stage.steps(
      a,
      create(`${below}/x`, "456"),
      setData(below, "78901"),
      create("/near/z", "2"),
    );
    await stage.steps(a, getData(statsOf(above)), getData(statsOf(below)));
    await stage.steps(a, remove(limitsOf(below)), setData(below, ""), remove(`${below}/x`));
    await stage.steps(a, getData(statsOf(above)), getData(statsOf(below)));
  },

  "counts and limits that a client writes are taken as they are": async (stage) => {
    const a = await stage.connect("a");
    const path = "/written";
    await stage.steps(a, create(path, "1"), ...quota(path, "count=-1,bytes=-1"));
    await counted(
      stage,
      a,
      path,
      setData(statsOf(path), "count=100,bytes=200=;x=3;another=-4"),
      create(`${path}/a`, "12"),
      setData(statsOf(path), "bytes=7"),
      setData(path, "123"),
      setData(statsOf(path), ""),
      setData(path, "12"),
      multi(setData(path, "12345"), setData(statsOf(path), "count=1,bytes=1"), setData(path, "1")),
      setData(limitsOf(path), "bytes=1000=;countHardLimit=50"),
      create(`${path}/b`, "12"),
    );
    await stage.steps(a, getData(limitsOf(path)));
  },

  "hard limits": async (stage) => {
    const a = await stage.connect("a");
    const path = "/hard";
    await stage.steps(a, create(path, "123"), create(`${path}/b`, "45"));
    await stage.steps(a, ...quota(path, "count=-1,bytes=-1=;byteHardLimit=8;countHardLimit=3"));
    await counted(
      stage,
      a,
      path,
      setData(`${path}/b`, "123456", 7),
      setData(`${path}/b`, "12345", 7),
      create(`${path}/b`, "too much data, and it is there"),
      create(`${path}/absent/c`, "too much data, and no parent"),
      create(`${path}/c`, "1234"),
      create(`${path}/c`, "123"),
      create(`${path}/d`, null),
      create(`${path}/d-`, null, { mode: persistentSequential }),
      create(`${path}/e`, null, { mode: ephemeral }),
      setData(`${path}/b`, null),
      multi(create("/hard-beside"), create(`${path}/d`, null), remove("/hard-beside")),
      multi(remove(`${path}/c`), create(`${path}/d`, null)),
      remove(`${path}/c`),
      multi(create(`${path}/f`, null), create(`${path}/g`, null), setData(path, "12345678")),
      setData(path, "123"),
      setData(path, "12"),
      setData(path, "123456789"),
    );
    await stage.steps(a, getChildren(path), getChildren("/"));
  },

  "a limit that is lifted or set within a multi does not judge that multi": async (stage) => {
    const a = await stage.connect("a");
    const path = "/within";
    const limit = (count: number): string => `count=-1,bytes=-1=;countHardLimit=${count}`;
    await stage.steps(a, create(path), ...quota(path, limit(1)));
    await counted(
      stage,
      a,
      path,
      multi(setData(limitsOf(path), limit(9)), create(`${path}/a`)),
      multi(remove(limitsOf(path)), create(`${path}/b`)),
      multi(remove(limitsOf(path)), create(limitsOf(path), limit(3)), check(path, 0)),
      multi(setData(limitsOf(path), limit(0)), check(path, 9)),
      create(`${path}/c`),
      create(`${path}/d`),
      create(`${path}/e`),
    );
    await stage.steps(a, getData(limitsOf(path)), getChildren(path));
  },

  "a soft limit refuses nothing": async (stage) => {
    const a = await stage.connect("a");
    const path = "/soft";
    await stage.steps(a, create(path, "123"), ...quota(path, "count=1,bytes=1"));
    await counted(stage, a, path, create(`${path}/b`, "45"), setData(path, "12345"));
  },

  "the counts change without a trace in their znode's stat, and fire no watch": async (stage) => {
    const a = await stage.connect("a");
    const path = "/silent";
    await stage.steps(a, create(path, "1"), ...quota(path, "count=-1,bytes=-1"));
    await stage.steps(a, getData(statsOf(path), true), create(`${path}/x`, "12345678901"));
    await stage.steps(a, getData(statsOf(path)), exists(statsOf(path)));
    await stage.steps(a, setData(statsOf(path), "count=0,bytes=0"));
    await a.events(1);
  },

  "/zookeeper is as open as its lists say, and its znodes stay": async (stage) => {
    const a = await stage.connect("a");
    const anybody = [{ perms: 31, scheme: "world", id: "anyone" }];
    await stage.steps(
      a,
      create("/zookeeper/own", "1"),
      create("/zookeeper/own/below", "2"),
      setData("/zookeeper/own", "3"),
      remove("/zookeeper/own/below"),
      remove("/zookeeper/own"),
      create("/zookeeper", ""),
      create("/zookeeper/quota", ""),
      create("/zookeeper/config", ""),
      remove("/zookeeper"),
      remove("/zookeeper/quota"),
      remove("/zookeeper/config"),
      remove("/"),
      setAcl("/zookeeper/quota", anybody),
      setAcl("/zookeeper/config", anybody),
      setData("/zookeeper/config", "x"),
      setData("/zookeeper/config", "x", 7),
      create("/zookeeper/config/x", "x"),
      create("/zookeeper/config/x-", "x", { mode: persistentSequential }),
      remove("/zookeeper/config/x"),
      multi(create("/config-beside"), setData("/zookeeper/config", "x")),
      multi(create("/zookeeper/config/x"), create("/config-beside")),
      getChildren("/zookeeper"),
    );
    await stage.steps(a, getAcl("/zookeeper/quota"));
  },

  "members do not change at a client's word": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      reconfig({ joining: "server.9=127.0.0.1:1:2;3", leaving: null, members: null }),
      reconfig({ joining: null, leaving: "1", members: null }),
      reconfig({ joining: null, leaving: null, members: "server.1=127.0.0.1:1:2;3" }, 7n),
      { ...reconfig({ joining: null, leaving: null, members: null }), body: Buffer.alloc(3) },
    );
  },
};

/** What only a server without an ensemble answers so. */
export const loneScenarios: Readonly<Record<string, Scenario>> = {
  "the configuration of a server alone is empty": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(a, getAcl("/zookeeper/config"), getData("/zookeeper/config"));
    await stage.steps(a, getChildren2("/zookeeper/config"), exists("/zookeeper/config"));
  },
};
