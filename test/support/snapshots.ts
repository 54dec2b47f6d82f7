/** Passes snapshots between replicas that are called directly. It plays the log, which stores the chunks and returns them. */
import { crc32 } from "node:zlib";
import type { TreeLoaded } from "../../actors/tree/messages.ts";
import { chunkHeader, verifyChunk } from "../../protocol/snapshot.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Effect } from "../../runtime/effects.ts";
import type { Replica } from "./replica.ts";

export type Chunk = {
  readonly kind: "storeChunk";
  readonly zxid: Zxid;
  readonly index: number;
  readonly position: number;
  readonly bytes: Uint8Array;
};

/** What is told to an actor. */
export function messagesTo(effects: readonly Effect[], to: string): readonly object[] {
  return effects.flatMap((effect) =>
    effect.kind === "tell" && effect.to === to ? [effect.message] : [],
  );
}

export function chunkOf(effects: readonly Effect[]): Chunk | undefined {
  const [chunk, more] = messagesTo(effects, "log") as readonly Chunk[];
  if (more !== undefined) throw new Error("one chunk at a time");
  return chunk;
}

/** A whole snapshot. `between` is called before each chunk is stored. */
export function cut(replica: Replica, between: (index: number) => void = () => {}): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let chunk = chunkOf(replica.receive({ kind: "cutSnapshot" }));
  while (chunk !== undefined) {
    const { zxid, index, bytes } = chunk;
    const { last } = chunkHeader(bytes);
    check(bytes, { zxid, index });
    if (index !== chunks.length) throw new Error("chunks come in sequence");
    chunks.push(bytes);
    between(index);
    const next = chunkOf(replica.receive({ kind: "chunkStored", zxid, index }));
    if (last !== (next === undefined)) throw new Error("the last chunk says so");
    chunk = next;
  }
  return chunks;
}

function check(bytes: Uint8Array, expected: { zxid: Zxid; index: number }): void {
  if (bytes.buffer.byteLength !== bytes.length) throw new Error("a chunk owns its buffer");
  const verdict = verifyChunk(bytes, 0, crc32);
  if ("fault" in verdict) throw new Error(`a chunk is bad: ${verdict.fault}`);
  const { length, zxid, index } = chunkHeader(bytes);
  const same = zxid === expected.zxid && index === expected.index;
  if (!same || length !== bytes.length) throw new Error("a chunk's header is not its message");
}

/** All effects of loading the chunks, the last chunk's at the end. */
export function load(replica: Replica, chunks: readonly Uint8Array[]): readonly Effect[] {
  let position = 0;
  return chunks.flatMap((bytes) => {
    const { zxid, index } = chunkHeader(bytes);
    if (index === 0) position = 0;
    const begun = index === 0 ? replica.receive({ kind: "loadSnapshot", zxid }) : [];
    const loaded = replica.receive({ kind: "snapshotChunk", zxid, index, position, bytes });
    position += bytes.length;
    return [...begun, ...loaded];
  });
}

export function loadedOf(effects: readonly Effect[]): TreeLoaded {
  const [message, more] = messagesTo(effects, "log-sync") as readonly TreeLoaded[];
  if (message === undefined || more !== undefined) throw new Error("a tree is loaded once");
  return message;
}
