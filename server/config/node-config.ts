/** A node's configuration: one frozen object with every field filled, made by `validate` only. */
import type { ServerId } from "../../protocol/ids.ts";
import type { ClientCertificates, TlsVersion } from "../../runtime/connections/tls/terms.ts";

export type MetricsNames = "zookeeper-3.9" | "zookeeper-3.10" | "both";

/** All that a node is configured with. docs/operations/configuration.md says by which flag and which key of a file each is set. */
export type NodeConfig = {
  /** This node's number in its ensemble, 0 to 255. Default 1, of a node alone. */
  readonly id: ServerId;
  /** The ensemble's voters, ascending, this node among them. Default: this node alone. The same on every node. */
  readonly members: readonly ServerId[];
  /**
   * What `/zookeeper/config` tells clients of each member, in ZooKeeper's form: `server.1=host:2888:3888:participant;0.0.0.0:2181`.
   * Default none, which leaves it empty. The same on every node.
   */
  readonly servers: readonly string[];
  /** Name of the ensemble: part of every NATS subject. Default `zooid`. The same on every node. */
  readonly ensemble: string;
  /** NATS servers; the first that answers is used. Default none, which only a node alone can do with. */
  readonly natsUrls: readonly string[];
  /** User and password for NATS, as `user:password` or a `.creds` file. Default: those of the URLs, or of the environment. */
  readonly natsCredentialsFile: string | undefined;
  /** The authority that signed the certificates of the NATS servers, in PEM form. Default: the system's. */
  readonly natsTlsCaFile: string | undefined;
  /** This node's certificate for NATS servers that ask for one, and its key. */
  readonly natsTlsCertFile: string | undefined;
  readonly natsTlsKeyFile: string | undefined;
  /** Keys with which nodes authenticate their messages to each other. Default: none. The same on every node. */
  readonly peerKeyFile: string | undefined;
  /** TCP port for clients; 0: any free one. Default 2181, and none where only a port for TLS is given. */
  readonly clientPort: number | undefined;
  /** Address that port is bound to. Default `::`, every address of IPv6 and of IPv4; on a machine without IPv6 that is `0.0.0.0`. */
  readonly clientPortAddress: string;
  /** Connections that the system keeps until the node accepts them, of each lane. Default 511. */
  readonly clientPortBacklog: number;
  /** TCP port for clients that speak TLS; 0: any free one. Default none. */
  readonly secureClientPort: number | undefined;
  /** Address that port is bound to. Default `::`. */
  readonly secureClientPortAddress: string;
  /** Clients that speak TLS and clients that do not come to `clientPort` alike. Default false. */
  readonly tlsOnClientPort: boolean;
  /** The node's key and certificates for TLS with clients, as PEM or PKCS12. Needed for TLS, default none. */
  readonly tlsKeyStoreFile: string | undefined;
  /** Its password, which a file keeps off the command line. The file wins. Default: it has none. */
  readonly tlsKeyStorePassword: string | undefined;
  readonly tlsKeyStorePasswordFile: string | undefined;
  /** Default: the file is looked at. */
  readonly tlsKeyStoreType: string | undefined;
  /** The authorities by which certificates of clients are trusted. Needed unless clients are asked for none. */
  readonly tlsTrustStoreFile: string | undefined;
  readonly tlsTrustStorePassword: string | undefined;
  readonly tlsTrustStorePasswordFile: string | undefined;
  readonly tlsTrustStoreType: string | undefined;
  /** Whether clients must show a certificate. Default `need`, as in ZooKeeper. */
  readonly tlsClientAuth: ClientCertificates;
  /**
   * Lists of the certificates that were withdrawn, in PEM form, one of each authority. A client with such a certificate, or of an authority
   * without a list, is turned away. Default: none is looked at.
   */
  readonly tlsCrlFile: string | undefined;
  /** Versions that clients may speak. Default all. */
  readonly tlsProtocols: readonly TlsVersion[];
  /** Cipher suites by OpenSSL's names, with colons between. Default: Node's. */
  readonly tlsCiphers: string | undefined;
  /** The files are looked at every few seconds, and clients that come later are shown what has changed. Default true. */
  readonly tlsReload: boolean;
  /** Absolute path of the node's own folder. Default `data` in the working folder. */
  readonly dataDir: string;
  /** Absolute path of a folder for the segments of the log, on a disk of its own. Default: they lie in `dataDir`. */
  readonly dataLogDir: string | undefined;
  /** ZooKeeper's unit of session timeouts. Default 2000. */
  readonly tickTimeMs: number;
  /** ZooKeeper's limits in ticks, read and checked; peers are timed by `peerTimeoutMs`. Default 10. */
  readonly initLimit: number;
  /** As `initLimit`. Default 5. */
  readonly syncLimit: number;
  /** Shortest session timeout granted; who asks for less gets this. Default two ticks. */
  readonly minSessionTimeoutMs: number;
  /** Longest session timeout granted; who asks for more gets this. Default 20 ticks. */
  readonly maxSessionTimeoutMs: number;
  /** Connections from one address to this node; more are closed at once. 0: no limit. Default 60. */
  readonly maxClientConnections: number;
  /**
   * Connections to this node in all; more are closed at once. 0, the default: as many as the limit of open files leaves. Never
   * more than that.
   */
  readonly maxConnections: number;
  /** Bytes of a request; a longer one is answered BadArguments, and its connection is closed. Default and at most 1_048_575. */
  readonly maxPacketBytes: number;
  /**
   * Requests that are under way for all clients of this node. Beyond it a client is read only while it has none under way. 0, the default:
   * what waits is limited by its bytes alone, `maxHeldBytes`.
   */
  readonly maxOutstandingRequests: number;
  /** Sessions that may be asked for at once. Further ones wait for a token, 10 s at most. 0, the default: no limit. */
  readonly sessionTokens: number;
  /** So many tokens are there again after each of these intervals. Default 1 after 1 ms. */
  readonly sessionTokenFillMs: number;
  readonly sessionTokenFillCount: number;
  /**
   * Bytes that the tree may take in memory, about, in each lane: from there on writes that grow it are refused. 0, the default: a
   * quarter of the machine's memory, shared by the lanes. What the heap of a lane can hold is a limit of its own.
   */
  readonly maxTreeBytes: number;
  /** Sessions; a further one is refused. 0, the default: as many as a sixteenth of a lane's heap can hold. */
  readonly maxSessions: number;
  /** Watches of one lane; a read that asks for a further one is refused. 0, the default: as for sessions. */
  readonly maxWatches: number;
  /**
   * Bytes of requests and answers that wait for the connections of one gateway; beyond it clients wait. 0, the default: a
   * sixteenth of a lane's heap, shared by the lanes, 256 MiB at most.
   */
  readonly maxHeldBytes: number;
  /** Bytes of the heap of each lane. 0, the default: as Node has it, `--max-old-space-size` included, which wins over this. */
  readonly laneHeapBytes: number;
  /**
   * Whether a write beyond a hard limit of a quota is refused. What the leader has here holds, for all nodes. Default false: it is done,
   * and logged.
   */
  readonly enforceQuota: boolean;
  /** Whether the node has an admin server. Default false, or true where `adminPort` is given. */
  readonly adminServer: boolean;
  /** TCP port of the admin server; 0: any free one. Default 8080. */
  readonly adminPort: number;
  /** Address that port is bound to. Default `127.0.0.1`: it is for this machine only. */
  readonly adminAddress: string;
  /** The path below which ZooKeeper's commands are answered. Default `/commands`. */
  readonly adminCommandUrl: string;
  /** A file with the token that requests have to show. Default: none is asked for, and what tells of clients is told on this machine only. */
  readonly adminTokenFile: string | undefined;
  /** Whether the admin server speaks TLS, and nothing else. Default false, or true where `adminKeyStoreFile` is given. */
  readonly adminHttps: boolean;
  /** The admin server's key and certificates, PEM or PKCS12. Default: `tlsKeyStoreFile`, with its password. */
  readonly adminKeyStoreFile: string | undefined;
  readonly adminKeyStorePasswordFile: string | undefined;
  /** The authorities by which certificates of operators are trusted. Default: none are asked for. */
  readonly adminTrustStoreFile: string | undefined;
  /** Whether operators must show a certificate (`need`) or may (`want`). Default `want` with `adminTrustStoreFile`, else `none`. */
  readonly adminClientAuth: ClientCertificates;
  /** The names in certificates of who is let in by one, `CN=operator;CN=app,O=example`. Default: everybody whom the trust store trusts. */
  readonly adminCertificateNames: string | undefined;
  /** Whether the commands that set something back, or set it, are carried out. Default false. */
  readonly adminChanges: boolean;
  /** Whether znodes may be changed through the admin server, by whoever proves who he is. Default false. */
  readonly adminWrites: boolean;
  /** A file to which a line is added for each such change. Default: the node's log has them. */
  readonly adminAuditFile: string | undefined;
  /** The names of ZooKeeper's counters at `/metrics`: those of its releases up to 3.9, those with `_total` of 3.10, or both. Default both. */
  readonly metricsNames: MetricsNames;
  /** Four-letter words that are answered, `srvr` always among them. Default DEFAULT_WORDS: those that list and change nothing. */
  readonly fourLetterWords: readonly string[];
  /** The id `user:hash` of who may do everything once it has authenticated. Default: there is nobody. */
  readonly superDigest: string | undefined;
  /** How passwords are hashed in digests: a name of OpenSSL's, or of Java's. Default SHA1. The same on every node. */
  readonly digestAlgorithm: string;
  /** Whether clients may authenticate by a digest, and give lists of digests. Default true. */
  readonly digestEnabled: boolean;
  /** Whether access control lists are kept but not enforced. Default false. */
  readonly skipAcl: boolean;
  /** Whether a client has to authenticate before it may ask for anything, by one of `authSchemes`. Default false. */
  readonly authEnforced: boolean;
  readonly authSchemes: readonly string[];
  /** Java's configuration of logins (JAAS), with the users of SASL and their passwords. Default: nobody logs in by SASL. */
  readonly saslLoginFile: string | undefined;
  /** Its section with the users. Default `Server`. */
  readonly saslLoginSection: string;
  /** Whether access control lists may name users of SASL. Default false, as in a ZooKeeper without a provider of them. */
  readonly saslScheme: boolean;
  /** Whether a client has to log in by SASL before it may ask for anything; `authSchemes` do not count then. Default false. */
  readonly saslRequired: boolean;
  /** Whether who has failed to log in by SASL keeps the connection, where logins are not required. Default false. */
  readonly saslFailedAllowed: boolean;
  /** The user of SASL who may do everything. Default: there is none. */
  readonly saslSuperUser: string | undefined;
  /** The password of the user `super`, in the place of that in the file. Default: that in the file. */
  readonly saslSuperPassword: string | undefined;
  /**
   * Worker threads with clients and a replica of the tree each, 1 to 16, beside one for the log. 0: none, one thread does all, which is
   * the fastest where cores are few. Default `auto`: by the cores there are.
   */
  readonly lanes: number | "auto";
  /**
   * Bytes of logged records after which a snapshot is cut, up to half as much again by chance so that nodes differ. Default
   * 64 MiB. Smaller: a shorter start and less disk, but the tree is written more often.
   */
  readonly snapshotEveryBytes: number;
  /** Snapshots that are kept, 2 at least, and with them the log since the oldest. Default 2. */
  readonly snapshotsKept: number;
  /**
   * Without a leader, a node serves reads to the clients of ZooKeeper that ask for it (`canBeReadOnly`). Default false: they wait for one.
   */
  readonly readOnlyMode: boolean;
  /**
   * Whether this node, while it leads, publishes the changes that everybody may read at NATS, for whoever subscribes. Default false. The
   * same on every node.
   */
  readonly changeFeed: boolean;
  /** Whether znodes with a time to live may be made. Default true, unlike in ZooKeeper. The same on every node. */
  readonly extendedTypes: boolean;
  /** How often a leader looks for containers and znodes with a time to live that are to be deleted. Default 60_000. */
  readonly containerCheckIntervalMs: number;
  /** How many of these it deletes in a minute at most. Default 10_000. */
  readonly containersPerMinuteMax: number;
  /** After how long it deletes a container that never had children. 0, the default: never. */
  readonly containerUnusedMs: number;
  /** How long clients are kept, their writes waiting, while there is no leader. Default 2000. The same on every node. */
  readonly failoverGraceMs: number;
  /** A follower asks its leader whether it lives this often, less often in quiet times. Default 100. The same on every node. */
  readonly heartbeatIntervalMs: number;
  /**
   * A leader that is silent for this time is given up, if its answers were quick before; at the latest after `peerTimeoutMs`. Default
   * 500, or three heartbeats if that is more. The same on every node.
   */
  readonly leaderPatienceMs: number;
  /** A peer that is silent for this time counts as lost. Default 2000. The same on every node. */
  readonly peerTimeoutMs: number;
  /**
   * An actor that is busy with one message for this time holds its thread up, which the log says (`slowStep`). 0: never. Default 500.
   */
  readonly slowStepMs: number;
  /**
   * Reads and writes whose answers take so many milliseconds are counted as slow, and the last of them remembered, with where their time went.
   * 0: none. Default 100. It costs a comparison a request.
   */
  readonly slowRequestMs: number;
  /**
   * How often `mntr` is given new metrics of what each actor has done meanwhile. 0, the default: not at all. Otherwise every step of
   * every actor is timed, which costs a busy node a few percent.
   */
  readonly actorMetricsMs: number;
};

/** For the runtime, in which a threshold that is never reached is infinite. */
export function slowStepMs({ slowStepMs: ms }: Pick<NodeConfig, "slowStepMs">): number {
  return ms > 0 ? ms : Number.POSITIVE_INFINITY;
}

/** The same for requests. */
export function slowRequestMs({ slowRequestMs: ms }: Pick<NodeConfig, "slowRequestMs">): number {
  return ms > 0 ? ms : Number.POSITIVE_INFINITY;
}

/** One setting as it was written. */
export type Setting = {
  readonly value: string;
  /** Where: `--lanes`, `zoo.cfg:3`, `data/myid`. */
  readonly source: string;
};

export type Settings = ReadonlyMap<keyof NodeConfig, Setting>;

/** One thing that is wrong with the settings of a node. */
export type Problem = {
  /** The name of the setting: `lanes`, `natsUrls`. */
  readonly field: string;
  /** As written; undefined when it is missing. */
  readonly value: string | undefined;
  /** Where it is written: `--lanes`, `zoo.cfg:3`, `startNode`; undefined when it is missing. */
  readonly source: string | undefined;
  /** What must hold: `must be a whole number from 1 to 16`. */
  readonly rule: string;
  /** What to do about it. */
  readonly hint: string;
};

/** Keys of ZooKeeper's whose values are secrets. */
const SECRET = /(?:password|superDigest)$/i;

/** The value as it may be shown: without passwords, those of URLs among them. */
export function shownValue(field: string, value: string): string {
  if (SECRET.test(field)) return "***";
  if (field !== "natsUrls") return value;
  // A password that is not percent-encoded may hold a slash or an @, which makes the URL wrong; so all up to the last @ is left out.
  return value.replace(/((?:^|[\s,])(?:[a-z]+:\/\/)?)[^\s,]*@/gi, "$1***@");
}

/** Everything that is wrong, in one text. */
export function problemsText(problems: readonly Problem[]): string {
  const count =
    problems.length === 1 ? "1 setting is wrong" : `${problems.length} settings are wrong`;
  const entries = problems.map((problem) => {
    const value =
      problem.value === undefined ? "is missing" : `= ${shownValue(problem.field, problem.value)}`;
    const source = problem.source === undefined ? "" : `  (${problem.source})`;
    return `  ${problem.field} ${value}${source}\n    ${problem.rule}; ${problem.hint}`;
  });
  return [count, ...entries].join("\n");
}
