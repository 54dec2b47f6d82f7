/**
 * A replica of the tree without a node: it loads a snapshot, applies records, and cuts a snapshot again, with the code of a node's tree
 * actor, so that what a backup holds means the same here and there. It takes the memory that a lane of a node takes.
 */
import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { applyRecord } from "../../actors/tree/apply/apply.ts";
import { beginCut, chunkStored } from "../../actors/tree/snapshot/cut.ts";
import { beginLoad, loadChunk } from "../../actors/tree/snapshot/load.ts";
import { createState, type TreeState, type TreeTurn } from "../../actors/tree/state.ts";
import { type ChangeKind, createRing, visitChanges } from "../../actors/tree/store/change-ring.ts";
import { HASH_KEY_BYTES } from "../../actors/tree/store/name-hash.ts";
import { SERVER_ID_MIN, type ServerId, type SessionId } from "../../protocol/ids.ts";
import { decodeBatch, encodeBatch } from "../../protocol/batch.ts";
import type { Change } from "../../protocol/reads.ts";
import { encodeRecord, type RecordHeader, recordPayload } from "../../protocol/record.ts";
import { chunkHeader } from "../../protocol/snapshot.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Effect } from "../../runtime/effects.ts";

/** No lane of a node has this number, so that no batch counts as this replica's own and results are not built. */
const LANE_OF_NOBODY = 0;
const NO_CHANGES_BYTES = 0;
/** The changes of earlier records are given up when they are more than that. */
const CHANGES_BYTES_SOFT_MAX = 4 * 1024 * 1024;

/** `build` makes the change of what is kept of it, and is called within the visit or not at all. */
type VisitChange = (path: string, zxid: Zxid, build: () => Change, about: ChangeKind) => void;

export class OfflineTree {
  readonly state: TreeState;
  /** By session, before the last record was applied. Undefined until there are visitors, who alone ask for them. */
  #addresses: Map<SessionId, string | undefined> | undefined;
  #position = 0;

  /** `skips`: the operations that no node has applied (decision 12). */
  constructor(skips: readonly Zxid[] = []) {
    const server = SERVER_ID_MIN as ServerId;
    const options = { server, lane: LANE_OF_NOBODY, crc32, ringBytesMax: NO_CHANGES_BYTES };
    const key = new Uint8Array(randomBytes(HASH_KEY_BYTES));
    this.state = createState({ ...options, skips: new Set(skips) }, key);
  }

  /** Loads the chunks of a snapshot one after the other. Returns whether this was the last. Throws if they do not make a state. */
  load(bytes: Uint8Array): boolean {
    const { zxid, index } = chunkHeader(bytes);
    const turn = turnOf(this.state);
    if (index === 0) {
      beginLoad(turn, zxid);
      this.#position = 0;
    }
    const position = this.#position;
    this.#position += bytes.length;
    return loadChunk(turn, { kind: "snapshotChunk", zxid, index, position, bytes });
  }

  /** Applies the record that follows. Throws if that cannot be done. */
  apply(record: Uint8Array): void {
    this.#noteAddresses();
    applyRecord(turnOf(this.state), record);
  }

  /** Applies the record that follows, and then calls `visit` with each change of a znode that it has made, in order. */
  applyVisiting(record: Uint8Array, visit: VisitChange): void {
    const { state } = this;
    const before = state.lastApplied;
    const { bytes, bytesMax } = state.ring;
    this.#addresses ??= new Map([...state.sessions].map(([id, { address }]) => [id, address]));
    // The changes of one record may be many, and all of them are wanted.
    if (bytesMax === NO_CHANGES_BYTES || bytes > CHANGES_BYTES_SOFT_MAX) {
      state.ring = createRing(Number.POSITIVE_INFINITY);
    }
    this.apply(record);
    visitChanges(state.ring, before, visit);
  }

  /** For visitors: the address from which the session was attached before the record. The session may have ended with it. */
  addressBefore(session: SessionId): string | undefined {
    return this.#addresses?.get(session);
  }

  #noteAddresses(): void {
    const { sessions, sessionsTouched } = this.state;
    for (const id of sessionsTouched) {
      const session = sessions.get(id);
      if (session === undefined) this.#addresses?.delete(id);
      else this.#addresses?.set(id, session.address);
    }
    sessionsTouched.clear();
  }

  /** Cuts a snapshot of the state, chunk by chunk. */
  *cut(): Generator<Uint8Array> {
    const { state } = this;
    let turn = turnOf(state);
    beginCut(turn);
    for (;;) {
      const chunk = chunkIn(turn.effects);
      if (chunk === undefined) return;
      yield chunk;
      const { zxid, index } = chunkHeader(chunk);
      turn = turnOf(state);
      chunkStored(turn, zxid, index);
    }
  }
}

/** Nothing of what a tree does with a record depends on a clock or on chance. */
function turnOf(state: TreeState): TreeTurn {
  const still = { nowMs: 0, wallMs: 0, random: () => 0 };
  return { state, effects: [], ...still, randomBytes: (length) => new Uint8Array(length) };
}

function chunkIn(effects: readonly Effect[]): Uint8Array | undefined {
  for (const effect of effects) {
    if (effect.kind !== "tell" || !("bytes" in effect.message)) continue;
    const { bytes } = effect.message;
    if (bytes instanceof Uint8Array) return bytes;
  }
  return undefined;
}

/** The record, or of a batch those of its operations that are not after `toZxid`. Undefined: all of it is later. */
export function recordUpTo(
  { bytes, header }: { readonly bytes: Uint8Array; readonly header: RecordHeader },
  toZxid: Zxid | undefined,
): Uint8Array | undefined {
  const { firstZxid, lastZxid } = header;
  if (toZxid === undefined || lastZxid <= toZxid) return bytes;
  if (firstZxid > toZxid) return undefined;
  const operations = decodeBatch(recordPayload(bytes)).slice(0, toZxid - firstZxid + 1);
  return encodeRecord({ ...header, lastZxid: toZxid }, encodeBatch(operations), crc32);
}
