/**
 * What of ZooKeeper's protocol programs may use. Off is what programs would see of each other, since they share a server, and what
 * ZooKeeper's server does not survive: limits of a quota that it cannot read.
 */
export const FEATURES = {
  containers: true,
  timesToLive: true,
  multiRead: true,
  /** getEphemerals and getAllChildrenNumber. */
  listings: true,
  whoAmI: true,
  /** Access control lists that have to be enforced. */
  acls: true,
  identities: true,
  /** Writes below `/zookeeper`, quotas among them. */
  systemPaths: false,
  reconfig: true,
} as const;

export type Feature = keyof typeof FEATURES;

export function isOn(feature: Feature | undefined): boolean {
  return feature === undefined || FEATURES[feature];
}
