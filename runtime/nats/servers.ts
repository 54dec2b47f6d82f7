/**
 * Which NATS server is connected to, as whom, and when it is left for another: alike for nodes and for native clients. It
 * imports nothing of the runtime, so that a client that uses it brings none of a node along.
 */
import { isIP } from "node:net";
import { checkServerIdentity, type ConnectionOptions as NodeTlsOptions } from "node:tls";
import type { ConnectionOptions, Server } from "@nats-io/transport-node";

export type NatsCredentials = {
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
};

/** Files in PEM form, which are read whenever a server is connected to. */
export type NatsTlsFiles = {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
};

/** What is in such files. */
export type NatsTlsMaterial = {
  /** Undefined: the system's authorities. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
};

export type NatsIdentity = NatsCredentials & {
  /**
   * Files, or a function that is asked whenever a server is connected to. Default: none; servers that ask for TLS are then checked against the
   * system's authorities.
   */
  readonly tls?: NatsTlsFiles | (() => NatsTlsMaterial);
};

export type NatsServersOptions = NatsIdentity & {
  readonly urls: readonly URL[];
  /** Shown by the NATS server's monitoring. */
  readonly name: string;
  /** A server that says nothing for this time is left for another one. */
  readonly silenceMs: number;
  /** How long an attempt to connect to one server may take. */
  readonly timeoutMs: number;
  readonly nextServer: NextServer;
};

/** A server that has left this many pings unanswered is left when the next one is due. */
const PINGS_OUT_MAX = 2;
const RECONNECT_DELAY_MS = 200;
const CLOSE_TIMEOUT_MS = 2_000;

/** After the server of the connection another one is dialled first, since that one may only hang. */
export class NextServer {
  #current: string | undefined;

  connectedTo(server: string): void {
    this.#current = server;
  }

  /** The server to dial next. Null: the one that the library would choose. */
  next(servers: readonly Server[]): Server | null {
    const left = this.#current;
    this.#current = undefined;
    const [first] = servers;
    if (left === undefined || first === undefined || !isNamed(first, left)) return null;
    return servers.find((server) => !isNamed(server, left)) ?? null;
  }
}

function isNamed({ listen, hostname, port }: Server, name: string): boolean {
  return listen === name || `${hostname}:${port}` === name;
}

/** Reconnects for ever. */
export function natsServersOptions(options: NatsServersOptions): ConnectionOptions {
  const { urls, silenceMs, nextServer } = options;
  const { user, password, token } = natsCredentials(options);
  const wantsTls = options.tls !== undefined || urls.some((url) => url.protocol === "tls:");
  return {
    servers: urls.map((url) => url.host),
    // The list is tried in order: its first server is meant to be the nearest.
    noRandomize: true,
    name: options.name,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    ...(token === undefined ? {} : { token }),
    ...(wantsTls ? { tls: tlsOptions(options.tls ?? {}, urls) } : {}),
    timeout: options.timeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_DELAY_MS,
    reconnectJitter: RECONNECT_DELAY_MS,
    pingInterval: Math.floor(silenceMs / (PINGS_OUT_MAX + 2)),
    maxPingOut: PINGS_OUT_MAX,
    reconnectToServer: (servers) => nextServer.next(servers),
    // A password that is being changed on the servers must not end the reconnecting.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
  };
}

type DialTls = NonNullable<ConnectionOptions["tls"]> & Pick<NodeTlsOptions, "checkServerIdentity">;

function tlsOptions(tls: NonNullable<NatsIdentity["tls"]>, urls: readonly URL[]): DialTls {
  const checkServerIdentity = identityCheck(urls.map(({ hostname }) => bareHost(hostname)));
  if (typeof tls !== "function") return { ...tls, checkServerIdentity };
  // The library looks at these fields whenever it connects, and nowhere else.
  return {
    checkServerIdentity,
    get ca() {
      return tls().ca;
    },
    get cert() {
      return tls().cert;
    },
    get key() {
      return tls().key;
    },
  } as DialTls;
}

/**
 * For a server that is dialled by its address, the library has Node compare the certificate with `localhost`, so that a certificate of any machine's own would do
 * and none for the address. It must be one for an address that is named, or for `localhost` if that is.
 */
function identityCheck(hosts: readonly string[]): DialTls["checkServerIdentity"] {
  return (host, certificate) => {
    if (host !== LIBRARY_HOST) return checkServerIdentity(host, certificate);
    const named = hosts.filter((each) => each === LIBRARY_HOST || isIP(each) !== 0);
    const [first, ...others] = (named.length === 0 ? hosts : named).map((each) =>
      checkServerIdentity(each, certificate),
    );
    return others.includes(undefined) ? undefined : first;
  };
}

/** What the library says where it dials an address. */
const LIBRARY_HOST = "localhost";

function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

/** The credentials of the options, or else of the first URL that has any. */
export function natsCredentials(
  options: NatsCredentials & { readonly urls: readonly URL[] },
): NatsCredentials {
  const named = options.urls.find((url) => url.username !== "");
  const password = options.password ?? decode(named?.password);
  // A URL with a user and no password, where the options have none either, names a token.
  const user = options.user ?? decode(password === undefined ? undefined : named?.username);
  const isToken = password === undefined && options.user === undefined;
  const token = options.token ?? decode(isToken ? named?.username : undefined);
  return {
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(token === undefined ? {} : { token }),
  };
}

function decode(part: string | undefined): string | undefined {
  return part === undefined || part === "" ? undefined : decodeURIComponent(part);
}

/** The same server without credentials. If the text is not a URL, all before its last @ is removed, since it may be a password. */
export function withoutCredentials(server: string): string {
  const url = server.includes("://") ? URL.parse(server) : null;
  if (url === null || url.hostname === "") return server.replace(/^([a-z]+:\/\/)?.*@/is, "$1");
  url.username = "";
  url.password = "";
  return url.href;
}

/** Waits until a server has been told what there is to tell before its connection closes, but not if it is away or hangs. */
export async function whileClosing(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
  });
  // A failure to close in order leaves nothing to do: the connection goes either way.
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
