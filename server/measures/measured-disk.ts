/** A disk whose syncs are timed. */
import type { Disk, DiskOperation, DiskResult } from "../../runtime/disk.ts";
import { meterNowMs, type Measuring } from "./meter.ts";

/** ZooKeeper's `fsync.warningthresholdms`. */
const SLOW_FSYNC_MS = 1_000;

export class MeasuredDisk implements Disk {
  readonly #disk: Disk;
  readonly #measuring: Measuring;

  constructor(disk: Disk, measuring: Measuring) {
    this.#disk = disk;
    this.#measuring = measuring;
  }

  perform(operation: DiskOperation): DiskResult {
    if (operation.kind === "write") {
      let bytes = 0;
      for (const buffer of operation.buffers) bytes += buffer.length;
      this.#measuring.add("diskWriteBytes", bytes);
    }
    if (operation.kind !== "sync") return this.#disk.perform(operation);
    const startedMs = meterNowMs();
    const result = this.#disk.perform(operation);
    const tookMs = meterNowMs() - startedMs;
    this.#measuring.add("fsync", tookMs);
    if (tookMs > SLOW_FSYNC_MS) this.#measuring.count("slowFsyncs", 1);
    return result;
  }

  close(): void {
    this.#disk.close();
  }
}
