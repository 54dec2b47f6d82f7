/** The chunks of a snapshot, one after the other, as a tree loads them. */
import { crc32 } from "node:zlib";
import { AssertionError } from "../../../protocol/assert.ts";
import { chunkHeader, verifyChunk } from "../../../protocol/snapshot.ts";
import { ChunkError } from "../../../protocol/snapshot-entries.ts";
import type { Random } from "../../sim/random.ts";
import { bytes, client, create, PASSWORD, Replica, setData } from "../../support/replica.ts";
import { cut, load } from "../../support/snapshots.ts";
import { mutate } from "../mutate.ts";
import { hex, must, refusal, type Target } from "../target.ts";
import { resealed } from "./folder-bytes.ts";

function snapshot(input: Uint8Array): string {
  const replica = new Replica();
  let at = 0;
  let chunks = 0;
  while (at < input.length) {
    const verdict = verifyChunk(input, at, crc32);
    if ("fault" in verdict) return `${verdict.fault} after ${Math.min(chunks, 3)}`;
    const chunk = input.slice(at, at + verdict.length);
    must(chunkHeader(chunk).length === chunk.length, "a chunk is as long as it says");
    const refused = refusal(() => void load(replica, [chunk]), AssertionError, ChunkError);
    if (refused !== undefined) return refused.replaceAll(/\d+/g, "N");
    at += verdict.length;
    chunks += 1;
  }
  return `loaded ${Math.min(chunks, 3)}`;
}

function seeds(): Uint8Array[] {
  const replica = new Replica({ snapshotChunkBytes: 400 });
  const session = replica.session();
  for (const path of ["/a", "/a/b", "/c"])
    replica.do(session, create(path, { data: bytes("data") }));
  replica.do(session, create("/a/e", { ephemeral: true, sequential: true }));
  replica.do(session, setData("/a", bytes("longer than before")));
  replica.commit(client(session, { kind: "setAcl", path: "/c", acl: ACL, version: -1 }));
  replica.commit({ kind: "createSession", timeoutMs: 5000, password: PASSWORD });
  const small = cut(replica);
  const whole = cut(new Replica());
  return [small, whole, small.slice(0, 1)].map((chunks) => new Uint8Array(Buffer.concat(chunks)));
}

const ACL = [{ permissions: 31, scheme: "world", id: "anyone" }];

function vary(bytes: Uint8Array, random: Random): Uint8Array {
  return resealed(mutate(bytes, random, { tokens: TOKENS, other: bytes, bytesMax: 64 * 1024 }));
}

const TOKENS: readonly Uint8Array[] = [
  "5a534e50",
  "00000001",
  "ffffffff",
  "04",
  "03",
  "02",
  "01",
  "0000000000000005",
].map(hex);

export const SNAPSHOTS: readonly Target[] = [
  { name: "snapshots", bytesMax: 1024 * 1024, tokens: TOKENS, vary, seeds, run: snapshot },
];
