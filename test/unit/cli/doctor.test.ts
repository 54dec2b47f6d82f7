/** What `zooid doctor` says of machines and clocks that are good, and of those that are not. */
import test from "ava";
import {
  byLimits,
  lineOf,
  percentile,
  severityOf,
  type Status,
} from "../../../cli/doctor/finding.ts";
import { checkFolder } from "../../../cli/doctor/disk.ts";
import { checkClock, checkMachine, type Host } from "../../../cli/doctor/machine.ts";

const GIB = 2 ** 30;
const GOOD: Host = {
  ...{ nodeVersion: "24.21.0", memoryBytes: 8 * GIB, totalBytes: 8 * GIB },
  meminfo: "MemTotal:       8388608 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n",
  open: { kind: "processReport", openFiles: 20, openFilesMax: 65_536 },
};

function statusOf(host: Partial<Host>, check: string): Status | undefined {
  const findings = checkMachine({ ...GOOD, ...host }, undefined);
  return findings.find((each) => each.check === check)?.status;
}

test("nothing is said against a good machine", (t) => {
  const findings = checkMachine(GOOD, undefined);
  t.deepEqual(
    findings.map(({ check, status }) => `${check} ${status}`),
    [...["node ok", "memory ok", "swap ok", "openFiles ok"]],
  );
  t.deepEqual(
    findings.filter(({ advice }) => advice !== undefined),
    [],
  );
});

test("each thing that is not good enough is found, and something is advised", (t) => {
  t.is(statusOf({ nodeVersion: "20.1.0" }, "node"), "bad");
  t.is(statusOf({ memoryBytes: 0.5 * GIB }, "memory"), "warn");
  t.is(statusOf({ memoryBytes: 0.1 * GIB }, "memory"), "bad");
  const meminfo = "SwapTotal:       2097148 kB\nSwapFree:        1048576 kB\n";
  t.is(statusOf({ meminfo }, "swap"), "warn");
  t.is(statusOf({ meminfo: undefined }, "swap"), undefined);
  const open = { kind: "processReport", openFiles: 20, openFilesMax: 256 } as const;
  t.is(statusOf({ open }, "openFiles"), "warn");
  const bad = checkMachine(
    { ...GOOD, meminfo, open, memoryBytes: 1, nodeVersion: "1.0.0" },
    undefined,
  );
  for (const { check, advice } of bad) t.truthy(advice, check);
});

test("a control group's limit is named beside the memory of the machine", (t) => {
  const [, memory] = checkMachine({ ...GOOD, memoryBytes: 2 * GIB }, undefined);
  t.is(memory?.measured, "2.0 GiB, by its control group, of 8.0 GiB");
});

test("a clock that is set while it is looked at is found, and one that is not is ok", async (t) => {
  const after = (jumpMs: number): (() => number) => {
    const startedMs = performance.now();
    return () => {
      const nowMs = performance.now();
      return nowMs + (nowMs - startedMs > 500 ? jumpMs : 0);
    };
  };
  const statuses = await Promise.all(
    [0, 20, -3_600_000].map((jumpMs) => checkClock(after(jumpMs))),
  );
  t.deepEqual(
    statuses.map(({ status }) => status),
    ["ok", "warn", "bad"],
  );
});

test("a folder in memory is bad, and one that is not there yet is judged by where it will be", (t) => {
  const [kind, free, sync] = checkFolder("dataDir", "/dev/shm/zooid-doctor-test/data");
  t.deepEqual([kind?.check, kind?.status], ["dataDir.fileSystem", "bad"]);
  t.deepEqual([free?.check, sync?.check], ["dataDir.free", "dataDir.fsync"]);
  t.regex(sync?.measured ?? "", /^p50 [\d.]+ ms, p99 [\d.]+ ms of \d+$/);
});

test("a folder that cannot be written to is bad", (t) => {
  const findings = checkFolder("dataDir", "/proc/zooid");
  t.is(findings.at(-1)?.status, "bad");
  t.truthy(findings.at(-1)?.advice);
});

test("the worst finding is the exit code", (t) => {
  const of = (status: Status) => ({ check: "a", status, measured: "b", limit: "c" });
  t.is(severityOf([]), 0);
  t.is(severityOf([of("ok"), of("warn")]), 1);
  t.is(severityOf([of("bad"), of("warn")]), 2);
  t.deepEqual(lineOf({ ...of("warn"), advice: "d" }), ["warn  a: b (should be: c)", "      → d"]);
  t.deepEqual(
    [9, 10, 100].map((each) => byLimits(each, { warnAt: 10, badAt: 100 })),
    ["ok", "warn", "bad"],
  );
  t.is(percentile([5, 1, 4, 2, 3], 50), 3);
  t.is(percentile([1, 2], 99), 2);
});
