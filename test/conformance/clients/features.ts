/**
 * What sections of the foreign programs need beyond what every server of theirs has. The sections of a feature that stands in
 * `HERE` run against zooid too, and must print what they print against ZooKeeper.
 */
export const FEATURES = ["containers", "ttl", "reads", "config", "acl"] as const;

export type Feature = (typeof FEATURES)[number];

export const HERE: readonly Feature[] = ["containers", "ttl", "reads", "config", "acl"];
