import test from "ava";
import { UsageError } from "../../../bench/failure.ts";
import { helpText } from "../../../bench/help.ts";
import { type BenchOptions, OPTION_NAMES, parseOptions } from "../../../bench/options.ts";
import { LOAD_CASES, type LoadProfileName } from "../../../bench/profiles/cases.ts";
import { DEFAULT_PROFILES, PROFILES } from "../../../bench/profiles/catalogue.ts";

const KNOWN = Object.keys(PROFILES);

function parse(...args: readonly string[]): BenchOptions {
  return parseOptions(args, KNOWN);
}

test("profiles are positional, several at once, and options stand anywhere among them", (t) => {
  const options = parse("lone", "--seconds", "3", "write", "--value-bytes=5");
  t.deepEqual(options.profiles, ["lone", "write"]);
  t.like(options, { seconds: 3, valueBytes: 5, zooid: true, rounds: 1 });
});

test("what is compared is run three times unless told otherwise, a quick run twice, and a page is looked at ten times", (t) => {
  t.is(parse("--peers", "zookeeper").rounds, 3);
  t.is(parse("--against", "main").rounds, 3);
  t.is(parse("--peers", "zookeeper", "--quick").rounds, 2);
  t.is(parse("--peers", "zookeeper", "--rounds", "1").rounds, 1);
  t.is(parse("dashboard").rounds, 10);
  t.is(parse("dashboard", "--quick").rounds, 3);
});

test("a quick run beside ZooKeeper has time to spare within three minutes", (t) => {
  const options = parse("--quick", "--peers=zookeeper");
  const cases = DEFAULT_PROFILES.flatMap((name) => LOAD_CASES[name as LoadProfileName](options));
  const runs = 2 * options.rounds * cases.length;
  const total = runs * (options.seconds + options.warmupSeconds) + 2 * options.firstWarmupSeconds;
  t.true(total <= 140, `${total} s`);
});

test("peers, lists and addresses are read, also of IPv6", (t) => {
  const options = parse("--peers", "zookeeper,etcd", "--rates=5,10", "--works=set,mixed 90/10");
  t.deepEqual(options.peers, ["zookeeper", "etcd"]);
  t.deepEqual(options.rates, [5, 10]);
  t.deepEqual(options.works, ["set", "mixed 90/10"]);
  t.deepEqual(parse("--target", "a.example:2181,[::1]:2182").addresses, [
    { host: "a.example", port: 2181 },
    { host: "::1", port: 2182 },
  ]);
});

test("the trial of an operator has blocks for an interval even if it is quick, and a seed in any case", (t) => {
  t.like(parse("operator"), { blocks: 40, nodes: [1, 3] });
  t.like(parse("operator", "--quick"), { blocks: 6, nodes: [1] });
  t.like(parse("operator", "--blocks=9", "--nodes=5", "--seed=7"), {
    ...{ blocks: 9, nodes: [5], seed: 7 },
  });
  t.deepEqual(parse("operator", "--disturbances=top,control").disturbances, ["top", "control"]);
  t.true(Number.isInteger(parse("operator").seed));
  t.throws(() => parse("--blocks=0", "--nodes=9", "--seed=-1", "--disturbances=rain"), {
    message: /rain.*\n--blocks 0: .*\n--nodes 9: .*\n--seed -1: /,
  });
});

test("--no-zooid leaves the peers, and nothing if there are none", (t) => {
  t.false(parse("--no-zooid", "--peers", "etcd").zooid);
  t.throws(() => parse("--no-zooid"), { instanceOf: UsageError, message: /nothing to drive/ });
});

test("all problems of a command line are told at once", (t) => {
  const error = t.throws(
    () =>
      parse(
        ...["dance", "--connections=0", "--outstanding=many", "--peers=zookeeper,consul"],
        ...["--target=nowhere,host:99999", "--fast", "--quick=yes", "--batch-sizes", "0,2000"],
        ...["--works=set,dance", "--json"],
      ),
    { instanceOf: UsageError },
  );
  t.deepEqual(
    error.message.split("\n").map((line) => line.replace(/;.*| must be one of .*/, "")),
    [
      "--fast: no such option",
      "--quick: takes no value",
      "--json: needs a value",
      "dance: no such profile",
      "--peers consul:",
      "--target nowhere: must be host:port",
      "--target host:99999: must be host:port",
      "--works dance:",
      "--connections 0: must be an integer from 1 to 10000",
      "--outstanding many: must be an integer from 1 to 4096",
      "--batch-sizes 0: must be an integer from 1 to 1024",
      "--batch-sizes 2000: must be an integer from 1 to 1024",
    ],
  );
});

test("options that contradict each other are refused", (t) => {
  t.throws(() => parse("--target=a:1", "--against=main"), { message: /--against starts zooid/ });
  t.throws(() => parse("--no-zooid", "--peers=etcd", "--against=main"), {
    message: /--against compares zooid/,
  });
});

test("the help names every profile and every option", (t) => {
  const help = helpText(PROFILES);
  for (const name of KNOWN) t.regex(help, new RegExp(`^  ${name} `, "m"));
  for (const name of DEFAULT_PROFILES) t.true(KNOWN.includes(name));
  const named = [...help.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name = ""]) => name);
  t.deepEqual([...new Set(named)].toSorted(), OPTION_NAMES.toSorted());
});
