/**
 * A cut writes a snapshot: it hands the replicated state as it was when the cut began to the log, chunk by chunk, while records are
 * applied meanwhile. Before a record changes a znode or a session for the first time during the cut, that is written to the current
 * chunk as it was; a walk over all sessions and znodes writes the rest. A turn makes at most one chunk, so no turn takes long, and only
 * what changes during the cut takes memory.
 *
 * The walk goes over the live map of sessions, which keeps the order of insertion, and over the numbers of znodes, up to what there was
 * when the cut began. A number may by now be that of a later znode, which its czxid shows.
 */
import { assert } from "../../../protocol/assert.ts";
import { chunkHeader } from "../../../protocol/snapshot.ts";
import { ChunkWriter, type SnapshotKept } from "../../../protocol/snapshot-entries.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { Znodes, ZnodeId } from "../store/znodes.ts";
import { requestsSoFar } from "../store/requests.ts";
import type { Session } from "../store/sessions.ts";
import type { TreeState, TreeTurn } from "../state.ts";
import { entryOf } from "./entry.ts";

export type Cut = {
  /** Distinguishes this cut from earlier ones: a session that it has written carries this number. */
  readonly number: number;
  readonly zxid: Zxid;
  /** The znodes of the state that is cut. If a snapshot is loaded meanwhile, the tree has other znodes, which this cut ignores. */
  readonly znodes: Znodes;
  readonly sessionWalk: Iterator<Session>;
  /** The number of the znode that the walk visits next. */
  nextZnode: number;
  /** A bit for each number that a znode had when the cut began: whether it is written. */
  readonly written: Uint8Array;
  /** The results that are kept for sessions which are written, as they were when the cut began, and are not yet written themselves. */
  readonly kept: SnapshotKept[];
  /** The first of them that is not yet written. */
  nextKept: number;
  /** How many sessions are not yet written. */
  sessionsLeft: number;
  /** How many znodes are not yet written. */
  znodesLeft: number;
  readonly writer: ChunkWriter;
  /** Complete chunks that were not yet sent to the log. */
  readonly full: Uint8Array[];
  /** The index of the chunk that is being written. */
  nextIndex: number;
  /** The bytes of the chunks that were sent to the log, which is where the next one begins in the file. */
  position: number;
  /** The index of the chunk that the log has not yet stored. */
  outstanding: number;
  /** Whether the last chunk was sent to the log. */
  ended: boolean;
};

/** How many entries the walk visits in one turn at most. It may write few of them, if the others were written before. */
const WALK_MAX = 65_536;

/** Begins a cut, unless one is under way. */
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
    nextZnode: 1,
    written: new Uint8Array((znodes.end + 7) >> 3),
    kept: [],
    nextKept: 0,
    sessionsLeft: sessions.size,
    znodesLeft: znodes.size,
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
    znodes: cut.znodesLeft,
  });
  if (tree.configuration !== undefined) cut.writer.configuration(tree.configuration);
  // There is one submitter for each lane of each node, few enough to write them all at once.
  for (const submitter of submitters.values()) cut.writer.submitter(submitter);
  for (const zxid of tree.skipped) cut.writer.skipped(zxid);
  tellChunk(turn, cut);
}

/** The log has stored the chunk, so the next one is sent. */
export function chunkStored(turn: TreeTurn, zxid: Zxid, index: number): void {
  const { state: tree } = turn;
  const { cut } = tree;
  if (cut === undefined || cut.zxid !== zxid || cut.outstanding !== index) return;
  if (cut.ended) tree.cut = undefined;
  else tellChunk(turn, cut);
}

/** The log has refused this snapshot, so its cut ends. */
export function dropCut(tree: TreeState, zxid: Zxid): void {
  if (tree.cut?.zxid === zxid) tree.cut = undefined;
}

/** Must be called before a znode is changed or removed. */
export function saveZnode(tree: TreeState, znode: ZnodeId): void {
  const { cut } = tree;
  if (cut === undefined || cut.znodes !== tree.znodes || cut.znodesLeft === 0) return;
  if (isWritten(cut, znode) || cut.znodes.czxid(znode) > cut.zxid) return;
  writeZnode(cut, znode);
  completeIfFull(tree, cut);
}

/** Must be called before a session is changed or removed. */
export function saveSession(tree: TreeState, session: Session): void {
  const { cut } = tree;
  if (cut === undefined || cut.znodes !== tree.znodes || cut.sessionsLeft === 0) return;
  if (session.cut === cut.number || session.id > cut.zxid) return;
  writeSession(cut, session);
  completeIfFull(tree, cut);
}

function writeZnode(cut: Cut, znode: ZnodeId): void {
  cut.written[znode >> 3] = (cut.written[znode >> 3] ?? 0) | (1 << (znode & 7));
  cut.znodesLeft -= 1;
  cut.writer.znode(entryOf(cut.znodes, znode));
}

/** A number that is beyond those of the cut's beginning is that of a later znode. */
function isWritten({ written }: Cut, znode: ZnodeId): boolean {
  return ((written[znode >> 3] ?? 0) & (1 << (znode & 7))) !== 0;
}

function writeSession(cut: Cut, session: Session): void {
  session.cut = cut.number;
  cut.sessionsLeft -= 1;
  cut.writer.session(session);
  const { id, requests } = session;
  if (requests === undefined) return;
  const { last, kept } = requestsSoFar(requests);
  cut.writer.requests({ session: id, last });
  // They may be too many for one chunk. What is kept never changes, so that they need not be written now.
  for (const each of kept) cut.kept.push({ ...each, session: id });
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
  return cut.znodesLeft === 0 && cut.sessionsLeft === 0 && cut.nextKept === cut.kept.length;
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

/** Completes the next chunk. All chunks before it were sent to the log, so it is the last one if everything is written. */
function nextChunk(tree: TreeState, cut: Cut): Uint8Array {
  let looks = 0;
  do {
    if (cut.nextKept < cut.kept.length) writeKept(cut);
    else if (cut.sessionsLeft > 0) walkSession(cut);
    else if (cut.znodesLeft > 0) walkZnode(cut);
    looks += 1;
    // The walk visits at least one entry, so that a cut with chunks of any size comes to an end.
  } while (looks < WALK_MAX && !isAllWritten(cut) && !isFull(tree, cut));
  return complete(tree, cut, isAllWritten(cut));
}

function writeKept(cut: Cut): void {
  cut.writer.kept(cut.kept[cut.nextKept] as SnapshotKept);
  cut.nextKept += 1;
}

function walkSession(cut: Cut): void {
  const { done, value: session } = cut.sessionWalk.next();
  assert(done !== true, "what is left of the sessions is still to come");
  if (session.cut !== cut.number && session.id <= cut.zxid) writeSession(cut, session);
}

function walkZnode(cut: Cut): void {
  const { znodes, nextZnode: znode } = cut;
  assert(znode < znodes.end, "what is left of the znodes is still to come");
  cut.nextZnode += 1;
  if (!znodes.isPresent(znode) || isWritten(cut, znode)) return;
  if (znodes.czxid(znode) <= cut.zxid) writeZnode(cut, znode);
}
