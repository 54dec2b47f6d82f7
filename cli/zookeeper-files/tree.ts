/**
 * The tree of an Apache ZooKeeper that is being read from its files, in the memory of a tree of ours. Its snapshots are *fuzzy*: they were
 * written while transactions were applied, so they may hold part of what the transactions after them do. So each of those is applied as
 * ZooKeeper's DataTree applies it when it starts, where what is done already is no error.
 */
import { randomBytes } from "node:crypto";
import { OPEN_ACL, type Acl, isOpenEntry } from "../../protocol/acl.ts";
import { PASSWORD_BYTES, SESSION_NONE, type SessionId } from "../../protocol/ids.ts";
import { CONTAINER, type Lifetime, ttlOf } from "../../protocol/lifetime.ts";
import { CONFIG_PATH, SPECIAL_PATHS } from "../../protocol/paths.ts";
import { QuotaNumbers, quotaZnodeAt, QUOTA_PATH } from "../../protocol/quota.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import type { ZnodeEntry } from "../../protocol/zookeeper/files/entries.ts";
import { ownerOf } from "../../protocol/zookeeper/files/owners.ts";
import type { Change, Transaction } from "../../protocol/zookeeper/files/transactions.ts";
import { restoreSession } from "../../actors/tree/store/sessions.ts";
import { createZnodes } from "../../actors/tree/store/first-znodes.ts";
import { type ZnodeId, Znodes } from "../../actors/tree/store/znodes.ts";
import { entryOf } from "../../actors/tree/snapshot/entry.ts";
import { OfflineTree } from "../../server/offline/offline-tree.ts";

type Create = Extract<Change, { kind: "create" }>;
type Session = { readonly id: SessionId; readonly timeoutMs: number | undefined };

export class ZookeeperTree {
  readonly #tree = new OfflineTree();
  readonly #znodes: Znodes;
  /** By ZooKeeper's number. Those whose timeout is not known own ephemerals and are over. */
  readonly #sessions = new Map<bigint, Session>();
  /** The paths of the ephemerals of each session. */
  readonly #ephemerals = new Map<bigint, Set<string>>();
  /** ZooKeeper's number of each session of ours, which are numbered from 1. */
  readonly #fields: bigint[] = [0n];
  #timeMs = 0;
  zxid: Zxid = ZXID_NONE;

  constructor() {
    this.#znodes = new Znodes(this.#tree.state.znodes.setup);
    this.#tree.state.znodes = this.#znodes;
  }

  get znodes(): number {
    return this.#znodes.size;
  }

  addSession(id: bigint, timeoutMs: number): void {
    const known = this.#sessions.get(id)?.id ?? this.#nextSession(id);
    this.#sessions.set(id, { id: known, timeoutMs });
  }

  /** Adds a znode of a snapshot. Returns what is wrong with it; undefined if it was added. */
  addZnode(entry: ZnodeEntry, acl: readonly Acl[]): string | undefined {
    const { data, czxid, mzxid, pzxid, ctime, mtime, version, creates, aversion } = entry;
    const path = entry.path === "" ? "/" : entry.path;
    const numbers = [czxid, mzxid, pzxid, ctime, mtime];
    if (!path.startsWith("/")) return `a path that does not begin with /: ${JSON.stringify(path)}`;
    if (numbers.some((number) => !Number.isSafeInteger(number) || number < 0)) {
      return `${path} has a zxid or a time that is none`;
    }
    const zxids = { czxid: czxid as Zxid, mzxid: mzxid as Zxid, pzxid: pzxid as Zxid };
    const owned = this.#ownedBy(entry.owner, path);
    const stat = { ctime, mtime, version, creates, aversion };
    const znode = { path, data, acl: ownList(acl), ...zxids, ...stat, ...owned };
    if (this.#znodes.restore(znode) === undefined) return `${path} stands there twice`;
    this.#timeMs = Math.max(this.#timeMs, mtime);
    return undefined;
  }

  /** How many znodes of the snapshot lack their parents. */
  get awaited(): number {
    return this.#znodes.awaited;
  }

  /** Adds what every tree has and a snapshot of an early version, or no snapshot at all, does not hold. */
  addSpecial(): void {
    const { setup } = this.#znodes;
    const first = createZnodes(setup);
    for (const path of SPECIAL_PATHS) {
      const znode = first.find(path);
      if (znode !== undefined && !this.#isThere(path)) this.#znodes.restore(entryOf(first, znode));
    }
  }

  #isThere(path: string): boolean {
    const znode = this.#znodes.find(path);
    return znode !== undefined && this.#znodes.isPresent(znode);
  }

  apply(transaction: Transaction): void {
    this.#timeMs = Math.max(this.#timeMs, transaction.timeMs);
    this.#change(transaction, transaction.change);
    this.zxid = transaction.zxid as Zxid;
  }

  #change(of: Transaction, change: Change): void {
    switch (change.kind) {
      case "create":
        this.#create(of, change);
        return;
      case "delete":
        this.#delete(change.path, of.zxid as Zxid);
        return;
      case "setData": {
        const znode = this.#znodes.find(change.path);
        if (znode === undefined) return;
        this.#znodes.setData(znode, change.data);
        this.#znodes.setModified(znode, of.zxid as Zxid, of.timeMs, change.version);
        return;
      }
      case "setAcl": {
        const znode = this.#znodes.find(change.path);
        if (znode !== undefined) this.#znodes.setAcl(znode, ownList(change.acl), change.version);
        return;
      }
      case "createSession":
        this.addSession(of.session, change.timeoutMs);
        return;
      case "closeSession":
        for (const path of change.paths) this.#delete(path, of.zxid as Zxid);
        this.#endSession(of.session, of.zxid as Zxid);
        return;
      case "multi":
        for (const part of change.changes) this.#change(of, part);
        return;
      case "nothing":
        return;
    }
  }

  /** DataTree.createNode, and what processTxn does about a znode that is there already. */
  #create(of: Transaction, change: Create): void {
    const znodes = this.#znodes;
    const { path, data, acl, parentCreates, isPlain } = change;
    const zxid = of.zxid as Zxid;
    const parent = path.startsWith("/") ? znodes.findParent(path) : undefined;
    if (parent === undefined) return;
    const isThere = znodes.findChild(parent, path) !== undefined;
    if (isThere && !isPlain) return;
    const creates = znodes.creates(parent);
    const raised = parentCreates === -1 ? creates + 1 : parentCreates;
    if (!isThere) {
      const { owner, lifetime } = this.#ownerOfCreate(of.session, change);
      znodes.add(parent, path, {
        acl: ownList(acl),
        zxid,
        timeMs: of.timeMs,
        owner,
        lifetime,
        data,
      });
    }
    if (raised > creates) znodes.setParental(parent, zxid, raised);
  }

  #ownerOfCreate(
    session: bigint,
    { owner, path }: Create,
  ): { readonly owner: SessionId; readonly lifetime: Lifetime | undefined } {
    if (owner === "session") return { owner: this.#own(session, path), lifetime: undefined };
    if (owner === "container") return { owner: SESSION_NONE, lifetime: CONTAINER };
    const lifetime = owner === "nobody" ? undefined : ttlOf(owner.ttlMs);
    return { owner: SESSION_NONE, lifetime };
  }

  /** DataTree.deleteNode. What is still below it was made later, and comes again. */
  #delete(path: string, zxid: Zxid): void {
    const znodes = this.#znodes;
    const parent = path.startsWith("/") && path !== "/" ? znodes.findParent(path) : undefined;
    if (parent === undefined) return;
    if (zxid > znodes.pzxid(parent)) znodes.setParental(parent, zxid, znodes.creates(parent));
    const znode = znodes.findChild(parent, path);
    if (znode !== undefined) this.#removeAll(znode);
  }

  #removeAll(top: ZnodeId): void {
    const znodes = this.#znodes;
    const found: ZnodeId[] = [top];
    for (let at = 0; at < found.length; at += 1) {
      znodes.visitChildren(found[at] as ZnodeId, (child) => found.push(child));
    }
    for (const znode of found.reverse()) {
      const path = znodes.path(znode);
      this.#ephemerals.get(this.#fields[znodes.ephemeralOwner(znode)] ?? 0n)?.delete(path);
      znodes.unlink(znode, path);
      znodes.release(znode);
    }
  }

  #endSession(session: bigint, zxid: Zxid): void {
    for (const path of this.#ephemerals.get(session) ?? []) this.#delete(path, zxid);
    this.#ephemerals.delete(session);
    this.#sessions.delete(session);
  }

  #ownedBy(
    field: bigint,
    path: string,
  ): { readonly ephemeralOwner: SessionId; readonly lifetime: Lifetime | undefined } {
    const owner = ownerOf(field, (id) => this.#sessions.has(id));
    switch (owner.kind) {
      case "nobody":
        return { ephemeralOwner: SESSION_NONE, lifetime: undefined };
      case "session":
        return { ephemeralOwner: this.#own(owner.session, path), lifetime: undefined };
      case "lifetime":
        return { ephemeralOwner: SESSION_NONE, lifetime: owner.lifetime };
    }
  }

  #own(session: bigint, path: string): SessionId {
    let known = this.#sessions.get(session);
    if (known === undefined) {
      known = { id: this.#nextSession(session), timeoutMs: undefined };
      this.#sessions.set(session, known);
    }
    const paths = this.#ephemerals.get(session) ?? new Set();
    this.#ephemerals.set(session, paths.add(path));
    return known.id;
  }

  /** Numbers of ZooKeeper's sessions are longer than ours can be. Nobody ever comes with one of these. */
  #nextSession(field: bigint): SessionId {
    return (this.#fields.push(field) - 1) as SessionId;
  }

  /**
   * Ends what can only be done when all is read, and returns the tree. As when ZooKeeper starts, ephemerals whose sessions are not there are
   * deleted. Throws what `problem` makes of a text if the state cannot be one of ours.
   */
  finish(problem: (what: string) => Error): OfflineTree {
    const { state } = this.#tree;
    for (const [id, { timeoutMs }] of [...this.#sessions]) {
      if (timeoutMs === undefined) this.#endSession(id, this.zxid);
    }
    if (this.#fields.length - 1 > this.zxid)
      throw problem("it has more sessions than transactions");
    for (const [field, { id, timeoutMs = 0 }] of this.#sessions) {
      const attachedAt = id as number as Zxid;
      const password = new Uint8Array(randomBytes(PASSWORD_BYTES));
      const session = restoreSession(state.sessions, { id, timeoutMs, attachedAt, password });
      const znodes = [...(this.#ephemerals.get(field) ?? [])].map((path) =>
        this.#znodes.find(path),
      );
      const there = znodes.filter((znode) => znode !== undefined);
      if (there.length > 0) session.ephemerals = new Set(there);
    }
    this.#countQuotas();
    // Who the servers of the former ensemble were is nothing to this one.
    const config = this.#znodes.find(CONFIG_PATH);
    if (config !== undefined) this.#znodes.setData(config, new Uint8Array(0));
    state.lastApplied = this.zxid;
    state.lastTimeMs = this.#timeMs;
    return this.#tree;
  }

  /** ZooKeeper counts again what is below each quota when it starts, since a fuzzy snapshot may hold any count. */
  #countQuotas(): void {
    const znodes = this.#znodes;
    const root = znodes.find(QUOTA_PATH);
    const left: ZnodeId[] = root === undefined ? [] : [root];
    for (let znode = left.pop(); znode !== undefined; znode = left.pop()) {
      const found = quotaZnodeAt(znodes.path(znode));
      if (found?.kind === "stats" && found.path !== "") this.#countQuota(znode, found.path);
      znodes.visitChildren(znode, (child) => left.push(child));
    }
  }

  #countQuota(stats: ZnodeId, path: string): void {
    const znodes = this.#znodes;
    const top = znodes.find(path);
    const count = top === undefined ? 0 : 1 + znodes.below.count(top);
    const bytes = top === undefined ? 0 : znodes.dataLength(top) + znodes.below.bytes(top);
    const numbers = new QuotaNumbers(znodes.data(stats));
    numbers.setCounts(BigInt(count), BigInt(bytes));
    znodes.setData(stats, numbers.encode());
  }
}

/** The open list is known by its one object. */
function ownList(acl: readonly Acl[]): readonly Acl[] {
  const [entry] = acl;
  return acl.length === 1 && entry !== undefined && isOpenEntry(entry) ? OPEN_ACL : acl;
}
