/**
 * The native client. `connect` opens a session with an ensemble over NATS:
 *
 *     const client = await connect("nats://127.0.0.1:4222");
 *     const { path } = await client.create("/jobs/job-", "run me", { sequential: true });
 *     client.changes("/jobs", { recursive: true }).subscribe((change) => console.log(change));
 */
import { defer, filter, firstValueFrom, type Observable } from "rxjs";
import { OPEN_ACL } from "../protocol/acl.ts";
import { Code } from "../protocol/codes.ts";
import {
  BadArgumentsError,
  errorOfCode,
  UnreachableError,
  ZooidError,
} from "../protocol/errors.ts";
import { PACKET_BYTES_MAX } from "../protocol/limits.ts";
import type {
  NativeRead,
  NativeRequest,
  NativeResult,
  NativeWrite,
} from "../protocol/native-packing.ts";
import type { Change } from "../protocol/reads.ts";
import type { Stat } from "../protocol/stat.ts";
import type { Zxid } from "../protocol/zxid.ts";
import { isNatsServer } from "../runtime/nats/servers.ts";
import {
  checkBoolean,
  checkedData,
  checkMilliseconds,
  checkOptions,
  checkPath,
  checkText,
  checkVersion,
  checkZxid,
} from "./arguments.ts";
import type { ChangeEvent, ChangesOptions } from "./changes.ts";
import { type NatsChannel, openNatsChannel } from "./nats-channel.ts";
import { bytesOf } from "./requests.ts";
import { Seen } from "./seen.ts";
import { type Answer, Session, type SessionState } from "./session.ts";

export type { Change, ChangeEvent, ChangesOptions, SessionState, Stat, Zxid };
export { ZooidError };

export type ConnectOptions = {
  /** Default `zooid`. */
  readonly ensemble?: string;
  /** Default 10_000; the ensemble grants what is within its limits. A client silent for so long loses its ephemeral nodes. */
  readonly sessionTimeoutMs?: number;
  /** Default 30_000. An operation without an answer for so long is rejected with OperationTimeoutError. */
  readonly operationTimeoutMs?: number;
  /**
   * Default 10_000. How long `connect` tries to reach NATS, and then the ensemble, before it rejects with UnreachableError.
   * Servers of a list share it evenly, and none takes longer than one that falls silent is waited for.
   */
  readonly connectTimeoutMs?: number;
  /** Default: those of the URL. */
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** Files in PEM form. Default: none; needed if the NATS server's certificate is not signed by a public authority. */
  readonly tls?: {
    readonly caFile?: string;
    readonly certFile?: string;
    readonly keyFile?: string;
  };
  /** Shown by the NATS server's monitoring. Default `zooid client`. */
  readonly name?: string;
};

export type CreateOptions = {
  /** The node goes with the session. Default false. */
  readonly ephemeral?: boolean;
  /** The name gets ten digits appended, increasing among its siblings. Default false. */
  readonly sequential?: boolean;
};

export type VersionOptions = {
  /** Refused with BadVersionError unless the node has this version. Default: any. */
  readonly version?: number;
};

const VERSION_ANY = -1;
/** Of a NATS server, which a short pause must not make look hung, nor a long session timeout keep in use. */
const SILENCE_MS_MIN = 1_000;
const SILENCE_MS_MAX = 6_000;

/**
 * Opens a session. `url` is `nats://[user:password@]host:port`, or `tls://…`; several, with commas, if they are one
 * cluster. They are tried in the order given; one that is away, dies or says nothing for a third of the session's timeout
 * (1 s at least, 6 s at most) is left for the next. Rejects with UnreachableError, whose message says what to check, or BadArgumentsError.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Client> {
  checkText("the URL of a NATS server", url);
  checkConnectOptions(options);
  const urls = url.split(",").map((each) => checkedUrl(each.trim()));
  const ensemble = options.ensemble ?? "zooid";
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(ensemble)) {
    throw new BadArgumentsError(
      `"${ensemble}" cannot name an ensemble: use 1 to 64 letters, digits, - and _`,
    );
  }
  const timeoutMs = options.connectTimeoutMs ?? 10_000;
  const name = options.name ?? "zooid client";
  const sessionTimeoutMs = options.sessionTimeoutMs ?? 10_000;
  const silenceMs = silenceMsOf(sessionTimeoutMs);
  const channel = await openNatsChannel({ ...options, urls, ensemble, name, timeoutMs, silenceMs });
  const session = new Session(channel, {
    ensemble,
    sessionTimeoutMs,
    operationTimeoutMs: options.operationTimeoutMs ?? 30_000,
  });
  await connected(session, timeoutMs, ensemble);
  return new Client(session, channel);
}

export class Client {
  /** The session's state now, then each change of it. */
  readonly session$: Observable<SessionState>;
  readonly #session: Session;
  readonly #channel: Pick<NatsChannel, "maxPayloadBytes">;
  readonly #seen = new Seen();

  constructor(session: Session, channel: Pick<NatsChannel, "maxPayloadBytes">) {
    this.#session = session;
    this.#channel = channel;
    this.session$ = session.state$.asObservable();
  }

  /** Of the latest transaction this client has seen. */
  get lastZxid(): Zxid {
    return this.#session.lastZxid;
  }

  /** Rejects with NodeExistsError, or NoNodeError when the parent is missing. The path has its sequence number. */
  async create(
    path: string,
    data: Uint8Array | string | null = null,
    options: CreateOptions = {},
  ): Promise<{ readonly path: string; readonly stat: Stat }> {
    checkText("a path", path);
    checkOptions("options", options);
    const { ephemeral = false, sequential = false } = options;
    checkBoolean("`ephemeral`", ephemeral);
    checkBoolean("`sequential`", sequential);
    const operation: NativeWrite = {
      kind: "create",
      path,
      data: checkedData(data),
      acl: OPEN_ACL,
      mode: { ephemeral, sequential },
    };
    // A sequential node's name may be empty: the number follows.
    const { result } = await this.#write(operation, sequential ? `${path}0` : path);
    if (result.kind !== "created") throw unexpected(result);
    return { path: result.path, stat: result.stat };
  }

  /** Rejects with NoNodeError. `zxid`: `changes(path, { from: zxid })` goes on from this read without a gap. */
  async get(
    path: string,
  ): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat; readonly zxid: Zxid }> {
    const { result, zxid } = await this.#read({ kind: "getData", path, watch: false });
    if (result.kind !== "data") throw unexpected(result);
    return { data: result.data, stat: result.stat, zxid };
  }

  /** Rejects with NoNodeError or BadVersionError. */
  async set(
    path: string,
    data: Uint8Array | string | null,
    options: VersionOptions = {},
  ): Promise<Stat> {
    const version = versionOf(options);
    const operation: NativeWrite = { kind: "setData", path, data: checkedData(data), version };
    const { result } = await this.#write(operation, path);
    if (result.kind !== "stat") throw unexpected(result);
    return result.stat;
  }

  /** Rejects with NoNodeError, BadVersionError or NotEmptyError. */
  async delete(path: string, options: VersionOptions = {}): Promise<void> {
    const version = versionOf(options);
    await this.#write({ kind: "delete", path, version }, path);
  }

  /** `stat` is undefined if there is no such node. `zxid`: as of `get`, also when there is none. */
  async exists(path: string): Promise<{ readonly stat: Stat | undefined; readonly zxid: Zxid }> {
    const request: NativeRead = { kind: "exists", path, watch: false };
    const { result, zxid } = await this.#ask({ kind: "read", read: request }, path);
    if (result.kind === "error" && result.code === Code.noNode) return { stat: undefined, zxid };
    if (result.kind !== "stat") throw failure(result, path);
    return { stat: result.stat, zxid };
  }

  /** Names of the nodes below, in no particular order; `stat` is the parent's. Rejects with NoNodeError. `zxid`: as of `get`. */
  async children(path: string): Promise<{
    readonly children: readonly string[];
    readonly stat: Stat;
    readonly zxid: Zxid;
  }> {
    const { result, zxid } = await this.#read({ kind: "getChildren", path, watch: false });
    if (result.kind !== "children") throw unexpected(result);
    return { children: result.children, stat: result.stat, zxid };
  }

  /** After it, a read of this client sees everything that was done before it was called, by anyone. */
  async sync(path = "/"): Promise<void> {
    await this.#write({ kind: "sync", path }, path);
  }

  /**
   * Changes of the node, in order, each once, without a gap, also over reconnects. Each subscription is a stream of its
   * own. It completes after `compacted` and when the client is closed, and errors when the session expires. Without `from` it
   * begins at what was last read of the path through this client, so `children(path)`, then `changes(path)` misses nothing;
   * callers that share a client and wait between the two give `from`, the zxid of their own read.
   */
  changes(path: string, options: ChangesOptions = {}): Observable<ChangeEvent> {
    checkPath(path);
    checkChangesOptions(options);
    return defer(() => {
      const from = options.from ?? this.#seen.of(path, options.recursive ?? false);
      return this.#session.changes(path, from === undefined ? options : { ...options, from });
    });
  }

  /** Ends the session: its ephemeral nodes go. What waits is rejected with ClosedError. */
  async close(): Promise<void> {
    await this.#session.close();
  }

  async #read(read: NativeRead): Promise<Answer> {
    const answer = await this.#ask({ kind: "read", read }, read.path);
    if (answer.result.kind === "error") throw failure(answer.result, read.path);
    return answer;
  }

  async #write(operation: NativeWrite, path: string): Promise<Answer> {
    const answer = await this.#ask({ kind: "write", operation }, path);
    if (answer.result.kind === "error") throw failure(answer.result, path);
    return answer;
  }

  async #ask(request: NativeRequest, path: string): Promise<Answer> {
    const answer = await this.#request(request, path);
    if (request.kind === "read") this.#seen.read(path, answer.zxid);
    else if (request.operation.kind !== "sync") this.#seen.wrote(path, answer.zxid);
    return answer;
  }

  #request(request: NativeRequest, path: string): Promise<Answer> {
    try {
      checkPath(path);
      const bytesMax = Math.min(PACKET_BYTES_MAX, this.#channel.maxPayloadBytes);
      if (bytesOf(request) > bytesMax) {
        throw new BadArgumentsError(
          `${path}: path and data together are above the limit of ${bytesMax} bytes`,
        );
      }
    } catch (error) {
      return Promise.reject(error as Error);
    }
    return this.#session.request(request);
  }
}

/**
 * The ensemble last heard of the session up to a third of its timeout ago; after another third of silence the last third
 * is left to connect to another NATS server.
 */
function silenceMsOf(sessionTimeoutMs: number): number {
  return Math.min(Math.max(Math.floor(sessionTimeoutMs / 3), SILENCE_MS_MIN), SILENCE_MS_MAX);
}

async function connected(session: Session, timeoutMs: number, ensemble: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, timeoutMs, "late");
  });
  const settled = firstValueFrom(session.state$.pipe(filter(({ kind }) => kind !== "connecting")));
  const first = await Promise.race([settled, late]);
  clearTimeout(timer);
  if (first !== "late" && first.kind === "connected") return;
  const problem = session.over ?? unreachable(session, timeoutMs, ensemble);
  await session.close();
  throw problem;
}

function unreachable(session: Session, timeoutMs: number, ensemble: string): UnreachableError {
  return new UnreachableError(
    `no session with ensemble "${ensemble}" within ${timeoutMs} ms (${session.lastProblem}): check that its nodes run, use this NATS server, and have this ensemble's name`,
  );
}

/** -1 for any. */
function versionOf(options: VersionOptions): number {
  checkOptions("options", options);
  const { version = VERSION_ANY } = options;
  checkVersion(version);
  return version;
}

function checkChangesOptions(options: ChangesOptions): void {
  checkOptions("options", options);
  const { recursive, progress, from } = options;
  if (recursive !== undefined) checkBoolean("`recursive`", recursive);
  if (progress !== undefined) checkBoolean("`progress`", progress);
  if (from !== undefined) checkZxid("`from`", from);
}

function checkConnectOptions(options: ConnectOptions): void {
  checkOptions("options", options);
  const { sessionTimeoutMs, operationTimeoutMs, connectTimeoutMs, tls } = options;
  const { ensemble, user, password, token, name } = options;
  const times = { sessionTimeoutMs, operationTimeoutMs, connectTimeoutMs };
  const { caFile, certFile, keyFile } = tls ?? {};
  const texts = { ensemble, user, password, token, name, caFile, certFile, keyFile };
  if (tls !== undefined) checkOptions("`tls`", tls);
  for (const [field, value] of Object.entries(times)) {
    if (value !== undefined) checkMilliseconds(`\`${field}\``, value);
  }
  for (const [field, value] of Object.entries(texts)) {
    if (value !== undefined) checkText(`\`${field}\``, value);
  }
}

function checkedUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed !== null && isNatsServer(parsed)) return url;
  throw new BadArgumentsError(
    "a URL of a NATS server is nats://host:port or tls://host:port, user and password before the host percent-encoded",
  );
}

function failure(result: NativeResult, path: string): Error {
  return result.kind === "error" ? errorOfCode(result.code, path) : unexpected(result);
}

function unexpected(result: NativeResult): Error {
  return new TypeError(`the gateway answered with a result of kind ${result.kind}`);
}
