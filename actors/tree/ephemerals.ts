/**
 * Lists the ephemerals by session for the four-letter word `dump`, and all sessions for `sess`, up to so many bytes; and those of one session by pages.
 */
import type {
  EphemeralsQuestion,
  Group,
  SessionCountsQuestion,
  SessionEphemeralsQuestion,
} from "../admin/messages.ts";
import { SESSION_EPHEMERALS_PAGE } from "../../protocol/limits.ts";
import { formatSession } from "../../protocol/ids.ts";
import { tell } from "../inboxes.ts";
import { Listing } from "../listing.ts";
import type { TreeTurn } from "./state.ts";
import type { ZnodeId } from "./store/znodes.ts";

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

/** `omitted` of the answer is how many there are behind the page. */
export function listSessionEphemerals(
  { state, effects }: TreeTurn,
  { question, session, after }: SessionEphemeralsQuestion,
): void {
  const { sessions, znodes, options } = state;
  const ephemerals = sessions.get(session)?.ephemerals ?? new Set<ZnodeId>();
  const last = after === undefined ? undefined : znodes.find(after);
  const isLost = after !== undefined && (last === undefined || !ephemerals.has(last));
  const entries: string[] = [];
  let isBehind = after === undefined;
  let omitted = 0;
  for (const znode of isLost ? [] : ephemerals) {
    if (!isBehind) isBehind = znode === last;
    else if (entries.length < SESSION_EPHEMERALS_PAGE) entries.push(znodes.path(znode));
    else omitted += 1;
  }
  const groups: readonly Group[] = isLost ? [] : [{ name: "", entries }];
  const from = `tree/${options.lane}` as const;
  effects.push(tell("admin", { kind: "part", question, from, groups, omitted }));
}
