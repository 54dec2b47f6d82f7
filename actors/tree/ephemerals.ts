/** Lists the ephemerals by session for the four-letter word `dump`, and all sessions for `sess`, up to so many bytes. */
import type { EphemeralsQuestion, SessionCountsQuestion } from "../admin/messages.ts";
import { formatSession } from "../../protocol/ids.ts";
import { tell } from "../inboxes.ts";
import { Listing } from "../listing.ts";
import type { TreeTurn } from "./state.ts";

export function listEphemerals(
  { state, effects }: TreeTurn,
  { question, bytesMax }: EphemeralsQuestion,
): void {
  const { sessions, znodes, options } = state;
  const listing = new Listing(bytesMax);
  let looked = 0;
  for (const { id, ephemerals } of sessions.values()) {
    if (listing.isFull) break;
    if (ephemerals === undefined) continue;
    const name = formatSession(id);
    for (const znode of ephemerals) {
      if (listing.isFull) break;
      listing.add(name, znodes.path(znode));
      looked += 1;
    }
  }
  listing.omit(znodes.ephemerals - looked);
  const from = `tree/${options.lane}` as const;
  effects.push(tell("admin", { kind: "part", question, from, ...listing.content }));
}

/** As JSON: which session, its timeout, and how many ephemerals it has. */
export function listSessionCounts(
  { state, effects }: TreeTurn,
  { question, bytesMax }: SessionCountsQuestion,
): void {
  const { sessions, options } = state;
  const listing = new Listing(bytesMax);
  let looked = 0;
  for (const { id, timeoutMs, ephemerals } of sessions.values()) {
    if (listing.isFull) break;
    listing.add("", JSON.stringify([formatSession(id), timeoutMs, ephemerals?.size ?? 0]));
    looked += 1;
  }
  listing.omit(sessions.size - looked);
  const from = `tree/${options.lane}` as const;
  effects.push(tell("admin", { kind: "part", question, from, ...listing.content }));
}
