/** Makes the configuration from what was written, or reports everything that is wrong with it at once. */
import { resolve } from "node:path";
import type { ServerId } from "../../protocol/ids.ts";
import { TTL_MS_MAX } from "../../protocol/lifetime.ts";
import { PACKET_BYTES_MAX, SNAPSHOTS_KEPT_MIN } from "../../protocol/limits.ts";
import { DEFAULT_WORDS, WORD_ALWAYS, WORDS } from "../../protocol/zookeeper/words.ts";
import { readAdmin } from "./admin-settings.ts";
import { readAuthentication } from "./authentication.ts";
import { type Draft, read, refuse } from "./draft.ts";
import { readNatsFiles } from "./nats-settings.ts";
import type { NodeConfig, Problem, Settings } from "./node-config.ts";
import { readSasl } from "./sasl-settings.ts";
import { type ServerLine, servers } from "./server-addresses.ts";
import { readTls } from "./tls-settings.ts";
import {
  address,
  autoOr,
  ensembleName,
  flag,
  folder,
  listOf,
  members,
  natsUrls,
  type Reader,
  type Reading,
  serverId,
  wholeNumber,
  zeroOr,
} from "./values.ts";

export type Validation =
  | { readonly kind: "valid"; readonly config: NodeConfig; readonly warnings: readonly string[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

export type ValidateOptions = {
  /** How the nodes meet. Over `memory` they live in one process and need no NATS. */
  readonly transport: "nats" | "memory";
};

/** It lies in the working folder of the process. */
export const DATA_DIR_DEFAULT = "data";

const DAY_MS = 24 * 60 * 60 * 1000;
const TICKS_MAX = 1_000_000;
const LANES_MAX = 16;
const CONNECTIONS_MAX = 1_000_000;
/** As Node has it. */
const BACKLOG_DEFAULT = 511;
const BACKLOG_MAX = 65_535;
const SNAPSHOT_EVERY_BYTES_MIN: number = 64 * 1024;
const SNAPSHOT_EVERY_BYTES_MAX: number = 64 * 1024 ** 3;
const SNAPSHOTS_KEPT_MAX = 10_000;
const PACKET_BYTES_MIN = 1024;
const MINUTE_MS = 60_000;
const TREE_BYTES_MIN: number = 64 * 1024;
const HELD_BYTES_MIN: number = 1024 * 1024;
const LANE_HEAP_BYTES_MIN: number = 32 * 1024 * 1024;
const SLOW_STEP_MS_MIN = 10;
/** A quarter of the time after which a silent peer is lost. */
const SLOW_STEP_MS_DEFAULT = 500;
const SLOW_REQUEST_MS_DEFAULT = 100;
const ACTOR_METRICS_MS_MIN = 100;
const BYTES_MAX: number = 1024 ** 4;
const COUNT_MAX = 16_000_000;

function readDuration(
  draft: Draft,
  field: keyof NodeConfig,
  minMs: number,
  byDefaultMs: number,
): number {
  const reader = wholeNumber(minMs, MINUTE_MS, "it is in milliseconds");
  return read(draft, field, reader, byDefaultMs);
}

function readWords(draft: Draft): Reader<readonly string[]> {
  return (text): Reading<readonly string[]> => {
    const words = listOf(text);
    const strangers = words.filter((word) => word !== "*" && !WORDS.includes(word));
    if (strangers.length > 0) {
      const known = WORDS.join(",");
      draft.warnings.push(
        `four-letter words that there are not, and that have no effect: ${strangers.join(", ")}; there are ${known}`,
      );
    }
    const isAnswered = (word: string): boolean =>
      word === WORD_ALWAYS || words.includes("*") || words.includes(word);
    return { kind: "read", value: WORDS.filter(isAnswered) };
  };
}

type Membership = Pick<NodeConfig, "id" | "members" | "servers" | "ensemble" | "natsUrls">;

/** The lines of the members, ascending. */
function readServers(draft: Draft, members: readonly ServerId[]): readonly string[] {
  const lines = read<readonly ServerLine[]>(draft, "servers", servers, []);
  const own = lines.filter(({ id }) => members.includes(id));
  if (lines.length > 0 && own.length < members.length) {
    const rule = `must name every member, ${members.join(",")}`;
    refuse(draft, "servers", rule, "clients take what it names for the whole ensemble");
  }
  return own.map(({ line }) => line);
}

function readMembership(draft: Draft, options: ValidateOptions): Membership {
  const { settings, problems } = draft;
  const known = problems.length;
  const listed = read<readonly ServerId[]>(draft, "members", members, []);
  const only = listed.length === 1 ? listed[0] : undefined;
  const id = read(draft, "id", serverId, only ?? (1 as ServerId));
  const isSound = problems.length === known;
  if (listed.length > 1 && !settings.has("id")) {
    refuse(
      draft,
      "id",
      "must be given when there are other members",
      "--id N, or a myid file in dataDir",
    );
  } else if (isSound && listed.length > 0 && !listed.includes(id)) {
    refuse(
      draft,
      "id",
      `must be one of the members ${listed.join(",")}`,
      "every member is listed, this node too",
    );
  }
  const ensemble = read(draft, "ensemble", ensembleName, "zooid");
  const urls = read<readonly string[]>(draft, "natsUrls", natsUrls, []);
  if (listed.length > 1 && options.transport === "nats" && !settings.has("natsUrls")) {
    refuse(
      draft,
      "natsUrls",
      "must be given when there are other members",
      "nodes meet over NATS: --nats nats://host:4222, or zooid.nats in the file",
    );
  }
  const all = listed.length === 0 ? [id] : listed;
  return { id, members: all, servers: readServers(draft, all), ensemble, natsUrls: urls };
}

type Timeouts = Pick<
  NodeConfig,
  "tickTimeMs" | "initLimit" | "syncLimit" | "minSessionTimeoutMs" | "maxSessionTimeoutMs"
>;

function readTimeouts(draft: Draft): Timeouts {
  const milliseconds = wholeNumber(1, DAY_MS, "it is in milliseconds");
  const ticks = wholeNumber(1, TICKS_MAX, "it counts ticks of tickTime");
  const tickTimeMs = read(
    draft,
    "tickTimeMs",
    wholeNumber(1, MINUTE_MS, "it is in milliseconds"),
    2000,
  );
  const minSessionTimeoutMs = read(draft, "minSessionTimeoutMs", milliseconds, 2 * tickTimeMs);
  const maxSessionTimeoutMs = read(draft, "maxSessionTimeoutMs", milliseconds, 20 * tickTimeMs);
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    const field = draft.settings.has("minSessionTimeoutMs")
      ? "minSessionTimeoutMs"
      : "maxSessionTimeoutMs";
    refuse(
      draft,
      field,
      `the shortest timeout, ${minSessionTimeoutMs} ms, must not exceed the longest, ${maxSessionTimeoutMs} ms`,
      `unset, they are 2 and 20 ticks of ${tickTimeMs} ms`,
    );
  }
  return {
    tickTimeMs,
    initLimit: read(draft, "initLimit", ticks, 10),
    syncLimit: read(draft, "syncLimit", ticks, 5),
    minSessionTimeoutMs,
    maxSessionTimeoutMs,
  };
}

type PeerTimes = Pick<
  NodeConfig,
  "failoverGraceMs" | "heartbeatIntervalMs" | "leaderPatienceMs" | "peerTimeoutMs"
>;

const LEADER_PATIENCE_MS = 500;
/** How many pings a follower sends, at least, before it gives up a silent leader. */
const PINGS_MIN = 3;

function readPeerTimes(draft: Draft): PeerTimes {
  const heartbeatIntervalMs = readDuration(draft, "heartbeatIntervalMs", 10, 100);
  const peerTimeoutMs = readDuration(draft, "peerTimeoutMs", 50, 2000);
  const threeMs = PINGS_MIN * heartbeatIntervalMs;
  const usualMs = Math.min(Math.max(LEADER_PATIENCE_MS, threeMs), peerTimeoutMs);
  const leaderPatienceMs = readDuration(draft, "leaderPatienceMs", 50, usualMs);
  if (peerTimeoutMs < threeMs) {
    const field = draft.settings.has("peerTimeoutMs") ? "peerTimeoutMs" : "heartbeatIntervalMs";
    refuse(
      draft,
      field,
      `the peer timeout, ${peerTimeoutMs} ms, must be at least three heartbeat intervals of ${heartbeatIntervalMs} ms`,
      "one lost ping must not cost a leader",
    );
  }
  if (
    leaderPatienceMs !== usualMs &&
    (leaderPatienceMs < threeMs || leaderPatienceMs > peerTimeoutMs)
  ) {
    refuse(
      draft,
      "leaderPatienceMs",
      `the patience with a leader, ${leaderPatienceMs} ms, must be from three heartbeat intervals to the peer timeout, ${threeMs} to ${peerTimeoutMs} ms`,
      "one lost ping must not cost a leader",
    );
  }
  return {
    failoverGraceMs: readDuration(draft, "failoverGraceMs", 0, 2000),
    heartbeatIntervalMs,
    leaderPatienceMs,
    peerTimeoutMs,
  };
}

type Memory = Pick<
  NodeConfig,
  "maxTreeBytes" | "maxSessions" | "maxWatches" | "maxHeldBytes" | "laneHeapBytes"
>;

/** For each of them, 0 stands for what the machine allows. Any other value must be so large that a node can work. */
function readMemory(draft: Draft): Memory {
  const size = (field: keyof Memory, min: number): number =>
    read(draft, field, zeroOr(min, BYTES_MAX, "0 is what the machine allows"), 0);
  const count = (field: keyof Memory): number =>
    read(draft, field, wholeNumber(0, COUNT_MAX, "0 is what the heap allows"), 0);
  return {
    maxTreeBytes: size("maxTreeBytes", TREE_BYTES_MIN),
    maxSessions: count("maxSessions"),
    maxWatches: count("maxWatches"),
    maxHeldBytes: size("maxHeldBytes", HELD_BYTES_MIN),
    laneHeapBytes: size("laneHeapBytes", LANE_HEAP_BYTES_MIN),
  };
}

function readLanes(draft: Draft): NodeConfig["lanes"] {
  const { settings } = draft;
  const lanes = read(
    draft,
    "lanes",
    autoOr(0, LANES_MAX, "auto goes by the cores; at most one per core is of use"),
    "auto",
  );
  if (
    lanes === 0 &&
    settings.has("laneHeapBytes") &&
    Number(settings.get("laneHeapBytes")?.value) > 0
  ) {
    refuse(
      draft,
      "laneHeapBytes",
      "has no effect without lanes, whose heaps it limits",
      "NODE_OPTIONS=--max-old-space-size=… (in MB) limits the heap of the process; or give --lanes 1",
    );
  }
  return lanes;
}

/** As in ZooKeeper, a number that is too small counts as the smallest. */
function snapshotsKept(text: string): Reading<number> {
  const hint = "the log since the oldest of them is kept as well";
  const reading = wholeNumber(0, SNAPSHOTS_KEPT_MAX, hint)(text);
  if (reading.kind === "refused") return reading;
  return { kind: "read", value: Math.max(SNAPSHOTS_KEPT_MIN, reading.value) };
}

type InspectionTimes = Pick<NodeConfig, "slowStepMs" | "slowRequestMs" | "actorMetricsMs">;

function readInspection(draft: Draft): InspectionTimes {
  return {
    slowStepMs: read(
      draft,
      "slowStepMs",
      zeroOr(SLOW_STEP_MS_MIN, MINUTE_MS, "0 is never; it is in milliseconds"),
      SLOW_STEP_MS_DEFAULT,
    ),
    slowRequestMs: read(
      draft,
      "slowRequestMs",
      wholeNumber(0, MINUTE_MS, "0 is never; it is in milliseconds"),
      SLOW_REQUEST_MS_DEFAULT,
    ),
    actorMetricsMs: read(
      draft,
      "actorMetricsMs",
      zeroOr(ACTOR_METRICS_MS_MIN, MINUTE_MS, "0 is not at all; it is in milliseconds"),
      0,
    ),
  };
}

type Lifetimes = Pick<
  NodeConfig,
  "extendedTypes" | "containerCheckIntervalMs" | "containersPerMinuteMax" | "containerUnusedMs"
>;

function readLifetimes(draft: Draft): Lifetimes {
  const interval = wholeNumber(1, DAY_MS, "it is in milliseconds");
  const perMinute = wholeNumber(1, COUNT_MAX, "it counts znodes that are deleted in a minute");
  const unused = wholeNumber(0, TTL_MS_MAX, "0 is never; it is in milliseconds");
  return {
    extendedTypes: read(draft, "extendedTypes", flag, true),
    containerCheckIntervalMs: read(draft, "containerCheckIntervalMs", interval, MINUTE_MS),
    containersPerMinuteMax: read(draft, "containersPerMinuteMax", perMinute, 10_000),
    containerUnusedMs: read(draft, "containerUnusedMs", unused, 0),
  };
}

/** A log that is to lie in the data folder lies there anyway. */
function readFolders(draft: Draft): Pick<NodeConfig, "dataDir" | "dataLogDir"> {
  const dataDir = read(draft, "dataDir", folder, resolve(DATA_DIR_DEFAULT));
  const log = read<string | undefined>(draft, "dataLogDir", folder, undefined);
  return { dataDir, dataLogDir: log === dataDir ? undefined : log };
}

type Limits = Pick<
  NodeConfig,
  | "maxClientConnections"
  | "maxConnections"
  | "maxPacketBytes"
  | "maxOutstandingRequests"
  | "sessionTokens"
  | "sessionTokenFillMs"
  | "sessionTokenFillCount"
>;

/** What clients may ask of a node at once. */
function readLimits(draft: Draft): Limits {
  const count = (field: keyof Limits, max: number, hint: string, byDefault: number): number =>
    read(draft, field, wholeNumber(0, max, hint), byDefault);
  const positive = wholeNumber(1, COUNT_MAX, "leave it out for its default, 1");
  const openFiles = "0 is as many as the limit of open files leaves";
  return {
    maxClientConnections: count("maxClientConnections", CONNECTIONS_MAX, "0 is no limit", 60),
    maxConnections: count("maxConnections", CONNECTIONS_MAX, openFiles, 0),
    maxPacketBytes: read(draft, "maxPacketBytes", packetBytes(draft), PACKET_BYTES_MAX),
    maxOutstandingRequests: count("maxOutstandingRequests", COUNT_MAX, "0 is no limit", 0),
    sessionTokens: count("sessionTokens", COUNT_MAX, "0 is no limit", 0),
    sessionTokenFillMs: read(draft, "sessionTokenFillMs", positive, 1),
    sessionTokenFillCount: read(draft, "sessionTokenFillCount", positive, 1),
  };
}

/** A larger number than there may be has long stood in files, and asks for as much as there is. */
function packetBytes({ settings, warnings }: Draft): Reader<number> {
  return (text) => {
    // Java reads it with Integer.decode.
    const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
    if (value >= PACKET_BYTES_MIN && value <= PACKET_BYTES_MAX) return { kind: "read", value };
    if (value > PACKET_BYTES_MAX) {
      const { source } = settings.get("maxPacketBytes") ?? {};
      warnings.push(
        `${source}: jute.maxbuffer is ${PACKET_BYTES_MAX} here at most, which is what it is: a record of the log has its place for that; keep what is larger outside and its place here`,
      );
      return { kind: "read", value: PACKET_BYTES_MAX };
    }
    const rule = `must be a whole number from ${PACKET_BYTES_MIN} to ${PACKET_BYTES_MAX}`;
    return { kind: "refused", rule, hint: "it is in bytes; a handshake alone takes 49" };
  };
}

export function validate(settings: Settings, options: ValidateOptions): Validation {
  const draft: Draft = { settings, problems: [], warnings: [] };
  const membership = readMembership(draft, options);
  const natsFiles = readNatsFiles(draft);
  const tls = readTls(draft);
  const config: NodeConfig = {
    ...membership,
    ...natsFiles,
    ...tls,
    clientPortAddress: read(draft, "clientPortAddress", address, "::"),
    clientPortBacklog: read(
      draft,
      "clientPortBacklog",
      wholeNumber(1, BACKLOG_MAX, "the limit of the system (net.core.somaxconn) holds as well"),
      BACKLOG_DEFAULT,
    ),
    ...readFolders(draft),
    ...readTimeouts(draft),
    ...readLimits(draft),
    ...readMemory(draft),
    enforceQuota: read(draft, "enforceQuota", flag, false),
    fourLetterWords: read(draft, "fourLetterWords", readWords(draft), DEFAULT_WORDS),
    ...readAdmin(draft, tls),
    readOnlyMode: read(draft, "readOnlyMode", flag, false),
    changeFeed: read(draft, "changeFeed", flag, false),
    ...readAuthentication({
      settings,
      read: (field, reader, byDefault) => read(draft, field, reader, byDefault),
      refuse: (field, rule, hint) => refuse(draft, field, rule, hint),
    }),
    ...readSasl(draft),
    lanes: readLanes(draft),
    snapshotEveryBytes: read(
      draft,
      "snapshotEveryBytes",
      wholeNumber(SNAPSHOT_EVERY_BYTES_MIN, SNAPSHOT_EVERY_BYTES_MAX, "it is in bytes"),
      64 * 1024 * 1024,
    ),
    snapshotsKept: read(draft, "snapshotsKept", snapshotsKept, SNAPSHOTS_KEPT_MIN),
    ...readLifetimes(draft),
    ...readPeerTimes(draft),
    ...readInspection(draft),
  };
  if (draft.problems.length > 0) return { kind: "invalid", problems: draft.problems };
  Object.freeze(config.members);
  Object.freeze(config.natsUrls);
  Object.freeze(config.servers);
  Object.freeze(config.fourLetterWords);
  Object.freeze(config.tlsProtocols);
  Object.freeze(config.authSchemes);
  return { kind: "valid", config: Object.freeze(config), warnings: draft.warnings };
}
