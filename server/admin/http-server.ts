/**
 * A small HTTP server for operators and probes: it takes requests without a body by GET and HEAD, and where it is said to, with one by POST. All
 * that a client can make it keep is bounded.
 */
import { constants } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer, Server as HttpsServer } from "node:https";
import { TLSSocket } from "node:tls";
import { subjectName } from "../../runtime/connections/tls/distinguished-name.ts";
import { certificateProblem, contextOptions } from "../../runtime/connections/tls/entrance.ts";
import type { TlsTerms } from "../../runtime/connections/tls/terms.ts";
import { isIP, type Socket } from "node:net";
import {
  ADMIN_BODY_BYTES_MAX,
  ADMIN_CONNECTION_MS_MAX,
  ADMIN_CONNECTION_MS_SPARE,
  ADMIN_CONNECTIONS_MAX,
  ADMIN_HEAD_BYTES_MAX,
  ADMIN_IDLE_MS_MAX,
  ADMIN_PIPELINED_MAX,
  ADMIN_REQUEST_MS_MAX,
  ADMIN_STREAM_SIGN_MS,
} from "../../protocol/limits.ts";

export type HttpRequest = {
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  /** The name in the certificate that was shown, if it is trusted. */
  readonly certificate: string | undefined;
  readonly remoteAddress: string;
  /** Where a client of server-sent events wants to go on. */
  readonly lastEventId: string | undefined;
  /** True for a POST, which is handed on for the paths that take one. */
  readonly isPost: boolean;
  /** Over TLS. */
  readonly isSecure: boolean;
  /** What a browser says of the page that asks. */
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** Whom the client has asked for, with the port. */
  readonly host: string | undefined;
  readonly contentType: string | undefined;
  /** Reads the body, which is not read otherwise. Called once at most. */
  readonly body: () => Promise<Body>;
};

export type Body =
  | { readonly kind: "read"; readonly bytes: Buffer }
  | { readonly kind: "refused"; readonly status: number; readonly why: string };

export type HttpReply = {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** In the place of the body, of a GET: server-sent events, each when the client has taken in those before. The signal aborts when it is gone. */
  readonly events?: (signal: AbortSignal) => AsyncIterable<string>;
  /** Called once, when the answer is over or cannot be sent any more. */
  readonly over?: () => void;
};

export type HttpServerOptions = {
  readonly host: string;
  /** 0: a free one is taken. */
  readonly port: number;
  /** It never rejects. */
  readonly answer: (request: HttpRequest) => Promise<HttpReply>;
  /** Whether a POST to the path is handed on. Default: none is. */
  readonly takesPost?: (path: string) => boolean;
  /** Default: it speaks HTTP in clear. */
  readonly tls?: TlsTerms | undefined;
  /** Default ADMIN_CONNECTION_MS_MAX. */
  readonly connectionMsMax?: number;
  /** Default ADMIN_REQUEST_MS_MAX. */
  readonly requestMsMax?: number;
};

export const TEXT = "text/plain; charset=utf-8";

/** How often it is looked for requests that have not come in time. */
const LATE_EVERY_MS = 1000;

/** Whether only processes of this machine reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

type Connection = {
  readonly openedMs: number;
  /** Aborted when it is closed. An answer that waits behind another one on it hears of that by no other way. */
  readonly gone: AbortSignal;
  /** How many of its requests are not answered. */
  unanswered: number;
};

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  /** All of TCP, those whose handshake of TLS is under way among them. */
  readonly #sockets = new Set<Socket>();
  readonly #connections = new WeakMap<Socket, Connection>();
  #port = 0;

  /** Rejects with the system's error, `EADDRINUSE` among them. */
  static async listen(options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options);
    await server.#listen();
    return server;
  }

  private constructor(options: HttpServerOptions) {
    this.#options = options;
    const { requestMsMax = ADMIN_REQUEST_MS_MAX } = options;
    const limits = {
      maxHeaderSize: ADMIN_HEAD_BYTES_MAX,
      requestTimeout: requestMsMax,
      headersTimeout: requestMsMax,
      keepAliveTimeout: ADMIN_IDLE_MS_MAX,
      connectionsCheckingInterval: Math.min(LATE_EVERY_MS, requestMsMax),
      noDelay: true,
    };
    const take = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#take(request, response);
    const { tls } = options;
    this.#server =
      tls === undefined
        ? createServer(limits, take)
        : createHttpsServer({ ...limits, ...tlsOptions(tls) }, take);
    this.#server.maxConnections = ADMIN_CONNECTIONS_MAX;
    this.#server.timeout = ADMIN_IDLE_MS_MAX;
    this.#server.on("connection", (socket) => this.#bound(socket));
    if (tls === undefined) this.#server.on("connection", (socket) => this.#open(socket));
    else this.#server.on("secureConnection", (socket: TLSSocket) => this.#openSecure(socket, tls));
    // Nobody is asked to send what would not be read.
    this.#server.on("checkContinue", (request, response) => void this.#take(request, response));
  }

  /** Connections that come from now on are shown this. Throws if it cannot be used, and everything is as before. */
  renew(terms: TlsTerms): void {
    if (this.#server instanceof HttpsServer) this.#server.setSecureContext(contextOf(terms));
  }

  /** Such as `http://127.0.0.1:8080`. */
  get url(): string {
    const { host, tls } = this.#options;
    const scheme = tls === undefined ? "http" : "https";
    return `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${this.#port}`;
  }

  /** Ends every connection, those with a request under way as well. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off("error", reject);
        // What goes wrong with one connection is that connection's.
        this.#server.on("error", () => undefined);
        const address = this.#server.address();
        this.#port = typeof address === "object" ? (address?.port ?? port) : port;
        resolve();
      });
    });
  }

  /** What a connection may take in all, a handshake of TLS with it. */
  #bound(socket: Socket): void {
    const msMax = this.#connectionMsMax + ADMIN_CONNECTION_MS_SPARE;
    const timer = setTimeout(() => socket.destroy(), msMax);
    timer.unref();
    this.#sockets.add(socket);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
    });
  }

  /** Node turns nobody away over a certificate, so that health is told to whoever has none where none is needed. */
  #openSecure(socket: TLSSocket, { clientCertificates }: TlsTerms): void {
    if (certificateProblem(socket, clientCertificates) === undefined) this.#open(socket);
    else socket.destroy();
  }

  #open(socket: Socket): void {
    const gone = new AbortController();
    socket.once("close", () => gone.abort());
    const openedMs = performance.now();
    this.#connections.set(socket, { openedMs, gone: gone.signal, unanswered: 0 });
  }

  get #connectionMsMax(): number {
    return this.#options.connectionMsMax ?? ADMIN_CONNECTION_MS_MAX;
  }

  #isOld(socket: Socket): boolean {
    const openedMs = this.#connections.get(socket)?.openedMs ?? 0;
    return performance.now() - openedMs >= this.#connectionMsMax;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.unanswered >= ADMIN_PIPELINED_MAX) {
      request.socket.destroy();
      return;
    }
    connection.unanswered += 1;
    response.once("close", () => {
      connection.unanswered -= 1;
    });
    // A client that is gone hears nothing.
    response.on("error", () => undefined);
    const asked = requestOf(request, response);
    const reply = this.#refusal(request, asked.path) ?? (await this.#options.answer(asked));
    try {
      if (reply.events === undefined || request.method !== "GET") {
        this.#send(request, response, reply);
        return;
      }
      await this.#stream(response, reply.events, connection.gone).catch(() => response.destroy());
    } finally {
      reply.over?.();
    }
  }

  #send(request: IncomingMessage, response: ServerResponse, reply: HttpReply): void {
    const body = Buffer.from(reply.body);
    response.writeHead(reply.status, {
      "Content-Type": reply.contentType ?? TEXT,
      "Content-Length": body.length,
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      // What a client has sent behind its request is not read.
      ...((hasBody(request) || this.#isOld(request.socket)) && { Connection: "close" }),
      ...reply.headers,
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  /** A client that takes nothing in is closed as one on whose connection nothing happens. */
  async #stream(
    response: ServerResponse,
    events: NonNullable<HttpReply["events"]>,
    gone: AbortSignal,
  ): Promise<void> {
    if (gone.aborted) return;
    response.writeHead(200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      Connection: "close",
    });
    const sign = setInterval(() => {
      if (response.writableLength === 0) response.write(": here\n\n");
    }, ADMIN_STREAM_SIGN_MS);
    try {
      for await (const text of events(gone)) {
        if (gone.aborted) break;
        if (!response.write(text)) await once(response, "drain", { signal: gone });
      }
    } finally {
      clearInterval(sign);
    }
    response.end();
  }

  #refusal(request: IncomingMessage, path: string): HttpReply | undefined {
    const { method, headers } = request;
    const takesPost = this.#options.takesPost?.(path) === true;
    const isPost = method === "POST" && takesPost;
    if (method !== "GET" && method !== "HEAD" && !isPost) {
      const allowed = takesPost ? "GET, HEAD, POST" : "GET, HEAD";
      const headers = { Allow: allowed, Connection: "close" };
      return { status: 405, body: `there are ${allowed}\n`, headers };
    }
    if (hasBody(request) && !isPost) return { status: 413, body: "no request has a body here\n" };
    if (isLoopback(this.#options.host) && !isOwnName(headers.host)) {
      // A web page that has its own name point here must not be able to read what is told.
      return { status: 421, body: "ask for localhost, or for the address\n" };
    }
    return undefined;
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0;
}

/** A client of HTTP 1.0 need not name whom it asks. */
function isOwnName(host = "localhost"): boolean {
  const name = host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  return isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost");
}

function requestOf(request: IncomingMessage, response: ServerResponse): HttpRequest {
  const { url = "/", headers, socket } = request;
  const [path = "/", query = ""] = splitOnce(url, "?");
  return {
    path: decoded(path),
    query: new URLSearchParams(query),
    authorization: headers.authorization,
    certificate: certificateOf(socket),
    remoteAddress: socket.remoteAddress ?? "",
    lastEventId: textOf(headers["last-event-id"]),
    isPost: request.method === "POST",
    isSecure: socket instanceof TLSSocket,
    origin: headers.origin,
    fetchSite: textOf(headers["sec-fetch-site"]),
    host: headers.host,
    contentType: headers["content-type"],
    body: async () => await bodyOf(request, response),
  };
}

function tlsOptions(terms: TlsTerms): ReturnType<typeof contextOf> & {
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
  readonly handshakeTimeout: number;
} {
  return {
    ...contextOf(terms),
    requestCert: terms.clientCertificates !== "none",
    rejectUnauthorized: false,
    handshakeTimeout: ADMIN_REQUEST_MS_MAX,
  };
}

/** Without tickets, so that no certificate is taken for good on account of an earlier connection. */
function contextOf(terms: TlsTerms): ReturnType<typeof contextOptions> {
  return { ...contextOptions(terms), secureOptions: constants.SSL_OP_NO_TICKET };
}

function certificateOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  try {
    return subjectName(certificate.raw);
  } catch {
    return undefined;
  }
}

/** Its length must be said before, so that nothing is read of one that is too long. */
async function bodyOf(request: IncomingMessage, response: ServerResponse): Promise<Body> {
  const length = Number(request.headers["content-length"] ?? Number.NaN);
  if (Number.isNaN(length)) {
    return {
      kind: "refused",
      status: 411,
      why: "the length of the body must be said: Content-Length",
    };
  }
  if (length > ADMIN_BODY_BYTES_MAX) {
    const why = `the body may have ${ADMIN_BODY_BYTES_MAX} bytes at most`;
    return { kind: "refused", status: 413, why };
  }
  if (request.headers.expect !== undefined) response.writeContinue();
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return { kind: "refused", status: 400, why: "the body has not come" };
  }
  return { kind: "read", bytes: Buffer.concat(chunks) };
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" && header !== "" ? header : undefined;
}

function splitOnce(text: string, at: string): readonly string[] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
