/** What `cons` tells of a connection's requests. Source: ZooKeeper's ServerCnxn. */
import type { ConnectionFacts } from "../../admin/messages.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";

/** How ZooKeeper abbreviates what a request asks for. */
const NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [OpCode.create, "CREA"],
  [OpCode.create2, "CREA"],
  [OpCode.delete, "DELE"],
  [OpCode.exists, "EXIS"],
  [OpCode.getData, "GETD"],
  [OpCode.setData, "SETD"],
  [OpCode.getAcl, "GETA"],
  [OpCode.setAcl, "SETA"],
  [OpCode.getChildren, "GETC"],
  [OpCode.getChildren2, "GETC"],
  [OpCode.sync, "SYNC"],
  [OpCode.check, "CHEC"],
  [OpCode.multi, "MULT"],
  [OpCode.setWatches, "SETW"],
  [OpCode.setWatches2, "STW2"],
  [OpCode.addWatch, "ADDW"],
  [OpCode.checkWatches, "CHKW"],
  [OpCode.removeWatches, "REMW"],
  [OpCode.createContainer, "CREA"],
  [OpCode.createTtl, "CREA"],
  [OpCode.multiRead, "MLTR"],
  [OpCode.getEphemerals, "GETE"],
  [OpCode.getAllChildrenNumber, "GETACN"],
  [OpCode.whoAmI, "HOMI"],
  [OpCode.closeSession, "CLOS"],
  // ZooKeeper has no names for these.
  [OpCode.filteredList, "GETC"],
  [OpCode.filteredListWithStatsAndData, "GETC"],
  [OpCode.listRecursive, "GETC"],
  [OpCode.checkNotExists, "CHEC"],
  [OpCode.checkStat, "CHEC"],
  [OpCode.createIfNotExists, "CREA"],
  [OpCode.removeRecursive, "DELE"],
  [OpCode.tryRemove, "DELE"],
]);

const NO_OPERATION = "NA";
export const SESSION_OPERATION = "SESS";
export const PING_OPERATION = "PING";
/** ZooKeeper prints an unset zxid, -1, as an unsigned number. */
const NO_ZXID_TEXT = "0xffffffffffffffff";

export type Statistics = {
  /** When the connection was opened, by the wall clock. */
  readonly sinceWallMs: number;
  /** What is known of the last request that was answered. `xid` is the client's number of it. */
  operation: string;
  xid: number;
  zxid: Zxid | undefined;
  answeredMs: number;
  latencyMs: number;
  /** What is known of all requests that were answered. */
  answers: number;
  totalMs: number;
  minMs: number;
  maxMs: number;
};

export function newStatistics(sinceWallMs: number): Statistics {
  return {
    sinceWallMs,
    operation: NO_OPERATION,
    xid: -1,
    zxid: undefined,
    answeredMs: 0,
    latencyMs: 0,
    answers: 0,
    totalMs: 0,
    minMs: 0,
    maxMs: 0,
  };
}

export function operationName(opCode: number): string {
  return NAMES.get(opCode) ?? NO_OPERATION;
}

export type Answered = {
  readonly operation: string;
  readonly xid: number;
  readonly zxid: Zxid;
  readonly startedMs: number;
  readonly nowMs: number;
};

export function noteAnswer(statistics: Statistics, answered: Answered): void {
  const { operation, xid, zxid, startedMs, nowMs } = answered;
  const tookMs = nowMs - startedMs;
  statistics.operation = operation;
  statistics.xid = xid;
  statistics.zxid = zxid;
  statistics.answeredMs = nowMs;
  statistics.latencyMs = tookMs;
  if (statistics.answers === 0 || tookMs < statistics.minMs) statistics.minMs = tookMs;
  if (tookMs > statistics.maxMs) statistics.maxMs = tookMs;
  statistics.answers += 1;
  statistics.totalMs += tookMs;
}

/** The fields that stand in `cons` behind the session's number. Times are whole milliseconds. */
export function statisticsText(statistics: Statistics, timeoutMs: number): string {
  const { operation, xid, zxid, answers, totalMs } = statistics;
  const whole = (ms: number): number => Math.floor(ms);
  const fields: (readonly [string, string | number])[] = [
    ["lop", operation],
    ["est", whole(statistics.sinceWallMs)],
    ["to", timeoutMs],
    ...(xid < 0 ? [] : [["lcxid", `0x${xid.toString(16)}`] as const]),
    ["lzxid", zxid === undefined ? NO_ZXID_TEXT : formatZxid(zxid)],
    ["lresp", whole(statistics.answeredMs)],
    ["llat", whole(statistics.latencyMs)],
    ["minlat", whole(statistics.minMs)],
    ["avglat", answers === 0 ? 0 : whole(totalMs / answers)],
    ["maxlat", whole(statistics.maxMs)],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(",");
}

/** The same for programs. What is not known of a connection is -1, as in ZooKeeper. */
export function statisticsFacts(
  statistics: Statistics,
  timeoutMs: number,
): Pick<
  Required<ConnectionFacts>,
  | "last_operation"
  | "established"
  | "session_timeout"
  | "last_cxid"
  | "last_zxid"
  | "last_response_time"
  | "last_latency"
  | "min_latency"
  | "avg_latency"
  | "max_latency"
> {
  const { answers, totalMs, xid, zxid = -1 } = statistics;
  return {
    last_operation: statistics.operation,
    established: Math.floor(statistics.sinceWallMs),
    session_timeout: timeoutMs,
    last_cxid: Math.max(xid, -1),
    last_zxid: zxid,
    last_response_time: Math.floor(statistics.answeredMs),
    last_latency: Math.floor(statistics.latencyMs),
    min_latency: Math.floor(statistics.minMs),
    avg_latency: answers === 0 ? 0 : Math.floor(totalMs / answers),
    max_latency: Math.floor(statistics.maxMs),
  };
}
