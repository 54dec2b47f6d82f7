/** The threads of a node, as the node starts and stops them. */
import type { Observable } from "rxjs";
import type { StepEvent } from "../../runtime/inspection.ts";
import type { Disk } from "../../runtime/disk.ts";
import type { Subscriber } from "../../runtime/testing/memory-subjects.ts";
import type { ActorSystem, SystemOptions } from "../../runtime/system.ts";
import type { SharedCounts } from "../../runtime/connections/connection-counts.ts";
import type { InspectionEvent } from "../../runtime/inspection.ts";
import type { Letter } from "../../runtime/system.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Meter } from "../measures/meter.ts";
import type { PlacedConfig } from "./choice.ts";
import type { ClientPorts } from "./client-doors.ts";

/** What the main thread's system has beside the actors of replication, and the ways from it to other threads. */
export type MainPart = Pick<SystemOptions, "disk" | "connections" | "publisher" | "route">;

/** What a node has in memory in the place of the machine's own. It is of its process, so one thread does all of the node's work. */
export type InMemory = {
  /** In the place of the data folder. */
  readonly disk?: Disk | undefined;
  /** In the place of NATS, for native clients. */
  readonly clients?: Subscriber | undefined;
};

export type ThreadsOptions = {
  readonly config: PlacedConfig;
  readonly inMemory: InMemory;
  /** Measures the main thread. Undefined: nothing is measured. */
  readonly meter: Meter | undefined;
  /** Letters from other threads to actors of the main thread. */
  readonly onLetters: (letters: readonly Letter[]) => void;
  readonly onInspection: (event: InspectionEvent) => void;
  /** Called when the node must stop: an actor of another thread asked for it, or a thread has died. */
  readonly onStopNode: (reason: string) => void;
  /** Aborted when the node is to stop. */
  readonly signal: AbortSignal;
};

export type ClientsOptions = {
  readonly counts: SharedCounts;
  /** Whether native clients are served. */
  readonly nats: boolean;
  /** The name of the door for clients of the process itself. Undefined: there is none. */
  readonly ownDoor: string | undefined;
  /** Operations that are not applied. */
  readonly skips: readonly Zxid[];
};

export type LaneThread = {
  /** Steps of the actors that live there. */
  readonly steps$: Observable<StepEvent>;
  /** Whether the thread has answered after so many milliseconds. */
  answers(withinMs: number): Promise<boolean>;
};

/** The methods are called in this order; `close…` at any time, also when a start has failed. */
export interface Threads {
  /** Undefined before clients can connect. */
  readonly ports: ClientPorts | undefined;
  /** The node's threads beside its main one. */
  readonly lanes: readonly LaneThread[];
  /** Takes the data folder, which nobody else may have in use. */
  openFolder(): Promise<void>;
  /** Prepares the lanes, and lets clients connect where they have threads of their own. */
  startLanes(options: ClientsOptions): Promise<void>;
  /** What the main thread's system needs. */
  mainPart(): MainPart;
  /** Adds the actors that live on the main thread beside those of replication. */
  addActors(system: ActorSystem): void;
  /** Lets clients connect, if they cannot yet. */
  openClients(): Promise<void>;
  /** Ends the connections of clients. */
  closeLanes(): Promise<void>;
  /** Releases the data folder. */
  closeFolder(): Promise<void>;
}

export type MakeThreads = (options: ThreadsOptions) => Threads;
