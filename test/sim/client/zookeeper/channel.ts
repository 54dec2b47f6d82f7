/**
 * The channel of a simulated client over ZooKeeper's protocol: what `client/zookeeper/channel.ts` is to a real one, over the simulator's
 * links. Names are resolved or not, servers are there or not, what is sent and received is cut into pieces anywhere. It tells a witness
 * what passes.
 */
import type { Address, Channel } from "../../../../client/zookeeper/channel.ts";
import type { ChannelEvent, Host } from "../../../../client/zookeeper/session/messages.ts";
import type { Link } from "../../links.ts";
import type { Random, Range } from "../../random.ts";
import type { ClientEnvironment } from "../environment.ts";
import type { ZooKeeperWitness } from "./witness.ts";

export type SimTcpOptions = {
  readonly name: string;
  readonly environment: ClientEnvironment;
  readonly random: Random;
  readonly witness: ZooKeeperWitness;
  readonly delayMs: Range;
  /** It stops taking what is sent to it for a while now and then. */
  readonly slowReader: boolean;
};

const PORT = 2181;
/** This name stands for all nodes. */
const ALL = "ensemble";
const ADDRESSES = "10.9.0.";
/** Nobody has it: the name servers tell of one that was taken away. */
const STALE = `${ADDRESSES}255`;

const RESOLVE_MS = 20;
const STALE_RATE = 0.03;
const UNRESOLVED_RATE = 0.03;
/** Nobody says that there is no server there. */
const SILENT_RATE = 0.3;
const SENT_CUT_RATE = 0.05;
const RECEIVED_CUT_RATE = 0.1;
const SLOW_RATE = 0.01;
const SLOW_MS = 1500;

/** One name for all nodes, or one for each. `home`: the only one that the client knows. */
export function hostsOf(nodes: number, home: number | undefined, random: Random): readonly Host[] {
  const hostOf = (node: number): Host => ({ host: `node-${node}`, port: PORT });
  if (home !== undefined) return [hostOf(home)];
  if (random.chance(0.4)) return [{ host: ALL, port: PORT }];
  return Array.from({ length: nodes }, (_, index) => hostOf(index + 1));
}

/** The node that has the address. */
export function nodeAt(address: string): number {
  return Number(address.slice(address.lastIndexOf(".") + 1));
}

export class SimTcpChannel implements Channel {
  readonly #options: SimTcpOptions;
  #onEvent: (event: ChannelEvent) => void = () => undefined;
  /** The number of the connection that was asked for last. */
  #number = 0;
  #link: Link | undefined;
  #isClosed = false;

  constructor(options: SimTcpOptions) {
    this.#options = options;
  }

  get link(): Link | undefined {
    return this.#link;
  }

  onEvent(handler: (event: ChannelEvent) => void): void {
    this.#onEvent = handler;
  }

  /** A name server may answer after the client has given up, as a real one. */
  resolve(connection: number, host: string): void {
    const { random } = this.#options;
    this.#later(random.random() * RESOLVE_MS, () => {
      if (random.chance(UNRESOLVED_RATE)) {
        if (random.chance(SILENT_RATE)) return;
        this.#happen({ kind: "gone", connection, reason: "its name is not known" });
        return;
      }
      const stale = random.chance(STALE_RATE) ? [STALE] : [];
      this.#happen({
        kind: "resolved",
        connection,
        addresses: [...this.#addresses(host), ...stale],
      });
    });
  }

  dial(connection: number, { address }: Address): void {
    const { random, delayMs } = this.#options;
    this.#number = connection;
    this.#later(random.between(delayMs), () => {
      if (this.#number === connection) this.#reach(connection, nodeAt(address));
    });
  }

  send(connection: number, frames: readonly Uint8Array[]): void {
    const link = this.#link;
    if (connection !== this.#number || link === undefined) return;
    this.#options.witness.says(frames);
    for (const piece of this.#pieces(Buffer.concat(frames), SENT_CUT_RATE)) link.send(piece);
  }

  hangUp(connection: number): void {
    if (connection !== this.#number) return;
    this.#link?.leave(false);
    this.#link = undefined;
    this.#number = 0;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.hangUp(this.#number);
    return Promise.resolve();
  }

  /** The connection breaks. `silently`: the server does not hear of it. */
  breakOff(silently: boolean): void {
    const link = this.#link;
    if (link === undefined) return;
    link.leave(silently);
    this.#ended("the connection was reset");
  }

  #addresses(host: string): readonly string[] {
    const { nodes } = this.#options.environment;
    if (host !== ALL) return [`${ADDRESSES}${host.slice("node-".length)}`];
    return Array.from({ length: nodes }, (_, index) => `${ADDRESSES}${index + 1}`);
  }

  #reach(connection: number, node: number): void {
    const { name, environment, random, delayMs, witness } = this.#options;
    const link = environment.dial({
      node,
      client: { name },
      handler: {
        onBytes: (bytes, writtenMs) => {
          environment.guard(() => this.#receive(connection, bytes, writtenMs));
        },
        onEnd: () => {
          environment.guard(() => {
            if (this.#number === connection) this.#ended("the server has closed the connection");
          });
        },
      },
    });
    if (link === undefined) {
      if (random.chance(SILENT_RATE)) return;
      this.#happen({ kind: "gone", connection, reason: "nobody listens there" });
      return;
    }
    this.#link = link;
    witness.dialed(link, node);
    this.#later(random.between(delayMs), () => {
      if (this.#number === connection) this.#happen({ kind: "opened", connection });
    });
  }

  #receive(connection: number, bytes: Uint8Array, writtenMs: number): void {
    const { random, slowReader, witness, environment } = this.#options;
    for (const piece of this.#pieces(bytes, RECEIVED_CUT_RATE)) {
      if (this.#number !== connection) return;
      witness.hears(piece, writtenMs);
      this.#happen({ kind: "received", connection, bytes: piece });
    }
    const link = this.#link;
    if (!slowReader || link === undefined || !random.chance(SLOW_RATE)) return;
    link.setClientReads(false);
    environment.clock.after(random.random() * SLOW_MS, () => link.setClientReads(true));
  }

  #pieces(bytes: Uint8Array, cutRate: number): readonly Uint8Array[] {
    const { random } = this.#options;
    if (!random.chance(cutRate)) return [bytes];
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = random.chance(0.5) ? random.whole(1, 12) : random.whole(1, bytes.length);
      pieces.push(bytes.subarray(at, at + length));
      at += length;
    }
    return pieces;
  }

  #ended(reason: string): void {
    const connection = this.#number;
    this.#link = undefined;
    this.#number = 0;
    this.#happen({ kind: "gone", connection, reason });
  }

  #later(afterMs: number, run: () => void): void {
    const { clock, guard } = this.#options.environment;
    clock.after(afterMs, () => guard(run));
  }

  #happen(event: ChannelEvent): void {
    if (!this.#isClosed) this.#onEvent(event);
  }
}
