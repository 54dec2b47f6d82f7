/** Reads and writes of znodes: checks what the caller gives, asks the wire, and makes values or errors of its answers. */
import type { Acl } from "../protocol/acl.ts";
import { OPEN_ACL } from "../protocol/acl.ts";
import {
  checkedData,
  checkedMode,
  checkAcl,
  checkBoolean,
  checkCallOptions,
  checkPageSize,
  checkPath,
  checkText,
  checkVersion,
} from "../protocol/arguments.ts";
import { Code } from "../protocol/codes.ts";
import {
  BadArgumentsError,
  BadVersionError,
  errorOfCode,
  NodeExistsError,
  NoNodeError,
  UnsupportedError,
} from "../protocol/errors.ts";
import type { Identity } from "../protocol/identities.ts";
import { PACKET_BYTES_MAX } from "../protocol/limits.ts";
import type {
  NativeMember,
  NativeRead,
  NativeRequest,
  NativeResult,
  NativeWrite,
} from "../protocol/native-packing.ts";
import { parentOf } from "../protocol/paths.ts";
import type { Stat } from "../protocol/stat.ts";
import type { Zxid } from "../protocol/zxid.ts";
import { deleteTree } from "./delete-tree.ts";
import { LapseWatchingWire } from "./lapses.ts";
import { type Page, PAGE_SIZE, pagesOf, type PagesOptions } from "./pages.ts";
import { Seen } from "./seen.ts";
import type { Answer } from "./session/messages.ts";
import { bytesOf } from "./session/requests.ts";
import {
  Transaction,
  TransactionBuilder,
  type TransactionStep,
  type ResultsOf,
} from "./transaction.ts";
import { decoded, encoded, type Key, pathOf, type Target } from "./values.ts";
import type { CallOptions, Wire } from "./wire.ts";
import {
  type AclReading,
  aclReading,
  type Created,
  type CreateOptions,
  type DeleteOptions,
  type PutOptions,
  type Reading,
  type ReadOptions,
  type VersionOptions,
} from "./calls.ts";

const VERSION_ANY = -1;
/** How often `put` and `create` begin again because others create and delete the same znodes. */
const ROUNDS_MAX = 32;

/** The reads and writes of a `Client`, which extends this. */
export class Operations {
  /** What the client speaks through: for recipes of one's own, which need its clock and how long its session is certainly valid. */
  readonly wire: LapseWatchingWire;
  /** Up to where callers have seen each path, for the streams that begin there. */
  protected readonly seen: Seen = new Seen();

  constructor(wire: Wire) {
    this.wire = new LapseWatchingWire(wire);
  }

  /** The zxid of the latest transaction that this client has seen. */
  get lastZxid(): Zxid {
    return this.wire.lastZxid;
  }

  /**
   * Creates a znode. Rejects with NodeExistsError, with NoNodeError when the parent is missing, and as every operation does: with
   * BadArgumentsError, InvalidValueError, NoAuthError, OperationTimeoutError, AbortedError, ConnectionLossError (writes only),
   * ThrottledError, SessionExpiredError, ClosedError; a write also with DiskFullError and TreeFullError.
   */
  async create<Value, Given>(
    target: Key<Value, Given>,
    value: Given,
    options?: CreateOptions,
  ): Promise<Created>;
  /** The same at a path: bytes as they are, text as UTF-8, null for no data. */
  async create(
    path: string,
    data?: Uint8Array | string | null,
    options?: CreateOptions,
  ): Promise<Created>;
  async create(
    target: Target,
    value: unknown = null,
    options: CreateOptions = {},
  ): Promise<Created> {
    const path = pathOf(target);
    checkText("a path", path);
    checkCallOptions(options);
    const mode = checkedMode(options);
    const { acl = OPEN_ACL, parents = false, ifNotExists = false } = options;
    checkAcl(acl);
    if (parents !== "container") checkBoolean("`parents`", parents);
    checkBoolean("`ifNotExists`", ifNotExists);
    if (ifNotExists && mode.sequential) {
      throw new BadArgumentsError("only one of `ifNotExists` and `sequential` may be given");
    }
    const made = encoded(target, value);
    const data = made instanceof Promise ? await made : made;
    const operation: NativeWrite = { kind: "create", path, data, acl, mode };
    // The name of a sequential znode may be empty, since the number follows; so the path is checked with a digit at its end.
    const checked = mode.sequential ? `${path}0` : path;
    for (let round = 1; ; round += 1) {
      try {
        const { result, zxid } = await this.#write(operation, checked, options);
        if (result.kind !== "created") throw unexpected(result);
        return { path: result.path, stat: result.stat, zxid, created: true };
      } catch (error) {
        if (round === ROUNDS_MAX) throw error;
        if (error instanceof NodeExistsError && ifNotExists) {
          const { stat, zxid } = await this.exists(path, options);
          if (stat !== undefined) return { path, stat, zxid, created: false };
        } else if (error instanceof NoNodeError && parents !== false && parentOf(path) !== "/") {
          await this.#createParents(parentOf(path), { ...options, parents });
        } else {
          throw error;
        }
      }
    }
  }

  /** Sets the value, and creates the znode, with missing ancestors, where there is none. */
  async put<Value, Given>(
    target: Key<Value, Given>,
    value: Given,
    options?: PutOptions,
  ): Promise<Created>;
  /** The same at a path: bytes as they are, text as UTF-8, null for no data. */
  async put(path: string, data: Uint8Array | string | null, options?: PutOptions): Promise<Created>;
  async put(target: Target, value: unknown, options: PutOptions = {}): Promise<Created> {
    const path = pathOf(target);
    checkCallOptions(options);
    const { acl = OPEN_ACL } = options;
    checkAcl(acl);
    const made = encoded(target, value);
    const data = made instanceof Promise ? await made : made;
    for (let round = 1; ; round += 1) {
      try {
        const operation: NativeWrite = { kind: "setData", path, data, version: VERSION_ANY };
        const { result, zxid } = await this.#write(operation, path, options);
        if (result.kind !== "stat") throw unexpected(result);
        return { path, stat: result.stat, zxid, created: false };
      } catch (error) {
        if (round === ROUNDS_MAX || !(error instanceof NoNodeError)) throw error;
      }
      try {
        return await this.create(path, data, { ...options, acl, parents: true });
      } catch (error) {
        if (!(error instanceof NodeExistsError)) throw error;
      }
    }
  }

  /** Reads a znode. Rejects with NoNodeError, and with InvalidValueError where the value is not what the key says. */
  async get<Value, Given>(
    target: Key<Value, Given>,
    options?: ReadOptions,
  ): Promise<Reading<Value>>;
  /** The same at a path: the bytes as they are, null where there is no data. */
  async get(path: string, options?: ReadOptions): Promise<Reading<Uint8Array | null>>;
  async get(target: Target, options: ReadOptions = {}): Promise<Reading<unknown>> {
    const path = pathOf(target);
    const { result, zxid } = await this.#read({ kind: "getData", path, watch: false }, options);
    if (result.kind !== "data") throw unexpected(result);
    const { data, stat } = result;
    const made = decoded(target, data);
    return { value: made instanceof Promise ? await made : made, data, stat, zxid };
  }

  /** Replaces the value of a znode. Rejects with NoNodeError or BadVersionError. */
  async set<Value, Given>(
    target: Key<Value, Given>,
    value: Given,
    options?: VersionOptions,
  ): Promise<Stat>;
  /** The same at a path: bytes as they are, text as UTF-8, null for no data. */
  async set(
    path: string,
    data: Uint8Array | string | null,
    options?: VersionOptions,
  ): Promise<Stat>;
  async set(target: Target, value: unknown, options: VersionOptions = {}): Promise<Stat> {
    const path = pathOf(target);
    const version = versionOf(options);
    const made = encoded(target, value);
    const data = made instanceof Promise ? await made : made;
    const { result } = await this.#write({ kind: "setData", path, data, version }, path, options);
    if (result.kind !== "stat") throw unexpected(result);
    return result.stat;
  }

  /**
   * Reads the value, asks `next` for another one, and writes that if nobody has changed the znode meanwhile; otherwise it begins again. So
   * `next` may be called several times, and should do nothing else. It is given undefined where there is no znode, which is then
   * created with its ancestors. If it returns undefined, nothing is written.
   */
  async update<Value, Given>(
    target: Key<Value, Given>,
    next: (now: Value | undefined) => Given | undefined | Promise<Given | undefined>,
    options?: PutOptions,
  ): Promise<Reading<Value> | undefined>;
  /** The same at a path: bytes as they are, text as UTF-8, null for no data. */
  async update(
    path: string,
    next: (
      now: Uint8Array | null | undefined,
    ) => Uint8Array | string | null | undefined | Promise<Uint8Array | string | null | undefined>,
    options?: PutOptions,
  ): Promise<Reading<Uint8Array | null> | undefined>;
  async update(
    target: Target,
    next: (now: never) => unknown,
    options: PutOptions = {},
  ): Promise<Reading<unknown> | undefined> {
    for (;;) {
      const now = await this.#readingOf(target, options);
      const value = await next(now?.value as never);
      if (value === undefined) return now;
      try {
        const data = await encoded(target, value);
        const { stat, zxid } = await this.#replace(
          pathOf(target),
          data,
          now?.stat.version,
          options,
        );
        return { value: await decoded(target, data), data, stat, zxid };
      } catch (error) {
        const isOvertaken =
          error instanceof BadVersionError ||
          error instanceof NodeExistsError ||
          (error instanceof NoNodeError && now !== undefined);
        if (!isOvertaken) throw error;
      }
    }
  }

  /**
   * Deletes a znode. Rejects with NoNodeError, BadVersionError or NotEmptyError. With `recursive` and a tree that is too large for one
   * operation some znodes may be gone when it rejects, whatever `maybeApplied` says: that speaks of the last operation only.
   */
  async delete(target: Target, options: DeleteOptions = {}): Promise<void> {
    const path = pathOf(target);
    const version = versionOf(options);
    const { recursive = false } = options;
    checkBoolean("`recursive`", recursive);
    if (!recursive) {
      await this.#write({ kind: "delete", path, version }, path, options);
    } else if (version !== VERSION_ANY) {
      throw new BadArgumentsError("only one of `recursive` and `version` may be given");
    } else {
      checkPath(path);
      const { signal, timeoutMs } = options;
      await deleteTree(this, path, { signal, timeoutMs });
    }
  }

  /** Whether a znode exists: `stat` is undefined if it does not. `zxid` has the same use as that of `get`, in both cases. */
  async exists(
    target: Target,
    options: ReadOptions = {},
  ): Promise<{ readonly stat: Stat | undefined; readonly zxid: Zxid }> {
    const path = pathOf(target);
    const { result, zxid } = await this.#read({ kind: "exists", path, watch: false }, options);
    if (result.kind !== "stat" && result.kind !== "error") throw unexpected(result);
    return { stat: result.kind === "stat" ? result.stat : undefined, zxid };
  }

  /**
   * Reads the names of a znode's children, in no particular order. `stat` is that of the znode itself, `zxid` has the same use as
   * that of `get`. Rejects with NoNodeError.
   */
  async children(
    target: Target,
    options: ReadOptions = {},
  ): Promise<{
    readonly children: readonly string[];
    readonly stat: Stat;
    readonly zxid: Zxid;
  }> {
    const path = pathOf(target);
    const { result, zxid } = await this.#read({ kind: "getChildren", path, watch: false }, options);
    if (result.kind !== "children") throw unexpected(result);
    return { children: result.children, stat: result.stat, zxid };
  }

  /**
   * Reads the names of a znode's children by pages, for a znode with so many that one answer would be too large or take too long:
   *
   *     for await (const { children } of client.childrenPages("/jobs")) work(children);
   *
   * A child that is there from the first page to the last is given once. One that comes or goes meanwhile may be given or not. Nothing is
   * asked ahead of the caller. `changes(path)` afterwards begins at the first page. Rejects with NoNodeError. ZooKeeper has no pages: over
   * its protocol there is one, of all children.
   */
  childrenPages(target: Target, options: PagesOptions = {}): AsyncGenerator<Page, void, undefined> {
    const path = pathOf(target);
    checkPath(path);
    checkCallOptions(options);
    const { size = PAGE_SIZE } = options;
    checkPageSize(size);
    let isFirst = true;
    return pagesOf(
      async (read) => {
        const { result, zxid } = await this.request({ kind: "read", read }, path, options);
        if (isFirst) this.seen.read(path, zxid);
        isFirst = false;
        if (result.kind !== "page" && result.kind !== "children") throw failure(result, path);
        return { result, zxid };
      },
      { path, size, hasPages: this.wire.features.pages },
    );
  }

  /** Reads the access control list of a znode. `stat.aversion` counts its changes. Rejects with NoNodeError. */
  async acl(target: Target, options: ReadOptions = {}): Promise<AclReading> {
    const path = pathOf(target);
    const { result } = await this.#read({ kind: "getAcl", path }, options);
    if (result.kind !== "acl") throw unexpected(result);
    return aclReading(result);
  }

  /** Replaces the access control list of a znode. `version` is compared with `aversion`. Rejects with NoNodeError, InvalidAclError. */
  async setAcl(target: Target, acl: readonly Acl[], options: VersionOptions = {}): Promise<Stat> {
    const path = pathOf(target);
    const version = versionOf(options);
    checkAcl(acl);
    const { result } = await this.#write({ kind: "setAcl", path, acl, version }, path, options);
    if (result.kind !== "stat") throw unexpected(result);
    return result.stat;
  }

  /**
   * Several writes as one: all of them are done, at one zxid, or none.
   *
   *     const [job, stats] = await client
   *       .transaction((t) => [t.create("/jobs/job-", "x", { sequential: true }), t.set("/stats", "1")])
   *       .if(lock.isHeld)
   *       .commit();
   */
  transaction<const Steps extends readonly TransactionStep<unknown>[]>(
    build: (builder: TransactionBuilder) => Steps,
  ): Transaction<ResultsOf<Steps>> {
    return new Transaction(this, build(new TransactionBuilder()));
  }

  /** What a transaction is made of, at once; an operation of it that is refused is told by the result. */
  multi(operations: readonly NativeMember[], path: string, options: CallOptions): Promise<Answer> {
    return this.#write({ kind: "multi", operations }, path, options);
  }

  /** When it resolves, later reads of this client see every write that anyone had finished before the call. */
  async sync(path = "/", options: CallOptions = {}): Promise<void> {
    checkCallOptions(options);
    await this.#write({ kind: "sync", path }, path, options);
  }

  /** Who this client is to access control lists: its address, if it has one, and what it has proved. */
  async whoAmI(options: CallOptions = {}): Promise<readonly Identity[]> {
    checkCallOptions(options);
    const { result } = await this.#done({ kind: "whoAmI" }, "/", options);
    if (result.kind !== "identities") throw unexpected(result);
    return result.identities;
  }

  /** Asks the wire. `path` is checked, and told by errors; an error that the ensemble answers with is returned, not thrown. */
  request(request: NativeRequest, path: string, options: CallOptions): Promise<Answer> {
    try {
      checkPath(path);
      const bytesMax = Math.min(PACKET_BYTES_MAX, this.wire.requestBytesMax);
      if (bytesOf(request) > bytesMax) {
        throw new BadArgumentsError(
          `${path}: path and data together are above the limit of ${bytesMax} bytes`,
        );
      }
    } catch (error) {
      return Promise.reject(error as Error);
    }
    return this.wire.request(request, options);
  }

  /** Servers that know no containers, which are those of ZooKeeper 3.4, are given parents that stay. */
  async #createParents(path: string, options: CreateOptions): Promise<void> {
    const { acl, parents = true, signal, timeoutMs } = options;
    const how = { parents, ifNotExists: true, signal, timeoutMs, ...(acl && { acl }) };
    try {
      await this.create(path, null, { ...how, container: parents === "container" });
    } catch (error) {
      if (parents !== "container" || !(error instanceof UnsupportedError)) throw error;
      await this.create(path, null, how);
    }
  }

  async #readingOf(target: Target, options: CallOptions): Promise<Reading<unknown> | undefined> {
    try {
      return await this.get(target as Key<unknown>, options);
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  async #replace(
    path: string,
    data: Uint8Array | null,
    version: number | undefined,
    options: PutOptions,
  ): Promise<{ readonly stat: Stat; readonly zxid: Zxid }> {
    if (version === undefined) return this.create(path, data, { ...options, parents: true });
    const operation: NativeWrite = { kind: "setData", path, data: checkedData(data), version };
    const { result, zxid } = await this.#write(operation, path, options);
    if (result.kind !== "stat") throw unexpected(result);
    return { stat: result.stat, zxid };
  }

  #read(read: NativeRead, options: ReadOptions): Promise<Answer> {
    checkReadOptions(options);
    if (options.consistency === "linearizable") return this.#readBehindSync(read, options);
    return this.#done({ kind: "read", read }, read.path, options);
  }

  /** A sync and the read behind it, on their way together. */
  async #readBehindSync(read: NativeRead, options: ReadOptions): Promise<Answer> {
    const { path } = read;
    const operation: NativeWrite = { kind: "sync", path };
    const [, answer] = await Promise.all([
      this.#write(operation, path, options),
      this.#done({ kind: "read", read }, path, options),
    ]);
    return answer;
  }

  #write(operation: NativeWrite, path: string, options: CallOptions): Promise<Answer> {
    return this.#done({ kind: "write", operation }, path, options);
  }

  // Every call that asks once waits for its answer through the same number of promises, so that callers are told in the order in which
  // the ensemble has answered.

  async #done(request: NativeRequest, path: string, options: CallOptions): Promise<Answer> {
    const answer = await this.#answer(request, path, options);
    const { result } = answer;
    const isMissing = result.kind === "error" && result.code === Code.noNode;
    const isAnswer = isMissing && request.kind === "read" && request.read.kind === "exists";
    if (result.kind === "error" && !isAnswer) throw failure(result, path);
    return answer;
  }

  async #answer(request: NativeRequest, path: string, options: CallOptions): Promise<Answer> {
    const answer = await this.request(request, path, options);
    if (request.kind === "read") this.seen.read(path, answer.zxid);
    if (request.kind === "write" && request.operation.kind !== "sync") {
      this.seen.wrote(path, answer.zxid);
    }
    return answer;
  }
}

/** Returns the checked version; -1 if any will do. */
function versionOf(options: VersionOptions): number {
  checkCallOptions(options);
  const { version = VERSION_ANY } = options;
  checkVersion(version);
  return version;
}

function checkReadOptions(options: ReadOptions): void {
  checkCallOptions(options);
  const { consistency = "session" } = options;
  if (consistency !== "session" && consistency !== "linearizable") {
    throw new BadArgumentsError('`consistency` is "session" or "linearizable"');
  }
}

function failure(result: NativeResult, path: string): Error {
  return result.kind === "error" ? errorOfCode(result.code, path) : unexpected(result);
}

function unexpected(result: NativeResult): Error {
  return new TypeError(`the ensemble answered with a result of kind ${result.kind}`);
}
