/** `npm run conformance:go`: a Go program does the same against Apache ZooKeeper and against zooid, and must see the same. */
import { isDeepStrictEqual } from "node:util";
import { prepareDebian } from "../../setup/debian.ts";
import { ZooidProcesses } from "../../support/zooid-processes.ts";
import { ZookeeperEnsemble } from "../../support/zookeeper-ensemble.ts";
import { runProgram, type Sections, zooidServers } from "../clients/programs.ts";
import { compileGo, type GoProgram } from "./program.ts";

const ZOOID_FLAGS = [
  ...["--peer-timeout-ms", "15000", "--max-client-connections", "0"],
  ...["--four-letter-words", "*"],
];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function runBoth(program: GoProgram): Promise<readonly [theirs: Sections, ours: Sections]> {
  const zookeeper = await ZookeeperEnsemble.start();
  try {
    const nodes = await ZooidProcesses.start(ZOOID_FLAGS);
    try {
      const run = (servers: ReturnType<typeof zooidServers>): Promise<Sections> =>
        runProgram(program.start([servers.connectString]), servers);
      return [await run(zookeeper), await run(zooidServers(nodes))];
    } finally {
      await nodes.stop();
    }
  } finally {
    await zookeeper.stop();
  }
}

async function main(): Promise<number> {
  const problem = prepareDebian("go");
  if (problem !== undefined) {
    say(problem);
    return 2;
  }
  const program = await compileGo();
  try {
    const [theirs, ours] = await runBoth(program);
    const names = [...new Set([...theirs.keys(), ...ours.keys()])];
    let failed = 0;
    for (const name of names) {
      const isSame = isDeepStrictEqual(ours.get(name), theirs.get(name));
      say(`${isSame ? "same" : "DIFFERS"}: ${name}, ${theirs.get(name)?.length} lines`);
      if (isSame) continue;
      failed += 1;
      say(`ZooKeeper:\n  ${theirs.get(name)?.join("\n  ")}`);
      say(`zooid:\n  ${ours.get(name)?.join("\n  ")}`);
    }
    say(`${names.length - failed} passed, ${failed} failed`);
    return failed > 0 || names.length === 0 ? 1 : 0;
  } finally {
    await program.remove();
  }
}

process.exitCode = await main();
