/** `npm run conformance:kazoo`: kazoo's own tests against Apache ZooKeeper and against zooid, and what fails with one of them alone. */
import { parseArgs } from "node:util";
import { prepareDebian } from "../../setup/debian.ts";
import { idsOf, reportOf } from "./report.ts";
import {
  intendedOf,
  LEFT_OUT,
  type Outcomes,
  runSuite,
  SERVERS,
  type ServerName,
} from "./suite.ts";

const HELP = `npm run conformance:kazoo -- [options]

Runs the tests that Debian's python3-kazoo brings along, each against three servers. A test that fails is run again, twice at most;
what passed only then is told at the end.

  --against A,B       which servers: ${SERVERS.join(", ")}; default: both
  --only EXPRESSION   as pytest's -k
  --help              this text

Exit code 1: a test fails with zooid and not with ZooKeeper, or, without ZooKeeper, at all. Those do not count that meet an intended difference;
they must fail.`;

const { values } = parseArgs({
  options: {
    against: { type: "string", default: SERVERS.join(",") },
    only: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<number> {
  if (values.help) {
    say(HELP);
    return 0;
  }
  const problem = prepareDebian("kazoo");
  if (problem !== undefined) {
    say(problem);
    return 2;
  }
  const names = SERVERS.filter((name) => values.against.split(",").includes(name));
  const found = new Map<ServerName, Outcomes>();
  for (const name of names) {
    say(`${name} …`);
    const only = values.only === undefined ? {} : { only: values.only };
    found.set(name, await runSuite(name, { deselect: LEFT_OUT[name], say, ...only }));
  }
  for (const line of reportOf(found)) say(line);
  for (const id of LEFT_OUT.zooid) say(`left out with zooid: ${id}`);
  const ours: Outcomes = found.get("zooid") ?? new Map();
  const theirs = idsOf(found.get("zookeeper") ?? new Map(), "failed");
  const apart = idsOf(ours, "failed").filter((id) => !theirs.includes(id));
  const intended = apart.filter((id) => intendedOf(id) !== undefined);
  const unexpected = apart.filter((id) => !intended.includes(id));
  const inVain = [...ours.keys()].filter(
    (id) => intendedOf(id) !== undefined && ours.get(id) !== "failed",
  );
  for (const id of intended) say(`fails with zooid, as intended: ${id}: ${intendedOf(id)}`);
  for (const id of unexpected) say(`fails with zooid alone: ${id}`);
  for (const id of inVain) say(`is meant to fail with zooid, and passed: ${id}`);
  return unexpected.length + inVain.length > 0 ? 1 : 0;
}

process.exitCode = await main();
