/** A node of an ensemble under test: its disk, which outlives its processes, and, while it is up, its clock and its actors. */
import type { SessionId, ServerId } from "../protocol/ids.ts";
import { type Leadership, NO_LEADERSHIP } from "../protocol/replication.ts";
import { gatewaySubject, laneSubject } from "../protocol/subjects.ts";
import type { TreeState } from "../actors/tree/tree.ts";
import type { InspectionEvent } from "../runtime/inspection.ts";
import { ActorSystem } from "../runtime/system.ts";
import { VirtualDiskPort } from "../runtime/testing/disk-port.ts";
import { MemoryDisk } from "../runtime/testing/memory-disk.ts";
import { memoryClients, type MemorySubjects } from "../runtime/testing/memory-subjects.ts";
import type { MemoryNetwork } from "../runtime/testing/memory-transport.ts";
import { NodeClock } from "../runtime/testing/node-clock.ts";
import {
  SeededRandomness,
  seedOfStream,
  type VirtualClock,
} from "../runtime/testing/virtual-clock.ts";
import { addNodeActors } from "../server/node-actors.ts";
import { peerGate } from "../server/placement.ts";
import type { PlacedConfig } from "../server/threads/choice.ts";
import { observe, wireAll } from "../server/wiring.ts";
import { Pauses } from "./pauses.ts";

export type NodeSurroundings = {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly subjects: MemorySubjects;
  readonly diskMs: () => number;
  readonly seed: number;
  readonly onInspection: (event: InspectionEvent) => void;
};

type Process = {
  readonly clock: NodeClock;
  readonly system: ActorSystem;
  readonly pauses: Pauses;
  readonly end: () => void;
  leadership: Leadership;
};

/** Its own randomness, of each of its starts. */
const NODE_STREAMS = 1_000;
const LANE = 1;
/** Small, since nothing is gained by a large one that has to be zeroed at each start. */
const SEGMENT_BYTES: number = 256 * 1024;
/** As long as a process takes to load its modules; what was told to the process before does not fit this one's clock. */
const START_MS = 40;

export class NodeUnderTest {
  readonly id: ServerId;
  readonly name: string;
  readonly #config: PlacedConfig;
  readonly #surroundings: NodeSurroundings;
  readonly #disk = new MemoryDisk();
  #process: Process | undefined;
  #starts = 0;

  constructor(config: PlacedConfig, surroundings: NodeSurroundings) {
    this.id = config.id;
    this.name = `node ${config.id}`;
    this.#config = config;
    this.#surroundings = surroundings;
  }

  get status(): "running" | "paused" | "down" {
    if (this.#process === undefined) return "down";
    return this.#process.clock.paused ? "paused" : "running";
  }

  get leadership(): Leadership {
    return this.#process?.leadership ?? NO_LEADERSHIP;
  }

  /** It leads, or follows a leader: clients are served. */
  get serves(): boolean {
    const { role } = this.leadership;
    return role === "leading" || role === "following";
  }

  hasSession(session: SessionId): boolean {
    const tree = this.#process?.system.stateOf(`tree/${LANE}`) as TreeState | undefined;
    return tree?.sessions.has(session) === true;
  }

  start(): void {
    if (this.#process !== undefined) return;
    this.#starts += 1;
    const { seed, clock: base, onInspection } = this.#surroundings;
    const startMs = START_MS * this.#starts;
    const clock = new NodeClock(base, { rate: 1, wallOffsetMs: 0, startMs });
    const stream = this.id * NODE_STREAMS + this.#starts;
    const randomness = new SeededRandomness(seedOfStream(seed, stream));
    const { system, end } = this.#build(clock, randomness);
    const pauses = new Pauses(clock, base);
    const process: Process = { clock, system, pauses, end, leadership: NO_LEADERSHIP };
    system.inspection$.subscribe(onInspection);
    observe(system, "leadership").subscribe((leadership) => {
      process.leadership = leadership;
    });
    this.#process = process;
  }

  #build(
    clock: NodeClock,
    randomness: SeededRandomness,
  ): { readonly system: ActorSystem; readonly end: () => void } {
    const { network, subjects, diskMs } = this.#surroundings;
    const config = this.#config;
    const gate = peerGate(config, randomness);
    const clients = memoryClients(subjects.join(this.name, clock), {
      sharedSubject: gatewaySubject(config.ensemble),
      laneSubject: laneSubject(config.ensemble, this.id, LANE),
      onMessage: (message) => system.tell(`nats/${LANE}`, message),
    });
    const disk = new VirtualDiskPort(this.#disk, clock, diskMs);
    const system = new ActorSystem({
      node: this.id,
      ...{ clock, randomness, gate, disk },
      transport: network.join(this.id),
      publisher: clients,
      route: () => undefined,
      onStopNode: () => this.kill(),
    });
    wireAll(system, config.lanes);
    observe(system, "serving", LANE).subscribe(() => clients.listen());
    addNodeActors(() => system, {
      ...{ config, gate },
      options: { log: { segmentBytes: SEGMENT_BYTES } },
    });
    const end = (): void => {
      disk.end();
      system.stop();
      clock.end();
      network.leave(this.id);
      void clients.close();
    };
    return { system, end };
  }

  /** As `kill -9`: the disk keeps what was written. */
  kill(): void {
    this.#process?.end();
    this.#process = undefined;
  }

  pause(ms: number): void {
    this.#process?.pauses.begin(ms);
  }
}
