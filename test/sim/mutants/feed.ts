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
        find: "before.push(replaceLast(chain, path.slice(0, end), path, at));",
        replace:
          "before.push(end < path.length ? (chain.last.get(path.slice(0, end))?.at ?? chain.floor) : replaceLast(chain, path, path, at));",
      },
    ],
  },
  {
    name: "feed-forgets-silently",
    mistake: "a path whose last change was forgotten is taken for one that has not changed",
    edits: [
      {
        file: CHAIN,
        find: "    if (at > chain.floor) chain.floor = at;\n",
        replace: "    if (at < chain.floor) chain.floor = at;\n",
      },
    ],
  },
  {
    name: "feed-begins-at-nothing",
    mistake: "a new leader says that nothing came before what it publishes first",
    edits: [
      {
        file: FEED,
        find: "createChain(begin.position, knownBytesMax)",
        replace: "createChain(begin.zxid > 0 ? FEED_BEGIN : begin.position, knownBytesMax)",
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
