/** A number that many count on. Sources: Curator's DistributedAtomicLong, kazoo's `recipe/counter.py`. */
import {
  BadArgumentsError,
  BadVersionError,
  ConnectionLossError,
  NodeExistsError,
  NoNodeError,
} from "../../protocol/errors.ts";
import type { Reading, ReadOptions } from "../calls.ts";
import type { Client } from "../client.ts";
import { type Codec, Key } from "../values.ts";
import type { CallOptions } from "../wire.ts";
import { pause } from "./again.ts";
import { inDoubt } from "./doubt.ts";

const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;
const LONG_BYTES = 8;

/** How often in a row others may be faster before a writer waits a little, and the longest that it waits, in milliseconds. */
const CONFLICTS_AT_ONCE = 2;
const CONFLICT_MS_MAX = 100;

/** How the number is stored. */
export type CounterOptions = {
  /**
   * `curator`: 8 bytes, as Curator's DistributedAtomicLong has them. `kazoo`: decimal digits, as kazoo's Counter writes whole numbers.
   * Default `curator`. All who count on one znode use the same.
   */
  readonly layout?: "curator" | "kazoo";
};

/** A write whose outcome is not known. */
type Doubt = {
  readonly error: ConnectionLossError;
  readonly now: Reading<bigint> | undefined;
  readonly next: bigint;
};

/**
 * A whole number of 64 bits at a znode, 0 while there is none. Each change compares and sets: none is lost and none is done twice, however
 * many clients count. Where a connection dies over ZooKeeper's protocol the counter looks before it counts again; when it cannot tell,
 * because others have counted meanwhile, it rejects with ConnectionLossError, `maybeApplied: "unknown"`.
 */
export class Counter {
  /** The znode with the number. */
  readonly path: string;
  readonly #client: Client;
  readonly #key: Key<bigint>;

  constructor(client: Client, path: string, { layout = "curator" }: CounterOptions = {}) {
    const codec = LAYOUTS.get(layout);
    if (codec === undefined) throw new BadArgumentsError('`layout` is "curator" or "kazoo"');
    this.path = path;
    this.#client = client;
    this.#key = new Key<bigint>(path, codec as Codec<unknown>, undefined);
  }

  /** The number as this client's node knows it. With `consistency: "linearizable"`: after all counting that had ended before the call. */
  async value(options: ReadOptions = {}): Promise<bigint> {
    return (await this.#reading(options))?.value ?? 0n;
  }

  /** Adds to the number, and returns what it is then. It never leaves 64 bits: such a call is rejected with BadArgumentsError. */
  async add(by: bigint | number = 1n, options: CallOptions = {}): Promise<bigint> {
    const added = wholeNumber(by);
    return (await this.#change((now) => now + added, options)) as bigint;
  }

  /** Sets the number, whatever it was. A value beyond 64 bits is rejected with BadArgumentsError. */
  async set(value: bigint | number, options: CallOptions = {}): Promise<void> {
    const next = wholeNumber(value);
    await this.#change(() => next, options);
  }

  /** Sets the number to `to` if it is `from`; returns whether it was. */
  async compareAndSet(
    { from, to }: { readonly from: bigint | number; readonly to: bigint | number },
    options: CallOptions = {},
  ): Promise<boolean> {
    const expected = wholeNumber(from);
    const next = wholeNumber(to);
    return (await this.#change((now) => (now === expected ? next : undefined), options)) === next;
  }

  async #reading(options: ReadOptions): Promise<Reading<bigint> | undefined> {
    try {
      return await this.#client.get(this.#key, options);
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  /** Undefined, of `nextOf` and then of this: nothing was written. */
  async #change(
    nextOf: (now: bigint) => bigint | undefined,
    options: CallOptions,
  ): Promise<bigint | undefined> {
    let doubt: Doubt | undefined;
    for (let conflicts = 0; ; conflicts += 1) {
      try {
        const now = await this.#reading(options);
        if (doubt !== undefined) {
          if (isUndecided(doubt, now)) throw doubt.error;
          if (now?.stat.version !== doubt.now?.stat.version) doubt = undefined;
        }
        const next = nextOf(now?.value ?? 0n);
        if (next === undefined) return undefined;
        const written = await this.#write(inBounds(next), now, options);
        if (written === "done") return next;
        if (written !== "overtaken") doubt = { error: written, now, next };
      } catch (error) {
        throw inDoubt(error, doubt?.error);
      }
      if (conflicts >= CONFLICTS_AT_ONCE) await this.#waited(conflicts, options);
    }
  }

  async #write(
    next: bigint,
    now: Reading<bigint> | undefined,
    options: CallOptions,
  ): Promise<"done" | "overtaken" | ConnectionLossError> {
    try {
      if (now === undefined)
        await this.#client.create(this.#key, next, { ...options, parents: true });
      else await this.#client.set(this.#key, next, { ...options, version: now.stat.version });
      return "done";
    } catch (error) {
      if (error instanceof ConnectionLossError) return error;
      if (isOvertaken(error, now)) return "overtaken";
      throw error;
    }
  }

  /** Writers that were all too late at once do not come back at once. */
  async #waited(conflicts: number, { signal }: CallOptions): Promise<void> {
    const { clock } = this.#client.wire;
    const mostMs = Math.min(2 ** (conflicts - CONFLICTS_AT_ONCE), CONFLICT_MS_MAX);
    await pause(clock, clock.random() * mostMs, signal ?? this.#client.signal);
  }
}

/**
 * Whether it cannot be told if a write was done. While the znode has the old version the write can be said again: of the two at most one
 * succeeds. When it has exactly the next version with another value, somebody else wrote that.
 */
function isUndecided({ now, next }: Doubt, seen: Reading<bigint> | undefined): boolean {
  if (seen === undefined) return now !== undefined;
  if (now === undefined) return seen.stat.version !== 0 || seen.value === next;
  if (seen.stat.czxid !== now.stat.czxid) return true;
  if (seen.stat.version === now.stat.version) return false;
  return seen.stat.version !== now.stat.version + 1 || seen.value === next;
}

function isOvertaken(error: unknown, now: Reading<bigint> | undefined): boolean {
  if (error instanceof NoNodeError) return now !== undefined;
  return error instanceof BadVersionError || error instanceof NodeExistsError;
}

function wholeNumber(value: bigint | number): bigint {
  if (typeof value === "bigint") return inBounds(value);
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new BadArgumentsError("a counter takes whole numbers; those above 2^53 as bigint");
}

function inBounds(value: bigint): bigint {
  if (value >= LONG_MIN && value <= LONG_MAX) return value;
  throw new BadArgumentsError("a counter has 64 bits: from -2^63 to 2^63 - 1");
}

const curatorLong: Codec<bigint> = {
  name: "Curator's long",
  encode: (value) => {
    const bytes = new Uint8Array(LONG_BYTES);
    new DataView(bytes.buffer).setBigInt64(0, value);
    return bytes;
  },
  decode: (data) => {
    if (data === null || data.length === 0) return 0n;
    if (data.length !== LONG_BYTES) throw new TypeError(`${data.length} bytes, not 8`);
    return new DataView(data.buffer, data.byteOffset).getBigInt64(0);
  },
};

const kazooNumber: Codec<bigint> = {
  name: "kazoo's number",
  encode: (value) => new TextEncoder().encode(String(value)),
  decode: (data) => {
    const digits = new TextDecoder("utf-8", { fatal: true }).decode(data ?? new Uint8Array());
    if (digits !== "" && !/^-?\d+$/.test(digits)) throw new TypeError("not a whole number");
    return inBounds(BigInt(digits));
  },
};

const LAYOUTS: ReadonlyMap<string, Codec<bigint>> = new Map([
  ["curator", curatorLong],
  ["kazoo", kazooNumber],
]);
