/**
 * A queue of jobs that outlives its consumers. The layout is its own: below the queue's path, `items/<priority>-<guid>-<number>` are the jobs,
 * in whose version the tries are counted (`turns.ts`), and `dead/…` are those that were tried in vain. Sources: kazoo's LockingQueue,
 * Curator's DistributedPriorityQueue; both of them keep neither tries nor fences.
 */
import { firstValueFrom } from "rxjs/internal/firstValueFrom";
import { checkCallOptions, checkOptions } from "../../protocol/arguments.ts";
import {
  BadArgumentsError,
  BadVersionError,
  ConnectionLossError,
  InvalidValueError,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
} from "../../protocol/errors.ts";
import type { Reading } from "../calls.ts";
import type { Client } from "../client.ts";
import type { ResultsOf, TransactionBuilder, TransactionStep } from "../transaction.ts";
import { decoded, encoded, Key, pathOf, type Target } from "../values.ts";
import type { CallOptions } from "../wire.ts";
import { checkWait } from "./arguments.ts";
import { childPath } from "./below.ts";
import { Claim } from "./claim.ts";
import { inDoubt } from "./doubt.ts";
import { NotAcquiredError } from "./errors.ts";
import { QueueView } from "./queue-view.ts";
import { committedWith, type Turn, turnTaken } from "./turns.ts";
import { uniqueName } from "./unique.ts";
import type { WaitOptions } from "./wait.ts";
import { within } from "./within.ts";

const TRIES = 5;
const PRIORITY = 100;
const PRIORITY_MAX = 999;

/** How the jobs of a queue are taken. */
export type QueueOptions = {
  /** How often a job is taken, at least 1, before it is a dead letter; each consumer goes by its own. Default 5. */
  readonly tries?: number | undefined;
};

/** How a job is put into a queue. */
export type QueuePutOptions = CallOptions & {
  /** 0 to 999; jobs with a smaller number are taken first, those with the same in their order. Default 100. */
  readonly priority?: number | undefined;
};

/** A job that is given to nobody any more. */
export type DeadLetter = {
  /** That of the job, as `put` returned it. */
  readonly name: string;
  /** Its znode, which stays until somebody deletes it. */
  readonly path: string;
  /** The bytes of the job's value. */
  readonly data: Uint8Array | null;
};

/** A job that this client holds. What is not `done` when it is released, or when its session ends, is given to the next consumer. */
export class Job<Value> extends Claim {
  /** That of the job, which it keeps over its tries. */
  readonly name: string;
  /** What was put, as the key reads it; without a key, its bytes. */
  readonly value: Value;
  /** 1 for the first consumer. */
  readonly tries: number;
  readonly #client: Client;
  readonly #item: string;

  constructor(
    client: Client,
    turn: Turn,
    job: {
      readonly name: string;
      readonly item: string;
      readonly value: Value;
      readonly tries: number;
    },
  ) {
    super(client, turn.path, turn.stat);
    this.#client = client;
    this.#item = job.item;
    this.name = job.name;
    this.value = job.value;
    this.tries = job.tries;
  }

  /**
   * Takes the job out of the queue, together with the steps of its result: all of that, or nothing. Rejects with ConditionFailedError if the
   * job is not held any more. It returns the steps' results; undefined if their answer was lost, which happens over ZooKeeper's protocol only.
   * If the job was lost at the same time it rejects with ConnectionLossError, since it cannot tell whether the job was done.
   */
  async done<const Steps extends readonly TransactionStep<unknown>[] = readonly []>(
    result?: (builder: TransactionBuilder) => Steps,
    options: CallOptions = {},
  ): Promise<ResultsOf<Steps> | undefined> {
    let count = 0;
    const transaction = this.#client.transaction((make) => {
      const steps = result?.(make) ?? [];
      count = steps.length;
      return [...steps, make.delete(this.path), make.delete(this.#item)];
    });
    const results = await committedWith(this.#client, this, transaction, options);
    await this.release();
    return results?.slice(0, count) as ResultsOf<Steps> | undefined;
  }
}

/**
 * A queue of jobs that outlives its consumers: a job is given to one consumer at a time, by priority and then in the order in which jobs
 * were put, until one of them says that it is `done`. It follows the queue from the first `take` on, until it is disposed of. Made for
 * thousands of jobs that wait, not for millions.
 */
export class Queue<Value, Given> implements Disposable {
  /** The znode below which the jobs are. */
  readonly path: string;
  readonly #client: Client;
  readonly #target: Target;
  readonly #tries: number;
  #view: Promise<QueueView> | undefined;

  constructor(client: Client, target: Target, options: QueueOptions = {}) {
    checkOptions("options", options);
    const { tries = TRIES } = options;
    if (!Number.isInteger(tries) || tries < 1) {
      throw new BadArgumentsError("`tries` is a whole number from 1");
    }
    this.path = pathOf(target);
    this.#client = client;
    this.#target = target;
    this.#tries = tries;
  }

  /**
   * Puts a job behind those of the same priority, and returns its name. It is put once; over ZooKeeper's protocol twice, if the connection
   * dies and the job was already done when this client looks for it.
   */
  async put(value: Given, options: QueuePutOptions = {}): Promise<string> {
    const { priority = PRIORITY, signal, timeoutMs } = options;
    checkCallOptions(options);
    if (!Number.isInteger(priority) || priority < 0 || priority > PRIORITY_MAX) {
      throw new BadArgumentsError("`priority` is a whole number from 0 to 999");
    }
    const data = await encoded(this.#target, value);
    const items = this.#items;
    const guid = uniqueName(this.#client.wire.clock);
    const path = childPath(items, `${String(priority).padStart(3, "0")}-${guid}-`);
    const calls = { signal, timeoutMs };
    let lost: ConnectionLossError | undefined;
    try {
      for (;;) {
        try {
          const made = { ...calls, sequential: true, parents: true };
          const created = await this.#client.create(path, data, made);
          return created.path.slice(items.length + 1);
        } catch (error) {
          if (!(error instanceof ConnectionLossError)) throw error;
          lost = error;
        }
        await this.#client.sync(items, calls);
        const { children } = await this.#childrenOf(items, calls);
        const found = children.find((name) => name.includes(guid));
        if (found !== undefined) return found;
      }
    } catch (error) {
      throw inDoubt(error, lost);
    }
  }

  /** The first job that nobody holds. Waits for one; rejects with NotAcquiredError when `waitMs` are over. */
  async take(options: WaitOptions = {}): Promise<Job<Value>> {
    checkWait(this.path, options);
    const { signal, waitMs } = options;
    const { clock } = this.#client.wire;
    const untilMs = waitMs === undefined ? Infinity : clock.nowMs() + waitMs;
    const view = (await within(this.#client, this.#followed(), { signal })) as QueueView;
    // Consumers that meet at one item try others behind it, too.
    for (let among = 1; ; ) {
      const changed = firstValueFrom(view.changed$);
      changed.catch(() => undefined);
      const name = view.free(among);
      if (name !== undefined) {
        const tried = await this.#tried(name, view, { signal });
        if (tried instanceof Job) return tried;
        if (tried === "met") among += 1;
        continue;
      }
      const leftMs = untilMs - clock.nowMs();
      const limits = leftMs === Infinity ? { signal } : { signal, waitMs: Math.max(0, leftMs) };
      const woken = await within(
        this.#client,
        changed.then(() => true),
        limits,
      );
      if (woken === undefined) throw new NotAcquiredError(this.path, waitMs ?? 0);
    }
  }

  /** How many jobs wait or are held. */
  async length(options: CallOptions = {}): Promise<number> {
    return (await this.#client.exists(this.#items, options)).stat?.numChildren ?? 0;
  }

  /** The jobs that were tried in vain, or whose value is not what the key says. Who has looked at one deletes it. */
  async deadLetters(options: CallOptions = {}): Promise<readonly DeadLetter[]> {
    const { children } = await this.#childrenOf(this.#dead, options);
    const letters = children.toSorted().map(async (name): Promise<readonly DeadLetter[]> => {
      const path = childPath(this.#dead, name);
      try {
        const { data } = await this.#client.get(path, options);
        return [{ name, path, data }];
      } catch (error) {
        // Somebody else has looked at it, and has deleted it.
        if (error instanceof NoNodeError) return [];
        throw error;
      }
    });
    return (await Promise.all(letters)).flat();
  }

  /** It follows the queue no longer. Jobs that are held stay so. */
  [Symbol.dispose](): void {
    const view = this.#view;
    this.#view = undefined;
    view?.then((opened) => opened.stop()).catch(() => undefined);
  }

  get #items(): string {
    return childPath(this.path, "items");
  }

  get #dead(): string {
    return childPath(this.path, "dead");
  }

  async #followed(): Promise<QueueView> {
    this.#view ??= this.#opened();
    return this.#view;
  }

  async #opened(): Promise<QueueView> {
    try {
      const made = { parents: true, ifNotExists: true } as const;
      await this.#client.create(this.#items, null, made);
      const view = new QueueView(this.#client, this.#items);
      view.changed$.subscribe({ error: () => (this.#view = undefined) });
      await firstValueFrom(view.changed$);
      return view;
    } catch (error) {
      this.#view = undefined;
      throw error;
    }
  }

  async #childrenOf(
    path: string,
    options: CallOptions,
  ): Promise<{ readonly children: readonly string[] }> {
    try {
      return await this.#client.children(path, options);
    } catch (error) {
      if (error instanceof NoNodeError) return { children: [] };
      throw error;
    }
  }

  async #tried(
    name: string,
    view: QueueView,
    options: CallOptions,
  ): Promise<Job<Value> | "met" | "buried"> {
    const item = childPath(this.#items, name);
    let reading: Reading<Uint8Array | null>;
    try {
      reading = await this.#client.get(item, options);
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      view.gone(name);
      return "met";
    }
    const { data, stat, zxid } = reading;
    if (stat.numChildren > 0) {
      view.held(name, zxid);
      return "met";
    }
    const value = await this.#valueOf(item, data);
    if (value === undefined || stat.version >= this.#tries) {
      if (await this.#buried(name, reading, options)) view.gone(name);
      return "buried";
    }
    const turn = await turnTaken(this.#client, { path: item, data, reading }, options);
    if (turn === undefined) return "met";
    view.held(name, turn.stat.czxid);
    const job = { name, item, value: value.good, tries: stat.version + 1 };
    return new Job(this.#client, turn, job);
  }

  async #valueOf(
    item: string,
    data: Uint8Array | null,
  ): Promise<{ readonly good: Value } | undefined> {
    const { codec, schema } = this.#target instanceof Key ? this.#target : NO_KEY;
    const target = codec === undefined ? item : new Key(item, codec, schema);
    try {
      return { good: (await decoded(target, data)) as Value };
    } catch (error) {
      if (error instanceof InvalidValueError) return undefined;
      throw error;
    }
  }

  /** Moves a job that nobody holds to the dead letters. False: somebody else has done so or holds it by now, or it is not known. */
  async #buried(
    name: string,
    { data, stat }: Reading<unknown>,
    options: CallOptions,
  ): Promise<boolean> {
    const item = childPath(this.#items, name);
    try {
      await this.#client.create(this.#dead, null, { ...options, parents: true, ifNotExists: true });
      await this.#client
        .transaction((make) => [
          make.delete(item, { version: stat.version }),
          make.create(childPath(this.#dead, name), data),
        ])
        .commit(options);
      return true;
    } catch (error) {
      if (!REFUSALS.some((refusal) => error instanceof refusal)) throw error;
      return false;
    }
  }
}

const NO_KEY = { codec: undefined, schema: undefined };

/** Somebody else has moved it, or holds it; or whoever looks at it next sees whether it was moved. */
const REFUSALS = [
  NoNodeError,
  BadVersionError,
  NotEmptyError,
  NodeExistsError,
  ConnectionLossError,
];
