/**
 * One connection to a ZooKeeper server for tests. It keeps everything it receives in the order in which it came, replies and watch
 * events alike, so that a test can compare the order too.
 */
import { connect as connectSocket, type Socket } from "node:net";
import { frame, JuteReader, JuteWriter } from "../jute.ts";
import { closeSession, sync, type Operation, type Text } from "./operations.ts";

export type SessionGrant = {
  readonly protocolVersion: number;
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  readonly password: Buffer;
  /** Undefined when the server left the byte out, as it does for old clients. */
  readonly readOnly: boolean | undefined;
};

export type ConnectOptions = {
  readonly port: number;
  readonly host?: string;
  readonly timeoutMs?: number;
  readonly sessionId?: bigint;
  readonly password?: Buffer;
  readonly lastZxidSeen?: bigint;
  /** "absent" leaves the last byte out, as clients before 3.4 did. */
  readonly readOnly?: boolean | "absent";
  /** One of ClickHouse Keeper's versions of the protocol. Default 0, which is ZooKeeper's. */
  readonly version?: number;
  /** With such a version: the client wants compression, too. */
  readonly compressed?: boolean;
  /** A handshake that is not answered for so long fails. Default: it may take as long as it takes. */
  readonly connectMsMax?: number;
};

export type Reply = {
  readonly kind: "reply";
  readonly label: string;
  readonly xid: number;
  readonly zxid: bigint;
  readonly code: number;
  readonly write: boolean;
  /** What the body says; empty where there is none. */
  readonly text: Text;
};

export type WatchEvent = {
  readonly kind: "event";
  readonly type: number;
  readonly state: number;
  readonly path: string;
  readonly zxid: bigint;
};

export type Received = Reply | WatchEvent | { readonly kind: "closed" };

type Pending = {
  readonly operation: Operation;
  readonly xid: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
};

const PING_XID = -2;

export function connectFrame(options: ConnectOptions): Buffer {
  const { version = 0, compressed = false } = options;
  const writer = new JuteWriter().int(version);
  if (version === WIDE_XIDS) writer.bool(compressed);
  writer
    .long(options.lastZxidSeen ?? 0n)
    .int(options.timeoutMs ?? 10_000)
    .long(options.sessionId ?? 0n)
    .buffer(options.password ?? Buffer.alloc(16));
  if (options.readOnly !== "absent") writer.bool(options.readOnly ?? false);
  const bytes = writer.bytes();
  if (version !== WIDE_XIDS) return frame(bytes);
  // ClickHouse does not count the flag behind the version.
  return Buffer.concat([new JuteWriter().int(bytes.length - 1).bytes(), bytes]);
}

/** The version in which numbers of requests have 64 bits. */
const WIDE_XIDS = 11;

export class ZkClient {
  /** Everything after the handshake, in the order of arrival. */
  readonly received: Received[] = [];
  readonly closed: Promise<void>;
  readonly socket: Socket;
  #grant: SessionGrant | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #pending: Pending[] = [];
  #nextXid = 1;
  #lastZxidSeen = 0n;
  #isClosed = false;
  readonly #wideXids: boolean;
  #failure: Error | undefined;
  readonly #granted: Promise<SessionGrant>;
  readonly #listeners = new Set<() => void>();

  /** Resolves when the server has answered the handshake, also when it refused the session. */
  static async connect(options: ConnectOptions): Promise<ZkClient> {
    const client = new ZkClient(options);
    await client.#granted;
    return client;
  }

  private constructor(options: ConnectOptions) {
    this.#wideXids = options.version === WIDE_XIDS;
    const socket = connectSocket({ host: options.host ?? "127.0.0.1", port: options.port });
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("error", (error) => {
      this.#failure ??= error;
    });
    this.#granted = new Promise((resolve, reject) => {
      const settle = (): void => {
        if (this.#grant !== undefined) resolve(this.#grant);
        else if (this.#isClosed) reject(this.#closedError("the handshake"));
      };
      this.#listeners.add(settle);
    });
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        this.received.push({ kind: "closed" });
        for (const pending of this.#pending)
          pending.reject(this.#closedError(pending.operation.label));
        this.#pending = [];
        this.#notify();
        resolve();
      });
    });
    socket.on("data", (chunk) => {
      try {
        this.#takeBytes(chunk);
      } catch (error) {
        socket.destroy(new Error("a reply that cannot be read", { cause: error }));
      }
    });
    socket.write(connectFrame(options));
    if (options.connectMsMax === undefined) return;
    const limit = setTimeout(() => {
      if (this.#grant === undefined) socket.destroy(new Error("the handshake was not answered"));
    }, options.connectMsMax);
    socket.once("close", () => clearTimeout(limit));
  }

  get grant(): SessionGrant {
    if (this.#grant === undefined) throw new Error("no session yet");
    return this.#grant;
  }

  get lastZxidSeen(): bigint {
    return this.#lastZxidSeen;
  }

  request(operation: Operation): Promise<Reply> {
    if (this.#isClosed) return Promise.reject(this.#closedError(operation.label));
    const xid = operation.xid ?? this.#nextXid++;
    const writer = new JuteWriter();
    const header = (this.#wideXids ? writer.long(BigInt(xid)) : writer.int(xid))
      .int(operation.type)
      .bytes();
    return new Promise((resolve, reject) => {
      this.#pending.push({ operation, xid, resolve, reject });
      this.socket.write(frame(Buffer.concat([header, operation.body])));
    });
  }

  /** All requests in one write to the socket, without waiting for a reply in between. */
  pipeline(operations: readonly Operation[]): Promise<Reply[]> {
    this.socket.cork();
    const replies = operations.map((operation) => this.request(operation));
    this.socket.uncork();
    return Promise.all(replies);
  }

  /** Waits until the watch events received so far or to come are at least this many. */
  async events(count: number): Promise<readonly WatchEvent[]> {
    for (;;) {
      const events = this.received.filter((entry) => entry.kind === "event");
      if (events.length >= count) return events;
      if (this.#isClosed) throw this.#closedError(`event ${count}`);
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  /** After this, every event of a change that was answered before has been received. */
  async barrier(): Promise<void> {
    await this.request(sync("/"));
  }

  /** Ends the session and waits for the server to close the connection. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      await this.request(closeSession()).catch(() => undefined);
      this.socket.end();
    }
    await this.closed;
  }

  /** Cuts the connection; the session lives on. */
  async cut(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #closedError(what: string): Error {
    return new Error(`the connection closed before ${what}`, { cause: this.#failure });
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #takeBytes(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4) {
      const end = 4 + this.#rest.readInt32BE(0);
      if (this.#rest.length < end) break;
      const reader = new JuteReader(this.#rest.subarray(4, end));
      this.#rest = this.#rest.subarray(end);
      this.#takeFrame(reader);
    }
    this.#notify();
  }

  #takeFrame(reader: JuteReader): void {
    if (this.#grant === undefined) {
      this.#grant = {
        protocolVersion: reader.int(),
        timeoutMs: reader.int(),
        sessionId: reader.long(),
        password: reader.buffer() ?? Buffer.alloc(0),
        readOnly: reader.left > 0 ? reader.bool() : undefined,
      };
      reader.end();
      return;
    }
    const xid = this.#wideXids ? Number(reader.long()) : reader.int();
    const zxid = reader.long();
    const code = reader.int();
    if (xid === -1) {
      const event = { type: reader.int(), state: reader.int(), path: reader.text() };
      this.received.push({ kind: "event", zxid, ...event });
      return;
    }
    // As the Java client: a ping may name the end of a batch whose writes are answered next.
    if (xid !== PING_XID && zxid > this.#lastZxidSeen) this.#lastZxidSeen = zxid;
    this.#takeReply({ xid, zxid, code }, reader);
  }

  #takeReply(header: { xid: number; zxid: bigint; code: number }, reader: JuteReader): void {
    // Pings are answered at once, all else in its order.
    const isPing = header.xid === PING_XID;
    const index = this.#pending.findIndex(({ xid }) => (xid === PING_XID) === isPing);
    const [pending] = index < 0 ? [] : this.#pending.splice(index, 1);
    if (pending === undefined) throw new Error(`a reply to nothing, xid ${header.xid}`);
    const { label, write, decode, decodeError } = pending.operation;
    if (pending.xid !== header.xid) {
      const error = new Error(`${label} was sent as ${pending.xid} and answered as ${header.xid}`);
      pending.reject(error);
      throw error;
    }
    let text: Text;
    try {
      text = header.code === 0 ? decode(reader) : (decodeError?.(reader) ?? []);
      reader.end();
    } catch (error) {
      pending.reject(new Error(`the reply to ${label} cannot be read`, { cause: error }));
      throw error;
    }
    const reply: Reply = { kind: "reply", label, write, text, ...header };
    this.received.push(reply);
    pending.operation.replied?.(reply);
    pending.resolve(reply);
  }
}
