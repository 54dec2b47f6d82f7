/**
 * A network in memory, for tests and for several nodes in one process: it delivers everything, once and in order, but between nodes that
 * do not reach each other.
 */
import type { Observable } from "rxjs";
import { BehaviorSubject } from "rxjs/internal/BehaviorSubject";
import type { Clock } from "../clock.ts";
import type { ServerId } from "../effects.ts";
import { OrderedPath } from "./ordered-path.ts";
import type { Incoming, Transport, TransportOutcome, TransportStatus } from "../transport.ts";

type Member = {
  readonly id: ServerId;
  readonly status: BehaviorSubject<TransportStatus>;
  handler: ((incoming: Incoming) => void) | undefined;
  unheard: ((to: ServerId) => void) | undefined;
  left: boolean;
};

export type MemoryNetworkOptions = {
  /** How long the next message takes. Default: until the thread is free. */
  readonly delayMs?: () => number;
  /** What is sent while false, or arrives while false, is lost. Default: always true. */
  readonly reaches?: (from: ServerId, to: ServerId) => boolean;
};

export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #options: MemoryNetworkOptions;
  readonly #members = new Map<ServerId, Member>();
  readonly #paths = new Map<string, OrderedPath>();

  constructor(clock: Clock, options: MemoryNetworkOptions = {}) {
    this.#clock = clock;
    this.#options = options;
  }

  /** The node has a new process. One that still has this id is gone from now on. */
  join(id: ServerId): Transport {
    this.leave(id);
    const member: Member = {
      id,
      status: new BehaviorSubject<TransportStatus>("connected"),
      handler: undefined,
      unheard: undefined,
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
    this.#carry(from.id, to, () => {
      if (this.#receive(from.id, to, actor, bytes, undefined)) return;
      this.#carry(to, from.id, () => {
        if (!from.left) from.unheard?.(to);
      });
    });
  }

  /** @internal */
  broadcast(from: Member, actor: string, bytes: Uint8Array): void {
    if (from.left) return;
    for (const to of this.#members.keys()) {
      if (to === from.id) continue;
      this.#carry(from.id, to, () => void this.#receive(from.id, to, actor, bytes, undefined));
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

  #carry(from: ServerId, to: ServerId, deliver: () => void): void {
    const { delayMs, reaches = () => true } = this.#options;
    if (!reaches(from, to)) return;
    const arrive = (): void => {
      if (reaches(from, to)) deliver();
    };
    if (delayMs === undefined) {
      this.#clock.soon(arrive);
      return;
    }
    const key = `${from}>${to}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = new OrderedPath(this.#clock);
      this.#paths.set(key, path);
    }
    path.send(delayMs(), arrive);
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

  onUnheard(handler: (to: ServerId) => void): void {
    this.#member.unheard = handler;
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

  /** No client listens on it. */
  publish(): void {}

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
