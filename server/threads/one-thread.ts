/**
 * A node whose actors all live on the main thread. Nothing is copied or posted between them, and the thread waits for its disk itself,
 * behind the turn of the loop that wrote.
 */
import { assert } from "../../protocol/assert.ts";
import { DiskBehindTurn } from "../../runtime/disks/port.ts";
import { realClock } from "../../runtime/real-clock.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import { openDataFolders, ownerOf } from "../log-folder.ts";
import { MeasuredDisk } from "../measures/measured-disk.ts";
import { addLogActor } from "../actors/log.ts";
import type { ClientPorts } from "./client-doors.ts";
import { LaneClients } from "./lane-clients.ts";
import type { ClientsOptions, MainPart, Threads, ThreadsOptions } from "./threads.ts";

/** The number of the only lane. */
const LANE = 1;

export class OneThread implements Threads {
  readonly #options: ThreadsOptions;
  readonly lanes: readonly [] = [];
  #disk: DiskBehindTurn | undefined;
  #clients: LaneClients | undefined;
  #system: ActorSystem | undefined;
  #ports: ClientPorts | undefined;

  constructor(options: ThreadsOptions) {
    this.#options = options;
  }

  get ports(): ClientPorts | undefined {
    return this.#ports;
  }

  async openFolder(): Promise<void> {
    const { config, inMemory, meter } = this.#options;
    const disk = inMemory.disk ?? openDataFolders(config, ownerOf(config));
    const measured = meter === undefined ? disk : new MeasuredDisk(disk, meter);
    this.#disk = new DiskBehindTurn(measured, realClock);
  }

  async startLanes(options: ClientsOptions): Promise<void> {
    const { config, inMemory, onInspection, signal } = this.#options;
    const data = { ...options, config, lane: LANE, ports: config };
    const system = (): ActorSystem => {
      assert(this.#system !== undefined, "clients are heard once the actors are there");
      return this.#system;
    };
    this.#clients = await LaneClients.prepare(data, {
      ...{ system, onInspection, signal, subscriber: inMemory.clients },
      // Four-letter words come over NATS before there is an actor that answers them, and are lost.
      hear: (to, message) => this.#system?.tell(to, message),
    });
    signal.throwIfAborted();
  }

  mainPart(): MainPart {
    const [disk, clients] = [this.#disk, this.#clients];
    return {
      disk,
      connections: clients?.listener,
      publisher: clients?.publisher,
      route: () => undefined,
    };
  }

  addActors(system: ActorSystem): void {
    this.#system = system;
    addLogActor(system, this.#options.config);
    this.#clients?.addActors();
  }

  async openClients(): Promise<void> {
    this.#ports = await this.#clients?.open();
  }

  async closeLanes(): Promise<void> {
    await this.#clients?.close();
  }

  async closeFolder(): Promise<void> {
    this.#disk?.close();
  }
}
