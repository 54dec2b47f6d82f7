/**
 * NATS as native clients see it: subjects, a queue group of all gateways, an answer when nobody listens. Messages from one
 * end to another come in order; any may be lost, and what is under way to a node whose process ends is.
 */
import { gatewaySubject, inboxSubject, laneSubject } from "../../protocol/subjects.ts";
import type { Clock } from "../../runtime/clock.ts";
import { OrderedPath } from "../../runtime/testing/ordered-path.ts";
import type { Publisher } from "../../runtime/transport.ts";
import type { ToldByProcess } from "./checks/one-server.ts";
import type { Random, Range } from "./random.ts";
import type { SimNode } from "./sim-node.ts";
import type { Trace } from "./trace.ts";

export const ENSEMBLE = "sim";

/** A client's end. `connection`: the number that its inbox ends with. */
export type SubjectClient = {
  readonly name: string;
  readonly onBytes: (
    connection: number,
    bytes: Uint8Array,
    of: { readonly writtenMs: number; readonly toldClients: ToldByProcess },
  ) => void;
  readonly onNoResponders: (connection: number) => void;
  /** The gateway has a session attached for the connection, since this zxid. `takesWrites`: it takes all writes. */
  readonly onAttached: (connection: number, attachedAt: number, takesWrites: boolean) => void;
};

export type SubjectsOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: Trace;
  readonly delayMs: Range;
  readonly lanes: number;
  readonly nodes: readonly SimNode[];
  readonly isCut: (client: string, node: SimNode) => boolean;
};

export type SubjectCounts = { carried: number; lost: number; noResponders: number };

const CLIENT_MESSAGE = 0x32_0000;
const GATEWAY_MESSAGE = 0x33_0000;

export class Subjects {
  /** Part of the messages that is lost. */
  lossRate = 0;
  readonly counts: SubjectCounts = { carried: 0, lost: 0, noResponders: 0 };
  readonly #options: SubjectsOptions;
  readonly #clients: SubjectClient[] = [];
  readonly #paths = new Map<string, OrderedPath>();

  constructor(options: SubjectsOptions) {
    this.#options = options;
  }

  join(client: SubjectClient): void {
    this.#clients.push(client);
  }

  /** A client says something under the number of its connection. */
  say(client: SubjectClient, connection: number, subject: string, bytes: Uint8Array): void {
    const { random, nodes, lanes, trace } = this.#options;
    const up = nodes.filter(({ incarnation }) => incarnation !== undefined);
    const node =
      subject === gatewaySubject(ENSEMBLE)
        ? up[random.below(up.length)]
        : up.find(({ id }) => subject.startsWith(laneSubject(ENSEMBLE, id, 0).slice(0, -1)));
    const incarnation = node?.incarnation;
    if (node === undefined || incarnation === undefined) {
      this.counts.noResponders += 1;
      this.#later(`nobody>${client.name}`, () => client.onNoResponders(connection));
      return;
    }
    const lane =
      subject === gatewaySubject(ENSEMBLE)
        ? random.whole(1, lanes)
        : Number(subject.slice(subject.lastIndexOf(".") + 1));
    const reply = this.#inbox(client, connection);
    this.#carry(client, node, `${client.name}>${node.id}.${lane}`, () => {
      if (node.incarnation !== incarnation) return;
      trace.step(CLIENT_MESSAGE + node.id, bytes);
      node.hear(`nats/${lane}`, { kind: "clientMessage", subject, reply, bytes });
    });
  }

  /** The change feed is not carried: it is checked where it is offered. */
  publisherOf(node: SimNode, toldClients: ToldByProcess): Publisher {
    const publish = (subject: string, bytes: Uint8Array): void => {
      this.#publish({ node, toldClients }, subject, bytes);
    };
    return { publish, offer: () => undefined };
  }

  /** A gateway of a node's process publishes. */
  #publish(
    { node, toldClients }: { readonly node: SimNode; readonly toldClients: ToldByProcess },
    subject: string,
    bytes: Uint8Array,
  ): void {
    const { clock, trace, lanes } = this.#options;
    const dot = subject.lastIndexOf(".");
    const connection = Number(subject.slice(dot + 1));
    const client = this.#clients.find((each) => this.#inbox(each, connection) === subject);
    if (client === undefined) return;
    for (let lane = 1; lane <= lanes; lane += 1) {
      const gateway = node.natsGateway(lane);
      const phase = gateway?.byInbox.get(subject)?.phase;
      if (phase?.kind !== "attached") continue;
      client.onAttached(connection, phase.attachedAt, gateway?.admission === "all");
    }
    const writtenMs = clock.nowMs();
    this.#carry(client, node, `${node.id}>${client.name}`, () => {
      trace.step(GATEWAY_MESSAGE + node.id, bytes);
      client.onBytes(connection, bytes, { writtenMs, toldClients });
    });
  }

  #inbox({ name }: SubjectClient, connection: number): string {
    return inboxSubject(ENSEMBLE, name.replace(" ", ""), connection);
  }

  #carry(client: SubjectClient, node: SimNode, path: string, deliver: () => void): void {
    const { random, isCut } = this.#options;
    if (isCut(client.name, node) || random.chance(this.lossRate)) {
      this.counts.lost += 1;
      return;
    }
    this.counts.carried += 1;
    this.#later(path, () => {
      if (isCut(client.name, node)) this.counts.lost += 1;
      else deliver();
    });
  }

  #later(key: string, deliver: () => void): void {
    const { clock, random, delayMs } = this.#options;
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = new OrderedPath(clock);
      this.#paths.set(key, path);
    }
    path.send(random.between(delayMs), deliver);
  }
}
