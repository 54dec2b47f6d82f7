/** An ensemble and its clients under virtual time: one thread, one seed. Every step of an actor is looked at by the checkers. */
import { observe, wireAll } from "../../server/wiring.ts";
import type { Decision } from "../../runtime/inspection.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { InspectionEvent } from "../../runtime/inspection.ts";
import { ActorSystem, type Link as ThreadWay } from "../../runtime/system.ts";
import { VirtualClock } from "../../runtime/testing/virtual-clock.ts";
import { addNodeActors } from "../../server/node-actors.ts";
import { peerGate } from "../../server/placement.ts";
import { checkInspection, inspectionLine } from "./checks/inspection.ts";
import { Invariants, newNodeLog } from "./checks/invariants.ts";
import { underWayBytes } from "./checks/limits.ts";
import { newToldByProcess, type ToldByProcess } from "./checks/one-server.ts";
import { replicationChecks } from "./checks/replication.ts";
import { checkAnswer, checkSessionSafety, type Ended } from "./checks/session-safety.ts";
import { type Attachment, Truth } from "./checks/truth.ts";
import { must } from "./checks/violation.ts";
import { SimClient } from "./client/client.ts";
import { ShapeCoverage } from "./client/shapes.ts";
import { RING_UNKNOWN } from "./client/watches.ts";
import type { ClientCounts, ClientEnvironment } from "./client/environment.ts";
import { newClientCounts } from "./client/counts.ts";
import { configOf, feedOptionsOf, gatewayOptionsOf, replicaOptionsOf } from "./config.ts";
import type { Coverage } from "./coverage.ts";
import { FaultyDiskPort } from "./faulty-disk.ts";
import { Ghosts, OLDER } from "./ghosts.ts";
import { type NodeReaders, readersOf } from "./node-readers.ts";
import { type Link, type LinkHandler, LinkPort } from "./links.ts";
import { NativeClients } from "./native-clients.ts";
import { ZooKeeperClients } from "./zookeeper-clients.ts";
import type { AnyClient, OwnClient } from "./client/any.ts";
import { SimNetwork } from "./network.ts";
import { NodeClock } from "../../runtime/testing/node-clock.ts";
import { placementOf, type Plan } from "./plan.ts";
import { NodeObserver } from "./observer.ts";
import { Random } from "./random.ts";
import { failIfPlanned, type Incarnation, SimNode } from "./sim-node.ts";
import { NodeThreads, type Thread } from "./threads.ts";
import { stragglers } from "./stragglers.ts";
import type { Trace } from "./trace.ts";
import { server } from "../support/plain-calls.ts";

const NODE_STREAMS = 1000;
const CLIENT_STREAMS = 5000;
const NATIVE_STREAM = 6;
const CLOCK_STREAM = 7;
const STRAGGLERS_STREAM = 8;
const READERS_STREAM = 9;
const ZOOKEEPER_STREAM = 10;

export class Cluster {
  readonly clock: VirtualClock = new VirtualClock();
  readonly plan: Plan;
  readonly trace: Trace;
  readonly network: SimNetwork;
  readonly nodes: readonly SimNode[];
  readonly clients: SimClient[] = [];
  readonly natives: NativeClients;
  readonly zookeepers: ZooKeeperClients;
  readonly truth: Truth;
  readonly invariants: Invariants;
  readonly ghosts: Ghosts;
  readonly readers: NodeReaders | undefined;
  readonly counts: ClientCounts = newClientCounts();
  readonly shapes: ShapeCoverage = new ShapeCoverage();
  /** A node whose disk failed it, or whose crash was armed, has gone down. */
  onDown: (node: SimNode) => void = () => {};
  readonly #environment: Omit<ClientEnvironment, "clock">;
  readonly observer: NodeObserver;
  readonly #random: Random;
  readonly #linkRandom: Random;
  readonly #clockRandom: Random;
  readonly #ended = new Map<number, Ended>();
  #failure: Error | undefined;

  /** Also of links that their client has left, and their node has not: it goes on with what it was sent. */
  readonly #attachments = new WeakMap<Link, Attachment>();

  constructor(plan: Plan, makeTrace: (clock: Clock) => Trace, coverage: Coverage) {
    this.plan = plan;
    this.truth = new Truth(plan.removals);
    this.trace = makeTrace(this.clock);
    const random = new Random(plan.seed);
    this.#random = random;
    this.#linkRandom = random.stream(3);
    this.#clockRandom = random.stream(CLOCK_STREAM);
    const { clock, trace } = this;
    this.network = new SimNetwork({ clock, random: random.stream(2), trace });
    this.network.faults = plan.network;
    this.network.straggle = stragglers(plan, random.stream(STRAGGLERS_STREAM));
    this.truth.onExpired = (session, timeoutMs) => {
      const of = { session, timeoutMs, nowMs: clock.nowMs(), driftMax: plan.driftMax };
      this.counts.outlived += checkSessionSafety(this.everyone, of);
      this.#ended.set(session, { atMs: of.nowMs, timeoutMs });
    };
    const logs = Array.from({ length: plan.nodes }, (_, index) => newNodeLog(index + 1));
    this.invariants = new Invariants(logs, this.truth);
    this.observer = new NodeObserver({
      invariants: this.invariants,
      checks: replicationChecks(logs, this.truth, (node) => this.network.nonceOf(server(node))),
      coverage,
      underWayBytes: underWayBytes(plan),
      onRefusals: (node) => this.#expectRefusals(node),
      onNativeRefusals: (node) => this.#expectNativeRefusals(node),
    });
    this.nodes = logs.map((log) => new SimNode(log.node as ServerId, log, plan.diskMs));
    this.ghosts = new Ghosts(this.nodes, clock);
    this.#environment = {
      trace,
      trueMs: () => clock.nowMs(),
      heard: (holder) => {
        checkAnswer(holder, this.#ended.get(holder.session?.id ?? 0), plan.driftMax);
      },
      truth: this.truth,
      counts: this.counts,
      shapes: this.shapes,
      budget: { left: plan.requestsMax },
      dial: (of) => this.dial(of),
      nodes: plan.nodes,
      guard: (check) => this.guard(check),
    };
    plan.clients.forEach((workload, index) => {
      this.addClient(`client ${index + 1}`, workload);
    });
    this.natives = new NativeClients({
      ...{ plan, clock, nodes: this.nodes, environment: this.#environment },
      makeClock: () => this.#clientClock(),
      random: random.stream(NATIVE_STREAM),
      isCut: (client, node) => this.cutClients.has(clientCut(client, node)),
    });
    this.zookeepers = new ZooKeeperClients({
      ...{ plan, environment: this.#environment },
      makeClock: () => this.#clientClock(),
      random: random.stream(ZOOKEEPER_STREAM),
    });
    this.readers = readersOf(plan, {
      ...{ truth: this.truth, counts: this.natives.counts },
      random: random.stream(READERS_STREAM),
      guard: (check) => this.guard(check),
    });
  }

  get users(): readonly OwnClient[] {
    return [...this.natives.all, ...this.zookeepers.all];
  }

  get everyone(): readonly AnyClient[] {
    return [...this.clients, ...this.users];
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** A second client for a session that another one has. */
  shareSession(of: SimClient): SimClient | undefined {
    const { session, lastZxid } = of;
    if (session === undefined) return undefined;
    const name = `client ${this.clients.length + 1}`;
    return this.addClient(name, of.workload, { session, lastZxid });
  }

  addClient(
    name: string,
    workload: Plan["clients"][number],
    session?: ConstructorParameters<typeof SimClient>[1]["session"],
  ): SimClient {
    const random = this.#random.stream(CLIENT_STREAMS + this.clients.length);
    const environment = { ...this.#environment, clock: this.#clientClock() };
    const client = new SimClient(name, { environment, random, workload, session });
    this.clients.push(client);
    return client;
  }

  #clientClock(): NodeClock {
    const rate = 1 + (this.#clockRandom.random() * 2 - 1) * this.plan.driftMax;
    return new NodeClock(this.clock, { rate, wallOffsetMs: 0, startMs: this.clock.nowMs() });
  }

  /** Runs the events of the next `ms`. Throws the first violation. */
  run(ms: number): void {
    const untilMs = this.clock.nowMs() + ms;
    while (this.clock.nowMs() < untilMs) {
      this.clock.advance(Math.min(5, untilMs - this.clock.nowMs()));
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  /** The first violation ends the run; the actors know nothing of it. */
  guard(check: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      check();
    } catch (error) {
      this.#failure = error as Error;
    }
  }

  note(node: SimNode | undefined, text: string): void {
    if (this.#failure === undefined) this.trace.note(node === undefined ? "" : node.name, text);
  }

  start(node: SimNode): void {
    if (node.incarnation !== undefined) return;
    node.starts += 1;
    const { wrongDisk } = node;
    const wrongMembers = node.takeWrongMembers();
    node.wrongDisk = undefined;
    const random = this.#random.stream(NODE_STREAMS * node.log.node + node.starts);
    const { rate, wallOffsetMs } = node;
    // As long as a process takes to load its modules.
    const clock = new NodeClock(this.clock, { rate, wallOffsetMs, startMs: 40 * node.starts });
    let incarnationOfPort: Incarnation | undefined;
    const port = new FaultyDiskPort({
      node: node.id,
      disk: wrongDisk ?? node.disk,
      faults: node.faults,
      clock,
      waitsBy: placementOf(this.plan) === "oneThread" ? this.clock : undefined,
      random,
      trace: this.trace,
      onFailure: (operation, code) => {
        // A file that is not there is an answer, not a fault.
        if (code === "ENOENT") return;
        node.mayStop = true;
        this.note(node, `disk: ${operation.kind} fails: ${code}`);
      },
      onCrash: (operation) => {
        if (incarnationOfPort !== undefined && this.ghosts.has(incarnationOfPort)) {
          this.ghosts.end(incarnationOfPort);
          return;
        }
        this.note(node, `crashes before ${operation.kind}`);
        this.crash(node, random.chance(0.5));
        this.onDown(node);
      },
    });
    node.mayStop = false;
    node.hasWrongDisk = wrongDisk !== undefined || wrongMembers !== undefined;
    this.invariants.started(node.log);
    this.note(node, `starts, incarnation ${node.starts}`);
    const incarnation = this.#build(node, { clock, port, random, members: wrongMembers });
    incarnationOfPort = incarnation;
    node.incarnation = incarnation;
  }

  /** As `kill -9`; with `power` also as a power failure: what was not fsynced may be gone. */
  crash(node: SimNode, power: boolean): void {
    const { incarnation } = node;
    if (incarnation === undefined) return;
    this.note(node, power ? "power failure" : "killed");
    this.#end(node, incarnation);
    if (power) node.disk.crash(this.randomOf(node, 500));
  }

  /** Returns random numbers for what happens to the current incarnation of a node. `kind` distinguishes the uses. */
  randomOf(node: SimNode, kind: number): () => number {
    const random = this.#random.stream(NODE_STREAMS * node.id + kind + node.starts);
    return () => random.random();
  }

  /** The process goes on apart from all others, and another one with an empty folder is started under its number. */
  leaveBeside(node: SimNode, incarnation: Incarnation): void {
    this.ghosts.add(node, incarnation, {
      kind: "replaced",
      place: this.network.leaveBeside(node.id),
    });
    // What its gateways hold may be refused later, when nobody looks at them any more.
    this.#expectRefusals(node);
    this.#expectNativeRefusals(node);
    for (const port of incarnation.links.values()) {
      for (const link of [...port.links]) link.serverDied(this.#linkRandom.chance(0.2));
    }
    node.incarnation = undefined;
  }

  #end(node: SimNode, incarnation: Incarnation): void {
    // What was heard of the others was in its memory.
    this.ghosts.endAll("copy");
    node.incarnation = undefined;
    incarnation.port.end();
    for (const system of incarnation.threads.systems.values()) system.stop();
    incarnation.clock.end();
    this.network.leave(node.id);
    for (const port of incarnation.links.values()) {
      for (const link of [...port.links]) link.serverDied(this.#linkRandom.chance(0.2));
    }
    node.faults.crashAfter = undefined;
  }

  #build(
    node: SimNode,
    of: {
      readonly clock: NodeClock;
      readonly port: FaultyDiskPort;
      readonly random: Random;
      /** Other ones than the ensemble's. */
      readonly members: readonly ServerId[] | undefined;
    },
  ): Incarnation {
    const { plan } = this;
    const { clock, port, random } = of;
    const right = configOf(plan, node.id);
    const config = { ...right, members: of.members ?? right.members };
    const made: { incarnation: Incarnation | undefined } = { incarnation: undefined };
    const { kind } = node;
    const beside = kind === "member" ? undefined : this.network.joinBeside(node.id);
    const gate = peerGate(config, random);
    const links = new Map<number, LinkPort>();
    const toldClients = newToldByProcess();
    const lanes = Array.from({ length: plan.lanes }, (_, index) => index + 1);
    for (const lane of lanes) links.set(lane, this.#linkPort(node, lane, toldClients));
    const make = (thread: Thread, route: (to: string) => ThreadWay | undefined): ActorSystem =>
      new ActorSystem({
        node: node.id,
        clock,
        randomness: random,
        gate: thread === "main" ? gate : undefined,
        publisher: this.natives.subjects.publisherOf(node, toldClients),
        transport:
          thread !== "main" ? undefined : (beside?.transport ?? this.network.join(node.id)),
        disk: plan.threads === undefined || thread === "log" ? port : undefined,
        connections: { perform: (effect) => this.#perform(links, thread, effect) },
        route,
        onStopNode: (reason) => this.#stopped(node, made.incarnation ?? node.incarnation, reason),
        atStep: (point, actor, message) => failIfPlanned(node.failing, { point, actor, message }),
      });
    const threads = new NodeThreads(plan, { clock, random, make });
    const { systems } = threads;
    for (const system of new Set(systems.values())) {
      wireAll(system, plan.lanes);
      this.#listen(node, system, () => made.incarnation);
    }
    const systemOf = (thread: Thread): ActorSystem => systems.get(thread) as ActorSystem;
    const { sizes, replaceAfterMs } = plan;
    const options = {
      log: { segmentBytes: plan.segmentBytes },
      replica: replicaOptionsOf(plan),
      gateway: gatewayOptionsOf(plan),
      replication: { sizes, replaceAfterMs },
      feed: feedOptionsOf(plan),
      changes: { pendingBytesMax: plan.streamPendingBytes },
    };
    addNodeActors(systemOf, { config, gate, options });
    if (kind === "member") this.readers?.begin(node, systemOf("main"), clock);
    const incarnation = {
      number: node.starts,
      clock,
      port,
      threads,
      links,
      gate,
      cursors: new Map(),
    };
    made.incarnation = incarnation;
    if (kind !== "member" && beside !== undefined) {
      this.ghosts.add(node, incarnation, { kind, place: beside.place });
    }
    return incarnation;
  }

  /** A connection's number tells its lane only together with the thread; nodes without threads have their lanes apart by range. */
  #perform(
    links: ReadonlyMap<number, LinkPort>,
    thread: Thread,
    effect: Parameters<LinkPort["perform"]>[0],
  ): void {
    const lane =
      typeof thread === "number" ? thread : Math.floor(effect.connection / LANE_NUMBERS) + 1;
    const port = links.get(lane);
    port?.perform(effect);
    if (effect.kind === "write") this.guard(() => port?.check(effect.connection));
  }

  #linkPort(node: SimNode, lane: number, toldClients: ToldByProcess): LinkPort {
    return new LinkPort(
      { numbersAfter: (lane - 1) * LANE_NUMBERS, toldClients },
      (connection) => {
        const phase = node.gateway(lane)?.connections.get(connection)?.phase;
        const isAttached = phase !== undefined && "attachedAt" in phase;
        return isAttached && phase.readOnly === undefined ? phase.attachedAt : undefined;
      },
      (link) => {
        const speakers = [...this.clients, ...this.zookeepers.all];
        const client = speakers.find((each) => each.name === link.client);
        const attachment = client?.attachmentOf(link);
        if (link.attachedAt !== undefined && attachment !== undefined) {
          this.#attachments.set(link, attachment);
          attachment.mayBeRefused = node.gateway(lane)?.admission !== "all";
          this.truth.attach(link.attachedAt, attachment);
        }
      },
    );
  }

  dial(of: {
    readonly node: number;
    readonly client: { readonly name: string };
    readonly handler: LinkHandler;
  }): Link | undefined {
    const node = this.nodes[of.node - 1];
    const lane = this.#linkRandom.whole(1, this.plan.lanes);
    const port = node?.incarnation?.links.get(lane);
    if (
      node === undefined ||
      port === undefined ||
      this.cutClients.has(clientCut(of.client.name, node))
    ) {
      return undefined;
    }
    const { clock, trace } = this;
    const { clientDelayMs: delayMs } = this.plan;
    const options = { clock, random: this.#linkRandom, trace, delayMs, splitRate: 0.05 };
    const link = port.open(options, of.client.name, of.handler, (message) => {
      node.hear(`zookeeper/${lane}`, message);
    });
    link.ringFrom = () => node.tree(lane)?.ring.oldest ?? RING_UNKNOWN;
    return link;
  }

  /** Clients and nodes that do not reach each other. */
  readonly cutClients: Set<string> = new Set();

  cutClient({ name }: { readonly name: string }, node: SimNode): void {
    this.cutClients.add(clientCut(name, node));
    for (const link of node.openLinks) if (link.client === name) link.cut = true;
  }

  healClients(): void {
    this.cutClients.clear();
    for (const node of this.nodes) for (const link of node.openLinks) link.heal();
  }

  #stopped(node: SimNode, incarnation: Incarnation | undefined, reason: string): void {
    if (incarnation === undefined) return;
    if (this.ghosts.has(incarnation)) {
      this.note(node, `left beside another process, stops: ${reason}`);
      this.guard(() => this.ghosts.stopped(incarnation, reason, node.mayStop));
      return;
    }
    this.note(node, `stops: ${reason}`);
    const refused = node.hasWrongDisk || (node.isOld && reason.includes(OLDER));
    this.guard(() => {
      must(node.mayStop || refused, "no crash", () => `node ${node.id} stopped: ${reason}`);
    });
    this.#end(node, incarnation);
    this.onDown(node);
  }

  #expectRefusals(node: SimNode): void {
    for (const link of node.openLinks) {
      const attachment = this.#attachments.get(link);
      if (attachment !== undefined) attachment.mayBeRefused = true;
    }
  }

  #expectNativeRefusals({ id }: SimNode): void {
    for (const native of this.natives.all) native.expectRefusals(id);
  }

  #listen(node: SimNode, system: ActorSystem, incarnation: () => Incarnation | undefined): void {
    system.inspection$.subscribe((event) => this.#inspect(node, event));
    system.decisions$.subscribe((decision) =>
      this.guard(() => this.#saw(node, incarnation(), decision)),
    );
    if (node.kind === "rival") return;
    observe(system, "committed").subscribe(({ records }) => {
      this.guard(() => {
        for (const record of records) this.truth.deliver(node.id, record);
      });
    });
  }

  #saw(
    node: SimNode,
    incarnation: Incarnation | undefined,
    { actor, message, state, effects }: Decision,
  ): void {
    if ("kind" in message && message.kind === "start") return;
    const ghost = this.ghosts.logOf(incarnation);
    if (node.kind === "rival") this.ghosts.sawRival(node, actor, message, state);
    else if (ghost !== undefined) this.observer.sawGhost(ghost, actor, message, state);
    else if (node.kind === "copy") this.observer.sawGhost(node.log, actor, message, state);
    else this.observer.saw(node, actor, { message, effects }, state);
  }

  #inspect(node: SimNode, event: InspectionEvent): void {
    const line = inspectionLine(event);
    if (line !== undefined) this.note(node, line);
    this.guard(() => checkInspection(node.id, event, this.network.forgedTo.has(node.id)));
  }
}

/** Connections of one lane of one incarnation. */
const LANE_NUMBERS = 100_000;

function clientCut(client: string, node: SimNode): string {
  return `${client}>${node.id}`;
}
