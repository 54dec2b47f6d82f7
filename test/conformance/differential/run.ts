/**
 * Runs a program on a server or an ensemble, step by step. A step is over when all that it causes has come: behind what it sends stands a
 * barrier, and behind that one at each other connection, so that their events are there, and their node has seen the step.
 */
import { JuteWriter } from "../../support/jute.ts";
import { Connection } from "./connection.ts";
import { encodeHandshake, encodeRequest, type Known } from "./encode.ts";
import { type Address, type Asked, barrierCode, barrierFrame, framed, type Gate } from "./gate.ts";
import { kindOf } from "./operations.ts";
import type { Program, Request, Step } from "./program.ts";

/** A node of what a program runs on. Node 0 leads, if there are several. */
export type Node = Address & { readonly asked: Asked; readonly gate: Gate };

/** A client's connection, with what it sent and received. */
export type Played = {
  readonly connection: Connection;
  readonly client: number;
  readonly node: Node;
  /** By their xid, those of one xid in their order. */
  readonly sent: Map<number, Sent[]>;
  /** What came in a step that was never over. */
  readonly silent: Set<number>;
  session: { id: bigint; password: Buffer };
};
export type Sent = { readonly request: Request; readonly step: number; readonly index: number };

export type Recording = { readonly base: string; readonly clients: readonly Played[] };

const BARRIER_XID = 0x6000_0000;
/** What is received when the program is over is of no step. */
const AFTER_ALL = -1;
const SILENCE_MS = 15_000;
const EXPIRY_MS = 30_000;
const SHORT_MS = 1;
/** Longer than nodes that follow take to tell their leader of sessions. */
const SETTLING_MS = 1500;
const POLL_MS = 100;
const NO_SESSION = { id: 0n, password: Buffer.alloc(16) };
const REPLY_HEADER_BYTES = 16;

export function isBarrier(xid: number): boolean {
  return xid >= BARRIER_XID;
}

/** `base` is the program's own path, which no other program has. */
export async function run(
  program: Program,
  nodes: readonly Node[],
  base: string,
): Promise<Recording> {
  const stage = new Stage(program, nodes, base);
  for (const [index, step] of program.steps.entries()) await stage.play(step, index);
  await stage.end();
  return { base, clients: [...stage.clients.values()] };
}

class Stage {
  readonly clients = new Map<number, Played>();
  readonly #isLimited: boolean;
  readonly #nodes: readonly Node[];
  readonly #base: string;
  #barriers = BARRIER_XID;

  constructor({ isLimited }: Program, nodes: readonly Node[], base: string) {
    this.#isLimited = isLimited;
    this.#nodes = nodes;
    this.#base = base;
  }

  #node(number: number): Node {
    const node = this.#nodes[number % this.#nodes.length];
    if (node === undefined) throw new Error("there is no node");
    return node;
  }

  async play(step: Step, index: number): Promise<void> {
    for (const { connection } of this.clients.values()) connection.step = index;
    if (step.kind === "open") await this.#open(step, index);
    else {
      const client = this.clients.get(step.client);
      // Steps before it may have been left out, or the server has closed it.
      if (client !== undefined && !client.connection.isClosed) await this.#act(client, step, index);
    }
    await this.#pass(step.client, index);
    // The leader has counted what the step has written.
    if (this.#isLimited && this.#nodes.length > 1) await this.#node(0).gate.pass();
  }

  /** A barrier at each connection but this, which also keeps its session. */
  async #pass(acting: number, index: number): Promise<void> {
    const others = [...this.clients.values()].filter(({ client }) => client !== acting);
    await Promise.all(others.map((each) => this.#barrier(each, Buffer.alloc(0), index)));
  }

  /** The sessions that are still connected are closed. Others expire by themselves. */
  async end(): Promise<void> {
    for (const { connection } of this.clients.values()) connection.step = AFTER_ALL;
    for (const { connection } of this.clients.values()) {
      if (connection.isClosed) continue;
      const count = connection.received.length;
      connection.write(framed(new JuteWriter().int(0).int(-11).bytes()));
      await connection.until(() => connection.received.length > count, SILENCE_MS);
      connection.cut();
    }
  }

  async #act(client: Played, step: Exclude<Step, { kind: "open" }>, index: number): Promise<void> {
    switch (step.kind) {
      case "send":
        await this.#send(client, step.requests, index);
        return;
      case "raw":
        await this.#barrier(client, Buffer.from(step.bytes, "latin1"), index);
        // ZooKeeper may answer the barrier before it closes the connection.
        await this.#barrier(client, Buffer.alloc(0), index);
        return;
      case "cut":
        client.connection.cut();
        return;
      case "expire":
        await this.#expire(client, index);
        return;
      default:
        step satisfies never;
    }
  }

  async #open(
    { client: number, node, handshake }: Extract<Step, { kind: "open" }>,
    index: number,
  ): Promise<void> {
    const asked = handshake.of === undefined ? undefined : this.clients.get(handshake.of);
    const session = asked?.session ?? NO_SESSION;
    const known = { base: this.#base, lastZxid: asked === undefined ? 0n : lastZxidOf(asked) };
    const at = this.#node(node);
    this.#leave(session.id, at);
    // The node has seen what the client has.
    await at.gate.pass();
    const opening = encodeHandshake(handshake, session, known);
    const client = await this.#connect({ client: number, node: at }, opening, index);
    this.clients.set(number, client);
    if (!client.connection.isClosed) await this.#barrier(client, Buffer.alloc(0), index);
  }

  /**
   * A client that takes its session to another node has lost its connection to the one before. When ZooKeeper's node before would learn
   * of it is a matter of chance.
   */
  #leave(sessionId: bigint, node: Node): void {
    if (sessionId === 0n) return;
    for (const client of this.clients.values()) {
      if (client.session.id === sessionId && client.node !== node) client.connection.cut();
    }
  }

  async #connect(
    { client, node }: { readonly client: number; readonly node: Node },
    handshake: Buffer,
    step: number,
  ): Promise<Played> {
    const connection = new Connection(node, step);
    const played = { connection, client, node, sent: new Map(), silent: new Set<number>() };
    connection.write(handshake);
    const hasEnded = await connection.until(() => connection.received.length > 0, SILENCE_MS);
    if (!hasEnded) {
      played.silent.add(step);
      connection.cut();
    }
    const [first] = connection.received;
    const session = first?.kind === "frame" ? grantOf(first.bytes) : NO_SESSION;
    if (session.id === 0n) await connection.until(() => false, SILENCE_MS);
    return { ...played, session };
  }

  async #send(client: Played, requests: readonly Request[], index: number): Promise<void> {
    const known: Known = { base: this.#base, lastZxid: lastZxidOf(client) };
    const frames = requests.map((request, at) => {
      const xid = kindOf(request).xid ?? index * 1000 + at + 1;
      const same = client.sent.get(xid) ?? [];
      client.sent.set(xid, [...same, { request, step: index, index: at }]);
      return encodeRequest(request, xid, known);
    });
    if (requests.at(-1)?.op !== "closeSession") {
      await this.#barrier(client, Buffer.concat(frames), index);
      return;
    }
    client.connection.write(Buffer.concat(frames));
    if (!(await client.connection.until(() => false, SILENCE_MS))) client.silent.add(index);
  }

  /** Waits for the answer to a barrier behind these bytes, or for the end of the connection. */
  async #barrier(client: Played, bytes: Buffer, index: number): Promise<void> {
    const { connection, node } = client;
    if (connection.isClosed) return;
    this.#barriers += 1;
    const xid = this.#barriers;
    connection.write(Buffer.concat([bytes, barrierFrame(node.asked, xid)]));
    let at = connection.received.length;
    let code = barrierCode(node.asked);
    const isThere = (): boolean => {
      for (; at < connection.received.length; at += 1) {
        const entry = connection.received[at];
        if (entry?.kind !== "frame" || entry.bytes.length < REPLY_HEADER_BYTES) continue;
        if (entry.bytes.readInt32BE(0) !== xid) continue;
        code = entry.bytes.readInt32BE(12);
        return true;
      }
      return false;
    };
    let hasEnded = await connection.until(isThere, SILENCE_MS);
    // A session that has moved or ended: the connection is closed behind the answer.
    if (code !== barrierCode(node.asked))
      hasEnded = await connection.until(() => false, SILENCE_MS);
    if (hasEnded) return;
    client.silent.add(index);
    connection.cut();
  }

  /** Attaches the session to the leader with the shortest timeout, breaks the connection and waits until the session's ephemeral is gone. */
  async #expire(client: Played, index: number): Promise<void> {
    const { session, connection } = client;
    const hidden = { client: -1, node: this.#node(0) };
    connection.cut();
    const handshake = new JuteWriter().int(0).long(0n).int(SHORT_MS).long(session.id);
    const resuming = framed(handshake.buffer(session.password).bytes());
    const last = await this.#connect(hidden, resuming, 0);
    if (last.session.id === 0n) return;
    const path = `${this.#base}-${client.client}`;
    const acl = [{ perms: 31, scheme: "world", id: "anyone" }];
    const known = { base: path, lastZxid: 0n };
    const create = { op: "create", path: "^", data: "", acl, flags: 1 };
    await this.#barrier(last, encodeRequest(create, 1, known), 0);
    // A node that follows may still tell the leader that the session has been heard of, with its timeout from before.
    const settledMs = performance.now() + (this.#nodes.length > 1 ? SETTLING_MS : 0);
    while (performance.now() < settledMs) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      await this.#barrier(last, Buffer.alloc(0), 0);
    }
    last.connection.cut();
    const opening = new JuteWriter().int(0).long(0n).int(EXPIRY_MS).long(0n);
    const observer = await this.#connect(hidden, framed(opening.buffer(null).bytes()), 0);
    const untilMs = performance.now() + EXPIRY_MS;
    for (let xid = 1; performance.now() < untilMs; xid += 1) {
      const exists = { op: "exists", path: "^", watch: 0 };
      await this.#barrier(observer, encodeRequest(exists, xid, known), 0);
      if (observer.connection.received.some((entry) => isNoNode(entry, xid))) break;
      await this.#pass(client.client, index);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    observer.connection.write(framed(new JuteWriter().int(0).int(-11).bytes()));
    await observer.connection.until(() => false, SILENCE_MS);
  }
}

function isNoNode(entry: Connection["received"][number], xid: number): boolean {
  return (
    entry.kind === "frame" &&
    entry.bytes.readInt32BE(0) === xid &&
    entry.bytes.length === REPLY_HEADER_BYTES &&
    entry.bytes.readInt32BE(12) === -101
  );
}

/** The session in a handshake's answer. */
function grantOf(bytes: Buffer): Played["session"] {
  if (bytes.length < 36) return NO_SESSION;
  return { id: bytes.readBigInt64BE(8), password: bytes.subarray(20, 36) };
}

/** The last zxid in the header of an answer to a request, as clients count it: pings and events are none. */
function lastZxidOf({ connection }: Played): bigint {
  let last = 0n;
  for (const [index, entry] of connection.received.entries()) {
    if (index === 0 || entry.kind !== "frame" || entry.bytes.length < REPLY_HEADER_BYTES) continue;
    const xid = entry.bytes.readInt32BE(0);
    const zxid = entry.bytes.readBigInt64BE(4);
    if (xid !== -1 && xid !== -2 && zxid > last) last = zxid;
  }
  return last;
}
