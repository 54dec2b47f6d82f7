/** One client's connection through the relay. Bytes pass as they come; their frames are looked at on the way. */
import type { Socket } from "node:net";
import { FrameTap } from "./tap.ts";
import {
  expiredAnswer,
  framed,
  grantedSession,
  type Handshake,
  readHandshake,
  withNothingSeen,
} from "./handshake.ts";
import { Requests, type Written } from "./requests.ts";

export type Route = "source" | "target";

export type ConnectionHooks = {
  /** Opens a connection to a server; undefined: none takes one. */
  readonly dial: (route: Route) => Promise<Socket | undefined>;
  /** A session of the source, which the target does not know. */
  readonly isOfSource: (session: bigint) => boolean;
  readonly granted: (route: Route, session: bigint) => void;
  /** A request was answered. */
  readonly answered: (route: Route, written: Written | undefined) => void;
  /** Requests will have no answer: these znodes may have been written. */
  readonly doubted: (paths: readonly string[]) => void;
  readonly refused: (reason: string) => void;
  readonly ended: (connection: Connection) => void;
};

/** Bytes of a handshake. Those of all clients have fewer. */
const HANDSHAKE_BYTES_MAX = 4_096;
const CLOSE_MS = 1_000;

export class Connection {
  readonly route: Route;
  readonly #client: Socket;
  readonly #hooks: ConnectionHooks;
  readonly #requests = new Requests();
  #server: Socket | undefined;
  #start: Buffer = Buffer.alloc(0);
  #toServer: FrameTap | undefined;
  #fromServer: FrameTap | undefined;
  /** The server has answered the handshake. */
  #isGranted = false;
  /** Pending while nothing of the client is passed on. */
  #gate: PromiseWithResolvers<void> | undefined;
  #isEnded = false;

  constructor(client: Socket, route: Route, hooks: ConnectionHooks) {
    this.#client = client;
    this.route = route;
    this.#hooks = hooks;
    client.on("data", (bytes: Buffer) => void this.#fromClient(bytes));
    client.on("error", () => this.end());
    client.on("close", () => this.end());
    client.on("drain", () => this.#server?.resume());
  }

  /** Requests that were passed on and have no answer, the handshake too. */
  get underWay(): number {
    if (this.#isEnded || this.#server === undefined) return 0;
    return this.#requests.underWay + (this.#isGranted || this.#toServer === undefined ? 0 : 1);
  }

  /** Nothing further of the client is passed on. */
  pause(): void {
    this.#gate ??= Promise.withResolvers();
    this.#client.pause();
  }

  resume(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
    this.#client.resume();
  }

  /** Ends both halves; what the client was answered still gets to it. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#gate?.resolve();
    const left = this.#requests.left();
    if (left.length > 0) this.#hooks.doubted(left);
    this.#server?.destroy();
    this.#client.end();
    // A client that does not read is not waited for.
    const timer = setTimeout(() => this.#client.destroy(), CLOSE_MS);
    timer.unref();
    this.#client.once("close", () => clearTimeout(timer));
    this.#hooks.ended(this);
  }

  async #fromClient(bytes: Buffer): Promise<void> {
    if (this.#isEnded) return;
    if (this.#server !== undefined) {
      this.#pass(this.#server, bytes);
      return;
    }
    this.#start = Buffer.concat([this.#start, bytes]);
    // A four-letter word begins with a letter, a length of a handshake with zero.
    if (this.#start.length < 4) return;
    if (this.#start[0] !== 0) return this.#begin(this.#start, undefined);
    const length = this.#start.readInt32BE();
    if (length > HANDSHAKE_BYTES_MAX) return this.end();
    if (this.#start.length < 4 + length) return;
    const frame = this.#start.subarray(4, 4 + length);
    const handshake = readHandshake(frame);
    if (handshake === undefined) {
      this.#hooks.refused(
        "a client speaks a dialect of ClickHouse Keeper (use_compression, use_xid_64), which the relay does not read",
      );
      return this.end();
    }
    await this.#shake(handshake, frame, this.#start.subarray(4 + length));
  }

  async #shake({ request, session }: Handshake, frame: Buffer, rest: Buffer): Promise<void> {
    const isToTarget = this.route === "target";
    if (isToTarget && session !== 0n && this.#hooks.isOfSource(session)) {
      this.#client.write(expiredAnswer(request));
      this.end();
      return;
    }
    const passed = isToTarget && session === 0n ? withNothingSeen(frame) : frame;
    await this.#begin(Buffer.concat([framed(passed), rest]), rest);
  }

  /** `rest` is what follows the handshake; undefined: there is none, and no frames. */
  async #begin(bytes: Buffer, rest: Buffer | undefined): Promise<void> {
    this.#client.pause();
    const server = await this.#hooks.dial(this.route);
    await this.#gate?.promise;
    if (server === undefined || this.#isEnded) {
      server?.destroy();
      this.end();
      return;
    }
    this.#server = server;
    server.on("data", (answer: Buffer) => this.#answered(answer));
    server.on("error", () => this.end());
    server.on("close", () => this.end());
    server.on("drain", () => this.#flow());
    if (rest !== undefined) this.#watch(rest);
    server.write(bytes);
    this.#flow();
  }

  #watch(rest: Buffer): void {
    this.#toServer = new FrameTap((frame) => this.#requests.asked(frame));
    this.#toServer.take(rest);
    this.#fromServer = new FrameTap((frame) => {
      if (!this.#isGranted) {
        this.#isGranted = true;
        this.#hooks.granted(this.route, grantedSession(frame));
        return;
      }
      const written = this.#requests.replied(frame);
      if (written === undefined) return;
      this.#hooks.answered(this.route, written);
      // Nobody asks what is written to the target.
      if (this.route === "target") this.#toServer = this.#fromServer = undefined;
    });
  }

  #flow(): void {
    if (this.#gate === undefined) this.#client.resume();
  }

  #pass(server: Socket, bytes: Buffer): void {
    if (this.#toServer?.take(bytes) === false) return this.end();
    if (!server.write(bytes)) this.#client.pause();
  }

  #answered(bytes: Buffer): void {
    if (this.#isEnded) return;
    if (!this.#client.write(bytes)) this.#server?.pause();
    if (this.#fromServer?.take(bytes) === false) this.end();
  }
}
