/**
 * Loads a snapshot. Its chunks, which the log has verified, build a second state beside the present one, and the last chunk replaces the
 * present state by it. What clients relied upon (watches, streams, results that they wait for) is lost with the former state, so the
 * gateways are told to close their connections.
 */
import { assert, unreachable } from "../../../protocol/assert.ts";
import { type ServerId, SESSION_NONE } from "../../../protocol/ids.ts";
import type { Configuration } from "../../../protocol/configuration.ts";
import { chunkHeader } from "../../../protocol/snapshot.ts";
import {
  ChunkReader,
  type SnapshotEntry,
  type SnapshotHead,
  type SnapshotKept,
  type SnapshotRequests,
  type SnapshotSession,
  type SnapshotZnode,
} from "../../../protocol/snapshot-entries.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import { emit } from "../../topics.ts";
import type { SnapshotChunk } from "../../log/messages.ts";
import type { TreeLoaded } from "../messages.ts";
import type { ZnodesSetup } from "../store/new-znode.ts";
import { Znodes, type ZnodeId } from "../store/znodes.ts";
import { createRing } from "../store/change-ring.ts";
import { keepResult, type KeptTotal, newRequests } from "../store/requests.ts";
import { restoreSession, sessionChanges, type Sessions } from "../store/sessions.ts";
import { quotasOf } from "../quotas/quotas.ts";
import type { TreeState, TreeTurn } from "../state.ts";
import { createStreams, hasStreams } from "../watch/streams.ts";
import {
  createSubmitters,
  putSubmitter,
  submitterEntry,
  type Submitters,
} from "../store/submitters.ts";
import { createWatches } from "../watch/watches.ts";

export type Loading = {
  readonly zxid: Zxid;
  nextIndex: number;
  nextPosition: number;
  head: SnapshotHead | undefined;
  readonly znodes: Znodes;
  readonly sessions: Sessions;
  readonly kept: KeptTotal;
  readonly submitters: Submitters;
  readonly skipped: Zxid[];
  configuration: Configuration | undefined;
  /** Ephemerals that came before their sessions. */
  readonly unowned: ZnodeId[];
};

/** Begins to load this snapshot. What was loaded of another one is dropped. */
export function beginLoad(turn: TreeTurn, zxid: Zxid): void {
  const loading = beginLoading(zxid, turn.state.znodes.setup);
  turn.state.loading = loading;
  askForNext(turn, loading);
}

/**
 * Loads one chunk and asks for the next. Returns true if it was the last one and the snapshot has replaced the state. A chunk of
 * another snapshot, which was asked for before this one, is ignored.
 */
export function loadChunk(
  turn: TreeTurn,
  { zxid, index, position, bytes }: SnapshotChunk,
): boolean {
  const { loading } = turn.state;
  if (loading?.zxid !== zxid || loading.nextIndex !== index) return false;
  assert(position === loading.nextPosition, "a chunk is asked for where the one before ends");
  assert(bytes.length > 0, "a snapshot stays as long as it is loaded");
  const header = chunkHeader(bytes);
  assert(header.length === bytes.length, "a chunk is loaded whole");
  assert(header.zxid === zxid && header.index === index, "a chunk is the one that was asked for");
  loading.nextIndex += 1;
  loading.nextPosition += bytes.length;
  const reader = new ChunkReader(bytes);
  let entries = 0;
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
    addEntry(loading, entry);
    entries += 1;
  }
  assert(entries === header.entries, "a chunk holds as many entries as it says");
  if (!header.last) {
    askForNext(turn, loading);
    return false;
  }
  turn.state.loading = undefined;
  finish(loading);
  replaceState(turn, loading);
  return true;
}

function askForNext({ state, effects }: TreeTurn, loading: Loading): void {
  const { zxid, nextIndex: index, nextPosition: position } = loading;
  const to = `tree/${state.options.lane}` as const;
  effects.push(tell("log", { kind: "askChunk", zxid, index, position, to }));
}

function beginLoading(zxid: Zxid, setup: ZnodesSetup): Loading {
  return {
    zxid,
    nextIndex: 0,
    nextPosition: 0,
    head: undefined,
    znodes: new Znodes(setup),
    sessions: new Map(),
    kept: { bytes: 0 },
    submitters: createSubmitters(),
    skipped: [],
    configuration: undefined,
    unowned: [],
  };
}

function addEntry(loading: Loading, entry: SnapshotEntry): void {
  switch (entry.kind) {
    case "znode":
      addZnode(loading, entry.znode);
      return;
    case "session":
      addSession(loading, entry.session);
      return;
    case "requests":
      addRequests(loading, entry.requests);
      return;
    case "kept":
      addKept(loading, entry.kept);
      return;
    case "submitter":
      putSubmitter(loading.submitters, entry.submitter);
      return;
    case "skipped":
      assert(entry.zxid <= loading.zxid, "a snapshot holds nothing that came after it");
      loading.skipped.push(entry.zxid);
      return;
    case "configuration":
      assert(loading.configuration === undefined, "a snapshot has one configuration at most");
      loading.configuration = entry.configuration;
      return;
    case "head":
      assert(loading.head === undefined, "a snapshot has one head");
      loading.head = entry.head;
      return;
    default:
      unreachable(entry);
  }
}

function addSession({ sessions, zxid }: Loading, session: SnapshotSession): void {
  assert(!sessions.has(session.id), "a snapshot holds a session once");
  assert(session.attachedAt <= zxid, "a snapshot holds nothing that came after it");
  restoreSession(sessions, session);
}

function addRequests({ sessions }: Loading, { session: id, last }: SnapshotRequests): void {
  const session = sessions.get(id);
  assert(session !== undefined, "the numbers of requests stand behind their session");
  assert(session.requests === undefined, "a snapshot holds the numbers of a session once");
  session.requests = newRequests(last);
}

function addKept({ sessions, kept: total, zxid: through }: Loading, from: SnapshotKept): void {
  const { session, number, zxid, result } = from;
  const requests = sessions.get(session)?.requests;
  assert(requests !== undefined, "a result stands behind the numbers of its session");
  const before = requests.kept.at(-1)?.number ?? 0;
  assert(number > before && number <= requests.last, "results stand by rising numbers");
  assert(zxid <= through, "a snapshot holds nothing that came after it");
  keepResult(requests, { number, zxid, result }, total);
}

function addZnode({ znodes, sessions, unowned, zxid }: Loading, from: SnapshotZnode): void {
  const { czxid, ephemeralOwner } = from;
  assert(czxid <= zxid, "a snapshot holds nothing that came after it");
  const znode = znodes.restore(from);
  assert(znode !== undefined, "a snapshot holds a znode once");
  if (ephemeralOwner === SESSION_NONE) return;
  const session = sessions.get(ephemeralOwner);
  if (session === undefined) unowned.push(znode);
  else (session.ephemerals ??= new Set()).add(znode);
}

function finish({ head, znodes, sessions, submitters, unowned }: Loading): void {
  for (const znode of unowned) {
    const session = sessions.get(znodes.ephemeralOwner(znode));
    assert(session !== undefined, "a snapshot holds the sessions of its ephemerals");
    (session.ephemerals ??= new Set()).add(znode);
  }
  assert(head !== undefined, "a snapshot has a head");
  assert(znodes.size === head.znodes, "a snapshot holds as many znodes as it says");
  assert(sessions.size === head.sessions, "a snapshot holds as many sessions as it says");
  assert(submitters.size === head.submitters, "a snapshot holds as many submitters as it says");
  assert(znodes.awaited === 0, "a snapshot holds the parents of its znodes");
}

function replaceState(turn: TreeTurn, loading: Loading): void {
  const { state: tree, effects } = turn;
  const { zxid, head, znodes, sessions, submitters, skipped, configuration } = loading;
  const { server, lane, ringBytesMax } = tree.options;
  assert(head !== undefined, "a snapshot has a head");
  assert(zxid >= tree.lastApplied, "a replica never goes back");
  const { lastApplied: before, sessions: formerSessions } = tree;
  tree.lastApplied = zxid;
  tree.lastTimeMs = head.timeMs;
  znodes.moves = tree.znodes.moves + 1;
  tree.znodes = znodes;
  tree.reapWalk = undefined;
  tree.quotas = quotasOf(znodes);
  tree.sessions = sessions;
  tree.kept = loading.kept;
  tree.submitters = submitters;
  tree.skipped = skipped;
  tree.configuration = configuration;
  tree.ring = createRing(ringBytesMax);
  tree.ring.oldest = zxid;
  tree.watches = createWatches();
  tree.behind = [];
  if (hasStreams(tree.streams, "changes")) effects.push(tell("changes", { kind: "treeReset" }));
  if (hasStreams(tree.streams, "feed/1")) effects.push(tell("feed/1", { kind: "treeReset" }));
  tree.streams = createStreams();
  tree.streams.flushed = zxid;
  if (before !== ZXID_NONE) {
    effects.push(tell(`zookeeper/${lane}`, { kind: "treeReset" }));
    effects.push(tell(`nats/${lane}`, { kind: "treeReset" }));
  }
  const own = submitterEntry(submitters, server, lane);
  if (own !== undefined) {
    const { incarnation, seq } = own;
    effects.push(tell(`submitter/${lane}`, { kind: "overtaken", incarnation, seq }));
  }
  const ids = new Set([...sessions.keys(), ...formerSessions.keys()]);
  const changes = sessionChanges(sessions, ids);
  if (changes !== undefined) effects.push(emit("sessions", changes));
  effects.push(tell("log-sync", treeLoaded(tree)));
}

function treeLoaded(tree: TreeState): TreeLoaded {
  const submitters = [...tree.submitters.values()].map(({ server, lane, incarnation, seq }) => ({
    submitter: { server: server as ServerId, lane, incarnation },
    seq,
  }));
  return { kind: "treeLoaded", lane: tree.options.lane, zxid: tree.lastApplied, submitters };
}
