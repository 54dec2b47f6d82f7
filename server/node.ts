/** A running node: the main thread's actors, its other threads, and the way to the other nodes. */
import { availableParallelism } from "node:os";
import type { Observable } from "rxjs";
import { Subject } from "rxjs/internal/Subject";
import { Subscription } from "rxjs/internal/Subscription";
import type { NatsConnections, NatsReport } from "../actors/admin/messages.ts";
import { APPLY_FAILED } from "../actors/tree/apply/apply-failure.ts";
import { assert } from "../protocol/assert.ts";
import type { HandoverOutcome } from "../actors/log-sync/handover/messages.ts";
import type { ServerId } from "../protocol/ids.ts";
import type { Leadership } from "../protocol/replication.ts";
import { operatorAnswerPrefix, operatorSubject, peerSubjects } from "../protocol/subjects.ts";
import { formatZxid, type Zxid } from "../protocol/zxid.ts";
import type { EventDetail, LogLevel } from "../runtime/effects.ts";
import type { InspectionEvent, StepEvent } from "../runtime/inspection.ts";
import { realClock, realRandomness } from "../runtime/real-clock.ts";
import { ActorSystem, type Letter } from "../runtime/system.ts";
import type { Transport } from "../runtime/transport.ts";
import type { Questions } from "../runtime/nats/transport.ts";
import type { AdminServer, LogControl } from "./admin/admin-server.ts";
import { Operations } from "./operator/operations.ts";
import { Retirement } from "./retirement.ts";
import { reportElections } from "./election-steps.ts";
import { ElectionMeter } from "./measures/election-meter.ts";
import { type Meter, meterNowMs, meterOf } from "./measures/meter.ts";
import { Ending } from "./ending.ts";
import { AuthenticatedTransport } from "./authenticated-transport.ts";
import { type Changes, type ChangesOptions, ChangeStreams } from "./change-streams.ts";
import { NodeStoppedError } from "./errors.ts";
import type { actorReports } from "./actor-reports.ts";
import { stepsOf } from "./inspect-steps.ts";
import { reportMissingLeader } from "./leader-missing.ts";
import { natsLog, natsTopic } from "./nats-log.ts";
import { natsOptions } from "./nats-options.ts";
import { refusedOnce, reportNatsFiles } from "./tls/nats-terms.ts";
import { whenNatsIsThere } from "./nats-wait.ts";
import { traceEvent } from "./diagnostics.ts";
import { type NodeState, stateOf } from "./node-state.ts";
import { type PeerKeys, readPeerKeys } from "./peer-keys.ts";
import { type NodeConfig, slowStepMs } from "./config/node-config.ts";
import { makeNodeFolder } from "./node-folder.ts";
import { noteFailed, noteSkipped, segmentWith, zxidOfText } from "./skipped-operations.ts";
import { addAdminActor, addChangesActor, addReplicationActors } from "./actors/main.ts";
import { ConnectionLimit } from "./connection-limit.ts";
import type { NodeGate } from "./peer-gate.ts";
import { peerGate } from "./placement.ts";
import { type PlacedConfig, type Placement, placementOf } from "./threads/choice.ts";
import type { LaunchOptions, RunningNode, StopReason } from "./running-node.ts";
import { threadsOf } from "./threads/of-placement.ts";
import type { MakeThreads, Threads, ThreadsOptions } from "./threads/threads.ts";
import { observe, wireAll } from "./wiring.ts";
import { processEnvironment, reportProcess, reportServer } from "./process-report.ts";

/** Rejects when the data folder, the client port or NATS is not available. */
export async function launchNode(
  config: NodeConfig,
  options: LaunchOptions = {},
): Promise<RunningNode> {
  const { signal } = options;
  signal?.throwIfAborted();
  const { ownsProcess = false } = options;
  const placement = placementOf(config, { cores: availableParallelism(), ownsProcess });
  const makeThreads = await threadsOf(placement);
  signal?.throwIfAborted();
  const node = new Node(config, options, { placement, makeThreads });
  const onAbort = (): void => void node.stop().catch(() => undefined);
  signal?.addEventListener("abort", onAbort, { once: true });
  void node.stopped.then(() => signal?.removeEventListener("abort", onAbort));
  try {
    await node.start(options);
  } catch (error) {
    // Why it did not start is the news, not what could not be released.
    await node.stop().catch(() => undefined);
    signal?.throwIfAborted();
    const stopped = await node.stopped;
    const isAborted = error instanceof Error && error.name === "AbortError";
    // What was waited for was given up since the node had stopped itself: why it did is the news.
    if (isAborted && stopped.kind === "failed") throw new Error(stopped.reason, { cause: error });
    throw error;
  }
  return node;
}

const PEERS_REPORT_INTERVAL_MS = 1_000;
/** As ZooKeeper shows a port that is not open. */
const NO_PORT = -1;

type Placed = { readonly placement: Placement; readonly makeThreads: MakeThreads };

/** What the main thread of a started node has. */
type Main = {
  readonly system: ActorSystem;
  readonly gate: NodeGate;
  readonly state: NodeState;
  readonly streams: ChangeStreams;
  readonly steps$: Observable<StepEvent>;
  readonly retirement: Retirement;
};

class Node implements RunningNode {
  readonly inspection$: Subject<InspectionEvent> = new Subject();
  readonly ready: Promise<void>;
  readonly stopped: Promise<StopReason>;
  readonly #config: PlacedConfig;
  readonly #ready: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #stopped: PromiseWithResolvers<StopReason> = Promise.withResolvers<StopReason>();
  readonly #placement: Placement;
  readonly #threads: Threads;
  #main: Main | undefined;
  #transport: Transport | undefined;
  #authenticated: AuthenticatedTransport | undefined;
  /** Aborted when the node is to stop: nothing is waited for any more. */
  readonly #aborted = new AbortController();
  #early: Letter[] = [];
  readonly #ending = new Ending((reason) => this.#release(reason));
  #stopReports: () => void = () => undefined;
  readonly #meter: Meter | undefined;
  readonly #elections: ElectionMeter | undefined;
  #admin: AdminServer | undefined;
  #stopServerReports: () => void = () => undefined;
  #stopNatsReports: () => void = () => undefined;
  readonly #connectionLimit: ConnectionLimit;
  /** False: its disk is in memory. */
  readonly #hasFolder: boolean;
  readonly #mayRestart: boolean;

  constructor(config: NodeConfig, options: LaunchOptions, { placement, makeThreads }: Placed) {
    const { onInspection, inMemory = {}, mayRestart = false } = options;
    this.#mayRestart = mayRestart;
    this.#placement = placement;
    this.#config = { ...config, lanes: placement.lanes };
    const isInMemory = inMemory.disk !== undefined || inMemory.clients !== undefined;
    assert(placement.threads === "one" || !isInMemory, "what is in memory is on one thread");
    this.#hasFolder = inMemory.disk === undefined;
    this.#connectionLimit = new ConnectionLimit(this.#config, (detail) =>
      this.#say("warn", "openFilesLow", detail),
    );
    this.#meter = meterOf(config, "main");
    this.#elections = this.#meter && new ElectionMeter(this.#meter, meterNowMs());
    const threads: ThreadsOptions = {
      config: this.#config,
      inMemory,
      meter: this.#meter,
      signal: this.#aborted.signal,
      onLetters: (letters) => this.#deliver(letters),
      onInspection: (event) => this.#inspect(event),
      onStopNode: (reason) => this.#fail(reason),
    };
    this.#threads = makeThreads(threads);
    this.ready = this.#ready.promise;
    this.stopped = this.#stopped.promise;
    // Whoever waits for it hears that it did not come; nobody has to.
    this.ready.catch(() => undefined);
    if (onInspection !== undefined) this.inspection$.subscribe(onInspection);
  }

  get clientPort(): number {
    return (this.#threads.ports ?? this.#config).clientPort ?? NO_PORT;
  }

  get secureClientPort(): number | undefined {
    return (this.#threads.ports ?? this.#config).secureClientPort;
  }

  get adminUrl(): string | undefined {
    return this.#admin?.url;
  }

  get leadership$(): Observable<Leadership> {
    return this.#started.state.leadership$;
  }

  get peers$(): Observable<readonly ServerId[]> {
    return this.#started.state.peers$;
  }

  get nats$(): Observable<NatsConnections> {
    return this.#started.state.nats$;
  }

  get steps$(): Observable<StepEvent> {
    return this.#started.steps$;
  }

  async threadsAnswer(withinMs: number): Promise<boolean> {
    const answers = await Promise.all(this.#threads.lanes.map((lane) => lane.answers(withinMs)));
    return answers.every(Boolean);
  }

  changes(path: string, options?: ChangesOptions): Changes {
    return this.#started.streams.changes(path, options);
  }

  transferLeadership(to?: number): Promise<HandoverOutcome> {
    return this.#started.retirement.transferLeadership(to as ServerId | undefined);
  }

  async retire(): Promise<void> {
    if (this.#ending.hasBegun) return;
    // The node hears of the end of the API's session for as long as it lets clients in.
    await this.#admin?.retire();
    await this.#started.retirement.retire();
  }

  /** Nobody is given a node before it has started. */
  get #started(): Main {
    assert(this.#main !== undefined, "a node that is used has started");
    return this.#main;
  }

  async start({ transport: given, skip = [], logControl }: LaunchOptions): Promise<void> {
    const config = this.#config;
    if (this.#hasFolder) makeNodeFolder(config);
    // The folder lock is taken before anything else: a node whose folder is in use may do nothing at all.
    await this.#threads.openFolder();
    const { threads, lanes, because } = this.#placement;
    this.#say("info", "placement", { threads, lanes, because });
    if (config.adminServer) this.#admin = await this.#openAdmin(logControl);
    const skips = this.#hasFolder ? this.#operationsToSkip(skip) : [];
    const alone = config.members.length === 1;
    if (given !== undefined) this.#transport = given;
    else if (!alone || config.natsUrls.length > 0) this.#transport = await this.#connect();
    const [counts, nats] = [this.#connectionLimit.share(), config.natsUrls.length > 0];
    const ofActors =
      config.actorMetricsMs > 0 ? (await import("./actor-reports.ts")).actorReports : undefined;
    await this.#threads.startLanes({ counts, nats, ownDoor: this.#admin?.ownDoor, skips });
    const main = this.#makeMain();
    this.#main = main;
    this.#admin?.attach(main.system, {
      changes: (path, options) => main.streams.changes(path, options),
      threadsAnswer: (withinMs) => this.threadsAnswer(withinMs),
    });
    const recovered = new Promise<undefined>((resolve) => {
      observe(main.system, "durable").subscribe(() => resolve(undefined));
    });
    this.#deliver(this.#early);
    this.#early = [];
    this.#stopReports = this.#startReports(main, ofActors);
    await this.#threads.openClients();
    // A folder that is another's, or damaged, is known once the log has been read.
    const outcome = await Promise.race([recovered, this.stopped]);
    if (outcome?.kind === "failed") throw new Error(outcome.reason);
    this.#aborted.signal.throwIfAborted();
    this.#stopServerReports = reportServer(config, this.#threads.ports, (report) => {
      main.system.tell("admin", report);
    });
  }

  async #openAdmin(logControl: LogControl | undefined): Promise<AdminServer> {
    // Most nodes have none, and start sooner without its modules.
    const server = await import("./admin/admin-server.ts");
    const admin = await server.AdminServer.open({
      config: this.#config,
      ports: () => (this.#main?.retirement.hasBegun === true ? undefined : this.#threads.ports),
      say: (level, event, detail) => this.#say(level, event, detail),
      logControl,
    });
    // The node was stopped while it began to listen, and nobody else knows of it.
    if (this.#aborted.signal.aborted) await admin.close();
    this.#aborted.signal.throwIfAborted();
    return admin;
  }

  #makeMain(): Main {
    const config = this.#config;
    const gate = peerGate(config, realRandomness);
    const system = new ActorSystem({
      node: config.id,
      clock: realClock,
      randomness: realRandomness,
      gate,
      transport: this.#transport,
      slowStepMs: slowStepMs(config),
      meter: this.#meter,
      ...this.#threads.mainPart(),
      onStopNode: (reason) => this.#fail(reason),
    });
    system.inspection$.subscribe((event) => this.#inspect(event));
    const state = stateOf(system, config.id);
    state.leadership$.subscribe(({ role }) => {
      if (role === "leading" || role === "following") this.#ready.resolve();
    });
    const streams = new ChangeStreams(system);
    wireAll(system, config.lanes);
    this.#threads.addActors(system);
    addReplicationActors(system, config, gate);
    addAdminActor(system, config, processEnvironment());
    reportElections(system);
    addChangesActor(system, { readsAll: config.skipAcl });
    const steps$ = stepsOf([system, ...this.#threads.lanes]);
    const retirement = new Retirement(system, config.lanes);
    return { system, gate, state, streams, steps$, retirement };
  }

  /** What the admin actor is told now and then. The returned function ends it. */
  #startReports(
    { system, gate, state, steps$ }: Main,
    ofActors: typeof actorReports | undefined,
  ): () => void {
    const stopProcessReports = reportProcess((report) => {
      this.#connectionLimit.follow(report);
      system.tell("admin", report);
    });
    const peersReports = setInterval(() => {
      const refused = gate.refused + (this.#authenticated?.refused ?? 0);
      system.tell("admin", { kind: "peersReport", refused });
    }, PEERS_REPORT_INTERVAL_MS);
    const reports = new Subscription();
    const reports$ = ofActors?.(steps$, this.#config.actorMetricsMs);
    reports.add(reports$?.subscribe((report) => system.tell("admin", report)));
    const meter = this.#meter;
    if (meter !== undefined) {
      reports.add(meter.start((to, message) => system.tell(to, message)));
      reports.add(
        observe(system, "committed").subscribe(({ records }) => meter.committed(records)),
      );
    }
    reports.add(
      this.#authenticated?.status$.subscribe((status) => {
        const report: NatsReport = { kind: "natsReport", connection: "peers", status };
        system.tell("admin", report, natsTopic("peers"));
      }),
    );
    const stopLeaderReports = reportMissingLeader(
      this.#config,
      { gate, leadership$: state.leadership$ },
      {
        nowMs: () => realClock.nowMs(),
        say: (detail) => this.#say("warn", "stillNoLeader", detail),
      },
    );
    return () => {
      stopLeaderReports();
      clearInterval(peersReports);
      stopProcessReports();
      reports.unsubscribe();
    };
  }

  #operationsToSkip(skip: readonly Zxid[]): readonly Zxid[] {
    const { failed, skipped } = noteSkipped(this.#config.dataDir, skip);
    for (const zxid of failed) {
      const detail = { zxid: formatZxid(zxid), isSkipped: skipped.includes(zxid) };
      this.#say("warn", "operationFailedBefore", detail);
    }
    return skipped;
  }

  #say(level: LogLevel, event: string, detail: EventDetail): void {
    const said = { kind: "log", level, event, detail, actor: "node" } as const;
    this.inspection$.next({ ...said, atMs: Date.now(), node: this.#config.id });
  }

  /** An operation that a replica could not apply, for which this node stops, is noted, so that an operator can have it skipped. */
  #inspect(event: InspectionEvent): void {
    this.inspection$.next(event);
    traceEvent(event);
    if (event.kind !== "log") return;
    this.#elections?.take(event.event, meterNowMs());
    if (event.event !== APPLY_FAILED) return;
    const { dataDir, dataLogDir = dataDir } = this.#config;
    const zxid = zxidOfText(String(event.detail["zxid"]));
    const record = zxidOfText(String(event.detail["record"]));
    if (zxid === undefined || record === undefined || !this.#hasFolder) return;
    try {
      noteFailed(dataDir, zxid);
      const look = `zooid inspect ${dataDir} --operations --from ${formatZxid(record)} --limit 1`;
      const file = segmentWith(dataLogDir, record);
      this.#say("error", "operationFailed", { zxid: formatZxid(zxid), file, look });
    } catch (error) {
      this.#say("error", "operationFailed", { zxid: formatZxid(zxid), error: String(error) });
    }
  }

  stop(): Promise<void> {
    return this.#ending.begin({ kind: "asked" });
  }

  async #connect(): Promise<Transport> {
    const { ensemble, id, peerKeyFile } = this.#config;
    const said = natsLog(id, (event) => this.inspection$.next(event));
    const log = refusedOnce(this.#config, said);
    const keys = peerKeyFile === undefined ? undefined : readPeerKeys(peerKeyFile);
    const isUnprotected = keys === undefined && this.#config.members.length > 1;
    const name = `zooid ${ensemble} ${id}`;
    const subjects = peerSubjects(ensemble);
    const questions = {
      subjects: [operatorSubject(ensemble, id), operatorSubject(ensemble, "all")],
      answers: operatorAnswerPrefix(ensemble),
      onQuestion: this.#operations(keys),
    };
    const own = natsOptions(this.#config, log);
    const options = { ...own, name, subjects, id, log, isUnprotected, questions };
    // A node that is alone starts sooner without the library of NATS.
    const { connectNats } = await import("../runtime/nats/transport.ts");
    const transport = await whenNatsIsThere(() => connectNats(options), log, this.#aborted.signal);
    this.#stopNatsReports = reportNatsFiles(this.#config, log);
    // The node was stopped while the connection was made, and nobody else knows of it.
    if (this.#aborted.signal.aborted) await transport.close();
    this.#aborted.signal.throwIfAborted();
    const nowMs = (): number => realClock.nowMs();
    this.#authenticated = new AuthenticatedTransport({ transport, id, ensemble, keys, log, nowMs });
    return this.#authenticated;
  }

  /** Hears operators, once there is something to tell them. */
  #operations(keys: PeerKeys | undefined): Questions["onQuestion"] {
    const operations = new Operations({
      config: this.#config,
      keys,
      main: () => this.#main,
      clientsConnect: () => this.#threads.ports !== undefined,
      say: (level, event, detail) => this.#say(level, event, detail),
      restart: this.#mayRestart ? () => this.#restart() : undefined,
    });
    return (bytes, answer) => operations.hear(bytes, answer);
  }

  #restart(): void {
    this.#say("info", "restarting", {});
    // Whoever calls `stop` hears that something could not be released.
    this.retire()
      .then(() => this.#ending.begin({ kind: "restart" }))
      .catch(() => undefined);
  }

  #deliver(letters: readonly Letter[]): void {
    for (const letter of letters) {
      if (this.#main === undefined) this.#early.push(letter);
      else this.#main.system.tell(letter.to, letter.message, letter.topic);
    }
  }

  #fail(reason: string): void {
    // A node that may be wrong stops at once, even while its end still waits for something.
    if (this.#ending.hasBegun) this.#main?.system.stop();
    // Whoever calls `stop` hears that something could not be released.
    this.#ending.begin({ kind: "failed", reason }).catch(() => undefined);
  }

  async #release(reason: StopReason): Promise<void> {
    this.#aborted.abort();
    this.#stopReports();
    this.#stopServerReports();
    this.#stopNatsReports();
    const hasFailed = reason.kind === "failed";
    const why = hasFailed ? `the node stopped itself: ${reason.reason}` : "the node was stopped";
    const error = new NodeStoppedError(why);
    this.#ready.reject(error);
    this.#main?.streams.end(hasFailed ? error : undefined);
    // What cannot be released keeps nothing else from being released.
    const failures: unknown[] = [];
    const release = async (work: Promise<void> | undefined): Promise<void> => {
      await work?.catch((failure: unknown) => failures.push(failure));
    };
    // A node that may be wrong stops at once. Another one ends the session of its own API first, which nobody would hear of later.
    if (hasFailed) this.#main?.system.stop();
    const adminClosed = release(this.#admin?.close());
    if (!hasFailed) await adminClosed;
    this.#main?.system.stop();
    // No more answers to peers, then no more clients, then the disk.
    await release(this.#transport?.close());
    await release(this.#threads.closeLanes());
    await release(this.#threads.closeFolder());
    await adminClosed;
    this.inspection$.complete();
    this.#stopped.resolve(this.#ending.reason);
    if (failures.length > 0) throw failures[0];
  }
}
