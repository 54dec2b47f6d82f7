/**
 * Sockets come in here before they are connections, and leave it when their TLS handshake is done, or closed. Each may take a limited
 * time, and OpenSSL bounds the memory of a handshake.
 */
import type { Socket } from "node:net";
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";
import { subjectName } from "./distinguished-name.ts";
import type { ClientCertificates, SecurePeer, TlsTerms } from "./terms.ts";

export type TlsEntranceOptions = {
  readonly terms: TlsTerms;
  /** How long a handshake may take. */
  readonly handshakeMs: number;
  /** The socket has done its handshake; from now on its bytes go through `secured`. */
  readonly onSecured: (raw: Socket, secured: TLSSocket, peer: SecurePeer) => void;
  /** The handshake has failed, and the socket is closed. Called at most once for each socket. */
  readonly onFailed: (raw: Socket, reason: string) => void;
};

/** What OpenSSL and Node report, and what it means to whoever reads the log. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["ERR_TLS_HANDSHAKE_TIMEOUT", "it did not finish its handshake in time"],
  ["ERR_SSL_HTTP_REQUEST", "it does not speak TLS: it sent a request of HTTP"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "it does not speak TLS"],
  ["ERR_SSL_PACKET_LENGTH_TOO_LONG", "it does not speak TLS"],
  ["ERR_SSL_UNSUPPORTED_PROTOCOL", "it has no version of TLS that is allowed here"],
  ["ERR_SSL_NO_SHARED_CIPHER", "it has no cipher suite that is allowed here"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "it does not trust this node's certificate"],
  ["ERR_SSL_TLSV1_UNRECOGNIZED_NAME", "it does not take this node's certificate for its name"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN", "it does not trust this node's certificate"],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "it does not accept this node's certificate"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "to it, this node's certificate has expired"],
]);

export class TlsEntrance {
  readonly #options: TlsEntranceOptions;
  readonly #server: Server;
  #clientCertificates: ClientCertificates;
  /** Sockets whose handshake is under way, by address and port: what Node reports names the socket of TLS and not this one. */
  readonly #pending = new Map<string, Socket>();

  constructor(options: TlsEntranceOptions) {
    this.#options = options;
    const { terms, handshakeMs } = options;
    this.#clientCertificates = terms.clientCertificates;
    this.#server = createServer({
      ...contextOptions(terms),
      handshakeTimeout: handshakeMs,
      requestCert: terms.clientCertificates !== "none",
      // Node would close the socket without a reason; `#judge` looks at the certificate.
      rejectUnauthorized: false,
    });
    this.#server.on("secureConnection", (socket) => this.#judge(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#fail(socket, reasonOf(error)));
  }

  /** Sockets that come from now on are shown this. Throws if it cannot be used, and everything is as before. */
  renew(terms: TlsTerms): void {
    this.#server.setSecureContext(contextOptions(terms));
  }

  /** Begins the handshake of a socket of TCP, of which nothing is lost that it has read already. */
  enter(raw: Socket): void {
    const name = nameOf(raw);
    this.#pending.set(name, raw);
    raw.once("close", () => this.#leave(name, "it went away in the middle of the handshake"));
    // The handshake of a client that has sent all it will is over, and the socket of TLS is closed with it.
    raw.allowHalfOpen = false;
    this.#server.emit("connection", raw);
  }

  #judge(secured: TLSSocket): void {
    secured.allowHalfOpen = true;
    const problem = certificateProblem(secured, this.#clientCertificates);
    if (problem !== undefined) this.#fail(secured, problem);
    else this.#admit(secured, secured.getPeerX509Certificate()?.raw);
  }

  #admit(secured: TLSSocket, certificate: Buffer | undefined): void {
    let peer: SecurePeer;
    try {
      peer = { subject: certificate === undefined ? undefined : subjectName(certificate) };
    } catch {
      this.#fail(secured, "the name in its certificate cannot be read");
      return;
    }
    const name = nameOf(secured);
    const raw = this.#pending.get(name);
    this.#pending.delete(name);
    if (raw === undefined) secured.destroy();
    else this.#options.onSecured(raw, secured, peer);
  }

  #fail(secured: Socket, reason: string): void {
    const name = nameOf(secured);
    secured.destroy();
    this.#leave(name, reason);
  }

  /** One that is closed already has no name any more: for it, the end of its socket of TCP is the end of the handshake. */
  #leave(name: string, reason: string): void {
    const raw = this.#pending.get(name);
    if (raw === undefined) return;
    this.#pending.delete(name);
    raw.destroy();
    this.#options.onFailed(raw, reason);
  }
}

/** A client may come from one port to two addresses of this machine. */
function nameOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** Why a socket whose handshake is done is closed for what it has shown; undefined: it is not. Node itself turns nobody away. */
export function certificateProblem(
  secured: TLSSocket,
  asked: ClientCertificates,
): string | undefined {
  const isShown = secured.getPeerX509Certificate() !== undefined;
  if (!isShown) return asked === "need" ? "it has shown no certificate" : undefined;
  if (secured.authorized) return undefined;
  return `its certificate is not trusted: ${String(secured.authorizationError)}`;
}

/** Throws if the key does not fit the certificate, or anything else of it cannot be used. */
export function contextOptions(terms: TlsTerms): SecureContextOptions {
  const { certificates, key, authorities, withdrawn, versionMin, versionMax, ciphers } = terms;
  return {
    cert: certificates,
    key,
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...(withdrawn === undefined ? {} : { crl: [...withdrawn] }),
    minVersion: versionMin,
    maxVersion: versionMax,
    ...(ciphers === undefined ? {} : { ciphers }),
  };
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return REASONS.get(error.code ?? "") ?? `its handshake failed (${error.code ?? error.message})`;
}
