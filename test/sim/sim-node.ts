/** A node of a run: its disk, which outlives its processes, and, while it is up, its clock and the systems of its threads. */
import type { Inboxes } from "../../actors/inboxes.ts";
import type { NatsGatewayState } from "../../actors/gateway/nats/gateway.ts";
import type { State as GatewayState } from "../../actors/gateway/zookeeper/gateway.ts";
import { OWNER_FILE } from "../../actors/log/format/files.ts";
import type { LogSyncState } from "../../actors/log-sync/state.ts";
import type { TreeState } from "../../actors/tree/tree.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Epoch, Zxid } from "../../protocol/zxid.ts";
import { MemoryDisk } from "../../runtime/testing/memory-disk.ts";
import type { StepPoint } from "../../runtime/system.ts";
import type { NodeGate } from "../../server/peer-gate.ts";
import { threadOf } from "../../server/placement.ts";
import type { NodeLog } from "./checks/invariants.ts";
import type { DiskFaults, FaultyDiskPort } from "./faulty-disk.ts";
import type { Link, LinkPort } from "./links.ts";
import type { NodeClock } from "../../runtime/testing/node-clock.ts";
import type { Range } from "./random.ts";
import type { NodeThreads } from "./threads.ts";

/** Thrown where an actor is to fail, as by a bug of its own. */
class PlantedFailure extends Error {
  override readonly name = "PlantedFailure";

  constructor(text: string) {
    super(text);
    // What is reported of a failure is its stack, which begins with the error's name in some engines only.
    this.stack = `${this.name}: ${text}`;
  }
}

export function isPlanted(error: string): boolean {
  return error.startsWith("PlantedFailure");
}

/** How an actor is to fail, once. */
export type PlannedFailure = {
  readonly at: StepPoint;
  /** Undefined: whatever comes next. */
  readonly over?: (message: object) => boolean;
  /** Calls when such a message has come, also where its step has no effect that could fail. */
  readonly onCame?: () => void;
  readonly onFails?: () => void;
  /** This step is over such a message. */
  isHere?: boolean;
};

/** Timers are told apart by their names. */
export function messageKey(message: object): string {
  if (!("kind" in message)) return "unknown";
  return "timer" in message ? `timer ${String(message.timer)}` : String(message.kind);
}

/** At a point of a step: whether it fails there is in `failing`, by actor. */
export function failIfPlanned(
  failing: Map<string, PlannedFailure>,
  step: { readonly point: StepPoint; readonly actor: string; readonly message: object },
): void {
  const { point, actor, message } = step;
  const planned = failing.get(actor);
  if (planned === undefined) return;
  const key = messageKey(message);
  // What a message is may depend on the state before it.
  if (point === "before") planned.isHere = key !== "start" && (planned.over?.(message) ?? true);
  if (planned.isHere !== true) return;
  if (point === "before") planned.onCame?.();
  if (planned.at !== point) return;
  failing.delete(actor);
  planned.onFails?.();
  throw new PlantedFailure(`${actor} over ${key}, ${point}`);
}

/** `copy`: on a copy of the folder of a member. `rival`: of a second ensemble of the same name. */
export type ProcessKind = "member" | "copy" | "rival";

/** What a folder was at one moment. */
export type FolderCopy = {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly identity: Identity;
  readonly incarnation: number;
  /** The version of the configuration that it used. */
  readonly version: number;
  readonly promised: Epoch;
  readonly durable: Zxid;
};

/** One incarnation of a node. */
export type Incarnation = {
  readonly number: number;
  readonly clock: NodeClock;
  readonly port: FaultyDiskPort;
  readonly threads: NodeThreads;
  readonly links: ReadonlyMap<number, LinkPort>;
  /** Between it and the other nodes. */
  readonly gate: NodeGate;
  /** How far each lane's tree has been compared. */
  readonly cursors: Map<string, number>;
};

export class SimNode {
  readonly id: ServerId;
  readonly kind: ProcessKind;
  readonly log: NodeLog;
  readonly faults: DiskFaults;
  /** Another one when it is replaced by a process with an empty folder. */
  disk: MemoryDisk = new MemoryDisk();
  /** Undefined while it is down. */
  incarnation: Incarnation | undefined;
  starts = 0;
  /** Another node's disk for the next start, which the node must refuse. */
  wrongDisk: MemoryDisk | undefined;
  /** Other members than the ensemble's for the next start, which the node must refuse. */
  wrongMembers: readonly ServerId[] | undefined;
  /** Whether its current incarnation has another node's disk, or other members. */
  hasWrongDisk = false;
  copy: FolderCopy | undefined;
  /** An old copy of its folder was put back: the others may find out, at any time. */
  isOld = false;
  /** A fault of its disk may stop it. */
  mayStop = false;
  /** Actors that are to fail. */
  readonly failing: Map<string, PlannedFailure> = new Map();
  /** The rate of its clock, which stays the same for all incarnations. */
  rate = 1;
  wallOffsetMs = 0;

  constructor(id: ServerId, log: NodeLog, diskMs: Range, kind: ProcessKind = "member") {
    this.id = id;
    this.kind = kind;
    this.log = log;
    this.faults = {
      latencyMs: diskMs,
      syncMs: 0,
      failNext: undefined,
      overwritesFail: false,
      crashAfter: undefined,
      crashOver: "anything",
    };
  }

  get name(): string {
    return this.kind === "member" ? `node ${this.id}` : `${this.kind} of node ${this.id}`;
  }

  /** May be called once. If the folder was emptied meanwhile, nothing contradicts it. */
  takeWrongMembers(): readonly ServerId[] | undefined {
    const { wrongMembers } = this;
    this.wrongMembers = undefined;
    return this.disk.content(OWNER_FILE) === undefined ? undefined : wrongMembers;
  }

  get logSync(): LogSyncState | undefined {
    return this.stateOf("log-sync") as LogSyncState | undefined;
  }

  tree(lane: number): TreeState | undefined {
    return this.stateOf(`tree/${lane}`) as TreeState | undefined;
  }

  gateway(lane: number): GatewayState | undefined {
    return this.stateOf(`zookeeper/${lane}`) as GatewayState | undefined;
  }

  natsGateway(lane: number): NatsGatewayState | undefined {
    return this.stateOf(`nats/${lane}`) as NatsGatewayState | undefined;
  }

  /** The connections of clients to its present process. */
  get openLinks(): readonly Link[] {
    return [...(this.incarnation?.links.values() ?? [])].flatMap((port) => [...port.links]);
  }

  stateOf(actor: string): unknown {
    return this.incarnation?.threads.systems.get(threadOf(actor))?.stateOf(actor);
  }

  tell<To extends keyof Inboxes>(to: To, message: Inboxes[To]): void {
    this.incarnation?.threads.systems.get(threadOf(to))?.tell(to, message);
  }

  /** A client's message comes to an actor of a lane. */
  hear<To extends keyof Inboxes>(to: To, message: Inboxes[To]): void {
    this.incarnation?.threads.hear(to, message);
  }

  /** It leads or follows, and the epoch's barrier is committed. */
  get established(): boolean {
    const role = this.logSync?.role;
    if (role?.kind === "leading") return role.active;
    return role?.kind === "following" && role.established;
  }

  get votes(): boolean {
    const { logSync } = this;
    return (
      logSync?.recovered === true && logSync.founding === undefined && logSync.repair === undefined
    );
  }

  get leads(): boolean {
    return this.logSync?.role.kind === "leading";
  }
}
