/** A `zoo.cfg` of ZooKeeper's is used as it is: what counts, what is warned about, what is refused. */
import test from "ava";
import { readZooCfg, type ZooCfg } from "../../../server/config/zoo-cfg.ts";

function read(...lines: readonly string[]): ZooCfg {
  return readZooCfg(lines.join("\n"), "zoo.cfg");
}

function texts(cfg: ZooCfg): Record<string, string> {
  return Object.fromEntries([...cfg.settings].map(([field, { value }]) => [field, value]));
}

test("the sample configuration of ZooKeeper is read without a warning", (t) => {
  const cfg = read(
    "# The number of milliseconds of each tick",
    "tickTime=2000",
    "initLimit=10",
    "syncLimit=5",
    "dataDir=/var/lib/zookeeper",
    "clientPort=2181",
    "maxClientCnxns=60",
  );
  t.deepEqual(texts(cfg), {
    tickTimeMs: "2000",
    initLimit: "10",
    syncLimit: "5",
    dataDir: "/var/lib/zookeeper",
    clientPort: "2181",
    maxClientConnections: "60",
  });
  t.deepEqual([cfg.warnings, cfg.problems], [[], []]);
});

test("ZooKeeper's keys and zooid's own are read", (t) => {
  const cfg = read(
    "clientPortAddress=127.0.0.1",
    "minSessionTimeout=1000",
    "maxSessionTimeout=9000",
    "4lw.commands.whitelist=*",
    "zooid.nats=nats://a:4222,nats://b:4222",
    "zooid.ensemble=blue",
    "zooid.lanes=2",
    "zooid.failoverGraceMs=1000",
    "zooid.heartbeatIntervalMs=50",
    "zooid.peerTimeoutMs=1500",
  );
  t.deepEqual(texts(cfg), {
    clientPortAddress: "127.0.0.1",
    minSessionTimeoutMs: "1000",
    maxSessionTimeoutMs: "9000",
    fourLetterWords: "*",
    natsUrls: "nats://a:4222,nats://b:4222",
    ensemble: "blue",
    lanes: "2",
    failoverGraceMs: "1000",
    heartbeatIntervalMs: "50",
    peerTimeoutMs: "1500",
  });
  t.deepEqual([cfg.warnings, cfg.problems], [[], []]);
});

test("the numbers of the server lines are the members, with the first line as their source", (t) => {
  const cfg = read(
    "tickTime=2000",
    "server.1=zk1:2888:3888",
    "server.2=zk2:2888:3888:participant",
    "server.3=zk3:2888:3888;2181",
  );
  t.deepEqual(cfg.settings.get("members"), { value: "1,2,3", source: "zoo.cfg:2" });
  t.deepEqual([...cfg.clientPorts], [["3", { value: "2181", source: "zoo.cfg:4" }]]);
});

test("a client port with an address in a server line is read", (t) => {
  const cfg = read("server.2=zk2:2888:3888:participant;0.0.0.0:2182");
  t.is(cfg.clientPorts.get("2")?.value, "2182");
});

test("an observer is refused rather than made a voter", (t) => {
  const cfg = read("server.4=zk4:2888:3888:observer", "server.5=zk5:1:2:observer;2181");
  t.deepEqual(
    cfg.problems.map(({ field, source }) => [field, source]),
    [
      ["server.4", "zoo.cfg:1"],
      ["server.5", "zoo.cfg:2"],
    ],
  );
  t.false(cfg.settings.has("members"));
  t.is(read("peerType=observer").problems.length, 1);
});

test("membership in another file is refused rather than lost", (t) => {
  t.is(read("dynamicConfigFile=/etc/zoo.cfg.dynamic").problems[0]?.field, "dynamicConfigFile");
});

test("keys of ZooKeeper's without effect are told apart: what somebody may miss is a warning, the rest has its reason", (t) => {
  const cfg = read("clientPort=1", "autopurge.purgeInterval=1", "leaderServes=no", "snapCount=9");
  t.deepEqual(cfg.warnings, [
    "zoo.cfg:3: leaderServes has no effect: the leader serves clients as every node does; more lanes (`--lanes`) keep clients off the thread of the log",
  ]);
  t.deepEqual(
    cfg.idleKeys.map(({ key, source }) => [key, source]),
    [
      ["autopurge.purgeInterval", "zoo.cfg:2"],
      ["snapCount", "zoo.cfg:4"],
    ],
  );
});

test("local sessions are asked for without effect, and nobody misses them", (t) => {
  const cfg = read("localSessionsEnabled=true", "localSessionsUpgradingEnabled=true");
  t.deepEqual([cfg.problems, cfg.warnings, cfg.settings.size], [[], [], 0]);
  for (const { because } of cfg.idleKeys) t.regex(because, /^every session is known to all nodes/);
  t.is(cfg.idleKeys.length, 2);
});

test("an interval at which nothing is to be removed is missed, as it fills disks in ZooKeeper and not here", (t) => {
  const { warnings } = read("autopurge.purgeInterval=0");
  t.regex(
    warnings.join(),
    /autopurge\.purgeInterval has no effect: .*snapRetainCount says how many/,
  );
});

test("an unknown key is a warning with its line and the nearest known key", (t) => {
  t.deepEqual(read("", "clientport2=1", "zooid.lane=2", "somethingElse=3").warnings, [
    "zoo.cfg:2: clientport2 is unknown and has no effect; did you mean clientPort?",
    "zoo.cfg:3: zooid.lane is unknown and has no effect; did you mean zooid.lanes?",
    "zoo.cfg:4: somethingElse is unknown and has no effect",
  ]);
});

test("a mistyped key of ZooKeeper's that does nothing here is named rightly too", (t) => {
  t.deepEqual(read("autopurge.snapRetainCnt=3").warnings, [
    "zoo.cfg:1: autopurge.snapRetainCnt is unknown and has no effect; did you mean autopurge.snapRetainCount?",
  ]);
});

test("only the first unknown keys are told what they are near to", (t) => {
  const many = Array.from({ length: 40 }, (_, index) => `tickTimes${index}=1`);
  const { warnings } = read(...many);
  t.is(warnings.length, 40);
  t.is(warnings.filter((warning) => warning.includes("did you mean tickTime?")).length, 32);
  t.false(
    read(`${"tickTime".repeat(20)}=1`)
      .warnings.join()
      .includes("did you mean"),
  );
});

test("of a key given twice the last counts, with a warning", (t) => {
  const cfg = read("clientPort=1", "clientPort=2");
  t.deepEqual(cfg.settings.get("clientPort"), { value: "2", source: "zoo.cfg:2" });
  t.deepEqual(cfg.warnings, ["zoo.cfg:2: clientPort is given again, and this value counts"]);
});

test("session timeouts and a backlog of -1 are the defaults", (t) => {
  const cfg = read(
    "minSessionTimeout=-1",
    "maxSessionTimeout=-1",
    "clientPortListenBacklog=-1",
    "tickTime=-1",
  );
  t.deepEqual(texts(cfg), { tickTimeMs: "-1" });
});

test("keys that ask for security are refused, with what they ask for and what can be done", (t) => {
  const asked: readonly (readonly [string, RegExp])[] = [
    ["ssl.context.supplier.class=org.example.Supplier", /TLS/],
    ["ssl.protocol=TLSv1.3", /TLS/],
    ["ssl.clientHostnameVerification=true", /certificate names the host/],
    ["ssl.ocsp=true", /withdrawn/],
    ["ssl.authProvider=other", /must be x509/],
    ["ssl.quorum.keyStore.location=/etc/keys.jks", /between the servers/],
    ["sslQuorum=true", /between the servers/],
    ["quorum.auth.enableSasl=true", /between the servers/],
    ["authProvider.1=org.example.Provider", /ZooKeeper's own provider/],
    ["letAnySaslUserDoX=x", /provider of identities/],
    ["kerberos.removeHostFromPrincipal=true", /Kerberos \(GSSAPI\), which is not served/],
    ["zookeeper.authProvider.sasl=org.example.Provider", /own provider/],
    ["X509AuthenticationProvider.superUser=CN=admin", /provider of identities/],
  ];
  for (const [line, rule] of asked) {
    const cfg = read("tickTime=2000", line);
    const [problem] = cfg.problems;
    t.regex(problem?.rule ?? "", rule, line);
    t.like(problem, { source: "zoo.cfg:2", field: line.slice(0, line.indexOf("=")) });
    t.truthy(problem?.hint);
    t.deepEqual(cfg.warnings, [], line);
  }
});

test("a key that says that no security is wanted asks for nothing", (t) => {
  const cfg = read(
    "sslQuorum=false",
    "authProvider.1=org.apache.zookeeper.server.auth.DigestAuthenticationProvider",
    "quorum.auth.enableSasl=false",
    "requireClientAuthScheme=",
  );
  t.deepEqual([cfg.problems, cfg.warnings], [[], []]);
  t.is(cfg.idleKeys.length, 4);
});

test("the provider of SASL is known by its class, under whatever name", (t) => {
  for (const name of ["sasl", "1", "anything"]) {
    const provider = "org.apache.zookeeper.server.auth.SASLAuthenticationProvider";
    const cfg = read(`authProvider.${name}=${provider}`);
    t.deepEqual(texts(cfg), { saslScheme: "true" }, name);
    t.deepEqual([cfg.problems, cfg.warnings, cfg.hasKnownKey], [[], [], true]);
  }
});

test("what ZooKeeper itself does not look at does not keep a node from starting", (t) => {
  const cfg = read("requireClientAuthScheme=sasl", "jaasLoginRenew=3600000");
  t.deepEqual(cfg.problems, []);
  t.regex(cfg.warnings.join(), /requireClientAuthScheme .*sessionRequireClientSASLAuth=true/);
  t.deepEqual(
    cfg.idleKeys.map(({ key }) => key),
    ["jaasLoginRenew"],
  );
});
