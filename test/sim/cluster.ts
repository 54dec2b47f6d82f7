/** An ensemble under virtual time: one thread, one seed, the actors of all its nodes over simulated networks and disks. */
import type { TreeState } from "../../actors/tree/tree.ts";
import { digestOf } from "../../actors/tree/digest.ts";
import type { LogSyncState } from "../../actors/log-sync/state.ts";
import type { Leadership } from "../../actors/log-sync/messages.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { MemoryDisk } from "../../runtime/disks/memory.ts";
import type { InspectionEvent } from "../../runtime/inspection.ts";
import { ActorSystem } from "../../runtime/system.ts";
import { MemoryNetwork } from "../../runtime/transports/memory.ts";
import { SeededRandomness, VirtualClock } from "../../runtime/virtual-clock.ts";
import type { NodeConfig } from "../../server/config/node-config.ts";
import {
  addLogActor,
  addReplicationActors,
  addReplicaActors,
  peerCodec,
} from "../../server/placement.ts";
import { Checker, Violation } from "./checker.ts";
import { simClientActor } from "./client.ts";
import { damageDisk } from "./damage.ts";
import { VirtualDiskPort } from "./disk-port.ts";

export type SimOptions = {
  readonly seed: number;
  readonly nodes: number;
  /** Of one disk operation. */
  readonly diskMs: { readonly min: number; readonly max: number };
  readonly clientsPerNode: number;
  readonly sessionTimeoutMs: number;
};

/** Small, so that a run goes through many. */
const SEGMENT_BYTES: number = 16 * 1024;
const SNAPSHOT_EVERY_BYTES: number = 24 * 1024;

export class SimNode {
  readonly id: ServerId;
  readonly disk: MemoryDisk = new MemoryDisk();
  /** Undefined while it is down. */
  system: ActorSystem | undefined;
  port: VirtualDiskPort | undefined;
  #durable: Zxid = 0 as Zxid;
  starts = 0;
  /** Its disk was damaged, and it has not had its vote since. */
  damaged = false;

  constructor(id: ServerId) {
    this.id = id;
  }

  /**
   * Durable end of its log. While it is down or has not read its log, or has not made good what was damaged: as it was
   * before.
   */
  get durable(): Zxid {
    const state = this.logSync;
    if (state?.recovered !== true) return this.#durable;
    if (state.repair === undefined) this.damaged = false;
    if (!this.damaged || state.durable > this.#durable) this.#durable = state.durable;
    return this.#durable;
  }

  get logSync(): LogSyncState | undefined {
    return this.system?.stateOf("log-sync") as LogSyncState | undefined;
  }

  get tree(): TreeState | undefined {
    return this.system?.stateOf("tree/1") as TreeState | undefined;
  }
}

export class Cluster {
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: SeededRandomness;
  readonly network: MemoryNetwork;
  readonly nodes: readonly SimNode[];
  readonly checker: Checker = new Checker();
  /** The last events, for the report of a failure. */
  readonly trace: string[] = [];
  readonly #options: SimOptions;
  #failure: Error | undefined;

  constructor(options: SimOptions) {
    this.#options = options;
    this.random = new SeededRandomness(options.seed);
    this.network = new MemoryNetwork({ clock: this.clock, random: () => this.random.random() });
    this.nodes = Array.from({ length: options.nodes }, (_, i) => new SimNode((i + 1) as ServerId));
  }

  get quorum(): number {
    return Math.floor(this.nodes.length / 2) + 1;
  }

  start(node: SimNode): void {
    const { clock, random } = this;
    const { diskMs } = this.#options;
    node.starts += 1;
    const port = new VirtualDiskPort(node.disk, clock, () => {
      return diskMs.min + random.random() * (diskMs.max - diskMs.min);
    });
    const system = new ActorSystem({
      node: node.id,
      clock,
      randomness: random,
      codec: peerCodec,
      transport: this.network.join(node.id),
      disk: port,
      route: () => undefined,
      onStopNode: (reason) => this.#fail(new Violation(`node ${node.id} stopped: ${reason}`)),
    });
    node.system = system;
    node.port = port;
    this.#watch(node, system);
    const config = this.#configOf(node.id);
    addReplicationActors(system, config);
    addReplicaActors(system, config, 1);
    addLogActor(system, config, { segmentBytes: SEGMENT_BYTES });
    for (let client = 1; client <= this.#options.clientsPerNode; client += 1) {
      this.#addClient(node, system, client);
    }
  }

  /** As `kill -9`; with `power` also as a power failure: what was not fsynced may be gone. */
  crash(node: SimNode, power: boolean): void {
    this.note(
      node.id,
      `${power ? "power failure" : "killed"}, durable through 0x${node.durable.toString(16)}`,
    );
    node.port?.crash();
    node.system?.stop();
    node.system = undefined;
    this.network.leave(node.id);
    if (power) node.disk.crash(() => this.random.random());
  }

  /** Something that was durable on the node's disk is gone or changed. The node is down. */
  damage(node: SimNode): void {
    const done = damageDisk(node.disk, () => this.random.random());
    if (done === undefined) return;
    this.note(node.id, `damaged: ${done}`);
    node.damaged = true;
  }

  /** Runs the events of the next `ms`. Throws the first violation. */
  run(ms: number): void {
    const untilMs = this.clock.nowMs() + ms;
    while (this.clock.nowMs() < untilMs) {
      this.clock.advance(Math.min(10, untilMs - this.clock.nowMs()));
      if (this.#failure !== undefined) throw this.#failure;
      for (const node of this.nodes) this.#checkDigest(node);
    }
  }

  note(node: number, text: string): void {
    this.trace.push(`${this.clock.nowMs().toFixed(1).padStart(9)}  node ${node}  ${text}`);
    if (this.trace.length > 200) this.trace.shift();
  }

  #watch(node: SimNode, system: ActorSystem): void {
    const guard = (check: () => void): void => {
      try {
        check();
      } catch (error) {
        this.#fail(error as Error);
      }
    };
    system.inspection$.subscribe((event) => this.#inspect(node, event));
    system.topic("log-sync", "leadership$").subscribe((value) => {
      const { role, epoch } = value as Leadership;
      const state = node.logSync;
      if (role === "leading" && state !== undefined) {
        guard(() => this.checker.leads(node.id, state, epoch));
      }
    });
    system.topic("log-sync", "committed$").subscribe((value) => {
      guard(() => {
        for (const record of (value as { records: readonly Uint8Array[] }).records) {
          this.checker.delivers(node.id, record);
        }
      });
    });
  }

  #inspect(node: SimNode, event: InspectionEvent): void {
    if (event.kind === "log") {
      this.note(node.id, `${event.actor} ${event.event} ${JSON.stringify(event.detail)}`);
    } else if (event.kind === "failed") {
      this.note(node.id, `${event.actor} failed on ${event.message}: ${event.error}`);
      this.#fail(new Violation(`node ${node.id}: ${event.actor} failed: ${event.error}`));
    }
  }

  #addClient(node: SimNode, system: ActorSystem, client: number): void {
    system.add(
      simClientActor({
        name: `${node.id}.${node.starts}.${client}`,
        outstanding: 1 + Math.floor(this.random.random() * 5),
        thinkMs: 5 + Math.floor(this.random.random() * 40),
        sessionTimeoutMs: this.#options.sessionTimeoutMs,
        acknowledge: (path, token, zxid) => {
          try {
            const durable = this.nodes.map((each) => each.durable);
            this.checker.acknowledges({ path, token, zxid }, durable, this.quorum);
          } catch (error) {
            this.#fail(error as Error);
          }
        },
      }),
    );
  }

  #checkDigest(node: SimNode): void {
    const { tree } = node;
    if (tree === undefined || this.random.random() > 0.02) return;
    this.checker.digest(node.id, tree.lastApplied, digestOf(tree));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }

  #configOf(id: ServerId): NodeConfig {
    return {
      id,
      members: this.nodes.map((node) => node.id),
      ensemble: "sim",
      natsUrls: [],
      clientPort: 0,
      clientPortAddress: "127.0.0.1",
      dataDir: "/",
      tickTimeMs: 2000,
      initLimit: 10,
      syncLimit: 5,
      minSessionTimeoutMs: 4000,
      maxSessionTimeoutMs: 40_000,
      maxClientConnections: 0,
      fourLetterWords: [],
      lanes: 1,
      snapshotEveryBytes: SNAPSHOT_EVERY_BYTES,
      failoverGraceMs: 2000,
      heartbeatIntervalMs: 100,
      peerTimeoutMs: 2000,
    };
  }
}
