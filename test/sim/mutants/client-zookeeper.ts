/** Mistakes of the client over ZooKeeper's protocol (`client/zookeeper/session/`). */
import type { Mutant } from "./mutant.ts";

const CONNECTION = "client/zookeeper/session/connection.ts";
const DOUBTS = "client/zookeeper/session/doubts.ts";
const SESSION = "client/zookeeper/session/session.ts";
const SETTLING = "client/zookeeper/session/settling.ts";
const AHEAD = "client/zookeeper/session/streams/ahead.ts";
const ENTRIES = "client/zookeeper/session/streams/entries.ts";
const LINGERING = "client/zookeeper/session/streams/lingering.ts";
const LOOKS = "client/zookeeper/session/streams/looks.ts";
const PARENTS = "client/zookeeper/session/streams/parents.ts";
const STREAMS = "client/zookeeper/session/streams/streams.ts";

export const CLIENT_ZOOKEEPER_MUTANTS: readonly Mutant[] = [
  {
    name: "zk-watch-after-the-read",
    plan: "zookeepers",
    mistake: "a stream has a watch only once it has looked at its znodes",
    edits: [
      {
        file: STREAMS,
        find: "if (stream.staying && (isWatched === undefined || (recursive && !isWatched))) {",
        replace: "if (stream.number < 0 && !isWatched) {",
      },
      {
        file: STREAMS,
        find: "    stream.walk = undefined;\n    stream.isWalked = true;\n",
        replace: [
          "    stream.walk = undefined;",
          "    stream.isWalked = true;",
          '    const mode = stream.recursive ? "persistentRecursive" : "persistent";',
          '    const asked = { kind: "addWatch", path: stream.path, mode } as const;',
          '    ask(turn, asked, { kind: "stream", asked: { kind: "watch" } }, "last");',
          "",
        ].join("\n"),
      },
    ],
  },
  {
    name: "zk-watch-not-set-again",
    plan: "zookeepers",
    mistake: "after a reconnect the watches of streams are not set again",
    edits: [{ file: STREAMS, find: "  streams.watched.clear();\n", replace: "" }],
  },
  {
    name: "zk-denies-a-doubt",
    plan: "zookeepers",
    mistake: "a write that was sent and not answered is said not to be done",
    edits: [
      {
        file: SETTLING,
        find: 'purpose.call.maybeApplied = "unknown";',
        replace: 'purpose.call.maybeApplied = "no";',
      },
    ],
  },
  {
    name: "zk-asks-writes-again",
    plan: "zookeepers",
    mistake: "writes that were under way are asked again on the next connection",
    edits: [
      {
        file: DOUBTS,
        find: "if (changesSomething(pending.ask)) (call.settled ? left : written).push(call);\n    else if",
        replace: "if",
      },
    ],
  },
  {
    name: "zk-proven-by-what-was-there",
    plan: "zookeepers",
    mistake: "a create is taken for done if the session has such an ephemeral, however old it is",
    edits: [{ file: DOUBTS, find: " && stat.czxid > after;", replace: ";" }],
  },
  {
    name: "zk-proven-by-a-forgotten-create",
    plan: "zookeepers",
    mistake: "what a create made for which nobody waits any more is taken for another one's",
    edits: [
      {
        file: DOUBTS,
        find: "[...written, ...left, ...looking.map(callOf)]",
        replace: "[...written, ...looking.map(callOf)]",
      },
    ],
  },
  {
    name: "zk-valid-for-too-long",
    plan: "zookeepers",
    mistake: "the session counts as valid for all of its timeout after what was answered",
    edits: [
      { file: SESSION, find: "const VALID_SHARE = 0.6;", replace: "const VALID_SHARE = 0.95;" },
    ],
  },
  {
    name: "zk-pings-late",
    plan: "zookeepers",
    mistake: "a ping is sent in each half of the timeout, not in each third",
    edits: [
      {
        file: CONNECTION,
        find: "return Math.min(sentAtMs, heardAtMs) + timeoutMs / 3;",
        replace: "return Math.min(sentAtMs, heardAtMs) + timeoutMs / 2;",
      },
    ],
  },
  {
    name: "zk-forgets-what-it-has-seen",
    plan: "zookeepers",
    mistake: "the handshake does not say what the session has seen",
    edits: [
      {
        file: CONNECTION,
        find: "lastZxidSeen: lastZxid,",
        replace: "lastZxidSeen: lastZxid * 0,",
      },
    ],
  },
  {
    name: "zk-progress-beyond-a-look",
    plan: "zookeepers",
    mistake: "a stream is said to be complete beyond a znode that is still to be looked at",
    edits: [{ file: ENTRIES, find: "    through = earlierOf(through, floor);\n", replace: "" }],
  },
  {
    name: "zk-progress-without-a-connection",
    plan: "zookeepers",
    mistake: "without a connection a stream is said to be complete, whatever was to be looked at",
    edits: [
      {
        file: STREAMS,
        find: 'next one.\n  if (link.kind !== "open" || !link.ready) return;\n',
        replace: "next one.\n",
      },
    ],
  },
  {
    name: "zk-finds-no-deletion",
    plan: "zookeepers",
    mistake: "after a reconnect a stream looks at its root only, and at what is listed below it",
    edits: [
      { file: STREAMS, find: "new Set([path, ...known.keys()])", replace: "new Set([path])" },
    ],
  },
  {
    name: "zk-complete-before-what-is-gone",
    plan: "zookeepers",
    mistake: "a stream is said to be complete before a deletion of which nobody knows when it was",
    edits: [
      {
        file: STREAMS,
        find: "through < after || through < stream.goneBy",
        replace: "through < after",
      },
    ],
  },
  {
    name: "zk-gap-not-told",
    plan: "zookeepers",
    mistake: "a stream that begins in the past does not tell that something may have been deleted",
    edits: [
      {
        file: LOOKS,
        find: "if (stream.isExact && pzxid > stream.after && cversion !== numChildren) stream.hasGap = true;",
        replace:
          "if (stream.isExact && pzxid > stream.after * Infinity) stream.hasGap = cversion !== numChildren;",
      },
    ],
  },
  {
    name: "zk-deletion-of-an-earlier-znode",
    plan: "zookeepers",
    mistake:
      "the first deletion of a path is remembered behind the znode that was created after it",
    edits: [
      { file: LOOKS, find: "      forgetDeletions(entry);\n      return", replace: "      return" },
    ],
  },
  {
    name: "zk-taken-over-with-what-was-gone",
    campaign: "streams",
    mistake: "whoever takes a stream over is told of deletions from before its read",
    edits: [
      {
        file: LINGERING,
        find: "    known.delete(path);\n    untaken.delete(path);\n  }\n  if (!known",
        replace: "  }\n  if (!known",
      },
    ],
  },
  {
    name: "zk-forgets-what-it-has-not-seen",
    campaign: "streams",
    mistake:
      "a znode that only events of a lost connection have told of, and that is gone after it, is no gap",
    edits: [{ file: STREAMS, find: "    noteLost(stream);\n", replace: "" }],
  },
  {
    name: "zk-replaced-before-it-was-seen",
    campaign: "streams",
    mistake:
      "a znode that whoever takes a stream over may know is replaced by another one without a gap",
    edits: [
      {
        file: LOOKS,
        find: "  if (isOlder(entry)) stream.hasGap = true;\n  if (walk?.isFirst",
        replace: "  if (walk?.isFirst",
      },
    ],
  },
  {
    name: "zk-came-and-went-between-two-looks",
    campaign: "streams",
    mistake: "a stream is taken over from where a znode was there that it has not seen",
    edits: [{ file: LOOKS, find: "staying && deletions === expected &&", replace: "staying &&" }],
  },
  {
    name: "zk-walk-leaves-out-what-an-event-has-asked",
    campaign: "streams",
    mistake: "the first walk is done before a znode that an event has asked for is looked at",
    edits: [{ file: LOOKS, find: "stream.entries.get(child)?.ofWalk ?? true", replace: "true" }],
  },
  {
    name: "zk-list-is-not-old",
    campaign: "streams",
    mistake:
      "who takes a stream over is told of a znode that replaced one it has read, where watches fire once",
    edits: [{ file: LOOKS, find: "isOlder: isOlder(entry) };", replace: "isOlder: false };" }],
  },
  {
    name: "zk-watches-that-fire-once-tell-all",
    campaign: "streams",
    mistake:
      "children that came and went behind a watch that had fired are forgotten with a connection",
    edits: [
      {
        file: STREAMS,
        find: "if (!stream.staying && isOlder(entry))",
        replace: "if (stream.number < 0)",
      },
    ],
  },
  {
    name: "zk-deletion-without-a-zxid",
    campaign: "streams",
    mistake: "whoever takes a stream over is told of a deletion that may have been before its read",
    edits: [
      {
        file: LINGERING,
        find: "if (isExact && deletedAt === undefined && after < lastZxid) stream.hasGap = true;",
        replace: "",
      },
    ],
  },
  {
    name: "zk-begins-ahead",
    campaign: "streams",
    mistake: "a subscriber that has read elsewhere takes over a stream that has not come to that",
    edits: [{ file: AHEAD, find: "wish.after <= lastZxid", replace: "lastZxid >= 0" }],
  },
  {
    name: "zk-created-before-its-parent",
    campaign: "streams",
    mistake: "a znode is told to be created whose parent was gone before it was looked at",
    edits: [{ file: PARENTS, find: "!isThere(parentOf(path))", replace: "path.length === 0" }],
  },
  {
    name: "zk-another-znode-without-watches",
    campaign: "streams",
    mistake: "where watches fire once, another znode of a path is not asked for its children",
    edits: [
      {
        file: LOOKS,
        find: "entry.children = true;\n      observeThere",
        replace: "void entry;\n      observeThere",
      },
    ],
  },
  {
    name: "zk-taken-over-too-early",
    campaign: "streams",
    mistake: "a stream is taken over from before where it has seen everything",
    edits: [
      {
        file: STREAMS,
        find: "  const oldest = turn.state.lastZxid;\n",
        replace: "  const oldest = seenThrough(stream, turn.state.lastZxid);\n",
      },
    ],
  },
];
