/**
 * The znodes of a tree and running totals. A znode is known by its number, which is good until the znode is released. What is known of
 * it lies outside of the heap: fields of a fixed size in rows, its name and data in an arena. It is found by its parent's number and its
 * name; the children of a parent are a ring in the order in which they came. How it all lies: docs/internals/tree-store.md.
 */
import { OPEN_ACL, type Acl } from "../../../protocol/acl.ts";
import { assert } from "../../../protocol/assert.ts";
import { SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import type { Lifetime } from "../../../protocol/lifetime.ts";
import type { SnapshotZnode } from "../../../protocol/snapshot-entries.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { AclLists } from "./acl-lists.ts";
import { Arena, ARENA_BYTES_MAX } from "./arena.ts";
import { Copies } from "./copies.ts";
import { Families, FAMILY_NONE, type Family } from "./families.ts";
import { NameHash } from "./name-hash.ts";
import { NameTable } from "./name-table.ts";
import type { NewZnode, ZnodesSetup } from "./new-znode.ts";
import { PathBytes } from "./path-bytes.ts";
import { ROW_NONE, Rows } from "./rows.ts";
import { Siblings } from "./siblings.ts";
import { Subtrees } from "./subtrees.ts";

export type ZnodeId = number & { readonly __brand: "ZnodeId" };

// The columns of a row that are doubles, and behind them those that are 32-bit words.
const CZXID = 0;
const MZXID = 1;
const CTIME = 2;
const MTIME = 3;
const VERSION = 8;
const FAMILY = 9;
const PARENT = 10;
const PREVIOUS = 11;
const NEXT = 12;
const ADDRESS = 13;
const NEXT_OF_BUCKET = 14;
const HASH = 15;
const ROW_BYTES = 64;
const ABOVE = { parent: PARENT, family: FAMILY };

/** The measured bytes of a znode beside its entry in the arena: its row, its bucket, and its share of a parent's family. */
export const ZNODE_BYTES = 72;
/** What a znode that is ephemeral, or has a lifetime or a list of its own, takes in the heap. */
export const EXTRA_HEAP_BYTES = 160;

const ROOT = 1 as ZnodeId;
const SLASH = 0x2f;
/** As a znode's parent: it is not in the tree. */
const NO_PARENT = 0xffff_ffff;
/** As a znode's czxid: it is only known as the parent of another, and still has to come. */
const CZXID_AWAITED = -1;
/** A JavaScript map holds 2^24 entries. */
const OWNERS_MAX: number = 2 ** 24;

export class Znodes {
  readonly setup: ZnodesSetup;
  /** The znodes that have a lifetime. */
  readonly lifetimes: Map<ZnodeId, Lifetime> = new Map();
  /** The sum of the lengths of all paths and values, which ZooKeeper calls the approximate data size. */
  dataBytes = 0;
  /** How often a child came to stand elsewhere among its siblings, which is with all others when a snapshot is loaded. */
  moves = 0;
  #size = 0;
  #ephemerals = 0;
  #awaited = 0;
  readonly #rows = new Rows(ROW_BYTES, NEXT);
  readonly #families = new Families();
  readonly #arena: Arena;
  readonly #table = new NameTable(this.#rows, { hash: HASH, next: NEXT_OF_BUCKET });
  readonly #hash: NameHash;
  readonly #siblings = new Siblings(this.#rows, this.#families, { previous: PREVIOUS, next: NEXT });
  /** What there is below each znode. */
  readonly below: Subtrees = new Subtrees(this.#rows, this.#families, ABOVE);
  readonly #owners = new Map<number, SessionId>();
  readonly #acls = new AclLists();
  readonly #path = new PathBytes();
  readonly #copies = new Copies();
  /** The name that was looked for last, which is still in `#path`: a create looks for what it then adds. */
  readonly #sought = { path: "", parent: 0, hash: 0, length: 0 };
  /** The znode whose path was put together last, since mostly its next child follows. */
  #known = { id: ROOT, path: "" };

  /** Makes a tree without znodes. */
  constructor(setup: ZnodesSetup) {
    this.setup = setup;
    this.#hash = new NameHash(setup.key);
    this.#arena = new Arena(setup.slabBytes, (id, address) => {
      this.#rows.setWord(id, ADDRESS, address);
    });
    const root = this.#rows.take();
    assert(root === ROOT, "the root is the first znode");
    this.#begin(root, ROW_NONE);
    this.#arena.add(root, this.#path.bytes, 0, null);
    this.#awaited = 1;
  }

  get size(): number {
    return this.#size;
  }

  get ephemerals(): number {
    return this.#ephemerals;
  }

  /** How many znodes are known only as parents of others. */
  get awaited(): number {
    return this.#awaited;
  }

  /** The numbers of all znodes are lower. */
  get end(): number {
    return this.#rows.end;
  }

  /** The memory that the znodes take, but for what is in the heap. It depends only on which znodes there are. */
  get bytes(): number {
    return this.#size * ZNODE_BYTES + this.#arena.bytes;
  }

  /** What the names and data of the znodes take, and the memory that is set aside for them. */
  get entryBytes(): number {
    return this.#arena.bytes;
  }

  get slabBytes(): number {
    return this.#arena.slabBytes;
  }

  get heapBytes(): number {
    const { size } = this.lifetimes;
    const extras = this.#owners.size + size + this.#acls.size + this.#arena.elsewhere;
    return extras * EXTRA_HEAP_BYTES + this.#acls.bytes;
  }

  /** The share that is used of what the store has numbers for. */
  get usedShare(): number {
    const size = Math.max(this.#owners.size, this.lifetimes.size, this.#acls.size);
    return Math.max(this.#arena.slabBytes / ARENA_BYTES_MAX, size / OWNERS_MAX);
  }

  /** Returns the znode at the path; undefined if there is none, or none can be. */
  find(path: string): ZnodeId | undefined {
    return this.#findUpTo(path, path.length);
  }

  /** Returns the znode under which one with this path is or would be. */
  findParent(path: string): ZnodeId | undefined {
    const slash = path.lastIndexOf("/");
    return slash <= 0 ? ROOT : this.#findUpTo(path, slash);
  }

  /** Returns the child with this path of the parent, which `findParent` has returned for it. */
  findChild(parent: ZnodeId, path: string): ZnodeId | undefined {
    if (path === "/") return ROOT;
    const { hash, length } = this.#seek(parent, path);
    return this.#search(parent, hash, 0, length);
  }

  /** Adds a znode that is not there. */
  add(parent: ZnodeId, path: string, made: NewZnode): ZnodeId {
    const id = this.#place(parent, path, made.data);
    this.#fill(id, path, made);
    return id;
  }

  /** Takes the znode, which has no children, out of the tree. It can still be read and put back until it is released. */
  unlink(id: ZnodeId, path: string): void {
    assert(this.numChildren(id) === 0, "a znode with children stays");
    this.#table.remove(id);
    this.#siblings.leave(this.#familyOf(this.parent(id)), id);
    this.#count(id, path, -1);
    this.#rows.setWord(id, PARENT, NO_PARENT);
  }

  /** Puts the znode back that was unlinked last. */
  relink(id: ZnodeId, parent: ZnodeId, path: string): void {
    this.moves += 1;
    const { hash } = this.#seek(parent, path);
    this.#rows.setWord(id, PARENT, parent);
    this.#table.insert(id, hash);
    this.#siblings.join(this.#familyOf(parent), id);
    this.#count(id, path, 1);
  }

  /** Forgets a znode that was unlinked. Its number will be another's. */
  release(id: ZnodeId): void {
    const rows = this.#rows;
    assert(rows.word(id, PARENT) === NO_PARENT, "only what is unlinked is released");
    this.#arena.remove(id, rows.word(id, ADDRESS));
    const family = rows.word(id, FAMILY);
    if (family !== FAMILY_NONE) this.#families.drop(family);
    if (this.#owners.size > 0) this.#owners.delete(id);
    if (this.lifetimes.size > 0) this.lifetimes.delete(id);
    if (this.#acls.size > 0) this.#acls.delete(id);
    if (this.#known.id === id) this.#known = { id: ROOT, path: "" };
    rows.give(id);
  }

  /** Whether a znode has this number. */
  isPresent(id: number): id is ZnodeId {
    return this.#rows.word(id, PARENT) !== NO_PARENT && this.#rows.number(id, CZXID) >= 0;
  }

  path(id: ZnodeId): string {
    if (id === ROOT) return "/";
    const parent = this.parent(id);
    if (parent !== this.#known.id) this.#known = { id: parent, path: this.#joined(parent) };
    return `${this.#known.path}/${this.name(id)}`;
  }

  /** The last name of the path. */
  name(id: ZnodeId): string {
    return this.#arena.name(this.#rows.word(id, ADDRESS));
  }

  parent(id: ZnodeId): ZnodeId {
    return this.#rows.word(id, PARENT) as ZnodeId;
  }

  /** The names of the children, in the order in which they came. */
  children(id: ZnodeId): string[] {
    const names: string[] = [];
    this.visitChildren(id, (child) => names.push(this.name(child)));
    return names;
  }

  visitChildren(id: ZnodeId, visit: (child: ZnodeId) => void): void {
    const family = this.#rows.word(id, FAMILY);
    if (family !== FAMILY_NONE) this.#siblings.visit(family, (child) => visit(child as ZnodeId));
  }

  /** The child that came after this one, or the first; undefined behind the last. */
  childAfter(parent: ZnodeId, child: ZnodeId | undefined): ZnodeId | undefined {
    const family = this.#rows.word(parent, FAMILY);
    return family === FAMILY_NONE ? undefined : (this.#siblings.after(family, child) as ZnodeId);
  }

  numChildren(id: ZnodeId): number {
    const family = this.#rows.word(id, FAMILY);
    return family === FAMILY_NONE ? 0 : this.#families.count(family);
  }

  czxid(id: ZnodeId): Zxid {
    return this.#rows.number(id, CZXID) as Zxid;
  }

  mzxid(id: ZnodeId): Zxid {
    return this.#rows.number(id, MZXID) as Zxid;
  }

  ctime(id: ZnodeId): number {
    return this.#rows.number(id, CTIME);
  }

  mtime(id: ZnodeId): number {
    return this.#rows.number(id, MTIME);
  }

  version(id: ZnodeId): number {
    return this.#rows.word(id, VERSION) | 0;
  }

  /** Notes a change of the data, or that it is undone. */
  setModified(id: ZnodeId, mzxid: Zxid, mtime: number, version: number): void {
    this.#rows.setNumber(id, MZXID, mzxid);
    this.#rows.setNumber(id, MTIME, mtime);
    this.#rows.setWord(id, VERSION, version);
  }

  pzxid(id: ZnodeId): Zxid {
    const family = this.#rows.word(id, FAMILY);
    return family === FAMILY_NONE ? this.czxid(id) : (this.#families.pzxid(family) as Zxid);
  }

  /** How many children were ever created, which is the suffix of the next sequential child. Signed 32 bits, as in ZooKeeper. */
  creates(id: ZnodeId): number {
    const family = this.#rows.word(id, FAMILY);
    return family === FAMILY_NONE ? 0 : this.#families.creates(family);
  }

  /** Notes that a child was created or deleted, or that this is undone. */
  setParental(id: ZnodeId, pzxid: Zxid, creates: number): void {
    const family = this.#familyOf(id);
    this.#families.setPzxid(family, pzxid);
    this.#families.setCreates(family, creates);
  }

  ephemeralOwner(id: ZnodeId): SessionId {
    if (this.#owners.size === 0) return SESSION_NONE;
    return this.#owners.get(id) ?? SESSION_NONE;
  }

  acl(id: ZnodeId): readonly Acl[] {
    return this.#acls.of(id).acl;
  }

  /** Returns the list of the znode under which one with this path is or would be. */
  parentAcl(path: string): readonly Acl[] | undefined {
    const parent = this.findParent(path);
    return parent === undefined ? undefined : this.acl(parent);
  }

  aversion(id: ZnodeId): number {
    return this.#acls.of(id).aversion;
  }

  setAcl(id: ZnodeId, acl: readonly Acl[], aversion: number): void {
    this.#acls.set(id, acl, aversion);
  }

  /** Whether there is a znode that not everybody may read. */
  get hasClosed(): boolean {
    return this.#acls.hasClosed;
  }

  /** The data. Nobody overwrites what is returned. */
  data(id: ZnodeId): Uint8Array | null {
    return this.#arena.data(id, this.#rows.word(id, ADDRESS), this.#copies);
  }

  dataLength(id: ZnodeId): number {
    return this.#arena.dataLength(id, this.#rows.word(id, ADDRESS));
  }

  /** Replaces the data by a copy of `data`. */
  setData(id: ZnodeId, data: Uint8Array | null): void {
    const more = (data?.length ?? 0) - this.dataLength(id);
    this.dataBytes += more;
    if (more !== 0) this.below.add(this.parent(id), 0, more);
    this.#arena.put(id, this.#rows.word(id, ADDRESS), data);
  }

  /** The memory that comes free with the znode. */
  bytesOf(id: ZnodeId): number {
    return ZNODE_BYTES + this.#arena.bytesOf(id, this.#rows.word(id, ADDRESS));
  }

  stat(id: ZnodeId): Stat {
    const numChildren = this.numChildren(id);
    return {
      czxid: this.czxid(id),
      mzxid: this.mzxid(id),
      ctime: this.ctime(id),
      mtime: this.mtime(id),
      version: this.version(id),
      // The number of creates and deletes of children together.
      cversion: (this.creates(id) * 2 - numChildren) | 0,
      aversion: this.aversion(id),
      ephemeralOwner: this.ephemeralOwner(id),
      dataLength: this.dataLength(id),
      numChildren,
      pzxid: this.pzxid(id),
    };
  }

  /**
   * Adds a znode of a snapshot. Znodes may come before their parents: what is above this one and not yet there is awaited. Returns
   * undefined if the znode is there already.
   */
  restore(from: SnapshotZnode): ZnodeId | undefined {
    const { path, acl, czxid, ctime, ephemeralOwner: owner, lifetime, data } = from;
    const parent = path === "/" ? ROOT : this.#awaitParent(path);
    const awaited = this.findChild(parent, path);
    if (awaited !== undefined && this.isPresent(awaited)) return undefined;
    const found = awaited ?? this.#place(parent, path, data);
    if (awaited !== undefined) this.#arena.put(found, this.#rows.word(found, ADDRESS), data);
    this.#fill(found, path, { acl, zxid: czxid, timeMs: ctime, owner, lifetime });
    this.setModified(found, from.mzxid, from.mtime, from.version);
    this.setAcl(found, acl, from.aversion);
    if (from.pzxid !== czxid || from.creates !== 0 || this.numChildren(found) > 0) {
      this.setParental(found, from.pzxid, from.creates);
    }
    return found;
  }

  #awaitParent(path: string): ZnodeId {
    const slash = path.lastIndexOf("/");
    if (slash <= 0) return ROOT;
    const { id, path: known } = this.#known;
    if (known.length === slash && path.startsWith(known)) return id;
    const above = path.slice(0, slash);
    const parent = this.find(above) ?? this.#awaitZnode(above);
    this.#known = { id: parent, path: above };
    return parent;
  }

  /** Adds a znode that is not there yet, with all above it. */
  #awaitZnode(path: string): ZnodeId {
    let parent = ROOT;
    for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
      const upTo = end === -1 ? path : path.slice(0, end);
      parent = this.findChild(parent, upTo) ?? this.#place(parent, upTo, null);
      if (end === -1) return parent;
    }
  }

  #findUpTo(path: string, end: number): ZnodeId | undefined {
    if (path.charCodeAt(0) !== SLASH) return undefined;
    if (end === 1) return ROOT;
    this.#sought.parent = 0;
    const length = this.#path.write(path, 0, end);
    const { bytes } = this.#path;
    let id = ROOT;
    for (let start = 1; start <= length; ) {
      let slash = start;
      while (slash < length && bytes[slash] !== SLASH) slash += 1;
      const child = this.#search(id, this.#hash.of(id, bytes, start, slash), start, slash);
      if (child === undefined) return undefined;
      id = child;
      start = slash + 1;
    }
    return id;
  }

  /** Writes the last name of the path to `#path`, unless it is there, and returns its hash within the parent. */
  #seek(parent: ZnodeId, path: string): { readonly hash: number; readonly length: number } {
    const sought = this.#sought;
    if (sought.parent === parent && sought.path === path) return sought;
    sought.path = path;
    sought.parent = parent;
    sought.length = this.#path.write(path, path.lastIndexOf("/") + 1, path.length);
    sought.hash = this.#hash.of(parent, this.#path.bytes, 0, sought.length);
    return sought;
  }

  #search(parent: number, hash: number, start: number, end: number): ZnodeId | undefined {
    const rows = this.#rows;
    const { bytes } = this.#path;
    let row = this.#table.first(hash);
    while (row !== ROW_NONE) {
      const isIt =
        rows.word(row, HASH) === hash &&
        rows.word(row, PARENT) === parent &&
        this.#arena.hasName(rows.word(row, ADDRESS), bytes, start, end);
      if (isIt) return row as ZnodeId;
      row = rows.word(row, NEXT_OF_BUCKET);
    }
    return undefined;
  }

  /** Makes a znode that has its place in the tree and its data, and is awaited. */
  #place(parent: ZnodeId, path: string, data: Uint8Array | null): ZnodeId {
    const { hash, length } = this.#seek(parent, path);
    const id = this.#rows.take() as ZnodeId;
    this.#begin(id, parent);
    this.#arena.add(id, this.#path.bytes, length, data);
    this.#table.insert(id, hash);
    this.#siblings.join(this.#familyOf(parent), id);
    this.#awaited += 1;
    return id;
  }

  #begin(row: number, parent: number): void {
    const rows = this.#rows;
    rows.setNumber(row, CZXID, CZXID_AWAITED);
    rows.setWord(row, FAMILY, FAMILY_NONE);
    rows.setWord(row, PARENT, parent);
  }

  /** Gives an awaited znode all but its data. */
  #fill(id: ZnodeId, path: string, made: Omit<NewZnode, "data">): void {
    const rows = this.#rows;
    const { acl, zxid, timeMs, owner, lifetime } = made;
    this.#awaited -= 1;
    rows.setNumber(id, CZXID, zxid);
    rows.setNumber(id, CTIME, timeMs);
    this.setModified(id, zxid, timeMs, 0);
    if (acl !== OPEN_ACL) this.setAcl(id, acl, 0);
    if (owner !== SESSION_NONE) this.#owners.set(id, owner);
    if (lifetime !== undefined) this.lifetimes.set(id, lifetime);
    this.#count(id, path, 1);
  }

  #count(id: ZnodeId, path: string, by: 1 | -1): void {
    const bytes = by * this.dataLength(id);
    this.#size += by;
    this.dataBytes += by * path.length + bytes;
    this.below.add(this.parent(id), by, bytes);
    if (this.ephemeralOwner(id) !== SESSION_NONE) this.#ephemerals += by;
  }

  #familyOf(id: ZnodeId): Family {
    const known = this.#rows.word(id, FAMILY);
    if (known !== FAMILY_NONE) return known;
    const family = this.#families.add(this.czxid(id));
    this.#rows.setWord(id, FAMILY, family);
    return family;
  }

  #joined(id: ZnodeId): string {
    let path = "";
    for (let at = id; at !== ROOT; at = this.parent(at)) path = `/${this.name(at)}${path}`;
    return path;
  }
}
