/**
 * The network between the nodes of a run. Every path, from one node to another, has its own faults: it may be cut, clogged
 * (what was sent arrives when it opens again) or slow; everywhere messages may be lost, repeated and overtaken.
 */
import type { ServerId } from "../../protocol/ids.ts";
import { BehaviorSubject } from "rxjs";
import { decodeFrame } from "../../protocol/peer-frame.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Incoming, Transport, TransportOutcome } from "../../runtime/transport.ts";
import type { Random, Range } from "./random.ts";
import type { Trace } from "./trace.ts";

export type NetworkFaults = {
  readonly lossRate: number;
  readonly duplicationRate: number;
  /** Each delivery takes so long. */
  readonly delayMs: Range;
  /** Part of the messages that takes up to ten times as long. */
  readonly lateRate: number;
};

/** Messages that a path counts: in a run's figures. */
export type NetworkCounts = { delivered: number; lost: number; duplicated: number; late: number };

/** How much later than others a message arrives, in milliseconds: once for each number. */
export type Straggle = (actor: string, bytes: Uint8Array) => readonly number[];

const IN_TIME: readonly number[] = [0];

/** A message as it is sent, and what is to become of it: lost on a cut path, held on a clogged one, heard by nobody where no process is. */
export type Sent = {
  readonly from: ServerId;
  /** The sender is beside the process that has its number by now. */
  readonly isBeside: boolean;
  readonly actor: string;
  readonly bytes: Uint8Array;
  readonly to: readonly { readonly id: ServerId; readonly fate: "arrives" | "held" | "lost" }[];
};

/** A message on one path. `unheard`: what NATS answers where nobody listens, on the way back to the sender. */
export type Carried = {
  readonly from: ServerId;
  readonly to: ServerId;
  readonly what: "message" | "request" | "answer" | "unheard";
  readonly actor: string;
  readonly bytes: Uint8Array;
};

/** The way of one message, or of one copy of it, once it is over. */
export type Passage = Carried & { readonly sentMs: number; readonly fate: "arrived" | "lost" };

/** What a path does to messages. */
export type PathState = "open" | "cut" | "clogged" | "slow";

type Path = {
  cut: boolean;
  /** Until then it stays cut, whatever else heals. */
  cutUntilMs: number;
  /** Defined: clogged. Held until it opens. */
  held: (() => void)[] | undefined;
  slowMs: number;
};

type Member = {
  readonly id: ServerId;
  handler: ((incoming: Incoming) => void) | undefined;
  unheard: ((to: ServerId) => void) | undefined;
  left: boolean;
  /** The group of the process: only processes of one group receive each other's messages. */
  group: number;
  /** Processes that it has heard since `listenAnew`. */
  readonly heard: Set<Member>;
};

/** Where a process is on the network that runs beside the process with the same number. */
export type Place = {
  /** 0: with the processes that have their numbers. */
  readonly setGroup: (group: number) => void;
  readonly end: () => void;
};

function newMember(id: ServerId): Member {
  return { id, handler: undefined, unheard: undefined, left: false, group: 0, heard: new Set() };
}

const PATHS_PER_NODE = 256;
/** Held messages of a clogged path; later ones are lost. */
const HELD_MAX = 5000;
const MESSAGE = 0x10_0000;

export class SimNetwork {
  faults: NetworkFaults = {
    lossRate: 0,
    duplicationRate: 0,
    delayMs: { min: 0.05, max: 2 },
    lateRate: 0,
  };
  straggle: Straggle = () => IN_TIME;
  /** Called with every message that is no request, as it is sent. */
  onSent: ((sent: Sent) => void) | undefined;
  /** Called with every message as it arrives or is lost. */
  onPassage: ((passage: Passage) => void) | undefined;
  /** Called when paths have got other faults, or have healed. */
  onPaths: (() => void) | undefined;
  /** The nodes that may have received something of a stranger. */
  readonly forgedTo: Set<ServerId> = new Set();
  readonly counts: NetworkCounts = { delivered: 0, lost: 0, duplicated: 0, late: 0 };
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #members = new Map<ServerId, Member>();
  readonly #said = new Map<ServerId, Uint8Array>();
  /** Processes beside the one that has their number by now. */
  readonly #beside = new Set<Member>();
  readonly #paths = new Map<number, Path>();

  constructor(of: { readonly clock: Clock; readonly random: Random; readonly trace: Trace }) {
    this.#clock = of.clock;
    this.#random = of.random;
    this.#trace = of.trace;
  }

  /** A new incarnation of the node. */
  join(id: ServerId): Transport {
    this.leave(id);
    this.#said.delete(id);
    const member = newMember(id);
    this.#members.set(id, member);
    return this.#transport(member);
  }

  /** Another process under the number. */
  joinBeside(id: ServerId): { readonly transport: Transport; readonly place: Place } {
    const member = newMember(id);
    this.#beside.add(member);
    return { transport: this.#transport(member), place: this.#placeOf(member) };
  }

  /** Who has heard whom is forgotten. */
  listenAnew(): void {
    for (const { heard } of this.#members.values()) heard.clear();
  }

  /** Each other process that has its number has heard this one since `listenAnew`. */
  isHeardByAll(id: ServerId): boolean {
    const member = this.#members.get(id);
    return (
      member !== undefined &&
      [...this.#members.values()].every((each) => each === member || each.heard.has(member))
    );
  }

  #transport(member: Member): Transport {
    const { id } = member;
    const send = (to: ServerId, actor: string, bytes: Uint8Array): void => {
      const own = new Uint8Array(bytes);
      this.#note(member, own);
      this.#tellSent(member, [to], actor, own);
      for (const moreMs of this.straggle(actor, own)) {
        const arrive = (): void => {
          if (this.#receive(member, to, actor, own, undefined)) return;
          this.#carry({ from: to, to: id, what: "unheard", actor, bytes: own }, () => {
            if (!member.left) member.unheard?.(to);
          });
        };
        this.#carry({ from: id, to, what: "message", actor, bytes: own }, arrive, moreMs);
      }
    };
    return {
      status$: new BehaviorSubject("connected" as const),
      onReceive: (handler) => {
        member.handler = handler;
      },
      onUnheard: (handler) => {
        member.unheard = handler;
      },
      send,
      broadcast: (actor, bytes) => {
        const own = new Uint8Array(bytes);
        this.#note(member, own);
        this.#tellSent(member, this.#listeners(member), actor, own);
        for (const to of this.#listeners(member)) {
          this.#carry({ from: id, to, what: "message", actor, bytes: own }, () => {
            this.#receive(member, to, actor, own, undefined);
          });
        }
      },
      request: (to, actor, bytes, timeoutMs, done) => {
        this.#request(member, {
          from: id,
          to,
          actor,
          bytes: new Uint8Array(bytes),
          timeoutMs,
          done,
        });
      },
      publish: () => {},
      close: () => {
        member.left = true;
        if (this.#members.get(id) === member) this.#members.delete(id);
        this.#beside.delete(member);
        return Promise.resolve();
      },
    };
  }

  /** Returns the last message of the last process that joined under the number, as a listener received it. */
  lastOf(id: ServerId): Uint8Array | undefined {
    return this.#said.get(id);
  }

  /** Returns the nonce of that process. */
  nonceOf(id: ServerId): number | undefined {
    const said = this.#said.get(id);
    const frame = said === undefined ? undefined : decodeFrame(said);
    return frame === undefined || "fault" in frame ? undefined : frame.header.nonce;
  }

  #note(member: Member, bytes: Uint8Array): void {
    if (this.#members.get(member.id) === member) this.#said.set(member.id, bytes);
  }

  #tellSent(member: Member, all: Iterable<ServerId>, actor: string, bytes: Uint8Array): void {
    if (this.onSent === undefined) return;
    const to = [...all].map((id) => ({ id, fate: this.#fateOf(member, id) }));
    this.onSent({ from: member.id, isBeside: this.#beside.has(member), actor, bytes, to });
  }

  #fateOf(member: Member, to: ServerId): Sent["to"][number]["fate"] {
    const path = this.#paths.get(member.id * PATHS_PER_NODE + to);
    const hears = ({ handler, group }: Member): boolean =>
      handler !== undefined && group === member.group;
    if (path?.cut === true || !this.#others(member, to).some(hears)) return "lost";
    return path?.held === undefined ? "arrives" : "held";
  }

  /** Delivers a message that claims to come from `from`, as a stranger can send it on a network without permissions. */
  forge(of: Omit<Incoming, "answer"> & { readonly to: ServerId }): void {
    const { from, to, actor } = of;
    const bytes = new Uint8Array(of.bytes);
    this.#trace.step(MESSAGE + from * PATHS_PER_NODE + to, bytes);
    this.forgedTo.add(to);
    this.#members.get(to)?.handler?.({ from, actor, bytes, answer: undefined });
  }

  /** The process goes on under its number, beside the next one that joins under it. */
  leaveBeside(id: ServerId): Place {
    const member = this.#members.get(id);
    if (member === undefined) throw new Error(`no process has the number ${id}`);
    this.#members.delete(id);
    this.#beside.add(member);
    return this.#placeOf(member);
  }

  #placeOf(member: Member): Place {
    return {
      setGroup: (group) => {
        member.group = group;
      },
      end: () => {
        member.left = true;
        this.#beside.delete(member);
      },
    };
  }

  /** The numbers under which somebody else than this process listens. */
  #listeners(member: Member): Iterable<ServerId> {
    const ids = new Set(this.#members.keys());
    for (const { id } of this.#beside) ids.add(id);
    if (!this.#others(member, member.id).some(() => true)) ids.delete(member.id);
    return ids;
  }

  /** Processes under the number, but for this one. */
  #others(member: Member, id: ServerId): Member[] {
    const first = this.#members.get(id);
    const all = first === undefined ? [] : [first];
    for (const each of this.#beside) if (each.id === id) all.push(each);
    return all.filter((each) => each !== member);
  }

  leave(id: ServerId): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    member.left = true;
    this.#members.delete(id);
  }

  cut(from: ServerId, to: ServerId, forMs: number = 0): void {
    const path = this.#path(from, to);
    path.cut = true;
    path.cutUntilMs = Math.max(path.cutUntilMs, this.#clock.nowMs() + forMs);
    this.onPaths?.();
  }

  mend(from: ServerId, to: ServerId): void {
    this.#paths.delete(from * PATHS_PER_NODE + to);
    this.onPaths?.();
  }

  clog(from: ServerId, to: ServerId): void {
    this.#path(from, to).held ??= [];
    this.onPaths?.();
  }

  slow(from: ServerId, to: ServerId, byMs: number): void {
    this.#path(from, to).slowMs = byMs;
    this.onPaths?.();
  }

  stateOf(from: ServerId, to: ServerId): PathState {
    const path = this.#paths.get(from * PATHS_PER_NODE + to);
    if (path?.cut === true) return "cut";
    if (path?.held !== undefined) return "clogged";
    return path !== undefined && path.slowMs > 0 ? "slow" : "open";
  }

  isCut(from: ServerId, to: ServerId): boolean {
    return this.#paths.get(from * PATHS_PER_NODE + to)?.cut === true;
  }

  /** Heals every path except those that are to stay cut. What a clogged path held arrives now, late. */
  heal(): void {
    const nowMs = this.#clock.nowMs();
    for (const [key, path] of [...this.#paths]) {
      for (const deliver of path.held ?? []) this.#later(deliver, 0);
      if (path.cutUntilMs <= nowMs) this.#paths.delete(key);
      else this.#paths.set(key, { ...path, held: undefined, slowMs: 0 });
    }
    this.onPaths?.();
  }

  healAll(): void {
    for (const path of this.#paths.values()) path.cutUntilMs = 0;
    this.heal();
  }

  #path(from: ServerId, to: ServerId): Path {
    const key = from * PATHS_PER_NODE + to;
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = { cut: false, cutUntilMs: 0, held: undefined, slowMs: 0 };
      this.#paths.set(key, path);
    }
    return path;
  }

  #request(
    member: Member,
    {
      from,
      to,
      actor,
      bytes,
      timeoutMs,
      done,
    }: {
      readonly from: ServerId;
      readonly to: ServerId;
      readonly actor: string;
      readonly bytes: Uint8Array;
      readonly timeoutMs: number;
      readonly done: (outcome: TransportOutcome) => void;
    },
  ): void {
    let open = true;
    const finish = (outcome: TransportOutcome): void => {
      if (!open) return;
      open = false;
      cancel();
      if (!member.left) done(outcome);
    };
    const cancel = this.#clock.after(timeoutMs, () => finish({ kind: "timedOut" }));
    let answers = 0;
    const answer = (answered: Uint8Array): void => {
      answers += 1;
      if (answers > 1) return;
      const copy = new Uint8Array(answered);
      this.#carry({ from: to, to: from, what: "answer", actor, bytes: copy }, () => {
        this.#trace.step(MESSAGE + to * PATHS_PER_NODE + from, copy);
        finish({ kind: "answered", bytes: copy });
      });
    };
    this.#carry({ from, to, what: "request", actor, bytes }, () => {
      if (this.#receive(member, to, actor, bytes, answer)) return;
      this.#carry({ from: to, to: from, what: "unheard", actor, bytes }, () => {
        finish({ kind: "noResponders" });
      });
    });
  }

  /** One message with its faults; `deliver` runs as often as it arrives. */
  #carry(carried: Carried, deliver: () => void, moreMs: number = 0): void {
    const { from, to } = carried;
    const sentMs = this.#clock.nowMs();
    const lose = (): void => {
      this.counts.lost += 1;
      this.onPassage?.({ ...carried, sentMs, fate: "lost" });
    };
    const land = (): void => {
      this.onPassage?.({ ...carried, sentMs, fate: "arrived" });
      deliver();
    };
    const path = this.#paths.get(from * PATHS_PER_NODE + to);
    if (path?.cut === true || this.#random.chance(this.faults.lossRate)) {
      lose();
      return;
    }
    if (path?.held !== undefined) {
      if (path.held.length < HELD_MAX) path.held.push(land);
      return;
    }
    const arrive = (): void => {
      if (this.#paths.size > 0 && this.isCut(from, to)) lose();
      else land();
    };
    this.#later(arrive, (path?.slowMs ?? 0) + moreMs);
    if (!this.#random.chance(this.faults.duplicationRate)) return;
    this.counts.duplicated += 1;
    this.#later(arrive, path?.slowMs ?? 0);
  }

  #later(run: () => void, moreMs: number): void {
    const { delayMs, lateRate } = this.faults;
    let waitMs = moreMs + this.#random.between(delayMs);
    if (this.#random.chance(lateRate)) {
      waitMs *= 1 + this.#random.random() * 9;
      this.counts.late += 1;
    }
    this.#clock.after(waitMs, run);
  }

  /** False when nobody listens there. */
  #receive(
    sender: Member,
    to: ServerId,
    actor: string,
    bytes: Uint8Array,
    answer: Incoming["answer"],
  ): boolean {
    const { id: from } = sender;
    const others = this.#others(sender, to).filter(({ handler }) => handler !== undefined);
    if (others.length === 0) return false;
    for (const other of others) {
      if (other.group !== sender.group) continue;
      other.heard.add(sender);
      this.counts.delivered += 1;
      this.#trace.step(MESSAGE + from * PATHS_PER_NODE + to, bytes);
      if (this.#trace.verbose) this.#trace.note(`${from}>${to}`, `${actor} ${bytes.length} bytes`);
      other.handler?.({ from, actor, bytes, answer });
    }
    return true;
  }
}
