/**
 * ZooKeeper's servers as plain calls, for a client's session under virtual time: one tree, sessions, watches, and connections whose
 * requests and answers wait until a test lets them pass. What a server of an older version does not know can be left out.
 */
import type { Acl } from "../../../protocol/acl.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import type {
  ClientOperation,
  OperationResult,
  ZnodeOperation,
} from "../../../protocol/operations.ts";
import { nameOf, parentOf, sequenceSuffix } from "../../../protocol/paths.ts";
import type { Read, ReadResult, WatchEventType, WatchLists } from "../../../protocol/reads.ts";
import { WatchEventType as Event } from "../../../protocol/reads.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

export type FakeZnode = {
  data: Uint8Array | null;
  acl: readonly Acl[];
  stat: Stat;
  creates: number;
};

type Fired = { readonly type: WatchEventType; readonly path: string; readonly zxid: Zxid };

/** The watches of one connection. */
export class FakeWatches {
  readonly data: Set<string> = new Set();
  readonly child: Set<string> = new Set();
  readonly persistent: Set<string> = new Set();
  readonly recursive: Set<string> = new Set();
  readonly #tell: (event: Fired) => void;

  constructor(tell: (event: Fired) => void) {
    this.#tell = tell;
  }

  fire(type: WatchEventType, path: string, zxid: Zxid): void {
    const isChildren = type === Event.nodeChildrenChanged;
    const once = isChildren ? this.child.delete(path) : this.data.delete(path);
    const alsoChild = type === Event.nodeDeleted && this.child.delete(path);
    const stays = this.persistent.has(path) || (!isChildren && this.#isBelowRecursive(path));
    if (once || alsoChild || stays) this.#tell({ type, path, zxid });
  }

  #isBelowRecursive(path: string): boolean {
    for (let at = path; ; at = parentOf(at)) {
      if (this.recursive.has(at)) return true;
      if (at === "/") return false;
    }
  }
}

const EMPTY_STAT: Stat = {
  ...{ czxid: 0 as Zxid, mzxid: 0 as Zxid, ctime: 0, mtime: 0, version: 0, cversion: 0 },
  ...{ aversion: 0, ephemeralOwner: 0, dataLength: 0, numChildren: 0, pzxid: 0 as Zxid },
};

export class FakeEnsemble {
  zxid: Zxid = 0x1_0000_0000 as Zxid;
  readonly znodes: Map<string, FakeZnode> = new Map();
  readonly watches: Set<FakeWatches> = new Set();
  /** All changes, in order, as a change stream of zooid would tell them. */
  readonly history: { readonly zxid: Zxid; readonly kind: string; readonly path: string }[] = [];

  constructor() {
    this.znodes.set("/", { data: null, acl: OPEN_ACL, stat: EMPTY_STAT, creates: 0 });
  }

  /** Applies one transaction of whoever `session` is, and tells all watches of it. */
  write(operation: ClientOperation, session = 0): OperationResult {
    this.zxid = (this.zxid + 1) as Zxid;
    const fired: (() => void)[] = [];
    const before = operation.kind === "multi" ? this.#copy() : undefined;
    const result = this.#apply(operation, session, fired);
    if (result.kind === "multi" && result.failed && before !== undefined) this.#restore(before);
    else for (const fire of fired) fire();
    return result;
  }

  /** Deletes the ephemerals of the session, as one transaction. */
  endSession(session: number): void {
    this.zxid = (this.zxid + 1) as Zxid;
    const fired: (() => void)[] = [];
    for (const [path, { stat }] of [...this.znodes]) {
      if (stat.ephemeralOwner === session && session !== 0) this.#delete(path, fired);
    }
    for (const fire of fired) fire();
  }

  read(read: Read): ReadResult {
    if (read.kind === "getEphemerals") {
      const own = [...this.znodes].filter(
        ([path, { stat }]) => path.startsWith(read.prefix) && stat.ephemeralOwner === read.session,
      );
      return { kind: "paths", paths: own.map(([path]) => path) };
    }
    if (!("path" in read)) return { kind: "error", code: Code.unimplemented };
    const znode = this.znodes.get(read.path);
    if (znode === undefined) return { kind: "error", code: Code.noNode };
    const { stat, data, acl } = znode;
    if (read.kind === "exists") return { kind: "stat", stat };
    if (read.kind === "getData") return { kind: "data", data, stat };
    if (read.kind === "getAcl") return { kind: "acl", acl, stat };
    return { kind: "children", children: this.childrenOf(read.path), stat };
  }

  childrenOf(path: string): readonly string[] {
    const paths = [...this.znodes.keys()];
    return paths.filter((each) => each !== "/" && parentOf(each) === path).map(nameOf);
  }

  /** What a client that sets watches again has missed. */
  replay(watches: FakeWatches, since: Zxid, lists: WatchLists): void {
    for (const path of lists.data) {
      watches.data.add(path);
      const znode = this.znodes.get(path);
      if (znode === undefined) watches.fire(Event.nodeDeleted, path, this.zxid);
      else if (znode.stat.mzxid > since) watches.fire(Event.nodeDataChanged, path, this.zxid);
    }
    for (const path of lists.exist) {
      watches.data.add(path);
      if (this.znodes.has(path)) watches.fire(Event.nodeCreated, path, this.zxid);
    }
    for (const path of lists.child) {
      watches.child.add(path);
      const znode = this.znodes.get(path);
      if (znode === undefined) watches.fire(Event.nodeDeleted, path, this.zxid);
      else if (znode.stat.pzxid > since) watches.fire(Event.nodeChildrenChanged, path, this.zxid);
    }
    for (const path of lists.persistent) watches.persistent.add(path);
    for (const path of lists.persistentRecursive) watches.recursive.add(path);
  }

  #apply(operation: ClientOperation, session: number, fired: (() => void)[]): OperationResult {
    switch (operation.kind) {
      case "multi": {
        const results: OperationResult[] = [];
        for (const each of operation.operations) {
          const result = this.#apply(each, session, fired);
          if (result.kind === "error")
            return failedMulti(operation.operations, results.length, result);
          results.push(result);
        }
        return { kind: "multi", failed: false, results };
      }
      case "create":
        return this.#create(operation, session, fired);
      case "delete":
        return this.#checked(operation.path, operation.version, (znode) => {
          if (znode.stat.numChildren > 0) return { kind: "error", code: Code.notEmpty };
          this.#delete(operation.path, fired);
          return { kind: "done" };
        });
      case "setData":
        return this.#checked(operation.path, operation.version, (znode) => {
          const { data, path } = operation;
          znode.data = data === null ? null : new Uint8Array(data);
          const version = znode.stat.version + 1;
          const dataLength = data?.length ?? 0;
          znode.stat = { ...znode.stat, mzxid: this.zxid, mtime: this.zxid, version, dataLength };
          this.#note("data", path, fired, Event.nodeDataChanged);
          return { kind: "stat", stat: znode.stat };
        });
      case "setAcl":
        return this.#checked(operation.path, -1, (znode) => {
          znode.acl = operation.acl;
          znode.stat = { ...znode.stat, aversion: znode.stat.aversion + 1 };
          return { kind: "stat", stat: znode.stat };
        });
      case "check":
        return this.#checked(operation.path, operation.version, () => ({ kind: "done" }));
      default:
        return { kind: "done" };
    }
  }

  #checked(
    path: string,
    version: number,
    then: (znode: FakeZnode) => OperationResult,
  ): OperationResult {
    const znode = this.znodes.get(path);
    if (znode === undefined) return { kind: "error", code: Code.noNode };
    if (version !== -1 && version !== znode.stat.version) {
      return { kind: "error", code: Code.badVersion };
    }
    return then(znode);
  }

  #create(
    operation: Extract<ZnodeOperation, { readonly kind: "create" }>,
    session: number,
    fired: (() => void)[],
  ): OperationResult {
    const { data, acl, mode } = operation;
    const parentPath = parentOf(operation.path);
    const parent = this.znodes.get(parentPath);
    if (parent === undefined) return { kind: "error", code: Code.noNode };
    const suffix = mode.sequential ? sequenceSuffix(parent.creates) : "";
    const path = `${operation.path}${suffix}`;
    if (this.znodes.has(path)) return { kind: "error", code: Code.nodeExists };
    const { zxid } = this;
    const stat: Stat = {
      ...{ ...EMPTY_STAT, czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: zxid, mtime: zxid },
      ephemeralOwner: mode.ephemeral ? session : 0,
      dataLength: data?.length ?? 0,
    };
    this.znodes.set(path, {
      data: data === null ? null : new Uint8Array(data),
      acl,
      stat,
      creates: 0,
    });
    parent.creates += 1;
    this.#countChildren(parentPath, 1);
    this.#note("created", path, fired, Event.nodeCreated);
    return { kind: "created", path, stat };
  }

  #delete(path: string, fired: (() => void)[]): void {
    this.znodes.delete(path);
    this.#countChildren(parentOf(path), -1);
    this.#note("deleted", path, fired, Event.nodeDeleted);
  }

  #countChildren(path: string, by: 1 | -1): void {
    const parent = this.znodes.get(path);
    if (parent === undefined) return;
    const numChildren = parent.stat.numChildren + by;
    const cversion = parent.creates * 2 - numChildren;
    parent.stat = { ...parent.stat, pzxid: this.zxid, numChildren, cversion };
  }

  #note(kind: string, path: string, fired: (() => void)[], type: WatchEventType): void {
    const { zxid } = this;
    fired.push(() => {
      this.history.push({ zxid, kind, path });
      for (const each of this.watches) {
        each.fire(type, path, zxid);
        if (kind !== "data") each.fire(Event.nodeChildrenChanged, parentOf(path), zxid);
      }
    });
  }

  #copy(): ReadonlyMap<string, FakeZnode> {
    return new Map([...this.znodes].map(([path, znode]) => [path, { ...znode }]));
  }

  #restore(before: ReadonlyMap<string, FakeZnode>): void {
    this.znodes.clear();
    for (const [path, znode] of before) this.znodes.set(path, znode);
  }
}

function failedMulti(
  operations: readonly ZnodeOperation[],
  at: number,
  failure: OperationResult,
): OperationResult {
  const results = operations.map((_, index): OperationResult => {
    if (index === at) return failure;
    return { kind: "error", code: index < at ? Code.ok : Code.runtimeInconsistency };
  });
  return { kind: "multi", failed: true, results };
}
