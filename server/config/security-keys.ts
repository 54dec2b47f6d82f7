/**
 * Keys of a `zoo.cfg` that ask for protection which zooid does not give. To ignore one would leave open what its owner believes
 * to be closed, so it refuses the start. Source: ZooKeeper Administrator's Guide, "Encryption, Authentication, Authorization
 * Options".
 */

export type Refused = { readonly rule: string; readonly hint: string };

const TLS: Refused = {
  rule: "asks for TLS, which the client port does not have",
  hint: "end TLS in front of the client port and remove the line, or use native clients: NATS has TLS",
};
const PEERS: Refused = {
  rule: "asks for protection between the servers, which meet over NATS here",
  hint: "remove the line, and give the NATS servers TLS and users of their own",
};
const CLIENTS: Refused = {
  rule: "asks for clients to authenticate, which is not possible here",
  hint: "remove the line if whoever reaches the client port may read and write everything",
};
const LISTS: Refused = {
  rule: "relies on access control lists, which are not enforced here",
  hint: "remove the line if whoever reaches the client port may read and write everything",
};

/** Refusals by key. */
const KEYS: Readonly<Record<string, Refused>> = {
  secureClientPort: TLS,
  secureClientPortAddress: TLS,
  "client.portUnification": TLS,
  sslQuorum: PEERS,
  sslQuorumReloadCertFiles: PEERS,
  portUnification: PEERS,
  requireClientAuthScheme: CLIENTS,
  jaasLoginRenew: CLIENTS,
  allowSaslFailedClients: CLIENTS,
  skipACL: LISTS,
  "X509AuthenticationProvider.superUser": LISTS,
  superUser: LISTS,
};
/** Refusals by the beginning of a key. */
const FAMILIES: readonly (readonly [string, Refused])[] = [
  ["ssl.quorum.", PEERS],
  ["ssl.", TLS],
  ["quorum.auth.", PEERS],
  ["authProvider.", CLIENTS],
  ["enforce.auth.", CLIENTS],
  ["sessionRequire", CLIENTS],
  ["kerberos.", CLIENTS],
  ["security.", CLIENTS],
  ["DigestAuthenticationProvider.", LISTS],
];

/** Undefined: the key asks for nothing of the kind, or its value says that it is not wanted. */
export function securityRefusal(key: string, value: string): Refused | undefined {
  // ZooKeeper takes its system properties with their prefix too.
  const name = key.startsWith("zookeeper.") ? key.slice("zookeeper.".length) : key;
  if (isUnwanted(name, value)) return undefined;
  const family = FAMILIES.find(([start]) => name.startsWith(start));
  return Object.hasOwn(KEYS, name) ? KEYS[name] : family?.[1];
}

/** `skipACL=yes` asks that access control lists are not enforced, and zooid enforces none. */
function isUnwanted(name: string, value: string): boolean {
  return value === "" || (name === "skipACL" ? value === "yes" : value === "false");
}
