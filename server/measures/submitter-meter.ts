/** Measures a lane's batches: how they come about, how large they are, and how long their results take. */
import type { SubmitMessage } from "../../actors/log-sync/messages.ts";
import type { SubmitterMessage } from "../../actors/submitter/messages.ts";
import type { MeasuredStep, StepMeter } from "../../runtime/meter.ts";
import { type Zxid, zxidAfter } from "../../protocol/zxid.ts";
import type { BatchJournal } from "./batch-journal.ts";
import type { Measuring } from "./meter.ts";

/** Batches without results of which the time is known. A submitter has far fewer. */
const BATCHES_MAX = 4096;

export class SubmitterMeter implements StepMeter {
  readonly kinds: ReadonlySet<string> = new Set<SubmitterMessage["kind"]>(["endOfTurn", "applied"]);
  readonly #measuring: Measuring;
  readonly #turnStartedMs: () => number;
  readonly #journal: BatchJournal;
  /** When each batch was made, by its number. One that is sent again is the same batch. */
  readonly #made = new Map<number, number>();

  constructor(measuring: Measuring, turnStartedMs: () => number, journal: BatchJournal) {
    this.#measuring = measuring;
    this.#turnStartedMs = turnStartedMs;
    this.#journal = journal;
  }

  step({ message, effects, startedMs, endedMs }: MeasuredStep): void {
    const given = message as SubmitterMessage;
    if (given.kind === "applied") {
      const madeMs = this.#made.get(given.seq);
      if (madeMs === undefined) return;
      this.#made.delete(given.seq);
      this.#measuring.add("stage.whole", endedMs - madeMs);
      const { firstZxid, results } = given;
      const lastZxid: Zxid = zxidAfter(firstZxid, Math.max(results.length - 1, 0));
      this.#journal.finished({ firstZxid, lastZxid, madeMs }, startedMs);
      return;
    }
    for (const effect of effects) {
      if (effect.kind !== "tell" || effect.to !== "log-sync") continue;
      const { kind, seq, count } = effect.message as SubmitMessage;
      if (kind !== "submit" || this.#made.has(seq)) continue;
      this.#measuring.add("stage.gateway", startedMs - this.#turnStartedMs());
      this.#measuring.add("batchOperations", count);
      if (this.#made.size === BATCHES_MAX) this.#made.clear();
      this.#made.set(seq, startedMs);
    }
  }
}
