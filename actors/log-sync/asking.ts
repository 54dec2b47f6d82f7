/** When a leader has its followers count for themselves (`counting.ts`), and what it tells them for that. */
import { ASKING_RECORDS_MAX } from "../../protocol/limits.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import { committedBy } from "../quorum.ts";
import type { Asks } from "./messages.ts";
import type { Leading } from "./roles.ts";
import type { LogSyncState } from "./state.ts";

export type Asking = {
  /** Whether the last records that were published ask the followers to count. */
  asked: boolean;
  /** Whether the followers alone were a quorum soon enough for the last commit of which that is known. */
  inTime: boolean;
  /** The commit mark that was published last. */
  published: Zxid;
  /** The first commit for which the followers alone are not a quorum yet. */
  uncovered: { readonly zxid: Zxid; readonly sinceMs: number } | undefined;
  /** Whether the timer `mark` runs. */
  timing: boolean;
};

export function newAsking(): Asking {
  return { asked: false, inTime: true, published: ZXID_NONE, uncovered: undefined, timing: false };
}

/** Must be called when records are published: decides whether they ask the followers to count. */
export function decideAsking(state: LogSyncState, role: Leading): void {
  const { active, asking, uncommitted } = role;
  asking.asked =
    active &&
    asking.inTime &&
    uncommitted.length <= ASKING_RECORDS_MAX &&
    countedFollowers(state, role).length >= state.quorum;
}

/** What goes with records up to `through`, the last that were published. Records before those are of no news to whom counts. */
export function asksOf(state: LogSyncState, role: Leading, through: Zxid): Asks | undefined {
  if (!role.asking.asked || through < state.log.index.tail) return undefined;
  const counted = countedFollowers(state, role);
  const { membership, options, log: view } = state;
  const isCounted = membership.counted.get(options.server) === membership.identity;
  return {
    durable: isCounted ? view.durable : ZXID_NONE,
    counted: counted.map(({ nonce }) => nonce),
  };
}

/** Up to where the followers that count are a quorum without this node. */
export function coveredThrough(state: LogSyncState, role: Leading): Zxid {
  return committedBy(
    countedFollowers(state, role).map(({ accepted }) => accepted),
    state.quorum,
  );
}

/** The processes of followers of which this leader counts what they have accepted. */
function countedFollowers(
  { membership }: LogSyncState,
  { followers }: Leading,
): { readonly nonce: number; readonly accepted: Zxid }[] {
  const found: { readonly nonce: number; readonly accepted: Zxid }[] = [];
  for (const [id, { identity, accepted, incarnation }] of followers) {
    const { nonce, hasForgotten } = incarnation;
    const isCounted = identity !== undefined && membership.counted.get(id) === identity;
    if (!isCounted || hasForgotten || accepted === ZXID_NONE || nonce === undefined) continue;
    found.push({ nonce, accepted });
  }
  return found;
}
