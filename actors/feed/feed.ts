/**
 * The feed actor: while its node leads, it publishes what everybody may read of the committed changes, one message a change, in order. The tree
 * of lane 1 gives them as a change stream. Nobody acknowledges a message and any may be lost, so each says what came before it.
 * A new leader begins some changes before its reign, since its predecessor may not have come to the last ones.
 */
import { unreachable } from "../../protocol/assert.ts";
import {
  FEED_BEGIN,
  FEED_INDEX_MAX,
  feedMark,
  feedMarkSubject,
  feedMessage,
  type FeedPosition,
  feedPosition,
} from "../../protocol/feed.ts";
import { FEED_KNOWN_BYTES_MAX, FEED_MARK_MS, FEED_REPEATED_MAX } from "../../protocol/limits.ts";
import { ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import type { Actor } from "../../runtime/actor.ts";
import type { LocalEffect, OfferEffect } from "../../runtime/effects.ts";
import type { Offered } from "../../runtime/transport.ts";
import type { Turn as TurnOf } from "../../runtime/turn.ts";
import { tell } from "../inboxes.ts";
import type { TreeReply } from "../tree/messages.ts";
import { type Chain, createChain, lastOf, nextInChain } from "./chain.ts";
import type { FeedMessage, FeedTimer } from "./messages.ts";

export type FeedOptions = {
  readonly ensemble: string;
  /** False: nothing is published. */
  readonly isOn: boolean;
  /** Changes from before its reign that a leader publishes again. Default FEED_REPEATED_MAX. */
  readonly repeatedMax?: number;
  /** Default FEED_KNOWN_BYTES_MAX. */
  readonly knownBytesMax?: number;
  /** Default FEED_MARK_MS. */
  readonly markMs?: number;
};

type FeedEffect = LocalEffect<FeedTimer> | OfferEffect;

export type FeedState = {
  readonly options: Required<FeedOptions>;
  leads: boolean;
  /** The number of its stream at the tree; another one each time, so that late messages of a closed one are known. */
  stream: number;
  isOpen: boolean;
  /** Undefined until the tree has said where the stream begins. */
  chain: Chain | undefined;
  /** The tree has told all changes up to here. */
  through: Zxid;
};

type Turn = TurnOf<FeedState, FeedEffect>;
type Changes = Extract<TreeReply, { readonly kind: "changes" }>;

const TREE = "tree/1";
/** To the tree it is one client. */
const OWNER = { from: "feed/1", client: 0 } as const;
/** A message of changes for each message of records that the tree applies; the two are on one thread. */
const MAILBOX_CAPACITY = 1_000_000;

export function feedActor(options: FeedOptions): Actor<FeedState, FeedMessage, FeedEffect> {
  const filled = {
    repeatedMax: FEED_REPEATED_MAX,
    knownBytesMax: FEED_KNOWN_BYTES_MAX,
    markMs: FEED_MARK_MS,
    ...options,
  };
  return {
    name: "feed/1",
    supervision: "recover",
    mailbox: { capacity: MAILBOX_CAPACITY, whenFull: "stopNode" },
    start: () => ({
      options: filled,
      leads: false,
      stream: 0,
      isOpen: false,
      chain: undefined,
      through: ZXID_NONE,
    }),
    receive,
    recover,
  };
}

function receive(turn: Turn, message: FeedMessage): void {
  const { state } = turn;
  switch (message.kind) {
    case "leadership": {
      const leads = message.role === "leading";
      if (leads === state.leads) return;
      state.leads = leads;
      if (leads) open(turn);
      else close(turn);
      return;
    }
    case "changes":
      if (state.isOpen && message.stream === state.stream) publishAll(turn, message);
      return;
    case "compacted":
      if (state.isOpen && message.stream === state.stream) openAgain(turn);
      return;
    case "treeReset":
      if (state.isOpen) openAgain(turn);
      return;
    case "timer":
      mark(turn);
      return;
    default:
      unreachable(message);
  }
}

/** What was not published is a gap, or comes again from the tail. */
function recover(turn: Turn, _message: FeedMessage, _error: unknown): void {
  const { state, effects } = turn;
  effects.push(tell(TREE, { kind: "forget", ...OWNER }));
  state.isOpen = false;
  state.chain = undefined;
  if (state.leads) open(turn);
}

function open({ state, effects }: Turn): void {
  const { isOn, repeatedMax: back } = state.options;
  if (!isOn) return;
  state.stream += 1;
  state.isOpen = true;
  state.chain = undefined;
  const from = { ...OWNER, stream: state.stream, after: undefined, back };
  effects.push(tell(TREE, { kind: "openStream", ...from, path: "/", recursive: true }));
  effects.push({ kind: "startTimer", timer: "mark", afterMs: state.options.markMs });
}

function close({ state, effects }: Turn): void {
  if (!state.isOpen) return;
  state.isOpen = false;
  state.chain = undefined;
  effects.push(tell(TREE, { kind: "closeStream", ...OWNER, stream: state.stream }));
}

/** The tree could not go on with the stream. Subscribers see a gap where it holds no more of what is missing. */
function openAgain(turn: Turn): void {
  close(turn);
  open(turn);
}

function publishAll({ state, effects }: Turn, message: Changes): void {
  const { ensemble, knownBytesMax } = state.options;
  const begin = state.chain === undefined ? beginOf(message) : BEGUN;
  state.chain ??= createChain(ensemble, { floor: begin.position, bytesMax: knownBytesMax });
  state.through = message.through;
  const messages: Offered[] = [];
  for (const change of message.changes) {
    const { zxid, index, path } = change;
    if (zxid <= begin.zxid) continue;
    const at = feedPosition(zxid, index);
    const { line, prev } = nextInChain(state.chain, path, at);
    const { subject, quotedPath } = line;
    messages.push({ subject, text: feedMessage({ at, prev, quotedPath, change }) });
  }
  if (messages.length > 0) effects.push({ kind: "offer", messages });
}

/** So whoever has heard nothing for a while knows that there was nothing, or misses it. */
function mark({ state, effects }: Turn): void {
  const { chain, through: zxid, options } = state;
  const { ensemble, markMs } = options;
  if (!state.isOpen) return;
  effects.push({ kind: "startTimer", timer: "mark", afterMs: markMs });
  if (chain === undefined) return;
  const at = feedPosition(zxid, FEED_INDEX_MAX);
  const last = lastOf(chain);
  const markOf = (path: string, prev: readonly FeedPosition[]): Offered => {
    return {
      subject: feedMarkSubject(ensemble, path),
      text: feedMark({ at, prev, zxid, path }),
    };
  };
  const ofTops = [...chain.tops].map(([path, top]) => markOf(path, [last, top.at]));
  effects.push({ kind: "offer", messages: [markOf("/", [last]), ...ofTops] });
}

type Begin = { readonly zxid: Zxid; readonly position: FeedPosition };

const BEGUN: Begin = { zxid: ZXID_NONE, position: FEED_BEGIN };

/**
 * The first changes that the tree gives are not published: they are where the chain begins. Whoever has heard the last of them from the leader
 * before has missed nothing.
 */
function beginOf({ changes, through }: Changes): Begin {
  const zxid = changes[0]?.zxid ?? through;
  const last = changes.findLast((change) => change.zxid === zxid);
  return { zxid, position: feedPosition(zxid, last?.index ?? FEED_INDEX_MAX) };
}
