/** Where Debian's ZooKeeper is: what its server and its own client need on their class path. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const JAR_FOLDER = "/usr/share/java";
/** Debian's releases differ in which of them there are. */
const JARS = [
  "zookeeper",
  "zookeeper-jute",
  "netty-all",
  "netty-buffer",
  "netty-common",
  "netty-handler",
  "netty-transport",
  "netty-codec",
  "netty-resolver",
  "slf4j-api",
  "slf4j-nop",
  "metrics-core",
  "snappy-java",
  "commons-cli",
  "commons-io",
  "jackson-core",
  "jackson-databind",
  "jackson-annotations",
  "jline",
];

/** Returns the paths of the jars; undefined if ZooKeeper is not installed. */
export function zooKeeperJars(): readonly string[] | undefined {
  const jars = JARS.map((name) => join(JAR_FOLDER, `${name}.jar`)).filter(existsSync);
  return jars.some((jar) => jar.endsWith("/zookeeper.jar")) ? jars : undefined;
}
