/**
 * `npm run conformance:go`, `npm run conformance:patroni`: programs of which one part is too large for `npm test`. Each does the same against Apache
 * ZooKeeper and against zooid, and must see the same.
 */
import { isDeepStrictEqual } from "node:util";
import { type PackageSet, prepareDebian } from "../../setup/debian.ts";
import type { Child } from "../../support/child.ts";
import { ZooidProcesses } from "../../support/zooid-processes.ts";
import { ZookeeperEnsemble } from "../../support/zookeeper-ensemble.ts";
import { compileGo } from "../go/program.ts";
import { startScript } from "./clients.ts";
import { runProgram, type Sections, zooidServers } from "./programs.ts";

const ZOOID_FLAGS = [
  ...["--peer-timeout-ms", "15000", "--max-client-connections", "0"],
  ...["--four-letter-words", "*"],
];

type Program = {
  /** The program, begun. */
  readonly start: (connectString: string) => Child;
  readonly remove: () => Promise<void>;
};

type Name = Extract<PackageSet, "go" | "patroni">;

const PROGRAMS: Readonly<Record<Name, () => Promise<Program>>> = {
  go: async () => {
    const { start, remove } = await compileGo();
    return { start: (connectString) => start([connectString]), remove };
  },
  patroni: () =>
    Promise.resolve({
      start: (connectString) => startScript("patroni_client.py", connectString),
      remove: () => Promise.resolve(),
    }),
};

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function runBoth(program: Program): Promise<readonly [theirs: Sections, ours: Sections]> {
  const zookeeper = await ZookeeperEnsemble.start();
  try {
    const nodes = await ZooidProcesses.start(ZOOID_FLAGS);
    try {
      const run = (servers: ReturnType<typeof zooidServers>): Promise<Sections> =>
        runProgram(program.start(servers.connectString), servers);
      return [await run(zookeeper), await run(zooidServers(nodes))];
    } finally {
      await nodes.stop();
    }
  } finally {
    await zookeeper.stop();
  }
}

async function main(name: Name): Promise<number> {
  const problem = prepareDebian(name);
  if (problem !== undefined) {
    say(problem);
    return 2;
  }
  const program = await PROGRAMS[name]();
  try {
    const [theirs, ours] = await runBoth(program);
    const names = [...new Set([...theirs.keys(), ...ours.keys()])];
    let failed = 0;
    for (const section of names) {
      const isSame = isDeepStrictEqual(ours.get(section), theirs.get(section));
      say(`${isSame ? "same" : "DIFFERS"}: ${section}, ${theirs.get(section)?.length} lines`);
      if (isSame) continue;
      failed += 1;
      say(`ZooKeeper:\n  ${theirs.get(section)?.join("\n  ")}`);
      say(`zooid:\n  ${ours.get(section)?.join("\n  ")}`);
    }
    say(`${names.length - failed} passed, ${failed} failed`);
    return failed > 0 || names.length === 0 ? 1 : 0;
  } finally {
    await program.remove();
  }
}

process.exitCode = await main(process.argv[2] === "patroni" ? "patroni" : "go");
