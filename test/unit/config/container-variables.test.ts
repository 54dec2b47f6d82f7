/** The variables of ZooKeeper's container image, as a node's configuration. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import {
  CONTAINER_VARIABLES,
  containerConfig,
} from "../../../server/config/container-variables.ts";
import { type Loaded, loadConfig } from "../../../server/config/load.ts";
import { type NodeConfig, problemsText } from "../../../server/config/node-config.ts";
import { CONTAINERFILE, imageEnvironment } from "../../operations/rootfs.ts";

const SERVERS = "server.1=a:2888:3888;2181 server.2=b:2888:3888;2182 server.3=c:2888:3888";

function load(
  env: Readonly<Record<string, string>>,
  flags: Readonly<Record<string, string>> = {},
): Loaded {
  const given = new Map(Object.entries(flags));
  return loadConfig({ transport: "nats", flags: given, container: containerConfig(env) });
}

function configOf(loaded: Loaded): NodeConfig {
  if (loaded.kind === "valid") return loaded.config;
  throw new Error(problemsText(loaded.problems));
}

function inFolder(use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "zooid-variables-"));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the image's own variables make a node alone, whose admin server other hosts can ask", (t) => {
  const loaded = load({ ...imageEnvironment(), PATH: "/bin" });
  const config = configOf(loaded);
  t.deepEqual([String(config.id), String(config.members), config.clientPort], ["1", "1", 2181]);
  t.deepEqual([config.dataDir, config.dataLogDir], ["/data", "/datalog"]);
  t.deepEqual(
    [config.tickTimeMs, config.maxClientConnections, config.snapshotsKept],
    [2000, 60, 3],
  );
  t.deepEqual([config.adminServer, config.adminPort, config.adminAddress], [true, 8080, "0.0.0.0"]);
  // Nothing that the image itself sets may read like a mistake of whoever runs it.
  t.deepEqual(loaded.warnings, []);
});

test("a member is who ZOO_MY_ID says, beside those of ZOO_SERVERS, over the NATS servers of ZOOID_NATS", (t) => {
  const loaded = load({
    ...{
      ZOO_MY_ID: "2",
      ZOO_SERVERS: SERVERS,
      ZOOID_NATS: "nats://n:4222",
      ZOOID_ENSEMBLE: "prod",
    },
    ZOO_4LW_COMMANDS_WHITELIST: "mntr, conf",
    JVMFLAGS: "-Xmx1g -Dzookeeper.snapCount=100 -Dzookeeper.skipACL=yes -Dlogback.x=y",
    ZOO_CFG_EXTRA: "readonlymode.enabled=true\n  admin.serverPort=9000 ",
  });
  const config = configOf(loaded);
  t.deepEqual([String(config.id), String(config.members), config.clientPort], ["2", "1,2,3", 2182]);
  t.deepEqual([config.natsUrls, config.ensemble], [["nats://n:4222"], "prod"]);
  t.deepEqual([config.readOnlyMode, config.skipAcl, config.adminPort], [true, true, 9000]);
  t.true(config.fourLetterWords.includes("conf"));
  t.is(loaded.settings.get("skipAcl")?.source, "JVMFLAGS");
  t.deepEqual(
    loaded.idleKeys.map(({ key, source }) => [key, source]),
    [["snapCount", "JVMFLAGS"]],
  );
});

test("everything that is wrong is told at once, under the name of its variable", (t) => {
  const loaded = load({
    ...{ ZOO_TICK_TIME: "soon", ZOO_SERVERS: SERVERS, ZOO_MY_ID: "9" },
    JVMFLAGS: "-Dzookeeper.ssl.quorum.keyStore.location=/x",
    ZOO_TICKTIME: "2000",
    ZOO_SERVICE_HOST: "10.0.0.1",
    ZOO_PORT_2181_TCP: "tcp://10.0.0.1:2181",
  });
  t.is(loaded.kind, "invalid");
  if (loaded.kind === "valid") return;
  t.deepEqual(loaded.problems.map(({ field, source }) => `${field} ${source}`).toSorted(), [
    "id ZOO_MY_ID",
    "natsUrls undefined",
    "ssl.quorum.keyStore.location JVMFLAGS",
    "tickTimeMs ZOO_TICK_TIME",
  ]);
  t.deepEqual(loaded.warnings, [
    "ZOO_TICKTIME is unknown and has no effect; did you mean ZOO_TICK_TIME?",
  ]);
});

test("a zoo.cfg of the user's own wins over the variables, but for what it does not say of this node", (t) => {
  inFolder((folder) => {
    const lines = SERVERS.replaceAll(" ", "\n");
    writeFileSync(join(folder, "zoo.cfg"), `dataDir=${folder}\ntickTime=3000\n${lines}\n`);
    const env = {
      ...{
        ZOO_CONF_DIR: folder,
        ZOO_MY_ID: "3",
        ZOO_TICK_TIME: "1000",
        ZOOID_NATS: "nats://n:4222",
      },
    };
    const loaded = load(env, { "client-port": "2999" });
    const { id, tickTimeMs, natsUrls, clientPort } = configOf(loaded);
    t.deepEqual([Number(id), tickTimeMs, natsUrls, clientPort], [3, 3000, ["nats://n:4222"], 2999]);
  });
});

test("the file myid of a data folder wins over ZOO_MY_ID, as in ZooKeeper's image", (t) => {
  inFolder((folder) => {
    writeFileSync(join(folder, "myid"), "1\n");
    const loaded = load({
      ...{
        ZOO_DATA_DIR: folder,
        ZOO_SERVERS: SERVERS,
        ZOO_MY_ID: "2",
        ZOOID_NATS: "nats://n:4222",
      },
    });
    t.is(Number(configOf(loaded).id), 1);
  });
});

test("no value of a variable makes a line of its own, and none throws", (t) => {
  const nasty = "1\nskipACL=yes \\\r\n= server.1 -Dzookeeper.= -D";
  for (const { name, kind } of CONTAINER_VARIABLES) {
    const loaded = load({ [name]: nasty });
    if (kind !== "lines") t.false(loaded.settings.has("skipAcl"), name);
  }
});

test("the image sets, exposes and keeps what ZooKeeper's does", (t) => {
  const known = new Set(CONTAINER_VARIABLES.map(({ name }) => name));
  const set = Object.keys(imageEnvironment()).filter((name) => name.startsWith("ZOO"));
  t.is(set.length, 11);
  t.deepEqual(
    set.filter((name) => !known.has(name)),
    [],
  );
  t.regex(CONTAINERFILE, /^EXPOSE 2181 2888 3888 8080$/m);
  t.regex(CONTAINERFILE, /^VOLUME \["\/data", "\/datalog", "\/logs"\]$/m);
  t.regex(CONTAINERFILE, /^USER 1000:1000$/m);
  t.regex(CONTAINERFILE, /^CMD \["zkServer.sh", "start-foreground"\]$/m);
  const entry = readFileSync(
    new URL("../../../ops/container/docker-entrypoint.sh", import.meta.url),
    "utf8",
  );
  t.regex(entry, /^exec "\$@"$/m);
});
