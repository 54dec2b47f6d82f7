/** Looks on while a cluster runs, changes nothing, and keeps what it has seen, up to a limit. */
import type { Cluster } from "../cluster.ts";
import type { Passage } from "../network.ts";
import { planText } from "../simulate.ts";
import type { SimNode } from "../sim-node.ts";
import { zxidText } from "../stories/words.ts";
import {
  type EventKind,
  MESSAGE_KINDS,
  type NodeMoment,
  type NodeRole,
  type PathFault,
  type PathMoment,
  type RecordedEvent,
  type RecordedMessages,
  type Recording,
} from "./recording.ts";
import { describe, type Described } from "./words.ts";

/** Several times what the longest runs have. */
const MESSAGES_MAX = 200_000;
const EVENTS_MAX = 50_000;
/** The stack of a failure is cut off here. */
const TEXT_LENGTH_MAX = 600;
const PROGRESS_DECISIONS = 500;
const FAULTS_END = "all faults end";

type Message = {
  readonly sentMs: number;
  readonly endMs: number;
  readonly from: number;
  readonly to: number;
  readonly lost: boolean;
  readonly described: Described;
};

const DOWN: NodeMoment = {
  ...{ atMs: 0, role: "down", established: false, votes: false, stopped: false, starts: 0 },
  ...{ epoch: 0, leader: undefined, logEnd: "0", durable: "0", committed: "0" },
  ...{ clients: 0, disk: "" },
};

export class Recorder {
  /** How many decisions of actors were checked. */
  decisions = 0;
  readonly #cluster: Cluster;
  readonly #moments: readonly NodeMoment[][];
  readonly #paths: PathMoment[] = [];
  readonly #messages: Message[] = [];
  readonly #events: RecordedEvent[] = [];
  readonly #described = new WeakMap<Uint8Array, Described>();
  readonly #omitted = { messages: 0, events: 0 };
  #faultsEndMs: number | undefined;
  /** When processes were looked at last. */
  #lookedMs = 0;
  /** The time of what is seen; once a check has failed, of what was seen last before. */
  #nowMs = 0;

  /** `onProgress` is called now and then. */
  constructor(cluster: Cluster, onProgress: (virtualMs: number) => void = () => {}) {
    this.#cluster = cluster;
    this.#moments = cluster.nodes.map(() => [DOWN]);
    cluster.trace.listener = (_line, who, text) => this.#noted(who, text);
    cluster.network.onPassage = (passage) => this.#passed(passage);
    cluster.network.onPaths = () => this.#seePaths();
    cluster.observer.onStep = (node, actor) => {
      if (!this.#takeTime()) return;
      this.decisions += 1;
      if (this.decisions % PROGRESS_DECISIONS === 0) onProgress(this.#nowMs);
      if (actor === "log-sync") this.#look(node, this.#nowMs);
    };
  }

  get hash(): string {
    return this.#cluster.trace.hash;
  }

  /** The violation that has ended the run is its last event. */
  finish(violation?: string): Recording {
    const { plan } = this.#cluster;
    if (this.#takeTime()) this.#seeProcesses();
    const endMs = this.#nowMs;
    if (violation !== undefined) this.#add("violation", "", violation);
    return {
      ...{ seed: plan.seed, plan: planText(plan), nodes: plan.nodes, endMs },
      ...{ faultsEndMs: this.#faultsEndMs, moments: this.#moments, paths: this.#paths },
      ...{ messages: columnsOf(this.#messages), events: this.#events, omitted: this.#omitted },
    };
  }

  /** False: a check has failed. The run goes on a little behind that, which is not looked at. */
  #takeTime(): boolean {
    if (this.#cluster.failed) return false;
    this.#nowMs = this.#cluster.clock.nowMs();
    return true;
  }

  #noted(who: string, text: string): void {
    if (!this.#takeTime()) return;
    this.#seeProcesses();
    if (text === FAULTS_END) this.#faultsEndMs = this.#nowMs;
    const kind: EventKind = who === "" ? "fault" : /\bnode \d/.test(who) ? "node" : "client";
    this.#add(kind, who, text.replace(/^fault: /, ""));
  }

  #add(kind: EventKind, who: string, text: string): void {
    if (this.#events.length >= EVENTS_MAX && kind !== "violation") {
      this.#omitted.events += 1;
      return;
    }
    this.#events.push({ atMs: this.#nowMs, kind, who, text: text.slice(0, TEXT_LENGTH_MAX) });
  }

  #passed(passage: Passage): void {
    // What was under way as a check failed is seen to its end.
    if (this.#takeTime()) this.#seeProcesses();
    else if (passage.sentMs > this.#nowMs) return;
    if (this.#messages.length >= MESSAGES_MAX) {
      this.#omitted.messages += 1;
      return;
    }
    const { from, to, sentMs, fate, what, bytes } = passage;
    // The copies of a message, and what goes to several nodes, are the same bytes.
    let described = what === "unheard" ? undefined : this.#described.get(bytes);
    if (described === undefined) {
      described = describe(passage);
      if (what !== "unheard") this.#described.set(bytes, described);
    }
    const endMs = this.#cluster.clock.nowMs();
    this.#messages.push({ sentMs, endMs, from, to, lost: fate === "lost", described });
  }

  #seePaths(): void {
    if (!this.#takeTime()) return;
    const { nodes, network } = this.#cluster;
    const faults: PathFault[] = [];
    for (const { id: from } of nodes) {
      for (const { id: to } of nodes) {
        const state = from === to ? "open" : network.stateOf(from, to);
        if (state !== "open") faults.push({ from, to, state });
      }
    }
    const atMs = this.#nowMs;
    if (this.#paths.at(-1)?.atMs === atMs) this.#paths.pop();
    this.#paths.push({ atMs, faults });
  }

  /**
   * Processes come, end and stand still between two things that are seen. They come and end just behind the first, which says so, and
   * are stopped just before the second.
   */
  #seeProcesses(): void {
    const nowMs = this.#nowMs;
    for (const [index, node] of this.#cluster.nodes.entries()) {
      const last = this.#moments[index]?.at(-1) ?? DOWN;
      const { incarnation } = node;
      const isUp = incarnation !== undefined;
      const stopped = incarnation?.clock.isStopped === true;
      if (isUp !== (last.role !== "down")) this.#look(node, this.#lookedMs);
      else if (stopped !== last.stopped) this.#look(node, stopped ? nowMs : this.#lookedMs);
      else if (this.#diskOf(node) !== last.disk) this.#look(node, nowMs);
    }
    this.#lookedMs = nowMs;
  }

  #look(node: SimNode, atMs: number): void {
    const moments = this.#moments[node.id - 1];
    const last = moments?.at(-1);
    if (moments === undefined || last === undefined) return;
    const moment = this.#momentOf(node, last, Math.max(atMs, last.atMs));
    if (isSame(moment, last)) return;
    // Within a turn of the loop a node changes several times.
    if (last.atMs === moment.atMs && moments.length > 1) moments.pop();
    moments.push(moment);
  }

  #momentOf(node: SimNode, last: NodeMoment, atMs: number): NodeMoment {
    const { logSync, incarnation, starts } = node;
    const disk = this.#diskOf(node);
    if (incarnation === undefined) {
      const ended = { role: "down", established: false, stopped: false, clients: 0 } as const;
      return { ...last, atMs, ...ended, leader: undefined, disk };
    }
    const stopped = incarnation.clock.isStopped;
    const running = { atMs, stopped, starts, disk, clients: this.#clientsOf(node) };
    if (logSync?.recovered !== true) {
      return { ...last, ...running, role: "starting", established: false, leader: undefined };
    }
    const { role, log, delivery, promises } = logSync;
    return {
      ...running,
      role: role.kind satisfies NodeRole,
      established: node.established,
      votes: node.votes,
      epoch: "epoch" in role ? role.epoch : promises.durable.epoch,
      leader: "leader" in role ? role.leader : undefined,
      logEnd: zxidText(log.index.tail),
      durable: zxidText(log.durable),
      committed: zxidText(delivery.committed),
    };
  }

  #clientsOf(node: SimNode): number {
    let natives = 0;
    for (let lane = 1; lane <= this.#cluster.plan.lanes; lane += 1) {
      natives += node.natsGateway(lane)?.byInbox.size ?? 0;
    }
    return node.openLinks.length + natives;
  }

  #diskOf({ disk, faults }: SimNode): string {
    if (faults.failNext !== undefined) return `its next ${faults.failNext.kind} fails`;
    if (Number.isFinite(disk.capacityBytes)) return "full";
    if (faults.crashAfter !== undefined) return "a crash is near";
    const isSlow = faults.syncMs > 0 || faults.latencyMs !== this.#cluster.plan.diskMs;
    return isSlow ? "slow" : "";
  }
}

function isSame(one: NodeMoment, other: NodeMoment): boolean {
  const keys = Object.keys(one) as (keyof NodeMoment)[];
  return keys.every((key) => key === "atMs" || one[key] === other[key]);
}

function columnsOf(unsorted: readonly Message[]): RecordedMessages {
  const messages = unsorted.toSorted((one, other) => one.sentMs - other.sentMs);
  const numbers = new Map<string, number>();
  const textNumber = ({ described }: Message): number => {
    const known = numbers.get(described.text) ?? numbers.size;
    numbers.set(described.text, known);
    return known;
  };
  return {
    sentMs: Float64Array.from(messages, ({ sentMs }) => sentMs),
    endMs: Float64Array.from(messages, ({ endMs }) => endMs),
    from: Uint8Array.from(messages, ({ from }) => from),
    to: Uint8Array.from(messages, ({ to }) => to),
    kind: Uint8Array.from(messages, ({ described }) => MESSAGE_KINDS.indexOf(described.kind)),
    lost: Uint8Array.from(messages, ({ lost }) => Number(lost)),
    text: Uint32Array.from(messages, textNumber),
    texts: [...numbers.keys()],
  };
}
