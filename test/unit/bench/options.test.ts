import test from "ava";
import { UsageError } from "../../../bench/failure.ts";
import { parseFailoverOptions } from "../../../bench/failover/failover.ts";
import { parseLoadOptions } from "../../../bench/options.ts";
import { parseTreeApplyOptions } from "../../../bench/tree-apply.ts";

test("without arguments the load is 30 connections of 64 outstanding with 128-byte values", (t) => {
  const options = parseLoadOptions([]);
  t.like(options, { connections: 30, outstanding: 64, valueBytes: 128, seconds: 10, rounds: 1 });
  t.deepEqual(options.workloads, ["setData", "create", "getData"]);
  t.deepEqual(options.targets, []);
  t.true(options.zooid);
  t.false(options.zookeeper);
});

test("beside ZooKeeper there are three rounds unless told otherwise", (t) => {
  t.is(parseLoadOptions(["--zookeeper"]).rounds, 3);
  t.is(parseLoadOptions(["--zookeeper", "--rounds", "1"]).rounds, 1);
});

test("targets are hosts and ports, also of IPv6", (t) => {
  t.deepEqual(parseLoadOptions(["--target", "a.example:2181,[::1]:2182"]).targets, [
    { host: "a.example", port: 2181 },
    { host: "::1", port: 2182 },
  ]);
});

test("all problems of a command line are told at once", (t) => {
  const error = t.throws(
    () =>
      parseLoadOptions([
        "--connections=0",
        "--outstanding=many",
        "--workloads=setData,dance",
        "--target=nowhere,host:99999",
      ]),
    { instanceOf: UsageError },
  );
  t.deepEqual(error.message.split("\n"), [
    "--connections 0: must be an integer from 1 to 10000",
    "--outstanding many: must be an integer from 1 to 4096",
    "--workloads setData,dance: each must be one of setData, create, getData",
    "--target nowhere: must be host:port",
    "--target host:99999: must be host:port",
  ]);
});

test("an unknown option and nothing to drive are usage errors", (t) => {
  t.throws(() => parseLoadOptions(["--fast"]), { instanceOf: UsageError, message: /--fast/ });
  t.throws(() => parseLoadOptions(["--no-zooid"]), { instanceOf: UsageError });
  t.throws(() => parseLoadOptions(["--connections", "2", "--load-processes", "3"]), {
    instanceOf: UsageError,
  });
});

test("tree-apply takes batch sizes from 1 to 1024", (t) => {
  t.deepEqual(parseTreeApplyOptions(["--batch-sizes", "1,1024"]).batchSizes, [1, 1024]);
  t.throws(() => parseTreeApplyOptions(["--batch-sizes", "0,2000"]), {
    instanceOf: UsageError,
    message:
      "--batch-sizes 0: must be an integer from 1 to 1024\n" +
      "--batch-sizes 2000: must be an integer from 1 to 1024",
  });
});

test("failover kills ten leaders of zooid unless told otherwise", (t) => {
  t.like(parseFailoverOptions([]), { rounds: 10, zooid: true, zookeeper: false });
  const other = parseFailoverOptions(["--rounds", "3", "--no-zooid", "--zookeeper"]);
  t.like(other, { rounds: 3, zooid: false, zookeeper: true });
  t.throws(() => parseFailoverOptions(["--no-zooid", "--rounds", "0"]), {
    instanceOf: UsageError,
    message: /--rounds 0: .*\n--no-zooid leaves nothing to kill/,
  });
});
