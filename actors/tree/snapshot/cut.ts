/**
 * Cutting a snapshot: the replicated state as it was when the cut began, handed to the log chunk by chunk while records go on
 * being applied. Whatever a record changes for the first time during the cut is written, as it was, to the chunk at hand before
 * it changes; the walk over sessions and znodes writes the rest. Each turn makes at most one chunk, so none takes long, and
 * only what changes during the cut costs memory.
 *
 * The walk is over the live maps. They keep the order of insertion, so what has been added since the cut comes last, and the
 * walk ends before it, when all is written that there was. A znode that a refused multi took out and put back comes last too,
 * but it was written when it was taken out.
 */
import { assert } from "../../../protocol/assert.ts";
import { chunkHeader } from "../../../protocol/snapshot.ts";
import { ChunkWriter } from "../../../protocol/snapshot-entries.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { Znodes, Znode } from "../store/znodes.ts";
import type { Session } from "../store/sessions.ts";
import type { TreeState, TreeTurn } from "../state.ts";

export type Cut = {
  /** Tells this cut from the others: what it has written carries the number. */
  readonly number: number;
  readonly zxid: Zxid;
  /** Those of the state that is cut. A snapshot loaded meanwhile has others, which are none of this cut's business. */
  readonly znodes: Znodes;
  readonly sessionWalk: Iterator<Session>;
  readonly nodeWalk: Iterator<Znode>;
  /** Not yet written. */
  sessionsLeft: number;
  nodesLeft: number;
  readonly writer: ChunkWriter;
  /** Complete, before the one at hand. */
  readonly full: Uint8Array[];
  /** Of the next chunk that is completed. */
  nextIndex: number;
  /** Bytes of the chunks told so far. */
  position: number;
  /** Of the chunk the log has not yet answered for. */
  outstanding: number;
  /** The last chunk has been told. */
  ended: boolean;
};

/** Entries looked at in one turn; most of them may have been written before. */
const WALK_MAX = 65_536;

/** Nothing while a cut is under way. */
export function beginCut(turn: TreeTurn): void {
  const { state: tree } = turn;
  if (tree.cut !== undefined) return;
  const { znodes, sessions, submitters } = tree;
  tree.cuts += 1;
  const cut: Cut = {
    number: tree.cuts,
    zxid: tree.lastApplied,
    znodes,
    sessionWalk: sessions.values(),
    nodeWalk: znodes.byPath.values(),
    sessionsLeft: sessions.size,
    nodesLeft: znodes.byPath.size,
    writer: new ChunkWriter(tree.options.snapshotChunkBytes),
    full: [],
    nextIndex: 0,
    position: 0,
    outstanding: 0,
    ended: false,
  };
  tree.cut = cut;
  cut.writer.head({
    timeMs: tree.lastTimeMs,
    sessions: cut.sessionsLeft,
    submitters: submitters.size,
    znodes: cut.nodesLeft,
  });
  if (tree.configuration !== undefined) cut.writer.configuration(tree.configuration);
  // A lane each: few enough to write at once.
  for (const submitter of submitters.values()) cut.writer.submitter(submitter);
  for (const zxid of tree.skipped) cut.writer.skipped(zxid);
  tellChunk(turn, cut);
}

/** The log has made the chunk durable. */
export function chunkStored(turn: TreeTurn, zxid: Zxid, index: number): void {
  const { state: tree } = turn;
  const { cut } = tree;
  if (cut === undefined || cut.zxid !== zxid || cut.outstanding !== index) return;
  if (cut.ended) tree.cut = undefined;
  else tellChunk(turn, cut);
}

/** The log wants no more of this snapshot. */
export function dropCut(tree: TreeState, zxid: Zxid): void {
  if (tree.cut?.zxid === zxid) tree.cut = undefined;
}

/** To be called before a znode changes or goes. */
export function saveNode(tree: TreeState, znode: Znode): void {
  const { cut } = tree;
  if (cut === undefined || cut.znodes !== tree.znodes || cut.nodesLeft === 0) return;
  if (znode.cut === cut.number || znode.czxid > cut.zxid) return;
  writeNode(cut, znode);
  completeIfFull(tree, cut);
}

/** To be called before a session changes or goes. */
export function saveSession(tree: TreeState, session: Session): void {
  const { cut } = tree;
  if (cut === undefined || cut.znodes !== tree.znodes || cut.sessionsLeft === 0) return;
  if (session.cut === cut.number || session.id > cut.zxid) return;
  writeSession(cut, session);
  completeIfFull(tree, cut);
}

function writeNode(cut: Cut, znode: Znode): void {
  znode.cut = cut.number;
  cut.nodesLeft -= 1;
  cut.writer.znode(znode);
}

function writeSession(cut: Cut, session: Session): void {
  session.cut = cut.number;
  cut.sessionsLeft -= 1;
  cut.writer.session(session);
}

function completeIfFull(tree: TreeState, cut: Cut): void {
  if (isFull(tree, cut)) cut.full.push(complete(tree, cut, false));
}

function isFull({ options }: TreeState, { writer }: Cut): boolean {
  return writer.length >= options.snapshotChunkBytes;
}

function complete(tree: TreeState, cut: Cut, last: boolean): Uint8Array {
  const header = { zxid: cut.zxid, index: cut.nextIndex, last };
  cut.nextIndex += 1;
  return cut.writer.take(header, tree.options.crc32);
}

function isAllWritten(cut: Cut): boolean {
  return cut.nodesLeft === 0 && cut.sessionsLeft === 0;
}

function tellChunk(turn: TreeTurn, cut: Cut): void {
  const { state: tree, effects } = turn;
  const bytes = cut.full.shift() ?? nextChunk(tree, cut);
  const { index, last } = chunkHeader(bytes);
  cut.outstanding = index;
  cut.ended = last;
  const { zxid, position } = cut;
  cut.position += bytes.length;
  effects.push(tell("log", { kind: "storeChunk", source: "tree", zxid, index, position, bytes }));
}

/** All chunks before it are with the log, so it is the last one if everything is written. */
function nextChunk(tree: TreeState, cut: Cut): Uint8Array {
  let looks = 0;
  do {
    if (cut.sessionsLeft > 0) walkSession(cut);
    else if (cut.nodesLeft > 0) walkNode(cut);
    looks += 1;
    // One at least, so that chunks of any size come to an end.
  } while (looks < WALK_MAX && !isAllWritten(cut) && !isFull(tree, cut));
  return complete(tree, cut, isAllWritten(cut));
}

function walkSession(cut: Cut): void {
  const { done, value: session } = cut.sessionWalk.next();
  assert(done !== true, "what is left of the sessions is still to come");
  if (session.cut !== cut.number && session.id <= cut.zxid) writeSession(cut, session);
}

function walkNode(cut: Cut): void {
  const { done, value: znode } = cut.nodeWalk.next();
  assert(done !== true, "what is left of the znodes is still to come");
  if (znode.cut !== cut.number && znode.czxid <= cut.zxid) writeNode(cut, znode);
}
