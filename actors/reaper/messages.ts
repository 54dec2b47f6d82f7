/** The messages of the reaper, which proposes the end of znodes whose lifetime is over (`reaper.ts`). */
import type { TimerMessage } from "../../runtime/effects.ts";
import type { Leadership } from "../../protocol/replication.ts";

export type ReaperTimer = "look";

/** From the tree of lane 1: the answer to `listDue` with this number. */
export type DueZnodes = {
  readonly kind: "due";
  readonly question: number;
  /** Znodes whose lifetime is over, as far as the tree has looked. */
  readonly paths: readonly string[];
  /** Whether the tree has looked at all znodes with a lifetime. */
  readonly isAll: boolean;
};

export type ReaperMessage = Leadership | DueZnodes | TimerMessage<ReaperTimer>;
