/**
 * A rate that all clients keep together. The bucket is a moment at a znode: until then everything is given away. A client moves it by what a
 * block of tokens takes, and spends the block by itself, so a write serves `reserve` calls. Source: the generic cell rate algorithm
 * (ITU-T I.371).
 *
 * Which clock: that of the ensemble's leader, which stamps each write (`mtime`). From a stamp a client goes on by its own monotonic clock, a
 * little slowly, so that its guess is never ahead of the leader unless its clock is faster than the leader's by more than `DRIFT`.
 */
import { checkOptions } from "../../protocol/arguments.ts";
import {
  BadArgumentsError,
  BadVersionError,
  ConnectionLossError,
  InvalidValueError,
  NoNodeError,
} from "../../protocol/errors.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Client } from "../client.ts";
import { json, Key } from "../values.ts";
import { checkWait } from "./arguments.ts";
import { pause } from "./again.ts";
import type { WaitOptions } from "./wait.ts";
import { within } from "./within.ts";

const FORMAT = 1;
const LEASE_MS = 1_000;
/** How much faster than the leader's a client's clock may be. */
const DRIFT = 0.001;
/** A stamp that is older than this is not trusted for a refusal: the client asks for another one. */
const STAMP_MS = 1_000;

/** The rate, and how clients take their shares of it. All who use one path give the same `perSecond` and `burst`. */
export type RateLimitOptions = {
  /** How many tokens there are again after each second, in all; a number above 0. */
  readonly perSecond: number;
  /** How many tokens there are at most after a quiet time, at least 1. Default `perSecond`, or 1 if that is more. */
  readonly burst?: number | undefined;
  /** How many tokens a client takes by one write, 1 to `burst`; it spends them without asking. Default 1. */
  readonly reserve?: number | undefined;
  /** How many milliseconds a client keeps tokens that it does not spend; then they are lost. Default 1_000. */
  readonly leaseMs?: number | undefined;
};

/** After these the bucket is read again. A block that was taken and lost with its answer is spent by nobody. */
const AGAIN = [BadVersionError, NoNodeError, ConnectionLossError];

type Bucket = { readonly untilMs: number; readonly version: number };
/** The leader's clock was at `leaderMs` not later than this client's was at `atMs`. */
type Stamp = { readonly leaderMs: number; readonly atMs: number };

/**
 * A rate that all clients keep together at a path: a bucket of tokens, filled by the clock of the ensemble's leader. Source: the generic
 * cell rate algorithm (ITU-T I.371).
 */
export class RateLimit {
  /** The znode with the bucket. */
  readonly path: string;
  readonly #client: Client;
  readonly #key: Key<unknown>;
  readonly #tokenMs: number;
  readonly #burst: number;
  readonly #reserve: number;
  readonly #leaseMs: number;
  #bucket: Bucket | undefined;
  #stamp: Stamp | undefined;
  #tokens = 0;
  #tokensUntilMs = -Infinity;
  #leasing: Promise<void> | undefined;

  constructor(client: Client, path: string, options: RateLimitOptions) {
    checkOptions("options", options);
    const { perSecond, burst = Math.max(1, perSecond), reserve = 1, leaseMs = LEASE_MS } = options;
    for (const [name, value] of Object.entries({ perSecond, burst, reserve, leaseMs })) {
      if (!(Number.isFinite(value) && value > 0)) {
        throw new BadArgumentsError(`\`${name}\` is a number above 0`);
      }
    }
    if (burst < 1 || reserve < 1 || reserve > burst || !Number.isInteger(reserve)) {
      throw new BadArgumentsError("`reserve` is a whole number from 1 to `burst`");
    }
    this.path = path;
    this.#client = client;
    this.#key = new Key(path, json, undefined);
    this.#tokenMs = 1_000 / perSecond;
    this.#burst = burst;
    this.#reserve = reserve;
    this.#leaseMs = leaseMs;
  }

  /**
   * Takes tokens, 1 to `burst` of them: true when it has them, false when there are none within `waitMs`, by default at once. Rejects when
   * the ensemble does not answer: the caller says whether that means yes or no.
   */
  async take(count = 1, options: WaitOptions = {}): Promise<boolean> {
    checkWait(this.path, options);
    const { signal, waitMs = 0 } = options;
    if (!Number.isInteger(count) || count < 1 || count > this.#burst) {
      throw new BadArgumentsError("`count` is a whole number from 1 to `burst`");
    }
    const { clock } = this.#client.wire;
    const untilMs = clock.nowMs() + waitMs;
    for (;;) {
      if (this.#spent(count)) return true;
      const missingMs = this.#missingMs(count);
      if (missingMs === 0) {
        await within(this.#client, this.#leased(count), { signal });
        continue;
      }
      if (clock.nowMs() + missingMs > untilMs) return false;
      const ended = new AbortController();
      try {
        await within(this.#client, pause(clock, missingMs, ended.signal), { signal });
      } finally {
        ended.abort();
      }
    }
  }

  #spent(count: number): boolean {
    if (this.#client.wire.clock.nowMs() >= this.#tokensUntilMs) this.#tokens = 0;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /**
   * For how long there are certainly not so many tokens, as far as this client knows: others only move the bucket on. 0: it has to ask.
   */
  #missingMs(count: number): number {
    const stamp = this.#stamp;
    if (this.#bucket === undefined || stamp === undefined) return 0;
    if (this.#client.wire.clock.nowMs() - stamp.atMs > STAMP_MS) return 0;
    const missing = count - this.#left(this.#bucket, this.#leaderMs(stamp));
    return missing <= 0 ? 0 : Math.ceil((missing * this.#tokenMs) / (1 - DRIFT));
  }

  /**
   * How many tokens are there, not in whole ones. It is counted from what the bucket is ahead by: times of today are so large that what is
   * added to them is rounded, and a burst would be a little less than all of itself.
   */
  #left({ untilMs }: Bucket, leaderMs: number): number {
    return this.#burst - Math.max(0, untilMs - leaderMs) / this.#tokenMs;
  }

  #leaderMs({ leaderMs, atMs }: Stamp): number {
    return leaderMs + (this.#client.wire.clock.nowMs() - atMs) * (1 - DRIFT);
  }

  /** One asks for all: who waited meanwhile looks again. */
  async #leased(count: number): Promise<void> {
    if (this.#leasing !== undefined) {
      await this.#leasing;
      return;
    }
    this.#leasing = this.#lease(count).finally(() => {
      this.#leasing = undefined;
    });
    await this.#leasing;
  }

  /** Gets a block of at least `count` tokens, or learns that there is none. */
  async #lease(count: number): Promise<void> {
    for (;;) {
      const bucket = this.#bucket ?? (await this.#read());
      const stamp = this.#stamp;
      if (stamp === undefined) {
        await this.#written(bucket, bucket.untilMs);
        continue;
      }
      const leaderMs = this.#leaderMs(stamp);
      const start = Math.max(bucket.untilMs, leaderMs);
      const left = Math.floor(this.#left(bucket, leaderMs));
      const block = Math.min(Math.max(count, this.#reserve), left);
      if (block < count) {
        const isOld = this.#client.wire.clock.nowMs() - stamp.atMs > STAMP_MS;
        if (!isOld) return;
        await this.#written(bucket, bucket.untilMs);
        continue;
      }
      if (!(await this.#written(bucket, start + block * this.#tokenMs))) continue;
      // What was left was too little, and is older.
      this.#tokens = block;
      this.#tokensUntilMs = this.#client.wire.clock.nowMs() + this.#leaseMs;
      return;
    }
  }

  /** False: somebody else has moved the bucket, or it is not known whether this client has; it has to be read again. */
  async #written({ version }: Bucket, untilMs: number): Promise<boolean> {
    this.#bucket = undefined;
    try {
      const stat = await this.#client.set(this.#key, { format: FORMAT, untilMs }, { version });
      this.#noted(stat, untilMs);
      return true;
    } catch (error) {
      if (AGAIN.some((refusal) => error instanceof refusal)) return false;
      throw error;
    }
  }

  #noted(stat: Stat, untilMs: number): Bucket {
    const bucket = { untilMs, version: stat.version };
    this.#bucket = bucket;
    this.#stamp = { leaderMs: stat.mtime, atMs: this.#client.wire.clock.nowMs() };
    return bucket;
  }

  async #read(): Promise<Bucket> {
    for (;;) {
      try {
        const { value, stat } = await this.#client.get(this.#key);
        const { format, untilMs } = (value ?? {}) as { format?: unknown; untilMs?: unknown };
        if (format === FORMAT && typeof untilMs === "number") {
          this.#bucket = { untilMs, version: stat.version };
          return this.#bucket;
        }
        throw new InvalidValueError(this.path, "stored", [{ message: "no bucket", path: [] }]);
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      const fresh = { format: FORMAT, untilMs: 0 };
      const made = { parents: true, ifNotExists: true };
      const { stat, created } = await this.#client.create(this.#key, fresh, made);
      if (!created) continue;
      return this.#noted(stat, 0);
    }
  }
}
