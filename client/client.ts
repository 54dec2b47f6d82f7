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
import { Counter, type CounterOptions } from "./recipes/counter.ts";
import {
  join,
  type JoinOptions,
  type Member,
  Members,
  type MembersOptions,
} from "./recipes/members.ts";
import { Service, type ServiceOptions } from "./recipes/service.ts";
import { type ChangesOptions, changesOf } from "./streams/changes.ts";
import type { SessionState } from "./session/messages.ts";
import type { Key, Target } from "./values.ts";
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

  /** A whole number that many clients count on. */
  counter(path: string, options?: CounterOptions): Counter {
    checkPath(path);
    return new Counter(this, path, options);
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
