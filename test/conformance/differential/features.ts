/**
 * What of ZooKeeper's protocol programs may use. What ZooKeeper's server does not survive is never drawn: limits and counts of a quota that it
 * cannot read.
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
  systemPaths: true,
  reconfig: true,
} as const;

export type Feature = keyof typeof FEATURES;

export function isOn(feature: Feature | undefined): boolean {
  return feature === undefined || FEATURES[feature];
}
