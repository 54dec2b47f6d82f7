/**
 * `zooid/openfeature`: feature flags from znodes, for OpenFeature's server SDK.
 *
 *     await OpenFeature.setProviderAndWait(new ZooidFlags(client, { path: "/flags" }));
 *     const isNew = await OpenFeature.getClient().getBooleanValue("new-checkout", false);
 *
 * A flag is a child of the path: its name is the flag's key, its data the flag's value as JSON. An evaluation reads memory, which a change
 * stream keeps up to date.
 */
import {
  ErrorCode,
  type Hook,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from "@openfeature/server-sdk";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import {
  type Client,
  InvalidValueError,
  json,
  NoNodeError,
  type Stat,
  type StreamEvent,
  type Zxid,
} from "../../client/connect.ts";

/** Where the flags are, and which values they may have. */
export type ZooidFlagsOptions = {
  /** The znode whose children are the flags. It may be missing: then there are none until it is made. */
  readonly path: string;
  /** What the values of flags must be, by the flag's key; any schema that speaks Standard Schema and answers at once. Default: any JSON. */
  readonly schemas?: Readonly<Record<string, StandardSchemaV1>>;
  /** Called with each value that is no JSON or that its schema refuses. The flag keeps its last good value. Default: nothing. */
  readonly onRefused?: (error: InvalidValueError) => void;
  /** Hooks of the provider, which run with each evaluation. Default: none. */
  readonly hooks?: readonly Hook[];
};

type Flag = { readonly value: unknown; readonly stat: Stat };
type Resolved = "boolean" | "string" | "number" | "object";

/**
 * A provider of OpenFeature. It is ready when all flags have been read. While the client is without connection it is stale and answers
 * with what it knows; when the session has expired, or the client is closed, it is in error and does so for ever: give OpenFeature a new
 * one. A value of another type than is asked for is a type mismatch, and a flag that is not there is not found. The metadata of an
 * evaluation has the znode's `version` and `mzxid`. Closing the provider does not close the client.
 */
export class ZooidFlags implements Provider {
  /** The provider's name for OpenFeature. */
  readonly metadata: { readonly name: "zooid" } = { name: "zooid" };
  /** It is for the server SDK. */
  readonly runsOn = "server" as const;
  /** Tells OpenFeature when flags have changed, and whether the provider is ready, stale or in error. */
  readonly events: OpenFeatureEventEmitter = new OpenFeatureEventEmitter();
  /** Those of the options. */
  readonly hooks: Hook[];
  readonly #client: Client;
  readonly #options: ZooidFlagsOptions;
  readonly #flags = new Map<string, Flag>();
  /** The keys of flags that changed, of which nobody has been told. */
  readonly #changed = new Set<string>();
  #stops: (() => void)[] = [];
  #stopStream: () => void = () => undefined;
  #isStale = false;
  #isClosed = false;

  constructor(client: Client, options: ZooidFlagsOptions) {
    this.#client = client;
    this.#options = options;
    this.hooks = [...(options.hooks ?? [])];
  }

  /** Reads all flags, then follows them; OpenFeature calls it. Rejects as a read does, when the flags cannot be read. */
  async initialize(): Promise<void> {
    this.#isClosed = false;
    await this.#load();
    this.#changed.clear();
    const states = this.#client.state$.subscribe(({ kind }) => this.#follow(kind));
    this.#stops.push(() => states.unsubscribe());
  }

  /** Follows the flags no longer; OpenFeature calls it. What they were last is still answered. */
  async onClose(): Promise<void> {
    this.#isClosed = true;
    this.#stopStream();
    for (const stop of this.#stops.splice(0)) stop();
  }

  /**
   * The value of a flag that is a boolean, from memory; `defaultValue` with an `errorCode` if there is no such flag, or it is something
   * else.
   */
  async resolveBooleanEvaluation(
    flagKey: string,
    defaultValue: boolean,
  ): Promise<ResolutionDetails<boolean>> {
    return this.#resolve(flagKey, defaultValue, "boolean");
  }

  /**
   * The value of a flag that is a string, from memory; `defaultValue` with an `errorCode` if there is no such flag, or it is something
   * else.
   */
  async resolveStringEvaluation(
    flagKey: string,
    defaultValue: string,
  ): Promise<ResolutionDetails<string>> {
    return this.#resolve(flagKey, defaultValue, "string");
  }

  /**
   * The value of a flag that is a number, from memory; `defaultValue` with an `errorCode` if there is no such flag, or it is something
   * else.
   */
  async resolveNumberEvaluation(
    flagKey: string,
    defaultValue: number,
  ): Promise<ResolutionDetails<number>> {
    return this.#resolve(flagKey, defaultValue, "number");
  }

  /**
   * The value of a flag that is an object or a list, from memory; `defaultValue` with an `errorCode` if there is no such flag, or it is
   * something else.
   */
  async resolveObjectEvaluation<Value extends JsonValue>(
    flagKey: string,
    defaultValue: Value,
  ): Promise<ResolutionDetails<Value>> {
    return this.#resolve(flagKey, defaultValue, "object");
  }

  #resolve<Value>(flagKey: string, defaultValue: Value, type: Resolved): ResolutionDetails<Value> {
    const flag = this.#flags.get(flagKey);
    if (flag === undefined) {
      const errorMessage = `there is no znode ${this.#pathOf(flagKey)}`;
      const errorCode = ErrorCode.FLAG_NOT_FOUND;
      return { value: defaultValue, reason: "ERROR", errorCode, errorMessage };
    }
    const { value, stat } = flag;
    if (value === null || typeof value !== type) {
      const errorMessage = `${this.#pathOf(flagKey)} is no ${type}`;
      const errorCode = ErrorCode.TYPE_MISMATCH;
      return { value: defaultValue, reason: "ERROR", errorCode, errorMessage };
    }
    const flagMetadata = { version: stat.version, mzxid: Number(stat.mzxid) };
    return {
      value: value as Value,
      reason: this.#isStale ? "STALE" : "CACHED",
      flagMetadata,
    };
  }

  /** Reads all flags, then follows them. */
  async #load(): Promise<void> {
    const { path } = this.#options;
    const { names, zxid } = await this.#names();
    const readings = await Promise.all(names.map((name) => this.#read(name)));
    if (this.#isClosed) return;
    for (const name of this.#flags.keys()) if (!names.includes(name)) this.#remove(name);
    for (const { name, reading } of readings) {
      if (reading === undefined) this.#remove(name);
      else this.#take(name, reading.data, reading.stat);
    }
    const stream = this.#client
      .changes(path, { recursive: true, from: zxid, onGap: "emit" })
      .subscribe({
        next: (change) => this.#apply(change),
        error: () => undefined,
      });
    this.#stopStream = () => stream.unsubscribe();
  }

  async #names(): Promise<{ readonly names: readonly string[]; readonly zxid: Zxid }> {
    const { path } = this.#options;
    for (;;) {
      try {
        const { children, zxid } = await this.#client.children(path);
        return { names: children, zxid };
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      const { stat, zxid } = await this.#client.exists(path);
      if (stat === undefined) return { names: [], zxid };
    }
  }

  async #read(name: string): Promise<{
    readonly name: string;
    readonly reading?: { readonly data: Uint8Array | null; readonly stat: Stat };
  }> {
    try {
      return { name, reading: await this.#client.get(this.#pathOf(name)) };
    } catch (error) {
      if (error instanceof NoNodeError) return { name };
      throw error;
    }
  }

  #apply(change: StreamEvent): void {
    if (change.kind === "progress" || change.kind === "acl") return;
    if (change.kind === "created" || change.kind === "data") {
      const name = this.#nameOf(change.path);
      if (name !== undefined) this.#take(name, change.data ?? null, change.stat);
    } else if (change.kind === "deleted") {
      const name = this.#nameOf(change.path);
      if (name !== undefined) this.#remove(name);
    } else if (change.kind === "gap") {
      this.#stopStream();
      this.#load().catch((error: unknown) => this.#fail(String(error)));
    }
  }

  /** Undefined for the path itself and for what is deeper below. */
  #nameOf(path: string): string | undefined {
    const prefix = this.#pathOf("");
    const name = path.startsWith(prefix) ? path.slice(prefix.length) : "";
    return name === "" || name.includes("/") ? undefined : name;
  }

  #pathOf(name: string): string {
    const { path } = this.#options;
    return path === "/" ? `/${name}` : `${path}/${name}`;
  }

  /** A stream begins with changes that the reads before it may have seen already. */
  #take(name: string, data: Uint8Array | null, stat: Stat): void {
    const known = this.#flags.get(name);
    if (known !== undefined && known.stat.mzxid >= stat.mzxid) return;
    try {
      this.#flags.set(name, { value: this.#valueOf(name, data), stat });
      this.#tellChanged(name);
    } catch (error) {
      if (!(error instanceof InvalidValueError)) throw error;
      this.#options.onRefused?.(error);
    }
  }

  #remove(name: string): void {
    if (this.#flags.delete(name)) this.#tellChanged(name);
  }

  #valueOf(name: string, data: Uint8Array | null): unknown {
    let value: unknown;
    try {
      value = json.decode(data);
    } catch (cause) {
      throw this.#refusal(name, `no JSON: ${String(cause)}`);
    }
    const schema = this.#options.schemas?.[name];
    if (schema === undefined) return value;
    const checked = schema["~standard"].validate(value);
    if (checked instanceof Promise) throw this.#refusal(name, "its schema does not answer at once");
    if (checked.issues === undefined) return checked.value;
    throw this.#refusal(name, checked.issues.map(({ message }) => message).join("; "));
  }

  #refusal(name: string, message: string): InvalidValueError {
    return new InvalidValueError(this.#pathOf(name), "stored", [{ message, path: [] }]);
  }

  /** What has changed in one turn is told at once. */
  #tellChanged(name: string): void {
    this.#changed.add(name);
    if (this.#changed.size > 1) return;
    queueMicrotask(() => {
      const flagsChanged = [...this.#changed];
      this.#changed.clear();
      if (this.#isClosed || flagsChanged.length === 0) return;
      this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged });
    });
  }

  #follow(kind: Client["state"]["kind"]): void {
    if (kind === "expired" || kind === "closed") {
      this.#fail(`the session is over: ${kind}`);
    } else if (kind === "connected" && this.#isStale) {
      this.#isStale = false;
      this.events.emit(ProviderEvents.Ready);
    } else if (kind === "reconnecting" && !this.#isStale) {
      this.#isStale = true;
      this.events.emit(ProviderEvents.Stale, { message: "the client has no connection" });
    }
  }

  #fail(message: string): void {
    this.#isStale = true;
    if (!this.#isClosed) this.events.emit(ProviderEvents.Error, { message });
  }
}
