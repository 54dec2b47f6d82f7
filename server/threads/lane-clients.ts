/** How the clients of one lane reach it: its port for ZooKeeper's clients, and its connection to NATS for native ones. */
import type { ClientMessage, NatsClients } from "../../runtime/nats/client-subjects.ts";
import {
  ConnectionCounts,
  type SharedCounts,
} from "../../runtime/connections/connection-counts.ts";
import { Listener } from "../../runtime/connections/listener.ts";
import { realClock } from "../../runtime/real-clock.ts";
import type { InspectionEvent } from "../../runtime/inspection.ts";
import { memoryClients, type Subscriber } from "../../runtime/testing/memory-subjects.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import type { Publisher } from "../../runtime/transport.ts";
import { CONNECTION_UNSENT_BYTES_MAX } from "../../protocol/limits.ts";
import { gatewaySubject, laneSubject, wordSubjects } from "../../protocol/subjects.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { NatsReport } from "../../actors/admin/messages.ts";
import type { Topic } from "../../actors/topics.ts";
import { addFeedActor, addGatewayActors, addReplicaActors } from "../actors/lane.ts";
import { machine, memoryLimits } from "../memory-limits.ts";
import { natsLog, natsTopic } from "../nats-log.ts";
import { natsOptions } from "../nats-options.ts";
import { whenNatsIsThere } from "../nats-wait.ts";
import { reportLane } from "../process-report.ts";
import { loadTerms, tlsFiles } from "../tls/load-terms.ts";
import { watchFiles } from "../tls/reload.ts";
import type { PlacedConfig } from "./choice.ts";
import { type ClientPorts, doorsOf, takenPorts, tlsTermsOf } from "./client-doors.ts";
import { OwnDoor } from "./own-door.ts";

/** What a lane is given; it can be sent to a thread. */
export type TreeLaneData = {
  readonly config: PlacedConfig;
  /** The connections of all lanes are counted together. */
  readonly counts: SharedCounts;
  readonly lane: number;
  /** For the first lane the ports of the configuration, which may be 0; for the others the ports that the first one got. */
  readonly ports: ClientPorts;
  /** Whether this node serves clients over NATS. */
  readonly nats: boolean;
  /** The name of the door for clients of the process itself. Undefined: this lane has none. */
  readonly ownDoor: string | undefined;
  /** Operations that are not applied. */
  readonly skips: readonly Zxid[];
};

export type LaneSurroundings = {
  /** The system of the lane's actors, once it is there. */
  readonly system: () => ActorSystem;
  /** Tells an actor of the lane what a client has sent. */
  readonly hear: (to: string, message: object) => void;
  readonly onInspection: (event: InspectionEvent) => void;
  /** Aborted when nothing is to be waited for any more. */
  readonly signal: AbortSignal;
  /** In the place of NATS. */
  readonly subscriber?: Subscriber | undefined;
};

/** All lanes hold the same, and one of them publishes it. */
const FEED_LANE = 1;
/** Who asks a four-letter word over NATS gets one answer of a node. */
const WORDS_LANE = 1;

export class LaneClients {
  readonly listener: Listener;
  /** Undefined: native clients are not served. */
  readonly nats: NatsClients | undefined;
  readonly #own: OwnDoor | undefined;
  readonly #data: TreeLaneData;
  readonly #system: () => ActorSystem;
  #stopReports: () => void = () => undefined;
  #stopWatching: () => void = () => undefined;

  private constructor(of: {
    readonly data: TreeLaneData;
    readonly system: () => ActorSystem;
    readonly listener: Listener;
    readonly nats: NatsClients | undefined;
    readonly own: OwnDoor | undefined;
  }) {
    this.#data = of.data;
    this.#system = of.system;
    this.listener = of.listener;
    this.nats = of.nats;
    this.#own = of.own;
  }

  /** Where what the lane's gateways say to native clients goes. Undefined: there can be none. */
  get publisher(): Publisher | undefined {
    return this.#own === undefined ? this.nats : this.#own.publisherBeside(this.nats);
  }

  /** Waits for NATS, if it is used. Clients are heard after `open` only. */
  static async prepare(data: TreeLaneData, surroundings: LaneSurroundings): Promise<LaneClients> {
    const { config, lane } = data;
    const { system, hear } = surroundings;
    const terms = tlsTermsOf(config);
    const nats = await clientsOf(data, surroundings);
    const listener = new Listener({
      doors: doorsOf(config, data.ports, terms),
      unsentBytesMax: CONNECTION_UNSENT_BYTES_MAX,
      counts: new ConnectionCounts(data.counts),
      onMessage: (message) => hear(`zookeeper/${lane}`, message),
    });
    const own = ownDoorOf(data, (message) => hear(`nats/${lane}`, message));
    const clients = new LaneClients({ data, system, listener, nats, own });
    if (terms !== undefined && config.tlsReload) clients.#watchCertificates(surroundings);
    return clients;
  }

  /** Adds the lane's replica and gateways to its system. */
  addActors(): void {
    const { config, lane, skips } = this.#data;
    const system = this.#system();
    const { tree: limits, ringBytesMax, heldBytesMax } = memoryLimits(config, machine());
    addReplicaActors(system, config, lane, { limits, ringBytesMax, skips: new Set(skips) });
    const { nats } = this;
    system.observe(`nats/${lane}`, "serving" satisfies Topic).subscribe(() => {
      nats?.listen();
      this.#own?.listen();
    });
    system.observe(`nats/${lane}`, "retiring" satisfies Topic).subscribe(() => {
      nats?.leave();
      this.listener.turnAway();
    });
    addGatewayActors(system, config, lane, { heldBytesMax });
    if (lane === FEED_LANE)
      addFeedActor(system, config, { isOn: config.changeFeed && nats !== undefined });
  }

  #watchCertificates({ onInspection }: LaneSurroundings): void {
    const { config, lane } = this.#data;
    this.#stopWatching = watchFiles({
      files: tlsFiles(config),
      load: () => loadTerms(config, realClock.wallMs()),
      of: "clients",
      kept: "clients are shown the ones before",
      onRenewed: (terms) => this.listener.renew(terms),
      log: (level, event, detail) => {
        const actor = `zookeeper/${lane}`;
        const atMs = realClock.wallMs();
        onInspection({ kind: "log", atMs, node: config.id, actor, level, event, detail });
      },
    });
  }

  /** Lets clients connect, and reports on the lane. Resolves with the ports. */
  async open(): Promise<ClientPorts> {
    const { lane, ports } = this.#data;
    const system = this.#system();
    const taken = takenPorts(ports, await this.listener.listen());
    this.nats?.status$.subscribe((status) => {
      const report: NatsReport = { kind: "natsReport", connection: lane, status };
      system.tell("admin", report, natsTopic(lane));
    });
    this.#stopReports = reportLane(lane, (report) => system.tell("admin", report));
    return taken;
  }

  async close(): Promise<void> {
    this.#stopReports();
    this.#stopWatching();
    await this.listener.close();
    this.#own?.close();
    await this.nats?.close();
  }
}

function ownDoorOf(
  { config: { ensemble }, ownDoor }: TreeLaneData,
  onMessage: (message: ClientMessage) => void,
): OwnDoor | undefined {
  return ownDoor === undefined ? undefined : new OwnDoor({ name: ownDoor, ensemble, onMessage });
}

/** Undefined: native clients are not served. */
async function clientsOf(
  { config, lane, nats }: TreeLaneData,
  { hear, onInspection, signal, subscriber }: LaneSurroundings,
): Promise<NatsClients | undefined> {
  const { ensemble, id } = config;
  const own = {
    sharedSubject: gatewaySubject(ensemble),
    laneSubject: laneSubject(ensemble, id, lane),
    ...(lane === WORDS_LANE && { alwaysSubjects: wordSubjects(ensemble, id) }),
    onMessage: (message: ClientMessage) => hear(`nats/${lane}`, message),
  };
  if (subscriber !== undefined) return memoryClients(subscriber, own);
  if (!nats) return undefined;
  const log = natsLog(id, onInspection, lane);
  const name = `zooid ${ensemble} ${id} clients ${lane}`;
  const options = { ...natsOptions(config, log), ...own, name, log };
  const { connectNatsClients } = await import("../../runtime/nats/client-subjects.ts");
  return whenNatsIsThere(() => connectNatsClients(options), log, signal);
}
