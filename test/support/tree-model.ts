/**
 * A simple model of the tree, which a replica must equal: a map by path that is copied as a whole before a multi. It is written from
 * ZooKeeper's rules, without regard to speed.
 */
import { Code } from "../../protocol/codes.ts";
import type { SessionId } from "../../protocol/ids.ts";
import type {
  ClientOperation,
  OperationResult,
  ZnodeOperation,
} from "../../protocol/operations.ts";
import { nameOf, parentOf, pathProblem, sequenceSuffix } from "../../protocol/paths.ts";
import { STAT_FIELDS, type Stat } from "../../protocol/stat.ts";
import type { Zxid } from "../../protocol/zxid.ts";

export type ModelNode = {
  readonly data: string | null;
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly pzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly aversion: number;
  readonly creates: number;
  readonly owner: number;
};

export type ModelChange = {
  readonly kind: "created" | "deleted" | "data" | "acl";
  readonly path: string;
  readonly zxid: Zxid;
};

class Refused extends Error {
  readonly code: Code;
  constructor(code: Code) {
    super(`refused: ${code}`);
    this.code = code;
  }
}

const SPECIAL = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"];

export class TreeModel {
  nodes: Map<string, ModelNode> = new Map();
  readonly sessions: Set<SessionId> = new Set();
  changes: ModelChange[] = [];
  #zxid = 0 as Zxid;
  #timeMs = 0;

  constructor() {
    const zero = 0 as Zxid;
    for (const path of SPECIAL) this.nodes.set(path, this.#fresh("", 0, zero, 0));
    this.nodes.set("/zookeeper/config", { ...this.#fresh("", 0, zero, 0), aversion: -1 });
  }

  apply(
    session: SessionId,
    operation: ClientOperation,
    zxid: Zxid,
    timeMs: number,
  ): OperationResult {
    this.#zxid = zxid;
    this.#timeMs = timeMs;
    if (!this.sessions.has(session)) return { kind: "error", code: Code.sessionExpired };
    try {
      return this.#perform(session, operation);
    } catch (error) {
      if (error instanceof Refused) return { kind: "error", code: error.code };
      throw error;
    }
  }

  childrenOf(path: string): string[] {
    return [...this.nodes.keys()].filter((each) => each !== "/" && parentOf(each) === path);
  }

  statOf(path: string): Stat {
    const node = this.#node(path);
    const numChildren = this.childrenOf(path).length;
    return {
      czxid: node.czxid,
      mzxid: node.mzxid,
      ctime: node.ctime,
      mtime: node.mtime,
      version: node.version,
      cversion: node.creates * 2 - numChildren,
      aversion: node.aversion,
      ephemeralOwner: node.owner,
      dataLength: node.data === null ? 0 : node.data.length,
      numChildren,
      pzxid: node.pzxid,
    };
  }

  #fresh(data: string | null, owner: number, zxid: Zxid, timeMs: number): ModelNode {
    const zxids = { czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: timeMs, mtime: timeMs };
    return { data, ...zxids, version: 0, aversion: 0, creates: 0, owner };
  }

  #node(path: string): ModelNode {
    const node = this.nodes.get(path);
    if (node === undefined) throw new Refused(Code.noNode);
    return node;
  }

  #changed(kind: ModelChange["kind"], path: string): void {
    this.changes.push({ kind, path, zxid: this.#zxid });
  }

  #perform(session: SessionId, operation: ClientOperation): OperationResult {
    switch (operation.kind) {
      case "multi":
        return this.#multi(session, operation.operations);
      case "setAcl": {
        const node = this.#node(operation.path);
        if (operation.version !== -1 && operation.version !== node.aversion) {
          throw new Refused(Code.badVersion);
        }
        this.nodes.set(operation.path, { ...node, aversion: node.aversion + 1 });
        this.#changed("acl", operation.path);
        return { kind: "stat", stat: this.statOf(operation.path) };
      }
      case "sync":
        return { kind: "done" };
      case "closeSession":
        this.#close(session);
        return { kind: "done" };
      default:
        return this.#znode(session, operation);
    }
  }

  #multi(session: SessionId, operations: readonly ZnodeOperation[]): OperationResult {
    const before = new Map(this.nodes);
    const changesBefore = this.changes.length;
    const results: OperationResult[] = [];
    for (const operation of operations) {
      try {
        results.push(this.#znode(session, operation));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.nodes = before;
        this.changes.length = changesBefore;
        const codes = operations.map((_, index) => {
          if (index < results.length) return Code.ok;
          return index === results.length ? error.code : Code.runtimeInconsistency;
        });
        const failed = codes.map((code): OperationResult => ({ kind: "error", code }));
        return { kind: "multi", failed: true, results: failed };
      }
    }
    return { kind: "multi", failed: false, results };
  }

  #znode(session: SessionId, operation: ZnodeOperation): OperationResult {
    switch (operation.kind) {
      case "create":
        return operation.unlessExists === true
          ? this.#createUnlessThere(session, operation)
          : this.#create(session, operation);
      case "delete":
        if (SPECIAL.includes(operation.path)) throw new Refused(Code.badArguments);
        this.#matching(operation.path, operation.version);
        if (this.childrenOf(operation.path).length > 0) throw new Refused(Code.notEmpty);
        this.#delete(operation.path);
        return { kind: "done" };
      case "setData": {
        this.#valid(operation.path);
        const node = this.#matching(operation.path, operation.version);
        const data = textOf(operation.data);
        const version = node.version + 1;
        const changed = { ...node, data, version, mzxid: this.#zxid, mtime: this.#timeMs };
        this.nodes.set(operation.path, changed);
        this.#changed("data", operation.path);
        return { kind: "stat", stat: this.statOf(operation.path) };
      }
      case "check":
        this.#valid(operation.path);
        this.#matching(operation.path, operation.version);
        return { kind: "done" };
      case "refusal":
        throw new Refused(operation.code);
      case "checkNotExists": {
        const node = this.nodes.get(operation.path);
        const isThere = node !== undefined && [-1, node.version].includes(operation.version);
        if (isThere) throw new Refused(Code.nodeExists);
        return { kind: "done" };
      }
      case "checkStat": {
        this.#matching(operation.path, operation.version);
        const stat = this.statOf(operation.path);
        for (const field of STAT_FIELDS) {
          const wanted = operation.stat[field];
          if (wanted !== -1 && wanted !== stat[field]) throw new Refused(Code.badVersion);
        }
        return { kind: "done" };
      }
      case "tryRemove": {
        if (SPECIAL.includes(operation.path)) throw new Refused(Code.badArguments);
        const node = this.nodes.get(operation.path);
        const matches = node !== undefined && [-1, node.version].includes(operation.version);
        if (matches && this.childrenOf(operation.path).length === 0) this.#delete(operation.path);
        return { kind: "done" };
      }
      case "removeRecursive":
        return this.#removeRecursive(operation.path, operation.znodesMax);
    }
  }

  #valid(path: string): void {
    if (pathProblem(path) !== undefined) throw new Refused(Code.badArguments);
  }

  #matching(path: string, version: number): ModelNode {
    const node = this.#node(path);
    if (version !== -1 && version !== node.version) throw new Refused(Code.badVersion);
    return node;
  }

  #create(
    session: SessionId,
    operation: Extract<ZnodeOperation, { kind: "create" }>,
  ): OperationResult {
    const parentPath = parentOf(operation.path);
    const parent = this.#node(parentPath);
    const suffix = operation.mode.sequential ? sequenceSuffix(parent.creates) : "";
    const path = `${operation.path}${suffix}`;
    this.#valid(path);
    if (this.nodes.has(path)) throw new Refused(Code.nodeExists);
    if (parent.owner !== 0) throw new Refused(Code.noChildrenForEphemerals);
    const owner = operation.mode.ephemeral ? session : 0;
    this.nodes.set(path, this.#fresh(textOf(operation.data), owner, this.#zxid, this.#timeMs));
    const creates = parent.creates + 1;
    this.nodes.set(parentPath, { ...parent, creates, pzxid: this.#zxid });
    this.#changed("created", path);
    return { kind: "created", path, stat: this.statOf(path) };
  }

  #createUnlessThere(
    session: SessionId,
    operation: Extract<ZnodeOperation, { kind: "create" }>,
  ): OperationResult {
    const { path, mode } = operation;
    const parent = this.#node(parentOf(path));
    if (parent.owner !== 0) throw new Refused(Code.noChildrenForEphemerals);
    if (mode.sequential) throw new Refused(Code.badArguments);
    if (!this.nodes.has(path)) return this.#create(session, operation);
    return { kind: "created", path, stat: this.statOf(path) };
  }

  #removeRecursive(top: string, znodesMax: number): OperationResult {
    const below = `${top === "/" ? "" : top}/`;
    const isIn = (path: string): boolean => path === top || path.startsWith(below);
    if (SPECIAL.some(isIn)) throw new Refused(Code.badArguments);
    const all = [...this.nodes.keys()].filter(isIn).toSorted().toReversed();
    if (!all.includes(top)) return { kind: "done" };
    if (all.length > znodesMax) throw new Refused(Code.notEmpty);
    for (const path of all) this.#delete(path);
    return { kind: "done" };
  }

  #delete(path: string): void {
    this.nodes.delete(path);
    const parent = this.#node(parentOf(path));
    this.nodes.set(parentOf(path), { ...parent, pzxid: this.#zxid });
    this.#changed("deleted", path);
  }

  #close(session: SessionId): void {
    const own = [...this.nodes].filter(([, node]) => node.owner === session);
    for (const path of own.map(([each]) => each).toSorted()) this.#delete(path);
    this.sessions.delete(session);
  }
}

/** Every znode as a reader sees it. */
export function modelView(model: TreeModel): Record<string, object> {
  const view: Record<string, object> = {};
  for (const [path, { data }] of model.nodes) {
    const children = model.childrenOf(path).map(nameOf).toSorted();
    view[path] = { data, stat: model.statOf(path), children };
  }
  return view;
}

function textOf(data: Uint8Array | null): string | null {
  return data === null ? null : new TextDecoder().decode(data);
}
