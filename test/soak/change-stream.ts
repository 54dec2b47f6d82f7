/**
 * Checks a change stream: in order, each change once, none left out. Versions and sequence numbers tell what was left out
 * while the stream runs; at the end, what it told is the tree. It also sees what no read can: which changes share a zxid.
 */
import { isToken } from "./sequences.ts";
import type { Violations } from "./violations.ts";

export type StreamChange = {
  readonly zxid: number;
  readonly index: number;
  readonly kind: "created" | "deleted" | "data" | "acl";
  readonly path: string;
  readonly version: number;
  readonly token: string;
  readonly owner: number;
  readonly czxid: number;
};

export type StreamTreeNode = {
  readonly path: string;
  readonly version: number;
  readonly czxid: number;
};

export type ChangeStreamOptions = {
  readonly violations: Violations;
  /** The stream tells everything after this zxid. */
  readonly from: number;
  /** Whether a client asked for this ephemeral node's deletion itself. */
  readonly wasDeleted: (path: string) => boolean;
  /** Whether a client sent a write with this token. Data that no client wrote under load has none. */
  readonly wasSent: (token: string) => boolean;
  /** Whether this token was written to two nodes by one multi. */
  readonly isMulti: (token: string) => boolean;
};

type Known = { readonly version: number; readonly owner: number };

export class ChangeStream {
  readonly #options: ChangeStreamOptions;
  readonly #nodes = new Map<string, Known>();
  /** The last number that each folder gave to a name. */
  readonly #numbers = new Map<string, number>();
  /** At which zxid a session's ephemeral nodes went. */
  readonly #ended = new Map<number, number>();
  /** Where each token was written. Reads see only some of the values that a node had; a write done twice may be between them. */
  readonly #written = new Map<string, number>();
  /** Tokens of multis at the current zxid, with how many nodes had them. */
  readonly #multis = new Map<string, number>();
  #zxid: number;
  #index = -1;
  /** What was created or changed at or before this zxid may be unknown. */
  #blindUpTo: number;
  #count = 0;
  #compactions = 0;

  constructor(options: ChangeStreamOptions) {
    this.#options = options;
    this.#zxid = options.from;
    this.#blindUpTo = options.from;
  }

  /** The zxid of the last change or progress event. */
  get zxid(): number {
    return this.#zxid;
  }

  get count(): number {
    return this.#count;
  }

  get compactions(): number {
    return this.#compactions;
  }

  change(change: StreamChange): void {
    this.#count += 1;
    const { zxid, index } = change;
    if (zxid < this.#zxid || (zxid === this.#zxid && index <= this.#index)) {
      const shown = `${zxid.toString(16)}/${index} came after ${this.#zxid.toString(16)}/${this.#index}`;
      this.#found(`${change.kind} ${change.path}: ${shown}`);
      return;
    }
    if (zxid > this.#zxid) this.#endOfZxid();
    this.#zxid = zxid;
    this.#index = index;
    if (change.kind === "created") this.#created(change);
    else if (change.kind === "deleted") this.#deleted(change);
    else if (change.kind === "data") this.#data(change);
    if (change.kind !== "deleted" && change.kind !== "acl") this.#wrote(change);
    if (this.#options.isMulti(change.token) && change.kind !== "deleted") {
      this.#multis.set(change.token, (this.#multis.get(change.token) ?? 0) + 1);
    }
  }

  /** Everything up to the zxid was told. */
  progress(zxid: number): void {
    if (zxid < this.#zxid) this.#found(`a mark went back to ${zxid.toString(16)}`);
    if (zxid <= this.#zxid) return;
    this.#endOfZxid();
    this.#zxid = zxid;
    // All of this zxid was told, so no index of it may come again.
    this.#index = Number.MAX_SAFE_INTEGER;
  }

  /** The node said that it no longer holds what comes next; the stream goes on after `zxid`. */
  compacted(zxid: number): void {
    this.#compactions += 1;
    this.#multis.clear();
    this.#nodes.clear();
    this.#numbers.clear();
    this.#zxid = Math.max(zxid, this.#zxid);
    this.#index = Number.MAX_SAFE_INTEGER;
    this.#blindUpTo = this.#zxid;
  }

  /** The tree as a read finds it that sees at least all that the stream told, and nothing else. */
  final(tree: readonly StreamTreeNode[]): void {
    this.#endOfZxid();
    const there = new Map(tree.map((node) => [node.path, node]));
    for (const { path, version, czxid } of tree) {
      const known = this.#nodes.get(path);
      if (known === undefined && czxid > this.#blindUpTo) {
        this.#found(`never told of ${path}, created at ${czxid.toString(16)}`);
      } else if (known !== undefined && known.version !== version) {
        this.#found(`ends with version ${known.version} of ${path}, which has ${version}`);
      }
    }
    for (const path of this.#nodes.keys()) {
      if (!there.has(path)) this.#found(`never told that ${path} is gone`);
    }
  }

  #wrote({ token, path, zxid }: StreamChange): void {
    const { violations, isMulti, wasSent } = this.#options;
    if (!isToken(token)) return;
    const before = this.#written.get(token);
    if (before === undefined) {
      this.#written.set(token, zxid);
      if (!wasSent(token)) violations.add("invented", `${path} became ${token}`);
    } else if (before !== zxid || !isMulti(token)) {
      const shown = `at ${before.toString(16)} and, to ${path}, at ${zxid.toString(16)}`;
      violations.add("written-twice", `${token} was written ${shown}`);
    }
  }

  #created({ path, version, owner, zxid }: StreamChange): void {
    if (this.#nodes.has(path)) this.#found(`${path} was created while it was there`);
    this.#nodes.set(path, { version, owner });
    if (owner !== 0 && this.#ended.has(owner)) {
      const shown = `${path} was created at ${zxid.toString(16)}`;
      this.#options.violations.add("ephemeral", `${shown}, after the end of its session`);
    }
    const at = path.length - 10;
    const number = Number(path.slice(at));
    if (!/^\d{10}$/.test(path.slice(at))) return;
    const folder = path.slice(0, path.lastIndexOf("/"));
    const before = this.#numbers.get(folder);
    if (before !== undefined && owner === 0 && number !== before + 1) {
      this.#found(`${path} came after number ${before}`);
    }
    this.#numbers.set(folder, number);
  }

  #deleted({ path, owner, zxid, czxid }: StreamChange): void {
    if (!this.#nodes.delete(path) && czxid > this.#blindUpTo) {
      this.#found(`${path} was deleted and never created`);
    }
    if (owner === 0 || this.#options.wasDeleted(path)) return;
    const other = this.#ended.get(owner);
    if (other !== undefined && other !== zxid) {
      const shown = `${other.toString(16)} and ${zxid.toString(16)}`;
      this.#options.violations.add(
        "ephemeral",
        `nodes of session ${owner.toString(16)} went at ${shown}`,
      );
    }
    this.#ended.set(owner, zxid);
  }

  #data({ path, version, czxid }: StreamChange): void {
    const known = this.#nodes.get(path);
    if (known === undefined && czxid > this.#blindUpTo) {
      this.#found(`${path} was changed and never created`);
    } else if (known !== undefined && version !== known.version + 1) {
      this.#found(`version ${version} of ${path} came after version ${known.version}`);
    }
    this.#nodes.set(path, { version, owner: known?.owner ?? 0 });
  }

  /** A multi that writes its token to two nodes does so at one zxid. */
  #endOfZxid(): void {
    for (const [token, count] of this.#multis) {
      if (count === 2) continue;
      const shown = `${token} is in ${count} of 2 nodes at ${this.#zxid.toString(16)}`;
      this.#options.violations.add("multi-torn", shown);
    }
    this.#multis.clear();
  }

  #found(text: string): void {
    this.#options.violations.add("stream", text);
  }
}
