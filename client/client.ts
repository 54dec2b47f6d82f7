/** A client of an ensemble: reads and writes (`operations.ts`), streams of changes, recipes, and the session that all of them share. */
import type { Observable } from "rxjs";
import {
  checkCallOptions,
  checkClientChangesOptions,
  checkPath,
  checkQuotaLimits,
  checkStreamOptions,
} from "../protocol/arguments.ts";
import { BadArgumentsError, ClosedError, SessionExpiredError } from "../protocol/errors.ts";
import { TracedWire } from "./diagnostics.ts";
import { Operations } from "./operations.ts";
import { type Quota, type QuotaLimits, quotaOf, setQuota } from "./quotas.ts";
import { Barrier } from "./recipes/barrier.ts";
import type { Claim } from "./recipes/claim.ts";
import { type Config, configOf, type ConfigOptions } from "./recipes/config.ts";
import { Counter, type CounterOptions } from "./recipes/counter.ts";
import { CronJob, type CronOptions } from "./recipes/cron.ts";
import { DoubleBarrier, type DoubleBarrierOptions } from "./recipes/double-barrier.ts";
import { Election, type ElectionOptions } from "./recipes/election.ts";
import { lock, type LockOptions } from "./recipes/lock.ts";
import {
  join,
  type JoinOptions,
  type Member,
  Members,
  type MembersOptions,
} from "./recipes/members.ts";
import { once, type OnceOptions, type Work } from "./recipes/once.ts";
import { Queue, type QueueOptions } from "./recipes/queue.ts";
import { RateLimit, type RateLimitOptions } from "./recipes/rate-limit.ts";
import { ReadWriteLock } from "./recipes/read-write-lock.ts";
import { Semaphore, type SemaphoreOptions } from "./recipes/semaphore.ts";
import { Service, type ServiceOptions } from "./recipes/service.ts";
import type { ChangeStream, StreamOptions } from "./streams/change-stream.ts";
import { type ChangesOptions, changesOf } from "./streams/changes.ts";
import { childrenOf, type ChildrenView } from "./streams/children.ts";
import type { EventOf } from "./streams/events.ts";
import { treeOf, type TreeOptions, type TreeView } from "./streams/tree.ts";
import { valueOf } from "./streams/value.ts";
import { decoded, type Key, pathOf, type Target } from "./values.ts";
import type { SessionState } from "./session/messages.ts";
import type { CallOptions, Wire } from "./wire.ts";

const NO_OPTIONS = {};

/**
 * A session with an ensemble, which `connect` opens: reads and writes of znodes, streams of what changes, and recipes. A program needs one,
 * and all of it may share it: calls go out in the order in which they are made, and a read sees all that this client has done before. While
 * there is no connection calls wait, each for its time. `await using` closes it.
 */
export class Client extends Operations {
  /** Emits the current state of the session on subscription, then each change of it. It completes when the client is closed. */
  readonly state$: Observable<SessionState>;
  /** Aborts when the session is over: its reason is a SessionExpiredError or, after `close`, a ClosedError. */
  readonly signal: AbortSignal;

  /** As `connect` makes it, of a session that it has opened. */
  constructor(wire: Wire) {
    super(new TracedWire(wire));
    this.state$ = wire.state$;
    const over = new AbortController();
    this.signal = over.signal;
    wire.state$.subscribe((state) => {
      if (state.kind === "expired") over.abort(new SessionExpiredError());
      if (state.kind === "closed") over.abort(new ClosedError());
    });
  }

  /** How the session is now: what `state$` has emitted last. */
  get state(): SessionState {
    return this.wire.state;
  }

  /** Returns undefined where the path has no quota of its own. */
  async quota(path: string, options: CallOptions = {}): Promise<Quota | undefined> {
    checkPath(path);
    checkCallOptions(options);
    return quotaOf(this, path, options);
  }

  /** Says how much may be at the path and below it. Null: there is no limit any more. */
  async setQuota(
    path: string,
    limits: QuotaLimits | null,
    options: CallOptions = {},
  ): Promise<void> {
    checkPath(path);
    checkQuotaLimits(limits);
    checkCallOptions(options);
    await setQuota(this, path, limits, options);
  }

  /**
   * The changes of a znode, and with `recursive` of its children or of all below it: in order, each exactly once, without a gap that is
   * not told, those of a transaction together, across reconnects. Subscribe to it, or loop over it with `for await`: a loop is given more
   * only when it asks. Consumers of the same znodes are given the same objects, which nobody may change. Without `from` it begins at
   * the last read of the path through this client, so `children(path)` followed by `changes(path)` misses nothing. Callers that share a
   * client and do something else between the two pass `from`, the zxid of their own read. It completes when the client is closed, and
   * fails when the session expires or, unless `onGap` says otherwise, with a GapError when the ensemble no longer keeps what comes next.
   */
  changes<Options extends ChangesOptions = Record<never, never>>(
    path: string,
    options: Options = NO_OPTIONS as Options,
  ): ChangeStream<EventOf<Options>> {
    checkPath(path);
    checkClientChangesOptions(options);
    const stream = changesOf(this.wire, path, options, () =>
      this.seen.of(path, options.recursive === true),
    );
    return stream as ChangeStream<never> as ChangeStream<EventOf<Options>>;
  }

  /**
   * The value of a znode: first the present one, then each that is set; undefined while there is no such znode. It fails with
   * InvalidValueError at a value that the key does not take.
   */
  value$<Value, Given>(
    target: Key<Value, Given>,
    options?: StreamOptions,
  ): ChangeStream<Value | undefined>;
  /** The same at a path: the bytes as they are, null while the znode has no data. */
  value$(target: string, options?: StreamOptions): ChangeStream<Uint8Array | null | undefined>;
  value$(target: Target, options: StreamOptions = {}): ChangeStream<unknown> {
    const path = pathOf(target);
    checkPath(path);
    checkStreamOptions(options);
    return valueOf(this.wire, path, (data) => atOnce(decoded(target, data), path), options);
  }

  /** The names of a znode's children: first as they are, then whenever some come or go. A znode that does not exist has none. */
  children$(path: string, options: StreamOptions = {}): ChangeStream<ChildrenView> {
    checkPath(path);
    checkStreamOptions(options);
    return childrenOf(this.wire, path, options);
  }

  /**
   * A live copy of a subtree: first all of it, then a view after each transaction that changes it, whole and right at its zxid. Views share
   * what does not differ. A subtree that does not exist is empty until it does.
   */
  tree$(path: string, options: TreeOptions = {}): ChangeStream<TreeView> {
    checkPath(path);
    checkStreamOptions(options);
    return treeOf(this.wire, path, options);
  }

  /**
   * Takes a lock: waits until nobody else holds it. `await using` gives it back.
   *
   *     await using lock = await client.lock("/locks/import", { waitMs: 5_000 });
   *     await client.transaction((t) => [t.set("/state", "done")]).if(lock.isHeld).commit();
   *     await fetch(url, { signal: lock.signal, headers: { fence: String(lock.fence) } });
   *
   * `signal` aborts before anybody else can hold it, `fence` grows with each holder, `isHeld` is a condition for transactions. It is not
   * reentrant: a second call waits for the first, in the same process, too. Rejects with NotAcquiredError after `waitMs`.
   */
  async lock(path: string, options: LockOptions = {}): Promise<Claim> {
    return lock(this, path, options);
  }

  /** Many readers or one writer: `await using lock = await client.readWriteLock(path).read({ waitMs })`. Nobody starves. */
  readWriteLock(path: string): ReadWriteLock {
    return new ReadWriteLock(this, path);
  }

  /** At most `permits` holders at a time: `await using permit = await client.semaphore(path, { permits: 4 }).acquire()`. */
  semaphore(path: string, options: SemaphoreOptions): Semaphore {
    return new Semaphore(this, path, options);
  }

  /** One who leads at a time: `terms()` to lead, `leader$` to see who does. */
  election(path: string, options?: ElectionOptions): Election {
    return new Election(this, path, options);
  }

  /** While it is set, all who `wait` wait; when it is removed, all go on. */
  barrier(path: string): Barrier {
    return new Barrier(this, path);
  }

  /** One member of a barrier which so many members enter, and leave, together. */
  doubleBarrier(path: string, options: DoubleBarrierOptions): DoubleBarrier {
    return new DoubleBarrier(this, path, options);
  }

  /**
   * The value at the key, followed; one that is not valid is told, and the last good one stays. See also `openConfig`. While there is no
   * good one in the file either, it rejects: with InvalidValueError, NoNodeError, after `fallbackAfterMs` with UnreachableError, or with
   * AbortedError.
   */
  config<Value, Given>(target: Key<Value, Given>, options?: ConfigOptions): Promise<Config<Value>> {
    return configOf(this, target, options);
  }

  /** A whole number that many clients count on. */
  counter(path: string, options?: CounterOptions): Counter {
    checkPath(path);
    return new Counter(this, path, options);
  }

  /** Runs the work at the times of the pattern, `0 3 * * *`, on one of all instances that plan it at the path. */
  cron(path: string, pattern: string, work: Work<unknown>, options?: CronOptions): CronJob {
    checkPath(path);
    return new CronJob(this, { path, pattern }, work, options);
  }

  /** Takes part in the group at the path, until it leaves or the session ends. */
  join<Value, Given>(
    group: Key<Value, Given>,
    value: Given,
    options?: JoinOptions,
  ): Promise<Member<Given>>;
  /** The same at a path: bytes as they are, text as UTF-8, null for no data. */
  join(
    group: string,
    data?: Uint8Array | string | null,
    options?: JoinOptions,
  ): Promise<Member<Uint8Array | string | null>>;
  async join(group: Target, value: unknown = null, options?: JoinOptions): Promise<Member<never>> {
    return join(this, group, value as never, options);
  }

  /** Who takes part in the group at the path. */
  members<Value, Given>(group: Key<Value, Given>, options?: MembersOptions): Members<Value>;
  /** The same at a path, whose members' values are bytes. */
  members(group: string, options?: MembersOptions): Members<Uint8Array | null>;
  members(group: Target, options?: MembersOptions): Members<unknown> {
    return new Members(this, group, options);
  }

  /**
   * Runs the work once, whoever asks for it at the path: the others wait, and get its result, which JSON can hold. When the runner dies, the next
   * one runs it again with a larger fence. Work that throws is not kept: the next caller runs it.
   */
  async once<Result>(
    path: string,
    work: Work<Result>,
    options?: OnceOptions<Result>,
  ): Promise<Result> {
    checkPath(path);
    return once(this, path, work, options);
  }

  /** Jobs at the path: each is given to one consumer at a time until it is done, and again when its consumer dies. */
  queue<Value, Given>(target: Key<Value, Given>, options?: QueueOptions): Queue<Value, Given>;
  /** The same at a path, whose jobs are bytes; text is put as UTF-8. */
  queue(path: string, options?: QueueOptions): Queue<Uint8Array | null, Uint8Array | string | null>;
  queue(target: Target, options?: QueueOptions): Queue<unknown, unknown> {
    checkPath(pathOf(target));
    return new Queue(this, target, options);
  }

  /** A rate that all clients keep together at the path. */
  rateLimit(path: string, options: RateLimitOptions): RateLimit {
    checkPath(path);
    return new RateLimit(this, path, options);
  }

  /** The service whose instances are below the path, `/discovery/<name>` as Curator has it: to register there, and to pick one. */
  service<Payload = unknown, Given = Payload>(
    path: string,
    options?: ServiceOptions<Payload, Given>,
  ): Service<Payload, Given> {
    checkPath(path);
    return new Service(this, path, options);
  }

  /** Ends the session, which deletes its ephemeral znodes. Operations that have no answer yet are rejected with ClosedError. */
  async close(): Promise<void> {
    await this.wire.close();
  }

  /** The same as `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A stream gives values in order, so none may take its time. */
function atOnce(value: unknown, path: string): unknown {
  if (!(value instanceof Promise)) return value;
  value.catch(() => undefined);
  throw new BadArgumentsError(`${path}: the key's schema takes its time, which a stream cannot`);
}
