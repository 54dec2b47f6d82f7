/** Which Apache ZooKeeper the tests start: Debian's, or the one that `npm run conformance:versions` names. */
import { zooKeeperJars } from "../../bench/targets/zookeeper-jars.ts";

/** The variable of the environment that holds a `ZookeeperUnderTest` as JSON. */
export const UNDER_TEST = "ZOOID_TEST_ZOOKEEPER";

/** What not every version of Apache ZooKeeper has, of what a client sees. */
export type ZookeeperFeature = keyof typeof SINCE;

export type ZookeeperUnderTest = {
  /** As its server says it, such as "3.4.14". */
  readonly version: string;
  /** Where its classes and those it needs are. */
  readonly classPath: string;
};

/** In which version each came: `ZooDefs.OpCode` and the release notes say it. */
const SINCE = {
  containers: "3.5",
  ttls: "3.5",
  tls: "3.5",
  stayingWatches: "3.6",
  whoAmI: "3.7",
  eventZxids: "3.9",
} as const;

/** The class path of Debian's server and client. Fails with what to install when they are not there. */
export function zookeeperClassPath(): string {
  const jars = zooKeeperJars();
  if (jars === undefined) {
    throw new Error("Apache ZooKeeper is not installed: apt-get install zookeeper");
  }
  return jars.join(":");
}

/** Undefined: Debian's is. */
export function otherZookeeper(): ZookeeperUnderTest | undefined {
  const given = process.env[UNDER_TEST];
  return given === undefined ? undefined : (JSON.parse(given) as ZookeeperUnderTest);
}

/** Debian's has all of them that a test needs. */
export function hasFeature(feature: ZookeeperFeature): boolean {
  const version = otherZookeeper()?.version ?? "3.8";
  return isAtLeast(version, SINCE[feature]);
}

function isAtLeast(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split(".").map(Number);
  return major === leastMajor ? minor >= leastMinor : major > leastMajor;
}
