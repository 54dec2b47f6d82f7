/** What the checkers found. Every rule has a name; the first few of each are kept in full, the rest are counted. */

export type Rule =
  /** An acknowledged write is not there, or is not what was acknowledged. */
  | "lost-write"
  /** One write took effect more than once. */
  | "written-twice"
  /** Something is there that nobody wrote. */
  | "invented"
  /** A write took effect that was answered with an error which says that it did not. */
  | "refused-write"
  /** What a client was told is not what the history holds, as the change stream tells it. */
  | "history"
  /** A sequential name was given to two nodes. */
  | "name-twice"
  /** Writes of one client took effect in another order than it sent them. */
  | "fifo"
  /** One version of a node was seen with two values. */
  | "two-values"
  /** A write took effect before something that had been seen before it was sent. */
  | "write-order"
  /** A session saw an older state than it had seen before. */
  | "read-back"
  /** A read after a sync missed a write that was complete when the sync was sent. */
  | "sync-read"
  /** An ephemeral node outlived its session, or did not live as long. */
  | "ephemeral"
  /** A session was expired while its client had every reason to count on it. */
  | "expired-early"
  /** A change was seen before the event of the watch on it. */
  | "watch-missed"
  /** A watch fired without a change. */
  | "watch-invented"
  /** The change stream left out, repeated or reordered a change. */
  | "stream"
  /** Only some operations of a multi took effect, or not all at one zxid. */
  | "multi-torn"
  /** A client lost its connection though only other nodes were killed. */
  | "connection-loss"
  /** An answer that the operation cannot have. */
  | "unexpected-answer"
  /** A server process ended by itself. */
  | "process-died"
  /** A start or a process that had to be refused was not refused in time, or not with the event for it, or it changed something. */
  | "wrong-start"
  /** A process that has no place in the ensemble led, followed, voted, or served a write. */
  | "intruder"
  /** Two processes were started on one folder, and both of them continued, or neither. */
  | "one-folder-twice"
  /** After everything had healed, the ensemble did not come together in time. */
  | "convergence"
  /** The nodes hold different trees. */
  | "trees-differ";

export type Violation = { readonly rule: Rule; readonly text: string };

const KEPT_PER_RULE = 10;

export class Violations {
  readonly kept: Violation[] = [];
  readonly counts: Map<Rule, number> = new Map();
  readonly #onViolation: (violation: Violation) => void;

  constructor(onViolation: (violation: Violation) => void = () => undefined) {
    this.#onViolation = onViolation;
  }

  get total(): number {
    let total = 0;
    for (const count of this.counts.values()) total += count;
    return total;
  }

  add(rule: Rule, text: string): void {
    const count = (this.counts.get(rule) ?? 0) + 1;
    this.counts.set(rule, count);
    if (count > KEPT_PER_RULE) return;
    this.kept.push({ rule, text });
    this.#onViolation({ rule, text });
  }
}
