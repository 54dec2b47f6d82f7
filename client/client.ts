/** A client of an ensemble: reads and writes (`operations.ts`), streams of changes, recipes, and the session that all of them share. */
import { defer, type Observable } from "rxjs";
import {
  checkCallOptions,
  checkChangesOptions,
  checkPath,
  checkQuotaLimits,
} from "../protocol/arguments.ts";
import type { ChangeEvent } from "../protocol/changes.ts";
import { ClosedError, SessionExpiredError } from "../protocol/errors.ts";
import { Operations } from "./operations.ts";
import { type Quota, type QuotaLimits, quotaOf, setQuota } from "./quotas.ts";
import { type Config, configOf, type ConfigOptions } from "./recipes/config.ts";
import { Counter, type CounterOptions } from "./recipes/counter.ts";
import { CronJob, type CronOptions } from "./recipes/cron.ts";
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
import { Service, type ServiceOptions } from "./recipes/service.ts";
import { type ChangesOptions, changesOf } from "./streams/changes.ts";
import type { SessionState } from "./session/messages.ts";
import { type Key, pathOf, type Target } from "./values.ts";
import type { CallOptions, Wire } from "./wire.ts";

export class Client extends Operations {
  /** Emits the current state of the session on subscription, then each change of it. It completes when the client is closed. */
  readonly state$: Observable<SessionState>;
  /** Aborts when the session is over: its reason is a SessionExpiredError or, after `close`, a ClosedError. */
  readonly signal: AbortSignal;

  constructor(wire: Wire) {
    super(wire);
    this.state$ = wire.state$;
    const over = new AbortController();
    this.signal = over.signal;
    wire.state$.subscribe((state) => {
      if (state.kind === "expired") over.abort(new SessionExpiredError());
      if (state.kind === "closed") over.abort(new ClosedError());
    });
  }

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
   * The changes of a znode: in order, each exactly once, without a gap, across reconnects. Each subscription is a stream of its own; those
   * of the same znodes are given the same objects, which nobody may change. A stream completes after `compacted` and when the client is
   * closed; it errors when the session expires. Without `from` it begins at the last read of the path through this client, so
   * `children(path)` followed by `changes(path)` misses nothing. Callers that share a client and do something else between the two pass
   * `from`, the zxid of their own read.
   */
  changes(path: string, options: ChangesOptions = {}): Observable<ChangeEvent> {
    checkPath(path);
    checkChangesOptions(options);
    return defer(() => {
      const from = options.from ?? this.seen.of(path, options.recursive ?? false);
      return changesOf(this.wire, path, from === undefined ? options : { ...options, from });
    });
  }

  /** The value at the key, followed; one that is not valid is told, and the last good one stays. See also `openConfig`. */
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
