/**
 * What a client that was away has missed: when it sets watches again that stay, it is told of the changes since the zxid that it has
 * seen, as far as the ring of changes holds them (docs/decisions/0036-missed-events.md). ZooKeeper's server tells of none
 * (DataTree.setWatches), and its clients take these events as any others. What happened several times at one path is told once, in the
 * place of the last time.
 */
import {
  REPLAY_CHANGES_MAX,
  REPLAY_CONNECTION_CHANGES_MAX,
  REPLAY_EVENTS_MAX,
} from "../../../protocol/limits.ts";
import { grants, Permission } from "../../../protocol/access.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import type { Who } from "../../../protocol/identities.ts";
import { parentOf } from "../../../protocol/paths.ts";
import {
  type StayingWatch,
  type WatchEvent,
  WatchEventType,
  type WatchLists,
} from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import {
  type ChangeLists,
  type ChangeRing,
  changesAfter,
  visitChanges,
} from "../store/change-ring.ts";
import { addBranch, createBranch, visitAlong } from "../store/path-branches.ts";
import { canBe, watchEvent, type Watcher } from "./watches.ts";

/** Those of the watches to set that the connection has not yet. */
export type Missed = Readonly<Record<StayingWatch, readonly string[]>>;

export function notYetSet(watcher: Watcher, lists: WatchLists): Missed {
  const of = (kind: StayingWatch): string[] =>
    lists[kind].filter((path) => !watcher[kind].has(path));
  return { persistent: of("persistent"), persistentRecursive: of("persistentRecursive") };
}

/**
 * The events of the changes after `after`, in order of their zxids. None if the ring has lost some of the changes, or if there are more
 * than one connection may have looked through or be told of.
 */
export function missedEvents(
  ring: ChangeRing,
  watcher: Watcher,
  { watches, after, who }: { readonly watches: Missed; readonly after: Zxid; readonly who: Who },
): readonly WatchEvent[] {
  const { persistent, persistentRecursive } = watches;
  if (persistent.length + persistentRecursive.length === 0 || after < ring.oldest) return [];
  const changes = changesAfter(ring, after);
  const looked = watcher.replayed + changes;
  if (changes > REPLAY_CHANGES_MAX || looked > REPLAY_CONNECTION_CHANGES_MAX) return [];
  watcher.replayed = looked;
  const at = new Set(persistent);
  const from = createBranch<true>();
  for (const path of persistentRecursive) if (canBe(path)) addBranch(from, path, true);
  const events = new Map<string, WatchEvent>();
  const add = (event: WatchEvent): void => {
    if (!grants(event.acl ?? OPEN_ACL, Permission.read, who)) return;
    const key = `${event.type} ${event.path}`;
    // What is deleted first comes to stand last.
    events.delete(key);
    events.set(key, event);
  };
  visitChanges(ring, after, (path, zxid, _build, { kind }, lists = OPEN_LISTS) => {
    if (kind === "acl" || events.size > REPLAY_EVENTS_MAX) return;
    const { acl, parentAcl } = lists;
    if (at.has(path) || isAlong(from, path)) add(watchEvent(EVENTS[kind], path, zxid, acl));
    if (kind === "data") return;
    const parent = parentOf(path);
    if (!at.has(parent)) return;
    add(watchEvent(WatchEventType.nodeChildrenChanged, parent, zxid, parentAcl));
  });
  return events.size > REPLAY_EVENTS_MAX ? [] : [...events.values()];
}

const OPEN_LISTS: ChangeLists = { acl: OPEN_ACL, parentAcl: OPEN_ACL };

const EVENTS = {
  created: WatchEventType.nodeCreated,
  deleted: WatchEventType.nodeDeleted,
  data: WatchEventType.nodeDataChanged,
} as const;

function isAlong(from: ReturnType<typeof createBranch<true>>, path: string): boolean {
  let found = false;
  visitAlong(from, path, () => {
    found = true;
  });
  return found;
}
