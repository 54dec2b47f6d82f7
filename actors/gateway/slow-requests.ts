/** A gateway tells the admin actor of requests whose answers took long, at the end of the turn of the loop that answered them. Others cost a comparison. */
import { SLOW_PATH_LENGTH_MAX, SLOW_REQUESTS_PER_SECOND } from "../../protocol/limits.ts";
import { formatSession, SESSION_NONE } from "../../protocol/ids.ts";
import type { SlowRequest } from "../admin/slow/messages.ts";
import { tell } from "../inboxes.ts";
import { ownedText } from "../owned-text.ts";
import { servedBy } from "./attachment.ts";
import type { GatewayConnection, GatewayTurn } from "./gateway-state.ts";
import { answeredAtMs } from "./metrics.ts";
import { pathOf } from "./request-path.ts";
import type { Entry, Queueable } from "./request-queue.ts";

export type SlowNotes = {
  /** The number of the next one. */
  next: number;
  /** Which second of the gateway's clock, and of how many it may still tell in it. */
  second: number;
  left: number;
  /** Those of this turn of the loop. */
  noted: SlowRequest[];
};

const SECOND_MS = 1000;

/** A gateway that is started again begins above all numbers that it had before. */
export function newSlowNotes(nowMs: number): SlowNotes {
  return { next: Math.floor(nowMs * SECOND_MS) + 1, second: Number.NaN, left: 0, noted: [] };
}

/** The answer to a slow request leaves. */
export function noteSlow<Connection extends GatewayConnection>(
  { state, effects, nowMs }: GatewayTurn<Connection>,
  connection: Connection,
  entry: Entry<Queueable>,
  address: string | null,
): void {
  const { slow } = state;
  const second = Math.floor(nowMs / SECOND_MS);
  if (second !== slow.second) {
    slow.second = second;
    slow.left = SLOW_REQUESTS_PER_SECOND;
  }
  if (slow.left === 0) return;
  slow.left -= 1;
  const session = formatSession(servedBy(connection)?.session ?? SESSION_NONE);
  const { startedMs, bytes, answerBytes } = entry;
  const answeredMs = answeredAtMs(state.metrics, nowMs);
  const isOfTree = entry.state === "answered" && entry.result !== undefined;
  slow.noted.push({
    ...{ number: slow.next, session, address },
    ...aboutOf(entry.request),
    ...{ bytes, answerBytes, zxid: isOfTree ? entry.zxid : null },
    ...{ tookMs: answeredMs - startedMs, startedMs, answeredMs },
  });
  slow.next += 1;
  effects.push({ kind: "endOfTurn" });
}

type About = Pick<SlowRequest, "isWrite" | "operation" | "operations" | "path">;

function aboutOf(request: Queueable): About {
  const isWrite = request.kind === "write";
  if (request.kind !== "read" && !isWrite) {
    return { isWrite, operation: request.kind, operations: 1, path: null };
  }
  const asked = request.kind === "read" ? request.read : request.operation;
  const path = pathOf(asked);
  return {
    ...{ isWrite, operation: asked.kind, operations: operationsIn(asked) },
    path: path === undefined ? null : ownedText(path.slice(0, SLOW_PATH_LENGTH_MAX)),
  };
}

function operationsIn(asked: object): number {
  if ("operations" in asked && Array.isArray(asked.operations)) return asked.operations.length;
  return "reads" in asked && Array.isArray(asked.reads) ? asked.reads.length : 1;
}

/** Tells of those of this turn of the loop. */
export function tellSlow<Connection extends GatewayConnection>({
  state,
  effects,
}: GatewayTurn<Connection>): void {
  const { slow, name: from } = state;
  if (slow.noted.length === 0) return;
  effects.push(tell("admin", { kind: "slowRequests", from, requests: slow.noted }));
  slow.noted = [];
}
