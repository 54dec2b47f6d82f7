/**
 * A simple model of the state machine, with its whole history: every znode at every zxid. It is written from ZooKeeper's rules,
 * independently of the product's tree.
 */
import { REMOVAL_LIMITS, type RemovalLimits } from "../../../actors/tree/removal-limits.ts";
import { type Acl, OPEN_ACL } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import type {
  ClientOperation,
  Operation,
  OperationResult,
  ZnodeOperation,
} from "../../../protocol/operations.ts";
import { nameOf, parentOf, sequenceSuffix } from "../../../protocol/paths.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { added, countedAt, countsText, forbids, quotaOver, statsPath } from "./quotas.ts";
import {
  ADMIN,
  CREATE,
  DELETE,
  may,
  NOBODY,
  READ,
  type SimWho,
  WRITE,
} from "../client/identities.ts";
import { keeperResult, type KeeperView, Removals } from "./keeper.ts";
import {
  type ModelChange,
  type ModelSession,
  type Moment,
  childrenThen,
  type Past,
  error,
  freshStat,
  sessionResult,
  Refused,
  refused,
  textOf,
  wasClosedAfter,
} from "./model-state.ts";
import { Suffixes } from "./suffixes.ts";

const SPECIAL = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"];
const EMPTY = new Uint8Array(0);
const CONFIG_ACL: readonly Acl[] = [{ permissions: READ, scheme: "world", id: "anyone" }];

export class Model {
  readonly sessions: Map<number, ModelSession> = new Map();
  /** Sessions that ended, and at which zxid. */
  readonly ended: Map<number, Zxid> = new Map();
  /** What changed, in order. */
  readonly changes: ModelChange[] = [];
  /** Every znode whose data, stat or children changed, in order. */
  readonly touched: { readonly zxid: Zxid; readonly path: string }[] = [];
  /** What the record in hand says. */
  quotasEnforced = false;
  readonly removals: Removals;
  readonly #pasts = new Map<string, Past>();
  readonly #suffixes = new Suffixes();
  /** Where there has ever been a znode with a lifetime. */
  readonly #lasting = new Set<string>();
  #zxid = 0 as Zxid;
  #timeMs = 0;
  /** Who asks for the operation that is applied. */
  #who: SimWho = NOBODY;
  /** Within a multi: how to take back what it did. */
  #undo: (() => void)[] | undefined;

  constructor(limits: RemovalLimits = REMOVAL_LIMITS) {
    this.removals = new Removals(limits);
    for (const path of SPECIAL) {
      if (path !== "/") this.#past(parentOf(path)).children.add(nameOf(path));
      const aversion = path === "/zookeeper/config" ? -1 : 0;
      const acl = path === "/zookeeper/config" ? CONFIG_ACL : OPEN_ACL;
      this.#put(path, EMPTY, { ...this.#freshStat(0, 0), aversion }, { acl });
    }
    for (const [path, numChildren] of Object.entries({ "/": 1, "/zookeeper": 2 })) {
      const stat = this.#freshStat(0, 0);
      this.#put(path, EMPTY, { ...stat, numChildren, cversion: -numChildren });
    }
  }

  /** The znode at the zxid. */
  at(path: string, zxid: Zxid): Moment | undefined {
    const moments = this.#pasts.get(path)?.moments;
    if (moments === undefined) return undefined;
    let low = 0;
    let high = moments.length;
    const last = moments[high - 1];
    if (last !== undefined && last.since <= zxid) return last;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((moments[middle]?.since ?? 0) <= zxid) low = middle + 1;
      else high = middle;
    }
    return moments[low - 1];
  }

  childrenAt(path: string, zxid: Zxid): ReadonlySet<string> {
    const past = this.#pasts.get(path);
    if (past === undefined) return new Set();
    return childrenThen(past, zxid);
  }

  /** Returns the index in `changes` of the first change after the zxid. */
  firstChangeAfter(zxid: Zxid): number {
    let low = 0;
    let high = this.changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.changes[middle]?.zxid ?? 0) <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Znodes whose end a leader should have seen to by now. */
  get overdue(): string[] {
    return [...this.#lasting].filter((path) => this.#isOver(path, 0));
  }

  /** How much changed at the zxid. */
  changesAt(zxid: Zxid): number {
    return this.firstChangeAfter(zxid) - this.firstChangeAfter((zxid - 1) as Zxid);
  }

  get paths(): Iterable<string> {
    return this.#pasts.keys();
  }

  apply(operation: Operation, zxid: Zxid, timeMs: number): OperationResult {
    this.#zxid = zxid;
    this.#timeMs = timeMs;
    switch (operation.kind) {
      case "client": {
        const session = this.sessions.get(operation.session);
        if (session === undefined) return error(Code.sessionExpired);
        if (session.attachedAt !== operation.attachedAt) return error(Code.sessionMoved);
        this.#who = { identities: operation.identities ?? [], address: session.address };
        if (operation.request !== undefined) {
          const { number } = operation.request;
          if (number <= session.lastNumber) return error(Code.badArguments);
          session.lastNumber = number;
        }
        try {
          return this.#perform(session, operation.operation);
        } catch (refusal) {
          if (refusal instanceof Refused) return error(refusal.code);
          throw refusal;
        }
      }
      case "createSession": {
        const { password: given, timeoutMs, address } = operation;
        const [password, ephemerals] = [new Uint8Array(given), new Set<string>()];
        const times = { attachedAt: zxid, timeoutMs };
        const session: ModelSession = {
          ...{ id: zxid, password, ...times, address, ephemerals },
          lastNumber: 0,
        };
        this.sessions.set(zxid, session);
        return sessionResult(session);
      }
      case "attachSession": {
        const { password, timeoutMs } = operation;
        const session = this.sessions.get(operation.session);
        if (session === undefined || Buffer.compare(session.password, password) !== 0) {
          return error(Code.sessionExpired);
        }
        session.attachedAt = zxid;
        session.timeoutMs = timeoutMs;
        session.address = operation.address;
        return sessionResult(session);
      }
      case "expireSession": {
        const session = this.sessions.get(operation.session);
        if (session !== undefined && session.attachedAt <= operation.attachedAt) this.#end(session);
        return { kind: "done" };
      }
      case "deleteContainer": {
        const { path, unusedMs } = operation;
        const stat = this.#isOver(path, unusedMs) ? this.#statOf(path) : undefined;
        if (stat !== undefined) this.#remove(path, stat);
        return { kind: "done" };
      }
    }
  }

  #perform(session: ModelSession, operation: ClientOperation): OperationResult {
    switch (operation.kind) {
      case "multi":
        return this.#multi(session, operation.operations);
      case "sync":
        return { kind: "done" };
      case "closeSession":
        this.#end(session);
        return { kind: "done" };
      case "setAcl":
        return this.#setAcl(operation.path, operation.acl, operation.version);
      default:
        return this.#znode(session, operation);
    }
  }

  #multi(session: ModelSession, operations: readonly ZnodeOperation[]): OperationResult {
    const results: OperationResult[] = [];
    this.#undo = [];
    const { length: changes } = this.changes;
    const { length: touched } = this.touched;
    try {
      for (const operation of operations) results.push(this.#znode(session, operation));
      return { kind: "multi", failed: false, results };
    } catch (refusal) {
      if (!(refusal instanceof Refused)) throw refusal;
      for (const undo of this.#undo.toReversed()) undo();
      this.changes.length = changes;
      this.touched.length = touched;
      const failed = operations.map((_, index) => {
        if (index < results.length) return error(Code.ok);
        return error(index === results.length ? refusal.code : Code.runtimeInconsistency);
      });
      return { kind: "multi", failed: true, results: failed };
    } finally {
      this.#undo = undefined;
    }
  }

  #znode(session: ModelSession, operation: ZnodeOperation): OperationResult {
    const unlessExists = operation.kind === "create" && operation.unlessExists === true;
    if (unlessExists) return keeperResult(this.#keeperView(session), operation);
    switch (operation.kind) {
      case "create":
        return this.#create(session, operation);
      case "delete":
        this.#delete(operation.path, operation.version);
        return { kind: "done" };
      case "setData": {
        const { data } = operation;
        if (this.#statOf(operation.path) !== undefined) this.#mustBeAllowed(operation.path, WRITE);
        const length = this.#statOf(operation.path)?.dataLength;
        const more = (data?.length ?? 0) - (length ?? 0);
        if (length !== undefined) this.#allow(operation.path, 0, more);
        const stat = this.#matching(operation.path, operation.version);
        const { mzxid, mtime } = { mzxid: this.#zxid, mtime: this.#timeMs };
        const dataLength = data?.length ?? 0;
        const changed = { ...stat, mzxid, mtime, version: stat.version + 1, dataLength };
        this.#put(operation.path, data === null ? null : new Uint8Array(data), changed);
        this.#changed("data", operation.path);
        this.#count(operation.path, 0, more);
        return { kind: "stat", stat: changed };
      }
      case "check":
        this.#matching(operation.path, operation.version, READ);
        return { kind: "done" };
      case "refusal":
        throw refused(operation.code);
      default:
        return keeperResult(this.#keeperView(session), operation);
    }
  }

  #keeperView(session: ModelSession): KeeperView {
    return {
      statOf: (path) => this.#statOf(path),
      namesIn: (path) => this.#past(path).children,
      mustBeAllowed: (path, permission) => this.#mustBeAllowed(path, permission),
      create: (operation) => this.#create(session, operation),
      remove: (path, stat) => this.#remove(path, stat),
      removals: this.removals,
    };
  }

  /** A container that had children has none; or a znode with a TTL has none, and its data is older than that. */
  #isOver(path: string, unusedMs: number): boolean {
    const { stat, lifetime } = this.#pasts.get(path)?.moments.at(-1) ?? {};
    if (stat === undefined || lifetime === undefined || stat.numChildren > 0) return false;
    const ageMs = this.#timeMs - stat.mtime;
    if (lifetime > 0) return ageMs > lifetime;
    return stat.cversion > 0 || (unusedMs > 0 && ageMs > unusedMs);
  }

  #create(
    session: ModelSession,
    { path: asked, data, mode, acl }: Extract<ZnodeOperation, { kind: "create" }>,
  ): OperationResult {
    if (acl.length === 0) throw refused(Code.invalidAcl);
    const parentPath = parentOf(asked);
    const parent = this.#statOf(parentPath);
    if (parent === undefined) throw refused(Code.noNode);
    this.#mustBeAllowed(parentPath, CREATE);
    const creates = (parent.cversion + parent.numChildren) / 2;
    const path = mode.sequential ? `${asked}${sequenceSuffix(creates)}` : asked;
    if (this.#statOf(path) !== undefined) throw refused(Code.nodeExists);
    if (parent.ephemeralOwner !== 0) throw refused(Code.noChildrenForEphemerals);
    this.#allow(path, 1, data?.length ?? 0);
    const owner = mode.ephemeral ? session.id : 0;
    const stat = this.#freshStat(owner, data?.length ?? 0);
    const { lifetime } = mode;
    this.#put(path, data === null ? null : new Uint8Array(data), stat, { acl, lifetime });
    if (lifetime !== undefined) this.#lasting.add(path);
    this.#putChild(parentPath, parent, nameOf(path), true);
    if (mode.ephemeral) {
      session.ephemerals.add(path);
      this.#undo?.push(() => session.ephemerals.delete(path));
    }
    if (mode.sequential) this.#suffixes.given(asked, path, this.#undo);
    this.#changed("created", path);
    this.#countAll(path);
    this.#count(path, 1, data?.length ?? 0);
    return { kind: "created", path, stat };
  }

  #delete(path: string, version: number): void {
    if (SPECIAL.includes(path)) throw refused(Code.badArguments);
    if (this.#statOf(parentOf(path)) === undefined) throw refused(Code.noNode);
    this.#mustBeAllowed(parentOf(path), DELETE);
    const stat = this.#matching(path, version);
    if (stat.numChildren > 0) throw refused(Code.notEmpty);
    this.#remove(path, stat);
  }

  #remove(path: string, stat: Stat): void {
    const owner = this.sessions.get(stat.ephemeralOwner);
    if (owner !== undefined) {
      owner.ephemerals.delete(path);
      this.#undo?.push(() => owner.ephemerals.add(path));
    }
    this.#put(path, null, undefined);
    this.#suffixes.forget(path, this.#undo);
    const parentPath = parentOf(path);
    const parent = this.#statOf(parentPath);
    if (parent === undefined) throw new Error(`${path} had no parent`);
    this.#putChild(parentPath, parent, nameOf(path), false);
    this.#changed("deleted", path);
    this.#count(path, -1, -stat.dataLength);
  }

  /** Each operation of a multi is judged by what was there before the multi. */
  #allow(path: string, count: number, bytes: number): void {
    const before = (this.#zxid - 1) as Zxid;
    const at = (each: string): string | undefined => textOf(this.at(each, before));
    if (this.quotasEnforced && forbids(path, at, count, bytes)) throw refused(Code.quotaExceeded);
  }

  #textNow(path: string): string | undefined {
    return textOf(this.#pasts.get(path)?.moments.at(-1));
  }

  #count(path: string, count: number, bytes: number): void {
    const quota = quotaOver(path, (each) => this.#textNow(each));
    const text = quota === undefined ? undefined : this.#textNow(statsPath(quota));
    if (quota !== undefined && text !== undefined) {
      this.#putText(statsPath(quota), added(text, count, bytes));
    }
  }

  /** Where counts are made, what is there is counted. */
  #countAll(path: string): void {
    const quota = countedAt(path);
    if (quota === undefined) return;
    let [count, bytes] = [0, 0];
    for (const each of this.paths) {
      const isWithin = each === quota || each.startsWith(`${quota}/`);
      const stat = isWithin ? this.#statOf(each) : undefined;
      if (stat === undefined) continue;
      count += 1;
      bytes += stat.dataLength;
    }
    this.#putText(path, countsText(count, bytes));
  }

  #putText(path: string, text: string): void {
    const stat = this.#statOf(path);
    if (stat === undefined) return;
    const data = new TextEncoder().encode(text);
    this.#put(path, data, { ...stat, dataLength: data.length });
  }

  #end(session: ModelSession): void {
    for (const path of [...session.ephemerals].sort()) {
      const stat = this.#statOf(path);
      if (stat !== undefined) this.#remove(path, stat);
    }
    this.sessions.delete(session.id);
    this.ended.set(session.id, this.#zxid);
  }

  #setAcl(path: string, acl: readonly Acl[], version: number): OperationResult {
    if (acl.length === 0) throw refused(Code.invalidAcl);
    const stat = this.#statOf(path);
    if (stat === undefined) throw refused(Code.noNode);
    this.#mustBeAllowed(path, ADMIN);
    if (version !== -1 && version !== stat.aversion) throw refused(Code.badVersion);
    const changed = { ...stat, aversion: stat.aversion + 1 };
    this.#put(path, this.#pasts.get(path)?.moments.at(-1)?.data ?? null, changed, { acl });
    this.#changed("acl", path);
    return { kind: "stat", stat: changed };
  }

  #mustBeAllowed(path: string, permission: number): void {
    if (!may(this.#aclOf(path), permission, this.#who)) throw refused(Code.noAuth);
  }

  #aclOf(path: string): readonly Acl[] {
    return this.#pasts.get(path)?.moments.at(-1)?.acl ?? OPEN_ACL;
  }

  /** Whether at some time after the zxid the reader could not read the znode. */
  isClosedAfter(path: string, zxid: Zxid, reader: SimWho): boolean {
    return wasClosedAfter(this.#pasts.get(path)?.moments ?? [], zxid, reader);
  }

  #matching(path: string, version: number, permission?: number): Stat {
    const stat = this.#statOf(path);
    if (stat === undefined) throw refused(Code.noNode);
    if (permission !== undefined) this.#mustBeAllowed(path, permission);
    if (version !== -1 && version !== stat.version) throw refused(Code.badVersion);
    return stat;
  }

  #freshStat(owner: number, dataLength: number): Stat {
    return freshStat(this.#zxid, this.#timeMs, owner, dataLength);
  }

  #statOf(path: string): Stat | undefined {
    return this.#pasts.get(path)?.moments.at(-1)?.stat;
  }

  #past(path: string): Past {
    let past = this.#pasts.get(path);
    if (past === undefined) {
      past = { moments: [], children: new Set(), childChanges: [] };
      this.#pasts.set(path, past);
    }
    return past;
  }

  /** Without a list the znode keeps the one that it has. A lifetime is for ever. */
  #put(
    path: string,
    data: Uint8Array | null,
    stat: Stat | undefined,
    of: { readonly acl?: readonly Acl[]; readonly lifetime?: number | undefined } = {},
  ): void {
    const { acl = this.#aclOf(path) } = of;
    const { moments } = this.#past(path);
    const last = moments.at(-1);
    const isNew = last?.stat === undefined;
    const same = last?.since === this.#zxid;
    if (same) moments.pop();
    const lifetime = isNew ? of.lifetime : last.lifetime;
    moments.push({ since: this.#zxid, data, stat, lifetime, acl });
    this.touched.push({ zxid: this.#zxid, path });
    this.#undo?.push(() => {
      moments.pop();
      if (same && last !== undefined) moments.push(last);
    });
  }

  #putChild(path: string, parent: Stat, name: string, added: boolean): void {
    const { children, childChanges, moments } = this.#past(path);
    const zxid = this.#zxid;
    if (added) children.add(name);
    else children.delete(name);
    childChanges.push({ zxid, name, added });
    this.#undo?.push(() => {
      childChanges.pop();
      if (added) children.delete(name);
      else children.add(name);
    });
    const numChildren = parent.numChildren + (added ? 1 : -1);
    // ZooKeeper shows twice the number of creates less the children there are.
    const cversion = parent.cversion + 1;
    this.#put(path, moments.at(-1)?.data ?? null, {
      ...parent,
      numChildren,
      cversion,
      pzxid: zxid,
    });
  }

  #changed(kind: ModelChange["kind"], path: string): void {
    const lists = { acl: this.#aclOf(path), parentAcl: this.#aclOf(parentOf(path)) };
    this.changes.push({ zxid: this.#zxid, kind, path, ...lists });
  }
}
