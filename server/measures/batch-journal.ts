/** When the last batches of a lane were made and applied: what its slow requests are told of. It is written to by the batch. */
import type { Zxid } from "../../protocol/zxid.ts";

/** Batches that are remembered. A request is told of in the turn of the loop in which its batch's results come, mostly. */
const BATCHES_MAX = 512;
/** Steps of the tree that are remembered. Their batches' results come in the same turn of the loop. */
const STEPS_MAX = 64;

type JournalledBatch = {
  readonly firstZxid: Zxid;
  readonly lastZxid: Zxid;
  readonly madeMs: number;
  /** When the tree began to apply it, with what was committed together, and ended. */
  readonly applyingMs: number;
  readonly appliedMs: number;
};

type TreeStep = { readonly through: Zxid; readonly startedMs: number; readonly endedMs: number };

export class BatchJournal {
  /** The oldest first. */
  readonly #batches: JournalledBatch[] = [];
  readonly #steps: TreeStep[] = [];

  /** The tree has applied records up to this zxid. */
  applied(step: TreeStep): void {
    this.#steps.push(step);
    if (this.#steps.length > STEPS_MAX) this.#steps.shift();
  }

  /** The results of a batch have come. */
  finished(batch: Pick<JournalledBatch, "firstZxid" | "lastZxid" | "madeMs">, nowMs: number): void {
    const step = this.#steps.find(({ through }) => through >= batch.lastZxid);
    const { startedMs: applyingMs = nowMs, endedMs: appliedMs = nowMs } = step ?? {};
    this.#batches.push({ ...batch, applyingMs, appliedMs });
    if (this.#batches.length > BATCHES_MAX) this.#batches.shift();
  }

  /** Undefined: no batch that is remembered has the zxid. */
  find(zxid: Zxid): JournalledBatch | undefined {
    return this.#batches.findLast(
      ({ firstZxid, lastZxid }) => firstZxid <= zxid && zxid <= lastZxid,
    );
  }
}
