/** The last batch that was taken of each lane of each node. A batch is taken once, and in sequence. */
import type { Submitter } from "../../protocol/ids.ts";
import type { SubmitRefused } from "./messages.ts";

type Taken = { readonly incarnation: number; readonly seq: number };

export type Verdict =
  | { readonly kind: "take" }
  /** The batch was taken before. Its results come, or came, when its record is applied. */
  | { readonly kind: "repeated" }
  | {
      readonly kind: "refuse";
      readonly reason: SubmitRefused["reason"];
      readonly expected: number;
    };

export class SubmitterTable {
  readonly #taken: Map<string, Taken>;

  constructor(taken: Iterable<readonly [string, Taken]> = []) {
    this.#taken = new Map(taken);
  }

  /** Makes the table of a snapshot's submitters. */
  static of(
    taken: Iterable<{ readonly submitter: Submitter; readonly seq: number }>,
  ): SubmitterTable {
    const table = new SubmitterTable();
    for (const { submitter, seq } of taken) table.take(submitter, seq);
    return table;
  }

  copy(): SubmitterTable {
    return new SubmitterTable(this.#taken);
  }

  take(submitter: Submitter, seq: number): void {
    this.#taken.set(keyOf(submitter), { incarnation: submitter.incarnation, seq });
  }

  /** Whether a batch is to be taken. It notes nothing: the caller calls `take`. */
  judge(submitter: Submitter, seq: number): Verdict {
    const taken = this.#taken.get(keyOf(submitter));
    if (taken !== undefined && submitter.incarnation < taken.incarnation) {
      return { kind: "refuse", reason: "staleIncarnation", expected: taken.incarnation };
    }
    // The first batch of a new incarnation has number 1, whatever the incarnation before had reached.
    const last = taken?.incarnation === submitter.incarnation ? taken.seq : 0;
    if (seq <= last) return { kind: "repeated" };
    if (seq === last + 1) return { kind: "take" };
    return { kind: "refuse", reason: "outOfSequence", expected: last + 1 };
  }
}

function keyOf(submitter: Submitter): string {
  return `${submitter.server}/${submitter.lane}`;
}
