/** What `connect` takes, and the checks of it. */
import { checkMilliseconds, checkOptions, checkText } from "../protocol/arguments.ts";
import { BadArgumentsError } from "../protocol/errors.ts";
import { ENSEMBLE_NAME_RULE, isEnsembleName } from "../protocol/subjects.ts";
import { isNatsServer } from "../runtime/nats/server-url.ts";
import type { SessionOptions } from "./session/messages.ts";

/**
 * What `connect` takes beside the URL. Over `zk://` and `zks://` there is no NATS: `ensemble`, `user`, `password`, `token` and `name` have
 * no effect there.
 */
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
  /** The user, for NATS. Default: that of the URL. */
  readonly user?: string;
  /** Together with `user`. */
  readonly password?: string;
  /** In place of a user and a password, for a NATS server that asks for one. Default: none. */
  readonly token?: string;
  /**
   * Files in PEM form, for TLS with NATS or over `zks://`. Default: none. `caFile` is needed if no public authority signed the server's
   * certificate; the other two, always together, if the server asks for a certificate of the client.
   */
  readonly tls?: {
    /** The authorities by which the server's certificate is trusted. */
    readonly caFile?: string;
    /** The client's own certificate. */
    readonly certFile?: string;
    /** The key of that certificate. */
    readonly keyFile?: string;
  };
  /**
   * Who the client is to access control lists of the scheme `digest`; it may be several at once. The passwords go to the node over
   * NATS, as in ZooKeeper. Default: it may what everybody may. NATS knows nothing of these: its credentials are those above.
   */
  readonly identities?: readonly Identity[];
  /** Over ZooKeeper's protocol: who the client logs in as by SASL's DIGEST-MD5. Default: it does not log in. */
  readonly sasl?: Identity;
  /** Shown by the NATS server's monitoring. Default `zooid client`. */
  readonly name?: string;
};

/** Somebody with a password, as in ZooKeeper's `addauth digest user:password`. */
export type Identity = {
  /** The name. In `identities` it has no colon, since the password follows behind one. */
  readonly user: string;
  /** That of `identities` goes to the node in clear, as in ZooKeeper; that of `sasl` goes as a digest. */
  readonly password: string;
};

function checkConnectOptions(options: ConnectOptions): void {
  checkOptions("options", options);
  const { sessionTimeoutMs, operationTimeoutMs, connectTimeoutMs, tls } = options;
  const { ensemble, user, password, token, name } = options;
  const times = { sessionTimeoutMs, operationTimeoutMs, connectTimeoutMs };
  const { caFile, certFile, keyFile } = tls ?? {};
  const texts = { ensemble, user, password, token, name, caFile, certFile, keyFile };
  if (tls !== undefined) checkOptions("`tls`", tls);
  for (const identity of options.identities ?? []) checkIdentity(identity);
  if (ensemble !== undefined && !isEnsembleName(ensemble)) {
    throw new BadArgumentsError(`"${ensemble}" cannot name an ensemble: use ${ENSEMBLE_NAME_RULE}`);
  }
  for (const [field, value] of Object.entries(times)) {
    if (value !== undefined) checkMilliseconds(`\`${field}\``, value);
  }
  for (const [field, value] of Object.entries(texts)) {
    if (value !== undefined) checkText(`\`${field}\``, value);
  }
}

/** Checks the options, and returns what they say of the session. */
export function sessionOptionsOf(options: ConnectOptions): SessionOptions {
  checkConnectOptions(options);
  const { ensemble = "zooid", sessionTimeoutMs = 10_000, operationTimeoutMs = 30_000 } = options;
  const proofs = (options.identities ?? []).map(proofOf);
  return { ensemble, sessionTimeoutMs, operationTimeoutMs, proofs };
}

function checkIdentity(identity: unknown): void {
  checkOptions("an identity", identity);
  const { user, password } = identity as Partial<Identity>;
  checkText("`user` of an identity", user);
  checkText("`password` of an identity", password);
  if (!user.includes(":")) return;
  throw new BadArgumentsError("`user` of an identity: it ends at a colon, so it has none");
}

/** What proves an identity of the scheme `digest`. Source: ZooKeeper's `addauth`. */
function proofOf({ user, password }: Identity): Uint8Array {
  return new TextEncoder().encode(`${user}:${password}`);
}

export function checkedUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed !== null && isNatsServer(parsed)) return url;
  throw new BadArgumentsError(
    "a URL of a NATS server is nats://host:port or tls://host:port, user and password before the host percent-encoded",
  );
}
