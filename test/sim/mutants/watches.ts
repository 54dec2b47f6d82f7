/** Mistakes with watches that stay when they have fired. */
import type { Mutant } from "./mutant.ts";

const READS = "actors/tree/reads.ts";
const WATCHES = "actors/tree/watch/watches.ts";
const REPLAY = "actors/tree/watch/replay.ts";

export const WATCH_MUTANTS: readonly Mutant[] = [
  {
    name: "events-behind-their-write",
    mistake:
      "events that are held leave at the end of the turn, whatever results they belong before",
    edits: [
      {
        file: "actors/gateway/zookeeper/requests.ts",
        find: "  placeEvents(turn, connection);\n  for (;;) {",
        replace: "  for (;;) {",
      },
    ],
  },
  {
    name: "held-events-forgotten",
    mistake: "events that are held and belong before no result of the turn are never sent",
    edits: [
      {
        file: "actors/gateway/zookeeper/requests.ts",
        find: "    if (servedBy(connection) !== undefined) writeEvents(turn, connection, events);\n",
        replace: "",
      },
    ],
  },
  {
    name: "staying-watch-fired-once",
    mistake: "a persistent watch goes when it has fired",
    edits: [
      {
        file: WATCHES,
        find: "  const staying = persistent.get(path);\n",
        replace: "  const staying = persistent.get(path);\n  persistent.delete(path);\n",
      },
    ],
  },
  {
    name: "recursive-watch-of-one-level",
    mistake: "a recursive watch hears of its own znode and of nothing below",
    edits: [
      {
        file: "actors/tree/store/path-branches.ts",
        find: "  descend(root, path, visit)?.values.forEach(visit);",
        replace: "  descend(root, path, () => undefined)?.values.forEach(visit);",
      },
    ],
  },
  {
    name: "recursive-watch-hears-of-children",
    mistake: "a recursive watch is told of the children that come and go, too",
    edits: [
      {
        file: WATCHES,
        find: '  if (table === "child" && once === undefined) return staying;\n',
        replace: "",
      },
      {
        file: WATCHES,
        find: '  if (table === "data") visitAlong(',
        replace: "  visitAlong(",
      },
    ],
  },
  {
    name: "two-events-for-two-watches",
    mistake:
      "whoever watches a znode by a persistent and a one-shot watch is told of a change twice",
    edits: [
      {
        file: WATCHES,
        find: "    if (except?.has(watcher) !== true) addEvent(watches, watcher, event);\n  }\n  return watchers;",
        replace:
          "    if (except?.has(watcher) !== true) addEvent(watches, watcher, event);\n    if (once?.has(watcher) && watches.persistent.get(path)?.has(watcher)) addEvent(watches, watcher, event);\n  }\n  return watchers;",
      },
    ],
  },
  {
    name: "removed-watch-fires",
    mistake: "a recursive watch that was removed still fires",
    edits: [
      {
        file: WATCHES,
        find: "    if (canBe(path)) removeBranch(watches.persistentRecursive, path, by);\n",
        replace: "",
      },
    ],
  },
  {
    name: "staying-watches-not-set-again",
    mistake: "setWatches2 forgets the recursive watches",
    edits: [
      {
        file: READS,
        find: 'for (const kind of ["persistent", "persistentRecursive"] as const) {',
        replace: 'for (const kind of ["persistent"] as const) {',
      },
    ],
  },
  {
    name: "nothing-replayed",
    mistake: "a watch that stays and is set again is told of nothing that its client has missed",
    edits: [
      {
        file: REPLAY,
        find: "return events.size > REPLAY_EVENTS_MAX ? [] : [...events.values()];",
        replace: "return [];",
      },
    ],
  },
  {
    name: "replayed-from-a-lost-ring",
    mistake: "missed changes are told though the ring has lost some of them",
    edits: [{ file: REPLAY, find: " || after < ring.oldest", replace: "" }],
  },
  {
    name: "replayed-out-of-order",
    mistake: "of the same event at one path the place of the first is kept",
    edits: [{ file: REPLAY, find: "    events.delete(key);\n", replace: "" }],
  },
  {
    name: "parents-not-replayed",
    mistake: "a persistent watch is not told of the children that came or went meanwhile",
    edits: [
      {
        file: REPLAY,
        find: 'if (kind === "data") return;',
        replace: 'if (kind !== "acl") return;',
      },
    ],
  },
  {
    name: "replayed-to-whom-may-not-read",
    mistake: "a client is told of what it has missed though it may not read it",
    edits: [
      {
        file: REPLAY,
        find: "if (!grants(event.acl ?? OPEN_ACL, Permission.read, who)) return;",
        replace: "if (event.acl === undefined && who === undefined) return;",
      },
      {
        file: REPLAY,
        find: "watchEvent(EVENTS[kind], path, zxid, acl)",
        replace: "watchEvent(EVENTS[kind], path, zxid, OPEN_ACL)",
      },
    ],
  },
  {
    name: "watches-of-other-types-removed",
    mistake: "who removes its watches of one type on a path loses those of the other types",
    edits: [
      {
        file: WATCHES,
        find: 'return type === "any" ? WATCH_KINDS : [type];',
        replace: 'return type === "child" ? [type] : WATCH_KINDS;',
      },
    ],
  },
];
