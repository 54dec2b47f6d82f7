/**
 * Reads that wait for writes, and whose connection may end meanwhile. All connections may end at once, so the waiting reads are not looked
 * through for each of them: an ended connection is remembered, and the lists are gone through once there are as many such connections as
 * reads. Numbers of connections are not used again.
 */
import type { ReadsBehind, StreamOwner } from "./tree/messages.ts";

/** The connections that ended while reads waited, whosoever these are. */
export type EndedConnections = Set<string>;

type Owner = { readonly from: StreamOwner; readonly client: number };

/** Fewer are not worth going through the lists. */
const TOGETHER_MIN = 64;

export function connectionEnded(
  ended: EndedConnections,
  owner: Owner,
  lists: readonly { behind: ReadsBehind[] }[],
): void {
  let waiting = 0;
  for (const { behind } of lists) waiting += behind.length;
  if (waiting > 0) ended.add(nameOf(owner));
  else ended.clear();
  if (ended.size < Math.max(TOGETHER_MIN, waiting)) return;
  for (const list of lists) list.behind = readsOfOthers(ended, list.behind);
  ended.clear();
}

/** Those whose connection has not ended. */
export function readsOfOthers(ended: EndedConnections, reads: ReadsBehind[]): ReadsBehind[] {
  return ended.size === 0 ? reads : reads.filter((each) => !ended.has(nameOf(each)));
}

function nameOf({ from, client }: Owner): string {
  return `${from} ${client}`;
}
