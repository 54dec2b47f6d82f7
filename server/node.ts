/** A running node: the main thread's actors, the lanes, and the way to the other nodes. */
import { BehaviorSubject, type Observable, Subject } from "rxjs";
import { type Leadership, NO_LEADERSHIP } from "../protocol/replication.ts";
import type { ProcessReport } from "../actors/admin/messages.ts";
import { APPLY_FAILED } from "../actors/tree/apply/apply-failure.ts";
import { formatZxid, type Zxid } from "../protocol/zxid.ts";
import { ConnectionCounts, type SharedCounts } from "../runtime/connections/connection-counts.ts";
import type { EventDetail } from "../runtime/effects.ts";
import type { InspectionEvent } from "../runtime/inspection.ts";
import { Lane } from "../runtime/lanes/lane.ts";
import { realClock, realRandomness } from "../runtime/real-clock.ts";
import { ActorSystem, type Letter } from "../runtime/system.ts";
import type { Transport } from "../runtime/transport.ts";
import { connectNats } from "../runtime/nats/transport.ts";
import { AuthenticatedTransport } from "./authenticated-transport.ts";
import { natsLog } from "./nats-log.ts";
import { natsOptions } from "./nats-options.ts";
import { whenNatsIsThere } from "./nats-wait.ts";
import { readPeerKeys } from "./peer-keys.ts";
import type { NodeConfig } from "./config/node-config.ts";
import { makeDataFolder } from "./data-folder.ts";
import { noteFailed, noteSkipped, segmentWith, zxidOfText } from "./skipped-operations.ts";
import type { TreeLaneData } from "./lanes/tree-lane.ts";
import { addAdminActor } from "./gateways.ts";
import { machine } from "./memory-limits.ts";
import { connectionsLeft, connectionsMost, openFilesWarning } from "./open-files.ts";
import { heapProblem } from "./start-memory.ts";
import { addReplicationActors, peerGate, threadOf } from "./placement.ts";
import { observe, wireAll } from "./wiring.ts";
import { processEnvironment, processReport, reportProcess } from "./process-report.ts";

export type StopReason =
  | { readonly kind: "asked" }
  /** Fail-stop: a node that may be wrong must not vote. */
  | { readonly kind: "failed"; readonly reason: string };

export type RunningNode = {
  /** The port that clients connect to. */
  readonly clientPort: number;
  /** Everything that the node's actors say, of all threads. */
  readonly inspection$: Observable<InspectionEvent>;
  /** Who leads, as far as this node knows: the current word at once, then each change. */
  readonly leadership$: Observable<Leadership>;
  readonly stopped: Promise<StopReason>;
  /** Closes clients and files. Resolves when everything is released. */
  stop(): Promise<void>;
};

export type NodeOptions = {
  /** Instead of NATS: nodes of one process share a network in memory. */
  readonly transport?: Transport | undefined;
  /** Operations to skip from now on; each must have failed on this node. */
  readonly skip?: readonly Zxid[];
  /** Hears what happens from the very start on. */
  readonly onInspection?: ((event: InspectionEvent) => void) | undefined;
};

/** Files that a lane has open. */
const LANE_FILES = 20;

/** Rejects when the data folder, the client port or NATS cannot be had. */
export async function startNode(
  config: NodeConfig,
  options: NodeOptions = {},
): Promise<RunningNode> {
  const node = new Node(config, options.onInspection);
  try {
    await node.start(options);
  } catch (error) {
    await node.stop();
    throw error;
  }
  return node;
}

/** Lanes' entries have this file's extension: `.ts` in a checkout, `.js` when built. */
function laneEntry(name: string): URL {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`./lanes/${name}.${extension}`, import.meta.url);
}

const PEERS_REPORT_INTERVAL_MS = 1_000;

class Node implements RunningNode {
  readonly inspection$: Subject<InspectionEvent> = new Subject();
  readonly leadership$: BehaviorSubject<Leadership> = new BehaviorSubject<Leadership>(
    NO_LEADERSHIP,
  );
  readonly stopped: Promise<StopReason>;
  readonly #config: NodeConfig;
  readonly #resolveStopped: (reason: StopReason) => void;
  readonly #treeLanes: Lane[] = [];
  #logLane: Lane | undefined;
  #system: ActorSystem | undefined;
  #transport: Transport | undefined;
  #authenticated: AuthenticatedTransport | undefined;
  /** When the node is to stop: nothing is waited for any more. */
  readonly #aborted = new AbortController();
  #early: Letter[] = [];
  #stopping: Promise<void> | undefined;
  #stopReports: () => void = () => undefined;
  #counts: ConnectionCounts | undefined;
  /** That the limit of open files is low. */
  #warned = false;

  constructor(config: NodeConfig, onInspection: ((event: InspectionEvent) => void) | undefined) {
    this.#config = config;
    const { promise, resolve } = Promise.withResolvers<StopReason>();
    this.stopped = promise;
    this.#resolveStopped = resolve;
    if (onInspection !== undefined) this.inspection$.subscribe(onInspection);
  }

  get clientPort(): number {
    return this.#treeLanes[0]?.detail["clientPort"] ?? this.#config.clientPort;
  }

  async start({ transport: given, skip = [] }: NodeOptions): Promise<void> {
    const config = this.#config;
    makeDataFolder(config.dataDir);
    const { laneHeapBytes } = config;
    const problem = heapProblem(
      config.dataDir,
      laneHeapBytes > 0 ? laneHeapBytes : machine().heapBytes,
    );
    if (problem !== undefined) throw new Error(problem);
    // The folder first: nothing else may happen in the name of a node whose folder is in use.
    this.#logLane = await this.#startLane("log-lane", { config });
    const skips = this.#operationsToSkip(skip);
    const alone = config.members.length === 1;
    if (given !== undefined) this.#transport = given;
    else if (!alone || config.natsUrls.length > 0) this.#transport = await this.#connect();
    const counts = this.#shareCounts();
    for (let lane = 1; lane <= config.lanes; lane += 1) {
      const data: TreeLaneData = {
        config,
        counts,
        lane,
        clientPort: lane === 1 ? config.clientPort : this.clientPort,
        nats: config.natsUrls.length > 0,
        skips,
      };
      const heapBytes = laneHeapBytes > 0 ? laneHeapBytes : undefined;
      this.#treeLanes.push(await this.#startLane("tree-lane", data, heapBytes));
    }
    const gate = peerGate(config, realRandomness);
    const system = new ActorSystem({
      node: config.id,
      clock: realClock,
      randomness: realRandomness,
      gate,
      transport: this.#transport,
      route: (to) => {
        const thread = threadOf(to);
        if (thread === "log") return this.#logLane;
        return thread === "main" ? undefined : this.#treeLanes[thread - 1];
      },
      onStopNode: (reason) => this.#fail(reason),
    });
    system.inspection$.subscribe((event) => this.inspection$.next(event));
    observe(system, "leadership").subscribe((value) => this.leadership$.next(value));
    const recovered = new Promise<undefined>((resolve) => {
      observe(system, "durable").subscribe(() => resolve(undefined));
    });
    wireAll(system, config.lanes);
    addReplicationActors(system, config, gate);
    addAdminActor(system, config, processEnvironment());
    this.#system = system;
    this.#deliver(this.#early);
    this.#early = [];
    const stopProcessReports = reportProcess((report) => {
      this.#limitConnections(report);
      system.tell("admin", report);
    });
    const peersReports = setInterval(() => {
      const refused = gate.refused + (this.#authenticated?.refused ?? 0);
      system.tell("admin", { kind: "peersReport", refused });
    }, PEERS_REPORT_INTERVAL_MS);
    this.#stopReports = () => {
      clearInterval(peersReports);
      stopProcessReports();
    };
    // A folder that is another's, or damaged, is known once the log has been read.
    const outcome = await Promise.race([recovered, this.stopped]);
    if (outcome?.kind === "failed") throw new Error(outcome.reason);
  }

  /** Before the lanes are there, which open files themselves: some are kept for them. */
  #shareCounts(): SharedCounts {
    const { maxConnections, maxClientConnections: perAddressMax, lanes } = this.#config;
    const report = processReport();
    const connectionsMax = connectionsMost(maxConnections, report);
    const shared = ConnectionCounts.share({ connectionsMax, perAddressMax });
    this.#counts = new ConnectionCounts(shared);
    if (report !== undefined) {
      this.#counts.limit(Math.min(connectionsMax, connectionsLeft(report, 0) - LANE_FILES * lanes));
    }
    return shared;
  }

  /** What else has files open changes while a node runs. */
  #limitConnections(report: ProcessReport): void {
    const counts = this.#counts;
    if (counts === undefined) return;
    const { maxConnections } = this.#config;
    const left = connectionsLeft(report, counts.total);
    counts.limit(Math.min(connectionsMost(maxConnections, report), left));
    const warning = openFilesWarning(maxConnections, report, counts.connectionsMax);
    const isNews = warning !== undefined && !this.#warned;
    this.#warned = warning !== undefined;
    if (!isNews) return;
    this.#say("warn", "openFilesLow", warning);
  }

  #operationsToSkip(skip: readonly Zxid[]): readonly Zxid[] {
    const { failed, skipped } = noteSkipped(this.#config.dataDir, skip);
    for (const zxid of failed) {
      const detail = { zxid: formatZxid(zxid), isSkipped: skipped.includes(zxid) };
      this.#say("warn", "operationFailedBefore", detail);
    }
    return skipped;
  }

  #say(level: "warn" | "error", event: string, detail: EventDetail): void {
    const said = { kind: "log", level, event, detail, actor: "node" } as const;
    this.inspection$.next({ ...said, atMs: Date.now(), node: this.#config.id });
  }

  /** A replica could not apply an operation and stops this node: noted, so that an operator can have it skipped. */
  #heard(event: InspectionEvent): void {
    this.inspection$.next(event);
    if (event.kind !== "log" || event.event !== APPLY_FAILED) return;
    const { dataDir } = this.#config;
    const zxid = zxidOfText(String(event.detail["zxid"]));
    const record = zxidOfText(String(event.detail["record"]));
    if (zxid === undefined || record === undefined) return;
    try {
      noteFailed(dataDir, zxid);
      const look = `zooid inspect ${dataDir} --operations --from ${formatZxid(record)} --limit 1`;
      const file = segmentWith(dataDir, record);
      this.#say("error", "operationFailed", { zxid: formatZxid(zxid), file, look });
    } catch (error) {
      this.#say("error", "operationFailed", { zxid: formatZxid(zxid), error: String(error) });
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#release().then(() => this.#resolveStopped({ kind: "asked" }));
    return this.#stopping;
  }

  async #connect(): Promise<Transport> {
    const { ensemble, id, peerKeyFile } = this.#config;
    const log = natsLog(id, (event) => this.inspection$.next(event));
    const keys = peerKeyFile === undefined ? undefined : readPeerKeys(peerKeyFile);
    const isUnprotected = keys === undefined && this.#config.members.length > 1;
    const options = { ...natsOptions(this.#config), ensemble, id, log, isUnprotected };
    const transport = await whenNatsIsThere(() => connectNats(options), log, this.#aborted.signal);
    const nowMs = (): number => realClock.nowMs();
    this.#authenticated = new AuthenticatedTransport({ transport, id, ensemble, keys, log, nowMs });
    return this.#authenticated;
  }

  #startLane(name: string, data: object, heapBytes?: number): Promise<Lane> {
    return Lane.start({
      entry: laneEntry(name),
      heapBytes,
      data,
      onLetters: (letters) => this.#deliver(letters),
      onInspection: (event) => this.#heard(event),
      onStopNode: (reason) => this.#fail(reason),
    });
  }

  #deliver(letters: readonly Letter[]): void {
    for (const letter of letters) {
      if (this.#system === undefined) this.#early.push(letter);
      else this.#system.tell(letter.to, letter.message, letter.topic);
    }
  }

  #fail(reason: string): void {
    if (this.#stopping !== undefined) return;
    this.#stopping = this.#release().then(() => this.#resolveStopped({ kind: "failed", reason }));
  }

  async #release(): Promise<void> {
    this.#aborted.abort();
    this.#stopReports();
    // No more answers to peers, then no more clients, then the disk.
    this.#system?.stop();
    await this.#transport?.close();
    await Promise.all(this.#treeLanes.map((lane) => lane.stop()));
    await this.#logLane?.stop();
    this.leadership$.complete();
    this.inspection$.complete();
  }
}
