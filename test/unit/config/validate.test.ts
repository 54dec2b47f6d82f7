/** One frozen, filled configuration, or everything that is wrong with it at once. */
import { resolve } from "node:path";
import test from "ava";
import {
  type NodeConfig,
  type Problem,
  problemsText,
  type Setting,
} from "../../../server/config/node-config.ts";
import { loadConfig } from "../../../server/config/load.ts";
import { readZooCfg } from "../../../server/config/zoo-cfg.ts";
import { type Validation, validate } from "../../../server/config/validate.ts";

type Texts = Partial<Record<keyof NodeConfig, string>>;

function validateTexts(texts: Texts, transport: "nats" | "memory" = "nats"): Validation {
  const entries = Object.entries(texts) as [keyof NodeConfig, string][];
  const settings = entries.map(([field, value]): [keyof NodeConfig, Setting] => [
    field,
    { value, source: `--${field}` },
  ]);
  return validate(new Map(settings), { transport });
}

function configOf(texts: Texts, transport: "nats" | "memory" = "nats"): NodeConfig {
  const validation = validateTexts(texts, transport);
  if (validation.kind === "invalid") throw new Error(problemsText(validation.problems));
  return validation.config;
}

function problemsOf(texts: Texts): readonly Problem[] {
  const validation = validateTexts(texts);
  return validation.kind === "invalid" ? validation.problems : [];
}

function refusedFields(texts: Texts): readonly string[] {
  return problemsOf(texts).map((problem) => problem.field);
}

test("with nothing set, every field has its default and the node is alone", (t) => {
  t.deepEqual(configOf({}) as object, {
    id: 1,
    members: [1],
    ensemble: "zooid",
    natsUrls: [],
    natsCredentialsFile: undefined,
    natsTlsCaFile: undefined,
    natsTlsCertFile: undefined,
    natsTlsKeyFile: undefined,
    peerKeyFile: undefined,
    clientPort: 2181,
    clientPortAddress: "::",
    clientPortBacklog: 511,
    secureClientPort: undefined,
    secureClientPortAddress: "::",
    tlsOnClientPort: false,
    tlsKeyStoreFile: undefined,
    tlsKeyStorePassword: undefined,
    tlsKeyStorePasswordFile: undefined,
    tlsKeyStoreType: undefined,
    tlsTrustStoreFile: undefined,
    tlsTrustStorePassword: undefined,
    tlsTrustStorePasswordFile: undefined,
    tlsTrustStoreType: undefined,
    tlsClientAuth: "need",
    tlsCrlFile: undefined,
    tlsProtocols: ["TLSv1.2", "TLSv1.3"],
    tlsCiphers: undefined,
    tlsReload: true,
    dataDir: resolve("data"),
    tickTimeMs: 2000,
    initLimit: 10,
    syncLimit: 5,
    minSessionTimeoutMs: 4000,
    maxSessionTimeoutMs: 40_000,
    maxPacketBytes: 1_048_575,
    maxOutstandingRequests: 0,
    sessionTokens: 0,
    sessionTokenFillMs: 1,
    sessionTokenFillCount: 1,
    snapshotsKept: 2,
    dataLogDir: undefined,
    maxClientConnections: 60,
    maxConnections: 0,
    enforceQuota: false,
    servers: [],
    maxTreeBytes: 0,
    maxSessions: 0,
    maxWatches: 0,
    maxHeldBytes: 0,
    laneHeapBytes: 0,
    adminServer: false,
    adminPort: 8080,
    adminAddress: "127.0.0.1",
    adminCommandUrl: "/commands",
    adminTokenFile: undefined,
    adminHttps: false,
    adminKeyStoreFile: undefined,
    adminKeyStorePasswordFile: undefined,
    adminTrustStoreFile: undefined,
    adminClientAuth: "none",
    adminCertificateNames: undefined,
    adminChanges: false,
    adminWrites: false,
    adminAuditFile: undefined,
    metricsNames: "both",
    fourLetterWords: ["ruok", "srvr", "stat", "mntr", "isro", "envi"],
    readOnlyMode: false,
    changeFeed: false,
    superDigest: undefined,
    digestAlgorithm: "SHA1",
    digestEnabled: true,
    skipAcl: false,
    authEnforced: false,
    authSchemes: [],
    saslLoginFile: undefined,
    saslLoginSection: "Server",
    saslScheme: false,
    saslRequired: false,
    saslFailedAllowed: false,
    saslSuperUser: undefined,
    saslSuperPassword: undefined,
    lanes: "auto",
    snapshotEveryBytes: 67_108_864,
    extendedTypes: true,
    containerCheckIntervalMs: 60_000,
    containersPerMinuteMax: 10_000,
    containerUnusedMs: 0,
    failoverGraceMs: 2000,
    heartbeatIntervalMs: 100,
    leaderPatienceMs: 500,
    peerTimeoutMs: 2000,
    slowStepMs: 500,
    slowRequestMs: 100,
    actorMetricsMs: 0,
  });
});

test("the configuration is frozen, its lists too", (t) => {
  const config = configOf({ members: "1,2,3", id: "2", natsUrls: "nats://a:4222" });
  for (const part of [config, config.members, config.natsUrls, config.fourLetterWords]) {
    t.true(Object.isFrozen(part));
  }
});

test("session timeouts follow the tick unless they are set", (t) => {
  const config = configOf({ tickTimeMs: "500", maxSessionTimeoutMs: "60000" });
  t.is(config.minSessionTimeoutMs, 1000);
  t.is(config.maxSessionTimeoutMs, 60_000);
});

test("members are sorted, and a single one gives the node its id", (t) => {
  const config = configOf({ members: "3, 1,2", id: "1", natsUrls: "nats://a" });
  t.deepEqual([...config.members] as number[], [1, 2, 3]);
  const alone = configOf({ members: "7" });
  t.deepEqual([alone.id as number, [...alone.members] as number[]], [7, [7]]);
});

test("an id without members is a node alone with that id", (t) => {
  const config = configOf({ id: "5" });
  t.deepEqual([config.id as number, [...config.members] as number[]], [5, [5]]);
});

test("several members without NATS are refused over NATS and accepted in memory", (t) => {
  const texts = { members: "1,2,3", id: "1" };
  const [problem] = problemsOf(texts);
  t.is(problem?.field, "natsUrls");
  t.is(problem?.value, undefined);
  t.regex(problem?.hint ?? "", /--nats nats:\/\//);
  t.is(configOf(texts, "memory").members.length, 3);
});

test("a node alone needs no NATS", (t) => {
  t.deepEqual(refusedFields({ members: "1" }), []);
});

test("several members without an id are refused", (t) => {
  t.deepEqual(refusedFields({ members: "1,2", natsUrls: "nats://a" }), ["id"]);
});

test("an id that is no member is refused", (t) => {
  const texts = { members: "1,2,3", id: "4", natsUrls: "nats://a" };
  t.deepEqual(refusedFields(texts), ["id"]);
  t.deepEqual(refusedFields({ members: "2", id: "1" }), ["id"]);
});

test("all problems are reported at once, each with its field, value, source, rule and hint", (t) => {
  const problems = problemsOf({
    id: "300",
    members: "1,1",
    ensemble: "a.b",
    natsUrls: "http://a",
    clientPort: "99999",
    clientPortAddress: "not an address",
    dataDir: "",
    tickTimeMs: "0",
    initLimit: "x",
    syncLimit: "-1",
    maxClientConnections: "many",
    lanes: "17",
    failoverGraceMs: "1.5",
    heartbeatIntervalMs: "1",
    peerTimeoutMs: "1",
  });
  t.deepEqual(
    problems.map((problem) => problem.field),
    [
      "members",
      "id",
      "ensemble",
      "natsUrls",
      "clientPort",
      "clientPortAddress",
      "dataDir",
      "tickTimeMs",
      "initLimit",
      "syncLimit",
      "maxClientConnections",
      "lanes",
      "heartbeatIntervalMs",
      "peerTimeoutMs",
      "failoverGraceMs",
    ],
  );
  for (const problem of problems) {
    t.is(problem.source, `--${problem.field}`);
    t.true(problem.rule.length > 0 && problem.hint.length > 0, problem.field);
  }
});

test("the text of the problems counts them and shows what was written where", (t) => {
  t.is(
    problemsText(problemsOf({ clientPort: "99999", members: "1,2", natsUrls: "nats://a" })),
    [
      "2 settings are wrong",
      "  id is missing",
      "    must be given when there are other members; --id N, or a myid file in dataDir",
      "  clientPort = 99999  (--clientPort)",
      "    must be a whole number from 0 to 65535; 0 takes any free port",
    ].join("\n"),
  );
});

test("a shortest timeout above the longest is refused, also when one is a default", (t) => {
  t.deepEqual(refusedFields({ minSessionTimeoutMs: "5000", maxSessionTimeoutMs: "4000" }), [
    "minSessionTimeoutMs",
  ]);
  t.deepEqual(refusedFields({ maxSessionTimeoutMs: "100" }), ["maxSessionTimeoutMs"]);
  t.deepEqual(refusedFields({ minSessionTimeoutMs: "50000" }), ["minSessionTimeoutMs"]);
});

test("a peer timeout below three heartbeats is refused", (t) => {
  t.deepEqual(refusedFields({ peerTimeoutMs: "250" }), ["peerTimeoutMs"]);
  t.deepEqual(refusedFields({ heartbeatIntervalMs: "1000" }), ["heartbeatIntervalMs"]);
  t.deepEqual(refusedFields({ peerTimeoutMs: "300" }), []);
  t.deepEqual(refusedFields({ leaderPatienceMs: "250" }), ["leaderPatienceMs"]);
  t.deepEqual(refusedFields({ leaderPatienceMs: "2500" }), ["leaderPatienceMs"]);
  t.deepEqual(refusedFields({ leaderPatienceMs: "300" }), []);
});

test("the limits themselves are allowed and what lies beyond is not", (t) => {
  const limits: readonly [keyof NodeConfig, number, number][] = [
    ["clientPort", 0, 65_535],
    ["adminPort", 0, 65_535],
    ["clientPortBacklog", 1, 65_535],
    ["lanes", 0, 16],
    ["slowStepMs", 10, 60_000],
    ["slowRequestMs", 0, 60_000],
    ["actorMetricsMs", 100, 60_000],
    ["maxClientConnections", 0, 1_000_000],
    ["maxConnections", 0, 1_000_000],
    ["maxSessions", 0, 16_000_000],
    ["maxWatches", 0, 16_000_000],
    ["failoverGraceMs", 0, 60_000],
  ];
  for (const [field, min, max] of limits) {
    t.deepEqual(refusedFields({ [field]: `${min}` }), [], field);
    t.deepEqual(refusedFields({ [field]: `${max}` }), [], field);
    t.deepEqual(refusedFields({ [field]: `${min - 1}` }), [field]);
    t.deepEqual(refusedFields({ [field]: `${max + 1}` }), [field]);
  }
});

test("whoever names a port asks for an admin server, unless it is switched off", (t) => {
  t.true(configOf({ adminPort: "8081" }).adminServer);
  t.true(configOf({ adminServer: "true" }).adminServer);
  t.false(configOf({ adminServer: "false", adminPort: "8081" }).adminServer);
});

test("a command URL is a path that is none of the admin server's own", (t) => {
  t.is(configOf({ adminCommandUrl: "/zk/commands/*" }).adminCommandUrl, "/zk/commands");
  t.is(configOf({ adminCommandUrl: "/c/" }).adminCommandUrl, "/c");
  for (const value of ["", "/", "commands", "/metrics", "/livez", "/a b", "/a?b", "//a"]) {
    t.deepEqual(refusedFields({ adminCommandUrl: value }), ["adminCommandUrl"], value);
  }
  t.deepEqual(refusedFields({ metricsNames: "zookeeper-3.8" }), ["metricsNames"]);
});

test("lanes are chosen at the start, unless they are given", (t) => {
  t.is(configOf({ lanes: "auto" }).lanes, "auto");
  t.is(configOf({ lanes: "0" }).lanes, 0);
  t.is(configOf({ lanes: "4" }).lanes, 4);
  t.deepEqual(refusedFields({ lanes: "Auto" }), ["lanes"]);
});

test("a limit of the lanes' heap is refused where there are no lanes", (t) => {
  const laneHeapBytes = `${256 * 1024 * 1024}`;
  t.deepEqual(refusedFields({ lanes: "0", laneHeapBytes }), ["laneHeapBytes"]);
  t.deepEqual(refusedFields({ lanes: "0", laneHeapBytes: "0" }), []);
  t.deepEqual(refusedFields({ lanes: "auto", laneHeapBytes }), []);
});

test("text around a number, a fraction, an empty value and other notations are no numbers", (t) => {
  for (const value of ["", " 1", "1s", "0x10", "1e3", "2.0", "NaN"]) {
    t.deepEqual(refusedFields({ clientPort: value }), ["clientPort"], value);
  }
});

test("NATS URLs may be several, with or without TLS and credentials", (t) => {
  const texts = { natsUrls: "nats://user:word@a:4222, tls://b" };
  t.deepEqual([...configOf(texts).natsUrls], ["nats://user:word@a:4222", "tls://b"]);
  for (const value of ["", ",", "a:4222", "nats://", "nats://a,http://b"]) {
    t.deepEqual(refusedFields({ natsUrls: value }), ["natsUrls"], value);
  }
});

test("the data folder becomes an absolute path", (t) => {
  t.is(configOf({ dataDir: "some/where" }).dataDir, resolve("some/where"));
});

test("addresses of both families and host names are addresses", (t) => {
  for (const value of ["127.0.0.1", "::1", "::", "localhost", "node-1.example.org"]) {
    t.is(configOf({ clientPortAddress: value }).clientPortAddress, value);
  }
  for (const value of ["", "a b", "-a", "http://a", "a..b"]) {
    t.deepEqual(refusedFields({ clientPortAddress: value }), ["clientPortAddress"], value);
  }
});

test("a star is every four-letter word, and srvr is in every list, also in an empty one", (t) => {
  const wordsOf = (text: string): string[] => [
    ...configOf({ fourLetterWords: text }).fourLetterWords,
  ];
  t.is(wordsOf("*").length, 23);
  t.deepEqual(wordsOf("cons, mntr, ruok"), ["ruok", "srvr", "mntr", "cons"]);
  t.deepEqual(wordsOf(""), ["srvr"]);
});

test("a four-letter word that ZooKeeper does not have is a warning, and has no effect", (t) => {
  const validation = validateTexts({ fourLetterWords: "ruok,icfg,rouk" });
  t.is(validation.kind, "valid");
  if (validation.kind === "invalid") return;
  t.deepEqual([...validation.config.fourLetterWords], ["ruok", "srvr"]);
  t.is(validation.warnings.length, 1);
  t.regex(validation.warnings[0] ?? "", /^four-letter words that there are not.*: icfg, rouk; /);
});

test("a NATS password is shown by no problem", (t) => {
  const validation = loadConfig({
    transport: "nats",
    flags: new Map([
      [
        "nats",
        "nats://node:s3cret@host:4222,node:s3cret@other,http://x,nats://node:s3cret/@s3cret/x@more",
      ],
    ]),
  });
  if (validation.kind === "valid") throw new Error("it is not valid");
  const text = problemsText(validation.problems);
  t.true(text.includes("nats://***@host:4222"), text);
  t.true(text.includes("nats://***@more"), text);
  t.false(text.includes("s3cret"), text);
});

test("secrets of a zoo.cfg are not shown in messages", (t) => {
  const { problems } = readZooCfg(
    "ssl.quorum.keyStore.password=s3cret\nssl.quorum.trustStore.password=s3cret",
    "zoo.cfg",
  );
  const text = problemsText(problems);
  t.is(problems.length, 2);
  t.true(text.includes("ssl.quorum.keyStore.password = ***"), text);
  t.false(text.includes("s3cret"), text);
});

test("a NATS password that is not percent-encoded as in URLs is refused", (t) => {
  const urls = "nats://node:100%25@host:4222";
  t.is(validateTexts({ natsUrls: urls }).kind, "valid");
  t.is(validateTexts({ natsUrls: urls.replace("%25", "%") }).kind, "invalid");
});

test("a certificate without its key, and files that are not there, are refused", (t) => {
  const flags = new Map([
    ["nats-tls-cert", "package.json"],
    ["peer-key-file", "/nowhere/peers.key"],
  ]);
  const validation = loadConfig({ transport: "nats", flags });
  if (validation.kind === "valid") throw new Error("it is not valid");
  const fields = validation.problems.map(({ field }) => field);
  t.deepEqual(fields.toSorted(), ["natsTlsCertFile", "peerKeyFile"]);
});

test("what ends containers and znodes with a TTL is checked", (t) => {
  const config = configOf({ extendedTypes: "False", containerUnusedMs: "7" });
  t.like(config, { extendedTypes: false, containerUnusedMs: 7 });
  t.deepEqual(
    refusedFields({
      extendedTypes: "yes",
      containerCheckIntervalMs: "0",
      containersPerMinuteMax: "0",
      containerUnusedMs: "-1",
    }),
    ["extendedTypes", "containerCheckIntervalMs", "containersPerMinuteMax", "containerUnusedMs"],
  );
});
