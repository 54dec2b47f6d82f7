/** A session over ZooKeeper's protocol, for programs: promises of answers, an Observable of its state. `driver.ts` does the rest. */
import type { Observable } from "rxjs";
import { BehaviorSubject } from "rxjs/internal/BehaviorSubject";
import { firstValueFrom } from "rxjs/internal/firstValueFrom";
import { filter } from "rxjs/internal/operators/filter";
import { checkMilliseconds, checkOptions, checkText } from "../../protocol/arguments.ts";
import {
  AbortedError,
  BadArgumentsError,
  UnreachableError,
  type ZooidError,
} from "../../protocol/errors.ts";
import { PACKET_BYTES_MAX, SASL_TOKEN_BYTES_MAX } from "../../protocol/limits.ts";
import type { NativeRequest } from "../../protocol/native-packing.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { type Environment, REAL_ENVIRONMENT } from "../driver.ts";
import type { Answer, SessionState } from "../session/messages.ts";
import type { CallOptions, Clock, StreamObserver, Wire, WireFeatures, Wish } from "../wire.ts";
import { type Channel, readTlsFiles, SocketChannel, type TlsFiles } from "./channel.ts";
import { type DriverOptions, ZooKeeperDriver } from "./driver.ts";
import { errorOf, wireEndOf } from "./failures.ts";
import { type Credentials, digestLogin } from "./login.ts";
import type { Request, SessionOptions } from "./session/messages.ts";
import { parseZooKeeperUrl } from "./url.ts";

export type ZooKeeperOptions = {
  /** The session timeout in milliseconds. Default 10_000. The ensemble grants the nearest value within its own limits. */
  readonly sessionTimeoutMs?: number | undefined;
  /** Milliseconds after which an operation that has no answer is rejected with OperationTimeoutError. Default 30_000. */
  readonly operationTimeoutMs?: number | undefined;
  /** How long the first session may take before UnreachableError. Default 10_000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Files in PEM form, for `zks://`. Default: the public authorities, and no certificate of the client's own. */
  readonly tls?: TlsFiles | undefined;
  /** Who the client is to access control lists of the scheme `digest`. Default: it may what everybody may. */
  readonly identities?: readonly Credentials[] | undefined;
  /** Who the client logs in as by SASL's DIGEST-MD5. Default: it does not log in. */
  readonly sasl?: Credentials | undefined;
};

const FEATURES: WireFeatures = {
  exactlyOnce: false,
  pages: false,
  wideOperations: false,
  everyChange: false,
};

/** A request's fields beside path and data: numbers, and an access control list of usual length. */
const FIELDS_BYTES = 1024;

export class ZooKeeperWire implements Wire {
  readonly features: WireFeatures = FEATURES;
  readonly clock: Clock;
  readonly requestBytesMax: number = PACKET_BYTES_MAX - FIELDS_BYTES;
  readonly #state$ = new BehaviorSubject<SessionState>({ kind: "connecting" });
  readonly #driver: ZooKeeperDriver;
  readonly #closed = Promise.withResolvers<void>();

  constructor(
    channel: Channel,
    of: Pick<DriverOptions, "session" | "login">,
    environment: Environment = REAL_ENVIRONMENT,
  ) {
    this.clock = environment;
    this.#driver = new ZooKeeperDriver({
      ...{ channel, environment, ...of },
      onState: (state) => {
        this.#state$.next(state);
        if (state.kind === "closed") this.#state$.complete();
      },
      onClosing: (closing) => this.#closed.resolve(closing),
    });
  }

  get state$(): Observable<SessionState> {
    return this.#state$;
  }

  get state(): SessionState {
    return this.#state$.value;
  }

  get lastZxid(): Zxid {
    return this.#driver.lastZxid;
  }

  get validUntilMs(): number {
    return this.#driver.validUntilMs;
  }

  /** Why the last attempt to connect failed, in words. */
  get lastProblem(): string {
    return this.#driver.lastProblem;
  }

  /** The error of every further request once the session has ended; undefined before. */
  get over(): ZooidError | undefined {
    const { over } = this.#driver;
    return over === undefined ? undefined : errorOf(over, "no");
  }

  request(
    request: NativeRequest | Request,
    { signal, timeoutMs }: CallOptions = {},
  ): Promise<Answer> {
    if (signal?.aborted === true) {
      return Promise.reject(new AbortedError({ cause: signal.reason }));
    }
    return new Promise((resolve, reject) => {
      const cancel = (): void => this.#driver.cancel(id);
      const id = this.#driver.request(request, timeoutMs, (outcome) => {
        signal?.removeEventListener("abort", cancel);
        if (outcome.kind === "answered") resolve(outcome.answer as Answer);
        else reject(errorOf(outcome.failure, outcome.maybeApplied, signal?.reason));
      });
      signal?.addEventListener("abort", cancel);
    });
  }

  subscribe(wish: Wish, { portion, ended }: StreamObserver): () => void {
    return this.#driver.subscribe(wish, { portion, ended: (end) => ended(wireEndOf(end)) });
  }

  async close(): Promise<void> {
    this.#driver.close();
    await this.#closed.promise;
  }
}

/**
 * Opens a session over ZooKeeper's protocol. `urls` is `zk://host:port,host:port/chroot`, or `zks://…` for TLS. Rejects with
 * UnreachableError, whose message says what to check, or with BadArgumentsError.
 */
export async function openZooKeeperWire(
  urls: string | readonly string[],
  options: ZooKeeperOptions = {},
): Promise<ZooKeeperWire> {
  const { session, tls } = checked(urls, options);
  const { sasl, connectTimeoutMs = 10_000 } = options;
  if (tls !== undefined) await checkTlsFiles(tls);
  const login = sasl === undefined ? undefined : () => digestLogin(sasl);
  const wire = new ZooKeeperWire(new SocketChannel(tls), { session, login });
  await connected(wire, connectTimeoutMs, String(urls));
  return wire;
}

function checked(
  urls: string | readonly string[],
  options: ZooKeeperOptions,
): { readonly session: SessionOptions; readonly tls: TlsFiles | undefined } {
  checkOptions("options", options);
  const parsed = (typeof urls === "string" ? [urls] : urls).map((url) => {
    checkText("a URL of ZooKeeper's protocol", url);
    return parseZooKeeperUrl(url);
  });
  const [first] = parsed;
  if (first === undefined) throw new BadArgumentsError("there is no URL");
  if (parsed.some(({ tls, chroot }) => tls !== first.tls || chroot !== first.chroot)) {
    throw new BadArgumentsError("all URLs of an ensemble have the same scheme and chroot");
  }
  const { sessionTimeoutMs = 10_000, operationTimeoutMs = 30_000, identities = [] } = options;
  const times = {
    sessionTimeoutMs,
    operationTimeoutMs,
    connectTimeoutMs: options.connectTimeoutMs,
  };
  for (const [field, value] of Object.entries(times)) {
    if (value !== undefined) checkMilliseconds(`\`${field}\``, value);
  }
  for (const identity of identities) checkCredentials("an identity", identity);
  if (options.sasl !== undefined) checkCredentials("`sasl`", options.sasl);
  const tls = checkedTls(first.tls, options.tls);
  const proofs = identities.map(({ user, password }) => Buffer.from(`${user}:${password}`));
  return {
    tls,
    session: {
      ...{ hosts: parsed.flatMap(({ hosts }) => hosts), chroot: first.chroot },
      ...{ sessionTimeoutMs, operationTimeoutMs, proofs, sasl: options.sasl !== undefined },
    },
  };
}

function checkCredentials(name: string, credentials: unknown): void {
  checkOptions(name, credentials);
  const { user, password } = credentials as Partial<Credentials>;
  checkText(`\`user\` of ${name}`, user);
  checkText(`\`password\` of ${name}`, password);
  if (name !== "`sasl`" && user.includes(":")) {
    throw new BadArgumentsError("`user` of an identity: it ends at a colon, so it has none");
  }
  if (Buffer.byteLength(user) > SASL_TOKEN_BYTES_MAX / 4) {
    throw new BadArgumentsError(`\`user\` of ${name}: it is too long`);
  }
}

function checkedTls(isTls: boolean, files: TlsFiles | undefined): TlsFiles | undefined {
  if (files !== undefined) {
    checkOptions("`tls`", files);
    for (const [field, value] of Object.entries(files)) {
      if (value !== undefined) checkText(`\`${field}\` of \`tls\``, value);
    }
    if (!isTls) {
      throw new BadArgumentsError("`tls` is given, and the URL is zk://…: with TLS it is zks://…");
    }
    if ((files.certFile === undefined) !== (files.keyFile === undefined)) {
      throw new BadArgumentsError("`certFile` and `keyFile` of `tls` are given together");
    }
  }
  return isTls ? (files ?? {}) : undefined;
}

async function checkTlsFiles(tls: TlsFiles): Promise<void> {
  try {
    await readTlsFiles(tls);
  } catch (error) {
    const { message } = error as Error;
    throw new BadArgumentsError(`a file of \`tls\` cannot be read: ${message}`, { cause: error });
  }
}

async function connected(wire: ZooKeeperWire, timeoutMs: number, urls: string): Promise<void> {
  let stop: () => void = () => undefined;
  const late = new Promise<"late">((resolve) => {
    stop = wire.clock.after(timeoutMs, () => resolve("late"));
  });
  const settled = firstValueFrom(wire.state$.pipe(filter(({ kind }) => kind !== "connecting")));
  const first = await Promise.race([settled, late]);
  stop();
  if (first !== "late" && first.kind === "connected") return;
  const problem = wire.over ?? unreachable(wire, timeoutMs, urls);
  await wire.close();
  throw problem;
}

function unreachable(wire: ZooKeeperWire, timeoutMs: number, urls: string): UnreachableError {
  return new UnreachableError(
    `no session with the ensemble at ${urls} within ${timeoutMs} ms (${wire.lastProblem}): check that its servers run, have a leader, and that host, port and TLS are right`,
  );
}
