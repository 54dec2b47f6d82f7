/**
 * A server of ZooKeeper 3.4.14 for a client's session: what a real one answered to each op code, frame by frame. Numbers of requests and the
 * ids of sessions are put in; all else is as it was recorded. It answers in order, but for an op code that it does not know, which it refuses
 * at once, in front of what came earlier and is not answered any more (UnimplementedRequestProcessor).
 */
import type { Channel } from "../../../client/zookeeper/channel.ts";
import type { ChannelEvent } from "../../../client/zookeeper/session/messages.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";

const HELLO = "0000002500000000000017700100012585db00000000001087081df3081d0f543d58e5b991a8cb0700";
const UNKNOWN = "0000001000000001fffffffffffffffffffffffa";
/** It was not recorded: a header alone, without an error (FinalRequestProcessor). */
const PONG = "0000001000000001000000000000000300000000";
const STAT =
  "00000000000000030000000000000003000001a2280e0e0f000001a2280e0e0f000000000000000000000000000000000000000000000001000000000000000000000003";
const ANSWERS: ReadonlyMap<number, string> = new Map([
  [OpCode.create, "0000001600000001000000000000000300000000000000022f61"],
  [OpCode.ping, PONG],
  [OpCode.exists, `0000005400000002000000000000000300000000${STAT}`],
  [OpCode.getData, `0000005900000001000000000000000c000000000000000178${STAT}`],
  /** The transaction that was recorded makes a container, so that it cannot be read. */
  [OpCode.multi, "00000010000000010000000000000008fffffffb"],
]);

export type Asked = { readonly connection: number; readonly opCode: number };

export class RecordedServer implements Channel {
  /** What was asked, without handshakes and pings. */
  readonly asked: Asked[] = [];
  /** The server closes the connection over a login, as over a wrong password. */
  closesOverLogins = false;
  connections = 0;
  pings = 0;
  #onEvent: (event: ChannelEvent) => void = () => undefined;
  readonly #soon: (run: () => void) => void;
  #connection = -1;
  #greeted = false;

  constructor(soon: (run: () => void) => void) {
    this.#soon = soon;
  }

  onEvent(handler: (event: ChannelEvent) => void): void {
    this.#onEvent = handler;
  }

  resolve(connection: number, host: string): void {
    this.#soon(() => this.#onEvent({ kind: "resolved", connection, addresses: [host] }));
  }

  dial(connection: number): void {
    this.#connection = connection;
    this.#greeted = false;
    this.connections += 1;
    this.#soon(() => this.#onEvent({ kind: "opened", connection }));
  }

  hangUp(connection: number): void {
    if (connection === this.#connection) this.#connection = -1;
  }

  close(): Promise<void> {
    this.#connection = -1;
    return Promise.resolve();
  }

  /** All frames of one write have come before the first is answered. */
  send(connection: number, frames: readonly Uint8Array[]): void {
    if (connection !== this.#connection) return;
    if (!this.#greeted) {
      this.#greeted = true;
      return this.#answer(connection, HELLO);
    }
    const requests = frames.map((frame) => {
      const view = new DataView(frame.buffer, frame.byteOffset);
      return { xid: view.getInt32(4), opCode: view.getInt32(8) };
    });
    for (const { opCode } of requests) {
      if (opCode === OpCode.ping) this.pings += 1;
      else this.asked.push({ connection, opCode });
    }
    const isLogin = requests.some(({ opCode }) => opCode === OpCode.sasl);
    const refused = requests.find(({ opCode }) => !ANSWERS.has(opCode));
    if (isLogin && this.closesOverLogins) return this.#cut(connection);
    if (refused !== undefined) {
      this.#answer(connection, UNKNOWN, refused.xid);
      return this.#cut(connection);
    }
    for (const { xid, opCode } of requests) {
      this.#answer(connection, ANSWERS.get(opCode) ?? UNKNOWN, xid);
    }
  }

  #answer(connection: number, hex: string, xid?: number): void {
    const bytes = Buffer.from(hex, "hex");
    if (xid !== undefined) bytes.writeInt32BE(xid, 4);
    this.#soon(() => {
      if (connection === this.#connection) this.#onEvent({ kind: "received", connection, bytes });
    });
  }

  #cut(connection: number): void {
    this.#soon(() => {
      if (connection !== this.#connection) return;
      this.#connection = -1;
      this.#onEvent({ kind: "gone", connection, reason: "the server has closed the connection" });
    });
  }
}
