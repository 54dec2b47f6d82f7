/** The store of znodes beside a plain map of paths that does the same: what a test does to one it does to both, and then compares. */
import { entryOf } from "../../actors/tree/snapshot/entry.ts";
import type { ZnodesSetup } from "../../actors/tree/store/new-znode.ts";
import { Znodes, type ZnodeId } from "../../actors/tree/store/znodes.ts";
import { OPEN_ACL, type Acl } from "../../protocol/acl.ts";
import { SESSION_NONE, type SessionId } from "../../protocol/ids.ts";
import { nameOf, parentOf } from "../../protocol/paths.ts";
import type { SnapshotZnode } from "../../protocol/snapshot-entries.ts";
import type { Zxid } from "../../protocol/zxid.ts";

type Plain = {
  readonly acl: readonly Acl[];
  readonly aversion: number;
  readonly data: Uint8Array | null;
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly version: number;
  readonly creates: number;
  readonly owner: number;
  readonly children: readonly string[];
};

export class ZnodesModel {
  readonly znodes: Znodes;
  readonly plain: Map<string, Plain> = new Map();
  #zxid = 0;

  constructor(setup: ZnodesSetup) {
    this.znodes = new Znodes(setup);
    const zero = 0 as Zxid;
    const root = { path: "/", data: null, acl: OPEN_ACL, czxid: zero, mzxid: zero, pzxid: zero };
    const times = { ctime: 0, mtime: 0, version: 0, creates: 0, aversion: 0 };
    this.znodes.restore({ ...root, ...times, ephemeralOwner: SESSION_NONE, lifetime: undefined });
    const none = { aversion: 0, version: 0, creates: 0, owner: 0, children: [] };
    this.plain.set("/", { acl: OPEN_ACL, data: null, czxid: 0, mzxid: 0, pzxid: 0, ...none });
  }

  get paths(): readonly string[] {
    return [...this.plain.keys()];
  }

  id(path: string): ZnodeId {
    const id = this.znodes.find(path);
    if (id === undefined) throw new Error(`${path} is missing`);
    return id;
  }

  /** Returns false if the znode is there, or its parent is not. */
  create(path: string, data: Uint8Array | null, owner = 0): boolean {
    const parent = this.plain.get(parentOf(path));
    if (parent === undefined || this.plain.has(path)) return false;
    this.#zxid += 1;
    const zxid = this.#zxid as Zxid;
    const ends = { owner: owner as SessionId, lifetime: undefined };
    const made = { acl: OPEN_ACL, zxid, timeMs: zxid, ...ends, data };
    const above = this.id(parentOf(path));
    this.znodes.add(above, path, made);
    this.znodes.setParental(above, zxid, this.znodes.creates(above) + 1);
    const children = [...parent.children, nameOf(path)];
    const creates = parent.creates + 1;
    this.plain.set(parentOf(path), { ...parent, children, creates, pzxid: zxid });
    const zxids = { czxid: zxid, mzxid: zxid, pzxid: zxid };
    const none = { aversion: 0, version: 0, creates: 0, children: [] };
    this.plain.set(path, { acl: OPEN_ACL, data, owner, ...zxids, ...none });
    return true;
  }

  set(path: string, data: Uint8Array | null): void {
    const plain = this.plain.get(path);
    if (plain === undefined) return;
    this.#zxid += 1;
    const id = this.id(path);
    this.znodes.setData(id, data);
    this.znodes.setModified(id, this.#zxid as Zxid, this.#zxid, plain.version + 1);
    this.plain.set(path, { ...plain, data, mzxid: this.#zxid, version: plain.version + 1 });
  }

  setAcl(path: string, acl: readonly Acl[]): void {
    const plain = this.plain.get(path);
    if (plain === undefined) return;
    this.znodes.setAcl(this.id(path), acl, plain.aversion + 1);
    this.plain.set(path, { ...plain, acl, aversion: plain.aversion + 1 });
  }

  /** Removes a znode without children; `back` puts it back at once, as a refused multi does. */
  remove(path: string, back = false): void {
    const plain = this.plain.get(path);
    const parent = this.plain.get(parentOf(path));
    if (path === "/" || plain?.children.length !== 0 || parent === undefined) return;
    const id = this.id(path);
    const above = this.znodes.parent(id);
    this.znodes.unlink(id, path);
    const others = parent.children.filter((name) => name !== nameOf(path));
    if (back) {
      this.znodes.relink(id, above, path);
      const children = [...others, nameOf(path)];
      this.plain.set(parentOf(path), { ...parent, children });
      return;
    }
    this.znodes.release(id);
    this.plain.set(parentOf(path), { ...parent, children: others });
    this.plain.delete(path);
  }

  /** All that the store knows of its znodes, by path. */
  held(): Map<string, Plain> {
    return heldBy(this.znodes);
  }

  /** What the totals should be. */
  get totals(): object {
    let dataBytes = 0;
    let ephemerals = 0;
    for (const [path, { data, owner }] of this.plain) {
      dataBytes += path.length + (data?.length ?? 0);
      if (owner !== 0) ephemerals += 1;
    }
    return { size: this.plain.size, dataBytes, ephemerals, awaited: 0 };
  }

  /** How many znodes there are below each, and the bytes of their data. */
  get below(): Map<string, Below> {
    return new Map(this.paths.map((path) => [path, this.#belowOf(path)]));
  }

  #belowOf(path: string): Below {
    const start = path === "/" ? path : `${path}/`;
    let [count, bytes] = [0, 0];
    for (const [each, { data }] of this.plain) {
      if (each === path || !each.startsWith(start)) continue;
      count += 1;
      bytes += data?.length ?? 0;
    }
    return { count, bytes };
  }
}

type Below = { readonly count: number; readonly bytes: number };

export function belowOf(znodes: Znodes): Map<string, Below> {
  return new Map(
    [...heldBy(znodes).keys()].map((path) => {
      const id = znodes.find(path);
      if (id === undefined) throw new Error(`${path} is not found`);
      return [path, { count: znodes.below.count(id), bytes: znodes.below.bytes(id) }];
    }),
  );
}

export function heldBy(znodes: Znodes): Map<string, Plain> {
  const held = new Map<string, Plain>();
  for (const entry of entriesOf(znodes)) {
    const { path, acl, aversion, czxid, mzxid, pzxid, version, creates } = entry;
    const id = znodes.find(path);
    if (id === undefined) throw new Error(`${path} is not found`);
    const data = znodes.data(id);
    const children = znodes.children(id);
    const owner = entry.ephemeralOwner;
    const plain = { acl, aversion, data, czxid, mzxid, pzxid, version, creates, owner, children };
    held.set(path, plain);
  }
  return held;
}

export function entriesOf(znodes: Znodes): SnapshotZnode[] {
  const entries: SnapshotZnode[] = [];
  for (let id = 1; id < znodes.end; id += 1) {
    if (znodes.isPresent(id)) entries.push(entryOf(znodes, id));
  }
  return entries;
}

export function totalsOf({ size, dataBytes, ephemerals, awaited }: Znodes): object {
  return { size, dataBytes, ephemerals, awaited };
}
