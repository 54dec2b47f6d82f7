/**
 * The reaper proposes the end of containers and of znodes with a TTL whose lifetime is over. Each node has one; only the leader's looks.
 * It asks the tree of its node, which looks at a part of those znodes at a time, and proposes what the tree has found; whether a lifetime
 * is over is decided when the proposal is applied. What is lost is found again the next time. Source: ZooKeeper's ContainerManager.
 */
import { unreachable } from "../../protocol/assert.ts";
import { encodeBatch } from "../../protocol/batch.ts";
import { REAPED_AT_ONCE_MAX } from "../../protocol/limits.ts";
import type { Operation } from "../../protocol/operations.ts";
import type { Actor } from "../../runtime/actor.ts";
import type { LocalEffect } from "../../runtime/effects.ts";
import type { Turn as TurnOf } from "../../runtime/turn.ts";
import { tell } from "../inboxes.ts";
import { logEvent } from "../log-event.ts";
import type { DueZnodes, ReaperMessage, ReaperTimer } from "./messages.ts";

export type ReaperOptions = {
  /** Milliseconds from the end of one look at all znodes with a lifetime to the next. Default 60_000. */
  readonly checkIntervalMs?: number;
  /** How many znodes are reaped in a minute at most. Default 10_000. */
  readonly perMinuteMax?: number;
  /** Milliseconds after which a container is reaped that never had children. Default 0: never. */
  readonly unusedMs?: number;
};

export type ReaperState = {
  readonly options: Required<ReaperOptions>;
  /** Whether this node leads and can log the end of a znode. Undefined: the actor has not heard yet. */
  leads: boolean | undefined;
  /** The number of the question that the tree is to answer. Undefined: none is. */
  asked: number | undefined;
  questions: number;
  /** The tree has looked at some of the znodes, and goes on from there. */
  goesOn: boolean;
};

export type ReaperEffect = LocalEffect<ReaperTimer>;
type Turn = TurnOf<ReaperState, ReaperEffect>;

const MINUTE_MS = 60_000;
/** All lanes hold the same. */
const TREE = "tree/1";

export function reaperActor(
  options: ReaperOptions = {},
): Actor<ReaperState, ReaperMessage, ReaperEffect> {
  const { checkIntervalMs = MINUTE_MS, perMinuteMax = 10_000, unusedMs = 0 } = options;
  return {
    name: "reaper",
    supervision: "restart",
    mailbox: { capacity: 1000, whenFull: "drop" },
    start: () => ({
      options: { checkIntervalMs, perMinuteMax, unusedMs },
      leads: undefined,
      asked: undefined,
      questions: 0,
      goesOn: false,
    }),
    receive,
  };
}

function receive(turn: Turn, message: ReaperMessage): void {
  switch (message.kind) {
    case "leadership":
      lead(turn, message.role === "leading" && message.admission !== "none");
      return;
    case "timer":
      ask(turn);
      return;
    case "due":
      propose(turn, message);
      return;
    default:
      unreachable(message);
  }
}

function lead({ state, effects }: Turn, leads: boolean): void {
  if (leads === state.leads) return;
  state.leads = leads;
  state.asked = undefined;
  state.goesOn = false;
  if (leads) {
    lookAfter(effects, state.options.checkIntervalMs);
    return;
  }
  effects.push({ kind: "stopTimer", timer: "look" });
  // Whatever this node asked as a leader, also before this actor was restarted.
  effects.push(tell(TREE, { kind: "endReapWalk" }));
}

function ask({ state, effects }: Turn): void {
  if (state.leads !== true) return;
  const { unusedMs } = state.options;
  state.questions += 1;
  state.asked = state.questions;
  const question = { question: state.questions, begins: !state.goesOn, unusedMs };
  effects.push(tell(TREE, { kind: "listDue", pathsMax: atOnce(state), ...question }));
}

/** What may be reaped in a second, so that the pauses are short. */
function atOnce({ options }: ReaperState): number {
  const perSecond = Math.floor(options.perMinuteMax / 60);
  return Math.min(Math.max(perSecond, 1), REAPED_AT_ONCE_MAX);
}

function propose(turn: Turn, { question, paths, isAll }: DueZnodes): void {
  const { state, effects } = turn;
  // The answer to a question of an earlier time as the leader is of no use.
  if (question !== state.asked) return;
  const { perMinuteMax, checkIntervalMs, unusedMs } = state.options;
  state.asked = undefined;
  state.goesOn = !isAll;
  if (paths.length > 0) {
    const operations = paths.map(
      (path): Operation => ({ kind: "deleteContainer", path, unusedMs }),
    );
    const payload = encodeBatch(operations);
    effects.push(logEvent("znodesReaped", { count: paths.length, first: paths[0] ?? "" }));
    effects.push(tell("log-sync", { kind: "propose", payload, count: operations.length }));
  }
  const pauseMs = (paths.length * MINUTE_MS) / perMinuteMax;
  lookAfter(effects, isAll ? Math.max(checkIntervalMs, pauseMs) : pauseMs);
}

function lookAfter(effects: Turn["effects"], afterMs: number): void {
  effects.push({ kind: "startTimer", timer: "look", afterMs });
}
