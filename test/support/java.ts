/** Java programs of the tests: compiled once for a test file, with the compiler that Debian's headless runtime contains. */
import { globSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { existsSync } from "node:fs";
import { Child } from "./child.ts";
import { JAVA_OPTIONS } from "./zookeeper-server.ts";
import { zookeeperClassPath } from "./zookeeper-under-test.ts";

/** What Curator's recipes need beside ZooKeeper's client. */
const CURATOR_JARS = [
  ...["curator-client", "curator-framework", "curator-recipes", "curator-x-discovery", "guava"],
  ...["jackson-annotations", "jackson-core", "jackson-databind"],
];

function classPath(): string {
  const jars = CURATOR_JARS.map((name) => `/usr/share/java/${name}.jar`).filter(existsSync);
  return [...jars, zookeeperClassPath()].join(":");
}

export type JavaPrograms = {
  /** A program that has begun. */
  readonly start: (main: string, args: readonly string[]) => Child;
  readonly remove: () => Promise<void>;
};

/** `sources`: a folder of Java sources. */
export async function compileJava(sources: string): Promise<JavaPrograms> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-java-"));
  const files = globSync("*.java", { cwd: sources }).map((name) => join(sources, name));
  const compiler = new Child({
    command: "java",
    args: [
      ...JAVA_OPTIONS,
      ...["-m", "jdk.compiler/com.sun.tools.javac.Main"],
      ...[
        "-Xlint:all,-path,-deprecation,-try",
        "-Werror",
        "-proc:none",
        "-cp",
        classPath(),
        "-d",
        folder,
        ...files,
      ],
    ],
  });
  await compiler.exited;
  if (compiler.process.exitCode !== 0) {
    await rm(folder, { recursive: true, force: true });
    throw new Error(`cannot compile ${sources}\n${compiler.output()}`);
  }
  return {
    start: (main, args) =>
      new Child({
        command: "java",
        args: [...JAVA_OPTIONS, "-cp", `${folder}:${classPath()}`, main, ...args],
        waitMsMax: 300_000,
      }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
