/**
 * The native client. `connect` opens a session with an ensemble over NATS:
 *
 *     const client = await connect("nats://127.0.0.1:4222");
 *     const { path } = await client.create("/jobs/job-", "run me", { sequential: true });
 *     client.changes("/jobs", { recursive: true }).subscribe((change) => console.log(change));
 */
import { defer, filter, firstValueFrom, type Observable } from "rxjs";
import { OPEN_ACL } from "../protocol/acl.ts";
import type { ChangeEvent } from "../protocol/changes.ts";
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
import { ENSEMBLE_NAME_RULE, isEnsembleName } from "../protocol/subjects.ts";
import type { Zxid } from "../protocol/zxid.ts";
import { isNatsServer } from "../runtime/nats/servers.ts";
import {
  checkedMode,
  checkChangesOptions,
  checkedData,
  checkMilliseconds,
  checkOptions,
  checkPageSize,
  checkPath,
  checkText,
  checkVersion,
} from "../protocol/arguments.ts";
import { type NatsChannel, openNatsChannel } from "./nats-channel.ts";
import { type Page, PAGE_SIZE, pagesOf, type PagesOptions } from "./pages.ts";
import { type ChangesOptions, Session } from "./rx.ts";
import { Seen } from "./seen.ts";
import type { Answer, SessionState } from "./session/messages.ts";
import { bytesOf } from "./session/requests.ts";

export type { Change, ChangeEvent, ChangesOptions, Page, PagesOptions, SessionState, Stat, Zxid };
export { ZooidError };

export type ConnectOptions = {
  /** The name of the ensemble. Default `zooid`. */
  readonly ensemble?: string;
  /**
   * The session timeout in milliseconds. Default 10_000. The ensemble grants the nearest value within its own limits. When nothing is
   * received from a client for this long, its session expires and its ephemeral znodes are deleted.
   */
  readonly sessionTimeoutMs?: number;
  /** Milliseconds after which an operation that has no answer is rejected with OperationTimeoutError. Default 30_000. */
  readonly operationTimeoutMs?: number;
  /**
   * How many milliseconds `connect` tries to reach a NATS server, and after that how many it tries to reach the ensemble, before it
   * rejects with UnreachableError. Default 10_000. Several NATS servers share the time evenly, and each gets at most a third of
   * the session timeout (at least 1 s, at most 6 s).
   */
  readonly connectTimeoutMs?: number;
  /** The credentials for NATS. Default: those of the URL. */
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /**
   * Files in PEM form. Default: none. `caFile` is needed if no public authority signed the NATS server's certificate; the other two if
   * the server asks for a certificate of the client.
   */
  readonly tls?: {
    readonly caFile?: string;
    readonly certFile?: string;
    readonly keyFile?: string;
  };
  /**
   * Who the client is to access control lists of the scheme `digest`; it may be several at once. The passwords go to the node over
   * NATS, as in ZooKeeper. Default: it may what everybody may. NATS knows nothing of these: its credentials are those above.
   */
  readonly identities?: readonly Identity[];
  /** Shown by the NATS server's monitoring. Default `zooid client`. */
  readonly name?: string;
};

export type Identity = { readonly user: string; readonly password: string };

export type CreateOptions = {
  /** True: the znode is deleted when the session ends. Default false. */
  readonly ephemeral?: boolean;
  /** True: ten digits are appended to the name, larger with each create below the same parent. Default false. */
  readonly sequential?: boolean;
  /**
   * True: the znode is a container. The leader deletes it some time after its last child is gone; while it never had any, it stays.
   * Default false. A container has no other end: it is not ephemeral and has no TTL.
   */
  readonly container?: boolean;
  /**
   * Milliseconds, 1 to 1_099_511_627_775: the leader deletes the znode some time after its data was last set so long ago, if it has no
   * children then. Default: it stays. The znode is not ephemeral.
   */
  readonly ttlMs?: number;
};

export type VersionOptions = {
  /** The operation is rejected with BadVersionError unless the znode has this version. Default: any version will do. */
  readonly version?: number;
};

const VERSION_ANY = -1;
/**
 * The bounds of the silence after which a NATS server is left: a server that only pauses must not be taken for hung, and a hung one must
 * not stay in use because the session timeout is long.
 */
const SILENCE_MS_MIN = 1_000;
const SILENCE_MS_MAX = 6_000;

/**
 * Opens a session. `url` is `nats://[user:password@]host:port` or `tls://…`. Several URLs, with commas between them, name the servers of
 * one NATS cluster. The client tries them in the order given, and leaves one that cannot be reached, dies, or sends nothing for a
 * third of the session timeout (at least 1 s, at most 6 s) for the next. Rejects with UnreachableError, whose message says what to
 * check, or with BadArgumentsError.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Client> {
  checkText("the URL of a NATS server", url);
  checkConnectOptions(options);
  const urls = url.split(",").map((each) => checkedUrl(each.trim()));
  const ensemble = options.ensemble ?? "zooid";
  if (!isEnsembleName(ensemble)) {
    throw new BadArgumentsError(`"${ensemble}" cannot name an ensemble: use ${ENSEMBLE_NAME_RULE}`);
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
    proofs: (options.identities ?? []).map(proofOf),
  });
  await connected(session, timeoutMs, ensemble);
  return new Client(session, channel);
}

export class Client {
  /** Emits the current state of the session on subscription, then each change of it. It completes when the client is closed. */
  readonly session$: Observable<SessionState>;
  readonly #session: Session;
  readonly #channel: Pick<NatsChannel, "maxPayloadBytes">;
  readonly #seen = new Seen();

  constructor(session: Session, channel: Pick<NatsChannel, "maxPayloadBytes">) {
    this.#session = session;
    this.#channel = channel;
    this.session$ = session.state$.asObservable();
  }

  /** The zxid of the latest transaction that this client has seen. */
  get lastZxid(): Zxid {
    return this.#session.lastZxid;
  }

  /**
   * Creates a znode. `data` is bytes, text (which becomes UTF-8) or null. The returned path includes the sequence number, if there is
   * one. Rejects with NodeExistsError, with NoNodeError when the parent is missing, and as every operation does: with
   * BadArgumentsError, OperationTimeoutError, ConnectionLossError (writes only), ThrottledError, SessionExpiredError, ClosedError; a
   * write also with DiskFullError and TreeFullError.
   */
  async create(
    path: string,
    data: Uint8Array | string | null = null,
    options: CreateOptions = {},
  ): Promise<{ readonly path: string; readonly stat: Stat }> {
    checkText("a path", path);
    checkOptions("options", options);
    const mode = checkedMode(options);
    const operation: NativeWrite = {
      kind: "create",
      path,
      data: checkedData(data),
      acl: OPEN_ACL,
      mode,
    };
    // The name of a sequential znode may be empty, since the number follows; so the path is checked with a digit at its end.
    const { result } = await this.#write(operation, mode.sequential ? `${path}0` : path);
    if (result.kind !== "created") throw unexpected(result);
    return { path: result.path, stat: result.stat };
  }

  /** Reads a znode. `changes(path, { from: zxid })` continues from this read without a gap. Rejects with NoNodeError. */
  async get(
    path: string,
  ): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat; readonly zxid: Zxid }> {
    const { result, zxid } = await this.#read({ kind: "getData", path, watch: false });
    if (result.kind !== "data") throw unexpected(result);
    return { data: result.data, stat: result.stat, zxid };
  }

  /** Replaces the data of a znode. Rejects with NoNodeError or BadVersionError. */
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

  /** Deletes a znode. Rejects with NoNodeError, BadVersionError or NotEmptyError. */
  async delete(path: string, options: VersionOptions = {}): Promise<void> {
    const version = versionOf(options);
    await this.#write({ kind: "delete", path, version }, path);
  }

  /** Whether a znode exists: `stat` is undefined if it does not. `zxid` has the same use as that of `get`, in both cases. */
  async exists(path: string): Promise<{ readonly stat: Stat | undefined; readonly zxid: Zxid }> {
    const request: NativeRead = { kind: "exists", path, watch: false };
    const { result, zxid } = await this.#ask({ kind: "read", read: request }, path);
    if (result.kind === "error" && result.code === Code.noNode) return { stat: undefined, zxid };
    if (result.kind !== "stat") throw failure(result, path);
    return { stat: result.stat, zxid };
  }

  /**
   * Reads the names of a znode's children, in no particular order. `stat` is that of the znode itself, `zxid` has the same use as
   * that of `get`. Rejects with NoNodeError.
   */
  async children(path: string): Promise<{
    readonly children: readonly string[];
    readonly stat: Stat;
    readonly zxid: Zxid;
  }> {
    const { result, zxid } = await this.#read({ kind: "getChildren", path, watch: false });
    if (result.kind !== "children") throw unexpected(result);
    return { children: result.children, stat: result.stat, zxid };
  }

  /**
   * Reads the names of a znode's children by pages, for a znode with so many that one answer would be too large or take too long:
   *
   *     for await (const { children } of client.childrenPages("/jobs")) work(children);
   *
   * A child that is there from the first page to the last is given once. One that comes or goes meanwhile may be given or not. Nothing is
   * asked ahead of the caller. `changes(path)` afterwards begins at the first page. Rejects with NoNodeError.
   */
  childrenPages(path: string, options: PagesOptions = {}): AsyncGenerator<Page, void, undefined> {
    checkPath(path);
    checkOptions("options", options);
    const { size = PAGE_SIZE } = options;
    checkPageSize(size);
    let isFirst = true;
    return pagesOf(
      async (read) => {
        const { result, zxid } = await this.#request({ kind: "read", read }, path);
        if (isFirst) this.#seen.read(path, zxid);
        isFirst = false;
        if (result.kind !== "page" && result.kind !== "children") throw failure(result, path);
        return { result, zxid };
      },
      path,
      size,
    );
  }

  /** When it resolves, later reads of this client see every write that anyone had finished before the call. */
  async sync(path = "/"): Promise<void> {
    await this.#write({ kind: "sync", path }, path);
  }

  /**
   * The changes of a znode: in order, each exactly once, without a gap, across reconnects. Each subscription is a stream of its own; those
   * of the same znodes are given the same objects, which nobody may change. A stream completes after `compacted` and when the client is closed; it errors when the session expires. Without `from` it begins
   * at the last read of the path through this client, so `children(path)` followed by `changes(path)` misses nothing. Callers that
   * share a client and do something else between the two pass `from`, the zxid of their own read.
   */
  changes(path: string, options: ChangesOptions = {}): Observable<ChangeEvent> {
    checkPath(path);
    checkChangesOptions(options);
    return defer(() => {
      const from = options.from ?? this.#seen.of(path, options.recursive ?? false);
      return this.#session.changes(path, from === undefined ? options : { ...options, from });
    });
  }

  /** Ends the session, which deletes its ephemeral znodes. Operations that have no answer yet are rejected with ClosedError. */
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
 * Up to a third of the session timeout may have passed since the client last sent anything. After a further third of silence, the last
 * third remains to connect to another NATS server.
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

/** Returns the checked version; -1 if any will do. */
function versionOf(options: VersionOptions): number {
  checkOptions("options", options);
  const { version = VERSION_ANY } = options;
  checkVersion(version);
  return version;
}

function checkConnectOptions(options: ConnectOptions): void {
  checkOptions("options", options);
  const { sessionTimeoutMs, operationTimeoutMs, connectTimeoutMs, tls } = options;
  const { ensemble, user, password, token, name } = options;
  const times = { sessionTimeoutMs, operationTimeoutMs, connectTimeoutMs };
  const { caFile, certFile, keyFile } = tls ?? {};
  const texts = { ensemble, user, password, token, name, caFile, certFile, keyFile };
  if (tls !== undefined) checkOptions("`tls`", tls);
  for (const identity of options.identities ?? []) checkIdentity(identity);
  for (const [field, value] of Object.entries(times)) {
    if (value !== undefined) checkMilliseconds(`\`${field}\``, value);
  }
  for (const [field, value] of Object.entries(texts)) {
    if (value !== undefined) checkText(`\`${field}\``, value);
  }
}

function checkIdentity(identity: unknown): void {
  checkOptions("an identity", identity);
  const { user, password } = identity as Partial<Identity>;
  checkText("`user` of an identity", user);
  checkText("`password` of an identity", password);
  if (!user.includes(":")) return;
  throw new BadArgumentsError("`user` of an identity: it ends at a colon, so it has none");
}

function proofOf({ user, password }: Identity): Uint8Array {
  return new TextEncoder().encode(`${user}:${password}`);
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
