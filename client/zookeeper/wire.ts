/** A session over ZooKeeper's protocol. */
import { checkMilliseconds, checkOptions, checkText } from "../../protocol/arguments.ts";
import { BadArgumentsError } from "../../protocol/errors.ts";
import { PACKET_BYTES_MAX, SASL_TOKEN_BYTES_MAX } from "../../protocol/limits.ts";
import { type Environment, REAL_ENVIRONMENT } from "../session-driver.ts";
import { connectedWithin, SessionWire } from "../session-wire.ts";
import type { WireFeatures } from "../wire.ts";
import { type Channel, readTlsFiles, SocketChannel, type TlsFiles } from "./channel.ts";
import { type DriverOptions, ZooKeeperDriver } from "./driver.ts";
import { type Credentials, digestLogin } from "./login.ts";
import type { SessionOptions } from "./session/messages.ts";
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

export class ZooKeeperWire extends SessionWire {
  readonly features: WireFeatures = FEATURES;
  readonly requestBytesMax: number = PACKET_BYTES_MAX - FIELDS_BYTES;

  constructor(
    channel: Channel,
    of: Pick<DriverOptions, "session" | "login">,
    environment: Environment = REAL_ENVIRONMENT,
  ) {
    super(environment, (handlers) => {
      return new ZooKeeperDriver({ channel, environment, ...of, ...handlers });
    });
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
  await connectedWithin(wire, connectTimeoutMs, {
    to: `the ensemble at ${String(urls)}`,
    check: "its servers run, have a leader, and that host, port and TLS are right",
  });
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
