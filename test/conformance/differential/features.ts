/** What of ZooKeeper's protocol programs may use. What zooid does not serve yet is off: programs that use it would show nothing else. */
export const FEATURES = {
  containers: false,
  timesToLive: false,
  multiRead: false,
  /** getEphemerals and getAllChildrenNumber. */
  listings: false,
  whoAmI: false,
  /** Access control lists that have to be enforced. */
  acls: false,
  identities: false,
  quotas: false,
  /** Writes below `/zookeeper`. */
  systemPaths: false,
  reconfig: false,
} as const;

export type Feature = keyof typeof FEATURES;

export function isOn(feature: Feature | undefined): boolean {
  return feature === undefined || FEATURES[feature];
}
