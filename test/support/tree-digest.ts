/**
 * A hash of the whole replicated state: equal on every node and lane that has applied the same records. It finds
 * replicas that went apart; it is no protection against forgery.
 */
import { entryOf } from "../../actors/tree/snapshot/entry.ts";
import type { Acl } from "../../protocol/acl.ts";
import { type Requests, requestsSoFar } from "../../actors/tree/store/requests.ts";
import { type NativeResult, packResult } from "../../protocol/native-packing.ts";
import { encodeConfiguration } from "../../protocol/configuration.ts";
import type { SnapshotZnode } from "../../protocol/snapshot-entries.ts";
import type { TreeState } from "../../actors/tree/state.ts";

type Hash = { one: number; other: number };

export function digestOf(tree: TreeState): string {
  const hash: Hash = { one: 0x2545_f491, other: 0x9e37_79b9 | 0 };
  addNumber(hash, tree.lastApplied);
  for (const znode of znodesOf(tree)) addZnode(hash, tree, znode);
  const sessions = [...tree.sessions.values()].sort((a, b) => a.id - b.id);
  addNumber(hash, sessions.length);
  for (const { id, timeoutMs, attachedAt, password, address, requests } of sessions) {
    if (requests !== undefined) addRequests(hash, requests);
    if (address !== undefined) addText(hash, address);
    addNumber(hash, id);
    addNumber(hash, timeoutMs);
    addNumber(hash, attachedAt);
    addBytes(hash, password);
  }
  const submitters = [...tree.submitters.entries()].sort(([a], [b]) => a - b);
  addNumber(hash, submitters.length);
  for (const [key, { incarnation, seq }] of submitters) {
    addNumber(hash, key);
    addNumber(hash, incarnation);
    addNumber(hash, seq);
  }
  for (const zxid of tree.skipped) addNumber(hash, zxid);
  if (tree.configuration !== undefined) addBytes(hash, encodeConfiguration(tree.configuration));
  return hex(hash.one) + hex(hash.other);
}

function addRequests(hash: Hash, requests: Requests): void {
  const { last, kept } = requestsSoFar(requests);
  addNumber(hash, last);
  for (const { number, zxid, result } of kept) {
    addNumber(hash, number);
    addNumber(hash, zxid);
    addText(hash, JSON.stringify(packResult(result as NativeResult)));
  }
}

/** All znodes, sorted by their paths. */
function znodesOf({ znodes }: TreeState): SnapshotZnode[] {
  const entries: SnapshotZnode[] = [];
  for (let id = 1; id < znodes.end; id += 1) {
    if (znodes.isPresent(id)) entries.push(entryOf(znodes, id));
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function addZnode(hash: Hash, { znodes }: TreeState, znode: SnapshotZnode): void {
  const { path } = znode;
  const id = znodes.find(path);
  addText(hash, path);
  addBytes(hash, znode.data);
  addAcl(hash, znode.acl);
  for (const value of [znode.czxid, znode.mzxid, znode.pzxid, znode.ctime, znode.mtime]) {
    addNumber(hash, value);
  }
  for (const value of [znode.version, znode.creates, znode.aversion]) {
    addNumber(hash, value);
  }
  addNumber(hash, id === undefined ? -1 : znodes.numChildren(id));
  addNumber(hash, znode.ephemeralOwner);
  if (znode.lifetime !== undefined) addNumber(hash, znode.lifetime);
}

function addAcl(hash: Hash, acl: readonly Acl[]): void {
  addWord(hash, acl.length);
  for (const { permissions, scheme, id } of acl) {
    addWord(hash, permissions);
    addText(hash, scheme);
    addText(hash, id);
  }
}

function addText(hash: Hash, text: string): void {
  addWord(hash, text.length);
  for (let index = 0; index < text.length; index++) addWord(hash, text.charCodeAt(index));
}

/** Null and empty differ. */
function addBytes(hash: Hash, bytes: Uint8Array | null): void {
  addWord(hash, bytes === null ? -1 : bytes.length);
  if (bytes !== null) for (const byte of bytes) addWord(hash, byte);
}

function addNumber(hash: Hash, value: number): void {
  addWord(hash, Math.floor(value / 2 ** 32));
  addWord(hash, value);
}

/** Takes the low 32 bits of `word`. Two multiplications by odd constants that differ, each stirred by the other half. */
function addWord(hash: Hash, word: number): void {
  hash.one = Math.imul(hash.one ^ word, 0x85eb_ca6b);
  hash.one ^= hash.one >>> 15;
  hash.other = Math.imul((hash.other + word) ^ hash.one, 0xc2b2_ae35);
  hash.other ^= hash.other >>> 13;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
