/** A client's connections to the servers of `fake-ensemble.ts`. Requests and answers pass at once, or one by one as a test says. */
import type { Address, Channel } from "../../../client/zookeeper/channel.ts";
import type { ChannelEvent } from "../../../client/zookeeper/session/messages.ts";
import { Code } from "../../../protocol/codes.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { JuteReader, JuteWriter } from "../../../protocol/jute.ts";
import { FrameReader } from "../../../protocol/zookeeper/frames.ts";
import {
  type ConnectRequest,
  EXPIRED_RESPONSE,
  readConnectRequest,
  writeConnectResponse,
} from "../../../protocol/zookeeper/handshake.ts";
import {
  writeHeaderReply,
  writeReadReply,
  writeWatchEvent,
  writeWhoAmIReply,
  writeWriteReply,
} from "../../../protocol/zookeeper/replies.ts";
import { readRequest, type Request } from "../../../protocol/zookeeper/requests.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import { type FakeEnsemble, FakeWatches } from "./fake-ensemble.ts";

export type FakeSession = { readonly id: number; readonly password: Uint8Array; expired: boolean };

export class FakeChannel implements Channel {
  readonly ensemble: FakeEnsemble;
  readonly sessions: Map<number, FakeSession> = new Map();
  /** What the client asked for, without pings: on which connection, and what. */
  readonly asked: { readonly connection: number; readonly request: Request }[] = [];
  /** What the client did with connections. */
  readonly dialed: { readonly connection: number; readonly address: Address }[] = [];
  readonly resolved: string[] = [];
  readonly sends: { readonly connection: number; readonly frames: number }[] = [];
  readonly handshakes: ConnectRequest[] = [];
  pings = 0;
  closed = false;
  /** Op codes that the servers do not know. */
  readonly unknownCodes: Set<number> = new Set();
  /** Whether events name their zxid, as they do from ZooKeeper 3.9 on. */
  eventZxids = true;
  addresses: (host: string) => readonly string[] = (host) => [host];
  /** Whether somebody listens at the address. */
  listens: (address: Address) => boolean = () => true;
  /** The server answers nothing. */
  silent = false;
  readOnly = false;
  timeoutMs = 6_000;
  /** False: requests and answers wait for `handleOne` and `deliverOne`. */
  automatic = true;
  #onEvent: (event: ChannelEvent) => void = () => undefined;
  readonly #soon: (run: () => void) => void;
  readonly #writer = new JuteWriter();
  readonly #reader = new JuteReader();
  #connection = 0;
  #frames = new FrameReader();
  #session: FakeSession | undefined;
  #watches: FakeWatches | undefined;
  #isClosing = false;
  readonly #requests: (() => void)[] = [];
  readonly #answers: (() => void)[] = [];

  constructor(ensemble: FakeEnsemble, soon: (run: () => void) => void) {
    this.ensemble = ensemble;
    this.#soon = soon;
  }

  onEvent(handler: (event: ChannelEvent) => void): void {
    this.#onEvent = handler;
  }

  resolve(connection: number, host: string): void {
    this.resolved.push(host);
    const addresses = this.addresses(host);
    this.#soon(() => this.#onEvent({ kind: "resolved", connection, addresses }));
  }

  dial(connection: number, address: Address): void {
    this.dialed.push({ connection, address });
    this.#end();
    this.#connection = connection;
    this.#frames = new FrameReader();
    this.#isClosing = false;
    if (this.silent) return;
    const listens = this.listens(address);
    this.#soon(() => {
      if (listens) this.#onEvent({ kind: "opened", connection });
      else this.#onEvent({ kind: "gone", connection, reason: "refused" });
    });
  }

  send(connection: number, frames: readonly Uint8Array[]): void {
    if (connection !== this.#connection) return;
    this.sends.push({ connection, frames: frames.length });
    for (const each of frames) this.#frames.push(Uint8Array.from(each));
    for (;;) {
      const frame = this.#frames.next(0xf_ffff);
      if (frame === undefined) return;
      if (frame.kind === "badLength") throw new Error("a frame of no length");
      const { bytes, from, to } = frame;
      this.#requests.push(() => this.#handle(connection, this.#reader.reset(bytes, from, to)));
      if (this.automatic) this.handleOne();
    }
  }

  hangUp(connection: number): void {
    if (connection === this.#connection) this.#end();
  }

  close(): Promise<void> {
    this.#end();
    this.closed = true;
    return Promise.resolve();
  }

  /** The server takes the next request of the connection. False: there is none. */
  handleOne(): boolean {
    const next = this.#requests.shift();
    next?.();
    return next !== undefined;
  }

  /** The client receives the next answer or event. False: there is none. */
  deliverOne(): boolean {
    const next = this.#answers.shift();
    next?.();
    return next !== undefined;
  }

  /** The connection ends. What is under way is lost, unless the server has taken it. */
  cut(reason = "cut"): void {
    const connection = this.#connection;
    this.#end();
    this.#onEvent({ kind: "gone", connection, reason });
  }

  /** The session of the client ends while it is not looking. */
  expire(): void {
    for (const session of this.sessions.values()) {
      if (!session.expired) this.ensemble.endSession(session.id);
      session.expired = true;
    }
  }

  #end(): void {
    this.#connection = -1;
    this.#requests.length = 0;
    this.#answers.length = 0;
    if (this.#watches !== undefined) this.ensemble.watches.delete(this.#watches);
    this.#watches = undefined;
  }

  #answer(write: (writer: JuteWriter) => void): void {
    const connection = this.#connection;
    write(this.#writer);
    const bytes = this.#writer.take();
    const isClosing = this.#isClosing;
    const pass = (): void => {
      if (connection !== this.#connection) return;
      this.#onEvent({ kind: "received", connection, bytes });
      if (isClosing && connection === this.#connection) this.cut("closed by the server");
    };
    this.#answers.push(pass);
    if (this.automatic) this.#soon(() => this.deliverOne());
  }

  #handle(connection: number, reader: JuteReader): void {
    if (connection !== this.#connection || this.silent || this.#isClosing) return;
    if (this.#watches === undefined) return this.#greet(readConnectRequest(reader));
    const request = readRequest(reader);
    if (request.kind === "ping") this.pings += 1;
    else this.asked.push({ connection, request });
    this.#serve(request, this.#watches);
  }

  #greet(asked: ReturnType<typeof readConnectRequest>): void {
    if (asked.kind === "malformed") throw new Error(asked.fault);
    this.handshakes.push(asked);
    if (asked.lastZxidSeen > this.ensemble.zxid) return this.cut("it lags behind");
    const known = this.sessions.get(asked.session);
    const isOver = asked.session !== 0 && (known === undefined || known.expired);
    this.#watches = new FakeWatches((event) => {
      const zxid = this.eventZxids ? event.zxid : (-1 as Zxid);
      this.#answer((writer) => writeWatchEvent(writer, { ...event, zxid }));
    });
    if (isOver) {
      this.#isClosing = true;
      return this.#answer((writer) => writeConnectResponse(writer, EXPIRED_RESPONSE, asked));
    }
    const id = known?.id ?? this.sessions.size + 1;
    const session = known ?? { id, password: new Uint8Array(16).fill(id), expired: false };
    this.sessions.set(id, session);
    this.#session = session;
    this.ensemble.watches.add(this.#watches);
    const { timeoutMs, readOnly } = this;
    const response = { timeoutMs, session: id, password: session.password, readOnly };
    this.#answer((writer) => writeConnectResponse(writer, response, asked));
  }

  #serve(request: Request, watches: FakeWatches): void {
    const { ensemble } = this;
    const { zxid } = ensemble;
    switch (request.kind) {
      case "ping":
        return this.#answer((writer) => writeHeaderReply(writer, request.xid, zxid, Code.ok));
      case "auth":
        return this.#answer((writer) => writeHeaderReply(writer, request.xid, ZXID_NONE, Code.ok));
      case "whoAmI":
        if (this.#isUnknown(107, request.xid)) return;
        return this.#answer((writer) => writeWhoAmIReply(writer, request.xid, zxid, []));
      case "read": {
        const { read, xid, opCode } = request;
        if (this.#isUnknown(opCode, xid)) return;
        if (read.kind === "setWatches") ensemble.replay(watches, read.relativeZxid, read);
        if (read.kind === "addWatch") {
          const isOne = read.mode === "persistent";
          watches[isOne ? "persistent" : "recursive"].add(read.path);
          watches[isOne ? "recursive" : "persistent"].delete(read.path);
        }
        if (read.kind === "removeWatches") {
          for (const each of [watches.persistent, watches.recursive]) each.delete(read.path);
        }
        const isQuiet = ["setWatches", "addWatch", "removeWatches"].includes(read.kind);
        const own = { ...read, session: (this.#session?.id ?? 0) as SessionId } as typeof read;
        const result = isQuiet ? ({ kind: "done" } as const) : ensemble.read(own);
        if ("watch" in read && read.watch) {
          const isThere = result.kind !== "error";
          if (read.kind === "getChildren" && isThere) watches.child.add(read.path);
          else if (isThere || read.kind === "exists") watches.data.add(read.path);
        }
        return this.#answer((writer) => writeReadReply(writer, xid, zxid, opCode, result));
      }
      case "write": {
        const { operation, xid, opCode } = request;
        if (this.#isUnknown(opCode, xid)) return;
        if (operation.kind === "closeSession") {
          const { id = 0 } = this.#session ?? {};
          ensemble.endSession(id);
          this.#isClosing = true;
          return this.#answer((writer) => writeHeaderReply(writer, xid, ensemble.zxid, Code.ok));
        }
        if (operation.kind === "sync") {
          return this.#answer((writer) =>
            writeWriteReply(writer, xid, zxid, opCode, operation, { kind: "done" }),
          );
        }
        const result = ensemble.write(operation, this.#session?.id ?? 0);
        return this.#answer((writer) =>
          writeWriteReply(writer, xid, ensemble.zxid, opCode, operation, result),
        );
      }
      case "refused":
        return this.#answer((writer) => writeHeaderReply(writer, request.xid, zxid, request.code));
      default:
        throw new Error(`the fake server takes no ${request.kind}`);
    }
  }

  /** A server that does not know an op code answers so and closes the connection. */
  #isUnknown(opCode: number, xid: number): boolean {
    if (!this.unknownCodes.has(opCode)) return false;
    this.#isClosing = true;
    const { zxid } = this.ensemble;
    this.#answer((writer) => writeHeaderReply(writer, xid, zxid, Code.unimplemented));
    return true;
  }
}
