/**
 * NATS in memory, as native clients and their gateways use it: subjects, queue groups, an answer when nobody listens. Messages from one
 * end to another come in order. Nothing is lost but between ends that do not reach each other.
 */
import { NEVER } from "rxjs/internal/observable/never";
import type { Clock, Randomness } from "../clock.ts";
import type { NatsClients, NatsClientsOptions } from "../nats/client-subjects.ts";
import { OrderedPath } from "./ordered-path.ts";

export type SubjectMessage = {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly bytes: Uint8Array;
};

export type SubjectsOptions = {
  /** How long the next message takes. Default: until the thread of its receiver is free. */
  readonly delayMs?: () => number;
  /** What is sent while false, or arrives while false, is lost. Names are those of `join`. Default: always true. */
  readonly reaches?: (from: string, to: string) => boolean;
};

/** A process on the subjects. */
export interface Subscriber {
  /** Called with the reply subject of a message that nobody listens to. */
  onNoResponders(handler: (reply: string) => void): void;
  /**
   * A subject may end with `.*`, which stands for any one token. With a queue each message goes to one of those that subscribed with it.
   * The returned function ends the subscription.
   */
  subscribe(subject: string, take: (message: SubjectMessage) => void, queue?: string): () => void;
  publish(subject: string, bytes: Uint8Array, reply?: string): void;
  /** Nothing comes any more. */
  close(): void;
}

type Member = {
  readonly name: string;
  readonly clock: Clock;
  readonly paths: Map<string, OrderedPath>;
  noResponders: ((reply: string) => void) | undefined;
  left: boolean;
};

type Subscription = {
  readonly member: Member;
  readonly queue: string | undefined;
  readonly take: (message: SubjectMessage) => void;
};

const NOBODY = "";

export class MemorySubjects {
  readonly #randomness: Pick<Randomness, "random">;
  readonly #options: SubjectsOptions;
  readonly #subscriptions = new Map<string, Set<Subscription>>();

  /** `randomness` picks the one of a queue that gets a message. */
  constructor(randomness: Pick<Randomness, "random">, options: SubjectsOptions = {}) {
    this.#randomness = randomness;
    this.#options = options;
  }

  /** What comes to the process is delivered by its clock. */
  join(name: string, clock: Clock): Subscriber {
    const paths = new Map<string, OrderedPath>();
    const member: Member = { name, clock, paths, noResponders: undefined, left: false };
    return {
      onNoResponders: (handler) => {
        member.noResponders = handler;
      },
      subscribe: (subject, take, queue) => this.#subscribe(subject, { member, queue, take }),
      publish: (subject, bytes, reply) => {
        if (!member.left) {
          this.#publish(member, { subject, reply, bytes: new Uint8Array(bytes) });
        }
      },
      close: () => {
        member.left = true;
        for (const [subject, all] of this.#subscriptions) {
          for (const each of all) if (each.member === member) all.delete(each);
          if (all.size === 0) this.#subscriptions.delete(subject);
        }
      },
    };
  }

  #subscribe(subject: string, subscription: Subscription): () => void {
    const all = this.#subscriptions.get(subject) ?? new Set();
    this.#subscriptions.set(subject, all);
    all.add(subscription);
    return () => {
      all.delete(subscription);
      if (all.size === 0) this.#subscriptions.delete(subject);
    };
  }

  #publish(from: Member, message: SubjectMessage): void {
    const { subject, reply } = message;
    const all = [
      ...(this.#subscriptions.get(subject) ?? []),
      ...(this.#subscriptions.get(anyLastToken(subject)) ?? []),
    ];
    if (all.length === 0 && reply !== undefined) {
      this.#carry(NOBODY, from, () => from.noResponders?.(reply));
      return;
    }
    const { reaches = () => true } = this.#options;
    const reached = all.filter(({ member }) => reaches(from.name, member.name));
    for (const subscription of this.#receivers(reached)) {
      const { member, take } = subscription;
      this.#carry(from.name, member, () => {
        if (reaches(from.name, member.name)) take(message);
      });
    }
  }

  /** All that have no queue, and one of each queue. */
  #receivers(all: readonly Subscription[]): readonly Subscription[] {
    const receivers = all.filter(({ queue }) => queue === undefined);
    for (const name of new Set(all.map(({ queue }) => queue))) {
      if (name === undefined) continue;
      const group = all.filter(({ queue }) => queue === name);
      const one = group[Math.floor(this.#randomness.random() * group.length)];
      if (one !== undefined) receivers.push(one);
    }
    return receivers;
  }

  #carry(from: string, to: Member, deliver: () => void): void {
    const { delayMs } = this.#options;
    const arrive = (): void => {
      if (!to.left) deliver();
    };
    if (delayMs === undefined) {
      to.clock.soon(arrive);
      return;
    }
    let path = to.paths.get(from);
    if (path === undefined) {
      path = new OrderedPath(to.clock);
      to.paths.set(from, path);
    }
    path.send(delayMs(), arrive);
  }
}

function anyLastToken(subject: string): string {
  return `${subject.slice(0, subject.lastIndexOf("."))}.*`;
}

/** What `connectNatsClients` is over NATS: how the gateway of a lane hears its clients. */
export function memoryClients(
  subscriber: Subscriber,
  of: Pick<NatsClientsOptions, "sharedSubject" | "laneSubject" | "onMessage">,
): NatsClients {
  const { sharedSubject, laneSubject, onMessage } = of;
  const take = ({ subject, reply, bytes }: SubjectMessage): void => {
    if (reply !== undefined) onMessage({ kind: "clientMessage", subject, reply, bytes });
  };
  let isListening = false;
  let hasLeft = false;
  let leaveShared = (): void => undefined;
  return {
    publish: (subject, bytes) => subscriber.publish(subject, bytes),
    // Nobody hears the change feed.
    offer: () => undefined,
    status$: NEVER,
    listen: () => {
      if (isListening || hasLeft) return;
      isListening = true;
      leaveShared = subscriber.subscribe(sharedSubject, take, sharedSubject);
      subscriber.subscribe(laneSubject, take, laneSubject);
    },
    leave: () => {
      hasLeft = true;
      leaveShared();
    },
    close: () => {
      subscriber.close();
      return Promise.resolve();
    },
  };
}
