/** How each setting is called on the command line and in a configuration file. */
import type { NodeConfig } from "./node-config.ts";

export type Key = {
  readonly field: keyof NodeConfig;
  readonly flag: string;
  /** What stands for the value in the help text. */
  readonly placeholder: string;
  /** In a `zoo.cfg`; undefined where the file says it another way (`server.N`, `myid`). */
  readonly fileKey: string | undefined;
  /** Other names that ZooKeeper, or its documentation, has for it. */
  readonly alsoInFile?: readonly string[];
  /** For the help text. */
  readonly summary: string;
};

/** The names in a file have spaces between them, the usual one first. */
function key(
  field: keyof NodeConfig,
  flagAndPlaceholder: string,
  fileKeys: string | undefined,
  summary: string,
): Key {
  const [flag = "", placeholder = ""] = flagAndPlaceholder.split(" ");
  const [fileKey, ...others] = fileKeys?.split(" ") ?? [];
  const also = others.length === 0 ? {} : { alsoInFile: others };
  return { field, flag, placeholder, fileKey, ...also, summary };
}

/** All names that a setting has in a file. */
export function fileKeysOf({ fileKey, alsoInFile = [] }: Key): readonly string[] {
  return fileKey === undefined ? [] : [fileKey, ...alsoInFile];
}

export const KEYS: readonly Key[] = [
  key("id", "id N", undefined, "this node's number in the ensemble, 0 to 255 (default 1)"),
  key("members", "members 1,2,3", undefined, "the ensemble's nodes (default: this one alone)"),
  key(
    "servers",
    "servers 1=HOST:P:P;PORT,…",
    undefined,
    "what /zookeeper/config tells clients of each member (default: nothing)",
  ),
  key("ensemble", "ensemble NAME", "zooid.ensemble", "the ensemble's name (default zooid)"),
  key("natsUrls", "nats URL,…", "zooid.nats", "NATS servers; needed with more than one member"),
  key(
    "natsCredentialsFile",
    "nats-credentials-file FILE",
    "zooid.natsCredentialsFile",
    "user:password for NATS, or a .creds file (default: ZOOID_NATS_USER and _PASSWORD, or _TOKEN)",
  ),
  key(
    "natsTlsCaFile",
    "nats-tls-ca FILE",
    "zooid.natsTlsCaFile",
    "authority of the NATS servers' certificates (default: the system's)",
  ),
  key(
    "natsTlsCertFile",
    "nats-tls-cert FILE",
    "zooid.natsTlsCertFile",
    "this node's certificate for NATS servers that ask for one",
  ),
  key("natsTlsKeyFile", "nats-tls-key FILE", "zooid.natsTlsKeyFile", "its key"),
  key(
    "peerKeyFile",
    "peer-key-file FILE",
    "zooid.peerKeyFile",
    "keys that authenticate nodes to each other, one a line in hexadecimal (default: none)",
  ),
  key(
    "clientPort",
    "client-port N",
    "clientPort",
    "TCP port for clients, 0: a free one (default 2181)",
  ),
  key(
    "clientPortAddress",
    "client-port-address A",
    "clientPortAddress",
    "address it is bound to (default ::, all of both families)",
  ),
  key(
    "clientPortBacklog",
    "client-port-backlog N",
    "clientPortListenBacklog",
    "connections that wait to be accepted; the system may allow fewer (default 511)",
  ),
  key(
    "secureClientPort",
    "secure-client-port N",
    "secureClientPort",
    "TCP port for clients that speak TLS, 0: a free one (default: none)",
  ),
  key(
    "secureClientPortAddress",
    "secure-client-port-address A",
    "secureClientPortAddress",
    "address it is bound to (default ::)",
  ),
  key(
    "tlsOnClientPort",
    "tls-on-client-port true",
    "client.portUnification",
    "clients may speak TLS on the client port too (default false)",
  ),
  key(
    "tlsKeyStoreFile",
    "tls-key-store FILE",
    "ssl.keyStore.location",
    "key and certificates of the node, PEM or PKCS12; needed for TLS",
  ),
  key(
    "tlsKeyStorePassword",
    "tls-key-store-password P",
    "ssl.keyStore.password",
    "its password, which others can read on a command line (default none)",
  ),
  key(
    "tlsKeyStorePasswordFile",
    "tls-key-store-password-file FILE",
    "ssl.keyStore.passwordPath",
    "a file with its password",
  ),
  key(
    "tlsKeyStoreType",
    "tls-key-store-type T",
    "ssl.keyStore.type",
    "PEM or PKCS12 (default: the file is looked at)",
  ),
  key(
    "tlsTrustStoreFile",
    "tls-trust-store FILE",
    "ssl.trustStore.location",
    "authorities of the clients' certificates, PEM or PKCS12",
  ),
  key(
    "tlsTrustStorePassword",
    "tls-trust-store-password P",
    "ssl.trustStore.password",
    "as of the key store",
  ),
  key(
    "tlsTrustStorePasswordFile",
    "tls-trust-store-password-file FILE",
    "ssl.trustStore.passwordPath",
    "as of the key store",
  ),
  key("tlsTrustStoreType", "tls-trust-store-type T", "ssl.trustStore.type", "as of the key store"),
  key(
    "tlsClientAuth",
    "tls-client-auth need|want|none",
    "ssl.clientAuth",
    "whether clients must show a certificate (default need)",
  ),
  key(
    "tlsCrlFile",
    "tls-crl FILE",
    "zooid.tlsCrlFile",
    "withdrawn certificates of clients, lists of every authority in PEM form (default: none)",
  ),
  key(
    "tlsProtocols",
    "tls-protocols A,B",
    "ssl.enabledProtocols",
    "versions of TLS (default TLSv1.2,TLSv1.3)",
  ),
  key(
    "tlsCiphers",
    "tls-ciphers A,B",
    "ssl.ciphersuites",
    "cipher suites by their names in Java or OpenSSL (default: those of Node)",
  ),
  key(
    "tlsReload",
    "tls-reload true|false",
    "client.certReload",
    "show new clients what has changed in these files (default true)",
  ),
  key("dataDir", "data-dir FOLDER", "dataDir", "the node's own folder (default ./data)"),
  key(
    "dataLogDir",
    "data-log-dir FOLDER",
    "dataLogDir",
    "a folder for the log alone, on a disk of its own (default: the log lies in the data folder)",
  ),
  key(
    "lanes",
    "lanes N",
    "zooid.lanes",
    "worker threads for clients, 0 (one thread does all) to 16 (default auto: by the cores)",
  ),
  key("tickTimeMs", "tick-time-ms N", "tickTime", "unit of session timeouts (default 2000)"),
  key(
    "initLimit",
    "init-limit N",
    "initLimit",
    "checked as ZooKeeper does, else unused (default 10)",
  ),
  key(
    "syncLimit",
    "sync-limit N",
    "syncLimit",
    "checked as ZooKeeper does, else unused (default 5)",
  ),
  key(
    "minSessionTimeoutMs",
    "min-session-timeout-ms N",
    "minSessionTimeout",
    "shortest timeout granted (default 2 ticks)",
  ),
  key(
    "maxSessionTimeoutMs",
    "max-session-timeout-ms N",
    "maxSessionTimeout",
    "longest timeout granted (default 20 ticks)",
  ),
  key(
    "maxClientConnections",
    "max-client-connections N",
    "maxClientCnxns",
    "per address, 0: no limit (default 60)",
  ),
  key(
    "maxConnections",
    "max-connections N",
    "maxCnxns",
    "in all, 0: as many as open files allow (default 0)",
  ),
  key(
    "maxPacketBytes",
    "max-packet-bytes N",
    "jute.maxbuffer",
    "largest request taken (default and at most 1048575)",
  ),
  key(
    "maxOutstandingRequests",
    "max-outstanding-requests N",
    "globalOutstandingLimit",
    "then only clients without a request under way are read, 0: no limit (default 0)",
  ),
  key(
    "sessionTokens",
    "session-tokens N",
    "connectionMaxTokens connection_throttle_tokens",
    "sessions asked for at once, more wait for the next, 0: no limit (default 0)",
  ),
  key(
    "sessionTokenFillMs",
    "session-token-fill-ms N",
    "connectionTokenFillTime connection_throttle_fill_time",
    "more may ask so often (default 1)",
  ),
  key(
    "sessionTokenFillCount",
    "session-token-fill-count N",
    "connectionTokenFillCount connection_throttle_fill_count",
    "so many each time (default 1)",
  ),
  key(
    "maxTreeBytes",
    "max-tree-bytes N",
    "zooid.maxTreeBytes",
    "from here on no growth, 0: a quarter of the memory (default 0)",
  ),
  key("maxSessions", "max-sessions N", "zooid.maxSessions", "0: by the heap (default 0)"),
  key("maxWatches", "max-watches N", "zooid.maxWatches", "of a lane, 0: by the heap (default 0)"),
  key(
    "maxHeldBytes",
    "max-held-bytes N",
    "zooid.maxHeldBytes",
    "waiting for a lane's clients, 0: by the heap (default 0)",
  ),
  key(
    "laneHeapBytes",
    "lane-heap-bytes N",
    "zooid.laneHeapBytes",
    "heap of each lane, 0: as Node has it (default 0)",
  ),
  key(
    "enforceQuota",
    "enforce-quota true|false",
    "enforceQuota",
    "refuse writes beyond a quota's hard limits (default false)",
  ),
  key(
    "fourLetterWords",
    "four-letter-words a,b",
    "4lw.commands.whitelist",
    "words that are answered, * for all (default: those that list nothing)",
  ),
  key(
    "adminServer",
    "admin-server true|false",
    "admin.enableServer",
    "health, metrics and commands over HTTP (default: if a port for it is given)",
  ),
  key(
    "adminPort",
    "admin-port N",
    "admin.serverPort",
    "its TCP port, 0: a free one (default 8080)",
  ),
  key(
    "adminAddress",
    "admin-address A",
    "admin.serverAddress",
    "address it is bound to (default 127.0.0.1)",
  ),
  key(
    "adminCommandUrl",
    "admin-command-url /PATH",
    "admin.commandURL",
    "where ZooKeeper's commands are (default /commands)",
  ),
  key(
    "adminTokenFile",
    "admin-token-file FILE",
    "zooid.adminTokenFile",
    "a token that requests have to show (default: none)",
  ),
  key(
    "adminChanges",
    "admin-changes true|false",
    "zooid.adminChanges",
    "carry out commands that change something (default false)",
  ),
  key(
    "metricsNames",
    "metrics-names V",
    "zooid.metricsNames",
    "ZooKeeper's counters as in zookeeper-3.9, zookeeper-3.10, or both (default both)",
  ),
  key(
    "readOnlyMode",
    "read-only-mode true|false",
    "readonlymode.enabled",
    "without a leader, clients that ask for it may read (default false)",
  ),
  key(
    "changeFeed",
    "change-feed true|false",
    "zooid.changeFeed",
    "while this node leads, publish committed changes at NATS (default false)",
  ),
  key(
    "superDigest",
    "super-digest USER:HASH",
    "DigestAuthenticationProvider.superDigest",
    "digest of the superuser, who may do everything (default: there is none)",
  ),
  key(
    "digestAlgorithm",
    "digest-algorithm NAME",
    "DigestAuthenticationProvider.digestAlg",
    "hash of passwords in digests (default SHA1)",
  ),
  key(
    "digestEnabled",
    "digest-enabled B",
    "DigestAuthenticationProvider.enabled",
    "whether clients authenticate by digests (default true)",
  ),
  key(
    "skipAcl",
    "skip-acl B",
    "skipACL",
    "yes: access control lists are kept and not enforced (default no)",
  ),
  key(
    "authEnforced",
    "enforce-auth-enabled B",
    "enforce.auth.enabled",
    "true: clients have to authenticate (default false)",
  ),
  key(
    "authSchemes",
    "enforce-auth-schemes a,b",
    "enforce.auth.schemes",
    "by one of these: digest, ip, x509, sasl (default none)",
  ),
  key(
    "saslLoginFile",
    "jaas-file FILE",
    "java.security.auth.login.config",
    "users of SASL and their passwords, as ZooKeeper has them (default: there are none)",
  ),
  key(
    "saslLoginSection",
    "jaas-section NAME",
    "sasl.serverconfig",
    "section of that file with the users (default Server)",
  ),
  key(
    "saslScheme",
    "sasl-scheme B",
    undefined,
    "true: lists may name users of SASL (authProvider.sasl in a file; default false)",
  ),
  key(
    "saslRequired",
    "require-sasl B",
    "sessionRequireClientSASLAuth",
    "true: clients have to log in by SASL (default false)",
  ),
  key(
    "saslFailedAllowed",
    "allow-sasl-failed B",
    "allowSaslFailedClients",
    "true: who fails to log in by SASL stays connected (default false)",
  ),
  key(
    "saslSuperUser",
    "sasl-super-user NAME",
    "superUser",
    "user of SASL who may do everything (default: there is none)",
  ),
  key(
    "saslSuperPassword",
    "sasl-super-password PASSWORD",
    "SASLAuthenticationProvider.superPassword",
    "password of the user super (default: as in the file of users)",
  ),
  key(
    "snapshotEveryBytes",
    "snapshot-every-bytes N",
    "zooid.snapshotEveryBytes",
    "a snapshot is cut after so many bytes of log (default 64 MiB)",
  ),
  key(
    "snapshotsKept",
    "snapshots-kept N",
    "autopurge.snapRetainCount",
    "older ones are removed, with the log before them (default 2)",
  ),
  key(
    "extendedTypes",
    "extended-types true|false",
    "extendedTypesEnabled",
    "whether znodes may have a time to live (default true)",
  ),
  key(
    "containerCheckIntervalMs",
    "container-check-interval-ms N",
    "znode.container.checkIntervalMs",
    "look for containers and TTLs that are over so often (default 60000)",
  ),
  key(
    "containersPerMinuteMax",
    "containers-per-minute-max N",
    "znode.container.maxPerMinute",
    "delete so many of them in a minute (default 10000)",
  ),
  key(
    "containerUnusedMs",
    "container-unused-ms N",
    "znode.container.maxNeverUsedIntervalMs",
    "delete a container never used after so long, 0: never (default 0)",
  ),
  key(
    "failoverGraceMs",
    "failover-grace-ms N",
    "zooid.failoverGraceMs",
    "clients wait so long for a new leader (default 2000)",
  ),
  key(
    "heartbeatIntervalMs",
    "heartbeat-interval-ms N",
    "zooid.heartbeatIntervalMs",
    "a follower pings its leader so often (default 100)",
  ),
  key(
    "leaderPatienceMs",
    "leader-patience-ms N",
    "zooid.leaderPatienceMs",
    "a leader silent for so long is given up (default 500)",
  ),
  key(
    "peerTimeoutMs",
    "peer-timeout-ms N",
    "zooid.peerTimeoutMs",
    "a peer silent for so long is lost (default 2000)",
  ),
  key(
    "slowStepMs",
    "slow-step-ms N",
    "zooid.slowStepMs",
    "log what holds a thread up for so long, 0: nothing (default 500)",
  ),
  key(
    "actorMetricsMs",
    "actor-metrics-ms N",
    "zooid.actorMetricsMs",
    "give mntr the work of each actor so often, 0: not (default 0)",
  ),
];
