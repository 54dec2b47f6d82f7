/** The admin actor collects what the other actors of the node report, and answers four-letter words from it. */
import { unreachable } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import type { Actor } from "../../runtime/actor.ts";
import type { LocalEffect } from "../../runtime/effects.ts";
import type { Turn as TurnOf } from "../../runtime/turn.ts";
import { type Leadership, NO_LEADERSHIP } from "../../protocol/replication.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { TreeMetrics } from "../tree/messages.ts";
import { tell } from "../inboxes.ts";
import { emit } from "../topics.ts";
import { TRACE_MASK_DEFAULT } from "../../protocol/zookeeper/words.ts";
import { answerOf, type Metrics, type Mode, NOT_SERVING } from "./four-letter-words.ts";
import type { ShownConfiguration } from "./configuration-text.ts";
import { type Elections, electionsText, shownElections, takeElectionStep } from "./elections.ts";
import {
  type Asker,
  gather,
  type Gatherings,
  type GatheringWork,
  newGatherings,
  takePart,
} from "./gathering.ts";
import { type GatheredWord, isGathered, listingText } from "./listings.ts";
import { heatText } from "./heat/heat.ts";
import { busyText, sessionsText, watchesText } from "./own-words.ts";
import { newSlow, type Slow, slowSummary, slowText, takeSlow } from "./slow/slow-requests.ts";
import type {
  ActorReport,
  AdminMessage,
  FactsQuestion,
  Gathered,
  GatewayReport,
  MeasuresReport,
  NatsConnectionName,
  NatsConnections,
  NatsStatus,
  Part,
  ProcessReport,
  ServerReport,
} from "./messages.ts";
import { streamsOf } from "./streams.ts";

export type AdminOptions = {
  readonly server: ServerId;
  /** The ensemble's voters, this node among them. A node that is the only voter calls itself standalone. */
  readonly voters: readonly ServerId[];
  /** When the node started, by the clock of this actor's turns. It stays when the actor is started again. */
  readonly startedMs: number;
  /**
   * The server's version in the answers to four-letter words. It begins with the version of ZooKeeper whose operations are served, since
   * tools compare it. Default `3.8.0-zooid, built on 1970-01-01 00:00 UTC`; the date is the one of reproducible builds.
   */
  readonly version?: string;
  /** The lines of `envi` about the host and the process, each a name and a value. Default none. */
  readonly environment?: readonly (readonly [string, string])[];
  /** The number of the node's lanes: those that are asked for their parts of an answer. Default 1. */
  readonly lanes?: number;
  /** Without a leader, clients that ask for it may read. Default false. */
  readonly readOnlyMode?: boolean;
  /** After how many milliseconds gateways call a request slow, for `slow` to tell. Default 0: none is. */
  readonly slowRequestMs?: number;
  /** What `conf` tells of the configuration. Default: nothing. */
  readonly configuration?: ShownConfiguration;
};

export type AdminState = {
  leadership: Leadership;
  /** Since when this node leads, by the clock of the turns. */
  leadingSinceMs: number;
  tree: TreeMetrics;
  /** Maps a lane to the number of its watches. */
  readonly watches: Map<number, number>;
  /** Maps a lane to the zxid that its tree has applied. */
  readonly applied: Map<number, Zxid>;
  /** Maps a lane to how many bytes of its heap are in use. */
  readonly laneHeaps: Map<number, number>;
  /** If this node leads: the nodes whose pings came in time, itself among them. */
  alive: readonly ServerId[];
  process: ProcessReport;
  /** How many messages of peers were refused since the start. */
  refused: number;
  /** Maps a gateway to its last report. */
  readonly reports: Map<string, GatewayReport>;
  readonly nats: Map<NatsConnectionName, NatsStatus>;
  readonly actors: Map<string, ActorReport>;
  /** Maps a thread to what was measured there. */
  readonly measures: Map<string, MeasuresReport>;
  server: ServerReport;
  readonly elections: Elections;
  readonly slow: Slow;
  /** What `stmk` has set. Nothing is traced by it. */
  traceMask: bigint;
  readonly gatherings: Gatherings;
  /** The gateways that were told to retire and have no clients any more. */
  readonly without: Set<GatewayName>;
};

const VERSION = "3.8.0-zooid, built on 1970-01-01 00:00 UTC";

type Turn = TurnOf<AdminState, LocalEffect<never>>;

export function adminActor(
  options: AdminOptions,
): Actor<AdminState, AdminMessage, LocalEffect<never>> {
  return {
    name: "admin",
    supervision: "restart",
    mailbox: { capacity: 100_000, whenFull: "drop" },
    start: ({ nowMs }) => initialState(nowMs),
    receive: (turn, message) => receive(options, turn, message),
  };
}

function initialState(nowMs: number): AdminState {
  return {
    leadership: NO_LEADERSHIP,
    leadingSinceMs: nowMs,
    tree: {
      kind: "treeMetrics",
      lane: 0,
      zxid: ZXID_NONE,
      znodes: 0,
      watches: 0,
      ephemerals: 0,
      dataBytes: 0,
      sessions: 0,
      treeBytes: 0,
      treeBytesMax: 0,
      treeHeapBytes: 0,
      treeHeapBytesMax: 0,
    },
    watches: new Map(),
    applied: new Map(),
    laneHeaps: new Map(),
    alive: [],
    process: { kind: "processReport", openFiles: 0, openFilesMax: 0 },
    refused: 0,
    reports: new Map(),
    nats: new Map(),
    actors: new Map(),
    measures: new Map(),
    server: { kind: "serverReport", clientPort: undefined, folderBytes: 0, logFolderBytes: 0 },
    elections: [],
    slow: newSlow(),
    traceMask: TRACE_MASK_DEFAULT,
    gatherings: newGatherings(nowMs),
    without: new Set(),
  };
}

function receive(options: AdminOptions, turn: Turn, message: AdminMessage): void {
  const { state, effects } = turn;
  switch (message.kind) {
    case "leadership":
      takeLeadership(turn, message);
      return;
    case "peers":
      // An actor that is restarted is told what the last leader here has said.
      if (state.leadership.leader === options.server) state.alive = message.alive;
      return;
    case "treeMetrics":
      // The tree of each lane reports. The report with the latest zxid stands for the node.
      if (message.zxid >= state.tree.zxid) state.tree = message;
      state.watches.set(message.lane, message.watches);
      state.applied.set(message.lane, message.zxid);
      return;
    case "gatewayReport":
      state.reports.set(message.gateway, message);
      return;
    case "processReport":
      state.process = message;
      return;
    case "peersReport":
      state.refused = message.refused;
      return;
    case "laneReport":
      state.laneHeaps.set(message.lane, message.heapUsedBytes);
      return;
    case "natsReport":
      state.nats.set(message.connection, message.status);
      effects.push(emit("nats", natsConnections(state)));
      return;
    case "actorReport":
      state.actors.set(message.actor, message);
      return;
    case "measuresReport":
      state.measures.set(message.thread, message);
      return;
    case "serverReport":
      state.server = message;
      return;
    case "electionStep":
      takeElectionStep(state.elections, message);
      return;
    case "slowRequests":
    case "slowStages":
    case "slowRecord":
      takeSlow(state.slow, message, turn.wallMs);
      return;
    case "clientsGone":
      state.without.add(message.gateway);
      // Each lane has two gateways.
      if (state.without.size === 2 * (options.lanes ?? 1)) {
        effects.push(emit("clientsGone", { kind: "allClientsGone" }));
      }
      return;
    case "part":
      takePart(workOf(options, turn), message);
      return;
    case "fourLetterWord":
      answerWord(options, turn, message);
      return;
    case "askFacts":
      takeFactsQuestion(options, turn, message);
      return;
    default:
      unreachable(message);
  }
}

function answerWord(
  options: AdminOptions,
  turn: Turn,
  {
    from,
    client,
    word,
    argument,
    mask,
  }: Extract<AdminMessage, { readonly kind: "fourLetterWord" }>,
): void {
  const { state, effects, nowMs } = turn;
  if (mask !== undefined) state.traceMask = mask;
  if (isGathered(word)) {
    if (modeOf(options, state.leadership) === undefined) {
      effects.push(tell(from, { kind: "adminAnswer", client, text: NOT_SERVING }));
    } else {
      gather(workOf(options, turn), { word, argument }, { kind: "client", from, client });
    }
    return;
  }
  const text = ownText(options, state, word) ?? answerOf(word, metricsOf(options, state, nowMs));
  effects.push(tell(from, { kind: "adminAnswer", client, text }));
}

/** What this actor remembers. That is asked most where there is no leader. */
function ownText(options: AdminOptions, state: AdminState, word: string): string | undefined {
  const { server: node, slowRequestMs: thresholdMs = 0 } = options;
  if (word === "elec") return electionsText(node, state.elections);
  if (word !== "slow") return undefined;
  return slowText(state.slow, { node, thresholdMs, counted: slowCount(state) });
}

function slowCount({ reports }: AdminState): number {
  let count = 0;
  for (const { slow } of reports.values()) count += slow;
  return count;
}

/** A node that serves nobody has facts as well. */
function takeFactsQuestion(options: AdminOptions, turn: Turn, asked: FactsQuestion): void {
  const { request, gather: word, argument, mask } = asked;
  if (mask !== undefined) turn.state.traceMask = mask;
  if (word === undefined) tellFacts(options, turn, { request, parts: [] });
  else gather(workOf(options, turn), { word, argument }, { kind: "server", request });
}

function tellFacts(
  options: AdminOptions,
  { state, effects, nowMs }: Turn,
  answer: { readonly request: number; readonly parts: readonly Part[] },
): void {
  const metrics = metricsOf(options, state, nowMs);
  const elections = shownElections(state.elections);
  const slow = slowSummary(state.slow);
  effects.push(emit("facts", { kind: "facts", metrics, elections, slow, ...answer }));
}

function workOf(options: AdminOptions, turn: Turn): GatheringWork {
  const { state, effects, nowMs } = turn;
  const answer = (askers: readonly Asker[], word: Gathered, parts: readonly Part[]): void => {
    for (const asker of askers) {
      if (asker.kind === "server") {
        tellFacts(options, turn, { request: asker.request, parts });
      } else if (word !== "connections" && word !== "ephemerals") {
        const { from, client } = asker;
        const text = gatheredText(options, turn, word, parts);
        effects.push(tell(from, { kind: "adminAnswer", client, text }));
      }
    }
  };
  return { gatherings: state.gatherings, lanes: options.lanes ?? 1, nowMs, answer, effects };
}

function gatheredText(
  options: AdminOptions,
  { state, nowMs }: Turn,
  word: GatheredWord,
  parts: readonly Part[],
): string {
  const { server } = options;
  const about = { server, mode: modeOf(options, state.leadership), nowMs };
  switch (word) {
    case "stat":
      return answerOf(word, metricsOf(options, state, nowMs));
    case "sess":
      return sessionsText(about, parts);
    case "busy":
      return busyText(about, parts);
    case "wtch":
      return watchesText(about, parts);
    case "heat":
      return heatText(server, parts);
    default:
      return listingText(word, parts);
  }
}

function natsConnections({ nats }: AdminState): NatsConnections {
  const lanes = new Map<number, NatsStatus>();
  for (const [connection, status] of nats)
    if (connection !== "peers") lanes.set(connection, status);
  return { kind: "natsConnections", peers: nats.get("peers"), lanes };
}

/** Whom an earlier leader heard says nothing about the next, though it may be the same node. */
function takeLeadership({ state, nowMs }: Turn, now: Leadership): void {
  const { leader, epoch, role } = state.leadership;
  if (now.role === "leading" && role !== "leading") state.leadingSinceMs = nowMs;
  if (now.leader !== leader || now.epoch !== epoch) state.alive = [];
  state.leadership = now;
}

function metricsOf(options: AdminOptions, state: AdminState, nowMs: number): Metrics {
  const { leadership, tree } = state;
  const reports = [...state.reports.values()];
  const sum = (of: (report: GatewayReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const sent = sum((report) => report.sent);
  const busy = reports.filter((report) => report.sent > 0);
  return {
    mode: modeOf(options, leadership),
    version: options.version ?? VERSION,
    epoch: leadership.epoch,
    leader: leadership.leader,
    admission: leadership.admission,
    role: leadership.role,
    zxid: tree.zxid,
    laneZxids: [...state.applied].toSorted(([first], [second]) => first - second),
    znodes: tree.znodes,
    watches: [...state.watches.values()].reduce((total, watches) => total + watches, 0),
    ephemerals: tree.ephemerals,
    dataBytes: tree.dataBytes,
    sessions: tree.sessions,
    treeBytes: tree.treeBytes,
    treeBytesMax: tree.treeBytesMax,
    treeHeapBytes: tree.treeHeapBytes,
    treeHeapBytesMax: tree.treeHeapBytesMax,
    laneHeaps: [...state.laneHeaps].toSorted(([first], [second]) => first - second),
    connections: sum((report) => report.connections),
    refused: sum((report) => report.refused),
    received: sum((report) => report.received),
    sent,
    outstanding: sum((report) => report.outstanding),
    slowRequests: slowCount(state),
    latencyMs: {
      min:
        busy.length === 0 ? 0 : Math.floor(Math.min(...busy.map((report) => report.latencyMs.min))),
      average: sent === 0 ? 0 : sum((report) => report.latencyMs.average * report.sent) / sent,
      max:
        busy.length === 0 ? 0 : Math.floor(Math.max(...busy.map((report) => report.latencyMs.max))),
    },
    clients: reports.flatMap((report) => report.clients),
    streams: streamsOf(reports, state.applied),
    voters: options.voters.length,
    followersAlive: state.alive.filter((peer) => peer !== options.server).length,
    peerMessagesRefused: state.refused,
    actors: [...state.actors.values()],
    measures: [...state.measures.values()],
    natsConnections: state.nats.size,
    natsConnected: [...state.nats.values()].filter((status) => status === "connected").length,
    openFiles: state.process.openFiles,
    openFilesMax: state.process.openFilesMax,
    uptimeMs: nowMs - options.startedMs,
    leadingMs: leadership.role === "leading" ? nowMs - state.leadingSinceMs : 0,
    environment: options.environment ?? [],
    server: options.server,
    members: options.voters,
    configuration: options.configuration,
    clientPort: state.server.clientPort,
    secureClientPort: state.server.secureClientPort,
    folderBytes: state.server.folderBytes,
    logFolderBytes: state.server.logFolderBytes,
    traceMask: state.traceMask,
  };
}

function modeOf({ voters, readOnlyMode }: AdminOptions, { role }: Leadership): Mode | undefined {
  if (role !== "leading" && role !== "following") {
    return readOnlyMode === true ? "read-only" : undefined;
  }
  if (voters.length === 1) return "standalone";
  return role === "leading" ? "leader" : "follower";
}
