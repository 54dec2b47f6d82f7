/**
 * `npm run migrate:clickhouse`: two ClickHouse servers with a replicated table go from Apache ZooKeeper to zooid and back, while both are inserted into.
 * It ends with 1 if an insert that was answered is not at both replicas, or twice, or a pause is not under a second.
 */
import { prepareDebian } from "../../setup/debian.ts";
import { until } from "../../support/until.ts";
import { ZooidEnsemble } from "../../support/zooid.ts";
import { startZookeeper } from "../../support/zookeeper-server.ts";
import { MigrateCommand } from "../command.ts";
import { Inserts } from "./inserts.ts";
import { type ClickHouse, startClickHouse } from "./server.ts";

const TABLE = "/clickhouse/tables/numbers";
/** Inserts at each replica before and after a switch. */
const INSERTS_MIN = 50;
const PAUSE_MS_MAX = 1_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function tableOf({ replica }: ClickHouse): string {
  return `CREATE TABLE numbers (day Date, n UInt64) ENGINE = ReplicatedMergeTree('${TABLE}', '${replica}', day, n, 8192)`;
}

function partsOf({ replica }: ClickHouse): string {
  return `SELECT name FROM system.zookeeper WHERE path = '${TABLE}/replicas/${replica}/parts'`;
}

/** How many parts a replica has that its ensemble does not know. */
async function strayParts(replica: ClickHouse): Promise<number> {
  const text = await replica.query(
    `SELECT count() FROM system.parts WHERE table = 'numbers' AND active AND name NOT IN (${partsOf(replica)})`,
  );
  return Number(text);
}

/** Each replica is inserted into for a while. */
async function insertMore(inserts: readonly Inserts[]): Promise<void> {
  for (const each of inserts) {
    const goal = each.answered.length + INSERTS_MIN;
    await until(() => each.answered.length >= goal, "a replica is inserted into");
  }
}

/** Switches while inserts go on, each of which checks the version of the table's columns. Returns what is wrong. */
async function migrated(
  migrate: MigrateCommand,
  inserts: readonly Inserts[],
): Promise<readonly string[]> {
  await insertMore(inserts);
  await migrate.equal();
  for (const each of inserts) each.restart();
  const pausedMs = await migrate.switch();
  await insertMore(inserts);
  const longest = inserts.map(({ longestMs }) => Math.round(longestMs)).join(" and ");
  say(`  a pause of ${pausedMs} ms; inserts waited ${longest} ms at the longest`);
  return pausedMs < PAUSE_MS_MAX ? [] : [`a pause of ${pausedMs} ms`];
}

/**
 * What is not at a replica exactly once. Parts count that its ensemble knows: of one that it could not register, because the connection was lost, a
 * replica keeps what it has written for five minutes, beside what came of the insert that was sent again (ReplicatedMergeTreeBlockOutputStream).
 */
async function lossesAt(replica: ClickHouse, answered: readonly number[]): Promise<string[]> {
  await replica.query("SYSTEM SYNC REPLICA numbers");
  const text = await replica.query(
    `SELECT n, count() FROM numbers WHERE _part IN (${partsOf(replica)}) GROUP BY n`,
  );
  const counts = new Map(
    text
      .trim()
      .split("\n")
      .map((line) => line.split("\t").map(Number) as [number, number]),
  );
  const wrong = answered.filter((number) => counts.get(number) !== 1);
  const others = [...counts.keys()].filter((number) => !answered.includes(number));
  const readOnly = await replica.query(
    "SELECT table FROM system.replicas WHERE is_readonly OR is_session_expired",
  );
  return [
    ...wrong.map((number) => `${number} is ${counts.get(number) ?? 0} times there`),
    ...others.map((number) => `${number} was not inserted`),
    ...(readOnly === "" ? [] : ["the table is read-only"]),
  ].map((loss) => `replica ${replica.replica}: ${loss}`);
}

async function main(): Promise<number> {
  const problem = prepareDebian("clickhouse");
  if (problem !== undefined) {
    say(problem);
    return 1;
  }
  await using ending = new AsyncDisposableStack();
  const zookeeper = await startZookeeper({ tickTimeMs: 2_000 });
  ending.defer(zookeeper.stop);
  const ensemble = await ZooidEnsemble.start();
  ending.defer(() => ensemble.stop());
  const apache = `zk://127.0.0.1:${zookeeper.port}`;
  const native = `@${ensemble.clientUrlFile}`;
  const there = await MigrateCommand.start([
    ...[apache, native, "--to-servers", ensemble.connectString],
  ]);
  ending.defer(() => there.stop());
  const replicas: ClickHouse[] = [];
  for (const name of ["1", "2"]) {
    const replica = await startClickHouse(name, there.address);
    ending.defer(replica.stop);
    replicas.push(replica);
    await replica.query(tableOf(replica));
  }
  // So that the versions of the table's columns are not those of a new table.
  for (const column of ["a", "b"])
    await replicas[0]?.query(`ALTER TABLE numbers ADD COLUMN ${column} UInt8 DEFAULT 7`);
  const inserts = replicas.map((replica) => new Inserts(replica));
  for (const each of inserts) {
    each.start();
    ending.defer(() => each.abandon());
  }
  say("to zooid ...");
  const losses = [...(await migrated(there, inserts))];
  if ((await there.end()) !== 0) losses.push("the migration to zooid has failed");
  say("to ZooKeeper ...");
  // At the same address, so that the servers find the relay of the way back where that of the way there was.
  const back = await MigrateCommand.start(
    [native, apache, "--delete", "--from-servers", ensemble.connectString],
    { listen: there.address },
  );
  ending.defer(() => back.stop());
  losses.push(...(await migrated(back, inserts)));
  for (const each of inserts) await each.end();
  const answered = inserts.flatMap((each) => each.answered);
  let stray = 0;
  for (const replica of replicas) {
    losses.push(...(await lossesAt(replica, answered)));
    stray += await strayParts(replica);
  }
  if ((await back.end()) !== 0) losses.push("the migration to ZooKeeper has failed");
  const repeated = inserts.reduce((sum, each) => sum + each.repeated, 0);
  say(
    `${answered.length} inserts answered, ${repeated} asked for again, ${stray} parts to be dropped; wrong: ${losses.length}`,
  );
  for (const loss of losses) say(`  ${loss}`);
  return losses.length === 0 ? 0 : 1;
}

process.exitCode = await main();
