/** Whole nodes with their ZooKeeper gateways under virtual time, and one client of one of them. */
import { observe, wireAll } from "../../server/wiring.ts";
import type { zooKeeperGatewayActor } from "../../actors/gateway/zookeeper/gateway.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import { MemoryDisk } from "../../runtime/testing/memory-disk.ts";
import type { Effect } from "../../runtime/effects.ts";
import { ActorSystem } from "../../runtime/system.ts";
import { MemoryNetwork } from "../../runtime/testing/memory-transport.ts";
import { SeededRandomness, VirtualClock } from "../../runtime/testing/virtual-clock.ts";
import type { NodeConfig } from "../../server/config/node-config.ts";
import type { NodeGate } from "../../server/peer-gate.ts";
import { addAdminActor, addChangesActor, addGatewayActors } from "../../server/gateways.ts";
import {
  addLogActor,
  addReplicaActors,
  addReplicationActors,
  peerGate,
} from "../../server/placement.ts";
import { requestFrame } from "../support/gateway-driver.ts";
import { JuteReader } from "../support/jute.ts";
import { connectFrame } from "../support/zk-client.ts";
import { getData, ping } from "../support/zk-operations.ts";
import { VirtualDiskPort } from "./disk-port.ts";

const DISK_MS = 0.2;
const CONNECTION = 1;
/** The delay of one direction between a client and its node. */
const CLIENT_MS = 0.1;

type Node = {
  readonly id: ServerId;
  readonly system: ActorSystem;
  readonly gate: NodeGate;
  leadership: Leadership | undefined;
};

export class GatewayCluster {
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: SeededRandomness;
  readonly network: MemoryNetwork;
  readonly nodes: readonly Node[];
  /** When each session was first known as closed, on any node. */
  readonly closedAtMs: Map<SessionId, number> = new Map();
  readonly #clients = new Map<ServerId, GatewayClient>();

  constructor(seed: number, count: number) {
    this.random = new SeededRandomness(seed);
    this.network = new MemoryNetwork({ clock: this.clock, random: () => this.random.random() });
    const members = Array.from({ length: count }, (_, index) => (index + 1) as ServerId);
    this.nodes = members.map((id) => this.#start(id, members));
  }

  get leader(): Node | undefined {
    return this.nodes.find(({ leadership }) => leadership?.role === "leading");
  }

  /** At most one on a node. */
  connect(node: Node, timeoutMs: number): GatewayClient {
    const client = new GatewayClient(this.clock, node.system, timeoutMs);
    this.#clients.set(node.id, client);
    return client;
  }

  #start(id: ServerId, members: readonly ServerId[]): Node {
    const { clock, random } = this;
    const config = configOf(id, members);
    const gate = peerGate(config, random);
    const system = new ActorSystem({
      node: id,
      clock,
      randomness: random,
      gate,
      transport: this.network.join(id),
      disk: new VirtualDiskPort(new MemoryDisk(), clock, () => DISK_MS),
      connections: { perform: (effect) => this.#clients.get(id)?.take(effect) },
      route: () => undefined,
      onStopNode: (reason) => {
        throw new Error(`node ${id} stopped: ${reason}`);
      },
    });
    const node: Node = { id, system, gate, leadership: undefined };
    wireAll(system, 1);
    observe(system, "leadership").subscribe((value) => {
      node.leadership = value;
    });
    observe(system, "sessions", 1).subscribe(({ closed }) => {
      for (const session of closed) {
        if (!this.closedAtMs.has(session)) this.closedAtMs.set(session, clock.nowMs());
      }
    });
    addReplicationActors(system, config, gate);
    addAdminActor(system, config);
    addChangesActor(system);
    addReplicaActors(system, config, 1);
    addLogActor(system, config, { segmentBytes: 64 * 1024 });
    addGatewayActors(system, config, 1);
    return node;
  }
}

/** Pings as ZooKeeper's clients do, a third of its timeout after it last sent something. */
export class GatewayClient {
  session: SessionId | undefined;
  closed = false;
  /** When the last answer of its node came. */
  lastAnswerMs = 0;
  /** From a ping to its answer, the longest so far. */
  longestWaitMs = 0;
  readonly #clock: VirtualClock;
  readonly #system: ActorSystem;
  readonly #timeoutMs: number;
  readonly #pingsMs: number[] = [];
  #lastSentMs = 0;
  #xid = 1;

  constructor(clock: VirtualClock, system: ActorSystem, timeoutMs: number) {
    this.#clock = clock;
    this.#system = system;
    this.#timeoutMs = timeoutMs;
    this.#tell({ kind: "opened", connection: CONNECTION, remoteAddress: "10.0.0.1:1" });
    this.#send(connectFrame({ port: 0, timeoutMs }));
    this.#tick();
  }

  /** A read, now. */
  read(): void {
    this.#xid += 1;
    this.#send(requestFrame(this.#xid, getData("/")));
  }

  take(effect: Extract<Effect, { readonly connection: number }>): void {
    if (effect.kind === "close") this.closed = true;
    if (effect.kind !== "write") return;
    const bytes = Buffer.from(effect.bytes);
    this.#clock.after(CLIENT_MS, () => this.#hear(bytes));
  }

  #hear(bytes: Buffer): void {
    const nowMs = this.#clock.nowMs();
    this.lastAnswerMs = nowMs;
    let at = 0;
    if (this.session === undefined) {
      const reader = new JuteReader(bytes.subarray(4));
      reader.int();
      reader.int();
      this.session = Number(reader.long()) as SessionId;
      at = 4 + bytes.readInt32BE(0);
    }
    for (; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
      if (bytes.readInt32BE(at + 4) !== -2) continue;
      const sentMs = this.#pingsMs.shift() ?? nowMs;
      this.longestWaitMs = Math.max(this.longestWaitMs, nowMs - sentMs);
    }
  }

  #tick(): void {
    if (this.closed) return;
    const nowMs = this.#clock.nowMs();
    if (this.session !== undefined && nowMs - this.#lastSentMs >= this.#timeoutMs / 3) {
      this.#pingsMs.push(nowMs);
      this.#send(requestFrame(-2, ping()));
    }
    this.#clock.after(5, () => this.#tick());
  }

  #send(bytes: Buffer): void {
    this.#lastSentMs = this.#clock.nowMs();
    this.#clock.after(CLIENT_MS, () => {
      this.#tell({ kind: "bytes", connection: CONNECTION, bytes: new Uint8Array(bytes) });
    });
  }

  #tell(message: Parameters<ReturnType<typeof zooKeeperGatewayActor>["receive"]>[1]): void {
    if (!this.closed) this.#system.tell("zookeeper/1", message);
  }
}

function configOf(id: ServerId, members: readonly ServerId[]): NodeConfig {
  return {
    id,
    members,
    ensemble: "sim",
    natsUrls: [],
    natsCredentialsFile: undefined,
    natsTlsCaFile: undefined,
    natsTlsCertFile: undefined,
    natsTlsKeyFile: undefined,
    peerKeyFile: undefined,
    clientPort: 0,
    clientPortAddress: "127.0.0.1",
    dataDir: "/",
    tickTimeMs: 2000,
    initLimit: 10,
    syncLimit: 5,
    minSessionTimeoutMs: 4000,
    maxSessionTimeoutMs: 40_000,
    maxClientConnections: 0,
    maxConnections: 0,
    maxTreeBytes: 0,
    maxSessions: 0,
    maxWatches: 0,
    maxHeldBytes: 0,
    laneHeapBytes: 0,
    fourLetterWords: [],
    lanes: 1,
    snapshotEveryBytes: 256 * 1024,
    failoverGraceMs: 2000,
    heartbeatIntervalMs: 100,
    peerTimeoutMs: 2000,
    slowStepMs: 0,
    actorMetricsMs: 0,
  };
}
