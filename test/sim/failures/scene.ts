/**
 * An ensemble at work, in which single actors fail and nothing else is amiss but what a story calls for. Each node has a busy client
 * of each protocol, which goes nowhere else; others only keep their sessions.
 */
import type { ChangesState } from "../../../actors/changes/changes.ts";
import { observe } from "../../../server/wiring.ts";
import { Cluster } from "../cluster.ts";
import { compareWhole } from "../checks/trees.ts";
import { must } from "../checks/violation.ts";
import { Coverage } from "../coverage.ts";
import type { Link } from "../links.ts";
import type { Plan } from "../plan.ts";
import { quietPlan } from "../quiet.ts";
import type { SimNode } from "../sim-node.ts";
import { Trace } from "../trace.ts";

const SESSION_MS = 1000;
/** Within it all must be well again; a client may first have to give its connection up, and a session to end. */
const WELL_AGAIN_MS = 15_000;
/** Twice as long as an idle client's session lives without being heard of. */
const CALM_MS = 2 * SESSION_MS;
/** By then clients have noticed what a failure cost them. */
const NOTICED_MS = 1.5 * SESSION_MS;
const REPORT_MS = 500;
const ANSWERS_MIN = 3;

/** What the server itself tells the admin actor. */
export const REPORTED = {
  openFiles: 17,
  openFilesMax: 1000,
  refused: 3,
  heapUsedBytes: 4711,
  nats: "connected",
  actor: { actor: "log-sync", steps: 9, busyMs: 2, slowestUs: 700, queuedMax: 4 },
  folderBytes: 12_345,
} as const;

const HOMES = [1, 2, 3] as const;

function planOf(seed: number): Plan {
  const plan = quietPlan(seed, { nodes: HOMES.length, requestsMax: Number.MAX_SAFE_INTEGER });
  const isApart = seed % 2 === 0;
  const [first] = plan.clients;
  if (first === undefined) throw new Error("no client");
  // Lifetimes end often, so that a reaper finds something at every leader.
  const mix = { ...first.mix, lifetime: 1.5 };
  const common = { ...first, mix, keys: 5, queues: 1, outstandingMax: 4, renewals: [] };
  const busy = { ...common, thinkMs: 240, timeoutMs: 2 * SESSION_MS, patient: false };
  const idle = { ...busy, thinkMs: Number.MAX_SAFE_INTEGER, timeoutMs: SESSION_MS };
  const clients = [...HOMES.map((home) => ({ ...busy, home })), idle];
  // So many that of those that hear nothing one is always there, also when each gives up after a while and comes again.
  const idlers = [...HOMES, ...HOMES].map((home) => ({ ...idle, home }));
  const natives = [...clients, ...idlers].map((workload) => {
    const native = { ...workload.mix, multi: 0, watch: 0, multiRead: 0 };
    return { ...workload, mix: native, thinkMs: workload.thinkMs / 3 };
  });
  return {
    ...plan,
    lanes: 1,
    readers: { lateShare: 0.1 },
    feed: { repeatedMax: 1024, knownBytesMax: 1e6, markMs: 500 },
    // In every second scene messages to other threads are copied and take their time, as between real ones.
    threads: isApart ? { delayMs: { min: 0.01, max: 0.1 }, laneFactors: [1] } : undefined,
    copies: isApart,
    segmentBytes: 4096,
    snapshotEveryBytes: 6 * 1024,
    ringBytes: 1500,
    reaper: { checkIntervalMs: 100, perMinuteMax: 600_000, unusedMs: 0 },
    peerTimeoutMs: SESSION_MS,
    failoverGraceMs: SESSION_MS / 4,
    minSessionTimeoutMs: SESSION_MS,
    network: { ...plan.network, delayMs: { min: 0.05, max: 1 } },
    stragglers: { ...plan.stragglers, rate: 0 },
    clientDelayMs: { min: 0.05, max: 1 },
    diskMs: { min: 0.02, max: 0.5 },
    clients,
    natives: { clients: natives, lossRate: 0, streamsMax: 4, grantMs: 10 },
  };
}

export class Scene {
  readonly cluster: Cluster;
  #isCut = false;

  constructor(seed: number) {
    const plan = planOf(seed);
    this.cluster = new Cluster(
      plan,
      (clock) => new Trace(() => clock.nowMs(), false),
      new Coverage(),
    );
    for (const node of this.nodes) this.cluster.start(node);
    this.#report();
    this.well();
  }

  get nodes(): readonly SimNode[] {
    return this.cluster.nodes;
  }

  get leader(): SimNode | undefined {
    return this.nodes.find((node) => node.leads && node.established);
  }

  get followers(): readonly SimNode[] {
    return this.nodes.filter((node) => !node.leads);
  }

  run(ms: number): void {
    this.cluster.run(ms);
  }

  until(what: string, holds: () => boolean, withinMs: number = WELL_AGAIN_MS): void {
    const { clock } = this.cluster;
    const untilMs = clock.nowMs() + withinMs;
    while (!holds()) {
      must(clock.nowMs() < untilMs, "liveness", () => `not within ${withinMs} ms: ${what}`);
      this.run(20);
    }
  }

  /** The leader gives up leading, and all look for one. */
  unseat(): void {
    this.leader?.tell("log-sync", { kind: "leaderLost", reason: "told so" });
  }

  crash(node: SimNode | undefined): void {
    if (node !== undefined) this.cluster.crash(node, false);
  }

  isolate(node: SimNode | undefined): void {
    this.#isCut = true;
    for (const other of this.nodes) {
      if (node === undefined || other === node) continue;
      this.cluster.network.cut(node.id, other.id);
      this.cluster.network.cut(other.id, node.id);
    }
  }

  moveClients(): void {
    for (const client of this.cluster.everyone) client.move(false);
  }

  /** A connection to the node that nobody uses. */
  dial(node: SimNode): Link {
    const handler = { onBytes: () => undefined, onEnd: () => undefined };
    const link = this.cluster.dial({ node: node.id, client: { name: "stranger" }, handler });
    if (link === undefined) throw new Error(`node ${node.id} is down`);
    return link;
  }

  /** The number of a ZooKeeper connection with a session at the node. */
  attached(node: SimNode): number | undefined {
    for (const { number, phase } of node.gateway(1)?.connections.values() ?? []) {
      if (phase.kind === "attached") return number;
    }
    return undefined;
  }

  /** What each node answers to the word; undefined: nothing. */
  ask(word: string): ReadonlyMap<SimNode, string | undefined> {
    const answers = new Map<SimNode, string | undefined>();
    for (const node of this.nodes) {
      let text = "";
      const link = this.cluster.dial({
        node: node.id,
        client: { name: "operator" },
        handler: {
          onBytes: (bytes) => {
            text += Buffer.from(bytes).toString("latin1");
          },
          onEnd: () => answers.set(node, text === "" ? undefined : text),
        },
      });
      link?.send(Buffer.from(word, "latin1"));
    }
    this.run(50);
    return answers;
  }

  /** Two nodes are a quorum: they need no third one to have a leader. */
  goOn(): void {
    const up = this.nodes.filter(({ incarnation }) => incarnation !== undefined);
    if (this.#isCut || up.length < 2) return;
    this.until("the nodes that are up have a leader", () => up.every((node) => node.established));
  }

  /** Every node is up, and reaches the others. */
  heal(): void {
    this.#isCut = false;
    this.cluster.network.healAll();
    for (const node of this.nodes) this.cluster.start(node);
  }

  /** Nodes, clients and change streams are as they should be, or come to be so. */
  well(): void {
    const { cluster, nodes } = this;
    const { everyone, natives, truth } = cluster;
    this.until("every node leads or follows, and votes", () => {
      return nodes.every(({ established, votes }) => established && votes);
    });
    for (const client of everyone) client.answered = 0;
    this.until("every client is attached, and whoever asks is answered", () =>
      everyone.every((client) => {
        const isIdle = client.workload.timeoutMs === SESSION_MS;
        return client.connected && (isIdle || client.answered >= ANSWERS_MIN);
      }),
    );
    const { latest } = truth;
    // They neither open nor close streams meanwhile.
    for (const client of natives.all) client.quiet = true;
    this.until("every change stream has told what there is", () =>
      natives.all.every((client) => client.hasHeard(latest)),
    );
    for (const client of natives.all) client.quiet = false;
    this.until("every reader in a node's process has been given what there is", () => {
      return this.cluster.readers?.hasHeard(latest) ?? false;
    });
    this.until("the feed has told everything", () =>
      this.cluster.invariants.feed.isComplete(nodes),
    );
    this.until("no session is left whose client is gone", () => {
      const held = new Set<number | undefined>(everyone.map(({ session }) => session?.id));
      return [...truth.model.sessions.keys()].every((id) => held.has(id));
    });
    this.until("every lane is to be heard by native clients", () => nodes.every(isHeard));
    for (const word of ["mntr", "dump"]) {
      this.until(`every node answers ${word}`, () => {
        const answers = this.ask(word);
        return nodes.every((node) => answers.get(node) !== undefined);
      });
    }
    this.until("gateways hold the connections that there are", () => {
      return nodes.every((node) => this.#holdsWhatThereIs(node));
    });
  }

  /** Nobody loses a connection or a session while nothing happens. What the failure itself cost is noticed before. */
  calm(): void {
    this.run(NOTICED_MS);
    this.well();
    const { counts } = this.cluster;
    const { reconnects, expired } = counts;
    this.run(CALM_MS);
    must(counts.expired === expired, "liveness", () => "a session ends in quiet times");
    must(counts.reconnects === reconnects, "liveness", () => "a connection ends in quiet times");
  }

  /** An election and a death, in which the node is needed. */
  election(node: SimNode): void {
    if (node.leads) {
      for (const other of this.nodes) if (other !== node) this.crash(other);
      this.until(`node ${node.id} notices that it is alone`, () => !node.leads);
    } else {
      const { leader } = this;
      this.crash(leader);
      this.until(`node ${node.id} and another one have a leader`, () => {
        return this.nodes.every((each) => each === leader || each.established);
      });
    }
    this.heal();
    this.well();
  }

  /** All lanes hold the same, which is what the clients were told. */
  end(): void {
    const { everyone, nodes, plan, truth } = this.cluster;
    for (const client of everyone) client.quiet = true;
    this.until("every client has all its answers", () => everyone.every((c) => c.pending === 0));
    this.until("every lane has applied everything", () => {
      return nodes.every((node) => node.tree(1)?.lastApplied === truth.latest);
    });
    compareWhole(nodes, plan.lanes, truth.model);
  }

  #holdsWhatThereIs(node: SimNode): boolean {
    const links = [...(node.incarnation?.links.get(1)?.links ?? [])].map(({ number }) => number);
    const held = [...(node.gateway(1)?.connections.keys() ?? [])];
    const natives = this.cluster.natives.all.filter(({ server }) => server === node.id);
    const tree = node.tree(1);
    const watchers = [...(tree?.watches.watchers.get("zookeeper/1")?.keys() ?? [])];
    const streams = [...(tree?.streams.byClient.values() ?? [])].flatMap((each) => [
      ...each.values(),
    ]);
    const inProcess = streams.filter(({ from }) => from === "changes");
    const fed = streams.filter(({ from }) => from === "feed/1");
    const native = streams.filter(({ from }) => from === "nats/1");
    const changes = node.stateOf("changes") as ChangesState | undefined;
    return (
      watchers.every((client) => held.includes(client)) &&
      native.every(({ client }) => node.natsGateway(1)?.connections.has(client)) &&
      inProcess.length === changes?.byTreeStream.size &&
      fed.length === (node.leads ? 1 : 0) &&
      held.length === links.length &&
      held.every((number) => links.includes(number)) &&
      node.natsGateway(1)?.connections.size === natives.length
    );
  }

  /** As the server does, and a lane. */
  #report(): void {
    const { openFiles, openFilesMax, refused, heapUsedBytes, folderBytes } = REPORTED;
    for (const node of this.nodes) {
      node.tell("admin", { kind: "processReport", openFiles, openFilesMax });
      node.tell("admin", { kind: "peersReport", refused });
      node.tell("admin", { kind: "laneReport", lane: 1, heapUsedBytes });
      node.tell("admin", { kind: "natsReport", connection: "peers", status: REPORTED.nats });
      node.tell("admin", { kind: "actorReport", ...REPORTED.actor });
      node.tell("admin", {
        kind: "serverReport",
        clientPort: 2181,
        folderBytes,
        logFolderBytes: 0,
      });
      node.tell("admin", {
        ...{ kind: "measuresReport", thread: "main" },
        ...{ histograms: [], counters: [] },
      });
    }
    this.cluster.clock.after(REPORT_MS, () => this.#report());
  }
}

function isHeard({ incarnation }: SimNode): boolean {
  const system = incarnation?.threads.systems.get(1);
  let heard = false;
  if (system !== undefined) {
    observe(system, "serving", 1)
      .subscribe(() => {
        heard = true;
      })
      .unsubscribe();
  }
  return heard;
}
