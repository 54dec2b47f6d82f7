/** Mistakes of the change feed: what not everybody may read, and gaps that subscribers do not see. */
import type { Mutant } from "./mutant.ts";

const FEED = "actors/feed/feed.ts";
const CHAIN = "actors/feed/chain.ts";

export const FEED_MUTANTS: readonly Mutant[] = [
  {
    name: "feed-reads-all",
    mistake: "the feed publishes changes of znodes that not everybody may read",
    edits: [
      {
        file: FEED,
        find: 'path: "/", recursive: true }',
        replace: 'path: "/", recursive: true, readsAll: true }',
      },
    ],
  },
  {
    name: "feed-chain-of-the-path-alone",
    mistake: "a change does not count as the last one for who follows a znode above it",
    edits: [
      {
        file: CHAIN,
        find: "    known.at = at;",
        replace: "    if (known === line.levels.at(-1) || known.path === '') known.at = at;",
      },
    ],
  },
  {
    name: "feed-forgets-silently",
    mistake: "a path whose last change was forgotten is taken for one that has not changed",
    edits: [
      {
        file: CHAIN,
        find: "  chain.floor = chain.olderEnd;\n",
        replace: "",
      },
    ],
  },
  {
    name: "feed-begins-at-nothing",
    mistake: "a new leader says that nothing came before what it publishes first",
    edits: [
      {
        file: FEED,
        find: "floor: begin.position,",
        replace: "floor: begin.zxid > 0 ? FEED_BEGIN : begin.position,",
      },
    ],
  },
  {
    name: "feed-mark-of-another",
    mistake:
      "a mark for a first name says that nothing at all has changed since the name's last change",
    edits: [
      {
        file: FEED,
        find: "[last, top.at]",
        replace: "[top.at, top.at]",
      },
    ],
  },
  {
    name: "feed-mark-too-early",
    mistake: "a mark is for what will be published next",
    edits: [
      {
        file: FEED,
        find: "state.through = message.through;",
        replace: "state.through = (message.through + 1) as Zxid;",
      },
    ],
  },
  {
    name: "feed-not-opened-again",
    mistake: "a feed whose stream the tree could not go on with stands still",
    edits: [
      {
        file: FEED,
        find: "if (state.isOpen && message.stream === state.stream) openAgain(turn);",
        replace: "if (state.isOpen && message.stream !== state.stream) openAgain(turn);",
      },
    ],
  },
];
