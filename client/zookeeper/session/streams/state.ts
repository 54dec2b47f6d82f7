/** What is known of change streams. Paths are whole: with the chroot. */
import type { Change } from "../../../../protocol/reads.ts";
import type { Stat } from "../../../../protocol/stat.ts";
import type { Zxid } from "../../../../protocol/zxid.ts";
import type { Subscribe } from "../messages.ts";

/** A change without its position among those of the same zxid. */
export type Seen = Omit<Change, "index">;

/** A znode that is to be looked at, because an event said so or because the stream begins. */
export type Entry = {
  readonly path: string;
  /** What happened to the znode has a larger zxid than this. */
  floor: Zxid;
  /** When the znode was deleted first since it was looked at, if the event of the server said it. */
  deletedAt: Zxid | undefined;
  /** That deletion has a larger zxid than this, and no larger one than the next answer. Undefined: there was none. */
  deletedBehind: Zxid | undefined;
  /** How many events have said so: each is of another znode. */
  deletions: number;
  /** Another znode was created after that deletion. */
  isAnother: boolean;
  /** What is still to be asked. */
  data: boolean;
  children: boolean;
  absence: boolean;
  /** How many questions have no answer. */
  asked: number;
  ofWalk: boolean;
  /** An event has asked for it while the first walk was under way. */
  isEarly: boolean;
  /** The stream's subscriber has begun behind what happened, and may know of the znode, which the stream has not seen. */
  isOlder: boolean;
  /** What happened while the answers were on their way. */
  next: Entry | undefined;
};

/** The look at all znodes of a stream, when it begins and after each reconnect. */
export type Walk = {
  /** The first one: what was before is compared with `after`, and not with what is known. */
  readonly isFirst: boolean;
  /** How many entries are not done. */
  left: number;
  /** Whose children were asked for. */
  readonly listed: Set<string>;
};

export type Stream = {
  readonly number: number;
  readonly path: string;
  readonly recursive: boolean;
  /** Undefined: nobody has it. It goes on for a while, for whoever begins again where it has come to. */
  subscription: number | undefined;
  lingersUntilMs: number;
  /** Every change up to this zxid has been delivered. */
  after: Zxid;
  /** Every change since then is known, as far as a subscriber needs them that begins outside of `unsure`. */
  startedAt: Zxid;
  /** Between these zxids, both excluded, the stream does not know what was there: since nobody has it. */
  unsure: { readonly from: Zxid; readonly to: Zxid }[];
  /** A znode was found to be gone that may have been deleted long before this zxid: up to below it the stream is not complete. */
  goneBy: Zxid;
  /** Something may have been deleted that the stream does not know of. */
  hasGap: boolean;
  /** Whether a gap ends the stream: the subscriber relies on a zxid. */
  isExact: boolean;
  round: number;
  /** Servers are asked for watches that stay. Otherwise each look leaves a watch that fires once. */
  staying: boolean;
  walk: Walk | undefined;
  /** The first walk has come to its end. */
  isWalked: boolean;
  /** The subscriber knows that it has had every change up to this zxid. Undefined: it has had no portion yet. */
  givenThrough: Zxid | undefined;
  /** The Stats of the stream's znodes when they were looked at last. */
  readonly known: Map<string, Stat>;
  /** Those of them whose data was set later than its subscriber has been told. */
  readonly untaken: Set<string>;
  /** By their paths, in the order in which things happened. */
  readonly entries: Map<string, Entry>;
  /**
   * Znodes of which only the events of a lost connection have told. The subscriber may have read them: one that is gone when the stream looks
   * again is a gap, since what it was when it was deleted cannot be told; so is one that was created after the zxid here, by which the
   * subscriber knew one. Infinity: it knew none, and is told of whichever is there.
   */
  readonly unseen: Map<string, number>;
  /** Paths of entries that have something to ask. */
  readonly toAsk: Set<string>;
  asked: number;
  /** What has been seen and may not be delivered yet, since something before it may not have been seen. */
  seen: Seen[];
  /** Deletions since it lingers. */
  deletions: Seen[];
  /** How many changes have been delivered and not been consumed. */
  unconsumed: number;
};

export type Streams = {
  readonly byNumber: Map<number, Stream>;
  readonly bySubscription: Map<number, Stream>;
  /** Subscribers by their numbers that wait until the session has come to the zxid that they have read at. */
  readonly ahead: Map<number, Subscribe>;
  /** For them the server is to catch up with its leader. */
  wantsSync: boolean;
  readonly byPath: Map<string, Set<Stream>>;
  /** The watches that stay of this connection. True: of the path and all below it. */
  readonly watched: Map<string, boolean>;
  /** Streams with something to deliver or to ask. */
  readonly touched: Set<Stream>;
  /** When subscribers hear next how far their streams have come without a change. */
  progressAtMs: number;
  next: number;
};

export function newStreams(): Streams {
  return {
    byNumber: new Map(),
    bySubscription: new Map(),
    ahead: new Map(),
    wantsSync: false,
    byPath: new Map(),
    watched: new Map(),
    touched: new Set(),
    progressAtMs: Infinity,
    next: 1,
  };
}
