/** What this node does when another one refuses its messages. */
import type { Context } from "../../runtime/actor.ts";
import { tell } from "../inboxes.ts";
import { greetingOf } from "./founding.ts";
import { isBound } from "./membership.ts";
import type { RefusedByPeer } from "./messages.ts";
import { log, type LogSyncState, lookAgain, sendTo } from "./state.ts";
import { beginRepair } from "./vote.ts";

/** Starts of one folder. A number farther from this life's is no memory of it. */
const STARTS_MAX = 1_000_000;

export function refusedByPeer(
  state: LogSyncState,
  { from, reason, incarnation }: RefusedByPeer,
  context: Context,
): void {
  // Its answer has the configuration in force, in which another folder has this node's number.
  if (reason === "outdated" && isBound(state)) sendTo(state, from, greetingOf(state, true));
  if (reason === "olderLife") loseMemory(state, incarnation, context);
}

/**
 * Another process has been started with this folder, or a copy of it, after this one or at the same start. So what this process
 * goes by is not all that was promised and acknowledged in the folder's name. It stops having a vote at once, and stops when that
 * is durable; at the next start it is repaired like one that has lost its promise (decision 7).
 */
function loseMemory(state: LogSyncState, incarnation: number, context: Context): void {
  const { membership, options, promise } = state;
  if (membership.losingVote || options.voters.length === 1) return;
  if (incarnation < membership.incarnation) return;
  if (incarnation - membership.incarnation > STARTS_MAX) return;
  membership.losingVote = true;
  log(state, "warn", "the data folder is older than what the others remember of it", {
    incarnation: membership.incarnation,
    remembered: incarnation,
  });
  beginRepair(state, { reason: "promise", epoch: promise.epoch }, context);
  lookAgain(state, "what this folder holds is not all that it has promised");
  state.effects.push(tell("log", { kind: "loseVote", incarnation }));
}

export function voteLost({ effects, options }: LogSyncState): void {
  effects.push({
    kind: "stopNode",
    reason: `the data folder is older than what the others remember of it: it is a copy that was used beside the original, or an old one that was put back. See that no other process is node ${options.server}, then start it again: it has no vote until the others have repaired it.`,
  });
}
