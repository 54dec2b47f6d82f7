/** Disk effects in virtual time: each operation takes a while, may fail, and a crash may come before or after any of them. */
import { crc32 } from "node:zlib";
import type { Clock } from "../../runtime/clock.ts";
import type { DiskOperation, DiskOutcome, DiskPort, DiskResult } from "../../runtime/disk.ts";
import { DiskError } from "../../runtime/disks/error.ts";
import { diskErrorCode } from "../../runtime/disks/port.ts";
import { type DiskInTime, type DiskWork, performInTime } from "../../runtime/testing/disk-port.ts";
import type { MemoryDisk } from "../../runtime/testing/memory-disk.ts";
import type { NodeClock } from "../../runtime/testing/node-clock.ts";
import type { Random, Range } from "./random.ts";
import type { Trace } from "./trace.ts";

/**
 * Where an armed crash may happen: before any operation, before one on a file of a snapshot, or before one that shortens the log.
 */
export type CrashOver = "anything" | "snapshot" | "truncation";

/** The faults of one disk, which outlives the incarnations of its node. */
export type DiskFaults = {
  latencyMs: Range;
  /** A sync takes this much longer. */
  syncMs: number;
  /** The next operation of the kind fails with this code; a write or a sync of that moment is lost. */
  failNext: { readonly kind: DiskOperation["kind"]; readonly code: string } | undefined;
  /** True: overwriting fails on a full disk too, as on a file system that copies on write. */
  overwritesFail: boolean;
  /** The node crashes before the operation after so many. Undefined: it does not. */
  crashAfter: number | undefined;
  /** Which operations count. */
  crashOver: CrashOver;
};

export type DiskPortOptions = {
  readonly node: number;
  readonly disk: MemoryDisk;
  readonly faults: DiskFaults;
  readonly clock: NodeClock;
  /** The node's only thread waits for its disk, and stands still meanwhile, for so long by this clock. Undefined: the disk works beside it. */
  readonly waitsBy: Clock | undefined;
  readonly random: Random;
  readonly trace: Trace;
  readonly onFailure: (operation: DiskOperation, code: string) => void;
  /** The armed crash came. */
  readonly onCrash: (operation: DiskOperation) => void;
};

const DISK = 0x20_0000;
const KINDS: readonly DiskOperation["kind"][] = [
  "list",
  "read",
  "write",
  "sync",
  "syncFolder",
  "rename",
  "remove",
  "truncate",
];

export class FaultyDiskPort implements DiskPort {
  readonly #options: DiskPortOptions;
  #ended = false;

  constructor(options: DiskPortOptions) {
    this.#options = options;
  }

  /** The process is gone: what is under way stops between two operations. */
  end(): void {
    this.#ended = true;
  }

  perform(
    tag: number,
    operations: readonly DiskOperation[],
    done: (outcome: DiskOutcome) => void,
  ): void {
    const { clock, waitsBy } = this.#options;
    if (waitsBy === undefined) {
      this.#performBy(clock, { tag, operations, done });
      return;
    }
    // Behind the turn of the loop that asked for it, as `DiskBehindTurn` does.
    clock.soon(() => {
      if (this.#ended) return;
      clock.pause("disk");
      this.#performBy(waitsBy, {
        tag,
        operations,
        done: (outcome) => {
          clock.resume("disk");
          done(outcome);
        },
      });
    });
  }

  #performBy(clock: Clock, work: DiskWork): void {
    const disk: DiskInTime = {
      clock,
      durationMs: (operation) => this.#durationMs(operation),
      isGone: (operation) => this.#ended || this.#crashes(operation),
      perform: (operation) => this.#tried(operation),
    };
    performInTime(disk, work);
  }

  #tried(operation: DiskOperation): DiskResult {
    try {
      return this.#do(operation);
    } catch (error) {
      this.#options.onFailure(operation, diskErrorCode(error));
      throw error;
    }
  }

  #durationMs(operation: DiskOperation): number {
    const { faults, random } = this.#options;
    const tookMs = random.between(faults.latencyMs);
    const isSync = operation.kind === "sync" || operation.kind === "syncFolder";
    return isSync ? tookMs + faults.syncMs : tookMs;
  }

  #crashes(operation: DiskOperation): boolean {
    const { faults, onCrash } = this.#options;
    if (faults.crashAfter === undefined) return false;
    if (!COUNTS[faults.crashOver](operation)) return false;
    if (faults.crashAfter > 0) {
      faults.crashAfter -= 1;
      return false;
    }
    faults.crashAfter = undefined;
    onCrash(operation);
    return true;
  }

  #do(operation: DiskOperation): DiskResult {
    const { node, disk, faults, trace } = this.#options;
    const file = "file" in operation ? operation.file : "";
    const position = "position" in operation ? operation.position : 0;
    trace.step(DISK + node * KINDS.length + KINDS.indexOf(operation.kind), undefined);
    trace.step(
      crc32(file) ^ position,
      operation.kind === "write" ? operation.buffers[0] : undefined,
    );
    if (trace.verbose) trace.note(`node ${node}`, `disk ${operation.kind} ${file} ${position}`);
    const failing = faults.failNext;
    if (failing?.kind === operation.kind) {
      faults.failNext = undefined;
      throw new DiskError(failing.code, operation);
    }
    if (faults.overwritesFail && operation.kind === "write")
      throw new DiskError("ENOSPC", operation);
    return disk.perform(operation);
  }
}

const COUNTS: Readonly<Record<CrashOver, (operation: DiskOperation) => boolean>> = {
  anything: () => true,
  snapshot: (operation) => {
    const file = "file" in operation ? operation.file : "";
    return SNAPSHOT_FILES.some((start) => file.startsWith(start));
  },
  truncation: (operation) => {
    const isCut = operation.kind === "remove" || operation.kind === "truncate";
    return isCut && operation.file.startsWith("log.");
  },
};

/** Being cut, received, put in the place of the log, or whole. */
const SNAPSHOT_FILES = ["snapshot.", "parts.", "install."];
