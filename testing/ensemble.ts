/**
 * An ensemble for the unit tests of programs that use `zooid/client`: its nodes are real, and so are the clients; time, network and disks
 * are virtual. No ports, no files, no NATS, and no waiting: a session that expires after ten seconds does so in a millisecond.
 *
 *     await using ensemble = await startTestEnsemble({ nodes: 3 });
 *     const client = await ensemble.connect();
 *     await client.create("/jobs", "none");
 *     await ensemble.kill("leader");
 *     await client.set("/jobs", "one"); // waits for the next leader, in virtual time
 */
import type { Client } from "../client/connect.ts";
import { checkOptions } from "../protocol/arguments.ts";
import { BadArgumentsError } from "../protocol/errors.ts";
import type { InspectionEvent } from "../runtime/inspection.ts";
import { MemorySubjects } from "../runtime/testing/memory-subjects.ts";
import { MemoryNetwork } from "../runtime/testing/memory-transport.ts";
import { SeededRandomness, seedOfStream, VirtualClock } from "../runtime/testing/virtual-clock.ts";
import { configOfSettings, type NodeSettings } from "../server/config/node-settings.ts";
import { ConfigurationError } from "../server/errors.ts";
import type { PlacedConfig } from "../server/threads/choice.ts";
import { ClientUnderTest, ENSEMBLE, type TestConnectOptions } from "./client.ts";
import { StillWaitingError } from "./errors.ts";
import { Groups } from "./groups.ts";
import { NodeUnderTest } from "./node.ts";
import { TestTime } from "./time.ts";

export type { Client, InspectionEvent, NodeSettings, TestConnectOptions };
export { BadArgumentsError, ConfigurationError, StillWaitingError };

/** How large an ensemble under test is, and how its time goes. */
export type TestEnsembleOptions = {
  /** How many nodes, 1 to 9. Default 3. */
  readonly nodes?: number;
  /** Decides every delay and every draw, a whole number from 1 to 4_294_967_295. Default 1. */
  readonly seed?: number;
  /** False: time moves only where the ensemble is asked for it. Default true: it also moves while a call of a client waits. */
  readonly autoAdvance?: boolean;
  /** Settings of all nodes, as `startNode` takes them: `maxSessionTimeoutMs`, `containerCheckIntervalMs`, … */
  readonly settings?: Omit<NodeSettings, "id" | "members" | "ensemble" | "lanes" | "natsUrls">;
  /** Hears what the nodes log, for when a test fails and one wants to know why. */
  readonly onInspection?: (event: InspectionEvent) => void;
};

/** A node: its number, from 1 on, or the one that leads. */
export type NodeName = number | "leader";

/** A node of an ensemble under test, as it is at one moment. */
export type TestNode = {
  /** Its number, from 1 on. */
  readonly id: number;
  /** Whether it has a process, and whether that stands still (`pause`). `down`: it was killed, or has stopped itself. */
  readonly status: "running" | "paused" | "down";
  /** What the node itself believes; one that is cut off may believe that it leads, for a while. */
  readonly role: "looking" | "establishing" | "following" | "leading";
};

const NODES_DEFAULT = 3;
const NODES_MAX = 9;
const SEED_DEFAULT = 1;
const SEED_MAX: number = 2 ** 32 - 1;
/** Streams of random numbers: of the network, of the subjects, of the disks, and of each client from here on. */
const NETWORK_STREAM = 1;
const SUBJECTS_STREAM = 2;
const DISK_STREAM = 3;
const CLIENT_STREAMS = 100_000;
/** In milliseconds of virtual time, as on a local network with good disks. */
const NETWORK_MS = { min: 0.1, max: 0.6 };
const DISK_MS = { min: 0.02, max: 0.3 };
/** For as much virtual time something is waited for that is sure to come. */
const SURE_WITHIN_MS = 120_000;
const UNTIL_WITHIN_MS = 60_000;
const HEARS_WITHIN_MS = 30_000;

/** Resolves when a leader is there and all nodes serve clients. Rejects with BadArgumentsError or ConfigurationError. */
export async function startTestEnsemble(options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
  checkOptions("options", options);
  const { nodes = NODES_DEFAULT, seed = SEED_DEFAULT, settings = {} } = options;
  checkWhole("`nodes`", nodes, NODES_MAX);
  checkWhole("`seed`", seed, SEED_MAX);
  const members = Array.from({ length: nodes }, (_, index) => index + 1);
  const configs = members.map((id) => configOf({ ...settings, id, members }));
  const ensemble = new TestEnsemble(configs, seed, options);
  await ensemble.untilServing();
  return ensemble;
}

/**
 * An ensemble under test, which `startTestEnsemble` starts: real nodes and real clients over virtual time, network and disks. `await using`
 * closes it. Its methods reject with BadArgumentsError for a node or a client that is not there, and all but `close` once it is closed.
 */
export class TestEnsemble implements AsyncDisposable {
  readonly #clock = new VirtualClock();
  readonly #time: TestTime;
  readonly #seed: number;
  readonly #groups = new Groups();
  readonly #subjects: MemorySubjects;
  readonly #nodes: readonly NodeUnderTest[];
  readonly #clients = new Map<Client, ClientUnderTest>();
  /** Also those that have no `Client` yet. */
  readonly #processes: ClientUnderTest[] = [];
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(configs: readonly PlacedConfig[], seed: number, options: TestEnsembleOptions) {
    const { autoAdvance = true, onInspection } = options;
    const time = new TestTime(this.#clock, autoAdvance);
    this.#time = time;
    this.#seed = seed;
    const drawn = (stream: number, { min, max }: typeof NETWORK_MS): (() => number) => {
      const random = new SeededRandomness(seedOfStream(seed, stream));
      return () => min + random.random() * (max - min);
    };
    const delayMs = drawn(NETWORK_STREAM, NETWORK_MS);
    const reaches = (from: string, to: string): boolean => this.#groups.reaches(from, to);
    const network = new MemoryNetwork(this.#clock, {
      delayMs,
      reaches: (from, to) => reaches(nodeName(from), nodeName(to)),
    });
    const picks = new SeededRandomness(seedOfStream(seed, SUBJECTS_STREAM));
    this.#subjects = new MemorySubjects(picks, { delayMs, reaches });
    this.#nodes = configs.map(
      (config) =>
        new NodeUnderTest(config, {
          ...{ clock: this.#clock, network, subjects: this.#subjects, seed },
          diskMs: drawn(DISK_STREAM + config.id, DISK_MS),
          onInspection: onInspection === undefined ? () => undefined : time.telling(onInspection),
        }),
    );
    for (const node of this.#nodes) node.start();
  }

  /** All nodes, by their numbers, as they are now. */
  get nodes(): readonly TestNode[] {
    return this.#nodes.map(({ id, status, leadership }) => ({ id, status, role: leadership.role }));
  }

  /** The number of the node that leads, in the latest epoch. Undefined while none does. */
  get leader(): number | undefined {
    return this.#leading()?.id;
  }

  /** Milliseconds of virtual time since the ensemble was made. */
  get nowMs(): number {
    return this.#time.nowMs;
  }

  /**
   * Opens a session. It is the client of `zooid/client` in all, but for how it reaches the nodes. Rejects as `connect` does. Time moves until
   * it is connected.
   */
  async connect(options: TestConnectOptions = {}): Promise<Client> {
    this.#checkOpen();
    checkOptions("options", options);
    const number = this.#processes.length + 1;
    const process = new ClientUnderTest(`client ${number}`, options, {
      ...{ time: this.#time, clock: this.#clock, subjects: this.#subjects },
      seed: seedOfStream(this.#seed, CLIENT_STREAMS + number),
    });
    this.#processes.push(process);
    const client = await this.#settled(process.connect(options));
    this.#clients.set(client, process);
    return client;
  }

  /**
   * Lets so many milliseconds pass, and runs all that is due in them. Whatever the test waits for goes on at the moment at which it
   * comes.
   */
  async advance(ms: number): Promise<void> {
    this.#checkOpen();
    checkTime("the time to advance by", ms);
    await this.#time.advance(ms);
  }

  /**
   * Lets time pass until the promise has settled, or the function returns something true, and resolves with that. Rejects after `withinMs`
   * of virtual time without it. Default a minute.
   */
  async until<Value>(
    awaited: PromiseLike<Value> | (() => Value),
    withinMs: number = UNTIL_WITHIN_MS,
  ): Promise<Value> {
    this.#checkOpen();
    checkTime("`withinMs`", withinMs);
    if (typeof awaited !== "function") return await this.#settled(awaited, withinMs);
    let value = awaited();
    const isDone = (): boolean => {
      value = awaited();
      return Boolean(value);
    };
    if (await this.#time.until(isDone, withinMs)) return value;
    throw new StillWaitingError(withinMs);
  }

  /**
   * Divides the network: nobody reaches anybody of another group. Nodes in none of them are a further group. A client in none reaches every
   * node. What was sent before is lost if it has not arrived. A partition takes the place of the one before.
   *
   *     await ensemble.partition([1], [2, 3]);
   *     await ensemble.partition(["leader", client]); // from the others
   *     await ensemble.partition([client]);           // the client alone
   */
  async partition(...groups: readonly (readonly (NodeName | Client)[])[]): Promise<void> {
    this.#checkOpen();
    this.#groups.divide(
      groups.map((group) => group.map((each) => this.#nameOf(each))),
      this.#nodes.map(({ name }) => name),
    );
  }

  /** Everybody reaches everybody again. Pauses and kills stay as they are. */
  async heal(): Promise<void> {
    this.#checkOpen();
    this.#groups.heal();
  }

  /** Ends the process of a node, as `kill -9` does. What it had written stays on its disk. */
  async kill(node: NodeName): Promise<void> {
    this.#checkOpen();
    this.#running(node, "killed").kill();
  }

  /** Starts the process of a node again, on its disk; one that runs is killed first. */
  async restart(node: NodeName): Promise<void> {
    this.#checkOpen();
    const found = this.#node(node);
    found.kill();
    found.start();
  }

  /**
   * A node, or the process of a client, stands still for so long: it hears nothing, says nothing, and its timers do not fire. What has become
   * due meanwhile happens when it goes on. As with a process that is stopped, swapped out, or on a machine that is suspended.
   */
  async pause(who: NodeName | Client, ms: number): Promise<void> {
    this.#checkOpen();
    checkTime("the length of a pause", ms);
    if (typeof who === "object") this.#processOf(who).pauses.begin(ms);
    else this.#running(who, "paused").pause(ms);
  }

  /**
   * The client's session expires: it is cut off until the ensemble has ended its session, so its ephemeral znodes go. Then it reaches the nodes
   * again, and hears of it. This takes a little longer than its session timeout, in virtual time.
   */
  async expire(client: Client): Promise<void> {
    this.#checkOpen();
    const process = this.#processOf(client);
    const { session } = process;
    if (session === undefined) throw new BadArgumentsError("the session of this client has ended");
    this.#groups.isolate(process.name);
    try {
      await this.#surely(() => this.#leading()?.hasSession(session) === false);
    } finally {
      this.#groups.rejoin(process.name);
    }
    // A partition of the test's own may keep it from that.
    await this.#time.until(() => process.hasEnded, HEARS_WITHIN_MS);
  }

  /** Ends the sessions of its clients, then the nodes. Promises of calls that still wait are rejected. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The same as `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  async untilServing(): Promise<void> {
    await this.#surely(
      () => this.leader !== undefined && this.#nodes.every(({ serves }) => serves),
    );
  }

  async #close(): Promise<void> {
    const closing = this.#processes.map((process) => {
      process.pauses.end();
      return process.close();
    });
    await this.#settled(Promise.all(closing));
    for (const node of this.#nodes) node.kill();
    this.#time.end();
  }

  async #settled<Value>(
    awaited: PromiseLike<Value>,
    withinMs: number = SURE_WITHIN_MS,
  ): Promise<Value> {
    let hasSettled = false;
    const settle = (): void => {
      hasSettled = true;
    };
    awaited.then(settle, settle);
    if (await this.#time.until(() => hasSettled, withinMs)) return await awaited;
    throw new StillWaitingError(withinMs);
  }

  async #surely(isDone: () => boolean): Promise<void> {
    if (!(await this.#time.until(isDone, SURE_WITHIN_MS)))
      throw new StillWaitingError(SURE_WITHIN_MS);
  }

  #leading(): NodeUnderTest | undefined {
    const leading = this.#nodes.filter(({ leadership }) => leadership.role === "leading");
    const latest = Math.max(...leading.map(({ leadership }) => leadership.epoch));
    return leading.find(({ leadership }) => leadership.epoch === latest);
  }

  #node(name: NodeName): NodeUnderTest {
    const node = name === "leader" ? this.#leading() : this.#nodes[name - 1];
    if (node !== undefined) return node;
    if (name === "leader") throw new BadArgumentsError("no node leads at this moment");
    const last = this.#nodes.length;
    throw new BadArgumentsError(`there is no node ${name}: the nodes are 1 to ${last}`);
  }

  #running(name: NodeName, done: string): NodeUnderTest {
    const node = this.#node(name);
    if (node.status !== "down") return node;
    throw new BadArgumentsError(`node ${node.id} is down, so it cannot be ${done}`);
  }

  #processOf(client: Client): ClientUnderTest {
    const process = this.#clients.get(client);
    if (process !== undefined) return process;
    throw new BadArgumentsError(
      "this is no client of this ensemble: `connect` of the ensemble makes one",
    );
  }

  #nameOf(who: NodeName | Client): string {
    return typeof who === "object" ? this.#processOf(who).name : this.#node(who).name;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new BadArgumentsError("the ensemble is closed");
  }
}

function nodeName(id: number): string {
  return `node ${id}`;
}

function configOf(settings: NodeSettings): PlacedConfig {
  const wanted = { ...settings, ensemble: ENSEMBLE, lanes: 1 };
  const validation = configOfSettings(wanted, "memory");
  if (validation.kind === "invalid") throw new ConfigurationError(validation.problems);
  return { ...validation.config, lanes: 1 };
}

function checkTime(name: string, ms: number): void {
  if (Number.isFinite(ms) && ms >= 0) return;
  throw new BadArgumentsError(`${name} must be a number of milliseconds, not ${String(ms)}`);
}

function checkWhole(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new BadArgumentsError(
    `${name} must be a whole number from 1 to ${most}, not ${String(value)}`,
  );
}
