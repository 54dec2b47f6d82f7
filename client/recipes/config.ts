/**
 * Live configuration: the value of a key, followed. A value that is not what the key says is told and not used; the last good one stays, in
 * memory and in a file, from which a process starts while the ensemble cannot be reached.
 */
import type { Observable } from "rxjs";
import { BehaviorSubject } from "rxjs/internal/BehaviorSubject";
import { Subject } from "rxjs/internal/Subject";
import { checkMilliseconds, checkOptions, checkText } from "../../protocol/arguments.ts";
import {
  AbortedError,
  BadArgumentsError,
  InvalidValueError,
  NoNodeError,
  UnreachableError,
} from "../../protocol/errors.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Client } from "../client.ts";
import { REAL_ENVIRONMENT } from "../session-driver.ts";
import { decoded, Key } from "../values.ts";
import type { Clock } from "../wire.ts";
import { pause } from "./again.ts";
import { FallbackFile, readFallback } from "./fallback-file.ts";
import { follow } from "./following.ts";
import { uniqueName } from "./unique.ts";

const FALLBACK_AFTER_MS = 5_000;
/** How long `openConfig` waits before it connects again, in milliseconds. */
const CONNECT_AGAIN_MS = 1_000;

/** How a configuration begins while the ensemble cannot be reached. */
export type ConfigOptions = {
  /**
   * The last good value is kept in this file, as the bytes that the znode has; the folder exists. Each process has a file of its own, or all
   * that share one follow the same znode. Default: none.
   */
  readonly fallbackFile?: string | undefined;
  /** How many milliseconds the ensemble may take to answer before the file is used. Default 5_000. */
  readonly fallbackAfterMs?: number | undefined;
  /** When it aborts, the call is rejected with AbortedError. It does not end a configuration that has begun. */
  readonly signal?: AbortSignal | undefined;
};

/** Why a configuration goes on with a value that may be old, or cannot begin. */
export type ConfigProblem = {
  /**
   * `invalid`: the value is not what the key says; `missing`: there is no znode; `unreachable`: the ensemble does not answer; `ended`: the
   * session is over or the ensemble refuses the read, so nothing is followed; `file`: the file cannot be read, or written.
   */
  readonly kind: "invalid" | "missing" | "unreachable" | "ended" | "file";
  /** What is behind it: an InvalidValueError, a NoNodeError, or whatever connecting, reading or writing failed with. */
  readonly error: unknown;
};

type Good<Value> = { readonly value: Value; readonly data: Uint8Array | null };

type Found<Value> =
  | { readonly kind: "good"; readonly good: Good<Value> }
  | { readonly kind: "problem"; readonly problem: ConfigProblem };

/** Where values come from. `start` returns what ends it. */
type Source<Value> = {
  readonly clock: Clock;
  readonly start: (found: (found: Found<Value>) => void) => () => Promise<void>;
};

/**
 * Live configuration, as `client.config` and `openConfig` resolve with: the value at a key, followed. `value` is the last one that was
 * valid, so whoever reads it needs no answer of the ensemble. `await using` ends it. When its session is over, that of `client.config`
 * stays as it is (the problem is `ended`), and that of `openConfig` connects again.
 */
export class Config<Value> implements AsyncDisposable {
  /** Tells each problem when it comes. `problem` is the latest that is still one. */
  readonly problems$: Observable<ConfigProblem>;
  readonly #key: Key<Value, unknown>;
  readonly #file: FallbackFile | undefined;
  readonly #fileName: string | undefined;
  readonly #problems = new Subject<ConfigProblem>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #end: () => Promise<void>;
  #values: BehaviorSubject<Value> | undefined;
  #data: Uint8Array | null | undefined;
  #source: "ensemble" | "file" = "file";
  #problem: ConfigProblem | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    key: Key<Value, unknown>,
    source: Source<Value>,
    fallbackFile: string | undefined,
  ) {
    this.#key = key;
    this.#fileName = fallbackFile;
    const suffix = uniqueName(source.clock);
    if (fallbackFile !== undefined) this.#file = new FallbackFile(fallbackFile, suffix);
    this.problems$ = this.#problems.asObservable();
    this.#end = source.start((found) => this.#take(found));
  }

  /**
   * Begins, for `client.config` and `openConfig`, which say from where the values come. Rejects with BadArgumentsError, with AbortedError,
   * and with the problem's error when neither the ensemble nor the file has a value that is valid.
   */
  static async open<Value>(
    key: Key<Value, unknown>,
    source: Source<Value>,
    options: ConfigOptions,
  ): Promise<Config<Value>> {
    checkOptions("options", options);
    const { fallbackFile, fallbackAfterMs = FALLBACK_AFTER_MS, signal } = options;
    if (!(key instanceof Key)) throw new BadArgumentsError("a configuration is at a key");
    if (fallbackFile !== undefined) checkText("`fallbackFile`", fallbackFile);
    checkMilliseconds("`fallbackAfterMs`", fallbackAfterMs);
    const config = new Config(key, source, fallbackFile);
    const abort = (): void => config.#ready.reject(new AbortedError({ cause: signal?.reason }));
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort);
    const stop = source.clock.after(fallbackAfterMs, () => {
      const error = new UnreachableError(`${key.path}: no answer within ${fallbackAfterMs} ms`);
      void config.#fallBack({ kind: "unreachable", error }, true);
    });
    try {
      await config.#ready.promise;
      return config;
    } catch (error) {
      await config[Symbol.asyncDispose]();
      throw error;
    } finally {
      stop();
      signal?.removeEventListener("abort", abort);
    }
  }

  /** The last good value. */
  get value(): Value {
    return this.#current().value;
  }

  /** The last good value at once, then each other one. */
  get value$(): Observable<Value> {
    return this.#current().asObservable();
  }

  /** Where `value` comes from. `file`: it may be old. */
  get source(): "ensemble" | "file" {
    return this.#source;
  }

  /** Why `value` may not be what the znode holds now; undefined: nothing is known to be wrong. */
  get problem(): ConfigProblem | undefined {
    return this.#problem;
  }

  /** Resolves when nothing is followed any more, and the last good value is in the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await this.#saving;
    this.#values?.complete();
    this.#problems.complete();
  }

  #current(): BehaviorSubject<Value> {
    // A configuration is given to nobody before it has a value.
    if (this.#values === undefined) throw new TypeError("there is no value yet");
    return this.#values;
  }

  #take(found: Found<Value>): void {
    if (found.kind === "problem") {
      this.#tell(found.problem);
      if (this.#values === undefined) void this.#fallBack(found.problem, false);
      return;
    }
    this.#problem = undefined;
    this.#source = "ensemble";
    this.#saving = this.#saved(found.good);
    this.#show(found.good);
  }

  #tell(problem: ConfigProblem): void {
    this.#problem = problem;
    this.#problems.next(problem);
  }

  #show({ value, data }: Good<Value>): void {
    const isSame = this.#data !== undefined && sameData(this.#data, data);
    this.#data = data;
    if (this.#values === undefined) this.#values = new BehaviorSubject(value);
    else if (!isSame) this.#values.next(value);
    this.#ready.resolve();
  }

  /** A problem of the file must not stop a process whose configuration is right. */
  async #saved({ data }: Good<Value>): Promise<void> {
    if (this.#file === undefined) return;
    try {
      await this.#file.write(data ?? new Uint8Array());
    } catch (error) {
      this.#tell({ kind: "file", error });
    }
  }

  /** Without a file it is not ready: at once if the ensemble has answered, otherwise when `isLate`. */
  async #fallBack(because: ConfigProblem, isLate: boolean): Promise<void> {
    if (isLate && this.#values === undefined) this.#tell(because);
    const good = await this.#fromFile();
    if (this.#values !== undefined) return;
    if (good !== undefined) this.#show(good);
    else if (isLate || because.kind !== "unreachable") this.#ready.reject(because.error);
  }

  async #fromFile(): Promise<Good<Value> | undefined> {
    if (this.#fileName === undefined) return undefined;
    try {
      const read = await readFallback(this.#fileName);
      if (read === undefined) return undefined;
      const data = read.length === 0 ? null : read;
      return { data, value: (await decoded(this.#key, data)) as Value };
    } catch (error) {
      this.#problems.next({ kind: "file", error });
      return undefined;
    }
  }
}

export async function configOf<Value>(
  client: Client,
  key: Key<Value, unknown>,
  options: ConfigOptions = {},
): Promise<Config<Value>> {
  const source: Source<Value> = {
    clock: client.wire.clock,
    start: (found) => {
      const stop = followed(client, key, found, (error) => {
        found({ kind: "problem", problem: { kind: "ended", error } });
      });
      return async () => stop();
    },
  };
  return Config.open(key, source, options);
}

/**
 * A configuration with a client of its own, which `connect` opens: again and again while there is none, and again when its session is over. So
 * a process starts from its file while nothing of the ensemble can be reached:
 *
 *     await using config = await openConfig(() => connect("nats://127.0.0.1:4222"), App, { fallbackFile });
 */
export async function openConfig<Value>(
  connect: () => Promise<Client>,
  key: Key<Value, unknown>,
  options: ConfigOptions = {},
): Promise<Config<Value>> {
  const clock = REAL_ENVIRONMENT;
  const start = (found: (found: Found<Value>) => void): (() => Promise<void>) => {
    const stopped = new AbortController();
    const ended = (async (): Promise<void> => {
      while (!stopped.signal.aborted) {
        try {
          await using client = await connect();
          await followedToItsEnd(client, key, { found, signal: stopped.signal });
        } catch (error) {
          found({ kind: "problem", problem: { kind: "unreachable", error } });
        }
        await pause(clock, CONNECT_AGAIN_MS, stopped.signal);
      }
    })();
    return async () => {
      stopped.abort();
      await ended;
    };
  };
  return Config.open(key, { clock, start }, options);
}

/** Rejects when nothing is followed any more; resolves when the signal aborts. */
async function followedToItsEnd<Value>(
  client: Client,
  key: Key<Value, unknown>,
  {
    found,
    signal,
  }: { readonly found: (found: Found<Value>) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = followed(client, key, found, reject);
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  try {
    await promise;
  } finally {
    stop();
  }
}

function followed<Value>(
  client: Client,
  key: Key<Value, unknown>,
  found: (found: Found<Value>) => void,
  failed: (error: unknown) => void,
): () => void {
  return follow(client, {
    path: key.path,
    recursive: false,
    read: async () => readFound(client, key),
    next: found,
    failed,
  });
}

async function readFound<Value>(
  client: Client,
  key: Key<Value, unknown>,
): Promise<{ readonly value: Found<Value>; readonly zxid: Zxid }> {
  for (;;) {
    try {
      const { data, zxid } = await client.get(key.path);
      return { value: await foundIn(key, data), zxid };
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      const { stat, zxid } = await client.exists(key.path);
      if (stat !== undefined) continue;
      return { value: { kind: "problem", problem: { kind: "missing", error } }, zxid };
    }
  }
}

async function foundIn<Value>(
  key: Key<Value, unknown>,
  data: Uint8Array | null,
): Promise<Found<Value>> {
  try {
    const value = (await decoded(key, data)) as Value;
    return { kind: "good", good: { value, data } };
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    return { kind: "problem", problem: { kind: "invalid", error } };
  }
}

function sameData(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === null || other === null) return one === other;
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
