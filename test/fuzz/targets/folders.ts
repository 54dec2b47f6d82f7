/** Data folders as a disk, a crash or a person may leave them: started, written to, started again, and looked at. */
import { lookAtFolder } from "../../../cli/inspect/look.ts";
import type { DiskOutcome, DiskResult } from "../../../runtime/disk.ts";
import { DiskError } from "../../../runtime/disks/error.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { LogStop, type Procedure } from "../../../actors/log/format/procedure.ts";
import { verifyRecord } from "../../../protocol/record.ts";
import { type Epoch, EPOCH_MAX, epochOf, type Zxid, zxidOf } from "../../../protocol/zxid.ts";
import type { Random } from "../../sim/random.ts";
import {
  checksum,
  cutSnapshot,
  epoch,
  lastZxidOf,
  LogHarness,
  logWith,
  recordAfter,
  server1,
  zxid,
} from "../../unit/log/harness.ts";
import { mutate } from "../mutate.ts";
import { hex, must, refusal, type Target } from "../target.ts";
import { bytesOfFiles, filesOf, filesOnDisk, resealed } from "./folder-bytes.ts";

/** A refusal has to say something to a person. */
const WORDS_MIN = 30;

function folder(input: Uint8Array): string {
  const files = Object.fromEntries(filesOf(input));
  const looked = look(files);
  const disk = new MemoryDisk({ files });
  const log = new LogHarness(disk, { repairable: input.length % 2 === 0 });
  log.run();
  if (log.stopReason !== undefined) return `refused: ${wordsOf(log.stopReason)} ${looked}`;
  const [first] = log.reports;
  must(first?.kind === "recovered", "a log that does not stop has recovered");
  const records = log.readAll(first.baseZxid);
  if (log.stopReason !== undefined) return `refused: ${wordsOf(log.stopReason)} ${looked}`;
  for (const record of records) {
    must(!("fault" in verifyRecord(record, 0, checksum)), "a record that is read verifies");
  }
  const last = lastOf(first.baseZxid, records);
  const next = (Math.max(first.promise.epoch, epochOf(last)) + 1) as Epoch;
  if (first.voteLoss === undefined && next < EPOCH_MAX) {
    writeOn(log, disk, { last, next, repairable: input.length % 2 === 0 });
  }
  return `recovered ${first.voteLoss?.reason} ${Math.min(records.length, 3)} ${first.snapshot !== undefined} ${looked}`;
}

/** What is written now is there after the next start. */
function writeOn(
  log: LogHarness,
  disk: MemoryDisk,
  { last, next, repairable }: { last: Zxid; next: Epoch; repairable: boolean },
): void {
  log.ask({ kind: "promise", promise: { epoch: next, candidate: server1 } });
  const record = recordAfter(last, { epoch: next, counter: 0 });
  log.ask({ kind: "append", records: [record] });
  if (log.stopReason !== undefined) {
    wordsOf(log.stopReason);
    return;
  }
  const again = new LogHarness(disk, { repairable });
  again.run();
  must(
    again.stopReason === undefined,
    `a log that was written to starts again: ${again.stopReason}`,
  );
  const [first] = again.reports;
  must(first?.kind === "recovered", "a log that was written to recovers");
  const end = first.lastZxids.at(-1);
  must(end === zxidOf(next, 0), "what was written is there after the next start");
}

function lastOf(base: Zxid, records: readonly Uint8Array[]): Zxid {
  const last = records.at(-1);
  return last === undefined ? base : lastZxidOf(last);
}

/** What `zooid inspect` says. */
function look(files: Readonly<Record<string, Uint8Array>>): string {
  let said = "";
  const disk = new MemoryDisk({ files });
  const refused = refusal(() => {
    const found = drive(lookAtFolder(checksum), disk);
    said = `problems ${Math.min(found.problems.length, 3)}`;
  }, LogStop);
  return refused === undefined ? said : `not looked at: ${wordsOf(refused)}`;
}

function drive<Result>(procedure: Procedure<Result>, disk: MemoryDisk): Result {
  let step = procedure.next();
  while (step.done !== true) {
    const results: DiskResult[] = [];
    let outcome: DiskOutcome | undefined;
    for (const operation of step.value) {
      try {
        results.push(disk.perform(operation));
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        const failedAt = results.length;
        const { code } = error;
        outcome = {
          kind: "diskFailed",
          tag: 0,
          failedAt,
          operation: operation.kind,
          file: undefined,
          code,
        };
        break;
      }
    }
    step = procedure.next(outcome ?? { kind: "diskDone", tag: 0, results });
  }
  return step.value;
}

function wordsOf(reason: string): string {
  must(reason.length >= WORDS_MIN, `a refusal says what is wrong: ${reason}`);
  return reason.replaceAll(/[0-9a-f]{4,}|\d+/g, "N").slice(0, 60);
}

function seeds(): Uint8Array[] {
  const disks = [2, 12, 40].map((to) => {
    const disk = new MemoryDisk();
    logWith(to, disk, to === 40 ? 300 : 40);
    return disk;
  });
  const snapshotted = new MemoryDisk();
  cutSnapshot(logWith(9, snapshotted), zxid(1, 5), 2);
  const promised = new MemoryDisk();
  const log = logWith(3, promised);
  log.ask({ kind: "promise", promise: { epoch: epoch(2), candidate: server1 } });
  return [...disks, snapshotted, promised].map((disk) => bytesOfFiles(filesOnDisk(disk)));
}

/** A change within one file, often with its checksums right again; or a file more, less, or of another name. */
function vary(bytes: Uint8Array, random: Random): Uint8Array {
  const files = filesOf(bytes);
  const names = [...files.keys()];
  if (names.length === 0) return bytes;
  const name = random.pick(names);
  const content = files.get(name) ?? new Uint8Array(0);
  const choice = random.below(10);
  if (choice === 0) files.delete(name);
  else if (choice === 1) files.set(name, new Uint8Array(random.below(content.length + 1)));
  else if (choice === 2) files.set(name, content.slice(0, random.below(content.length + 1)));
  else if (choice === 3) files.set(random.pick(names), content);
  else {
    const other = files.get(random.pick(names)) ?? content;
    const options = { tokens: [], other, bytesMax: 64 * 1024 };
    const changed = mutate(content, random, options);
    files.set(name, random.chance(0.6) ? resealed(changed) : changed);
  }
  return bytesOfFiles(files);
}

export const FOLDERS: readonly Target[] = [
  {
    name: "folders",
    bytesMax: 256 * 1024,
    tokens: ["ff7a6f64", "5a534e50", "0000000000000000", "0000000100000005"].map(hex),
    cpuMsMin: 100,
    turns: 2,
    vary,
    seeds,
    run: folder,
  },
];
