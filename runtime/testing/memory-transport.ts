/**
 * A network in memory, for tests, the simulator and several nodes in one process. All of its time comes from the clock and
 * all of its chance from `random`, so the same seed gives the same run. Without faults it delivers everything in order.
 */
import { BehaviorSubject, type Observable } from "rxjs";
import type { Clock } from "../clock.ts";
import type { ServerId } from "../effects.ts";
import type { Incoming, Transport, TransportOutcome, TransportStatus } from "../transport.ts";

export type NetworkFaults = {
  /** Part of the messages that is lost, 0 to 1. Default 0. */
  readonly lossRate: number;
  /** Part of the messages that arrives twice, 0 to 1. Default 0. */
  readonly duplicationRate: number;
  /** Each delivery waits for a time in this range, so messages overtake each other. Default 0 to 0: in order. */
  readonly delayMs: { readonly min: number; readonly max: number };
};

export type MemoryNetworkOptions = {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly faults?: Partial<NetworkFaults>;
};

type Member = {
  readonly id: ServerId;
  readonly status: BehaviorSubject<TransportStatus>;
  handler: ((incoming: Incoming) => void) | undefined;
  left: boolean;
};

const NO_FAULTS: NetworkFaults = {
  lossRate: 0,
  duplicationRate: 0,
  delayMs: { min: 0, max: 0 },
};

export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #members = new Map<ServerId, Member>();
  /** `from>to` of every direction that carries nothing. */
  readonly #cuts = new Set<string>();
  readonly #isolated = new Set<ServerId>();
  readonly #listeners = new Map<string, Set<(bytes: Uint8Array) => void>>();
  #faults: NetworkFaults;

  constructor(options: MemoryNetworkOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#faults = { ...NO_FAULTS, ...options.faults };
  }

  get faults(): NetworkFaults {
    return this.#faults;
  }

  /** For messages that are sent from now on. */
  setFaults(faults: Partial<NetworkFaults>): void {
    this.#faults = { ...this.#faults, ...faults };
  }

  /** Nothing that `from` sends reaches `to` any more, also what is under way. The other direction stays. */
  cut(from: ServerId, to: ServerId): void {
    this.#cuts.add(`${from}>${to}`);
  }

  /** Cuts the node off from all others, in both directions, without its noticing. */
  isolate(id: ServerId): void {
    this.#isolated.add(id);
  }

  /** As `isolate`, but the node's `status$` says so. */
  disconnect(id: ServerId): void {
    this.#isolated.add(id);
    this.#members.get(id)?.status.next("disconnected");
  }

  /** Ends every cut, isolation and disconnection. Faults stay as they are. */
  heal(): void {
    this.#cuts.clear();
    this.#isolated.clear();
    for (const member of this.#members.values()) {
      if (member.status.value === "disconnected") member.status.next("connected");
    }
  }

  /** The node has a new process. One that still has this id is gone from now on. */
  join(id: ServerId): Transport {
    this.leave(id);
    const member: Member = {
      id,
      status: new BehaviorSubject<TransportStatus>("connected"),
      handler: undefined,
      left: false,
    };
    this.#members.set(id, member);
    return new MemoryTransport(this, member);
  }

  /** The node's process is gone: requests to it are answered `noResponders`, outcomes of its own never come. */
  leave(id: ServerId): void {
    const member = this.#members.get(id);
    if (member !== undefined) this.remove(member);
  }

  /** Delivers a message that claims to come from `from`, as a stranger can send it on a network without permissions. */
  forge(of: Omit<Incoming, "answer"> & { readonly to: ServerId }): void {
    const { from, to, actor, bytes } = of;
    this.#clock.soon(() => this.#receive(from, to, actor, bytes, undefined));
  }

  /** Listens to what nodes publish to the subject. The returned function ends it. */
  subscribe(subject: string, listener: (bytes: Uint8Array) => void): () => void {
    const listeners = this.#listeners.get(subject) ?? new Set();
    this.#listeners.set(subject, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(subject);
    };
  }

  /** @internal */
  remove(member: Member): void {
    if (member.left) return;
    member.left = true;
    if (this.#members.get(member.id) === member) this.#members.delete(member.id);
    member.status.complete();
  }

  /** @internal */
  send(from: Member, to: ServerId, actor: string, bytes: Uint8Array): void {
    if (from.left) return;
    this.#carry(from.id, to, () => this.#receive(from.id, to, actor, bytes, undefined));
  }

  /** @internal */
  broadcast(from: Member, actor: string, bytes: Uint8Array): void {
    if (from.left) return;
    for (const to of this.#members.keys()) {
      if (to !== from.id) this.send(from, to, actor, bytes);
    }
  }

  /** @internal */
  request(
    from: Member,
    to: ServerId,
    actor: string,
    bytes: Uint8Array,
    timeoutMs: number,
    done: (outcome: TransportOutcome) => void,
  ): void {
    if (from.left) return;
    let open = true;
    const finish = (outcome: TransportOutcome): void => {
      if (!open) return;
      open = false;
      cancel();
      if (!from.left) done(outcome);
    };
    const cancel = this.#clock.after(timeoutMs, () => finish({ kind: "timedOut" }));
    const answer = (answered: Uint8Array): void => {
      const copy = copyOf(answered);
      this.#carry(to, from.id, () => finish({ kind: "answered", bytes: copy }));
    };
    this.#carry(from.id, to, () => {
      if (this.#receive(from.id, to, actor, bytes, once(answer))) return;
      this.#carry(to, from.id, () => finish({ kind: "noResponders" }));
    });
  }

  /** @internal */
  publish(from: Member, subject: string, bytes: Uint8Array): void {
    if (from.left || this.#isolated.has(from.id)) return;
    for (const listener of this.#listeners.get(subject) ?? []) {
      const copy = copyOf(bytes);
      this.#clock.soon(() => listener(copy));
    }
  }

  /** One message with its faults; `deliver` runs as often as it arrives. */
  #carry(from: ServerId, to: ServerId, deliver: () => void): void {
    if (this.#isCut(from, to) || this.#happens(this.#faults.lossRate)) return;
    const copies = this.#happens(this.#faults.duplicationRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.#later(() => {
        if (!this.#isCut(from, to)) deliver();
      });
    }
  }

  #later(run: () => void): void {
    const { min, max } = this.#faults.delayMs;
    if (max <= 0) this.#clock.soon(run);
    else this.#clock.after(min + this.#random() * (max - min), run);
  }

  /** False when nobody listens there. */
  #receive(
    from: ServerId,
    to: ServerId,
    actor: string,
    bytes: Uint8Array,
    answer: Incoming["answer"],
  ): boolean {
    const handler = this.#members.get(to)?.handler;
    if (handler === undefined) return false;
    handler({ from, actor, bytes: copyOf(bytes), answer });
    return true;
  }

  #isCut(from: ServerId, to: ServerId): boolean {
    return this.#cuts.has(`${from}>${to}`) || this.#isolated.has(from) || this.#isolated.has(to);
  }

  /** Draws only when it can matter, so that runs without a fault use no chance. */
  #happens(rate: number): boolean {
    return rate > 0 && this.#random() < rate;
  }
}

class MemoryTransport implements Transport {
  readonly status$: Observable<TransportStatus>;
  readonly #network: MemoryNetwork;
  readonly #member: Member;

  constructor(network: MemoryNetwork, member: Member) {
    this.#network = network;
    this.#member = member;
    this.status$ = member.status.asObservable();
  }

  onReceive(handler: (incoming: Incoming) => void): void {
    this.#member.handler = handler;
  }

  send(to: ServerId, actor: string, bytes: Uint8Array): void {
    this.#network.send(this.#member, to, actor, copyOf(bytes));
  }

  broadcast(actor: string, bytes: Uint8Array): void {
    this.#network.broadcast(this.#member, actor, copyOf(bytes));
  }

  request(
    to: ServerId,
    actor: string,
    bytes: Uint8Array,
    timeoutMs: number,
    done: (outcome: TransportOutcome) => void,
  ): void {
    this.#network.request(this.#member, to, actor, copyOf(bytes), timeoutMs, done);
  }

  publish(subject: string, bytes: Uint8Array): void {
    this.#network.publish(this.#member, subject, bytes);
  }

  close(): Promise<void> {
    this.#network.remove(this.#member);
    return Promise.resolve();
  }
}

function once(answer: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
  let used = false;
  return (bytes) => {
    if (used) return;
    used = true;
    answer(bytes);
  };
}

/** A Buffer's own `slice` would be a view. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
