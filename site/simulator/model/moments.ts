/** What nodes and the paths between them are at a moment of a recording, also in words. */
import type { NodeMoment, PathFault, PathMoment } from "../../../test/sim/recording/recording.ts";

/** How many of the items, which are sorted, are at this time or before it. */
export function countUntil(
  length: number,
  timeOf: (index: number) => number,
  atMs: number,
): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(middle) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lastUntil<Item extends { readonly atMs: number }>(
  items: readonly Item[],
  atMs: number,
): Item | undefined {
  return items[countUntil(items.length, (index) => items[index]?.atMs ?? 0, atMs) - 1];
}

/** Each node at that time, the first being node 1. */
export function nodesAt(
  moments: readonly (readonly NodeMoment[])[],
  atMs: number,
): readonly NodeMoment[] {
  return moments.map((each) => {
    const found = lastUntil(each, atMs) ?? each[0];
    if (found === undefined) throw new Error("a recording has a moment of each node");
    return found;
  });
}

export function faultsAt(paths: readonly PathMoment[], atMs: number): readonly PathFault[] {
  return lastUntil(paths, atMs)?.faults ?? [];
}

/** Whether it can be told from others at a glance: what is drawn goes by it. */
export type Look = "leader" | "follower" | "candidate" | "seeker" | "down";

export function lookOf({ role, established }: NodeMoment): Look {
  switch (role) {
    case "down":
      return "down";
    case "leading":
      return established ? "leader" : "candidate";
    case "following":
      return established ? "follower" : "seeker";
    case "candidate":
      return "candidate";
    default:
      return "seeker";
  }
}

export function roleText(moment: NodeMoment): string {
  const { role, established, leader, votes, stopped } = moment;
  const isUp = role !== "down" && role !== "starting";
  const remarks = [
    ...(stopped ? ["stands still"] : []),
    ...(isUp && !votes ? ["has no vote"] : []),
    ...((role === "leading" || role === "following") && !established ? ["not established"] : []),
  ];
  return [roleName(role, leader), ...remarks].join(", ");
}

function roleName(role: NodeMoment["role"], leader: number | undefined): string {
  switch (role) {
    case "down":
      return "down";
    case "starting":
      return "starts";
    case "looking":
      return "looks for a leader";
    case "candidate":
      return "candidate";
    case "awaiting":
      return `awaits node ${leader}`;
    case "following":
      return `follows node ${leader}`;
    case "leading":
      return "leads";
  }
}
