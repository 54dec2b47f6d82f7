/** The admin actor: collects what the other actors of the node report, and answers four-letter words from it. */
import { unreachable } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { EPOCH_NONE, ZXID_NONE } from "../../protocol/zxid.ts";
import type { Actor, Step } from "../../runtime/actor.ts";
import type { Effect } from "../../runtime/effects.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { Applied } from "../tree/messages.ts";
import { answerOf, type Metrics, type Mode } from "./four-letter-words.ts";
import type { AdminAnswer, AdminMessage, GatewayReport, ProcessReport } from "./messages.ts";

export type AdminOptions = {
  readonly server: ServerId;
  /** The ensemble's voters, this node among them. One alone is a standalone node. */
  readonly voters: readonly ServerId[];
  /**
   * What four-letter words give as the server's version: begins with the version of ZooKeeper whose operations are served, since
   * tools compare it. Default `3.8.0-zooid, built on 1970-01-01 00:00 UTC`, the date of builds that can be repeated.
   */
  readonly version?: string;
  /** What `envi` tells of the host and the process, each a name and a value. Default nothing. */
  readonly environment?: readonly (readonly [string, string])[];
};

export type AdminState = {
  readonly startedMs: number;
  leadership: Leadership;
  applied: Applied;
  /** Watches of each lane. */
  readonly watches: Map<number, number>;
  /** Bytes that each lane uses of its heap. */
  readonly laneHeaps: Map<number, number>;
  /** Peers that a leader has heard of in time. */
  alive: readonly ServerId[];
  process: ProcessReport;
  /** Messages of peers that were refused. */
  refused: number;
  readonly reports: Map<string, GatewayReport>;
};

const VERSION = "3.8.0-zooid, built on 1970-01-01 00:00 UTC";

export function adminActor(options: AdminOptions): Actor<AdminState, AdminMessage> {
  return {
    name: "admin",
    supervision: "restart",
    mailbox: { capacity: 100_000, whenFull: "drop" },
    start: ({ nowMs }) => ({ state: initialState(nowMs), effects: [] }),
    receive: (state, message, { nowMs }) => receive(options, state, message, nowMs),
  };
}

function initialState(startedMs: number): AdminState {
  return {
    startedMs,
    leadership: {
      kind: "leadership",
      role: "looking",
      epoch: EPOCH_NONE,
      leader: undefined,
      admission: "all",
    },
    applied: {
      kind: "applied$",
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
    laneHeaps: new Map(),
    alive: [],
    process: { kind: "processReport", openFiles: 0, openFilesMax: 0 },
    refused: 0,
    reports: new Map(),
  };
}

function receive(
  options: AdminOptions,
  state: AdminState,
  message: AdminMessage,
  nowMs: number,
): Step<AdminState> {
  switch (message.kind) {
    case "leadership":
      state.leadership = message;
      break;
    case "peers":
      state.alive = message.alive;
      break;
    case "applied$":
      // Each lane tells; the one that is ahead is the node's.
      if (message.zxid >= state.applied.zxid) state.applied = message;
      state.watches.set(message.lane, message.watches);
      break;
    case "gatewayReport":
      state.reports.set(message.gateway, message);
      break;
    case "processReport":
      state.process = message;
      break;
    case "peersReport":
      state.refused = message.refused;
      break;
    case "laneReport":
      state.laneHeaps.set(message.lane, message.heapUsedBytes);
      break;
    case "fourLetterWord": {
      const text = answerOf(message.word, metricsOf(options, state, nowMs));
      return {
        state,
        effects: [answer(message.from, { kind: "adminAnswer", client: message.client, text })],
      };
    }
    case "timer":
      break; // none is ever started
    default:
      unreachable(message);
  }
  return { state, effects: [] };
}

/** The asker is a gateway, whichever kind. */
function answer(to: string, message: AdminAnswer): Effect {
  return { kind: "tell", to, message };
}

function metricsOf(options: AdminOptions, state: AdminState, nowMs: number): Metrics {
  const { leadership, applied } = state;
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
    zxid: applied.zxid,
    znodes: applied.znodes,
    watches: [...state.watches.values()].reduce((total, watches) => total + watches, 0),
    ephemerals: applied.ephemerals,
    dataBytes: applied.dataBytes,
    sessions: applied.sessions,
    treeBytes: applied.treeBytes,
    treeBytesMax: applied.treeBytesMax,
    treeHeapBytes: applied.treeHeapBytes,
    treeHeapBytesMax: applied.treeHeapBytesMax,
    laneHeaps: [...state.laneHeaps].toSorted(([first], [second]) => first - second),
    connections: sum((report) => report.connections),
    refused: sum((report) => report.refused),
    received: sum((report) => report.received),
    sent,
    outstanding: sum((report) => report.outstanding),
    latencyMs: {
      min:
        busy.length === 0 ? 0 : Math.floor(Math.min(...busy.map((report) => report.latencyMs.min))),
      average: sent === 0 ? 0 : sum((report) => report.latencyMs.average * report.sent) / sent,
      max:
        busy.length === 0 ? 0 : Math.floor(Math.max(...busy.map((report) => report.latencyMs.max))),
    },
    clients: reports.flatMap((report) => report.clients),
    voters: options.voters.length,
    followersAlive: state.alive.filter((peer) => peer !== options.server).length,
    peerMessagesRefused: state.refused,
    openFiles: state.process.openFiles,
    openFilesMax: state.process.openFilesMax,
    uptimeMs: nowMs - state.startedMs,
    environment: options.environment ?? [],
  };
}

function modeOf({ voters }: AdminOptions, { role }: Leadership): Mode | undefined {
  if (role !== "leading" && role !== "following") return undefined;
  if (voters.length === 1) return "standalone";
  return role === "leading" ? "leader" : "follower";
}
