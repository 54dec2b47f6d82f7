/**
 * Every configuration key of Apache ZooKeeper 3.8 and 3.9, as it stands in a `zoo.cfg` or in `-Dzookeeper.…`, with what zooid does about
 * it. It is the only such list: `zoo-cfg.ts` acts on it, and `npm run docs` makes `docs/operations/zookeeper-keys.md` of it. Sources:
 * QuorumPeerConfig, the classes that read system properties, and the Administrator's Guide, "Configuration Parameters".
 */
import { idle, missed, OFF, only, refused, type Row, rows, works } from "./key-rows.ts";

const TLS = "asks for something of TLS that the ports for clients do not have";
const TLS_HINT =
  "remove the line if it is not needed; docs/operations/security.md tells what there is";
const PEERS = "asks for protection between the servers, which meet over NATS here";
const PEERS_HINT = "remove the line, and give the NATS servers TLS and users of their own";
const KERBEROS = "asks for Kerberos (GSSAPI), which is not served: clients log in by DIGEST-MD5";
const KERBEROS_HINT =
  "remove the line, and name users in the file of java.security.auth.login.config";
const LISTS =
  "is about a provider of identities that is not served, or a setting of one that there is not";
const LISTS_HINT =
  "remove the line if no list relies on it; DigestAuthenticationProvider.superDigest names a superuser";

const OVER_NATS = "nodes meet over NATS and have no ports of their own for it";
const PEER_TIMES = "peers are timed by `--peer-timeout-ms` and `--leader-patience-ms`";
const THREADS = "the threads are chosen by `--lanes`";
const BY_BYTES =
  "what waits is bounded by its bytes (`--max-held-bytes`) and by its number (`--max-outstanding-requests`): whoever asks for more is not read meanwhile";
const OBSERVERS = "there are no observers";
const SNAPSHOTS = "snapshots are cut by the bytes of the log: `--snapshot-every-bytes`";
const GATHERING = "the log gathers records by itself while the disk is busy";
const WATCHES = "watches lie in each lane's memory and need no cleaning: `--max-watches`";
const OF_CLIENTS = "it is a client's property, which no server reads";
const OF_JAVA = "it is about Java";

export const CRL_KEY = "ssl.crl";
export const AUTOCREATE_KEY = "datadir.autocreate";

const SETTINGS: readonly Row[] = [
  works("clientPort", "clientPort"),
  works("clientPortAddress", "clientPortAddress"),
  works("clientPortListenBacklog", "clientPortBacklog"),
  works("secureClientPort", "secureClientPort"),
  works("secureClientPortAddress", "secureClientPortAddress"),
  works("client.portUnification", "tlsOnClientPort"),
  works("client.certReload", "tlsReload"),
  works("ssl.keyStore.location", "tlsKeyStoreFile"),
  works("ssl.keyStore.password", "tlsKeyStorePassword"),
  works("ssl.keyStore.passwordPath", "tlsKeyStorePasswordFile"),
  works("ssl.keyStore.type", "tlsKeyStoreType"),
  works("ssl.trustStore.location", "tlsTrustStoreFile"),
  works("ssl.trustStore.password", "tlsTrustStorePassword"),
  works("ssl.trustStore.passwordPath", "tlsTrustStorePasswordFile"),
  works("ssl.trustStore.type", "tlsTrustStoreType"),
  works("ssl.clientAuth", "tlsClientAuth"),
  works("ssl.enabledProtocols", "tlsProtocols"),
  works("ssl.ciphersuites", "tlsCiphers"),
  works("dataDir", "dataDir"),
  works("dataLogDir", "dataLogDir"),
  works("tickTime", "tickTimeMs"),
  works("minSessionTimeout", "minSessionTimeoutMs"),
  works("maxSessionTimeout", "maxSessionTimeoutMs"),
  works("maxClientCnxns", "maxClientConnections"),
  works("maxCnxns", "maxConnections"),
  works("jute.maxbuffer", "maxPacketBytes"),
  works("globalOutstandingLimit", "maxOutstandingRequests"),
  works("connectionMaxTokens connection_throttle_tokens", "sessionTokens"),
  works("connectionTokenFillTime connection_throttle_fill_time", "sessionTokenFillMs"),
  works("connectionTokenFillCount connection_throttle_fill_count", "sessionTokenFillCount"),
  works("autopurge.snapRetainCount", "snapshotsKept"),
  works("4lw.commands.whitelist", "fourLetterWords"),
  works("readonlymode.enabled", "readOnlyMode"),
  rows(AUTOCREATE_KEY, {
    kind: "works",
    effect: "`false`: a dataDir that is not there refuses the start, it is not made",
  }),
  works("server.*", "members"),
  rows("initLimit syncLimit", { kind: "checked", because: PEER_TIMES }),
];

const ENSEMBLE: readonly Row[] = [
  refused(
    "dynamicConfigFile",
    "keeps the members in another file, which is not read",
    "put that file's server.N lines in this one",
  ),
  refused(
    "peerType",
    "must be participant: every node is a voter",
    "observers are not supported; leave the line out",
    only("every node is a voter", "participant"),
  ),
  refused(
    "electionAlg",
    "must be 3, as ZooKeeper has it since 3.6",
    "leave the line out",
    only("there is one way to elect a leader", "3"),
  ),
  refused(
    "reconfigEnabled",
    "asks for members that change while the ensemble runs, which is not possible here",
    "remove the line; a node is replaced under its number, see docs/operations/failures.md",
    OFF,
  ),
  missed(
    "group.* weight.*",
    "a plain majority of the members decides, each with one vote",
    "leave the lines out",
  ),
  missed(
    "oraclePath",
    "no file outside decides for two nodes: one alone has no majority",
    "use three members",
  ),
  missed(
    "leaderServes",
    "the leader serves clients as every node does",
    "more lanes (`--lanes`) keep clients off the thread of the log",
    only("the leader serves clients as every node does", "yes"),
  ),
  idle("a node alone is an ensemble of one, with the same log as any other", "standaloneEnabled"),
  idle("it numbers the members of a file that ZooKeeper writes itself", "version"),
  idle(
    "every session is known to all nodes from its beginning, and may have ephemerals: it is what a local one is upgraded to",
    "localSessionsEnabled localSessionsUpgradingEnabled",
  ),
  idle(
    OBSERVERS,
    `observerMasterPort observerMaster.sizeLimit syncEnabled observer.syncEnabled observer.reconnectDelayMs
    observer.election.DelayMs`,
  ),
  idle(
    OVER_NATS,
    `quorumListenOnAllIPs multiAddress.enabled multiAddress.reachabilityCheckEnabled
    multiAddress.reachabilityCheckTimeoutMs electionPortBindRetry tcpKeepAlive quorum.cnxn.threads.size
    learner.closeSocketAsync leader.closeSocketAsync learner.asyncSending leader.nodelay`,
  ),
  idle(
    PEER_TIMES,
    `connectToLearnerMasterLimit cnxTimeout quorumCnxnTimeoutMs fastleader.minNotificationInterval
    fastleader.maxNotificationInterval maxTimeToWaitForEpoch leader.maxTimeToWaitForEpoch leaderConnectDelayDuringRetryMs`,
  ),
  idle(
    "what a follower misses is sent to it piece by piece, as it takes it",
    `maxConcurrentSnapSyncs leader.maxConcurrentSnapSyncs maxConcurrentDiffSyncs leader.maxConcurrentDiffSyncs
    forceSnapshotSync snapshotSizeFactor`,
  ),
];

const DISK: readonly Row[] = [
  refused(
    "db.autocreate",
    "asks that an empty dataDir is taken only beside a file `initialize`, which is not looked for",
    "remove the line: a member whose disk was wiped has no vote until its peers have repaired it; datadir.autocreate=false refuses a folder that is not there",
    only("an empty folder may be begun", "true", ""),
  ),
  missed(
    "autopurge.purgeInterval",
    "old snapshots and log are removed after each snapshot, whatever this says",
    "autopurge.snapRetainCount says how many are kept",
    {
      text: "a number above 0",
      holds: (value) => Number(value) > 0,
      because: "old snapshots and log are removed after each snapshot",
    },
  ),
  idle(SNAPSHOTS, "snapCount snapSizeLimitInKb"),
  idle("segments of the log have one size", "preAllocSize txnLogSizeLimitInKb"),
  idle("the records that followers may need are in memory by bytes", "commitLogCount"),
  idle("a write is durable before it is acknowledged, always", "forceSync"),
  idle(GATHERING, "flushDelay maxWriteQueuePollTime maxBatchSize"),
  idle(
    "what holds a thread up, a slow disk too, is logged: `--slow-step-ms`",
    "fsync.warningthresholdms",
  ),
  idle("snapshots are not compressed", "snapshot.compression.method"),
  idle(
    "each record and each chunk of a snapshot has a checksum, and a lost snapshot is always noticed",
    "digest.enabled snapshot.trust.empty serializeLastProcessedZxid.enabled",
  ),
];

const REQUESTS: readonly Row[] = [
  works("enforceQuota", "enforceQuota"),
  works("extendedTypesEnabled", "extendedTypes"),
  works("znode.container.checkIntervalMs", "containerCheckIntervalMs"),
  works("znode.container.maxPerMinute", "containersPerMinuteMax"),
  works("znode.container.maxNeverUsedIntervalMs", "containerUnusedMs"),
  idle(
    "whoever finds no token for its session (`--session-tokens`) waits for one; none is dropped by chance",
    `connectionFreezeTime connection_throttle_freeze_time connectionDropIncrease connection_throttle_drop_increase
    connectionDropDecrease connection_throttle_drop_decrease connectionDecreaseRatio connection_throttle_decrease_ratio`,
  ),
  idle(
    "every session takes one token (`--session-tokens`), a new one as one that is attached again",
    `connection_throttle_weight_enabled connection_throttle_global_session_weight
    connection_throttle_local_session_weight connection_throttle_renew_session_weight`,
  ),
  idle(
    BY_BYTES,
    `requestThrottleLimit request_throttle_max_requests requestThrottleStallTime
    request_throttle_stall_time requestThrottleDropStale request_throttle_drop_stale requestStaleLatencyCheck
    request_stale_latency_check requestStaleConnectionCheck request_stale_connection_check
    request_throttler.shutdownTimeout throttledOpWaitTime throttled_op_wait_time largeRequestMaxBytes largeRequestThreshold
    advancedFlowControlEnabled netty.advancedFlowControl.enabled jute.maxbuffer.extrasize intBufferStartingSizeBytes`,
  ),
  idle(
    "answers are made from the tree, without a cache",
    "maxResponseCacheSize maxGetChildrenResponseCacheSize",
  ),
  idle("no data of ZooKeeper 3.5.3 is read, which kept a TTL in other bits", "emulate353TTLNodes"),
  idle(
    WATCHES,
    `watchManagerName watcherCleanThreadsNum watcherCleanThreshold watcherCleanIntervalInSeconds
    maxInProcessingDeadWatchers bitHashCacheSize`,
  ),
  idle(
    THREADS,
    `serverCnxnFactory nio.numSelectorThreads nio.numWorkerThreads nio.directBufferBytes nio.shutdownTimeout
    commitProcessor.numWorkerThreads commitProcessor.maxReadBatchSize commitProcessor.maxCommitBatchSize
    commitProcessor.shutdownTimeout follower.skipLearnerRequestToNextProcessor
    forward_learner_requests_to_commit_processor_disabled`,
  ),
  idle(
    "a session that is not heard of ends with its connection, and one without a session after 10 s",
    "clientTcpKeepAlive nio.sessionlessCnxnTimeout closeSessionTxn.enabled",
  ),
];

const SECURITY: readonly Row[] = [
  refused(
    "ssl.protocol",
    "asks for one version of TLS alone",
    "name the versions in ssl.enabledProtocols",
    only(
      "ssl.enabledProtocols names the versions, TLSv1.2 and TLSv1.3 by default",
      "TLS",
      "TLSv1.2",
    ),
  ),
  refused(
    "ssl.clientHostnameVerification",
    "asks that a client's certificate names the host that it comes from, which is not looked at",
    "remove the line: certificates of clients are trusted by their authority",
    OFF,
  ),
  rows(CRL_KEY, {
    kind: "works",
    effect:
      "`true` needs `zooid.tlsCrlFile` (`--tls-crl`), a file with the lists of withdrawn certificates: Java takes them from where the certificates say, which is not asked",
  }),
  refused(
    "ssl.ocsp",
    "asks for the authority to be asked whether a certificate was withdrawn, which it is not",
    "remove the line, and name lists of withdrawn certificates in zooid.tlsCrlFile, or give clients certificates that are valid for a short time",
    OFF,
  ),
  refused(
    "ssl.authProvider",
    "must be x509: a client's identity is the name in its certificate",
    "remove the line",
    only("a client's identity is the name in its certificate", "x509", ""),
  ),
  refused("ssl.context.supplier.class ssl.*", TLS, TLS_HINT, OFF),
  idle(
    "clients verify the name of the server that they go to; a server has no such name to verify",
    "ssl.hostnameVerification ssl.allowReverseDnsLookup",
  ),
  idle("TLS is OpenSSL's, as Node has it", "ssl.sslProvider fips-mode"),
  idle(
    "a client has 10 s for its handshake of TLS, and counts as a connection from the beginning: `--max-connections`",
    `ssl.handshakeDetectionTimeoutMillis netty.server.outstandingHandshake.limit outstandingHandshake.limit
    netty.server.earlyDropSecureConnectionHandshakes`,
  ),
  refused("sslQuorum sslQuorumReloadCertFiles portUnification", PEERS, PEERS_HINT, OFF),
  refused(
    `ssl.quorum.keyStore.location ssl.quorum.keyStore.password ssl.quorum.keyStore.passwordPath ssl.quorum.keyStore.type
    ssl.quorum.trustStore.location ssl.quorum.trustStore.password ssl.quorum.trustStore.passwordPath ssl.quorum.trustStore.type
    ssl.quorum.protocol ssl.quorum.enabledProtocols ssl.quorum.ciphersuites ssl.quorum.context.supplier.class
    ssl.quorum.hostnameVerification ssl.quorum.clientHostnameVerification ssl.quorum.allowReverseDnsLookup ssl.quorum.crl
    ssl.quorum.ocsp ssl.quorum.clientAuth ssl.quorum.handshakeDetectionTimeoutMillis ssl.quorum.*`,
    PEERS,
    PEERS_HINT,
    OFF,
  ),
  refused(
    `quorum.auth.enableSasl quorum.auth.learnerRequireSasl quorum.auth.serverRequireSasl quorum.auth.learner.saslLoginContext
    quorum.auth.server.saslLoginContext quorum.auth.kerberos.servicePrincipal quorum.auth.*`,
    PEERS,
    PEERS_HINT,
    OFF,
  ),
  refused(
    "authProvider.x509",
    "must be ZooKeeper's own provider: a client's identity is the name in its certificate",
    "remove the line",
    only(
      "the name in a client's certificate is its identity",
      "org.apache.zookeeper.server.auth.X509AuthenticationProvider",
      "",
    ),
  ),
  works("java.security.auth.login.config", "saslLoginFile"),
  works("sasl.serverconfig", "saslLoginSection"),
  works("sessionRequireClientSASLAuth", "saslRequired"),
  works("allowSaslFailedClients", "saslFailedAllowed"),
  works("superUser", "saslSuperUser"),
  works("SASLAuthenticationProvider.superPassword", "saslSuperPassword"),
  refused(
    "authProvider.sasl authProvider.*",
    "must be ZooKeeper's own provider, of digests, addresses, or users of SASL (`--sasl-scheme`)",
    "remove the line",
    only(
      "it is ZooKeeper's own",
      "org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
      "org.apache.zookeeper.server.auth.DigestAuthenticationProvider",
      "org.apache.zookeeper.server.auth.IPAuthenticationProvider",
      "",
    ),
  ),
  missed(
    "requireClientAuthScheme",
    "ZooKeeper 3.8 does not look at it either, and takes clients that have not authenticated",
    "sessionRequireClientSASLAuth=true has clients log in by SASL",
    OFF,
  ),
  idle("ZooKeeper 3.8 does not look at it either", "jaasLoginRenew"),
  refused(
    `requireKerberosConfig kerberos.removeHostFromPrincipal kerberos.removeRealmFromPrincipal kerberos.canonicalizeHostNames
    kerberos.minReLoginTimeMs kerberos.* security.auth_to_local security.*`,
    KERBEROS,
    KERBEROS_HINT,
    OFF,
  ),
  refused(
    `DigestAuthenticationProvider.* SASLAuthenticationProvider.*
    IPAuthenticationProvider.usexforwardedfor IPAuthenticationProvider.* X509AuthenticationProvider.superUser
    X509AuthenticationProvider.* sessionRequire* enforce.auth.* letAnySaslUserDoX superUser.* ensembleAuthName
    java.security.login.auth.config`,
    LISTS,
    LISTS_HINT,
    OFF,
  ),
  idle("a write is checked when it is applied, on every node alike", "enableEagerACLCheck"),
  works("DigestAuthenticationProvider.superDigest", "superDigest"),
  works("DigestAuthenticationProvider.digestAlg", "digestAlgorithm"),
  works("DigestAuthenticationProvider.enabled", "digestEnabled"),
  works("skipACL", "skipAcl"),
  works("enforce.auth.enabled", "authEnforced"),
  works("enforce.auth.schemes", "authSchemes"),
  refused(
    "audit.enable",
    "asks for an audit log of what clients do; there is one of what the admin server changes only",
    "remove the line if nobody relies on it",
    OFF,
  ),
  idle("there is no audit log of clients", "audit.impl.class"),
];

const OPERATIONS: readonly Row[] = [
  works("admin.enableServer", "adminServer"),
  works("admin.serverPort", "adminPort"),
  works("admin.serverAddress", "adminAddress"),
  works("admin.commandURL", "adminCommandUrl"),
  works("admin.forceHttps", "adminHttps"),
  refused(
    "admin.portUnification",
    "asks for HTTP and HTTPS on one port, and the admin server speaks one of them",
    "remove the line, and give admin.forceHttps=true for TLS",
    OFF,
  ),
  refused(
    "admin.needClientAuth",
    "asks for certificates of operators, of which it does not say whose",
    "give zooid.adminTrustStoreFile and zooid.adminClientAuth=need instead",
    OFF,
  ),
  idle(
    "its connections and their times are bounded, and there is no command to take or restore a snapshot",
    `admin.idleTimeout admin.httpVersion admin.rateLimiterIntervalInMS admin.snapshot.enabled
    admin.restore.enabled`,
  ),
  missed(
    "metricsProvider.className",
    "metrics are told by the admin server, at `/metrics`",
    "admin.serverPort=7000 has it answer where ZooKeeper's provider does by default, to this machine only",
    only(
      "`mntr` gives metrics",
      "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider",
      "org.apache.zookeeper.metrics.impl.NullMetricsProvider",
    ),
  ),
  idle(
    "metrics are told by the admin server, at `/metrics`",
    `metricsProvider.httpHost metricsProvider.httpPort metricsProvider.httpsPort metricsProvider.exportJvmInfo
    metricsProvider.numWorkerThreads metricsProvider.maxQueueSize metricsProvider.workerShutdownTimeoutMs metricsProvider.*`,
  ),
  idle(
    "what holds a thread up is logged: `--slow-step-ms`",
    "jvm.pause.monitor jvm.pause.warn-threshold.ms jvm.pause.info-threshold.ms jvm.pause.sleep.time.ms",
  ),
  idle(
    "what actors do is seen with `--actor-metrics-ms` and `--log-level debug`",
    `pathStats.enabled pathStats.delay pathStats.initialDelay pathStats.maxDepth pathStats.sampleRate pathStats.slotCapacity
    pathStats.slotDuration pathStats.topPathMax messageTracker.Enabled messageTracker.BufferSize leader.ackLoggingFrequency`,
  ),
  idle(OF_JAVA, "jmx.log4j.disable jmx.log4j.mbean kinit configuration controllerPort"),
  idle(
    "it is for ZooKeeper's own tests",
    "testingonly.initialZxid test.allowDiscontinuousProposals",
  ),
  idle(
    OF_CLIENTS,
    `client.secure clientCnxnSocket disableAutoWatchReset request.timeout sasl.client sasl.client.username
    sasl.client.canonicalize.hostname sasl.client.allowReverseDnsLookup sasl.clientconfig server.principal server.realm
    hostProvider.dnsSrvRefreshIntervalSeconds shuffleDnsResponse`,
  ),
];

export type Chapter = { readonly title: string; readonly rows: readonly Row[] };

/** In the order of the documentation. */
export const CHAPTERS: readonly Chapter[] = [
  { title: "Settings", rows: SETTINGS },
  { title: "The ensemble", rows: ENSEMBLE },
  { title: "The disk", rows: DISK },
  { title: "Requests and connections", rows: REQUESTS },
  { title: "Security", rows: SECURITY },
  { title: "Operations", rows: OPERATIONS },
];

const EXACT = new Map<string, Row>();
/** The longest beginning first. */
const BEGINNINGS: (readonly [string, Row])[] = [];
for (const row of CHAPTERS.flatMap((chapter) => chapter.rows)) {
  for (const key of row.keys) {
    if (key.endsWith("*")) BEGINNINGS.push([key.slice(0, -1), row]);
    else EXACT.set(key, row);
  }
}
BEGINNINGS.sort(([left], [right]) => right.length - left.length);

const PREFIX = "zookeeper.";

export const ZOOKEEPER_KEYS: readonly string[] = [...EXACT.keys()];

/** As in a `zoo.cfg`: without the prefix that a key has as a property of Java. */
export function withoutPrefix(key: string): string {
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
}

/** Undefined: ZooKeeper knows no such key. */
export function rowOf(key: string): Row | undefined {
  const name = withoutPrefix(key);
  return EXACT.get(name) ?? BEGINNINGS.find(([beginning]) => name.startsWith(beginning))?.[1];
}
