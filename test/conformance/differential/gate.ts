/**
 * Barriers: what is behind one is answered by a node that has seen all that any node had answered before. A node that follows waits for
 * its leader when it is asked to `sync`; Apache ZooKeeper's leader itself answers a `sync` at once, so it is asked for a write.
 */
import { JuteWriter } from "../../support/jute.ts";
import { Connection } from "./connection.ts";

export type Address = { readonly host: string; readonly port: number };

/** What is asked in a barrier. */
export type Asked = "sync" | "write";

const NOWHERE = "/differential-barrier";
const NO_NODE = -101;
const SILENCE_MS = 30_000;
const SERVING_MS = 5_000;
const TIMEOUT_MS = 20_000;
const REPLY_HEADER_BYTES = 16;
const TRIES = 3;

export function framed(payload: Buffer): Buffer {
  return new JuteWriter().buffer(payload).bytes();
}

export function barrierFrame(asked: Asked, xid: number): Buffer {
  const writer = new JuteWriter().int(xid);
  if (asked === "sync") return framed(writer.int(9).text("/").bytes());
  return framed(writer.int(2).text(NOWHERE).int(-1).bytes());
}

/** The code of its answer, while the session lives. */
export function barrierCode(asked: Asked): number {
  return asked === "sync" ? 0 : NO_NODE;
}

/** A connection of its own to a node, to wait for what that node still has to hear. */
export class Gate {
  readonly #address: Address;
  readonly #asked: Asked;
  #connection: Connection | undefined;
  #turn: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(address: Address, asked: Asked) {
    this.#address = address;
    this.#asked = asked;
  }

  /** Resolves when the node has seen all that any node has answered by now. */
  pass(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    const next = this.#turn.then(() => {
      this.#next = undefined;
      return this.#ask();
    });
    this.#next = next;
    // Who waits for this turn hears of its failure. The next turn tries again.
    this.#turn = next.catch(() => undefined);
    return next;
  }

  close(): void {
    this.#connection?.cut();
  }

  async #ask(): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const connection = await this.#connected();
      connection.write(barrierFrame(this.#asked, 1));
      const isInTime = await connection.until(() => codeOf(connection) !== undefined, SILENCE_MS);
      const code = codeOf(connection);
      connection.received.length = 0;
      if (isInTime && code === barrierCode(this.#asked)) return;
      connection.cut();
    }
    throw new Error(`no answer to a barrier at port ${this.#address.port}`);
  }

  async #connected(): Promise<Connection> {
    const known = this.#connection;
    if (known !== undefined && !known.isClosed) return known;
    const connection = new Connection(this.#address, 0);
    this.#connection = connection;
    connection.write(framed(newSession()));
    await connection.until(() => connection.received.length > 0, SILENCE_MS);
    connection.received.length = 0;
    return connection;
  }
}

/** Whether a node answers a new session's reads, before and after a write: one that has lost its way answers some of it. */
export async function isServing(address: Address): Promise<boolean> {
  const connection = new Connection(address, 0);
  const read = (xid: number): Buffer =>
    framed(new JuteWriter().int(xid).int(6).text(NOWHERE).bytes());
  connection.write(framed(newSession()));
  connection.write(Buffer.concat([read(1), barrierFrame("write", 2), read(3)]));
  const isInTime = await connection.until(() => connection.received.length > 3, SERVING_MS);
  const isThere = isInTime && !connection.isClosed;
  connection.write(framed(new JuteWriter().int(0).int(-11).bytes()));
  await connection.until(() => false, SERVING_MS);
  connection.cut();
  return isThere;
}

function newSession(): Buffer {
  return new JuteWriter().int(0).long(0n).int(TIMEOUT_MS).long(0n).buffer(null).bytes();
}

/** The code of the last answer. */
function codeOf({ received }: Connection): number | undefined {
  const last = received.at(-1);
  if (last?.kind !== "frame" || last.bytes.length < REPLY_HEADER_BYTES) return undefined;
  return last.bytes.readInt32BE(12);
}
