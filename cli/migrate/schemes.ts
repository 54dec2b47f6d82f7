/** The schemes of identities that both Apache ZooKeeper and zooid know without a plugin. */
export const OWN_SCHEMES: readonly string[] = ["world", "auth", "digest", "ip", "x509", "sasl"];
