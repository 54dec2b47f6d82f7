/** A log whose end is gone, whatever took it: no crash leaves that, so it is never taken for a log that ended there. */
import test from "ava";
import type { LogReport } from "../../../actors/log/messages.ts";
import { encodeBarrier, STATE_MACHINE_VERSION } from "../../../protocol/barrier.ts";
import { encodeRecord } from "../../../protocol/record.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import {
  checksum,
  chunks,
  cutSnapshot,
  epoch,
  LogHarness,
  logWith,
  recordAfter,
  recovered,
  records,
  server2,
  untellEnd,
  zxid,
} from "./harness.ts";

type Files = Record<string, Uint8Array>;

const LAST_COUNTER = 79;
const SEGMENT = "log.0000000100000000";
const LAST = "log.0000000100000040";
const WRITE_BYTES = 128;

/** Three segments, the records 0 to 79. */
function folder(change: (files: Files) => void): MemoryDisk {
  const disk = new MemoryDisk();
  logWith(LAST_COUNTER, disk);
  const files = disk.snapshot();
  change(files);
  return new MemoryDisk({ files });
}

function bytesOf(files: Files, name: string): Uint8Array {
  const bytes = files[name];
  if (bytes === undefined) throw new Error(`no ${name}`);
  return bytes;
}

type Change = (files: Files) => void;

/** What a disk, or a person, may do to the last segment: of some only the file `log-end` tells that it was done. */
const LAST_SEGMENT_CHANGES: Readonly<Record<string, Change>> = {
  emptied: (files) => {
    files[LAST] = new Uint8Array(0);
  },
  zeroed: (files) => {
    bytesOf(files, LAST).fill(0);
  },
  "cut to 10 bytes": (files) => {
    files[LAST] = bytesOf(files, LAST).slice(0, 10);
  },
  "cut within its first record": (files) => {
    files[LAST] = bytesOf(files, LAST).slice(0, 60);
  },
  "cut between two records": (files) => {
    files[LAST] = bytesOf(files, LAST).slice(0, 5 * WRITE_BYTES);
  },
  "zeroed from its third record on": (files) => {
    bytesOf(files, LAST).fill(0, 2 * WRITE_BYTES);
  },
  "zeroed but for its first byte": (files) => {
    bytesOf(files, LAST).fill(0, 1);
  },
  "damaged in its first write header": (files) => {
    bytesOf(files, LAST).fill(0x33, 0, 8);
  },
  "filled with another's bytes": (files) => {
    bytesOf(files, LAST).fill(0x33);
  },
  missing: (files) => {
    delete files[LAST];
  },
};

for (const [name, change] of Object.entries(LAST_SEGMENT_CHANGES)) {
  test(`a last segment ${name}: a node alone does not start and says what is missing, and changes nothing`, (t) => {
    const disk = folder(change);
    const before = disk.snapshot();
    const log = new LogHarness(disk);
    t.deepEqual(log.run(), []);
    t.regex(log.stopReason ?? "", /zxid 0x1000000(3f|40|41|44)/);
    t.regex(log.stopReason ?? "", /Put back/);
    t.deepEqual(disk.snapshot(), before);
  });

  test(`a last segment ${name}: a member has no vote, and keeps none over another start`, (t) => {
    const disk = folder(change);
    const report = recovered(new LogHarness(disk, { repairable: true }));
    t.deepEqual(report.voteLoss, { reason: "log", epoch: epoch(1) });
    t.true((report.lastZxids.at(-1) ?? 0) < zxid(1, LAST_COUNTER));
    const again = recovered(new LogHarness(disk, { repairable: true }));
    t.deepEqual(again.voteLoss, report.voteLoss);
    t.deepEqual(again.lastZxids, report.lastZxids);
  });
}

test("a log that is gone as a whole is no new one", (t) => {
  const disk = folder((files) => {
    for (const name of Object.keys(files)) if (name.startsWith("log.")) delete files[name];
  });
  const alone = new LogHarness(disk);
  t.deepEqual(alone.run(), []);
  t.regex(alone.stopReason ?? "", /ends at zxid 0x0, .* up to zxid 0x10000004f was durable/);
  const member = recovered(new LogHarness(disk, { repairable: true }));
  t.deepEqual(member.voteLoss, { reason: "log", epoch: epoch(1) });
});

test("a log of one segment that was emptied is refused, at any length that holds no record", (t) => {
  for (let length = 0; length < WRITE_BYTES; length += 1) {
    const disk = new MemoryDisk();
    logWith(50 % 20, disk);
    const files = disk.snapshot();
    files[SEGMENT] = bytesOf(files, SEGMENT).slice(0, length);
    const log = new LogHarness(new MemoryDisk({ files }));
    t.deepEqual(log.run(), []);
    t.regex(log.stopReason ?? "", /log\.0000000100000000 .*no record.* no crash/);
  }
});

test("the end of the log that is said to have been durable is lowered before a truncation, at whatever step it is cut off", (t) => {
  for (let steps = 0; steps < 40; steps += 1) {
    for (const kept of [0, 0.3, 0.6, 0.99]) {
      const disk = new MemoryDisk();
      const log = logWith(LAST_COUNTER, disk);
      log.ask({ kind: "promise", promise: { epoch: epoch(2), candidate: server2 } });
      log.tell({ kind: "truncate", after: zxid(1, 20) });
      log.tell({
        kind: "append",
        records: [recordAfter(zxid(1, 20), { epoch: 2, counter: 0 })],
      });
      for (let step = 0; step < steps; step += 1) log.step();
      disk.crash(() => kept);
      const next = new LogHarness(disk);
      next.run();
      t.is(next.stopReason, undefined, `after ${steps} steps`);
    }
  }
});

test("a record is reported only when a missing segment of its own would be noticed, whatever the power takes", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(31, disk);
  log.tell({ kind: "append", records: records(1, 32, 32) });
  const isReported = (): boolean => {
    return log.reports.some((one: LogReport) => {
      return one.kind === "appended" && one.lastZxid === zxid(1, 32);
    });
  };
  while (!isReported()) t.true(log.step());
  disk.crash(() => 0.9);
  const files = disk.snapshot();
  t.true("log.0000000100000020" in files);
  delete files["log.0000000100000020"];
  const next = new LogHarness(new MemoryDisk({ files }));
  t.deepEqual(next.run(), []);
  t.regex(next.stopReason ?? "", /up to zxid 0x100000020 was durable/);
});

test("whoever waits for an append does not wait for its end to be told and sealed", (t) => {
  const log = logWith(9);
  log.tell({ kind: "append", records: records(1, 10, 10) });
  const before = log.reports.length;
  while (log.reports.length === before) log.step();
  t.like(log.reports.at(-1), { kind: "appended" });
  const done = log.performed.length;
  while (!log.isQuiet) log.step();
  t.is(log.performed.length, done, "all turns that the append set off are over");
  log.run();
  t.deepEqual(
    log.performed.slice(done).map((operation) => "file" in operation && operation.file),
    ["log-end", "log.0000000100000000"],
  );
});

test("a log-end that is missing, emptied or damaged in both places is damage; in one place it is none", (t) => {
  const changes: Readonly<Record<string, Change>> = {
    missing: (files) => delete files["log-end"],
    emptied: (files) => {
      files["log-end"] = new Uint8Array(0);
    },
    zeroed: (files) => {
      bytesOf(files, "log-end").fill(0);
    },
    "cut short": (files) => {
      files["log-end"] = bytesOf(files, "log-end").slice(0, 100);
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    const alone = new LogHarness(folder(change));
    t.deepEqual(alone.run(), [], name);
    t.regex(alone.stopReason ?? "", /log-end/, name);
    const member = recovered(new LogHarness(folder(change), { repairable: true }));
    t.is(member.voteLoss?.reason, "log", name);
    t.is(member.lastZxids.length, LAST_COUNTER + 1, name);
  }
  for (const place of [0, 4096]) {
    const disk = folder((files) => {
      bytesOf(files, "log-end").fill(0x55, place, place + 24);
    });
    t.is(recovered(new LogHarness(disk)).lastZxids.length, LAST_COUNTER + 1);
  }
});

test("a promise that is missing is damage even where the log has no record yet", (t) => {
  const disk = new MemoryDisk();
  const log = new LogHarness(disk);
  log.run();
  log.ask({ kind: "promise", promise: { epoch: epoch(1), candidate: server2 } });
  const files = disk.snapshot();
  delete files["promise"];
  const alone = new LogHarness(new MemoryDisk({ files }));
  t.deepEqual(alone.run(), []);
  t.regex(alone.stopReason ?? "", /promise file .* is missing/);
  const member = new LogHarness(new MemoryDisk({ files }), { repairable: true });
  t.is(recovered(member).voteLoss?.reason, "promise");
});

test("a received snapshot takes the place of the log only when it is whole and newer than the log", (t) => {
  const pieces = chunks(zxid(1, 100), 3);
  const whole = Uint8Array.from(Buffer.concat(pieces));
  const name = "install.0000000100000064";
  const install = (bytes: Uint8Array, change: Change = () => {}): LogHarness => {
    const disk = folder((files) => {
      files[name] = bytes;
      change(files);
    });
    return new LogHarness(disk, { repairable: true });
  };
  t.deepEqual(recovered(install(whole)).baseZxid, zxid(1, 100));
  const bad = [
    new Uint8Array(0),
    whole.slice(0, -1),
    whole.map((byte, at) => (at === 90 ? byte ^ 1 : byte)),
  ];
  for (const bytes of bad) {
    const report = recovered(install(bytes));
    t.is(report.voteLoss?.reason, "log");
    t.is(report.lastZxids.length, LAST_COUNTER + 1, "the log is still there");
  }
  const later = recovered(install(whole, (files) => untellEnd(files, zxid(1, 101))));
  t.is(later.voteLoss?.reason, "log");
  t.is(later.lastZxids.length, LAST_COUNTER + 1);
});

test("a folder that stopped before its log-end was written is begun again", (t) => {
  for (let steps = 0; steps < 60; steps += 1) {
    for (const kept of [0, 0.99]) {
      const disk = new MemoryDisk();
      const log = new LogHarness(disk);
      for (let step = 0; step < steps; step += 1) log.step();
      disk.crash(() => kept);
      t.deepEqual(recovered(new LogHarness(disk)).lastZxids, []);
    }
  }
});

test("a log that is purged, cut into snapshots and started again keeps its end", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(200, disk);
  for (const counter of [100, 150]) cutSnapshot(log, zxid(1, counter));
  for (const kept of [0.99, 0]) {
    disk.crash(() => kept);
    t.is(recovered(new LogHarness(disk)).lastZxids.at(-1), zxid(1, 200));
  }
});

test("a log whose epoch is of a later state machine is refused, also by a member, and nothing is changed", (t) => {
  for (const repairable of [false, true]) {
    const disk = new MemoryDisk();
    const log = logWith(3, disk);
    log.ask({ kind: "promise", promise: { epoch: epoch(2), candidate: server2 } });
    const at = zxid(2, 0);
    const header = { kind: "barrier", firstZxid: at, lastZxid: at, prevZxid: zxid(1, 3) } as const;
    const rest = { timeMs: 1000, submitter: undefined, seq: 0 };
    const payload = encodeBarrier(undefined, STATE_MACHINE_VERSION + 1);
    log.ask({ kind: "append", records: [encodeRecord({ ...header, ...rest }, payload, checksum)] });
    const before = disk.snapshot();
    const next = new LogHarness(disk, { repairable });
    t.deepEqual(next.run(), []);
    t.regex(
      next.stopReason ?? "",
      /of a version that this zooid does not know: start the node with/,
    );
    t.deepEqual(disk.snapshot(), before);
  }
});
